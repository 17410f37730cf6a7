//! Integer noise on exact tables: the one place where a figure becomes publishable in principle.
//!
//! # Guarantees
//! G5: one claim, one draw, with the parameters of that claim: [`perturb`] consumes the reservation and takes neither
//! epsilon nor sensitivity. Every price is checked by OpenDP's own privacy map; sigma is raised until the map agrees.
//! Nothing here ever sees a policy, a clock or a seed: randomness is the operating system's, through OpenSSL.

mod conversion;
mod mechanism;
mod opendp;

pub use conversion::epsilon_at;
pub use mechanism::{Mechanism, Scale};

use crate::budget::Accounting;
use crate::ledger::{Drawn, Reservation};
use crate::sensitive::Sensitive;
use crate::tabulate::ExactTables;
use serde::{Deserialize, Serialize};

/// The library that draws, as printed in releases.
pub const LIBRARY: &str = "opendp 0.16.0";

/// What goes wrong when noise is drawn. None of these depends on a value of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoiseError {
    /// No scale satisfies the price: it is too small.
    #[error("no noise scale meets the price of this table")]
    Uncalibrated,
    /// The tables are not those that were paid for.
    #[error("the tables are not those of the claim")]
    Mismatch,
    /// OpenDP or its source of randomness failed.
    #[error("the noise generator failed")]
    Generator,
}

impl NoiseError {
    /// A stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Uncalibrated => "noise_uncalibrated",
            Self::Mismatch => "noise_mismatch",
            Self::Generator => "noise_generator",
        }
    }
}

/// A measured table after noise. Holds withheld cells too: sealed on the shelf, never published.
#[derive(Serialize, Deserialize)]
pub struct NoisyTable {
    /// Positions in the plan's dimensions, ascending.
    pub dims: Vec<usize>,
    /// Noisy counts, row-major over the dimensions' levels.
    pub values: Vec<i64>,
    /// Variance of the noise of one cell.
    pub variance: f64,
}

/// All tables of one draw.
#[derive(Serialize, Deserialize)]
pub struct NoisyTables {
    /// Which noise was drawn.
    pub accounting: Accounting,
    /// The tables, in the order of the plan.
    pub tables: Vec<NoisyTable>,
}

/// On which side of the point of no return a claim is left.
#[must_use = "a claim is voided or settled"]
pub enum Perturbed {
    /// Nothing was drawn: the claim, still voidable, and why.
    Undrawn(Reservation, NoiseError),
    /// The claim is spent whatever happened; the tables are there if the generator kept its word.
    Drawn(Drawn, Result<NoisyTables, NoiseError>),
}

/// Draws the noise that a claim has paid for.
///
/// Gives the claim back, undrawn, if the tables are not those of the claim or no scale meets its price.
pub fn perturb(claim: Reservation, exact: &ExactTables) -> Perturbed {
    match claim.accounting() {
        Accounting::Zcdp => perturb_by(&opendp::DiscreteGaussian, claim, exact),
        Accounting::Pure => perturb_by(&opendp::DiscreteLaplace, claim, exact),
    }
}

fn perturb_by(mechanism: &dyn Mechanism, claim: Reservation, exact: &ExactTables) -> Perturbed {
    let scales = match calibrate(mechanism, &claim, exact) {
        Ok(scales) => scales,
        Err(error) => return Perturbed::Undrawn(claim, error),
    };
    let accounting = claim.accounting();
    let claim = claim.draw();
    let drawn = draw_all(mechanism, exact, scales);
    Perturbed::Drawn(claim, drawn.map(|tables| NoisyTables { accounting, tables }))
}

/// Every table with noise of its own.
fn draw_all(mechanism: &dyn Mechanism, exact: &ExactTables, scales: Vec<Scale>) -> Result<Vec<NoisyTable>, NoiseError> {
    exact.0.iter().zip(scales).map(|(table, scale)| draw(mechanism, &table.dims, &table.counts, scale)).collect()
}

fn calibrate(mechanism: &dyn Mechanism, claim: &Reservation, exact: &ExactTables) -> Result<Vec<Scale>, NoiseError> {
    let paid = claim.measured();
    if paid.len() != exact.0.len() || paid.iter().zip(&exact.0).any(|(paid, table)| paid.dims != table.dims) {
        return Err(NoiseError::Mismatch);
    }
    paid.iter().map(|table| mechanism.calibrate(table)).collect()
}

fn draw(
    mechanism: &dyn Mechanism,
    dims: &[usize],
    exact: &Sensitive<Vec<i64>>,
    scale: Scale,
) -> Result<NoisyTable, NoiseError> {
    Ok(NoisyTable { dims: dims.to_vec(), values: mechanism.draw(scale, exact)?, variance: mechanism.variance(scale) })
}

/// Real noise on one table at a price, without a claim: for tests of what is decided on noisy figures.
#[cfg(test)]
pub(crate) fn noisy(
    accounting: Accounting,
    paid: &crate::policy::Measured,
    exact: Vec<i64>,
) -> Result<NoisyTable, NoiseError> {
    let mechanism: &dyn Mechanism = match accounting {
        Accounting::Zcdp => &opendp::DiscreteGaussian,
        Accounting::Pure => &opendp::DiscreteLaplace,
    };
    draw(mechanism, &paid.dims, &Sensitive::new(exact), mechanism.calibrate(paid)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Nanos;
    use crate::policy::Measured;
    use crate::tabulate::ExactTable;

    /// At a standard deviation of about 10 (7 for Laplace), two independent draws are equal with a probability below
    /// 0.08; among 6,000 cells, more than 900 equal ones are more than 20 standard errors away.
    fn equal(one: &[i64], other: &[i64]) -> usize {
        assert_eq!(one.len(), other.len());
        one.iter().zip(other).filter(|(a, b)| a == b).count()
    }

    // G5
    #[test]
    fn no_noise_is_used_twice_in_one_draw_nor_in_the_next() {
        let cells = 6_000;
        let exact = ExactTables(
            (0..2).map(|dim| ExactTable { dims: vec![dim], counts: Sensitive::new(vec![50; cells]) }).collect(),
        );
        let mechanisms: [(&dyn Mechanism, u64); 2] =
            [(&opendp::DiscreteGaussian, 5_000_000), (&opendp::DiscreteLaplace, 200_000_000)];
        for (mechanism, units) in mechanisms {
            let (quantity, units) = (crate::policy::Quantity::Persons, Nanos::from_nanos(units));
            let paid = Measured { quantity, dims: vec![0], units, l1: 1, l2_squared: 1, distinct: false };
            let scale = mechanism.calibrate(&paid).unwrap();
            let draw = || draw_all(mechanism, &exact, vec![scale; 2]).unwrap();
            let (first, again) = (draw(), draw());
            assert!(equal(&first[0].values, &first[1].values) < 900, "across tables");
            assert!(equal(&first[0].values, &again[0].values) < 900, "across draws");
            let (left, right) = first[0].values.split_at(cells / 2);
            assert!(equal(left, right) < 450, "across the parts that are drawn at once");
            let values: std::collections::BTreeSet<i64> = first[0].values.iter().copied().collect();
            assert!(values.len() > 30, "each cell has noise of its own");
        }
    }
}
