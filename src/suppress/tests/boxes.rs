//! Groups across several dimensions at once, whatever lines lead there: an attacker who tries every product of levels.

use super::attacker::{Seen, holds, keys, sum};
use super::random::{Dice, decided, numbers};
use super::unasked::{named, release};
use super::{told, whole};
use crate::suppress::Told;
use crate::suppress::remainder::groups;
use std::collections::BTreeSet;

/// The levels that a group stands for in each dimension.
type Group = Vec<Vec<usize>>;

/// Per dimension, the parts that the sets of all tables cut it into.
fn parts(sizes: &[usize], tables: &[Told]) -> Vec<Vec<Vec<usize>>> {
    let of = |(dimension, &size): (usize, &usize)| {
        let mut parts: Vec<(Vec<bool>, Vec<usize>)> = Vec::new();
        for level in 0..size {
            let sets = tables.iter().flat_map(|told| &told.axes[dimension]);
            let signature: Vec<bool> = sets.map(|set| set.contains(&level)).collect();
            match parts.iter_mut().find(|part| part.0 == signature) {
                Some(part) => part.1.push(level),
                None => parts.push((signature, vec![level])),
            }
        }
        parts.into_iter().map(|part| part.1).collect()
    };
    sizes.iter().enumerate().map(of).collect()
}

/// Per dimension, the parts and the sets that some table names.
fn simple(sizes: &[usize], tables: &[Told]) -> Vec<BTreeSet<Vec<usize>>> {
    let named = |dimension: usize| tables.iter().flat_map(move |told| told.axes[dimension].clone());
    parts(sizes, tables).into_iter().enumerate().map(|(d, parts)| parts.into_iter().chain(named(d)).collect()).collect()
}

/// Every union of some of these.
fn unions(parts: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let union = |choice: u32| {
        let mut levels: Vec<usize> =
            (0..parts.len()).filter(|bit| choice >> bit & 1 == 1).flat_map(|bit| parts[bit].clone()).collect();
        levels.sort_unstable();
        levels
    };
    (1..1 << parts.len()).map(union).collect()
}

/// How many small groups follow from what is shown.
#[derive(Debug, Default, PartialEq)]
struct Found {
    /// Parts, or sets that some table names, in every dimension.
    named: usize,
    /// Others that are not made of cells.
    across: usize,
    /// Cells that were asked for make them up.
    sums: usize,
}

fn given_away(sizes: &[usize], leaves: &[f64], tables: &[Told], found: &mut Found) {
    let seen = Seen::new(sizes, tables);
    let asked: Vec<Vec<bool>> = tables.iter().flat_map(|told| keys(&told.axes)).map(|key| holds(sizes, &key)).collect();
    let simple = simple(sizes, tables);
    let unions: Vec<Vec<Vec<usize>>> = parts(sizes, tables).iter().map(|parts| unions(parts)).collect();
    for key in keys(&unions) {
        let held = holds(sizes, &key);
        if sum(sizes, leaves, &key) >= 10.0 - 1e-6 || asked.contains(&held) || !seen.derives(&held, None) {
            continue;
        }
        if key.iter().zip(&simple).all(|(set, simple)| simple.contains(set)) {
            found.named += 1;
        } else if named(&held, &asked) {
            found.sums += 1;
        } else {
            found.across += 1;
        }
    }
}

/// Groups cut out anyhow, as filters cut them: one, or each of its levels, or two and what they hold together.
fn boxes(dice: &mut Dice, sizes: &[usize], leaves: &[f64]) -> Vec<Told> {
    let axis = |dice: &mut Dice, size: usize| {
        let some: Vec<usize> = (0..size).filter(|_| dice.below(3) > 0).collect();
        let rest: Vec<usize> = (0..size).filter(|level| !some.contains(level)).collect();
        match dice.below(5) {
            0 => whole(size),
            1 | 2 if !some.is_empty() => vec![some],
            3 if !some.is_empty() && !rest.is_empty() => vec![some, rest],
            _ => some.iter().map(|&level| vec![level]).chain((some.is_empty()).then(|| rest.clone())).collect(),
        }
    };
    let table = |dice: &mut Dice| {
        let cut: Vec<Vec<Vec<usize>>> = sizes.iter().map(|&size| axis(dice, size)).collect();
        told(sizes, leaves, &cut, 1.5)
    };
    (0..=dice.below(3)).map(|_| table(dice)).collect()
}

#[test]
fn no_small_group_follows_from_random_tables_in_several_dimensions_at_once() {
    let (mut found, mut before, mut cells) = (Found::default(), Found::default(), 0);
    for case in numbers() {
        let mut dice = Dice(case ^ 0xb0c5);
        let sizes = [vec![3, 3], vec![3, 4], vec![2, 2, 2], vec![2, 3, 2], vec![2, 2, 3]][dice.below(5)].clone();
        let leaves = dice.population(sizes.iter().product());
        let mut standing: Vec<Told> = Vec::new();
        let anyhow = dice.below(2) == 0;
        for most in if anyhow { vec![3, 1, 1, 1, 1] } else { vec![3, 1] } {
            let tables = if anyhow { boxes(&mut dice, &sizes, &leaves) } else { dice.tables(&sizes, &leaves, most) };
            let small = |told: Told| Told { standard_errors: vec![1.5; told.estimates.len()], ..told };
            let tables: Vec<Told> = tables.into_iter().map(small).collect();
            if most == 3 {
                given_away(&sizes, &leaves, &tables, &mut before);
            }
            if let Ok((verdicts, _)) = release(&sizes, &leaves, &standing, &tables) {
                standing.extend(decided(&tables, verdicts));
                given_away(&sizes, &leaves, &standing, &mut found);
                cells += standing.iter().map(|told| told.verdicts.len()).sum::<usize>();
            }
        }
    }
    assert!(found.named == 0 && before.named > 0, "{found:?} among {cells} cells, {before:?} before");
    // the rest is what the width of hidden cells is for
    println!("{found:?} among {cells} cells");
}

#[test]
fn every_group_of_parts_and_named_sets_that_all_figures_fix_is_found() {
    let (mut fixed, mut missed) = (0, 0);
    for case in numbers() {
        let mut dice = Dice(case ^ 0x11e5);
        let sizes =
            [vec![3, 3], vec![3, 4], vec![2, 2, 2], vec![2, 3, 2], vec![4, 4], vec![3, 3, 3]][dice.below(6)].clone();
        let leaves = vec![50.0; sizes.iter().product()];
        let tables: Vec<Told> = match dice.below(8) {
            0 => dice.tables(&sizes, &leaves, 5),
            some => (0..some + 2).flat_map(|_| boxes(&mut dice, &sizes, &leaves)).collect(),
        };
        let found: BTreeSet<Group> =
            groups(&sizes, tables.iter()).unwrap().into_iter().map(|(levels, ..)| levels).collect();
        let seen = Seen::new(&sizes, &tables);
        let asked: BTreeSet<Group> = tables.iter().flat_map(|told| keys(&told.axes)).collect();
        let simple: Vec<Vec<Vec<usize>>> =
            simple(&sizes, &tables).into_iter().map(|sets| sets.into_iter().collect()).collect();
        let follows = |key: &Group| !asked.contains(key) && seen.derives(&holds(&sizes, key), None);
        for key in keys(&simple).into_iter().filter(follows) {
            fixed += 1;
            missed += usize::from(!found.contains(&key));
        }
    }
    assert!(fixed > 100 && missed == 0, "{missed} of {fixed}");
}
