//! What is offered instead of a refused question.

use crate::budget::Nanos;
use crate::policy::sample::{analyst, bare_with, closed, policy, question, today};
use crate::policy::{Inadmissible, Offer, Policy, Question, Spend, Standing, admit, alternatives};
use std::collections::BTreeSet;

const CLOSED: [&str; 2] = ["2025-Q1", "2025-Q2"];

/// Two orders of magnitude more than any question here costs.
const PLENTY: Nanos = Nanos::from_nanos(2_000_000_000);

fn offered(policy: &Policy, closed: &Standing, asked: &Question, left: Nanos) -> Vec<Offer> {
    let offered = alternatives(policy, closed, &analyst(), asked, today(), left);
    let mut releases = BTreeSet::new();
    for Offer { change, question, plan } in &offered {
        let admitted = admit(policy, closed, &analyst(), question, today()).unwrap_or_else(|e| panic!("{change}: {e}"));
        assert!((admitted.release, admitted.cost) == (plan.release, plan.cost) && plan.cost <= left, "{change}");
        assert!(releases.insert(plan.release), "{change}: offered twice");
    }
    assert!(offered.len() <= 5);
    offered
}

fn changes(asked: &Question) -> Vec<String> {
    let (policy, closed) = (policy("residence"), closed(&CLOSED));
    assert!(admit(&policy, &closed, &analyst(), asked, today()).is_err());
    offered(&policy, &closed, asked, PLENTY).into_iter().map(|offer| offer.change).collect()
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
    assert_eq!(changes(&asked)[0], "`sex` instead of `sexx`, `irregular` instead of `iregular`");
}

#[test]
fn other_periods_and_prices_are_offered_where_they_stand_in_the_way() {
    let open = question("residence", &["sex"], &["2025-Q2", "2025-Q4"], "0.02");
    assert_eq!(changes(&open)[0], "over 2025-Q2");
    let none = question("residence", &["sex"], &["2025-Q4"], "0.02");
    assert_eq!(changes(&none)[0], "over 2025-Q2");
    let dear = question("residence", &["sex"], &["2025-Q4"], "0.5");
    assert_eq!(changes(&dear)[0], "over 2025-Q2, spending \"0.02\"");
    let other_key = Question { spend: Spend::Epsilon(Nanos::parse("1").unwrap()), ..none };
    assert_eq!(changes(&other_key)[0], "spending \"0.02\", over 2025-Q2");
}

#[test]
fn nothing_is_offered_where_no_question_would_help() {
    let policy = policy("residence");
    let asked = question("residence", &["sex"], &["2025-Q1"], "0.02");
    let mut enforcer = analyst();
    enforcer.class = crate::identity::Class::parse("enforcement").unwrap();
    let none = |standing: &Standing, asker: &_, asked: &_| {
        alternatives(&policy, standing, asker, asked, today(), PLENTY).is_empty()
    };
    assert!(none(&closed(&CLOSED), &enforcer, &asked));
    let curious = Question { purpose: crate::identity::Purpose::parse("curiosity").unwrap(), ..asked.clone() };
    assert!(none(&closed(&CLOSED), &analyst(), &curious));
    let suspended = crate::policy::Standing { suspended: true, ..closed(&CLOSED) };
    assert!(none(&suspended, &analyst(), &asked));
    let unknown = question("residence", &["sexx"], &["2025-Q1"], "0.02");
    assert!(offered(&policy, &closed(&CLOSED), &unknown, Nanos::ZERO).is_empty(), "nothing is left to spend");
    assert!(matches!(
        admit(&policy, &suspended, &analyst(), &asked, today()).map(|_| ()),
        Err(Inadmissible::DatasetSuspended)
    ));
}

#[test]
fn what_is_too_dear_is_offered_as_precisely_for_less_and_then_less_precisely() {
    let (policy, closed) = (policy("acs2024"), closed(&["2024"]));
    let asked = Question {
        margins: true,
        spend: Spend::Moe(30.0),
        ..question("acs2024", &["adm1", "sex", "age"], &["2024"], "1")
    };
    let price = admit(&policy, &closed, &analyst(), &asked, today()).unwrap().cost;
    let left = Nanos::from_nanos(price.as_nanos() * 9 / 10);
    let found = offered(&policy, &closed, &asked, left);
    let (last, precise) = found.split_last().unwrap();
    assert_eq!(precise[0].change, "without margins", "all of what was asked for stays");
    for offer in precise {
        assert!(offer.plan.half_width() <= 30.0 && offer.question.spend == asked.spend, "{}", offer.change);
    }
    // The total alone is the cheapest that there is at this precision.
    let total = Question { by: Some(vec![]), margins: false, ..asked.clone() };
    let cheapest = admit(&policy, &closed, &analyst(), &total, today()).unwrap().cost;
    assert!(precise.iter().any(|offer| offer.plan.cost == cheapest), "{cheapest}");
    assert_eq!(last.change, format!("spending \"{left}\""));
    assert!(last.plan.half_width() > 30.0 && last.question.by == asked.by && last.question.margins);
    // A price asked for is kept as a precision: without margins it is reached for less.
    let asked = Question { spend: Spend::Rho(price), ..asked };
    let found = offered(&policy, &closed, &asked, left);
    assert_eq!(found[0].change, "without margins");
    let wanted = admit(&policy, &closed, &analyst(), &asked, today()).unwrap().half_width();
    assert!((found[0].plan.half_width() / wanted - 1.0).abs() < 1e-3 && found[0].plan.cost < price);
}

#[test]
fn a_coarser_place_and_a_longer_period_are_offered_before_less_is_told() {
    let column =
        "[[column]]\nname = \"coast\"\nrole = \"dimension\"\ncodes = [\"north\", \"south\"]\ngeo_level = 0\n\n[cells]";
    let policy = bare_with("residence", &[("[cells]", column)]);
    let closed = closed(&["2025", "2025-Q1", "2025-Q2"]);
    let asked =
        Question { spend: Spend::Moe(20.0), ..question("residence", &["adm1", "sex"], &["2025-Q1", "2025-Q2"], "1") };
    let price = admit(&policy, &closed, &analyst(), &asked, today()).unwrap().cost;
    // Persons of a year count once in it; in two quarters pooled they may count twice.
    let found = offered(&policy, &closed, &asked, Nanos::from_nanos(price.as_nanos() - 1));
    assert_eq!(found[0].change, "over the year 2025");
    assert_eq!(found[0].plan.cost.as_nanos().div_ceil(1_000), price.as_nanos().div_ceil(4_000));
    let finest = Question { spend: Spend::Rho(Nanos::parse("0.03").unwrap()), ..asked };
    let found = offered(&policy, &closed, &finest, PLENTY);
    assert!(found.iter().any(|offer| offer.change.starts_with("over the year 2025")), "{:?}", found[0].change);
    let crossed = question("residence", &["adm1", "cit_group", "age"], &["2025-Q1"], "0.02");
    let changes: Vec<String> = offered(&policy, &closed, &crossed, PLENTY).into_iter().map(|o| o.change).collect();
    let place = |change: &str| changes.iter().position(|other| other == change);
    let less = place("without `age`").unwrap_or(changes.len());
    assert!(place("`coast` instead of `adm1`").is_some_and(|coarser| coarser < less), "{changes:?}");
}
