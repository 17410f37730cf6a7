//! The cases that every tool of this kind is tried on, and fixtures that have broken some.

use super::attacker::Seen;
use super::{ERROR, each, told, whole, with_margins};
use crate::suppress::{Certificate, Revealed, Told, Verdict, audit, withhold};

fn release(sizes: &[usize], tables: &[Told]) -> (Vec<Told>, Certificate) {
    let (verdicts, certificate) = withhold(sizes, &[], tables).unwrap();
    let after = tables.iter().zip(verdicts).map(|(told, verdicts)| Told { verdicts, ..told.clone() }).collect();
    (after, certificate)
}

fn silent(tables: &[Told]) -> usize {
    tables.iter().flat_map(|told| &told.verdicts).filter(|v| **v == Verdict::Withheld).count()
}

/// With these cells withheld and all others shown.
fn hiding(mut told: Told, hidden: &[usize]) -> Told {
    for (place, verdict) in told.verdicts.iter_mut().enumerate() {
        *verdict = if hidden.contains(&place) { Verdict::Withheld } else { Verdict::Shown };
    }
    told
}

// case 1
#[test]
fn one_small_cell_of_a_square_takes_three_partners_and_no_total() {
    let leaves = [3.0, 40.0, 50.0, 60.0, 30.0, 80.0, 70.0, 90.0, 95.0];
    let (after, certificate) = release(&[3, 3], &with_margins(3, 3, &leaves, ERROR));
    assert_eq!(silent(&after), 4);
    assert_eq!(silent(&after[..1]), 4, "all of them inside, none of the totals");
    assert_eq!((certificate.withheld, certificate.cells), (4, 16));
    assert_eq!(certificate.width, Some(10.0));
}

// case 2
#[test]
fn one_small_cell_of_a_line_takes_the_least_useful_other() {
    let (after, _) = release(
        &[3],
        &[told(&[3], &[4.0, 20.0, 90.0], &[each(3)], ERROR), told(&[3], &[4.0, 20.0, 90.0], &[whole(3)], ERROR)],
    );
    assert_eq!(after[0].verdicts[1], Verdict::Withheld);
    assert_eq!(silent(&after), 2);
}

// case 6
#[test]
fn a_structural_zero_is_shown_and_is_never_a_partner() {
    let leaves = [4.0, 0.0, 90.0];
    let mut tables = vec![told(&[3], &leaves, &[each(3)], ERROR), told(&[3], &leaves, &[whole(3)], ERROR)];
    tables[0].verdicts[1] = Verdict::Structural;
    let (after, _) = release(&[3], &tables);
    assert_eq!(after[0].verdicts[1], Verdict::Structural);
    assert_eq!(after[0].verdicts[2], Verdict::Withheld);
}

#[test]
fn a_cell_of_structural_zeros_alone_is_one_too_whatever_it_is_called() {
    // two combinations are declared impossible one by one, and a filter adds them up
    let leaves = [0.0, 0.0, 5.0, 60.0, 70.0];
    let mut tables = [
        told(&[5], &leaves, &[each(5)], ERROR),
        told(&[5], &leaves, &[vec![vec![0, 1]]], ERROR),
        told(&[5], &leaves, &[whole(5)], ERROR),
    ];
    tables[0].verdicts[..2].fill(Verdict::Structural);
    let (after, certificate) = release(&[5], &tables);
    assert_eq!(after[1].verdicts, [Verdict::Structural]);
    assert_eq!((silent(&after), certificate.withheld), (2, 2), "the small one and its partner");
    assert_eq!(audit(&[5], &after), Ok(certificate.clone()));
    assert_eq!(audit(&[5], &tables), Err(Revealed::Known(vec![(0, 2)])));
    // asked for again it follows from what stands
    assert_eq!(withhold(&[5], &after, &tables[1..2]), Ok((vec![vec![Verdict::Structural]], certificate)));
}

