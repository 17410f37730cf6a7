//! Where figures go: the cells of each table, and how the codes of an edition fall into the plan's levels.
//!
//! # Guarantee
//! G3: all of it follows from the plan and from the code lists an edition was closed with; no row has been read.

use super::{TabulateError, corrupt};
use crate::ledger::{EditionRow, FileEntry};
use crate::policy::{Dimension, Numbers, PERIOD, Plan, Quantity};
use crate::submission::Content;
use crate::vault::{EditionCoding, column_name};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Cells of code lists that the engine counts in one pass at most.
const PASS_CELLS: usize = 1 << 18;
/// Cells of code lists that are added up place by place at most: they stay in the cache of one core. The engine takes
/// memory for the combinations that occur alone, and so is the better one beyond.
const GRID_CELLS: usize = 1 << 14;

/// One measured table.
pub(super) struct Table {
    /// Positions in `Plan::dimensions`.
    pub(super) dims: Vec<usize>,
    /// By entry of `dims`: how far one level moves the cell.
    strides: Vec<usize>,
    /// How many cells there are.
    pub(super) cells: usize,
    /// What is added up in them.
    pub(super) quantity: Quantity,
    /// Whether persons are counted once per cell over their rows.
    pub(super) distinct: bool,
}

impl Table {
    /// Figures of all cells: those of one cell stand side by side.
    pub(super) fn figures(&self) -> Result<usize, TabulateError> {
        self.cells.checked_mul(self.quantity.width()).ok_or(TabulateError::TooLarge)
    }

    /// The cell before any column is looked at: the period's share of it.
    pub(super) fn base(&self, edition: &Edition) -> usize {
        self.axes(edition)
            .map(|(axis, stride)| match axis {
                Axis::Fixed { level } => level * stride,
                Axis::Column { .. } => 0,
            })
            .sum()
    }

    /// Moves cells along one dimension, row by row, if the table has it.
    pub(super) fn advance(
        &self,
        edition: &Edition,
        dim: usize,
        codes: impl Iterator<Item = u16>,
        cells: &mut [usize],
    ) -> Result<(), TabulateError> {
        let Some(place) = self.dims.iter().position(|d| *d == dim) else { return Ok(()) };
        let stride = self.strides.get(place).copied().unwrap_or_default();
        let Some(Axis::Column { levels, .. }) = edition.axes.get(dim) else { return Ok(()) };
        let steps: Vec<usize> = levels.iter().map(|level| level * stride).collect();
        for (cell, code) in cells.iter_mut().zip(codes) {
            *cell += steps.get(usize::from(code)).ok_or_else(corrupt)?;
        }
        Ok(())
    }

    /// The dimensions of the table whose levels are read from a column.
    pub(super) fn columns<'a>(&'a self, edition: &'a Edition) -> impl Iterator<Item = usize> + 'a {
        self.dims.iter().copied().filter(|dim| matches!(edition.axes.get(*dim), Some(Axis::Column { .. })))
    }

    /// The columns its cells are told by, each with how far its codes move the cell.
    pub(super) fn steps<'e>(&self, edition: &'e Edition) -> impl Iterator<Item = (&'e str, Vec<usize>)> {
        self.axes(edition).filter_map(|(axis, stride)| match axis {
            Axis::Column { name, levels, .. } => {
                Some((name.as_str(), levels.iter().map(|level| level * stride).collect()))
            }
            Axis::Fixed { .. } => None,
        })
    }

    /// Each dimension as the edition has it, with its stride.
    fn axes<'e>(&self, edition: &'e Edition) -> impl Iterator<Item = (&'e Axis, usize)> {
        self.dims.iter().zip(&self.strides).filter_map(|(dim, stride)| Some((edition.axes.get(*dim)?, *stride)))
    }
}

