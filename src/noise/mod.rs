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
    let drawn: Result<Vec<NoisyTable>, NoiseError> =
        exact.0.iter().zip(scales).map(|(table, scale)| draw(mechanism, &table.dims, &table.counts, scale)).collect();
    Perturbed::Drawn(claim, drawn.map(|tables| NoisyTables { accounting, tables }))
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
