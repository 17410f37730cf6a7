//! Answers that follow from what stands: told without a search, and exactly then.

use super::attacker::{Seen, keys};
use super::random::{Dice, attack, decided, numbers, published};
use super::{ERROR, each, told, whole, with_margins};
use crate::suppress::moves::Moves;
use crate::suppress::told::System;
use crate::suppress::{Told, Verdict, audit, unchanged, withhold};

fn says_nothing_new(sizes: &[usize], earlier: &[Told], new: &[Told]) -> bool {
    let system = System::join(sizes, earlier, new);
    let mut moves = Moves::new(system.standing.len(), system.lattice.moves());
    unchanged::unchanged(&system, earlier, &mut moves)
}

/// The same by brute force: what is shown can be added up from earlier figures, what is withheld was before.
fn adds_nothing(sizes: &[usize], earlier: &[Told], new: &[Told]) -> bool {
    let seen = Seen::new(sizes, earlier);
    new.iter().all(|told| {
        keys(&told.axes).iter().zip(&told.verdicts).all(|(key, verdict)| {
            let held = super::attacker::holds(sizes, key);
            let stands = seen.silent.iter().any(|silent| silent.0 == held && silent.2 >= told.floor);
            match verdict {
                Verdict::Withheld => stands,
                Verdict::Shown | Verdict::Structural => stands || seen.derives(&held, None),
            }
        })
    })
}

#[test]
fn an_answer_is_told_without_a_search_exactly_when_it_follows_from_what_stands() {
    let (mut followed, mut did_not) = (0, 0);
    for case in numbers() {
        let mut dice = Dice(case ^ 0xfa57);
        let sizes = [vec![4], vec![6], vec![3, 4], vec![2, 2, 3]][dice.below(4)].clone();
        let leaves = dice.population(sizes.iter().product());
        let first = dice.tables(&sizes, &leaves, 2);
        let error = first[0].standard_errors[0];
        let (verdicts, before) = withhold(&sizes, &[], &first).unwrap();
        let standing = decided(&first, verdicts);
        for _ in 0..4 {
            let floor = [10.0, 10.0, 10.0, 12.0][dice.below(4)];
            let new = dice.tables(&sizes, &leaves, 1);
            let as_precise = |t: Told| Told { standard_errors: vec![error; t.estimates.len()], floor, ..t };
            let new: Vec<Told> = new.into_iter().map(as_precise).collect();
            let follows = says_nothing_new(&sizes, &standing, &new);
            assert_eq!(follows, adds_nothing(&sizes, &standing, &new), "case {case}");
            if !follows {
                did_not += 1;
                continue;
            }
            followed += 1;
            let (verdicts, certificate) = withhold(&sizes, &standing, &new).unwrap();
            let mut all = standing.clone();
            all.extend(decided(&new, verdicts));
            attack(&sizes, &all, &certificate, case);
            assert_eq!(audit(&sizes, &published(&all)), Ok(certificate.clone()), "case {case}");
            assert_eq!((before.withheld, before.width), (certificate.withheld, certificate.width), "case {case}");
        }
    }
    assert!(followed > 20 && did_not > 20, "{followed} {did_not}");
}

#[test]
fn where_nothing_is_small_nothing_is_searched() {
    let leaves: Vec<f64> = (0..12).map(|leaf| 40.0 + f64::from(leaf)).collect();
    let tables = with_margins(3, 4, &leaves, ERROR);
    let (verdicts, certificate) = withhold(&[3, 4], &[], &tables).unwrap();
    assert_eq!(verdicts, tables.iter().map(|told| told.verdicts.clone()).collect::<Vec<_>>());
    assert_eq!(
        (certificate.withheld, certificate.width, certificate.cells, certificate.coordinates),
        (0, None, 20, 12)
    );
    assert_eq!(audit(&[3, 4], &tables), Ok(certificate));
}

#[test]
fn a_question_about_cells_that_stand_withheld_changes_nothing() {
    let leaves = [4.0, 60.0, 20.0, 90.0];
    let line = [told(&[4], &leaves, &[each(4)], ERROR), told(&[4], &leaves, &[whole(4)], ERROR)];
    let (verdicts, before) = withhold(&[4], &[], &line).unwrap();
    let standing = decided(&line, verdicts);
    // the partner and the small one, once more, and a group that follows from what is shown
    let again = [
        told(&[4], &leaves, &[vec![vec![0], vec![2]]], ERROR),
        told(&[4], &leaves, &[vec![vec![1, 3], vec![0, 2]]], ERROR),
    ];
    assert!(says_nothing_new(&[4], &standing, &again));
    let (verdicts, after) = withhold(&[4], &standing, &again).unwrap();
    assert_eq!(verdicts[0], [Verdict::Withheld, Verdict::Withheld]);
    assert_eq!(verdicts[1], again[1].verdicts, "both are shown");
    assert_eq!((before.withheld, before.cells, after.withheld, after.cells), (2, 5, 2, 7));
    // under a higher floor it must be looked at
    let higher = Told { floor: 20.0, ..again[0].clone() };
    assert!(!says_nothing_new(&[4], &standing, &[higher]));
}

#[test]
fn what_follows_from_published_figures_does_not_depend_on_the_levels_that_moves_start_from() {
    for case in numbers() {
        let mut dice = Dice(case ^ 0x1e57);
        let sizes = [vec![5], vec![3, 4], vec![2, 2, 3]][dice.below(3)].clone();
        let leaves = dice.population(sizes.iter().product());
        let system = System::join(&sizes, &[], &dice.tables(&sizes, &leaves, 3));
        let cells = system.standing.len();
        let published: Vec<usize> = (0..cells).filter(|_| dice.below(2) == 0).collect();
        let from: Vec<usize> = sizes.iter().map(|&size| dice.below(size)).collect();
        let known = |rows| {
            let mut moves = Moves::new(cells, rows);
            moves.publish_all(published.clone());
            (0..cells).map(|cell| moves.untouched(cell)).collect::<Vec<bool>>()
        };
        let first = known(system.lattice.moves());
        assert_eq!(known(system.lattice.moves_from(&from)), first, "case {case}, from {from:?}");
        assert_eq!(known(system.lattice.moves_from(&system.lattice.least(&system.estimates))), first, "case {case}");
    }
}
