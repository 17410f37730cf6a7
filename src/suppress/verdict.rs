//! What becomes of one cell.

/// What becomes of one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its figures are told.
    Shown,
    /// Nothing is told.
    Withheld,
    /// Declared impossible: 0, without noise.
    Structural,
}
