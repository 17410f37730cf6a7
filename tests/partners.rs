//! The search for partners on exact counts, where the classical notions can be tried by counting: never in the service.
//!
//! Random small tables with groupings, and an attacker who writes down every table of whole numbers that agrees with
//! what is published. `HALFLIGHT_CASES=10000` for more of them.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on stops")]
#![expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "small numbers"
)]
#![expect(dead_code, reason = "shared with the benchmark")]

#[path = "../benches/partners/cone.rs"]
mod cone;
#[path = "../benches/partners/exact.rs"]
mod exact;
#[path = "../benches/partners/raw.rs"]
mod raw;
#[path = "../benches/partners/whole.rs"]
mod whole;

use halflight::suppress::simplex::{Dictionary, End};
use halflight::suppress::{Found, Inspection, Lattice, Need, Pattern, Problem, Reach, Row, Standing};
use raw::Raw;
use std::collections::BTreeSet;

fn problem<'a>(raw: &'a Raw, standing: &'a [Standing], order: &'a mut Vec<usize>) -> Problem<'a> {
    order.extend((0..standing.len()).filter(|&cell| standing[cell] == Standing::Open));
    order.sort_by_key(|&cell| std::cmp::Reverse(raw.counts[cell]));
    Problem { rows: &raw.rows, standing, order }
}

/// Groups of one dimension, and their counts from its levels.
fn line(levels: &[i64], sets: &[&[usize]]) -> Raw {
    let mut lattice = Lattice::new(&[levels.len()]);
    let mut raw = Raw { counts: Vec::new(), names: Vec::new(), rows: Vec::new() };
    for set in sets {
        let number = lattice.set(0, set);
        lattice.cell(vec![number]);
        raw.counts.push(set.iter().map(|&level| levels[level]).sum());
        raw.names.push(1);
    }
    raw.rows = lattice.moves();
    raw
}

/// With these cells withheld and all others published.
fn hiding(raw: &Raw, hidden: &[usize]) -> Pattern {
    let standing: Vec<Standing> = (0..raw.counts.len())
        .map(|cell| if hidden.contains(&cell) { Standing::Withheld } else { Standing::Published })
        .collect();
    Problem { rows: &raw.rows, standing: &standing, order: &[] }.pattern(&[])
}

fn at_c(raw: &Raw, pattern: &Pattern, cell: usize) -> Found {
    let slack: Vec<f64> = raw.counts.iter().map(|&count| count as f64).collect();
    let need = Need { up: 1.0, down: raw.counts[cell].min(1) as f64, width: 0.0 };
    Reach::new(pattern, &slack).look(cell, need)
}

// case 3
#[test]
fn two_hidden_cells_whose_sum_is_none_or_one_are_flagged() {
    let raw = line(&[0, 0, 10], &[&[0], &[1], &[2], &[0, 1, 2]]);
    let pattern = hiding(&raw, &[0, 1]);
    assert!(!pattern.lost, "linear algebra sees nothing");
    assert_eq!(cone::fixed(&raw.counts, &pattern).len(), 2, "bounds do: both are 0");
    let raw = line(&[0, 1, 10], &[&[0], &[1], &[2], &[0, 1, 2]]);
    let pattern = hiding(&raw, &[0, 1]);
    assert_eq!(at_c(&raw, &pattern, 0), Found::Enough);
    assert!(matches!(at_c(&raw, &pattern, 1), Found::Narrow(_)), "the 1 cannot be 2");
}

