//! Distinct persons per cell, in constant memory: over per-row columns, and over per-person columns with many codes.
//!
//! Editions are sorted by person, so one person's cells are all that is held. Each is counted once, however many of the
//! person's rows fall into it; a person has at most `rows_max` rows, hence touches at most so many cells.

use super::layout::Edition;
use super::{Counting, TabulateError};
use crate::vault::{ORDINAL, Vault};
use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::{UInt8Type, UInt16Type, UInt32Type};
use std::collections::BTreeSet;

/// Adds an edition to these tables, all in one pass.
pub(super) fn count(vault: &Vault, edition: &Edition, tables: &mut [&mut Counting]) -> Result<(), TabulateError> {
    if tables.is_empty() {
        return Ok(());
    }
    let dims: BTreeSet<usize> = tables.iter().flat_map(|counting| counting.table.columns(edition)).collect();
    let mut columns = vec![ORDINAL];
    for dim in &dims {
        columns.push(edition.column(*dim)?);
    }
    let mut person = Person { ordinal: None, touched: tables.iter().map(|_| Vec::new()).collect() };
    for file in &edition.files {
        for batch in vault.scan(file, &columns)? {
            add(batch?.expose(), edition, &dims, tables, &mut person)?;
        }
    }
    person.settle(tables)
}

fn add(
    batch: &RecordBatch,
    edition: &Edition,
    dims: &BTreeSet<usize>,
    tables: &mut [&mut Counting],
    person: &mut Person,
) -> Result<(), TabulateError> {
    let mut cells: Vec<Vec<usize>> =
        tables.iter().map(|counting| vec![counting.table.base(edition); batch.num_rows()]).collect();
    for dim in dims {
        let codes = codes(batch, edition.column(*dim)?)?;
        for (counting, cells) in tables.iter().zip(&mut cells) {
            counting.table.advance(edition, *dim, codes.iter().copied(), cells)?;
        }
    }
    let ordinals = batch
        .column_by_name(ORDINAL)
        .and_then(|ordinals| ordinals.as_primitive_opt::<UInt32Type>())
        .ok_or(TabulateError::Corrupt)?;
    for (row, ordinal) in ordinals.values().iter().enumerate() {
        if person.ordinal != Some(*ordinal) {
            if person.ordinal > Some(*ordinal) {
                return Err(TabulateError::Corrupt);
            }
            person.settle(tables)?;
            person.ordinal = Some(*ordinal);
        }
        for (touched, cells) in person.touched.iter_mut().zip(&cells) {
            touched.push(*cells.get(row).ok_or(TabulateError::Corrupt)?);
        }
    }
    Ok(())
}

/// The person being read.
struct Person {
    ordinal: Option<u32>,
    /// By table: the cells of the person's rows.
    touched: Vec<Vec<usize>>,
}

impl Person {
    /// Counts each cell once, and forgets the person.
    fn settle(&mut self, tables: &mut [&mut Counting]) -> Result<(), TabulateError> {
        for (touched, counting) in self.touched.iter_mut().zip(tables) {
            touched.sort_unstable();
            touched.dedup();
            for cell in touched.drain(..) {
                counting.add(cell, 1)?;
            }
        }
        Ok(())
    }
}

/// The codes of a column, narrow or wide.
pub(super) fn codes(batch: &RecordBatch, column: &str) -> Result<Vec<u16>, TabulateError> {
    let array = batch.column_by_name(column).ok_or(TabulateError::Corrupt)?;
    if let Some(narrow) = array.as_primitive_opt::<UInt8Type>() {
        return Ok(narrow.values().iter().map(|code| u16::from(*code)).collect());
    }
    let wide = array.as_primitive_opt::<UInt16Type>().ok_or(TabulateError::Corrupt)?;
    Ok(wide.values().to_vec())
}
