//! Groups that nobody asked for by name: what cells leave over is protected as if somebody had.

use super::attacker::{Seen, holds, keys, sum};
use super::fewest::by_trying;
use super::random::{Dice, attack, decided, numbers, published};
use super::{ERROR, each, told, whole, with_margins};
use crate::suppress::told::System;
use crate::suppress::{
    Certificate, Draw, Revealed, Standing, Told, Verdict, WouldReveal, audit, audit_unasked, leave_over, tally_beside,
    unasked, unasked_beside, withhold_beside,
};
use std::collections::BTreeSet;

fn draw(sizes: &[usize]) -> Draw<'_> {
    Draw { sizes, pooled: None, least: &|_| 0.0, impossible: &|_| Vec::new() }
}

/// As a release is made beside what stands: with what is left over and small.
pub(super) fn release(
    sizes: &[usize],
    leaves: &[f64],
    earlier: &[Told],
    new: &[Told],
) -> Result<(Vec<Vec<Verdict>>, Certificate), WouldReveal> {
    let error = new[0].standard_errors[0];
    let small = unasked_beside(draw(sizes), earlier, new)?.unwrap();
    for group in &small {
        let truly = sum(sizes, leaves, &group.levels);
        assert!((group.estimate - truly).abs() < 1e-6 && truly < group.floor + 1e-6, "{group:?}, not {truly}");
    }
    let hidden: Vec<Told> = small.iter().map(|group| group.withheld(error)).collect();
    withhold_beside(sizes, earlier, new, &hidden)
}

fn line(leaves: &[f64], sets: &[&[usize]]) -> Vec<Told> {
    sets.iter().map(|set| told(&[leaves.len()], leaves, &[vec![set.to_vec()]], ERROR)).collect()
}

/// What becomes of some sets of one dimension, each asked for after the others.
fn one_by_one(leaves: &[f64], sets: &[&[usize]]) -> Vec<Verdict> {
    let mut standing = Vec::new();
    for told in line(leaves, sets) {
        let new = [told];
        let (verdicts, certificate) = release(&[leaves.len()], leaves, &standing, &new).unwrap();
        standing.extend(decided(&new, verdicts));
        let seen = published(&standing);
        assert_eq!(audit(&[leaves.len()], &seen), Ok(certificate));
        assert_eq!(audit_unasked(draw(&[leaves.len()]), &seen), Ok(()));
    }
    standing.into_iter().flat_map(|told| told.verdicts).collect()
}

const SHOWN: Verdict = Verdict::Shown;
const WITHHELD: Verdict = Verdict::Withheld;

// Cases 7, 8, 9 and 10.
#[test]
fn a_small_difference_of_two_figures_is_withheld_with_the_second() {
    let leaves = [4.0, 60.0, 70.0, 50.0];
    assert_eq!(one_by_one(&leaves, &[&[0, 1, 2, 3], &[1, 2, 3]]), [SHOWN, WITHHELD]);
    assert_eq!(one_by_one(&leaves, &[&[1, 2, 3], &[0, 1, 2, 3]]), [SHOWN, WITHHELD]);
    assert_eq!(one_by_one(&leaves, &[&[0, 1, 2, 3], &[0, 2, 3]]), [SHOWN, SHOWN], "sixty are nothing to hide");
    assert_eq!(one_by_one(&leaves, &[&[0, 1], &[2, 3], &[1]]), [SHOWN, SHOWN, WITHHELD]);
    assert_eq!(one_by_one(&leaves, &[&[0, 1], &[0, 2], &[1, 2]]), [SHOWN, SHOWN, WITHHELD]);
    assert_eq!(one_by_one(&leaves, &[&[0, 1, 2, 3], &[1], &[2], &[3]]), [SHOWN, SHOWN, SHOWN, WITHHELD]);
    // bands that cross
    assert_eq!(one_by_one(&[60.0, 3.0, 70.0], &[&[0], &[1, 2], &[0, 1], &[2]]), [SHOWN, SHOWN, WITHHELD, WITHHELD]);
}

#[test]
fn what_lines_leave_over_between_them_is_seen_too() {
    // all, all of another origin, all women, the women of another origin: the men of this one are four
    let leaves = [40.0, 4.0, 300.0, 200.0];
    let of = |origins: &[usize], sexes: &[usize]| {
        told(&[2, 2], &leaves, &[vec![origins.to_vec()], vec![sexes.to_vec()]], ERROR)
    };
    let tables = [of(&[0, 1], &[0, 1]), of(&[1], &[0, 1]), of(&[0, 1], &[0]), of(&[1], &[0])];
    let (verdicts, _) = release(&[2, 2], &leaves, &[], &tables).unwrap();
    assert_eq!(verdicts.concat().iter().filter(|verdict| **verdict == WITHHELD).count(), 1, "{verdicts:?}");
    assert_eq!(audit_unasked(draw(&[2, 2]), &decided(&tables, verdicts)), Ok(()));
    let found = audit_unasked(draw(&[2, 2]), &tables);
    assert_eq!(found, Err(Revealed::Unasked(vec![(0, 0)])));
}

