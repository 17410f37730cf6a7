//! What one draw answers of other questions, and what it does not.

use crate::policy::sample::{analyst, bare_with, closed, policy, question, today};
use crate::policy::{MeasureAsked, Plan, Policy, Quantity, Question, Spend, admit, admit_program};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const TABLES: [&[&str]; 4] = [
    &["adm1", "sex", "age"],
    &["sex", "age", "citizenship"],
    &["citizenship", "disability", "health_coverage"],
    &["sex", "employment", "sector"],
];

static POLICY: LazyLock<Policy> = LazyLock::new(|| policy("acs2024"));

/// The shipped program, run.
static PROGRAM: LazyLock<Plan> = LazyLock::new(|| {
    let periods = vec![crate::identity::Period::parse("2024").unwrap()];
    admit_program(&POLICY, &closed(&["2024"]), &analyst(), "annual", periods, today()).unwrap()
});

fn plan(policy: &Policy, question: &Question) -> Plan {
    admit(policy, &closed(&["2024", "2026"]), &analyst(), question, today()).unwrap_or_else(|e| panic!("{e}"))
}

/// The codes that a plan's cells and filters stand for, by name.
fn selected(plan: &Plan) -> (Vec<Vec<&str>>, BTreeMap<&str, Vec<&String>>) {
    let name = |dim: usize| plan.dimensions[dim].name.as_str();
    let members = |cut: &crate::policy::Cut| {
        let levels = cut.levels.iter().map(|&level| &plan.dimensions[cut.dim].levels[level]);
        let mut codes: Vec<&String> = levels.flat_map(|level| &level.members).collect();
        codes.sort();
        codes
    };
    let shown = plan.shown.iter().map(|shown| shown.dims.iter().map(|&dim| name(dim)).collect()).collect();
    (shown, plan.cuts.iter().map(|cut| (name(cut.dim), members(cut))).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_thousand_questions_within_a_program_are_answered_from_it(
        (table, keep, filtered, code) in (0_usize..4, 0_u8..8, 0_usize..3, 0_usize..2), margins in any::<bool>(),
    ) {
        let columns = TABLES[table];
        let by: Vec<&str> = (0..3).filter(|i| keep >> i & 1 == 1).map(|i| columns[i]).collect();
        let spend = Spend::Moe(90.0);
        let mut asked = Question { margins, spend, ..question("acs2024", &by, &["2024"], "0.01") };
        let (_, codes) = POLICY.dimensions().find(|(c, _)| c.name == columns[filtered]).unwrap();
        let codes = codes.codes.iter().skip(code).take(1 + code).map(|c| c.id.clone());
        asked.filter.insert(columns[filtered].into(), codes.collect());
        let own = plan(&POLICY, &asked);
        let over = own.over(&POLICY, PROGRAM.draw, &PROGRAM.form());
        let over = over.unwrap_or_else(|| panic!("{asked:?}"));
        prop_assert_eq!(selected(&own), selected(&over));
        prop_assert_eq!((over.draw, over.cost), (PROGRAM.draw, PROGRAM.cost));
        for (here, there) in own.shown.iter().zip(&over.shown).take(own.asked) {
            let (paid, free) = (own.predicted_variance(here), over.predicted_variance(there));
            prop_assert!(free <= paid, "{free} {paid}");
        }
        prop_assert!(over.precision() <= PROGRAM.form().precision_at_most(PROGRAM.accounting), "a bound is a bound");
    }
}

#[test]
fn more_precision_than_a_draw_has_is_drawn_anew() {
    let asked = |rho: &str| plan(&POLICY, &question("acs2024", &["sex"], &["2024"], rho));
    assert!(asked("0.001").over(&POLICY, PROGRAM.draw, &PROGRAM.form()).is_some());
    assert!(asked("0.1").over(&POLICY, PROGRAM.draw, &PROGRAM.form()).is_none());
    let at_most = |rho: &str| asked(rho).form().precision_at_most(PROGRAM.accounting);
    assert!(at_most("0.01") < asked("0.0101").precision(), "seen without laying one over the other");
    assert!(at_most("0.01") >= asked("0.01").precision());
}

#[test]
fn what_was_not_measured_together_is_not_answered() {
    let crossed = plan(&POLICY, &question("acs2024", &["adm1", "disability"], &["2024"], "0.001"));
    assert!(crossed.over(&POLICY, PROGRAM.draw, &PROGRAM.form()).is_none(), "both were, in different tables");
    let measures = vec![MeasureAsked::Mean { column: "wage_year".into() }];
    let mean = plan(&POLICY, &Question { measures, ..question("acs2024", &["sex"], &["2024"], "0.002") });
    assert!(mean.over(&POLICY, PROGRAM.draw, &PROGRAM.form()).is_none(), "persons alone were counted");
}

#[test]
fn shares_and_means_come_from_the_draws_that_measured_their_parts() {
    let of = BTreeMap::from([("sex".to_owned(), vec!["F".to_owned()])]);
    let share = vec![MeasureAsked::Share { of }];
    let share = plan(&POLICY, &Question { measures: share, ..question("acs2024", &["age"], &["2024"], "0.001") });
    let over = share.over(&POLICY, PROGRAM.draw, &PROGRAM.form()).unwrap();
    assert_ne!(over.release, share.release);
    let mean = |by: &[&str], rho: &str, kind: fn(String) -> MeasureAsked| {
        let measures = vec![kind("wage_year".into())];
        plan(&POLICY, &Question { measures, ..question("acs2024", by, &["2024"], rho) })
    };
    let drawn = mean(&["sex", "citizenship"], "0.09", |column| MeasureAsked::Mean { column });
    let sum = mean(&["sex"], "0.002", |column| MeasureAsked::Sum { column });
    let over = sum.over(&POLICY, drawn.draw, &drawn.form()).unwrap();
    assert!(over.variance_of(&Quantity::Persons, &[], &over.shown[0]).is_finite());
}

#[test]
fn persons_who_are_in_several_cells_are_never_added_up() {
    let health = bare_with("health", &[("per_release_max = \"0.05\"", "per_release_max = \"0.2\"")]);
    let ask = |by: &[&str], rho: &str| question("health", by, &["2026"], rho);
    let drawn = plan(&health, &ask(&["service", "sex"], "0.2"));
    let over = |asked: &Question| plan(&health, asked).over(&health, drawn.draw, &drawn.form());
    assert!(over(&ask(&["service", "sex"], "0.1")).is_some());
    assert!(over(&ask(&["sex"], "0.05")).is_none(), "a margin of distinct persons is no sum of them");
    let filtered = |codes: &[&str]| {
        let mut asked = ask(&["sex"], "0.05");
        asked.filter.insert("service".into(), codes.iter().map(|c| (*c).to_owned()).collect());
        asked
    };
    assert!(over(&filtered(&["primary"])).is_some(), "one service is a cell");
    assert!(over(&filtered(&["primary", "emergency"])).is_none(), "two are not");
}
