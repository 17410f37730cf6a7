//! The promises on estimates: what the floor alone does not keep.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::reach::{Found, Need, Reach};
use super::search::{Inspection, Pattern, Standing, Sum};
use super::spread::middle;
use super::told::{ERRORS_BELOW_ZERO, System};
use std::collections::BTreeMap;

/// Cells that no move alone gives their room, before a better place to look from is worth its price.
const IN_DOUBT_MAX: usize = 100;
/// Of the work that is left, one part in so many is for programs.
const ON_PROGRAMS: u64 = 4;

/// What is wrong with a pattern, by notion; empty where nothing is. A fault of one kind hides those after it.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) known: Vec<usize>,
    pub(super) tied: Vec<(usize, Sum)>,
    pub(super) narrow: Vec<(usize, Vec<Sum>)>,
    pub(super) undecided: Vec<usize>,
}

/// Looks at every withheld cell: A, E and W. `slack` is how far each can be below its place; the work is taken from
/// `work`, on programs a part of it at most.
pub(super) fn faults(system: &System, pattern: &Pattern, slack: &[f64], work: &mut u64) -> Faults {
    let withheld: Vec<usize> = (0..slack.len()).filter(|&cell| pattern.withheld[cell]).collect();
    let known = withheld.iter().copied().filter(|&cell| pattern.moves.known(cell)).collect();
    let mut faults = Faults { known, ..Faults::default() };
    // where no figure at all is published, any of them may be larger by whatever is added to one combination of codes
    if !faults.known.is_empty() || withheld.len() == slack.len() {
        return faults;
    }
    let ties = ties(pattern, &withheld);
    faults.tied = knowable_ties(system, &ties);
    faults.narrow = narrow_ties(system, slack, &ties);
    if !faults.tied.is_empty() || !faults.narrow.is_empty() {
        return faults;
    }
    let (mut reach, need) = (Reach::new(pattern, slack), |cell: usize| need(system.floors[cell]));
    *work = work.saturating_sub(reach.size());
    let in_doubt = withheld.iter().filter(|&&cell| !reach.enough(cell, need(cell))).count();
    let inside;
    if in_doubt > IN_DOUBT_MAX {
        inside = middle(&reach.moves, slack, work);
        reach = Reach::new(pattern, &inside);
        *work = work.saturating_sub(reach.size());
        reach.spread(&withheld, need, work);
    }
    let mut allowed = *work / ON_PROGRAMS;
    *work -= allowed;
    for &cell in &withheld {
        match reach.look_within(cell, need(cell), &mut allowed) {
            Found::Enough => {}
            Found::Narrow(sums) => faults.narrow.push((cell, sums)),
            Found::Undecided => faults.undecided.push(cell),
        }
    }
    *work += allowed;
    faults
}

fn need(width: f64) -> Need {
    Need { up: 0.0, down: 0.0, width }
}

impl Faults {
    /// Whether all that is promised holds.
    pub(super) fn none(&self) -> bool {
        self.known.is_empty() && self.tied.is_empty() && self.narrow.is_empty() && self.undecided.is_empty()
    }

    /// What the search is to do about them. For a cell about which nothing could be proved, the least useful shown cell
    /// beside it is to go, or the next of the least useful of all; `order` has the most useful first.
    pub(super) fn inspection(self, system: &System, pattern: &Pattern, order: &[usize]) -> Inspection {
        let rank: BTreeMap<usize, usize> = order.iter().enumerate().map(|(rank, &cell)| (cell, rank)).collect();
        let shown = |&other: &usize| system.standing[other] == Standing::Open && !pattern.withheld[other];
        let mut least_useful = order.iter().copied().rev().filter(shown);
        let mut sums: Vec<Sum> = self.tied.into_iter().map(|(_, sum)| sum).collect();
        sums.extend(self.narrow.into_iter().flat_map(|(_, sums)| sums));
        if !sums.is_empty() {
            return Inspection::Widen(sums, Vec::new());
        }
        let mut cells = Vec::new();
        for &cell in self.known.iter().chain(&self.undecided) {
            let beside = system.lattice.beside(cell).filter(shown).max_by_key(|other| rank.get(other));
            match beside.or_else(|| least_useful.next()) {
                Some(other) => cells.push(other),
                None => return Inspection::Stuck,
            }
        }
        if cells.is_empty() { Inspection::Safe } else { Inspection::Widen(sums, cells) }
    }
}

