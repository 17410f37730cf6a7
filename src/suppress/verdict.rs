//! What is told of one cell.

/// What is told of one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// A figure, with its interval, its unrounded estimate and standard error.
    Shown {
        /// Rounded to the policy's base, at least 0.
        value: i64,
        /// Lower end of the 95 % interval, at least 0.
        low: i64,
        /// Upper end of the 95 % interval.
        high: i64,
        /// Unrounded.
        estimate: f64,
        /// Standard error of the estimate.
        standard_error: f64,
        /// Whether the half-width is small enough beside the figure.
        reliable: bool,
    },
    /// Nothing.
    Withheld,
    /// Declared impossible: 0, without noise.
    Structural,
}
