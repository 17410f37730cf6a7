//! What may still change while every published figure stays: a basis of moves, kept by exact elimination.
//!
//! A move is a whole-number vector over the cells. Publishing a cell takes one move out of the basis and frees the
//! others of that cell. A cell is known when no move is left that touches it.
//!
//! # Guarantee
//! Notion A: a cell of which [`Moves::known`] is false is in no linear combination of published ones. Arithmetic is
//! exact; a number too large stops the search ([`Moves::overflowed`]) instead of being rounded.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::lattice::Row;
use super::prime::{difference, inverse, product, residue, scatter, sum};
use std::collections::BTreeMap;

/// A basis of the moves that leave all published cells as they are.
#[derive(Debug, Clone)]
pub struct Moves {
    rows: Vec<Row>,
    /// The factor of each row in the fingerprints.
    factors: Vec<u64>,
    /// Per cell the rows that may touch it: too many rather than too few.
    touching: Vec<Vec<usize>>,
    /// Per cell the sum of its coefficients times the factors: one random move, modulo the prime.
    prints: Vec<u64>,
    overflowed: bool,
    /// Coefficients looked at.
    work: u64,
}

impl Moves {
    /// Nothing is published yet.
    #[must_use]
    pub fn new(cells: usize, rows: Vec<Row>) -> Self {
        let factors: Vec<u64> = (0..).map(scatter).take(rows.len()).collect();
        let mut touching = vec![Vec::new(); cells];
        let mut prints = vec![0; cells];
        for (number, row) in rows.iter().enumerate() {
            for &(cell, value) in row {
                touching[cell].push(number);
                prints[cell] = sum(prints[cell], product(factors[number], residue(value)));
            }
        }
        Self { rows, factors, touching, prints, overflowed: false, work: 0 }
    }