// Notion E is about what one person could know of others; a second name of their own cell is nothing new.
#[test]
fn a_cell_by_two_names_is_not_tied_to_itself() {
    let leaves = [4.0, 0.0, 30.0, 40.0, 90.0];
    let mut tables = [
        told(&[5], &leaves, &[each(5)], 0.5),
        told(&[5], &leaves, &[vec![vec![0, 1]]], 0.5),
        told(&[5], &leaves, &[whole(5)], 0.5),
    ];
    tables[0].verdicts[1] = Verdict::Structural;
    let (after, certificate) = release(&[5], &tables);
    assert_eq!(silent(&after), 4, "two names, two partners");
    assert_eq!(audit(&[5], &after), Ok(certificate));
}

// cases 7, 8 and 20: what is cut from a draw later is joined with what stands of it.
#[test]
fn filters_of_one_draw_are_audited_together_over_time() {
    let leaves = [4.0, 60.0, 70.0, 50.0];
    let cut = |levels: &[usize]| vec![told(&[4], &leaves, &[vec![levels.to_vec()]], ERROR)];
    // ages from 18 (all), then from 19: the difference is the small one
    let (adults, _) = release(&[4], &cut(&[0, 1, 2, 3]));
    let (verdicts, _) = withhold(&[4], &adults, &cut(&[1, 2, 3])).unwrap();
    assert_eq!(verdicts[0][0], Verdict::Shown, "a search for partners alone knows of no difference: see `unasked`");
    let (small, _) = withhold(&[4], &adults, &cut(&[0])).unwrap();
    assert_eq!(small[0][0], Verdict::Withheld);
    // once the small one is withheld, its complement is too
    let mut standing = adults.clone();
    standing.extend(cut(&[0]).into_iter().zip(small).map(|(told, verdicts)| Told { verdicts, ..told }));
    let (rest, _) = withhold(&[4], &standing, &cut(&[1, 2, 3])).unwrap();
    assert_eq!(rest[0][0], Verdict::Withheld);
    // and where the complement stands, the small one cannot be withheld truly any more
    let mut standing = adults;
    standing.extend(cut(&[1, 2, 3]));
    assert_eq!(withhold(&[4], &standing, &cut(&[0])).unwrap_err().code(), "would_reveal_withheld");
}

// case 9
#[test]
fn bands_that_cross_are_joined_on_the_finest_common_ones() {
    // 0-14, 15-17, 18-64: as 0-14/15-64 and as 0-17/18-64, with the total
    let leaves = [60.0, 3.0, 70.0];
    let bands = |sets: Vec<Vec<usize>>| told(&[3], &leaves, &[sets], ERROR);
    let tables =
        [bands(vec![vec![0], vec![1, 2]]), bands(vec![vec![0, 1], vec![2]]), bands(whole(3)), bands(vec![vec![1]])];
    let (after, certificate) = release(&[3], &tables);
    let seen = Seen::new(&[3], &after);
    assert!(!seen.derives(&[false, true, false], None));
    assert_eq!((certificate.cells, certificate.coordinates), (6, 3));
    let all_but_the_small: Vec<Told> =
        tables.iter().cloned().map(|told| hiding(told, &[])).take(3).chain([tables[3].clone()]).collect();
    assert_eq!(audit(&[3], &all_but_the_small), Err(Revealed::Known(vec![(3, 0)])));
}

// case 10, and tables each safe alone
#[test]
fn tables_that_are_safe_alone_and_not_together_are_found() {
    let leaves = [12.0, 5.0, 14.0];
    let pair = |a, b| told(&[3], &leaves, &[vec![vec![a, b]]], ERROR);
    let parts = hiding(told(&[3], &leaves, &[each(3)], ERROR), &[0, 1, 2]);
    for one in [pair(0, 1), pair(1, 2), pair(0, 2)] {
        assert!(audit(&[3], &[parts.clone(), one]).is_ok());
    }
    let linked = [parts.clone(), pair(0, 1), pair(1, 2), pair(0, 2)];
    assert_eq!(audit(&[3], &linked), Err(Revealed::Known(vec![(0, 0), (0, 1), (0, 2)])));
    let again: Vec<Told> = linked.iter().map(|t| told(&[3], &leaves, &t.axes, ERROR)).collect();
    assert!(audit(&[3], &release(&[3], &again).0).is_ok());
}

