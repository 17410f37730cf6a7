//! Comparisons against what can be worked out in other ways: covariances by brute force, intervals by what they cover.

use super::*;
use crate::policy::sample::{analyst, bare_with, closed, question, today};
use crate::policy::{Codes, ComparedAsked, Figure, MeasureAsked, Plan, Policy, Question, admit};
use crate::release::simulated::{Noise, drawn, margin, variance};
use crate::release::table::Linked;
use crate::release::telling::{Told, tell};

/// A coverage over so many runs has a standard error of at most 0.36 points about 95 %: the bounds of 93 and 97 % are
/// more than 6.4 of them away (normal deviations), a false alarm in fewer than one of 1e9 checks.
const RUNS: usize = 5_000;

fn acs() -> Policy {
    bare_with(
        "acs2024",
        &[("rho = \"0.2\"", "rho = \"90\""), ("per_release_max = \"0.1\"", "per_release_max = \"50\"")],
    )
}

fn codes(column: &str, chosen: &[&str]) -> Codes {
    [(column.to_owned(), chosen.iter().map(|code| (*code).to_owned()).collect())].into()
}

fn sexes(contrast: Contrast, what: Option<ComparedAsked>) -> MeasureAsked {
    let (of, against) = (codes("sex", &["F"]), codes("sex", &["M"]));
    match contrast {
        Contrast::Difference => MeasureAsked::Difference { of, against, what },
        Contrast::Ratio => MeasureAsked::Ratio { of, against, what },
    }
}

fn admitted(policy: &Policy, asked: &Question, period: &str) -> Plan {
    admit(policy, &closed(&[period]), &analyst(), asked, today()).unwrap_or_else(|e| panic!("{e}"))
}

fn plan(by: &[&str], margins: bool, measures: Vec<MeasureAsked>, rho: &str) -> Plan {
    admitted(&acs(), &Question { measures, margins, ..question("acs2024", by, &["2024"], rho) }, "2024")
}

fn comparison(figure: &Figure) -> &Comparison {
    let Figure::Comparison(comparison) = figure else { panic!("a comparison") };
    comparison
}

fn told(plan: &Plan, noisy: &crate::noise::NoisyTables, figure: usize) -> Vec<Vec<Option<Outcome>>> {
    let z = crate::estimate::quantile95(plan.accounting);
    outcomes(&Parts::new(plan, noisy), comparison(&plan.figures[figure]), z).unwrap()
}

/// By shown table: how the parts of its first cell vary together.
fn by_force(plan: &Plan, quantity: &Quantity, cuts: &[&[Cut]]) -> Vec<Vec<Vec<f64>>> {
    by_force_in(plan, quantity, cuts, 0)
}

/// By shown table: how the parts of a cell vary together, summed up from what a unit of noise in each measured cell
/// does to it.
fn by_force_in(plan: &Plan, quantity: &Quantity, cuts: &[&[Cut]], at: usize) -> Vec<Vec<Vec<f64>>> {
    let parts = cuts.len();
    let mut sums = vec![vec![vec![0.0; parts]; parts]; plan.shown.len()];
    let measured = plan.measured.iter().filter(|m| m.quantity == *quantity);
    for one in measured {
        for cell in 0..plan.cells(&one.dims) {
            let unit = |m: &crate::policy::Measured, place| i64::from(m == one && place == cell) * 1_000;
            let noisy = drawn(plan, unit);
            let tables = Parts::new(plan, &noisy).within(quantity, cuts).unwrap();
            for (sums, table) in sums.iter_mut().zip(tables) {
                let weights = table.cells(|joint| joint.values.to_vec()).swap_remove(at);
                for (row, a) in sums.iter_mut().zip(&weights) {
                    row.iter_mut().zip(&weights).for_each(|(sum, b)| *sum += a * b * 1e-6 * variance(one));
                }
            }
        }
    }
    sums
}