/// The cells that are fixed for someone who is told which cells are the small ones, of `least` to `most`.
fn fixed_by_the_rule(raw: &Raw, pattern: &Pattern, small: &[usize], least: i64, most: i64) -> Vec<usize> {
    let mut program = Dictionary::default();
    let rows: Vec<_> = pattern.moves.rows().collect();
    let steps: Vec<usize> = rows.iter().map(|_| program.variable(f64::NEG_INFINITY, f64::INFINITY, 0.0)).collect();
    let changes: Vec<usize> = (0..raw.counts.len())
        .map(|cell| {
            let coefficient = |row: &Row| row.iter().find(|entry| entry.0 == cell).map(|entry| entry.1 as f64);
            let terms: Vec<_> =
                rows.iter().zip(&steps).filter_map(|(row, &step)| Some((step, coefficient(row)?))).collect();
            let count = raw.counts[cell];
            let told = small.contains(&cell);
            let low = if told { least - count } else { -count } as f64;
            program.define(&terms, low, if told { (most - count) as f64 } else { f64::INFINITY })
        })
        .collect();
    let mut moves = |cell: usize, way: f64| {
        let end = program.maximise(Some(changes[cell]), way, 1e-3, &mut 1_000_000);
        assert_eq!(end, End::Reached);
        program.value(changes[cell]) * way > 1e-6
    };
    small.iter().copied().filter(|&cell| !moves(cell, 1.0) && !moves(cell, -1.0)).collect()
}

// case 4: the reason why a small cell and its partner are told by the same word
#[test]
fn two_cells_at_the_floor_are_given_away_by_their_sum_to_whoever_is_told_that_they_are_small() {
    let sets: [&[usize]; 6] = [&[0], &[1], &[2], &[3], &[0, 1], &[0, 1, 2, 3]];
    let raw = line(&[3, 3, 8, 9], &sets);
    let pattern = hiding(&raw, &[0, 1]);
    assert_eq!([at_c(&raw, &pattern, 0), at_c(&raw, &pattern, 1)], [Found::Enough, Found::Enough]);
    assert_eq!(fixed_by_the_rule(&raw, &pattern, &[0, 1], 0, 3), [0, 1]);
    assert!(fixed_by_the_rule(&raw, &pattern, &[0], 0, 3).is_empty(), "who is told of one alone learns nothing");
    let wider = hiding(&raw, &[0, 1, 4, 2]);
    assert!(fixed_by_the_rule(&raw, &wider, &[0, 1], 0, 3).is_empty());
}

// A published fixture: three ones, where zeros are shown.
#[test]
fn three_singletons_are_given_away_by_their_sum_to_whoever_is_told_that_they_are_small() {
    let sets: [&[usize]; 6] = [&[0], &[1], &[2], &[3], &[0, 1, 2], &[0, 1, 2, 3]];
    let raw = line(&[1, 1, 1, 9], &sets);
    let pattern = hiding(&raw, &[0, 1, 2]);
    assert!([0, 1, 2].iter().all(|&cell| at_c(&raw, &pattern, cell) == Found::Enough));
    assert_eq!(fixed_by_the_rule(&raw, &pattern, &[0, 1, 2], 1, 3), [0, 1, 2]);
    let wider = hiding(&raw, &[0, 1, 2, 4, 3]);
    assert!(fixed_by_the_rule(&raw, &wider, &[0, 1, 2], 1, 3).is_empty());
}

// case 5
#[test]
fn zeros_are_no_help_to_a_cell_that_cannot_rise() {
    let raw = line(&[2, 0, 0, 9], &[&[0], &[1], &[2], &[3], &[0, 1, 2], &[0, 1, 2, 3]]);
    let pattern = hiding(&raw, &[0, 1, 2]);
    assert!(matches!(at_c(&raw, &pattern, 0), Found::Narrow(_)));
    let standing = raw.standing(3);
    let mut order = Vec::new();
    let search = problem(&raw, &standing, &mut order);
    let inspect = |pattern: &Pattern| match at_c(&raw, pattern, 0) {
        Found::Enough => Inspection::Safe,
        Found::Narrow(sums) => Inspection::Widen(sums, Vec::new()),
        Found::Undecided => Inspection::Stuck,
    };
    let found = search.solve(inspect).unwrap();
    assert!(found.withheld[3] || found.withheld[4], "one that can fall, in the line above");
    assert!(!found.withheld[5], "and not the total of all");
}