    /// The moves that are left.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.is_empty())
    }

    /// Whether what is published gives this cell away.
    #[must_use]
    pub fn known(&self, cell: usize) -> bool {
        self.prints[cell] == 0
    }

    /// The same by looking at every move that may touch the cell, never by accident.
    #[must_use]
    pub fn untouched(&self, cell: usize) -> bool {
        !self.overflowed && self.touching[cell].iter().all(|&row| coefficient(&self.rows[row], cell) == 0)
    }

    /// Whether a coefficient passed 64 bits: nothing that follows from these moves may be believed.
    #[must_use]
    pub fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// The work of all that was published, in coefficients looked at.
    #[must_use]
    pub fn work(&self) -> u64 {
        self.work
    }

    /// Counts the work of what is published from here.
    pub(super) fn count_anew(&mut self) {
        self.work = 0;
    }

    /// Whether publishing this cell would give away one that is to be kept.
    pub fn reveals(&mut self, cell: usize, kept: impl Fn(usize) -> bool) -> bool {
        let Some((_, row, coefficient)) = self.pivot(cell) else { return false };
        let ratio = product(self.prints[cell], inverse(residue(coefficient)));
        let gone = |&&(other, value): &&(usize, i64)| {
            other != cell && kept(other) && self.prints[other] == product(ratio, residue(value))
        };
        self.rows[row].iter().any(|entry| gone(&entry))
    }

    /// Publishes a cell. Gives the move that was given up for it, scaled by nothing: the cell's coefficient is in it.
    pub fn publish(&mut self, cell: usize) -> Row {
        let Some((rows, pivot, coefficient)) = self.pivot(cell) else { return Row::new() };
        let given_up = std::mem::take(&mut self.rows[pivot]);
        let ratio = product(self.prints[cell], inverse(residue(coefficient)));
        for &(other, value) in &given_up {
            self.prints[other] = difference(self.prints[other], product(ratio, residue(value)));
        }
        for row in rows.into_iter().filter(|&row| row != pivot) {
            self.eliminate(row, cell, &given_up, coefficient);
        }
        self.touching[cell].clear();
        given_up
    }

    /// These cells in the order in which publishing them costs least: what is left over does not depend on it, only how
    /// it is written.
    #[must_use]
    pub fn cheapest_first(&self, mut cells: Vec<usize>) -> Vec<usize> {
        cells.sort_by_key(|&cell| (self.touching[cell].len(), cell));
        cells
    }

    /// Publishes cells, in whatever order.
    pub fn publish_all(&mut self, cells: Vec<usize>) {
        for cell in self.cheapest_first(cells) {
            self.publish(cell);
        }
    }

    /// The rows that touch a cell, the shortest of them, and its coefficient there. The prints cannot be used before
    /// those rows are known to be current.
    fn pivot(&mut self, cell: usize) -> Option<(Vec<usize>, usize, i64)> {
        let mut rows = std::mem::take(&mut self.touching[cell]);
        rows.sort_unstable();
        rows.dedup();
        self.work = self.work.saturating_add(u64::try_from(rows.len()).unwrap_or(u64::MAX));
        rows.retain(|&row| coefficient(&self.rows[row], cell) != 0);
        self.touching[cell].clone_from(&rows);
        let &shortest = rows.iter().min_by_key(|&&row| (self.rows[row].len(), row))?;
        let value = coefficient(&self.rows[shortest], cell);
        Some((rows, shortest, value))
    }

    /// `row = (a row - b pivot) / content`, with a > 0, so that the cell is gone from it.
    fn eliminate(&mut self, number: usize, cell: usize, pivot: &Row, coefficient_there: i64) {
        let row = std::mem::take(&mut self.rows[number]);
        let here = coefficient(&row, cell);
        let common = divisor(coefficient_there, here);
        let sign = coefficient_there.signum();
        let (a, b) = (sign * (coefficient_there / common), sign * (here / common));
        let mut result = Row::with_capacity(row.len() + pivot.len());
        self.work = self.work.saturating_add(u64::try_from(row.len() + pivot.len()).unwrap_or(u64::MAX));
        let (mut mine, mut theirs) = (row.iter().peekable(), pivot.iter().peekable());
        loop {
            let (x, y) = (mine.peek().map(|e| e.0), theirs.peek().map(|e| e.0));
            let at = match (x, y) {
                (Some(x), Some(y)) => x.min(y),
                (Some(at), None) | (None, Some(at)) => at,
                (None, None) => break,
            };
            let own = mine.next_if(|e| e.0 == at).map_or(0, |e| e.1);
            let other = theirs.next_if(|e| e.0 == at).map_or(0, |e| e.1);
            if own == 0 {
                self.touching[at].push(number);
            }
            let value = a.checked_mul(own).zip(b.checked_mul(other)).and_then(|(own, other)| own.checked_sub(other));
            self.overflowed |= value.is_none();
            let value = value.unwrap_or(0);
            if value != 0 {
                result.push((at, value));
            }
        }
        if a != 1 {
            let content = result.iter().fold(0, |content, &(_, value)| divisor(content, value)).max(1);
            for entry in &mut result {
                entry.1 /= content;
            }
            let scale = product(inverse(residue(a)), residue(content));
            self.factors[number] = product(self.factors[number], scale);
        }
        self.rows[number] = result;
    }

    /// For each of these cells the shortest move that touches it.
    #[must_use]
    pub fn touching(&self, cells: impl Iterator<Item = usize>) -> BTreeMap<usize, &[(usize, i64)]> {
        cells
            .filter_map(|cell| {
                let rows = self.touching[cell].iter().map(|&row| &self.rows[row]);
                let shortest = rows.filter(|row| coefficient(row, cell) != 0).min_by_key(|row| row.len())?;
                Some((cell, shortest.as_slice()))
            })
            .collect()
    }

    /// For each of these cells, a number that two of them share exactly if one is a fixed multiple of the other while
    /// the published figures stay: whoever knows the one knows the other.
    #[must_use]
    pub fn ties(&self, cells: &[usize]) -> Vec<u64> {
        let mut second = vec![0; self.prints.len()];
        for (number, row) in self.rows.iter().enumerate() {
            let factor = scatter(scatter(u64::try_from(number).unwrap_or(u64::MAX)));
            for &(cell, value) in row {
                second[cell] = sum(second[cell], product(factor, residue(value)));
            }
        }
        cells.iter().map(|&cell| product(second[cell], inverse(self.prints[cell]))).collect()
    }
}

fn coefficient(row: &Row, cell: usize) -> i64 {
    row.binary_search_by_key(&cell, |entry| entry.0).map_or(0, |place| row[place].1)
}

/// The greatest common divisor, never negative.
fn divisor(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a.saturating_abs(), b.saturating_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
