//! How a budget is best shared out over the tables that may be measured, before anything is measured.
//!
//! In zero-concentrated differential privacy the mean variance of the tables asked for is a convex function of the
//! shares: an A-optimal design. In pure differential privacy variance goes with `1 / epsilon^2` and the problem is not
//! convex: a local search, never worse than the even split. Units of 10^-9 sum to the total exactly. Deterministic to
//! the last bit: shares enter the digest of a plan. Bounded by work, not by time. Depends on no data.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: shares and slopes stand in the order of candidates")]

use super::objective::{Objective, Target};
use super::search::{normalise, pure, zcdp};
use super::{Subset, float, size_as_float, subset};
use crate::budget::{Accounting, Nanos};
use std::collections::BTreeSet;

/// A share below this part of an even one is not measured, unless nothing else holds some component: all of them
/// together are less than a thousandth of the budget, and each would cost the drawing of a table.
const PRUNED: f64 = 1e-3;

/// A table that may be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its dimensions, ascending.
    pub dims: Vec<usize>,
    /// What one person can change in it, summed over cells.
    pub l1: u64,
    /// What one person can change in it, squares summed over cells.
    pub l2_squared: u64,
}

/// Why a budget cannot be shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unallocated {
    /// Some table asked for lies within no candidate.
    #[error("some table lies within none that may be measured: ask for fewer dimensions together")]
    NotCovered,
    /// Some table that must be measured would get nothing.
    #[error("the amount is too small to be shared over the tables: spend more")]
    TooLittle,
    /// The problem passes the bounds on work.
    #[error("these are too many tables over too many dimensions: ask for fewer at once")]
    TooMuchWork,
}

impl Unallocated {
    /// A stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotCovered => "allocation_not_covered",
            Self::TooLittle => "allocation_too_little",
            Self::TooMuchWork => "allocation_too_much_work",
        }
    }
}

/// The units of each candidate, in their order, summing to the total: zero for one that is not worth measuring.
///
/// Minimises the weighted mean over targets of the mean variance of a target's cells, estimated by least squares.
///
/// # Errors
/// [`Unallocated`] if the candidates do not cover the targets, the total is too small, or the problem is too large.
pub fn allocate(
    accounting: Accounting,
    sizes: &[usize],
    candidates: &[Candidate],
    targets: &[Target],
    total: Nanos,
) -> Result<Vec<Nanos>, Unallocated> {
    let one_budget = |candidate: &Candidate| match accounting {
        Accounting::Zcdp => float(candidate.l2_squared) / 2.0,
        Accounting::Pure => 2.0 * float(candidate.l1) * float(candidate.l1),
    };
    let tables: Vec<(Vec<usize>, f64)> = candidates.iter().map(|c| (c.dims.clone(), one_budget(c))).collect();
    let objective = Objective::new(sizes, &tables, targets)?;
    let even = vec![1.0 / size_as_float(candidates.len().max(1)); candidates.len()];
    if !objective.covered(&even) {
        return Err(Unallocated::NotCovered);
    }
    let shares = match accounting {
        Accounting::Zcdp => zcdp(&objective, even),
        Accounting::Pure => pure(&objective, &starts(even, candidates, targets)),
    };
    let units = total.apportion(&prune(&objective, shares));
    let paid: Vec<f64> = units.iter().map(|units| float(units.as_nanos())).collect();
    if objective.covered(&paid) { Ok(units) } else { Err(Unallocated::TooLittle) }
}

/// Where the search in pure differential privacy begins: the even split over all candidates, that over the tables
/// asked for, over the largest of these, and the one table of all dimensions.
fn starts(even: Vec<f64>, candidates: &[Candidate], targets: &[Target]) -> Vec<Vec<f64>> {
    let asked: BTreeSet<Subset> = targets.iter().filter(|target| target.weight > 0.0).map(Target::dimensions).collect();
    let union = asked.iter().fold(0, |union, table| union | table);
    let largest = |table: Subset| !asked.iter().any(|a| *a != table && table & !a == 0);
    let among = |wanted: &dyn Fn(Subset) -> bool| {
        let mut shares: Vec<f64> = candidates.iter().map(|c| if wanted(subset(&c.dims)) { 1.0 } else { 0.0 }).collect();
        normalise(&mut shares);
        shares
    };
    vec![
        even,
        among(&|table| asked.contains(&table)),
        among(&|table| asked.contains(&table) && largest(table)),
        among(&|table| table == union),
    ]
}

/// Takes the smallest shares away as long as what is left covers everything.
fn prune(objective: &Objective, mut shares: Vec<f64>) -> Vec<f64> {
    let least = PRUNED / size_as_float(shares.len().max(1));
    let mut small: Vec<usize> = (0..shares.len()).filter(|&at| shares[at] < least).collect();
    small.sort_by(|&a, &b| shares[a].total_cmp(&shares[b]));
    objective.drop_spare(&mut shares, &small);
    normalise(&mut shares);
    shares
}

#[cfg(test)]
#[path = "allocate_tests.rs"]
mod tests;