// case 19
#[test]
fn an_interval_of_some_width_with_one_whole_table_in_it_is_flagged() {
    let sets: [&[usize]; 7] = [&[0], &[1], &[2], &[3], &[0, 1], &[1, 2], &[0, 2, 3]];
    let raw = line(&[0, 1, 0, 1], &sets);
    let pattern = hiding(&raw, &[0, 1, 2, 3]);
    let slack: Vec<f64> = raw.counts.iter().map(|&count| count as f64).collect();
    let need = Need { up: 0.0, down: 0.0, width: 0.5 };
    assert_eq!(Reach::new(&pattern, &slack).look(0, need), Found::Enough, "from 0 to a half");
    assert!(matches!(whole::inspect(&raw.counts, &pattern, &[0, 1, 2, 3]), Inspection::Widen(..)));
    assert_eq!(values(&[0, 1, 0, 1], &raw, &sets, &pattern)[0].len(), 1, "counted out: 0 and nothing else");
}

/// By cell: the values it has in all tables of whole numbers that agree with what is published, up to two. Of a cube,
/// tables of counts up to 6 alone.
fn values(levels: &[i64], raw: &Raw, sets: &[&[usize]], pattern: &Pattern) -> Vec<Vec<i64>> {
    let published: Vec<(&[usize], i64)> =
        (0..sets.len()).filter(|&cell| !pattern.withheld[cell]).map(|cell| (sets[cell], raw.counts[cell])).collect();
    let most = (levels.iter().sum::<i64>() + 2).min(if levels.len() < 8 { i64::MAX } else { 6 });
    let mut seen = vec![Vec::new(); sets.len()];
    let mut table = Vec::new();
    count_out(levels.len(), most, &published, sets, &mut table, &mut seen);
    seen
}

fn count_out(
    leaves: usize,
    most: i64,
    published: &[(&[usize], i64)],
    sets: &[&[usize]],
    table: &mut Vec<i64>,
    seen: &mut Vec<Vec<i64>>,
) {
    let sum = |table: &[i64], set: &[usize]| set.iter().filter_map(|&level| table.get(level)).sum::<i64>();
    let done = |set: &[usize]| set.iter().all(|&level| level < table.len());
    if published.iter().any(|(set, figure)| sum(table, set) > *figure || done(set) && sum(table, set) != *figure) {
        return;
    }
    if table.len() == leaves {
        for (seen, set) in seen.iter_mut().zip(sets) {
            let value = sum(table, set);
            if seen.len() < 2 && !seen.contains(&value) {
                seen.push(value);
            }
        }
        return;
    }
    for value in 0..=most {
        table.push(value);
        count_out(leaves, most, published, sets, table, seen);
        table.pop();
    }
}

/// Levels, and the sets of them of which linked tables may hold a cell.
const SHAPES: [(usize, &[&[usize]]); 3] = [
    // two by three, with groups that cross
    (6, &[&[0, 1, 2], &[3, 4, 5], &[0, 3], &[1, 4], &[2, 5], &[0, 1, 2, 3, 4, 5], &[0, 1, 3, 4], &[1, 2], &[4, 5]]),
    // a line, with three groupings that are not nested
    (5, &[&[0, 1], &[2, 3, 4], &[0, 1, 2], &[3, 4], &[0, 2, 4], &[1, 3], &[0, 1, 2, 3, 4]]),
    // a cube with its faces and edges
    (
        8,
        &[
            &[0, 1],
            &[2, 3],
            &[4, 5],
            &[6, 7],
            &[0, 2],
            &[1, 3],
            &[4, 6],
            &[5, 7],
            &[0, 4],
            &[1, 5],
            &[2, 6],
            &[3, 7],
            &[0, 1, 2, 3],
            &[4, 5, 6, 7],
            &[0, 2, 4, 6],
            &[1, 3, 5, 7],
            &[0, 1, 4, 5],
            &[2, 3, 6, 7],
            &[0, 1, 2, 3, 4, 5, 6, 7],
        ],
    ),
];

/// The same case is the same system: counts of the levels, and the sets of them that have a cell.
fn made_up(case: u64) -> (Vec<i64>, Vec<Vec<usize>>) {
    let mut dice = case;
    let mut below = |most: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % most
    };
    let (size, lines) = SHAPES[below(3) as usize];
    let counts = if size < 8 { [0, 1, 2, 3, 5, 7] } else { [0, 1, 2, 3, 3, 4] };
    let levels: Vec<i64> = (0..size).map(|_| counts[below(6) as usize]).collect();
    let mut sets: Vec<Vec<usize>> = (0..size).map(|level| vec![level]).collect();
    sets.extend(lines.iter().filter(|_| below(4) > 0).map(|line| line.to_vec()));
    (levels, sets)
}