/// One edition, laid over the plan's dimensions.
pub(super) struct Edition {
    /// The period, for messages.
    pub(super) period: String,
    /// Its segments.
    pub(super) files: Vec<FileEntry>,
    /// How it is written.
    pub(super) coding: EditionCoding,
    /// By dimension of the plan.
    pub(super) axes: Vec<Axis>,
}

/// One dimension of the plan in one edition.
pub(super) enum Axis {
    /// The period: the same level for every row.
    Fixed {
        /// The level.
        level: usize,
    },
    /// A column.
    Column {
        /// Its name in the segments.
        name: String,
        /// By code: the level.
        levels: Vec<usize>,
        /// Whether a person's rows may differ in it.
        per_row: bool,
    },
}

impl Edition {
    /// The name in the segments of a column of numbers, if the edition has it as the plan takes it.
    pub(super) fn numbers(&self, numbers: &Numbers) -> Result<String, TabulateError> {
        let (period, column) = (self.period.clone(), numbers.column.clone());
        let found = self.coding.columns.iter().enumerate().find(|(_, c)| c.name == numbers.column);
        let Some((place, found)) = found else { return Err(TabulateError::ColumnMissing { period, column }) };
        let same = found.content == Content::Numbers { scale: numbers.scale } && found.per_row == numbers.per_row;
        if same { Ok(column_name(place)) } else { Err(TabulateError::NumbersChanged { period, column }) }
    }

    /// The bounds to which a column of numbers was clamped.
    pub(super) fn bounds(&self, numbers: &Numbers) -> Option<(i64, i64)> {
        self.coding.columns.iter().find(|c| c.name == numbers.column)?.bounds
    }

    /// The name in the segments of a dimension's column.
    pub(super) fn column(&self, dim: usize) -> Result<&str, TabulateError> {
        self.codes(dim).map(|(name, _)| name)
    }

    /// The same, and how many codes its list has.
    pub(super) fn codes(&self, dim: usize) -> Result<(&str, usize), TabulateError> {
        match self.axes.get(dim) {
            Some(Axis::Column { name, levels, .. }) => Ok((name, levels.len())),
            Some(Axis::Fixed { .. }) | None => Err(TabulateError::Engine),
        }
    }
}

/// The cells of the plan's tables.
pub(super) fn tables(plan: &Plan) -> Result<Vec<Table>, TabulateError> {
    let table = |measured: &crate::policy::Measured| {
        let mut strides = Vec::with_capacity(measured.dims.len());
        let mut cells = 1_usize;
        for dim in measured.dims.iter().rev() {
            strides.push(cells);
            let levels = plan.dimensions.get(*dim).ok_or(TabulateError::Engine)?.levels.len();
            cells = cells.checked_mul(levels).ok_or(TabulateError::TooLarge)?;
        }
        strides.reverse();
        let (dims, quantity) = (measured.dims.clone(), measured.quantity.clone());
        Ok(Table { dims, strides, cells, quantity, distinct: measured.distinct })
    };
    plan.measured.iter().map(table).collect()
}

/// The editions of the plan, and no others, in its order.
pub(super) fn editions(plan: &Plan, rows: &[EditionRow]) -> Result<Vec<Edition>, TabulateError> {
    let same = rows.len() == plan.editions.len()
        && rows.iter().zip(&plan.editions).all(|(row, edition)| row.edition == *edition && row.dataset == plan.dataset);
    if !same {
        return Err(TabulateError::Editions);
    }
    let edition = |row: &EditionRow| {
        let coding = EditionCoding::parse(&row.coding)?;
        let period = row.edition.period.to_string();
        let axes =
            plan.dimensions.iter().map(|dimension| axis(dimension, &coding, &period)).collect::<Result<_, _>>()?;
        let edition = Edition { period, files: row.files.clone(), coding, axes };
        for numbers in plan.measured.iter().filter_map(|measured| measured.quantity.numbers()) {
            edition.numbers(numbers)?;
        }
        Ok(edition)
    };
    rows.iter().map(edition).collect()
}

