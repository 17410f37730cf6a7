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

use halflight::suppress::{Found, Inspection, Lattice, Need, Pattern, Problem, Reach, Standing};
use raw::Raw;

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

/// By cell: the values it has in all tables of whole numbers that agree with what is published, up to two.
fn values(levels: &[i64], raw: &Raw, sets: &[&[usize]], pattern: &Pattern) -> Vec<Vec<i64>> {
    let published: Vec<(&[usize], i64)> =
        (0..sets.len()).filter(|&cell| !pattern.withheld[cell]).map(|cell| (sets[cell], raw.counts[cell])).collect();
    let most = levels.iter().sum::<i64>() + 2;
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

#[test]
fn no_withheld_count_is_pinned_by_counting_out_all_tables() {
    let cases: u64 = std::env::var("HALFLIGHT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400);
    let (mut shown, mut small) = (0, 0);
    for case in 0..cases {
        let mut dice = case;
        let mut below = |most: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % most
        };
        // a square of two by three with some of its lines and groups, as sets of its levels
        let levels: Vec<i64> = (0..6).map(|_| [0, 1, 2, 3, 5, 7][below(6) as usize]).collect();
        let mut sets: Vec<Vec<usize>> = (0..6).map(|level| vec![level]).collect();
        let lines: [&[usize]; 9] =
            [&[0, 1, 2], &[3, 4, 5], &[0, 3], &[1, 4], &[2, 5], &[0, 1, 2, 3, 4, 5], &[0, 1, 3, 4], &[1, 2], &[4, 5]];
        sets.extend(lines.iter().filter(|_| below(4) > 0).map(|line| line.to_vec()));
        let sets: Vec<&[usize]> = sets.iter().map(Vec::as_slice).collect();
        let raw = line(&levels, &sets);
        let standing = raw.standing(2);
        let primary: Vec<usize> = (0..sets.len()).filter(|&c| standing[c] == Standing::Withheld).collect();
        let mut order = Vec::new();
        let search = problem(&raw, &standing, &mut order);
        let inspect = |pattern: &Pattern| match cone::inspect(&raw.counts, pattern) {
            Inspection::Safe => whole::inspect(&raw.counts, pattern, &primary),
            unsafe_yet @ (Inspection::Widen(..) | Inspection::Stuck) => unsafe_yet,
        };
        let Some(pattern) = search.solve(inspect) else { continue };
        let seen = values(&levels, &raw, &sets, &pattern);
        assert!(primary.iter().all(|&cell| seen[cell].len() == 2), "case {case}: {levels:?} {sets:?}");
        shown += pattern.withheld.iter().filter(|withheld| !**withheld).count();
        small += primary.len();
    }
    assert!(shown as u64 > cases && small as u64 > cases, "{shown} {small}");
}

/// A square of counts with margins, and the best partners by trying all patterns.
#[test]
fn branch_and_cut_finds_what_trying_all_patterns_finds() {
    for counts in [[1, 9, 4, 8, 2, 6, 5, 7, 3], [2, 5, 9, 9, 8, 4, 7, 3, 6], [0, 6, 5, 4, 1, 8, 9, 7, 6]] {
        let fields: Vec<[String; 3]> = (0..9)
            .map(|cell: usize| [(cell / 3).to_string(), (cell % 3).to_string(), counts[cell].to_string()])
            .collect();
        let rows: Vec<Vec<&str>> = fields.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
        let raw = Raw::of(&rows, &[vec![0], vec![1]]);
        let standing = raw.standing(2);
        let need = |cell: usize| Need { up: 1.0, down: raw.counts[cell].min(1) as f64, width: 0.0 };
        let protected: Vec<(usize, Need)> =
            (0..16).filter(|&cell| standing[cell] == Standing::Withheld).map(|cell| (cell, need(cell))).collect();
        let weights: Vec<i64> = raw.counts.iter().map(|count| 100 + count).collect();
        let open: Vec<usize> = (0..16).filter(|&cell| standing[cell] == Standing::Open).collect();
        let best = exact::best(&raw, &standing, &protected, &weights, open.clone());
        assert_eq!(best.bound, best.cost);
        let safe = |partners: &[usize]| {
            let hidden: Vec<usize> = protected.iter().map(|p| p.0).chain(partners.iter().copied()).collect();
            let pattern = hiding(&raw, &hidden);
            !pattern.lost && protected.iter().all(|&(cell, _)| at_c(&raw, &pattern, cell) == Found::Enough)
        };
        assert!(safe(&best.partners));
        for choice in 0_u32..1 << open.len() {
            let partners: Vec<usize> =
                open.iter().enumerate().filter(|(bit, _)| choice >> bit & 1 == 1).map(|(_, &cell)| cell).collect();
            let cost: i64 = partners.iter().map(|&cell| weights[cell]).sum();
            assert!(cost >= best.cost || !safe(&partners), "{partners:?} is cheaper and safe");
        }
    }
}