#[test]
fn an_audit_finds_what_was_given_away_and_takes_nobody_for_nobody() {
    let leaves = [4.0, 60.0, 70.0, 50.0];
    let tables = line(&leaves, &[&[0, 1, 2, 3], &[1, 2, 3]]);
    assert_eq!(audit(&[4], &tables).map(|certificate| certificate.withheld), Ok(0), "nobody withheld anything");
    assert_eq!(audit_unasked(draw(&[4]), &tables), Err(Revealed::Unasked(vec![(0, 0)])));
    // a column of which an outsider cannot know that there are no further codes
    let all_named = line(&[60.0, 70.0, 0.0], &[&[0], &[1], &[0, 1, 2]]);
    assert_eq!(audit_unasked(draw(&[3]), &all_named), Ok(()));
}

// Pooled periods have a floor each.
#[test]
fn periods_left_over_are_judged_by_a_floor_each() {
    let leaves = [15.0, 15.0, 60.0, 40.0];
    let mut tables = line(&leaves, &[&[0, 1, 2, 3], &[2, 3], &[1, 2, 3]]);
    (tables[0].floor, tables[1].floor, tables[2].floor) = (80.0, 40.0, 60.0);
    let pooled = |tables: &[Told]| {
        let found = unasked(Draw { pooled: Some(0), ..draw(&[4]) }, tables).unwrap();
        found.into_iter().map(|group| (group.levels.concat(), group.estimate, group.floor)).collect::<Vec<_>>()
    };
    assert_eq!(pooled(&tables), [(vec![0], 15.0, 20.0), (vec![1], 15.0, 20.0)]);
    // two periods with thirty persons between them are below twice the floor
    assert_eq!(pooled(&tables[..2]), [(vec![0, 1], 30.0, 40.0)]);
}

// A question about children may have a higher floor than others.
#[test]
fn what_follows_from_figures_is_judged_by_the_lowest_floor_among_them() {
    let leaves = [15.0, 60.0, 70.0, 15.0];
    let found = |floors: [f64; 3], least: f64| {
        let tables = line(&leaves, &[&[0, 1, 2, 3], &[1, 2, 3], &[0, 1, 2]]);
        let tables: Vec<Told> = tables.into_iter().zip(floors).map(|(told, floor)| Told { floor, ..told }).collect();
        let found = unasked(Draw { least: &|_| least, ..draw(&[4]) }, &tables).unwrap();
        found.into_iter().map(|group| (group.levels.concat(), group.floor)).collect::<Vec<_>>()
    };
    assert_eq!(found([20.0, 20.0, 10.0], 0.0), [(vec![0], 20.0)]);
    assert_eq!(found([20.0, 20.0, 20.0], 0.0), [(vec![0], 20.0), (vec![3], 20.0)]);
    assert_eq!(found([10.0, 20.0, 20.0], 0.0), []);
    assert_eq!(found([10.0, 20.0, 20.0], 20.0).len(), 2, "but a question may ask for more");
}

#[test]
fn listings_with_their_margins_and_groupings_leave_nothing_over() {
    let leaves: Vec<f64> = (0..12).map(f64::from).collect();
    let mut tables = with_margins(3, 4, &leaves, ERROR);
    assert!(!leave_over(&[3, 4], &tables.iter()));
    // the same groups whatever stands beside them: nobody has asked for each of all rows
    let pairs = |rows: Vec<Vec<usize>>| told(&[3, 4], &leaves, &[rows, vec![vec![0, 1], vec![2, 3]]], ERROR);
    tables.push(pairs(each(3)));
    assert!(leave_over(&[3, 4], &tables.iter()));
    tables.push(pairs(whole(3)));
    assert!(!leave_over(&[3, 4], &tables.iter()));
    // a grouping that crosses it
    tables.push(told(&[3, 4], &leaves, &[each(3), vec![vec![0, 2], vec![1, 3]]], ERROR));
    assert!(leave_over(&[3, 4], &tables.iter()));
    assert!(!leave_over(&[3], &[told(&[3], &leaves[..3], &[whole(3)], ERROR)].iter()));
}