#[test]
fn covariances_are_those_of_brute_force() {
    let share = Some(ComparedAsked::Share { of: codes("citizenship", &["non_citizen"]) });
    let mean = Some(ComparedAsked::Mean { column: "wage_year".into() });
    let additive = plan(
        &["disability"],
        true,
        vec![sexes(Contrast::Difference, None), sexes(Contrast::Ratio, share), sexes(Contrast::Difference, mean)],
        "8",
    );
    let health = bare_with(
        "health",
        &[("rho = \"0.25\"", "rho = \"90\""), ("per_release_max = \"0.05\"", "per_release_max = \"50\"")],
    );
    let services = |what| MeasureAsked::Difference {
        of: codes("service", &["primary", "emergency"]),
        against: codes("service", &["antenatal"]),
        what,
    };
    let covered = Some(ComparedAsked::Share { of: codes("coverage", &["public"]) });
    let asked = Question {
        measures: vec![services(None), services(covered)],
        margins: true,
        ..question("health", &["sex"], &["2026"], "8")
    };
    let distinct = admitted(&health, &asked, "2026");
    let mut checked = 0;
    for plan in [&additive, &distinct] {
        for figure in &plan.figures {
            let comparison = comparison(figure);
            let quantities = match &comparison.compared {
                Compared::Means(n, _) => vec![Quantity::Sum(n.clone()), Quantity::Valued(n.clone())],
                Compared::Persons(_) | Compared::Shares(_) => vec![Quantity::Persons],
            };
            for quantity in quantities {
                let cuts = comparison.parts();
                let noisy = drawn(plan, |_, _| 0);
                let tables = Parts::new(plan, &noisy).within(&quantity, &cuts).unwrap();
                for (table, force) in tables.iter().zip(by_force(plan, &quantity, &cuts)) {
                    let closed = table.cells(|joint| joint.covariance.to_vec()).swap_remove(0);
                    for (closed, force) in closed.iter().flatten().zip(force.iter().flatten()) {
                        assert!(
                            (closed - force).abs() < 1e-6 * force.abs().max(1e-3),
                            "{}: {closed} {force}",
                            comparison.name
                        );
                        checked += 1;
                    }
                }
            }
        }
    }
    assert!(checked > 60, "{checked}");
}

/// In every cell: where a dimension is measured at two levels, and where combinations are impossible, cells differ.
#[test]
fn covariances_of_cells_that_are_not_alike_are_those_of_brute_force() {
    let rich = [("\nrho = \"0.2", "\nrho = \"90.2"), ("per_release_max = \"0.", "per_release_max = \"9.")];
    let tables = [["adm1", "urban"], ["region", "urban"]].map(|table| table.map(str::to_owned).to_vec());
    let nested = Question {
        by: None,
        tables: Some(tables.to_vec()),
        measures: vec![sexes(Contrast::Difference, None)],
        ..question("residence", &[], &["2026-Q1"], "2")
    };
    let nested = admitted(&bare_with("residence", &rich), &nested, "2026-Q1");
    assert!(nested.nesting().is_some());
    let share = Some(ComparedAsked::Share { of: codes("employment", &["unemployed"]) });
    let impossible = plan(&["age"], false, vec![sexes(Contrast::Ratio, share)], "8");
    assert!(!impossible.structural_zeros.is_empty());
    for plan in [&nested, &impossible] {
        let cuts = comparison(&plan.figures[0]).parts();
        let measured: Vec<_> = plan.measured.iter().map(|one| (one.dims.clone(), variance(one))).collect();
        for shown in &plan.shown {
            let (kinds, kind_of) = crate::estimate::together(plan, &measured, shown, &cuts).unwrap();
            assert!(kinds.len() > 1 && kind_of.iter().all(|kind| *kind < kinds.len()));
        }
        for cell in [0, 1, 7] {
            let tables = Parts::new(plan, &drawn(plan, |_, _| 0)).within(&Quantity::Persons, &cuts).unwrap();
            for (table, force) in tables.iter().zip(by_force_in(plan, &Quantity::Persons, &cuts, cell)) {
                let closed = table.cells(|joint| joint.covariance.to_vec()).swap_remove(cell);
                for (closed, force) in closed.iter().flatten().zip(force.iter().flatten()) {
                    assert!((closed - force).abs() < 1e-5 * force.abs().max(1e-3), "{cell}: {closed} {force}");
                }
            }
        }
    }
}

