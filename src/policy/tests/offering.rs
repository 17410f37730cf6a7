//! What is offered instead of a refused question.

use crate::policy::sample::{analyst, closed, policy, question, today};
use crate::policy::{Inadmissible, Question, Spend, admit, alternatives};
use std::collections::BTreeSet;

const CLOSED: [&str; 2] = ["2025-Q1", "2025-Q2"];

fn offered(asked: &Question) -> Vec<(String, Question)> {
    let policy = policy("residence");
    let refused = admit(&policy, &closed(&CLOSED), &analyst(), asked, today());
    assert!(refused.is_err());
    let offered = alternatives(&policy, &closed(&CLOSED), &analyst(), asked, today());
    let mut releases = BTreeSet::new();
    for (change, question) in &offered {
        let plan =
            admit(&policy, &closed(&CLOSED), &analyst(), question, today()).unwrap_or_else(|e| panic!("{change}: {e}"));
        assert!(releases.insert(plan.release), "{change}: offered twice");
    }
    assert!(offered.len() <= 5);
    offered
}

fn changes(asked: &Question) -> Vec<String> {
    offered(asked).into_iter().map(|(change, _)| change).collect()
}

#[test]
fn a_forbidden_crossing_is_offered_without_each_of_its_columns() {
    let asked = question("residence", &["adm1", "cit_group", "age"], &["2025-Q1"], "0.02");
    let changes = changes(&asked);
    let groups = "`continent` instead of `cit_group`";
    assert_eq!(changes[..4], [groups, "without `age`", "without `cit_group`", "without `adm1`"]);
}

#[test]
fn people_without_papers_are_offered_for_the_whole_country() {
    let mut asked = question("residence", &["adm1", "sex"], &["2025-Q1"], "0.02");
    asked.filter.insert("mig_status".into(), vec!["irregular".into()]);
    let changes = changes(&asked);
    assert!(changes.contains(&"without `adm1`".to_owned()), "{changes:?}");
    assert!(changes.contains(&"without `mig_status`".to_owned()), "{changes:?}");
}

#[test]
fn a_slip_of_the_pen_is_set_right() {
    let mut asked = question("residence", &["sexx"], &["2025-Q1"], "0.02");
    asked.filter.insert("mig_status".into(), vec!["iregular".into()]);
    let offered = offered(&asked);
    assert_eq!(offered[0].0, "`sex` instead of `sexx`, `irregular` instead of `iregular`");
}

#[test]
fn other_periods_and_prices_are_offered_where_they_stand_in_the_way() {
    let open = question("residence", &["sex"], &["2025-Q2", "2025-Q4"], "0.02");
    assert_eq!(changes(&open)[0], "over 2025-Q2");
    let none = question("residence", &["sex"], &["2025-Q4"], "0.02");
    assert_eq!(changes(&none)[0], "over 2025-Q2");
    let dear = question("residence", &["sex"], &["2025-Q4"], "0.5");
    assert_eq!(changes(&dear)[0], "over 2025-Q2, spending \"0.02\"");
    let other_key = Question { spend: Spend::Epsilon(crate::budget::Nanos::parse("1").unwrap()), ..none };
    assert_eq!(changes(&other_key)[0], "spending \"0.02\", over 2025-Q2");
}

#[test]
fn nothing_is_offered_where_no_question_would_help() {
    let policy = policy("residence");
    let asked = question("residence", &["sex"], &["2025-Q1"], "0.02");
    let mut enforcer = analyst();
    enforcer.class = crate::identity::Class::parse("enforcement").unwrap();
    assert_eq!(alternatives(&policy, &closed(&CLOSED), &enforcer, &asked, today()), []);
    let curious = Question { purpose: crate::identity::Purpose::parse("curiosity").unwrap(), ..asked.clone() };
    assert_eq!(alternatives(&policy, &closed(&CLOSED), &analyst(), &curious, today()), []);
    let suspended = crate::policy::Standing { suspended: true, ..closed(&CLOSED) };
    assert_eq!(alternatives(&policy, &suspended, &analyst(), &asked, today()), []);
    assert!(matches!(
        admit(&policy, &suspended, &analyst(), &asked, today()).map(|_| ()),
        Err(Inadmissible::DatasetSuspended)
    ));
}
