//! Sparse tables at small errors: hardly anything is shown, and every withheld cell needs many others to make room.

use super::random::Dice;
use super::{each, told, whole};
use crate::suppress::{Told, Verdict, audit, tally, withhold};

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

/// Persons whose codes are the rarer the higher they are, counted in one table with all its margins after noise.
fn scattered(sizes: &[usize], persons: usize, error: f64) -> Vec<Told> {
    let mut dice = Dice(7);
    let mut leaves: Vec<f64> =
        (0..sizes.iter().product()).map(|_| error * (dice.float(2_001) / 1_000.0 - 1.0)).collect();
    for _ in 0..persons {
        let code = |place: usize, &size: &usize| place * size + dice.below(size).min(dice.below(size));
        leaves[sizes.iter().fold(0, code)] += 1.0;
    }
    let along = |choice: usize, d: usize| if choice >> d & 1 == 1 { each(sizes[d]) } else { whole(sizes[d]) };
    let axes = |choice: usize| (0..sizes.len()).map(|d| along(choice, d)).collect::<Vec<_>>();
    (0..1 << sizes.len()).map(|choice| told(sizes, &leaves, &axes(choice), error)).collect()
}

/// A withheld cell makes room only where many others fall a little: hardly any is seen to by one move.
#[test]
fn at_small_errors_no_more_is_withheld_than_must_be() {
    let sizes = [12, 4, 8];
    let tables = scattered(&sizes, 250, 0.1);
    let (verdicts, certificate) = withhold(&sizes, &[], &tables).unwrap();
    let counted = tally(&sizes, &[], &tables, &verdicts);
    assert!(2 * counted.partners <= 3 * counted.at_least, "{counted:?} of {} cells", certificate.cells);
    let after: Vec<Told> = tables.into_iter().zip(verdicts).map(|(told, verdicts)| Told { verdicts, ..told }).collect();
    assert_eq!(audit(&sizes, &after), Ok(certificate));
}