// A published fixture: every line hides two cells or more, and the bridge between two squares is derivable all the
// same.
#[test]
fn a_bridge_is_derivable_though_no_line_hides_it_alone() {
    let leaves: Vec<f64> = (0..16).map(|leaf| f64::from(20 + 7 * leaf % 31)).collect();
    let mut tables = with_margins(4, 4, &leaves, ERROR);
    let squares = [0, 1, 4, 5, 10, 11, 14, 15];
    tables[0] = hiding(tables[0].clone(), &squares);
    assert!(audit(&[4, 4], &tables).is_ok());
    tables[0] = hiding(tables[0].clone(), &[squares.as_slice(), &[6]].concat());
    assert_eq!(audit(&[4, 4], &tables), Err(Revealed::Known(vec![(0, 6)])));
}

// Notion E: who knows one of two knows both, where the noise is too small to hide one person.
#[test]
fn a_line_hides_a_third_where_a_single_person_could_know_one_of_two() {
    let leaves = [2.0, 30.0, 40.0, 90.0];
    let line = |error| vec![told(&[4], &leaves, &[each(4)], error), told(&[4], &leaves, &[whole(4)], error)];
    assert_eq!(silent(&release(&[4], &line(1.0)).0), 2);
    let (after, _) = release(&[4], &line(0.5));
    assert_eq!(silent(&after), 3);
    let two = [hiding(line(0.5)[0].clone(), &[0, 1]), line(0.5)[1].clone()];
    assert_eq!(audit(&[4], &two), Err(Revealed::Tied(vec![(0, 1)])));
    // three singletons in a line, with errors so small that 1 + 1 + 1 = 3 leaves each of them less than the floor
    let ones = [1.0, 1.0, 1.0, 90.0];
    let line = |error| vec![told(&[4], &ones, &[each(4)], error), told(&[4], &ones, &[whole(4)], error)];
    assert!(audit(&[4], &line(0.5)).is_ok(), "3 + 3 x 6 x 0.5 is 12");
    assert!(matches!(audit(&[4], &line(0.3)), Err(Revealed::Narrow(_))), "3 + 3 x 6 x 0.3 is 8.4");
    assert_eq!(silent(&release(&[4], &line(0.3)).0), 4);
}

// A sum beside persons can be known more closely than they are: the cells are then the same, their errors smaller.
#[test]
fn a_figure_that_is_told_twice_counts_by_its_smaller_error_whichever_came_first() {
    let leaves = [2.0, 30.0, 40.0, 90.0];
    let line = |error| [told(&[4], &leaves, &[each(4)], error), told(&[4], &leaves, &[whole(4)], error)];
    let (standing, _) = release(&[4], &line(1.0));
    assert_eq!(silent(&standing), 2);
    assert!(withhold(&[4], &standing, &line(1.0)).is_ok());
    assert!(withhold(&[4], &standing, &line(0.5)).is_err(), "with a third shown, who knows one knows the other");
    let closer: Vec<Told> =
        standing.iter().map(|told| Told { standard_errors: vec![0.5; told.estimates.len()], ..told.clone() }).collect();
    for both in [[&standing[..], &closer[..]].concat(), [&closer[..], &standing[..]].concat()] {
        assert!(matches!(audit(&[4], &both), Err(Revealed::Tied(_))));
    }
}

