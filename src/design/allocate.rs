//! How a budget is best shared out over the tables that may be measured, before anything is measured.
//!
//! In zero-concentrated differential privacy the mean variance of the tables asked for is a convex function of the
//! shares: an A-optimal design. In pure differential privacy variance goes with `1 / epsilon^2` and the problem is not
//! convex: a local search, never worse than the even split. Units of 10^-9 sum to the total exactly. Deterministic to
//! the last bit: shares enter the digest of a plan. Bounded by work, not by time. Depends on no data.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: shares and slopes stand in the order of candidates")]

use super::objective::{Criterion, Objective, Target};
use super::search::{normalise, pure, zcdp};
use super::tree_objective::TreeObjective;
use super::{Subset, Tree, TreeTable, float, size_as_float, subset};
use crate::budget::{Accounting, Nanos};
use std::collections::BTreeSet;

/// A share below this part of an even one is not measured, unless nothing else holds some component: all of them
/// together are less than a thousandth of the budget, and each would cost the drawing of a table.
const PRUNED: f64 = 1e-3;

/// The most tables from each of which, alone, a search begins.
const ALONE_MAX: usize = 4;

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

impl Candidate {
    /// The variance of a cell where one unit is spent on this table.
    fn one_budget(&self, accounting: Accounting) -> f64 {
        match accounting {
            Accounting::Zcdp => float(self.l2_squared) / 2.0,
            Accounting::Pure => 2.0 * float(self.l1) * float(self.l1),
        }
    }
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
    let table = |candidate: &Candidate| (candidate.dims.clone(), candidate.one_budget(accounting));
    let tables: Vec<(Vec<usize>, f64)> = candidates.iter().map(table).collect();
    let objective = Objective::new(sizes, &tables, targets)?;
    let own: Vec<Subset> = candidates.iter().map(|candidate| subset(&candidate.dims)).collect();
    let asked = targets.iter().filter(|target| target.weight > 0.0).map(Target::dimensions).collect();
    let covers = |a: &Subset, b: &Subset| b & !a == 0;
    share_out(accounting, &objective, &starts(&own, &asked, covers), total)
}

/// As [`allocate`], where one of the dimensions is a tree (its size is not used): candidates and targets over the flat
/// dimensions, each at a level of it. Means are over the nodes of a level.
///
/// # Errors
/// [`Unallocated`] as there.
pub fn allocate_with_tree(
    accounting: Accounting,
    sizes: &[usize],
    tree: &Tree,
    candidates: &[(Candidate, usize)],
    targets: &[(Target, usize)],
    total: Nanos,
) -> Result<Vec<Nanos>, Unallocated> {
    let table = |(candidate, level): &(Candidate, usize)| {
        (TreeTable { dims: candidate.dims.clone(), level: *level }, candidate.one_budget(accounting))
    };
    let tables: Vec<(TreeTable, f64)> =
        candidates.iter().filter(|(_, level)| *level <= tree.depth()).map(table).collect();
    if tables.len() < candidates.len() {
        return Err(Unallocated::NotCovered);
    }
    let objective = TreeObjective::new(sizes, tree, &tables, targets)?;
    let own: Vec<(Subset, usize)> = candidates.iter().map(|(c, level)| (subset(&c.dims), *level)).collect();
    let weighty = targets.iter().filter(|(target, _)| target.weight > 0.0);
    let asked = weighty.map(|(target, level)| (target.dimensions(), *level)).collect();
    let covers = |a: &(Subset, usize), b: &(Subset, usize)| b.0 & !a.0 == 0 && b.1 <= a.1;
    share_out(accounting, &objective, &starts(&own, &asked, covers), total)
}

fn share_out(
    accounting: Accounting,
    objective: &dyn Criterion,
    starts: &[Vec<f64>],
    total: Nanos,
) -> Result<Vec<Nanos>, Unallocated> {
    let even = starts.first().filter(|even| objective.covered(even)).ok_or(Unallocated::NotCovered)?;
    let shares = match accounting {
        Accounting::Zcdp => zcdp(objective, even.clone()),
        Accounting::Pure => pure(objective, starts),
    };
    let units = total.apportion(&prune(objective, shares));
    let paid: Vec<f64> = units.iter().map(|units| float(units.as_nanos())).collect();
    if objective.covered(&paid) { Ok(units) } else { Err(Unallocated::TooLittle) }
}

/// Where the search in pure differential privacy begins: the even split over all candidates, that over the tables
/// asked for, over those of them that no other covers, and each table that covers all.
fn starts<T: Ord>(candidates: &[T], asked: &BTreeSet<T>, covers: impl Fn(&T, &T) -> bool) -> Vec<Vec<f64>> {
    let largest = |table: &T| !asked.iter().any(|other| other != table && covers(other, table));
    let among = |wanted: &dyn Fn(&T) -> bool| {
        let mut shares: Vec<f64> = candidates.iter().map(|table| f64::from(u8::from(wanted(table)))).collect();
        normalise(&mut shares);
        shares
    };
    let mut starts = vec![
        among(&|_| true),
        among(&|table| asked.contains(table)),
        among(&|table| asked.contains(table) && largest(table)),
    ];
    let joint = candidates.iter().filter(|table| asked.iter().all(|asked| covers(table, asked)));
    starts.extend(joint.take(ALONE_MAX).map(|one| among(&|table| table == one)));
    starts
}

/// Takes the smallest shares away as long as what is left covers everything.
fn prune(objective: &dyn Criterion, mut shares: Vec<f64>) -> Vec<f64> {
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
