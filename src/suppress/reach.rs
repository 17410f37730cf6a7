//! How far a withheld cell can be from its figure while every published figure stays: the attacker's interval.
//!
//! Every cell has room downwards (its slack) and none is bounded upwards. First each move alone, both ways, which
//! decides most cells at once; then places far apart ([`super::spread`]), where many are in doubt; then linear programs
//! over a neighbourhood of moves, which only ever prove that there is room; then over the whole block of linked moves,
//! which also tells why there is none. All bounded by work.
//!
//! # Guarantee
//! What is counted as reached is exhibited by values within all bounds; what was not decided is not counted.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::lattice::Row;
use super::program::{CLOSE, Program};
use super::search::{Pattern, Sum};
use super::simplex::End;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

/// Moves in a first neighbourhood.
const NEARBY: usize = 60;
/// Moves in a neighbourhood that is kept for the next cells in it: to set it up is dearer than to look at a cell.
const FURTHER: usize = 16 * NEARBY;
/// Work on all programs, where nobody says how much.
const WORK_MAX: u64 = 1_000_000_000;

/// How far each cell was seen to go, up and down.
#[derive(Debug, Clone)]
pub struct Reach<'a> {
    pub(super) slack: &'a [f64],
    pub(super) moves: Vec<Vec<(usize, f64)>>,
    touching: Vec<Vec<usize>>,
    up: Vec<f64>,
    down: Vec<f64>,
    work: u64,
    /// The last program over many moves, where nothing has moved yet, and whether it is over a whole block.
    kept: Option<(Program, bool)>,
}

/// What is asked of a cell's interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Need {
    /// At least so far above the figure.
    pub up: f64,
    /// At least so far below.
    pub down: f64,
    /// At least so wide.
    pub width: f64,
}

/// What was found of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Room enough.
    Enough,
    /// Too little: these sums are fixed by what is published and narrow it.
    Narrow(Vec<Sum>),
    /// Not decided within the work allowed.
    Undecided,
}

impl<'a> Reach<'a> {
    /// Looks at each move alone.
    #[must_use]
    pub fn new(pattern: &Pattern, slack: &'a [f64]) -> Self {
        let cells = slack.len();
        let moves: Vec<Vec<(usize, f64)>> = pattern.moves.rows().map(|row| floats(row, cells)).collect();
        let mut touching = vec![Vec::new(); cells];
        for (number, entries) in moves.iter().enumerate() {
            for &(cell, _) in entries {
                touching[cell].push(number);
            }
        }
        let mut reach =
            Self { slack, moves, touching, up: vec![0.0; cells], down: vec![0.0; cells], work: WORK_MAX, kept: None };
        for number in 0..reach.moves.len() {
            for way in [1.0, -1.0] {
                let step: Vec<(usize, f64)> = reach.moves[number].iter().map(|&(cell, c)| (cell, c * way)).collect();
                let length = step
                    .iter()
                    .filter(|(_, c)| *c < 0.0)
                    .map(|&(cell, c)| slack[cell] / -c)
                    .fold(f64::INFINITY, f64::min);
                if length > 0.0 {
                    for (cell, c) in step {
                        reach.saw(cell, c * length);
                    }
                }
            }
        }
        reach
    }

    /// The work of having looked at each move alone.
    pub(super) fn size(&self) -> u64 {
        u64::try_from(2 * self.moves.iter().map(Vec::len).sum::<usize>()).unwrap_or(u64::MAX)
    }

    /// Spends at most this much work, and takes it from there.
    pub(super) fn look_within(&mut self, cell: usize, need: Need, work: &mut u64) -> Found {
        self.work = *work;
        let found = self.look(cell, need);
        *work = self.work;
        found
    }

    pub(super) fn saw(&mut self, cell: usize, change: f64) {
        self.up[cell] = self.up[cell].max(change);
        self.down[cell] = self.down[cell].max(-change);
    }

    fn saw_all(&mut self, program: &Program, cell: usize, way: f64, end: End) {
        match end {
            End::Reached => program.values().for_each(|(cell, value)| self.saw(cell, value)),
            End::Unbounded => self.saw(cell, way * f64::INFINITY),
            End::Infeasible | End::OutOfWork => {}
        }
    }

    pub(super) fn enough(&self, cell: usize, need: Need) -> bool {
        let (up, down) = (self.up[cell], self.down[cell]);
        let least = |need: f64| need - CLOSE * (1.0 + need.abs());
        up >= least(need.up) && down >= least(need.down) && up + down >= least(need.width)
    }

