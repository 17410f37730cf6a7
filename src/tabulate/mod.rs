//! Exact tables over the declared cells.

use crate::sensitive::Sensitive;

/// One exact table.
pub struct ExactTable {
    /// Positions in the plan's dimensions, ascending.
    pub dims: Vec<usize>,
    /// Counts, row-major over the dimensions' levels.
    pub counts: Sensitive<Vec<i64>>,
}

/// All tables of one draw, in the order of the plan.
pub struct ExactTables(pub Vec<ExactTable>);