fn cases(usual: u64) -> u64 {
    std::env::var("HALFLIGHT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

#[test]
fn no_withheld_count_is_pinned_by_counting_out_all_tables() {
    let cases = cases(400);
    let (mut shown, mut small) = (0, 0);
    for case in 0..cases {
        let (levels, sets) = made_up(case);
        let sets: Vec<&[usize]> = sets.iter().map(Vec::as_slice).collect();
        let raw = line(&levels, &sets);
        let standing = raw.standing(2);
        let primary: Vec<usize> = (0..sets.len()).filter(|&c| standing[c] == Standing::Withheld).collect();
        let mut order = Vec::new();
        let search = problem(&raw, &standing, &mut order);
        let mut asked = BTreeSet::new();
        let inspect = |pattern: &Pattern| match cone::inspect(&raw.counts, pattern) {
            Inspection::Safe => match whole::inspect(&raw.counts, pattern, &primary) {
                // sums that did not help: the largest shown cell goes too
                Inspection::Widen(sums, _) if sums.iter().filter(|sum| asked.insert((*sum).clone())).count() == 0 => {
                    let shown = (0..sets.len()).filter(|&cell| !pattern.withheld[cell]);
                    Inspection::Widen(Vec::new(), shown.max_by_key(|&cell| raw.counts[cell]).into_iter().collect())
                }
                found @ (Inspection::Safe | Inspection::Widen(..) | Inspection::Stuck) => found,
            },
            unsafe_yet @ (Inspection::Widen(..) | Inspection::Stuck) => unsafe_yet,
        };
        let pattern = search.solve(inspect).unwrap();
        let seen = values(&levels, &raw, &sets, &pattern);
        let pinned = |&cell: &usize| pattern.withheld[cell] && seen[cell].len() < 2;
        assert_eq!((0..sets.len()).find(pinned), None, "case {case}: {levels:?} {sets:?}");
        shown += pattern.withheld.iter().filter(|withheld| !**withheld).count();
        small += primary.len();
    }
    assert!(shown as u64 > cases && small as u64 > cases, "{shown} {small}");
}

/// The best partners by trying all patterns of at most this many cells that could be one.
const TRIED_MAX: usize = 10;

#[test]
fn branch_and_cut_finds_what_trying_all_patterns_finds() {
    let mut tried = 0;
    for case in 0..cases(400) {
        let (levels, sets) = made_up(case);
        let raw = line(&levels, &sets.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let standing = raw.standing(2);
        let need = |cell: usize| Need { up: 1.0, down: raw.counts[cell].min(1) as f64, width: 0.0 };
        let (open, small): (Vec<usize>, Vec<usize>) =
            (0..sets.len()).partition(|&cell| standing[cell] == Standing::Open);
        let protected: Vec<(usize, Need)> = small.iter().map(|&cell| (cell, need(cell))).collect();
        let safe = |partners: &[usize]| {
            let pattern = hiding(&raw, &[small.as_slice(), partners].concat());
            !pattern.lost && protected.iter().all(|&(cell, _)| at_c(&raw, &pattern, cell) == Found::Enough)
        };
        if open.len() > TRIED_MAX || !safe(&open) {
            continue;
        }
        tried += 1;
        let weights: Vec<i64> = raw.counts.iter().map(|count| 100 + 7 * count).collect();
        let best = exact::cheapest(&raw, &standing, &protected, &weights, open.clone());
        assert_eq!(best.bound, best.cost, "case {case}");
        assert!(safe(&best.partners), "case {case}: {levels:?} {sets:?}");
        for choice in 0_u32..1 << open.len() {
            let partners: Vec<usize> = (0..open.len()).filter(|bit| choice >> bit & 1 == 1).map(|b| open[b]).collect();
            let cost: i64 = partners.iter().map(|&cell| weights[cell]).sum();
            assert!(cost >= best.cost || !safe(&partners), "case {case}: {partners:?} is cheaper and safe");
        }
    }
    assert!(tried > 50, "{tried}");
}
