//! Distinct persons per cell, in constant memory: over per-row columns, and over per-person columns with many codes.
//!
//! Editions are sorted by person, so one person's cells are all that a thread holds. Each is counted once, however
//! many of the person's rows fall into it; a person has at most `rows_max` rows, hence touches at most so many
//! cells.

use super::layout::{Edition, Table};
use super::{Counting, THREADS, TabulateError, corrupt};
use crate::vault::{ORDINAL, Vault, Verified};
use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::{UInt8Type, UInt16Type, UInt32Type};
use std::collections::BTreeSet;

/// Rows of one person up to which each is compared with those before it.
const LOOKED_BACK: usize = 16;

/// Adds an edition, which lies in these files, to these tables, all in one pass.
///
/// No person is cut by the end of a segment, so threads share the segments out; a person in two of them would be
/// counted twice, so that is checked.
pub(super) fn count(
    vault: &Vault,
    edition: &Edition,
    files: &[Verified],
    tables: &mut [&mut Counting],
) -> Result<(), TabulateError> {
    if tables.is_empty() {
        return Ok(());
    }
    let dims: BTreeSet<usize> = tables.iter().flat_map(|counting| counting.table.columns(edition)).collect();
    let columns: Vec<&str> =
        std::iter::once(Ok(ORDINAL)).chain(dims.iter().map(|dim| edition.column(*dim))).collect::<Result<_, _>>()?;
    let layouts: Vec<&Table> = tables.iter().map(|counting| &counting.table).collect();
    let share = |first: usize| {
        let mut share = Share::new(edition, &layouts);
        for (place, file) in files.iter().enumerate().skip(first).step_by(THREADS) {
            for batch in vault.scan(file, &columns)? {
                share.add(batch?.expose(), &dims)?;
            }
            share.end(place)?;
        }
        Ok((share.counts, share.spans))
    };
    let share = &share;
    let counted: Vec<Result<_, TabulateError>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..THREADS).map(|first| scope.spawn(move || share(first))).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or(Err(TabulateError::Engine))).collect()
    });
    let mut spans = Vec::with_capacity(files.len());
    for counted in counted {
        let (counts, of_share) = counted?;
        spans.extend(of_share);
        for (counting, counts) in tables.iter_mut().zip(counts) {
            counts.into_iter().enumerate().try_for_each(|(cell, count)| counting.add(cell, count))?;
        }
    }
    spans.sort_unstable();
    let whole = spans.is_sorted_by(|(_, _, last), (_, first, _)| last < first);
    if whole { Ok(()) } else { Err(TabulateError::Corrupt) }
}

/// The place of a segment, and the ordinals of its first and last person.
type Span = (usize, u32, u32);

/// What one thread counts: some whole segments, in order.
struct Share<'a> {
    edition: &'a Edition,
    tables: &'a [&'a Table],
    /// By table and cell.
    counts: Vec<Vec<i64>>,
    /// The segments read to their end.
    spans: Vec<Span>,
    /// In the segment being read: its first person, and the person being read.
    persons: Option<(u32, u32)>,
    /// By table: the cells of the person's rows.
    touched: Vec<Vec<usize>>,
}

impl<'a> Share<'a> {
    fn new(edition: &'a Edition, tables: &'a [&'a Table]) -> Self {
        Self {
            edition,
            tables,
            counts: tables.iter().map(|table| vec![0; table.cells]).collect(),
            spans: Vec::new(),
            persons: None,
            touched: vec![Vec::new(); tables.len()],
        }
    }

    fn add(&mut self, batch: &RecordBatch, dims: &BTreeSet<usize>) -> Result<(), TabulateError> {
        let mut cells: Vec<Vec<usize>> =
            self.tables.iter().map(|table| vec![table.base(self.edition); batch.num_rows()]).collect();
        for dim in dims {
            let codes = codes(batch, self.edition.column(*dim)?)?;
            for (table, cells) in self.tables.iter().zip(&mut cells) {
                table.advance(self.edition, *dim, codes.iter().copied(), cells)?;
            }
        }
        let ordinals = batch
            .column_by_name(ORDINAL)
            .and_then(|ordinals| ordinals.as_primitive_opt::<UInt32Type>())
            .ok_or_else(corrupt)?;
        let mut read = 0;
        for person in ordinals.values().chunk_by(|a, b| a == b) {
            let rows = read..read + person.len();
            read = rows.end;
            let ordinal = *person.first().ok_or_else(corrupt)?;
            let goes_on = match self.persons {
                Some((_, last)) if last == ordinal => true,
                Some((_, last)) if last > ordinal => return Err(TabulateError::Corrupt),
                Some((first, _)) => {
                    self.settle()?;
                    self.persons = Some((first, ordinal));
                    false
                }
                None => {
                    self.persons = Some((ordinal, ordinal));
                    false
                }
            };
            // A person at the edge of a batch may have rows in the one before or behind it.
            let whole = !goes_on && read < batch.num_rows();
            for ((touched, counts), cells) in self.touched.iter_mut().zip(&mut self.counts).zip(&cells) {
                let cells = cells.get(rows.clone()).ok_or_else(corrupt)?;
                if whole {
                    count_once(cells, counts)?;
                } else {
                    touched.extend_from_slice(cells);
                }
            }
        }
        Ok(())
    }

    /// Ends a segment, and with it its last person.
    fn end(&mut self, place: usize) -> Result<(), TabulateError> {
        self.settle()?;
        self.spans.extend(self.persons.take().map(|(first, last)| (place, first, last)));
        Ok(())
    }

    /// Counts each cell of the person once, and forgets the rows.
    fn settle(&mut self) -> Result<(), TabulateError> {
        for (touched, counts) in self.touched.iter_mut().zip(&mut self.counts) {
            count_once(touched, counts)?;
            touched.clear();
        }
        Ok(())
    }
}

/// Counts each cell of one person once. Most persons have few rows: looking back over them is quicker than sorting.
fn count_once(cells: &[usize], counts: &mut [i64]) -> Result<(), TabulateError> {
    if cells.len() > LOOKED_BACK {
        let distinct: BTreeSet<usize> = cells.iter().copied().collect();
        return distinct.into_iter().try_for_each(|cell| count_one(cell, counts));
    }
    for (place, cell) in cells.iter().enumerate() {
        if !cells.iter().take(place).any(|before| before == cell) {
            count_one(*cell, counts)?;
        }
    }
    Ok(())
}

fn count_one(cell: usize, counts: &mut [i64]) -> Result<(), TabulateError> {
    // No sum can pass the number of rows.
    *counts.get_mut(cell).ok_or_else(corrupt)? += 1;
    Ok(())
}

/// The codes of a column, narrow or wide.
fn codes(batch: &RecordBatch, column: &str) -> Result<Vec<u16>, TabulateError> {
    let array = batch.column_by_name(column).ok_or(TabulateError::Corrupt)?;
    if let Some(narrow) = array.as_primitive_opt::<UInt8Type>() {
        return Ok(narrow.values().iter().map(|code| u16::from(*code)).collect());
    }
    let wide = array.as_primitive_opt::<UInt16Type>().ok_or(TabulateError::Corrupt)?;
    Ok(wide.values().to_vec())
}
