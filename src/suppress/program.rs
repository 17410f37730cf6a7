//! The attacker's program: how the withheld cells can move together.
//!
//! Its variables are the moves that are left, unbounded; each cell is a sum of them, bounded below by its slack.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::search::Sum;
use super::simplex::{Dictionary, End};
use std::collections::HashMap;

/// The largest program: moves times cells.
const PROGRAM_MAX: usize = 4_000_000;
/// A step of a program looks at its rows one by one, each in a place of its own: so many times as dear as an entry of a
/// move, by the clock.
const DEARER: u64 = 8;
/// Relative tolerance of the programs.
pub(super) const CLOSE: f64 = 1e-6;

/// The attacker's program over some of the moves.
#[derive(Debug, Clone)]
pub(super) struct Program {
    dictionary: Dictionary,
    /// Cell and its variable.
    cells: Vec<(usize, usize)>,
    columns: usize,
}

impl Program {
    /// None if it would be too large.
    pub(super) fn new<'a>(moves: impl ExactSizeIterator<Item = &'a [(usize, f64)]>, slack: &[f64]) -> Option<Self> {
        let mut terms: Vec<(usize, (usize, f64))> = Vec::new();
        let mut dictionary = Dictionary::default();
        let columns = moves.len();
        for entries in moves {
            let variable = dictionary.variable(f64::NEG_INFINITY, f64::INFINITY, 0.0);
            terms.extend(entries.iter().map(|&(cell, c)| (cell, (variable, c))));
        }
        terms.sort_by_key(|term| term.0);
        let of_cell = || terms.chunk_by(|one, other| one.0 == other.0);
        if of_cell().count().saturating_mul(columns) > PROGRAM_MAX {
            return None;
        }
        let define = |of_cell: &[(usize, (usize, f64))]| {
            let cell = of_cell.first().map_or(0, |term| term.0);
            let terms: Vec<(usize, f64)> = of_cell.iter().map(|term| term.1).collect();
            (cell, dictionary.define(&terms, -slack[cell], f64::INFINITY))
        };
        let cells = of_cell().map(define).collect();
        Some(Self { dictionary, cells, columns })
    }

    /// The work of setting it up.
    pub(super) fn size(&self) -> u64 {
        u64::try_from(self.cells.len().saturating_mul(self.columns)).unwrap_or(u64::MAX)
    }

    /// Where the cells are now.
    pub(super) fn values(&self) -> impl Iterator<Item = (usize, f64)> {
        self.cells.iter().map(|&(cell, variable)| (cell, self.dictionary.value(variable)))
    }

    /// Brings all cells within their bounds.
    pub(super) fn settle(&mut self, work: &mut u64) -> End {
        self.maximise(None, 1.0, 0.0, work)
    }

    /// Whether some of the moves touch the cell.
    pub(super) fn holds(&self, cell: usize) -> bool {
        self.cells.binary_search_by_key(&cell, |entry| entry.0).is_ok()
    }

    fn variable(&self, cell: usize) -> usize {
        self.cells.binary_search_by_key(&cell, |entry| entry.0).map_or(0, |place| self.cells[place].1)
    }

    pub(super) fn value(&self, cell: usize) -> f64 {
        self.dictionary.value(self.variable(cell))
    }

    /// Takes the cell up or down as far as asked.
    pub(super) fn stretch(&mut self, cell: usize, way: f64, goal: f64, work: &mut u64) -> End {
        self.maximise(Some(self.variable(cell)), way, goal, work)
    }

    fn maximise(&mut self, variable: Option<usize>, way: f64, goal: f64, work: &mut u64) -> End {
        let allowed = *work / DEARER;
        let mut left = allowed;
        let end = self.dictionary.maximise(variable, way, goal, &mut left);
        *work = work.saturating_sub(DEARER * (allowed - left));
        end
    }

    /// The dual: the sum of cells at their bounds that holds this one where it is, in small whole numbers.
    pub(super) fn why(&self, cell: usize, way: f64) -> Option<Sum> {
        let form = self.dictionary.form(self.variable(cell));
        let of: HashMap<usize, usize> = self.cells.iter().map(|&(cell, variable)| (variable, cell)).collect();
        let mut sum: Vec<(usize, f64)> = vec![(cell, way)];
        for (variable, c) in form {
            sum.push((*of.get(&variable)?, -c * way));
        }
        [1.0, 2.0, 3.0, 4.0, 6.0, 12.0, 60.0].into_iter().find_map(|scale| {
            let near = |&(cell, c): &(usize, f64)| Some((cell, near_whole(c * scale)?));
            let mut whole: Sum = sum.iter().map(near).collect::<Option<_>>()?;
            whole.sort_unstable();
            Some(whole)
        })
    }
}

#[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "checked to be small and whole")]
fn near_whole(number: f64) -> Option<i64> {
    ((number - number.round()).abs() < CLOSE && number.abs() < 1e6).then_some(number.round() as i64)
}