// Women are few, and hidden one by one, but all and all men are told.
#[test]
fn a_margin_that_nobody_asked_for_is_not_given_away_either() {
    let leaves = [2.0, 3.0, 1.0, 50.0, 60.0, 70.0];
    let tables =
        [told(&[2, 3], &leaves, &[each(2), each(3)], ERROR), told(&[2, 3], &leaves, &[whole(2), whole(3)], ERROR)];
    let found = audit_unasked(draw(&[2, 3]), &tables);
    assert_eq!(found, Err(Revealed::Unasked(vec![(1, 0)])));
    let (verdicts, _) = release(&[2, 3], &leaves, &[], &tables).unwrap();
    assert_eq!(audit_unasked(draw(&[2, 3]), &decided(&tables, verdicts)), Ok(()));
    // with no total to take the men from, nothing follows
    let (verdicts, _) = release(&[2, 3], &leaves, &[], &tables[..1]).unwrap();
    assert_eq!(verdicts[0], tables[0].verdicts);
}

// A question that names a group for the first time when figures have told of it in one line already.
#[test]
fn a_group_that_is_known_to_be_small_is_not_named_any_more() {
    let sizes = [2, 3, 2];
    let leaves = [26.8, 12.8, 3.7, 1.8, 26.8, 48.2, 21.8, 8.8, 0.7, -1.3, -1.3, 17.8];
    let table = |axes: [Vec<Vec<usize>>; 3]| told(&sizes, &leaves, &axes, 1.5);
    let mut standing: Vec<Told> = Vec::new();
    let asked = [
        vec![table([each(2), each(2), each(2)]), table([each(2), whole(3), each(2)])],
        vec![table([whole(2), vec![vec![1, 2], vec![0]], whole(2)])],
    ];
    let mut told_of = Vec::new();
    for new in asked {
        let answer = release(&sizes, &leaves, &standing, &new);
        told_of.push(answer.is_ok());
        standing.extend(answer.into_iter().flat_map(|(verdicts, _)| decided(&new, verdicts)));
        assert_eq!(audit_unasked(draw(&sizes), &published(&standing)), Ok(()));
    }
    let group = holds(&sizes, &[vec![1], vec![1, 2], vec![0]]);
    assert!(Seen::new(&sizes, &standing).derives(&group, None), "-0.6, by the first answer");
    assert_eq!(told_of, [true, false]);
}

/// The parts into which the sets of all tables cut each dimension, and all of it.
fn parts(sizes: &[usize], tables: &[Told]) -> Vec<Vec<Vec<usize>>> {
    let of = |(dimension, &size): (usize, &usize)| {
        let signature = |level: usize| {
            let sets = tables.iter().flat_map(|told| &told.axes[dimension]);
            sets.map(|set| set.contains(&level)).collect::<Vec<bool>>()
        };
        let mut parts: Vec<Vec<usize>> = Vec::new();
        for level in 0..size {
            match parts.iter_mut().find(|part| signature(part[0]) == signature(level)) {
                Some(part) => part.push(level),
                None => parts.push(vec![level]),
            }
        }
        if parts.len() > 1 {
            parts.push((0..size).collect());
        }
        parts
    };
    sizes.iter().enumerate().map(of).collect()
}

/// Whether a group is made of cells that were asked for, none of it twice.
pub(super) fn named(group: &[bool], asked: &[Vec<bool>]) -> bool {
    let Some(first) = group.iter().position(|&held| held) else { return true };
    let inside = |cell: &&Vec<bool>| cell[first] && cell.iter().zip(group).all(|(cell, group)| !cell || *group);
    asked.iter().filter(inside).any(|cell| {
        let rest: Vec<bool> = group.iter().zip(cell).map(|(group, cell)| *group && !cell).collect();
        named(&rest, asked)
    })
}

/// Tries every product of parts: whether a small one that nobody named follows from what is shown.
fn given_away(sizes: &[usize], leaves: &[f64], tables: &[Told]) -> Vec<Vec<Vec<usize>>> {
    let seen = Seen::new(sizes, tables);
    let asked: Vec<Vec<bool>> = tables.iter().flat_map(|told| keys(&told.axes)).map(|key| holds(sizes, &key)).collect();
    let small = |key: &Vec<Vec<usize>>| sum(sizes, leaves, key) < 10.0 - 1e-6;
    let follows = |key: &Vec<Vec<usize>>| {
        let held = holds(sizes, key);
        !named(&held, &asked) && seen.derives(&held, None)
    };
    let given_away = keys(&parts(sizes, tables)).into_iter().filter(small).filter(follows);
    // and every product of sets, by whatever cells it was named
    let sets = |dimension: usize| {
        let sets: BTreeSet<Vec<usize>> = tables.iter().flat_map(|told| told.axes[dimension].clone()).collect();
        sets.into_iter().collect::<Vec<_>>()
    };
    let listed: Vec<Vec<Vec<usize>>> = (0..sizes.len()).map(sets).collect();
    let known = |key: &Vec<Vec<usize>>| {
        let held = holds(sizes, key);
        !asked.contains(&held) && seen.derives(&held, None)
    };
    given_away.chain(keys(&listed).into_iter().filter(small).filter(known)).collect()
}

