//! How the estimates of a draw vary, whether or not one of its dimensions was measured at several levels.
//!
//! Known before anything is drawn: quotes and releases take the same numbers from here. Over flat dimensions variances
//! are those of the estimate with impossible cells made zero; along a dimension of several levels, those of the two
//! passes.

use super::interval::half_width;
use super::zeros::Impossible;
use super::{Uncertainty, quantile95};
use crate::budget::Accounting;
use crate::design::{Measurement, Nesting, Region};

/// Variances and covariances of the estimates of one draw.
#[derive(Debug, Clone)]
pub enum Variation {
    /// Over flat dimensions.
    Flat(Box<Uncertainty>),
    /// With one dimension measured at several levels.
    Nested(Box<Measurement>),
}

impl Variation {
    /// Of a draw that measures these tables: their dimensions and the variance of the noise of a cell.
    #[must_use]
    pub fn new(
        sizes: &[usize],
        nesting: Option<Nesting>,
        measured: &[(Vec<usize>, f64)],
        impossible: &[Impossible],
    ) -> Self {
        match nesting {
            Some(nesting) => Self::Nested(Box::new(Measurement::new(sizes, Some(nesting), measured))),
            None => Self::Flat(Box::new(Uncertainty::new(sizes, measured, impossible))),
        }
    }

    /// What kinds of codes these are of a dimension: cells of the same kinds along every dimension vary alike.
    #[must_use]
    pub fn kind(&self, dim: usize, codes: &[usize]) -> Vec<(Vec<bool>, usize)> {
        match self {
            Self::Flat(uncertainty) => uncertainty.kinds(dim, codes),
            Self::Nested(all) => {
                let (count, which) = all.kind(dim, codes);
                vec![(Vec::new(), count), (Vec::new(), which)]
            }
        }
    }

    /// Variances of the estimates of these regions; `None` if the draw does not cover them.
    #[must_use]
    pub fn variances(&self, regions: &[Region]) -> Option<Vec<f64>> {
        match self {
            Self::Flat(uncertainty) => Some(uncertainty.variances(regions)?.values),
            Self::Nested(all) => regions.iter().map(|region| all.covariance(region, region)).collect(),
        }
    }

    /// Covariances of pairs of estimates, to go with [`Variation::variances`] of as many.
    #[must_use]
    pub fn between(&self, pairs: &[(Region, Region)]) -> Option<Vec<f64>> {
        match self {
            Self::Flat(uncertainty) => uncertainty.between(pairs),
            Self::Nested(all) => pairs.iter().map(|(a, b)| all.covariance(a, b)).collect(),
        }
    }

    /// Half-width of the 95 % interval of a region's estimate of this variance. Along several levels of Laplace noise:
    /// the width that no sum of Laplace draws passes, and half a person for integer steps.
    #[must_use]
    pub fn half_width(&self, accounting: Accounting, region: &Region, variance: f64) -> f64 {
        match (self, accounting) {
            (Self::Flat(uncertainty), _) => uncertainty.half_width_at(accounting, region, variance),
            (Self::Nested(_), Accounting::Zcdp) => half_width(accounting, variance, Vec::new),
            (Self::Nested(_), Accounting::Pure) => quantile95(accounting) * variance.sqrt() + 0.5,
        }
    }
}
