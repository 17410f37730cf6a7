//! The seam between a claim and a noise generator.
//!
//! Sealed: outside this folder nothing can pose as a mechanism, and the scripted one exists only in this crate's tests.

use super::NoiseError;
use crate::policy::Measured;
use crate::sensitive::Sensitive;

/// A noise scale that OpenDP's privacy map has agreed to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale(pub(super) f64);

mod sealed {
    /// Keeps [`super::Mechanism`] inside `noise`.
    pub trait Sealed {}
    impl Sealed for super::super::opendp::DiscreteGaussian {}
    impl Sealed for super::super::opendp::DiscreteLaplace {}
}

/// A way to draw integer noise.
pub trait Mechanism: sealed::Sealed {
    /// The smallest scale at which the price of this table is, by the privacy map, at most its units.
    ///
    /// # Errors
    /// [`NoiseError::Uncalibrated`] if there is none.
    fn calibrate(&self, table: &Measured) -> Result<Scale, NoiseError>;

    /// The exact counts with independent noise of that scale.
    ///
    /// # Errors
    /// [`NoiseError::Generator`] if randomness cannot be had.
    fn draw(&self, scale: Scale, exact: &Sensitive<Vec<i64>>) -> Result<Vec<i64>, NoiseError>;

    /// Variance of that noise.
    fn variance(&self, scale: Scale) -> f64;
}
