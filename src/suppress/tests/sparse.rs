//! Sparse tables at small errors: hardly anything is shown, and every withheld cell needs many others to make room.

use super::{each, told, whole};
use crate::suppress::{Told, Verdict, audit};

/// Nearly everything is silent but the sums along one dimension: most cells must be looked at one by one.
#[test]
fn thousands_of_cells_in_one_block_are_decided_within_the_work_of_an_audit() {
    let sizes = [14, 12, 10];
    let leaves: Vec<f64> = (0..1_680).map(|leaf| f64::from(leaf * 37 % 11) / 10.0).collect();
    let tables: Vec<Told> = (0..8)
        .map(|choice| {
            let axis = |(d, &size): (usize, &usize)| if choice >> d & 1 == 1 { each(size) } else { whole(size) };
            let mut told = told(&sizes, &leaves, &sizes.iter().enumerate().map(axis).collect::<Vec<_>>(), 0.3);
            let verdict = if u32::count_ones(choice) > 1 { Verdict::Withheld } else { Verdict::Shown };
            told.verdicts.fill(verdict);
            told
        })
        .collect();
    let proved = audit(&sizes, &tables).unwrap();
    assert_eq!((proved.withheld, proved.cells), (2_108, 2_145));
}
