//! Exact tables over the declared cells.