/// A withheld cell and another of which it is a fixed multiple while the published figures stay, with the sum of the
/// two that is fixed. In a line that hides two cells, either is the other's mirror.
struct Tie {
    one: (usize, i64),
    other: (usize, i64),
}

impl Tie {
    fn sum(&self) -> Sum {
        let mut sum = vec![self.one, self.other];
        sum.sort_unstable();
        sum
    }
}

fn ties(pattern: &Pattern, withheld: &[usize]) -> Vec<Tie> {
    let mut alike: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (&cell, tie) in withheld.iter().zip(pattern.moves.ties(withheld)) {
        alike.entry(tie).or_default().push(cell);
    }
    let touching = pattern.moves.touching(alike.values().filter(|cells| cells.len() > 1).flatten().copied());
    let mut ties = Vec::new();
    for cells in alike.values() {
        for (place, &one) in cells.iter().enumerate() {
            for &other in &cells[place + 1..] {
                // any move that touches the one touches the other
                let row = touching.get(&one).copied().unwrap_or_default();
                let at = |cell| row.binary_search_by_key(&cell, |entry| entry.0).ok().map(|at| row[at].1);
                if let (Some(a), Some(b)) = (at(one), at(other)) {
                    ties.push(Tie { one: (one, b * a.signum()), other: (other, -a.abs()) });
                }
            }
        }
    }
    ties
}

/// Below this standard error a single person knows the estimate of a cell in which they alone are counted to within
/// less than the floor.
#[must_use]
pub fn known_below(floor: f64) -> f64 {
    floor / (2.0 * ERRORS_BELOW_ZERO)
}

/// Notion E. Whoever is the only one counted in a cell knows its estimate to within 6 standard errors on either side:
/// that tells them something only where the floor is wider than this. There, no withheld cell may be tied to another.
///
/// Which cells hold a single person cannot be told from published figures, so any withheld cell counts as one: an
/// outside audit comes to the same. Two cells that differ by impossible ones alone hold the same persons: they are one
/// figure by two names.
fn knowable_ties(system: &System, ties: &[Tie]) -> Vec<(usize, Sum)> {
    let knowable = |cell: usize| system.errors[cell] < known_below(system.floors[cell]);
    let found: Vec<&Tie> = ties.iter().filter(|t| knowable(t.one.0) || knowable(t.other.0)).collect();
    let names = system.moves.ties(&found.iter().flat_map(|tie| [tie.one.0, tie.other.0]).collect::<Vec<_>>());
    let apart = found.iter().zip(names.chunks(2)).filter(|(_, names)| names.first() != names.last());
    apart.map(|(tie, _)| (tie.other.0, tie.sum())).collect()
}

/// Notion W between two: where one can only rise as far as the other can fall, and that is too little.
fn narrow_ties(system: &System, slack: &[f64], ties: &[Tie]) -> Vec<(usize, Vec<Sum>)> {
    let mut narrow = Vec::new();
    for tie in ties {
        for ((cell, own), (other, theirs)) in [(tie.one, tie.other), (tie.other, tie.one)] {
            let opposed = own.signum() == theirs.signum();
            if opposed && slack[cell] + slack[other] * ratio(theirs, own) < system.floors[cell] * (1.0 - 1e-9) {
                narrow.push((cell, vec![tie.sum()]));
            }
        }
    }
    narrow
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "small whole numbers")]
fn ratio(a: i64, b: i64) -> f64 {
    (a as f64 / b as f64).abs()
}
