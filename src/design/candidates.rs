//! Which tables are worth considering for measurement, besides those asked for.
//!
//! A margin shared by several tables helps all of them; a table over the dimensions of two does where lists are short.
//! What may be measured at all (what a policy forbids to cross) is for the caller to leave out.

use super::{DIMENSIONS_MAX, Subset, subset};
use std::collections::BTreeSet;

/// The most tables considered.
const CONSIDERED_MAX: usize = 4_096;

/// The tables asked for, then their margins and the tables that join two of them, of at most `cells_max` cells each:
/// positions of dimensions, ascending, coarser tables first. As many as the bound on their number allows.
#[must_use]
pub fn candidates(sizes: &[usize], asked: &[Vec<usize>], cells_max: u64) -> Vec<Vec<usize>> {
    let cells = |table: Subset| {
        let sizes = sizes.iter().enumerate().filter(|(dim, _)| table >> dim & 1 == 1).map(|(_, &size)| size);
        sizes.map(|size| u64::try_from(size).unwrap_or(u64::MAX)).fold(1, u64::saturating_mul)
    };
    let own: BTreeSet<Subset> = asked.iter().map(|dims| subset(dims)).collect();
    let joined = own.iter().flat_map(|a| own.iter().map(move |b| a | b)).filter(|table| cells(*table) <= cells_max);
    let mut wide: BTreeSet<Subset> = own.iter().copied().chain(joined.take(CONSIDERED_MAX)).collect();
    for dim in 0..sizes.len().min(DIMENSIONS_MAX) {
        let without: Vec<Subset> = wide.iter().map(|table| table & !(1 << dim)).collect();
        wide.extend(without);
    }
    let others = wide.into_iter().filter(|table| !own.contains(table) && cells(*table) <= cells_max);
    let others: BTreeSet<(u64, Subset)> = others.map(|table| (cells(table), table)).collect();
    let dims = |table: Subset| (0..sizes.len()).filter(|dim| table >> dim & 1 == 1).collect();
    let considered = others.into_iter().map(|(_, table)| table).take(CONSIDERED_MAX.saturating_sub(own.len()));
    own.iter().copied().chain(considered).map(dims).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asked_tables_come_first_then_what_fits() {
        let found = candidates(&[2, 3, 100], &[vec![0, 2], vec![1]], 250);
        assert_eq!(found, [vec![1], vec![0, 2], vec![], vec![0], vec![2]], "all three together are too large");
        assert_eq!(candidates(&[2, 3, 100], &[vec![0, 2], vec![1]], 600).len(), 8);
        assert_eq!(candidates(&[2, 3, 100], &[vec![0, 2]], 1), [vec![0, 2], vec![]], "what is asked always is");
    }

    #[test]
    fn there_is_an_end_to_them() {
        let asked: Vec<Vec<usize>> = (0..16).map(|left_out| (0..16).filter(|d| *d != left_out).collect()).collect();
        let found = candidates(&[2; 16], &asked, u64::MAX);
        assert_eq!(found.len(), CONSIDERED_MAX);
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), CONSIDERED_MAX, "none twice");
    }
}
