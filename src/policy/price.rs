//! What a question costs, and the error to expect of it, before anything is measured.
//!
//! A margin of error asked for is turned into the least amount that reaches it, rounded against the asker. A price at
//! which the answer would be noise is refused, and so is one above what a single question may cost.

use super::inadmissible::Inadmissible;
use super::plan::{Cut, Dimension, Measured, Rules, Shown};
use super::quantity::Quantity;
use super::question::Spend;
use super::regions::Cells;
use super::shape::Shape;
use super::split::Split;
use super::{Plan, Policy};
use crate::budget::{Accounting, NANOS_PER_UNIT, Nanos};
use crate::design::{Measurement, Z95, gaussian_variance, laplace_variance, price_of};

/// A standard error above so many times the floor makes an answer pointless.
const POINTLESS: f64 = 5.0;

/// Half-width of the 95 % interval of one Laplace draw, in standard deviations: `ln(20) / sqrt(2)`, rounded up. No sum
/// of several is wider.
const LAPLACE95: f64 = 2.118_4;

/// The errors to expect of the tables of one quantity, joined where it adds up.
#[derive(Debug)]
pub struct Prediction<'a> {
    dimensions: &'a [Dimension],
    cuts: &'a [Cut],
    tables: Vec<(Vec<usize>, f64)>,
    /// Everything measured, joined; `None` where tables do not add up.
    joined: Option<Measurement>,
}

impl<'a> Prediction<'a> {
    pub(super) fn new(
        dimensions: &'a [Dimension],
        cuts: &'a [Cut],
        measured: impl Iterator<Item = &'a Measured>,
        accounting: Accounting,
        additive: bool,
    ) -> Self {
        let sizes: Vec<usize> = dimensions.iter().map(|d| d.levels.len()).collect();
        let tables: Vec<(Vec<usize>, f64)> = measured.map(|m| (m.dims.clone(), variance(accounting, m))).collect();
        let nesting = || super::regions::nesting(dimensions, tables.iter().map(|(dims, _)| dims));
        let joined = additive.then(|| Measurement::new(&sizes, nesting(), &tables));
        Self { dimensions, cuts, tables, joined }
    }

    /// Variance to expect of the worst cell of a shown table, cut included; infinite if the draw does not cover it.
    #[must_use]
    pub fn variance(&self, shown: &Shown) -> f64 {
        let worst = |cells: &Cells, all: &Measurement| {
            let (kinds, _) = cells.alike(|dim, codes| all.kind(dim, codes), |region| all.covariance(region, region))?;
            kinds.into_iter().reduce(f64::max)
        };
        let alone = || {
            let tables: Vec<&Vec<usize>> = self.tables.iter().map(|(dims, _)| dims).collect();
            let cells = Cells::alone(self.dimensions, self.cuts, &shown.dims, &tables)?;
            let own = self.tables.iter().find(|(dims, _)| *dims == cells.source())?;
            let sizes: Vec<usize> = self.dimensions.iter().map(|d| d.levels.len()).collect();
            worst(&cells, &Measurement::new(&sizes, None, std::slice::from_ref(own)))
        };
        let joined = |all| worst(&Cells::new(self.dimensions, self.cuts, &shown.dims), all);
        self.joined.as_ref().map_or_else(alone, joined).unwrap_or(f64::INFINITY)
    }
}

/// Variance of a cell of one measured table.
pub(super) fn variance(accounting: Accounting, measured: &Measured) -> f64 {
    match accounting {
        Accounting::Zcdp => gaussian_variance(measured.units, measured.l2_squared),
        Accounting::Pure => laplace_variance(measured.units, measured.l1),
    }
}

impl Plan {
    /// Half-width of the 95 % interval of persons to expect in the worst cell of the tables asked for: what a margin of
    /// error asked for bounds.
    #[must_use]
    pub fn half_width(&self) -> f64 {
        self.shown.iter().take(self.asked).map(|shown| self.half_width_in(shown)).fold(0.0, f64::max)
    }

    /// The same in the worst cell of one shown table.
    pub(super) fn half_width_in(&self, shown: &Shown) -> f64 {
        quantile(self.accounting) * self.predicted_variance(shown).sqrt()
    }
}

impl Policy {
    /// The widest margin of error that any question may ask for: beyond it an answer is noise.
    #[must_use]
    pub fn moe_max(&self) -> f64 {
        POINTLESS * f64::from(self.cells.threshold) * quantile(self.budget.accounting)
    }
}

fn quantile(accounting: Accounting) -> f64 {
    match accounting {
        Accounting::Zcdp => Z95,
        Accounting::Pure => LAPLACE95,
    }
}

/// What the price of a question depends on.
pub(super) struct Pricing<'a> {
    pub(super) shape: &'a Shape,
    pub(super) split: &'a Split,
    pub(super) rules: &'a Rules,
    pub(super) accounting: Accounting,
    pub(super) most: Nanos,
}

impl Pricing<'_> {
    /// The measured tables at the price that the question asks for.
    pub(super) fn resolve(&self, spend: &Spend) -> Result<Vec<Measured>, Inadmissible> {
        let over = Inadmissible::SpendOverMaximum { most: self.most };
        let cost = match spend {
            Spend::Rho(amount) | Spend::Epsilon(amount) => *amount,
            Spend::Moe(half_width) => {
                self.reaching(half_width / quantile(self.accounting)).ok_or_else(|| over.clone())?
            }
        };
        let error_max = POINTLESS * f64::from(self.rules.threshold);
        let measured = self.split.at(cost);
        let Some(measured) = measured.filter(|m| self.worst(m).is_some_and(|error| error <= error_max)) else {
            let needed = self.reaching(error_max).ok_or(over)?;
            return Err(Inadmissible::SpendPointless { needed });
        };
        if cost > self.most { Err(over) } else { Ok(measured) }
    }

    /// The worst standard error of persons over the cells of the tables asked for.
    fn worst(&self, measured: &[Measured]) -> Option<f64> {
        let shape = self.shape;
        let persons = measured.iter().filter(|measured| measured.quantity == Quantity::Persons);
        let prediction = Prediction::new(&shape.dimensions, &shape.cuts, persons, self.accounting, shape.additive);
        let asked = shape.shown.iter().take(shape.asked);
        asked.map(|shown| prediction.variance(shown).sqrt()).reduce(f64::max).filter(|e| e.is_finite())
    }

    /// The least price at which no asked cell has a larger standard error. In zCDP variance goes with `1 / rho`, in
    /// pure differential privacy with `1 / epsilon^2`; what integers cut off is made good nano by nano.
    fn reaching(&self, error: f64) -> Option<Nanos> {
        let tables = u64::try_from(self.split.tables()).ok()?;
        let one_unit = self.worst(&self.split.at(Nanos::from_nanos(NANOS_PER_UNIT))?)?;
        let mut cost = price_of(self.accounting, one_unit, error)?.max(Nanos::from_nanos(tables));
        for _ in 0..STEPS_MAX {
            let reached = self.split.at(cost).and_then(|m| self.worst(&m));
            if reached.is_some_and(|reached| reached <= error) {
                return Some(cost);
            }
            let step = tables.max(cost.as_nanos() / 1_000_000_000);
            cost = cost.checked_add(Nanos::from_nanos(step))?;
        }
        None
    }
}

/// The most steps by which a price is raised past what the closed form gives.
const STEPS_MAX: usize = 64;
