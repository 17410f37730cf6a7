//! Notion D: two tables of whole numbers agree with what is published and differ in the cell.
//!
//! Proved by exhibiting them. The true table is one of the two; the other is it plus a whole multiple of a move, or of
//! a few moves together. Rounding the ends of an interval inwards proves nothing: there may be no whole table between.

use halflight::suppress::{Inspection, Pattern, Row, Sum};
use std::collections::BTreeMap;

/// Moves tried together, each once or twice, both ways.
const TOGETHER_MAX: usize = 5;

/// Whether every protected cell has another value in some whole table.
pub(crate) fn inspect(counts: &[i64], pattern: &Pattern, protected: &[usize]) -> Inspection {
    let moves: Vec<Row> =
        pattern.moves.rows().map(|row| row.iter().copied().filter(|entry| entry.0 < counts.len()).collect()).collect();
    let mut sums = Vec::new();
    for &cell in protected {
        if !has_two_values(counts, &moves, cell) {
            match together_with_another(&moves, cell) {
                Some(sum) => sums.push(sum),
                None => return Inspection::Stuck,
            }
        }
    }
    if sums.is_empty() { Inspection::Safe } else { Inspection::Widen(sums, Vec::new()) }
}

fn touches(row: &Row, cell: usize) -> bool {
    row.iter().any(|entry| entry.0 == cell)
}

/// A second whole table that differs in this cell: the change of every cell, if one was found.
pub(crate) fn has_two_values(counts: &[i64], moves: &[Row], cell: usize) -> bool {
    let mut near: Vec<&Row> = moves.iter().filter(|row| touches(row, cell)).collect();
    near.sort_by_key(|row| row.len());
    let own = near.len();
    let beside: Vec<&Row> = moves
        .iter()
        .filter(|row| !touches(row, cell) && near[..own].iter().any(|n| n.iter().any(|e| touches(row, e.0))))
        .collect();
    near.extend(beside);
    near.truncate(TOGETHER_MAX);
    tried(counts, &near, &mut BTreeMap::new(), cell)
}

fn tried(counts: &[i64], moves: &[&Row], change: &mut BTreeMap<usize, i64>, cell: usize) -> bool {
    let Some((first, rest)) = moves.split_first() else {
        return change.get(&cell).is_some_and(|&by| by != 0) && change.iter().all(|(&c, by)| counts[c] + by >= 0);
    };
    [0, 1, -1, 2, -2].into_iter().any(|times| {
        let mut further = change.clone();
        first.iter().for_each(|&(c, value)| *further.entry(c).or_insert(0) += times * value);
        tried(counts, rest, &mut further, cell)
    })
}

/// The cell and the next one of its shortest move, so that they do not only mirror each other.
fn together_with_another(moves: &[Row], cell: usize) -> Option<Sum> {
    let row = moves.iter().filter(|row| touches(row, cell)).min_by_key(|row| row.len())?;
    let own = row.iter().find(|entry| entry.0 == cell)?.1;
    let other = row.iter().find(|entry| entry.0 != cell)?;
    let mut sum = vec![(cell, other.1), (other.0, -own)];
    sum.sort_unstable();
    Some(sum)
}
