//! G4, the plan's half: the declared sensitivities bound what one person can change, by brute force over small persons.

use crate::policy::sample::{analyst, bare_with, closed, question, today};
use crate::policy::{Plan, Policy, Question, admit};
use std::collections::{BTreeMap, BTreeSet};

const QUARTERS: [&str; 3] = ["2025-Q1", "2025-Q2", "2025-Q3"];

/// The health register with as many rows a person, by quarter, and room for any question.
fn register(rows_max: u32) -> Policy {
    bare_with(
        "health",
        &[
            ("rows_max = 6", &format!("rows_max = {rows_max}")),
            ("rho = \"0.25\"", "rho = \"90\""),
            ("per_release_max = \"0.05\"", "per_release_max = \"50\""),
        ],
    )
}

fn plan(policy: &Policy, by: &[&str], periods: &[&str], margins: bool) -> Plan {
    let asked = Question { margins, ..question("health", by, periods, "40") };
    admit(policy, &closed(&QUARTERS), &analyst(), &asked, today()).unwrap_or_else(|e| panic!("{e}"))
}

/// How many cells one worst person touches, and how often: `rows` rows in each period, each with other codes.
fn worst_person(plan: &Plan, dims: &[usize], rows: usize) -> (u64, u64) {
    let mut cells: BTreeMap<Vec<usize>, u64> = BTreeMap::new();
    let per_row = dims.iter().any(|&d| plan.dimensions[d].per_row);
    for period in 0..plan.editions.len() {
        let mut touched = BTreeSet::new();
        // The k-th row takes the k-th cell of the per-row columns; per-person columns and the period are one value.
        for row in 0..if per_row { rows } else { 1 } {
            let mut rest = row;
            let key: Vec<usize> = dims
                .iter()
                .map(|&d| {
                    let dimension = &plan.dimensions[d];
                    if dimension.name == "period" {
                        return period;
                    }
                    if !dimension.per_row {
                        return 0;
                    }
                    let level = rest % dimension.levels.len();
                    rest /= dimension.levels.len();
                    level
                })
                .collect();
            touched.insert(key);
        }
        for key in touched {
            *cells.entry(key).or_insert(0) += 1;
        }
    }
    (cells.values().sum(), cells.values().map(|n| n * n).sum())
}

#[test]
fn no_person_passes_the_declared_sensitivity_and_the_worst_one_reaches_it() {
    for rows_max in [1, 2, 5] {
        let policy = register(rows_max);
        for by in [
            vec!["sex"],
            vec!["coverage"],
            vec!["period", "coverage"],
            vec!["sex", "interpreter"],
            vec!["period", "sex"],
            vec![],
        ] {
            for periods in 1..=3 {
                let plan = plan(&policy, &by, &QUARTERS[..periods], true);
                for table in &plan.measured {
                    let (l1, l2_squared) = worst_person(&plan, &table.dims, usize::try_from(rows_max).unwrap());
                    let case = format!("{by:?} {rows_max} rows, {periods} periods, table {:?}", table.dims);
                    assert!(l1 <= table.l1 && l2_squared <= table.l2_squared, "{case}: {l1} {l2_squared} {table:?}");
                    let mixed = table.dims.iter().any(|&d| plan.dimensions[d].per_row)
                        && table
                            .dims
                            .iter()
                            .any(|&d| !plan.dimensions[d].per_row && plan.dimensions[d].name != "period");
                    if !mixed {
                        assert_eq!((l1, l2_squared), (table.l1, table.l2_squared), "{case}: and not more than needed");
                    }
                }
            }
        }
    }
}

#[test]
fn known_sensitivities_are_as_designed() {
    let policy = register(6);
    let of = |by: &[&str], periods: usize| {
        let plan = plan(&policy, by, &QUARTERS[..periods], false);
        (plan.measured[0].l1, plan.measured[0].l2_squared, plan.measured[0].distinct)
    };
    assert_eq!(of(&["sex"], 1), (1, 1, false));
    assert_eq!(of(&["sex"], 3), (3, 9, false), "pooled");
    assert_eq!(of(&["period", "sex"], 3), (3, 3, false), "by period");
    assert_eq!(of(&["service"], 1), (6, 6, true), "six rows, eight services");
    assert_eq!(of(&["interpreter"], 1), (3, 3, true), "no more cells than there are");
    assert_eq!(of(&["service"], 3), (18, 54, true), "pooled");
    assert_eq!(of(&["period", "service"], 3), (18, 18, true), "by period");
}