    /// Whether this cell has the room it needs.
    pub fn look(&mut self, cell: usize, need: Need) -> Found {
        if self.enough(cell, need) {
            return Found::Enough;
        }
        if let Some(kept) = self.kept.take() {
            let found = if kept.0.holds(cell) { self.within(&kept, cell, need) } else { None };
            self.kept = Some(kept);
            if let Some(found) = found {
                return found;
            }
        }
        let mut last = 0;
        for most in [NEARBY, FURTHER, usize::MAX] {
            let (near, whole) = self.near(cell, most);
            let Some(left) = self.work.checked_sub(self.size() / 2) else { return Found::Undecided };
            self.work = left;
            if near.len() == last {
                continue;
            }
            last = near.len();
            let Some(program) = Program::new(near.iter().map(|&n| self.moves[n].as_slice()), self.slack) else {
                return Found::Undecided;
            };
            let Some(left) = self.work.checked_sub(program.size()) else { return Found::Undecided };
            self.work = left;
            let program = (program, whole);
            let found = self.within(&program, cell, need);
            if most > NEARBY {
                self.kept = Some(program);
            }
            if let Some(found) = found {
                return found;
            }
        }
        Found::Undecided
    }

    /// What a program over some moves, or over the whole block of them, tells about a cell; none if more moves might
    /// tell more.
    fn within(&mut self, (program, whole): &(Program, bool), cell: usize, need: Need) -> Option<Found> {
        let mut program = program.clone();
        let mut narrow = Vec::new();
        for (way, least, other) in [(1.0, need.up, need.down), (-1.0, need.down, need.up)] {
            let seen = if way > 0.0 { self.down[cell] } else { self.up[cell] };
            let goal = least.max(need.width - seen.max(other));
            let end = program.stretch(cell, way, goal, &mut self.work);
            self.saw_all(&program, cell, way, end);
            if self.enough(cell, need) {
                return Some(Found::Enough);
            }
            if matches!(end, End::Infeasible | End::OutOfWork) {
                return Some(Found::Undecided);
            }
            if program.value(cell) * way < goal - CLOSE * (1.0 + goal) {
                narrow.extend(program.why(cell, way));
            }
        }
        if !whole {
            return None;
        }
        narrow.retain(|sum| self.fixed(sum));
        Some(if narrow.is_empty() { Found::Undecided } else { Found::Narrow(narrow) })
    }

    /// The moves around a cell, those by its rarest cells first, and whether they are all that are linked with it. Few
    /// moves are enough to keep a cell still that few touch; one that most touch leads anywhere.
    fn near(&self, cell: usize, most: usize) -> (Vec<usize>, bool) {
        let (mut taken, mut seen) = (vec![false; self.moves.len()], vec![false; self.slack.len()]);
        let mut found = Vec::new();
        let mut edge = BinaryHeap::from([Reverse((0, cell))]);
        seen[cell] = true;
        while let Some(Reverse((_, cell))) = edge.pop() {
            for &number in &self.touching[cell] {
                if taken[number] {
                    continue;
                }
                if found.len() == most {
                    found.sort_unstable();
                    return (found, false);
                }
                taken[number] = true;
                found.push(number);
                for &(next, _) in &self.moves[number] {
                    if !std::mem::replace(&mut seen[next], true) {
                        edge.push(Reverse((self.touching[next].len(), next)));
                    }
                }
            }
        }
        found.sort_unstable();
        (found, true)
    }

    /// All moves linked with a cell; none if no move touches it.
    pub(super) fn block(&self, cell: usize) -> Option<Vec<&[(usize, f64)]>> {
        let (block, _) = self.near(cell, usize::MAX);
        (!block.is_empty()).then(|| block.into_iter().map(|number| self.moves[number].as_slice()).collect())
    }

    /// Whether no move changes this sum: exactly, so that a slip of a program is not believed.
    fn fixed(&self, sum: &Sum) -> bool {
        let of: HashMap<usize, i64> = sum.iter().copied().collect();
        let touched: BTreeSet<usize> = sum.iter().flat_map(|&(cell, _)| self.touching[cell].iter().copied()).collect();
        touched.into_iter().all(|number| {
            let change = self.moves[number].iter().filter_map(|(cell, c)| of.get(cell).map(|&f| whole_product(f, *c)));
            change.sum::<f64>().abs() < 0.5
        })
    }
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "small whole numbers")]
fn whole_product(factor: i64, coefficient: f64) -> f64 {
    factor as f64 * coefficient
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "small whole numbers")]
fn floats(row: &Row, cells: usize) -> Vec<(usize, f64)> {
    row.iter().filter(|entry| entry.0 < cells).map(|&(cell, value)| (cell, value as f64)).collect()
}
