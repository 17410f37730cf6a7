//! What no pattern can be below, against all patterns there are.

use super::random::{Dice, cases, declare, would_do};
use super::{ERROR, each, told, whole, with_margins};
use crate::suppress::bound::at_least;
use crate::suppress::demands::Demands;
use crate::suppress::exact::{Best, Limits, rounded_up};
use crate::suppress::fewest::fewest;
use crate::suppress::told::System;
use crate::suppress::{Standing, Tally, Told, Verdict, tally, withhold};

const LIMITS: Limits = Limits { nodes: 2_000, work: 500_000_000 };

/// The fewest open cells that would have to go, of at most so many: by trying all.
pub(super) fn by_trying(
    sizes: &[usize],
    tables: &[Told],
    most: usize,
    would_do: impl Fn(&[(usize, usize)]) -> bool,
) -> usize {
    let system = System::join(sizes, &[], tables);
    let shown = |&(table, place): &(usize, usize)| tables[table].verdicts[place] == Verdict::Shown;
    let shown_only = |&cell: &usize| system.standing[cell] == Standing::Open && !system.impossible[cell];
    let open: Vec<usize> = (0..system.standing.len()).filter(shown_only).collect();
    let places: Vec<Vec<(usize, usize)>> = open
        .iter()
        .map(|&cell| {
            let all = system
                .places
                .iter()
                .enumerate()
                .flat_map(|(table, places)| places.iter().map(move |p| (table, p)).enumerate());
            all.filter(|(_, (_, other))| **other == cell)
                .map(|(place, (table, _))| (table, place))
                .filter(shown)
                .collect()
        })
        .collect();
    let mut choices: Vec<u32> = (0..1 << open.len()).collect();
    choices.sort_by_key(|choice| choice.count_ones());
    let enough = |choice: &&u32| {
        let hidden: Vec<(usize, usize)> =
            (0..open.len()).filter(|bit| **choice >> bit & 1 == 1).flat_map(|bit| places[bit].clone()).collect();
        usize::try_from(choice.count_ones()).unwrap() >= most || would_do(&hidden)
    };
    choices.iter().find(enough).map_or(most, |choice| usize::try_from(choice.count_ones()).unwrap())
}

/// Bound by lines, and by branching: partners, bound, and whether the search ended.
fn proved(sizes: &[usize], tables: &[Told], verdicts: &[Vec<Verdict>]) -> (usize, Best, Tally) {
    let system = System::join(sizes, &[], tables);
    let demands = Demands::new(&system, tables);
    let by_lines = usize::try_from(rounded_up(at_least(&demands, &mut 1_000_000_000))).unwrap();
    let all = (0..demands.figures.len()).filter(|&f| demands.figures[f].standing == Standing::Open).collect();
    let best = fewest(&system, &demands, all, LIMITS).unwrap();
    let given = i64::try_from(demands.given()).unwrap();
    let best = Best { cost: best.cost + given, bound: best.bound + given, ..best };
    (by_lines, best, tally(sizes, &[], tables, verdicts))
}

#[test]
fn the_bound_is_never_above_the_fewest_partners_and_branching_finds_them() {
    let (mut systems, mut lines) = (0, 0);
    for case in 0..4 * cases() {
        let mut dice = Dice(case ^ 0xb0d);
        let sizes = [vec![5], vec![2, 3], vec![2, 2, 2], vec![3, 3]][dice.below(4)].clone();
        let mut leaves = dice.population(sizes.iter().product());
        for leaf in &mut leaves {
            *leaf += 8.0;
        }
        let impossible = dice.impossible(&sizes, &mut leaves);
        let mut tables = dice.tables(&sizes, &leaves, 3);
        declare(&sizes, &impossible, &mut tables);
        let system = System::join(&sizes, &[], &tables);
        let open = system.standing.iter().filter(|&&standing| standing == Standing::Open).count();
        if !system.standing.contains(&Standing::Withheld) || !(1..=10).contains(&open) {
            continue;
        }
        systems += 1;
        let (verdicts, _) = withhold(&sizes, &[], &tables).unwrap();
        let (by_lines, best, tally) = proved(&sizes, &tables, &verdicts);
        let least = by_trying(&sizes, &tables, open, |hidden| would_do(&sizes, &tables, hidden));
        assert!(by_lines <= least, "case {case}: {by_lines} is above {least}");
        assert_eq!((tally.at_least, tally.partners), (least, least), "case {case}: a release has no partner too many");
        let ends = (usize::try_from(best.bound).unwrap(), usize::try_from(best.cost).unwrap());
        assert_eq!(ends, (least, least), "case {case}: {best:?}");
        lines += u64::from(by_lines == least);
    }
    assert!(systems * 4 > cases() && lines * 10 > systems * 8, "{lines} of {systems}");
}

#[test]
fn the_textbook_s_patterns_are_proved_to_have_the_fewest_partners() {
    let tally_of = |sizes: &[usize], tables: &[Told]| {
        let (verdicts, _) = withhold(sizes, &[], tables).unwrap();
        tally(sizes, &[], tables, &verdicts)
    };
    let leaves = [3.0, 40.0, 50.0, 60.0, 30.0, 80.0, 70.0, 90.0, 95.0];
    let square = tally_of(&[3, 3], &with_margins(3, 3, &leaves, ERROR));
    assert_eq!(square, Tally { primaries: 1, partners: 3, at_least: 3 });
    let line = |leaves: &[f64], error| {
        let size = leaves.len();
        tally_of(&[size], &[told(&[size], leaves, &[each(size)], error), told(&[size], leaves, &[whole(size)], error)])
    };
    assert_eq!(line(&[4.0, 20.0, 90.0], ERROR), Tally { primaries: 1, partners: 1, at_least: 1 });
    // E: who knows one of two knows both
    assert_eq!(line(&[2.0, 30.0, 40.0, 90.0], 0.5), Tally { primaries: 1, partners: 2, at_least: 2 });
    // W: two far below 0 leave each other little room
    assert_eq!(line(&[-1.0, -2.0, 60.0], 0.9), Tally { primaries: 2, partners: 1, at_least: 1 });
    assert_eq!(line(&[1.0, 1.0, 1.0, 90.0], 0.3), Tally { primaries: 3, partners: 1, at_least: 1 });
    // bands that cross
    let bands = |sets: Vec<Vec<usize>>| told(&[3], &[60.0, 3.0, 70.0], &[sets], ERROR);
    let tables =
        [bands(vec![vec![0], vec![1, 2]]), bands(vec![vec![0, 1], vec![2]]), bands(whole(3)), bands(vec![vec![1]])];
    let crossing = tally_of(&[3], &tables);
    assert_eq!((crossing.primaries, crossing.partners), (1, crossing.at_least), "{crossing:?}");
}

#[test]
fn cells_that_stood_before_are_no_partners_of_what_came_later() {
    let leaves = [4.0, 60.0, 70.0, 50.0];
    let cut = |levels: &[usize]| vec![told(&[4], &leaves, &[vec![levels.to_vec()]], ERROR)];
    let mut standing = cut(&[0, 1, 2, 3]);
    standing.extend(cut(&[0]));
    let rest = cut(&[1, 2, 3]);
    let (verdicts, _) = withhold(&[4], &standing, &rest).unwrap();
    assert_eq!(tally(&[4], &standing, &rest, &verdicts), Tally { primaries: 0, partners: 1, at_least: 1 });
    let again = withhold(&[4], &standing, &standing[1..]).unwrap().0;
    assert_eq!(tally(&[4], &standing, &standing[1..], &again), Tally { primaries: 1, partners: 0, at_least: 0 });
}