/// Base and numerator of a share cut out of the same table of distinct persons share its noise.
#[test]
fn a_share_within_a_filter_on_its_own_column_varies_with_its_base_where_nothing_adds_up() {
    let health = bare_with(
        "health",
        &[("rho = \"0.25\"", "rho = \"90\""), ("per_release_max = \"0.05\"", "per_release_max = \"50\"")],
    );
    let mut asked = Question {
        measures: vec![MeasureAsked::Share { of: codes("mig_status", &["regular_temporary"]) }],
        ..question("health", &["service"], &["2026"], "8")
    };
    asked.filter = codes("mig_status", &["regular_permanent", "regular_temporary"]);
    let plan = admitted(&health, &asked, "2026");
    assert!(!plan.additive);
    let Figure::Share { of, .. } = &plan.figures[0] else { panic!("a share") };
    let cuts: [&[Cut]; 2] = [&[], of];
    let noisy = drawn(&plan, |_, _| 0);
    let table = Parts::new(&plan, &noisy).within(&Quantity::Persons, &cuts).unwrap().swap_remove(0);
    let closed = table.cells(|joint| joint.covariance.to_vec()).swap_remove(0);
    let force = by_force(&plan, &Quantity::Persons, &cuts).swap_remove(0);
    assert!(force[0][1] > 0.0 && (closed[0][1] / force[0][1] - 1.0).abs() < 1e-6, "{closed:?} {force:?}");
}

#[test]
fn the_variance_of_a_difference_is_not_the_sum_of_two_variances() {
    let plan = plan(&["disability"], true, vec![sexes(Contrast::Difference, None)], "8");
    let cuts = comparison(&plan.figures[0]).parts();
    let noisy = drawn(&plan, |_, _| 100_000);
    let tables = Parts::new(&plan, &noisy).within(&Quantity::Persons, &cuts).unwrap();
    for (table, told) in tables.iter().zip(told(&plan, &noisy, 0)) {
        let joint = table.cells(|joint| joint.covariance.to_vec()).swap_remove(0);
        let error = told[0].unwrap().standard_error.unwrap();
        let (sum, shared) = (joint[0][0] + joint[1][1], joint[0][1]);
        assert!((error * error / (sum - 2.0 * shared) - 1.0).abs() < 1e-9);
        assert!(shared.abs() > 0.01 * sum, "the groups of a table with margins vary together: {joint:?}");
    }
}

/// 5,000 draws each: what is told has to hold the truth in 95 %, in small cells and in large ones.
#[test]
fn intervals_of_comparisons_cover_what_they_say() {
    let share = || Some(ComparedAsked::Share { of: codes("citizenship", &["non_citizen"]) });
    let mean = || Some(ComparedAsked::Mean { column: "wage_year".into() });
    let mut measures = Vec::new();
    for contrast in [Contrast::Difference, Contrast::Ratio] {
        measures.extend([None, share(), mean()].map(|what| sexes(contrast, what)));
    }
    let plan = plan(&["disability"], true, measures, "0.3");
    let sex = plan.dimensions.iter().position(|d| d.name == "sex").unwrap();
    let citizenship = plan.dimensions.iter().position(|d| d.name == "citizenship").unwrap();
    let disability = plan.dimensions.iter().position(|d| d.name == "disability").unwrap();
    let persons = |codes: &[usize]| {
        let of = [[700, 260], [5_000, 1_900]][codes[disability] % 2][codes[citizenship] % 2];
        if codes[sex] == 0 { of * 6 / 5 } else { of }
    };
    let exact = |m: &crate::policy::Measured, place: usize| {
        margin(&plan, &m.dims, place, |codes| match m.quantity {
            Quantity::Sum(_) => persons(codes) * if codes[sex] == 0 { -60_000 } else { -45_000 },
            Quantity::Persons | Quantity::Rows | Quantity::Valued(_) | Quantity::Bins(..) => persons(codes),
        })
    };
    let truth: Vec<Vec<i64>> =
        plan.measured.iter().map(|m| (0..plan.cells(&m.dims)).map(|place| exact(m, place)).collect()).collect();
    let table_of = |m: &crate::policy::Measured| plan.measured.iter().position(|other| other == m).unwrap();
    let silent = drawn(&plan, |m, place| truth[table_of(m)][place]);
    let exactly: Vec<_> = (0..plan.figures.len()).map(|figure| told(&plan, &silent, figure)).collect();
    let mut random = Noise(20_261_128);
    let mut held = vec![vec![vec![(0_u32, 0_u32); 2]; plan.shown.len()]; plan.figures.len()];
    for _ in 0..RUNS {
        let noisy = drawn(&plan, |m, place| truth[table_of(m)][place] + random.next(variance(m).sqrt()));
        for (figure, (held, exactly)) in held.iter_mut().zip(&exactly).enumerate() {
            for ((held, exactly), found) in held.iter_mut().zip(exactly).zip(told(&plan, &noisy, figure)) {
                for ((held, exactly), found) in held.iter_mut().zip(exactly).zip(found) {
                    let (Some(exactly), Some(found)) = (exactly, found) else { continue };
                    let Some((low, high)) = found.interval else { continue };
                    *held = (held.0 + u32::from((low..=high).contains(&exactly.value)), held.1 + 1);
                }
            }
        }
    }
    let mut checked = 0;
    for (figure, held) in plan.figures.iter().zip(held) {
        for (shown, cells) in plan.shown.iter().zip(held) {
            for (held, told) in cells.into_iter().filter(|(_, told)| *told > 0) {
                let covered = f64::from(held) / f64::from(told);
                println!("{} {:?}: {covered:.4} of {told}", figure.name(), shown.dims);
                assert!(usize::try_from(told).unwrap() > RUNS * 99 / 100, "told in nearly every run");
                assert!((0.93..=0.97).contains(&covered), "{}: {covered}", figure.name());
                checked += 1;
            }
        }
    }
    assert!(checked >= 18, "{checked}: two cells and their total, six comparisons");
}

