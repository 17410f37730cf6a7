//! The same question in any disguise is the same draw and the same release; another cut is the same draw.

use crate::policy::sample::{analyst, bare_with, closed, policy, question, today};
use crate::policy::{Plan, Policy, Question, Spend, admit};
use proptest::prelude::*;
use std::sync::LazyLock;

static POLICY: LazyLock<Policy> = LazyLock::new(|| policy("residence"));

fn plan(question: &Question) -> Plan {
    admit(&POLICY, &closed(&["2025-Q1", "2025-Q2"]), &analyst(), question, today()).unwrap_or_else(|e| panic!("{e}"))
}

fn codes(column: &str) -> Vec<String> {
    let (_, list) = POLICY.dimensions().find(|(c, _)| c.name == column).unwrap();
    list.codes.iter().map(|c| c.id.clone()).collect()
}

fn asked() -> Question {
    let mut asked = question("residence", &["sex", "age", "period"], &["2025-Q1", "2025-Q2"], "0.02");
    asked.filter.insert("disability".into(), vec!["none".into(), "severe".into()]);
    asked.margins = true;
    asked
}

fn shuffled<T: Clone + std::fmt::Debug + 'static>(items: Vec<T>) -> impl Strategy<Value = Vec<T>> {
    let again = items.clone();
    (Just(items).prop_shuffle(), proptest::sample::subsequence(again.clone(), 0..=again.len())).prop_map(
        |(mut all, more)| {
            all.extend(more);
            all
        },
    )
}

proptest! {
    #[test]
    fn a_disguised_question_is_the_same_draw_and_release(
        by in shuffled(vec!["sex".to_owned(), "age".to_owned(), "period".to_owned()]),
        disability in shuffled(vec!["none".to_owned(), "severe".to_owned()]),
        urban in shuffled(codes("urban")),
        periods in shuffled(asked().periods),
        as_tables in any::<bool>(),
        all_codes in any::<bool>(),
        purpose in prop::sample::select(vec!["treaty_body", "sdg", "upr"]),
        zeros in 0_usize..6,
    ) {
        let original = plan(&asked());
        let mut other = asked();
        other.by = (!as_tables).then(|| by.clone());
        other.tables = as_tables.then(|| vec![by.clone(), by]);
        other.filter.insert("disability".into(), disability);
        if all_codes {
            other.filter.insert("urban".into(), urban);
        }
        other.periods = periods;
        other.purpose = crate::identity::Purpose::parse(purpose).unwrap();
        other.spend = Spend::Rho(crate::budget::Nanos::parse(&format!("0.02{}", "0".repeat(zeros))).unwrap());
        let disguised = plan(&other);
        prop_assert_eq!(original.draw, disguised.draw);
        prop_assert_eq!(original.release, disguised.release);
        prop_assert_eq!(original.measurement, disguised.measurement);
        prop_assert_eq!(original.question.to_string(), disguised.question.to_string());
    }

    #[test]
    fn another_filter_on_the_same_dimensions_is_the_same_draw_and_another_release(
        one in proptest::sample::subsequence(codes("disability"), 1..4),
        two in proptest::sample::subsequence(codes("disability"), 1..4),
    ) {
        let with = |codes: &[String]| {
            let mut other = asked();
            other.filter.insert("disability".into(), codes.to_vec());
            plan(&other)
        };
        let (first, second) = (with(&one), with(&two));
        prop_assert_eq!(first.draw, second.draw);
        prop_assert_eq!(first.release == second.release, one == two);
    }
}

#[test]
fn a_filter_and_a_break_down_of_it_are_one_draw() {
    let broken_down = Question { margins: true, ..question("residence", &["adm1", "sex"], &["2025-Q1"], "0.02") };
    let mut filtered = Question { margins: true, ..question("residence", &["adm1"], &["2025-Q1"], "0.02") };
    filtered.filter.insert("sex".into(), vec!["F".into()]);
    assert_eq!(plan(&broken_down).draw, plan(&filtered).draw);
    assert_ne!(plan(&broken_down).release, plan(&filtered).release);
}

#[test]
fn what_is_measured_or_paid_makes_another_draw() {
    let original = plan(&asked());
    let mut dearer = asked();
    dearer.spend = Spend::Rho(crate::budget::Nanos::parse("0.019").unwrap());
    assert_ne!(plan(&dearer).draw, original.draw);
    assert_eq!(plan(&dearer).measurement, original.measurement, "the same measurement at another price");
    let mut alone = asked();
    alone.margins = false;
    assert_ne!(plan(&alone).draw, original.draw);
    let mut one = asked();
    one.periods.truncate(1);
    assert_ne!(plan(&one).measurement, original.measurement);
    let mut newer = closed(&["2025-Q1", "2025-Q2"]);
    newer.editions[0].number = 2;
    let corrected = admit(&POLICY, &newer, &analyst(), &asked(), today()).unwrap();
    assert_ne!(corrected.draw, original.draw, "a correction is a new question");
}

#[test]
fn the_canonical_question_asks_the_same_again() {
    let original = plan(&asked());
    let mut again = original.question.clone();
    again["purpose"] = "sdg".into();
    let again: Question = serde_json::from_value(again).unwrap();
    assert_eq!(plan(&again).release, original.release);
    assert_eq!(original.question["spend"]["rho"], "0.02");
    assert!(original.question.get("purpose").is_none());
}

// G11
#[test]
fn a_grouped_filter_and_its_opposite_are_one_draw() {
    let policy = bare_with("acs2024", &[("cells_max = 20000", "cells_max = 50")]);
    let (_, list) = policy.dimensions().find(|(c, _)| c.name == "adm1").unwrap();
    let all: Vec<String> = list.codes.iter().map(|c| c.id.clone()).collect();
    for chosen in [vec![0], vec![7], vec![0, 3], vec![2, 48]] {
        let plan = |inside: bool| {
            let mut asked = question("acs2024", &["sex"], &["2024"], "0.01");
            let codes = all.iter().enumerate().filter(|(i, _)| chosen.contains(i) == inside);
            asked.filter.insert("adm1".into(), codes.map(|(_, code)| code.clone()).collect());
            admit(&policy, &closed(&["2024"]), &analyst(), &asked, today()).unwrap_or_else(|e| panic!("{e}"))
        };
        let (filtered, opposite) = (plan(true), plan(false));
        assert_eq!(filtered.draw, opposite.draw, "{chosen:?}");
        assert_ne!(filtered.release, opposite.release);
        let shown = |plan: &Plan| plan.dimensions[0].levels[plan.cuts[0].levels[0]].members.len();
        assert_eq!((shown(&filtered), shown(&opposite)), (chosen.len(), all.len() - chosen.len()));
    }
}