#[test]
fn no_small_group_that_nobody_asked_for_follows_from_random_answers_over_time() {
    let (mut answered, mut refused, mut left_over, mut before) = (0, 0, 0, 0);
    for case in numbers() {
        let mut dice = Dice(case ^ 0xa70);
        let sizes = [vec![4], vec![6], vec![3, 4], vec![2, 2, 2], vec![2, 3, 2]][dice.below(5)].clone();
        let leaves = dice.population(sizes.iter().product());
        let mut standing: Vec<Told> = Vec::new();
        for _ in 0..4 {
            let tables = dice.tables(&sizes, &leaves, 1);
            let small = |told: Told| Told { standard_errors: vec![1.5; told.estimates.len()], ..told };
            let tables: Vec<Told> = tables.into_iter().map(small).collect();
            left_over += usize::from(leave_over(&sizes, &standing.iter().chain(&tables)));
            if let Ok((verdicts, certificate)) = release(&sizes, &leaves, &standing, &tables) {
                standing.extend(decided(&tables, verdicts));
                let seen = published(&standing);
                assert_eq!(audit(&sizes, &seen), Ok(certificate.clone()), "case {case}");
                assert_eq!(audit_unasked(draw(&sizes), &seen), Ok(()), "case {case}");
                attack(&sizes, &standing, &certificate, case);
                let found = given_away(&sizes, &leaves, &standing);
                assert!(found.is_empty(), "case {case}: {found:?}");
                answered += 1;
            } else {
                assert!(!standing.is_empty(), "the first is never refused");
                refused += 1;
            }
        }
        before += usize::from(!given_away(&sizes, &leaves, &published_all(&standing)).is_empty());
    }
    assert!(answered > refused && left_over > 0 && before > 0, "{answered} {refused} {left_over} {before}");
}

#[test]
fn the_bound_is_never_above_the_fewest_partners_that_hide_what_is_left_over() {
    let (mut systems, mut more, mut partners) = (0, 0, 0);
    for case in numbers() {
        let mut dice = Dice(case ^ 0xb0e);
        let sizes = [vec![5], vec![2, 3], vec![2, 2, 2]][dice.below(3)].clone();
        let leaves: Vec<f64> = dice.population(sizes.iter().product()).iter().map(|leaf| leaf + 4.0).collect();
        let small = |told: Told| Told { standard_errors: vec![1.5; told.estimates.len()], ..told };
        let tables: Vec<Told> = dice.tables(&sizes, &leaves, 3).into_iter().map(small).collect();
        let hidden: Vec<Told> =
            unasked(draw(&sizes), &tables).unwrap().iter().map(|group| group.withheld(1.5)).collect();
        let system = System::join(&sizes, &[], &tables);
        let open = system.standing.iter().filter(|&&standing| standing == Standing::Open).count();
        if hidden.is_empty() || open > 10 {
            continue;
        }
        let (verdicts, _) = withhold_beside(&sizes, &[], &tables, &hidden).unwrap();
        let least = by_trying(&sizes, &tables, open, |places| {
            let mut tables = tables.clone();
            for &(table, place) in places {
                tables[table].verdicts[place] = WITHHELD;
            }
            audit(&sizes, &tables).is_ok() && audit_unasked(draw(&sizes), &tables).is_ok()
        });
        let tally = tally_beside(&sizes, &[], &tables, &hidden, &verdicts);
        assert!(tally.at_least <= least && least <= tally.partners, "case {case}: {least}, {tally:?}");
        systems += 1;
        more += tally.partners - tally.at_least;
        partners += tally.partners;
    }
    println!("{systems} systems, {partners} partners, {more} more than proved");
    assert!(systems > 0 && more * 4 < partners, "{systems} {partners} {more}");
}

/// Everything shown that is not small: what was told before anyone looked at what is left over.
fn published_all(tables: &[Told]) -> Vec<Told> {
    let verdict = |estimate: &f64| if *estimate < 10.0 { WITHHELD } else { SHOWN };
    let shown = |told: &Told| Told { verdicts: told.estimates.iter().map(verdict).collect(), ..told.clone() };
    tables.iter().map(shown).collect()
}
