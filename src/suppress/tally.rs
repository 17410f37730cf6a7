//! How good a pattern is: its partners beside what no safe pattern can be below. For officers, after a release.
//!
//! # Guarantee
//! G9: noisy figures only. Bounded by work. The bound never exceeds the fewest partners that would keep the promises.

use super::Verdict;
use super::bound::at_least;
use super::demands::Demands;
use super::exact::{Limits, rounded_up};
use super::fewest::fewest;
use super::search::Standing;
use super::told::{System, Told};
use std::collections::BTreeSet;

/// Work on the linear program of the lines.
const BOUND_WORK_MAX: u64 = 500_000_000;
/// Of branch and cut, in small systems.
const LIMITS: Limits = Limits { nodes: 2_000, work: 500_000_000 };

/// What is withheld of new tables, and why. Every cell is counted once, whatever tables hold it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cells withheld for their own sake, or since an earlier release of the same draw.
    pub primaries: usize,
    /// Cells withheld for theirs.
    pub partners: usize,
    /// How many partners there must be at least.
    pub at_least: usize,
}

impl Tally {
    /// Of two systems that tell nothing of each other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            primaries: self.primaries.saturating_add(other.primaries),
            partners: self.partners.saturating_add(other.partners),
            at_least: self.at_least.saturating_add(other.at_least),
        }
    }
}

/// Of a pattern that was released: `new` are its tables by the floor alone, `released` what became of their cells,
/// `earlier` all that stood of the same draw.
#[must_use]
pub fn tally(sizes: &[usize], earlier: &[Told], new: &[Told], released: &[Vec<Verdict>]) -> Tally {
    tally_beside(sizes, earlier, new, &[], released)
}

/// The same beside `hidden` cells that nobody asked for: they must not be known, but no width is promised of them.
#[must_use]
pub fn tally_beside(
    sizes: &[usize],
    earlier: &[Told],
    new: &[Told],
    hidden: &[Told],
    released: &[Vec<Verdict>],
) -> Tally {
    let hidden: Vec<Told> = hidden.iter().map(|told| Told { floor: 0.0, ..told.clone() }).collect();
    let system = System::beside(sizes, earlier, new, &hidden);
    let places = system.places.iter().skip(earlier.len()).zip(released);
    let silent: BTreeSet<usize> = places
        .flat_map(|(places, verdicts)| places.iter().zip(verdicts))
        .filter(|(_, verdict)| **verdict == Verdict::Withheld)
        .map(|(&cell, _)| cell)
        .collect();
    let is_open = |cell: &&usize| system.standing.get(**cell) == Some(&Standing::Open);
    let partners = silent.iter().filter(is_open).count();
    let primaries = silent.len() - partners;
    if partners == 0 {
        return Tally { primaries, ..Tally::default() };
    }
    let tables: Vec<Told> = earlier.iter().chain(new).cloned().collect();
    let demands = Demands::new(&system, &tables);
    let bound = usize::try_from(rounded_up(at_least(&demands, &mut { BOUND_WORK_MAX }))).unwrap_or(0);
    let proved = if bound < partners { by_branching(&system, &demands, &silent) } else { None };
    Tally { primaries, partners, at_least: bound.max(proved.unwrap_or(0)).min(partners) }
}

/// The bound of branch and cut, where the system is small enough.
fn by_branching(system: &System, demands: &Demands, silent: &BTreeSet<usize>) -> Option<usize> {
    let of = |cell: usize| demands.of_cell.get(cell).copied().flatten();
    let is_open = |figure: &usize| demands.figures.get(*figure).is_some_and(|f| f.standing == Standing::Open);
    let chosen: BTreeSet<usize> = silent.iter().filter_map(|&cell| of(cell)).filter(is_open).collect();
    let best = fewest(system, demands, chosen.into_iter().collect(), LIMITS)?;
    Some(demands.given().saturating_add(usize::try_from(best.bound).ok()?))
}
