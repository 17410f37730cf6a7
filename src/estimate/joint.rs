//! Several figures of one estimate, with their covariances: what every derived figure starts from.
//!
//! A share, a difference or a quantile is not as uncertain as its parts taken alone: they come from one estimate and
//! vary together. Derived figures therefore take weights on a [`Joint`], never two standard errors.

use crate::budget::Accounting;
use crate::design::Z95;

/// Estimates and their covariances; the covariances do not depend on data and serve all cells of a table alike.
#[derive(Debug, Clone, Copy)]
pub struct Joint<'a> {
    /// The unrounded estimates.
    pub values: &'a [f64],
    /// `covariance[i][j]` of estimates `i` and `j`: square, symmetric.
    pub covariance: &'a [Vec<f64>],
}

impl Joint<'_> {
    /// The weighted sum of the estimates.
    #[must_use]
    pub fn value(&self, weights: &[f64]) -> f64 {
        weights.iter().zip(self.values).map(|(weight, value)| weight * value).sum()
    }

    /// Covariance of two weighted sums; the variance of one if they are the same.
    #[must_use]
    pub fn covariance(&self, first: &[f64], second: &[f64]) -> f64 {
        let row = |row: &Vec<f64>| row.iter().zip(second).map(|(covariance, weight)| covariance * weight).sum::<f64>();
        first.iter().zip(self.covariance).filter(|(weight, _)| **weight != 0.0).map(|(w, r)| w * row(r)).sum()
    }
}

/// Half-width of a 95 % interval of one standard error, for figures whose exact distribution is not inverted.
///
/// Gaussian noise: exact. Laplace noise: that of a single draw, `ln(20) / sqrt(2)`, which no sum of several passes; so
/// these intervals cover at least 95 % but for the steps of integer noise, which count at scales below about three.
#[must_use]
pub fn quantile95(accounting: Accounting) -> f64 {
    match accounting {
        Accounting::Zcdp => Z95,
        Accounting::Pure => LAPLACE95,
    }
}

/// `ln(20) / sqrt(2)`, rounded up.
const LAPLACE95: f64 = 2.118_4;