fn axis(dimension: &Dimension, coding: &EditionCoding, period: &str) -> Result<Axis, TabulateError> {
    let column = dimension.column.clone();
    let changed = || TabulateError::CodesChanged { period: period.to_owned(), column: column.clone() };
    if dimension.name == PERIOD {
        return Ok(Axis::Fixed { level: level_of(dimension, period).ok_or_else(changed)? });
    }
    let missing = || TabulateError::ColumnMissing { period: period.to_owned(), column: column.clone() };
    let (place, found) =
        coding.columns.iter().enumerate().find(|(_, c)| c.name == dimension.column).ok_or_else(missing)?;
    let Content::Codes { codes } = &found.content else { return Err(missing()) };
    let levels = codes.iter().map(|code| level_of(dimension, code).ok_or_else(changed)).collect::<Result<_, _>>()?;
    Ok(Axis::Column { name: column_name(place), levels, per_row: found.per_row })
}

/// The one level a code belongs to.
fn level_of(dimension: &Dimension, code: &str) -> Option<usize> {
    let mut found =
        dimension.levels.iter().enumerate().filter(|(_, level)| level.members.iter().any(|member| member == code));
    let (level, _) = found.next()?;
    found.next().is_none().then_some(level)
}

/// Whether more combinations of codes may occur in a table than one pass may hold, whatever the plan makes of them.
pub(super) fn too_fine(edition: &Edition, table: &Table) -> bool {
    combinations(edition, &table.columns(edition).collect()) > PASS_CELLS
}

/// Whether all combinations of codes of these columns, or of this table, have a place of their own in a grid.
pub(super) fn fits_grid(edition: &Edition, columns: impl IntoIterator<Item = usize>) -> bool {
    combinations(edition, &columns.into_iter().collect()) <= GRID_CELLS
}

/// Combinations of the codes that an edition was closed with.
fn combinations(edition: &Edition, columns: &BTreeSet<usize>) -> usize {
    // Several levels of one column vary together.
    let codes = |dim: &usize| match edition.axes.get(*dim) {
        Some(Axis::Column { name, levels, .. }) => Some((name, levels.len())),
        Some(Axis::Fixed { .. }) | None => None,
    };
    let distinct: BTreeMap<&String, usize> = columns.iter().filter_map(codes).collect();
    distinct.into_values().fold(1_usize, usize::saturating_mul)
}

/// Tables counted together, from the finest counts over all their columns.
pub(super) struct Pass {
    /// Dimensions whose columns are grouped by.
    pub(super) columns: Vec<usize>,
    /// Which of the tables.
    pub(super) tables: Range<usize>,
}

/// Passes of the engine.
pub(super) fn passes<'a>(edition: &Edition, tables: impl Iterator<Item = &'a Table>) -> Vec<Pass> {
    joined(edition, tables, PASS_CELLS)
}

/// Passes over grids. A table that fits none has one of its own.
pub(super) fn grids<'a>(edition: &Edition, tables: impl Iterator<Item = &'a Table>) -> Vec<Pass> {
    joined(edition, tables, GRID_CELLS)
}

/// Joins neighbouring tables as long as their common finest table stays small.
fn joined<'a>(edition: &Edition, tables: impl Iterator<Item = &'a Table>, cells_max: usize) -> Vec<Pass> {
    let mut passes: Vec<(BTreeSet<usize>, Range<usize>)> = Vec::new();
    for (place, table) in tables.enumerate() {
        let own: BTreeSet<usize> = table.columns(edition).collect();
        match passes.last_mut() {
            Some((columns, range)) if combinations(edition, &(&*columns | &own)) <= cells_max => {
                columns.extend(own);
                range.end = place + 1;
            }
            Some(_) | None => passes.push((own, place..place + 1)),
        }
    }
    passes.into_iter().map(|(columns, tables)| Pass { columns: columns.into_iter().collect(), tables }).collect()
}