// Notion W: two estimates far below 0 whose sum is shown leave each other little room.
#[test]
fn two_small_cells_alone_in_a_line_take_a_third_when_their_sum_narrows_them() {
    let leaves = [-1.0, -2.0, 60.0];
    let line = [told(&[3], &leaves, &[each(3)], 0.9), told(&[3], &leaves, &[whole(3)], 0.9)];
    assert_eq!(audit(&[3], &line), Err(Revealed::Narrow(vec![(0, 0), (0, 1)])), "12 x 0.9 - 3 is 7.8");
    let (after, _) = release(&[3], &line);
    assert_eq!(silent(&after), 3);
    assert!(Seen::new(&[3], &after).width(&[true, false, false]) >= 10.0);
}

// An estimate below -6 of its errors is outside the bounds that everyone else works with: W is of their interval.
#[test]
fn an_estimate_below_its_bound_is_no_excuse_for_a_narrow_interval() {
    let leaves = [-2.2, 7.0, 60.0, 80.0];
    let line = [told(&[4], &leaves, &[each(4)], 0.3), told(&[4], &leaves, &[whole(4)], 0.3)];
    let (after, certificate) = release(&[4], &line);
    assert!(Seen::new(&[4], &after).width(&[true, false, false, false]) >= 10.0);
    assert_eq!(audit(&[4], &after), Ok(certificate));
}

#[test]
fn figures_that_contradict_each_other_are_not_certified() {
    let leaves = [30.0, 40.0];
    let mut tables = [told(&[2], &leaves, &[each(2)], ERROR), told(&[2], &leaves, &[whole(2)], ERROR)];
    assert!(audit(&[2], &tables).is_ok());
    tables[1].estimates[0] = 71.0;
    assert!(matches!(audit(&[2], &tables), Err(Revealed::DoesNotAddUp(_))));
}

#[test]
fn where_nothing_at_all_is_shown_nothing_need_be_searched() {
    let leaves = vec![0.0; 900];
    let (after, certificate) = release(&[30, 30], &with_margins(30, 30, &leaves, 0.1));
    assert_eq!(silent(&after), 961);
    assert_eq!(audit(&[30, 30], &after), Ok(certificate));
}

// What an outside audit starts from says nothing of the withheld cells, and published figures are rounded.
#[test]
fn an_audit_of_rounded_figures_finds_a_place_to_start_from() {
    let leaves = [499.3127, 500.9035, 501.1204, 498.4452, 3.2231, 400.7713];
    let (after, certificate) = release(&[3, 2], &with_margins(3, 2, &leaves, 1.3));
    let rounded = |told: &Told| {
        let figure = |(verdict, x): (&Verdict, &f64)| {
            if *verdict == Verdict::Shown { (x * 1e4).round() / 1e4 + 4e-5 } else { 0.0 }
        };
        Told { estimates: told.verdicts.iter().zip(&told.estimates).map(figure).collect(), ..told.clone() }
    };
    let published: Vec<Told> = after.iter().map(rounded).collect();
    assert_eq!(audit(&[3, 2], &published), Ok(certificate));
}

// Small noise: whoever is in a cell could know another, and each new partner asks for partners of its own.
#[test]
fn partners_of_partners_end_before_everything_is_silent() {
    let sizes = [5, 5, 5, 3];
    let leaves: Vec<f64> =
        (0..375).map(|leaf| if leaf % 53 == 7 { 3.0 } else { f64::from(40 + leaf * 29 % 61) }).collect();
    let axes = |choice: usize| {
        sizes.iter().enumerate().map(move |(d, &size)| if choice >> d & 1 == 1 { each(size) } else { whole(size) })
    };
    let tables: Vec<Told> =
        (0..16).map(|choice| told(&sizes, &leaves, &axes(choice).collect::<Vec<_>>(), 0.5)).collect();
    let (after, certificate) = release(&sizes, &tables);
    assert!(certificate.withheld * 3 < certificate.cells, "{certificate:?}");
    assert_eq!(audit(&sizes, &after), Ok(certificate));
}
