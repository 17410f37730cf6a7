//! Which cells go with the withheld ones: all others are published in order of use, but for those that would give one
//! away; then an inspection names sums that must not be known either, and the search is run again.
//!
//! The sums are what makes the search reach further than linear algebra: the dual of an attacker's program that narrows
//! a cell too much is a sum of withheld cells that the published figures fix. Kept from being known, it narrows no more
//! (the capacity cuts of Fischetti and Salazar-Gonzalez, `JASA` 2000, met by elimination instead of branching).
//!
//! # Guarantee
//! Ends always: rounds are counted. What it returns as safe has passed the inspection it was given.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::lattice::Row;
use super::moves::Moves;

/// Searches with more sums each time, before the pattern is given up.
const ROUNDS_MAX: usize = 24;
/// Rounds in which partners are chosen anew each time. After that those of the last round stay, so that each round adds
/// to them and the search settles, where new partners would for ever bring new faults of their own.
const ROUNDS_ANEW: usize = 6;
/// Partners that are offered back, each at the price of one inspection.
const OFFERED_BACK_MAX: usize = 16;

/// What is already decided of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is known, or will be.
    Published,
    /// It must stay unknown.
    Withheld,
    /// The search decides.
    Open,
}

/// Cells with whole coefficients whose sum must stay unknown.
pub type Sum = Vec<(usize, i64)>;

/// Which cells stay withheld, and the moves that are left between them.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// Per cell whether it is withheld.
    pub withheld: Vec<bool>,
    /// The moves. Numbers past the cells stand for the sums of the search.
    pub moves: Moves,
    /// Whether a cell or sum that is to stay unknown was known before any open cell was published.
    pub lost: bool,
}

/// What an inspection says of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inspection {
    /// All that is promised holds.
    Safe,
    /// It does not: these sums must not be known, and these cells must go too.
    Widen(Vec<Sum>, Vec<usize>),
    /// It does not, and nothing would mend it.
    Stuck,
}

/// Cells, the moves between them and what is decided.
#[derive(Clone, Copy)]
pub struct Problem<'a> {
    /// From [`super::Lattice::moves`].
    pub rows: &'a [Row],
    /// Of each cell.
    pub standing: &'a [Standing],
    /// The open cells, the most useful first.
    pub order: &'a [usize],
}

impl Problem<'_> {
    /// A pattern that passes the inspection, or none.
    pub fn solve(&self, mut inspect: impl FnMut(&Pattern) -> Inspection) -> Option<Pattern> {
        let mut sums: Vec<Sum> = Vec::new();
        let mut standing = self.standing.to_vec();
        let order = self.reordered();
        // of the least useful cells, so many go too where no further sum is named: twice as many each time
        let mut in_doubt = 1;
        for round in 0..ROUNDS_MAX {
            let pattern = Problem { standing: &standing, order: &order, ..*self }.pattern(&sums);
            if pattern.lost || pattern.moves.overflowed() {
                return None;
            }
            match inspect(&pattern) {
                Inspection::Safe if sums.is_empty() && standing == self.standing => return Some(pattern),
                Inspection::Safe => return Some(self.given_back(pattern, &mut inspect)),
                Inspection::Widen(more, cells) => {
                    let before = sums.len();
                    sums.extend(more);
                    sums.sort();
                    sums.dedup();
                    let mut go = cells;
                    if sums.len() == before {
                        let shown = self.order.iter().rev().filter(|&&cell| !pattern.withheld[cell]);
                        go.extend(shown.take(in_doubt));
                        in_doubt *= 2;
                        if go.is_empty() {
                            return None;
                        }
                    }
                    if round >= ROUNDS_ANEW {
                        go.extend((0..standing.len()).filter(|&cell| pattern.withheld[cell]));
                    }
                    for &cell in &go {
                        standing[cell] = Standing::Withheld;
                    }
                }
                Inspection::Stuck => return None,
            }
        }
        None
    }

    /// The pattern that elimination gives: no withheld cell and none of the sums is known (notion A).
    #[must_use]
    pub fn pattern(&self, sums: &[Sum]) -> Pattern {
        let cells = self.standing.len();
        let mut moves = Moves::new(cells + sums.len(), with_sums(self.rows, cells, sums));
        let of = |standing: Standing| move |cell: &usize| self.standing[*cell] == standing;
        moves.publish_all((0..cells).filter(of(Standing::Published)).collect());
        let kept = |cell: usize| self.standing.get(cell).is_none_or(|&standing| standing == Standing::Withheld);
        let lost = (0..cells + sums.len()).any(|cell| kept(cell) && moves.known(cell));
        let mut withheld: Vec<bool> = self.standing.iter().map(|&s| s != Standing::Published).collect();
        for &cell in self.order.iter().filter(|cell| of(Standing::Open)(cell)) {
            if !moves.reveals(cell, kept) {
                moves.publish(cell);
                withheld[cell] = false;
            }
        }
        Pattern { withheld, moves, lost }
    }

    /// Gives back partners, the most useful first, that only the sums held and that the inspection does not miss.
    fn given_back(&self, pattern: Pattern, inspect: &mut impl FnMut(&Pattern) -> Inspection) -> Pattern {
        let kept = |cell: usize| self.standing.get(cell) == Some(&Standing::Withheld);
        let mut best = pattern;
        let mut offered = 0;
        for &cell in self.order {
            if offered == OFFERED_BACK_MAX {
                break;
            }
            if !best.withheld[cell] || best.moves.reveals(cell, kept) {
                continue;
            }
            offered += 1;
            let mut less = best.clone();
            less.moves.publish(cell);
            less.withheld[cell] = false;
            if inspect(&less) == Inspection::Safe {
                best = less;
            }
        }
        best
    }
}

/// The rows with a further cell for each sum.
fn with_sums(rows: &[Row], cells: usize, sums: &[Sum]) -> Vec<Row> {
    let mut of: Vec<Vec<(usize, i64)>> = vec![Vec::new(); cells];
    for (number, sum) in sums.iter().enumerate() {
        for &(cell, factor) in sum {
            of[cell].push((cells + number, factor));
        }
    }
    let extended = |row: &Row| {
        let mut more: Row =
            row.iter().flat_map(|&(cell, value)| of[cell].iter().map(move |&(sum, f)| (sum, f * value))).collect();
        more.sort_unstable_by_key(|entry| entry.0);
        let mut row = row.clone();
        for (sum, value) in more {
            match row.last_mut() {
                Some(last) if last.0 == sum => last.1 += value,
                Some(_) | None => row.push((sum, value)),
            }
        }
        row.retain(|entry| entry.1 != 0);
        row
    };
    rows.iter().map(extended).collect()
}