/// What is told of the only cell, where so many women and men are no citizens and are.
fn told_of(persons: [[i64; 2]; 2], measure: MeasureAsked) -> Vec<(String, bool)> {
    let plan = plan(&[], false, vec![measure], "8");
    let dim = |name: &str| plan.dimensions.iter().position(|d| d.name == name).unwrap();
    let (sex, citizenship) = (dim("sex"), plan.dimensions.iter().position(|d| d.name == "citizenship"));
    let of = |codes: &[usize]| citizenship.map_or(persons[codes[sex]].iter().sum(), |c| persons[codes[sex]][codes[c]]);
    let noisy = drawn(&plan, |m, place| margin(&plan, &m.dims, place, of));
    let telling = tell(&plan, &Parts::new(&plan, &noisy), &Linked::new()).unwrap();
    let columns = &telling.tables[0].columns;
    let shown = |told: &Told| matches!(told, Told::Shown(..));
    columns.iter().map(|column| (column.name.clone(), shown(&column.told[0]))).collect()
}

#[test]
fn a_comparison_is_silent_with_few_persons_in_a_group_or_left_of_one() {
    let persons = || sexes(Contrast::Difference, None);
    let shares = || sexes(Contrast::Ratio, Some(ComparedAsked::Share { of: codes("citizenship", &["non_citizen"]) }));
    let silent =
        |told: &[(String, bool)]| told.iter().find(|(name, _)| name.contains('/')).is_some_and(|(_, shown)| !shown);
    assert!(!silent(&told_of([[300, 200], [150, 150]], persons())));
    assert!(silent(&told_of([[300, 200], [4, 4]], persons())), "few men");
    assert!(!silent(&told_of([[300, 200], [150, 150]], shares())));
    assert!(silent(&told_of([[300, 200], [295, 5]], shares())), "few men who are counted");
    let few_left = told_of([[3, 497], [150, 150]], shares());
    assert!(silent(&few_left), "few women who are not, though many persons");
    let of_women = |told: &[(String, bool)], name: &str| told.iter().any(|(n, shown)| n == name && *shown);
    let women = ["persons:sex=F", "persons:citizenship=non_citizen,sex=F"].map(|name| of_women(&few_left, name));
    assert_eq!(
        women,
        [false, false],
        "the three follow from both; of the two hidden then, one might know the other (E)"
    );
}

#[test]
fn a_difference_is_reliable_beside_the_larger_figure_and_without_bounds_there_are_none() {
    let covariance = [vec![16.0, 0.0], vec![0.0, 16.0]];
    let of =
        |values: [f64; 2], contrast| of_persons(contrast, &Joint { values: &values, covariance: &covariance }, 1.96);
    let same = of([1_000.0, 1_001.0], Contrast::Difference).unwrap();
    assert!(same.reliable(0.5), "that two large groups are alike is well known");
    assert!(!of([15.0, 16.0], Contrast::Difference).unwrap().reliable(0.5));
    let ratio = of([30.0, 7.0], Contrast::Ratio).unwrap();
    assert!(ratio.interval.is_none() && !ratio.reliable(10.0));
    assert!(of([30.0, -7.0], Contrast::Ratio).is_none());
}
