//! Refusals: every code is reached, the first reason wins, nothing strange is repeated.

use crate::budget::Nanos;
use crate::identity::{Class, DatasetId, Period, Principal, Purpose};
use crate::policy::sample::{analyst, bare_with, closed, policy, question, today};
use crate::policy::{Inadmissible, MeasureAsked, Policy, Question, Spend, Standing, admit};
use chrono::NaiveDate;

/// Everything a refusal can depend on.
struct Case {
    policy: Policy,
    standing: Standing,
    asker: Principal,
    question: Question,
    today: NaiveDate,
}

impl Case {
    fn good() -> Self {
        Self {
            policy: bare_with("residence", &[("cells_max = 20000", "cells_max = 1000")]),
            standing: closed(&["2025-Q1"]),
            asker: analyst(),
            question: question("residence", &["sex"], &["2025-Q1"], "0.01"),
            today: today(),
        }
    }

    fn code(&self) -> &'static str {
        match admit(&self.policy, &self.standing, &self.asker, &self.question, self.today) {
            Ok(_) => "admitted",
            Err(why) => {
                assert!(why.to_string().len() > 20, "a sentence: {why}");
                why.code()
            }
        }
    }
}

type Flaw = (&'static str, fn(&mut Case));

/// Each flaw alone gives its code. They stand in the order of precedence.
const FLAWS: [Flaw; 16] = [
    ("dataset_unknown", |c| c.question.dataset = DatasetId::parse("elsewhere").unwrap()),
    ("principal_denied", |c| c.asker.class = Class::parse("enforcement").unwrap()),
    ("policy_expired", |c| c.today = NaiveDate::from_ymd_opt(2030, 1, 1).unwrap()),
    ("dataset_suspended", |c| c.standing.suspended = true),
    ("purpose_denied", |c| c.question.purpose = Purpose::parse("curiosity").unwrap()),
    ("question_malformed", |c| c.question.measures.clear()),
    ("dimension_unknown", |c| add(c, "shoe_size")),
    ("code_unknown", |c| filter(c, "urban", "Q")),
    ("cross_forbidden", |c| ["adm1", "cit_group", "age"].iter().for_each(|d| add(c, d))),
    ("geo_too_fine", |c| {
        add(c, "adm1");
        filter(c, "mig_status", "stateless");
    }),
    ("too_many_dimensions", |c| ["disability", "urban", "arrival", "age"].iter().for_each(|d| add(c, d))),
    ("too_many_cells", |c| ["arrival", "adm1", "age"].iter().for_each(|d| add(c, d))),
    ("too_many_periods", |c| {
        c.question.periods =
            ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4", "2025-Q1"].map(|p| Period::parse(p).unwrap()).into();
    }),
    ("period_not_closed", |c| c.question.periods = vec![Period::parse("2025-Q4").unwrap()]),
    ("spend_pointless", |c| c.question.spend = Spend::Rho(Nanos::from_nanos(1))),
    ("spend_over_maximum", |c| c.question.spend = Spend::Rho(Nanos::parse("0.03").unwrap())),
];

fn add(case: &mut Case, column: &str) {
    case.question.by.as_mut().unwrap().push(column.to_owned());
}

fn filter(case: &mut Case, column: &str, code: &str) {
    case.question.filter.insert(column.to_owned(), vec![code.to_owned()]);
}

#[test]
fn every_code_of_refusal_is_reached() {
    assert_eq!(Case::good().code(), "admitted");
    for (code, flaw) in FLAWS {
        let mut case = Case::good();
        flaw(&mut case);
        assert_eq!(case.code(), code);
    }
}

/// A filter that leaves out the codes of two rules together, and a group of just those.
#[test]
fn codes_of_several_rules_together_are_ruled_too() {
    let ruled = ["irregular", "pending", "stateless"];
    let refused = |codes: &[&str]| {
        let mut case = Case::good();
        add(&mut case, "adm1");
        case.question.filter.insert("mig_status".into(), codes.iter().map(|code| (*code).to_owned()).collect());
        case.code()
    };
    let policy = Case::good().policy;
    let (_, list) = policy.dimensions().find(|(column, _)| column.name == "mig_status").unwrap();
    let rest: Vec<&str> = list.codes.iter().map(|c| c.id.as_str()).filter(|code| !ruled.contains(code)).collect();
    assert_eq!(refused(&rest), "geo_too_fine");
    assert_eq!(refused(&rest[1..]), "admitted", "with one more left out, they are not told alone");
    let of_ages = |ages: &str| format!("[[require]]\nwhen = {{ age = [{ages}] }}\ngeo_level_max = 0\n\n");
    let two = of_ages(r#""Y0T4", "Y5T9""#) + &of_ages(r#""Y10T14", "Y15T17""#) + "[[known_total]]";
    let mut case = Case { policy: bare_with("residence", &[("[[known_total]]", &two)]), ..Case::good() };
    add(&mut case, "adm1");
    add(&mut case, "broad_age");
    assert_eq!(case.code(), "geo_too_fine");
}

#[test]
fn of_two_reasons_the_first_in_order_is_given() {
    for (i, (first, one)) in FLAWS.iter().enumerate() {
        for (second, two) in &FLAWS[i + 1..] {
            // Two flaws of the same part of the question undo each other.
            let same_part = [["too_many_periods", "period_not_closed"], ["spend_pointless", "spend_over_maximum"]];
            if same_part.contains(&[first, second]) {
                continue;
            }
            let (mut case, mut other) = (Case::good(), Case::good());
            one(&mut case);
            two(&mut case);
            two(&mut other);
            one(&mut other);
            let given = case.code();
            assert_eq!(given, other.code());
            // Two flaws can together make one that stands before both; never one behind the first.
            let place = |code: &str| FLAWS.iter().position(|(c, _)| *c == code).unwrap();
            assert!(place(given) <= i, "{first} and {second} gave {given}");
        }
    }
}

#[test]
fn a_refusal_is_the_same_whatever_was_closed_or_spent() {
    // G8: nothing of the data reaches `admit`; what remains is that more editions change nothing about other reasons.
    for (code, flaw) in FLAWS.iter().filter(|(code, _)| *code != "period_not_closed") {
        let mut case = Case::good();
        flaw(&mut case);
        let before = admit(&case.policy, &case.standing, &case.asker, &case.question, case.today).map(|_| ());
        case.standing.editions.extend(closed(&["2024-Q1", "2025", "2023"]).editions);
        let after = admit(&case.policy, &case.standing, &case.asker, &case.question, case.today).map(|_| ());
        assert_eq!(before, after, "{code}");
    }
}

#[test]
fn malformed_questions_are_told_what_to_write() {
    let told = |alter: &dyn Fn(&mut Question), advice: &str| {
        let mut case = Case::good();
        alter(&mut case.question);
        let why = admit(&case.policy, &case.standing, &case.asker, &case.question, case.today).unwrap_err();
        assert_eq!(why.code(), "question_malformed", "{why}");
        assert!(why.to_string().contains(advice), "{why}");
    };
    told(&|q| q.measures = vec![MeasureAsked::Persons {}; 17], "1 to 16 measures");
    told(&|q| q.measures = vec![MeasureAsked::Mean { column: "wait_dais".into() }], "did you mean `wait_days`");
    told(&|q| q.measures = vec![MeasureAsked::Sum { column: "sex".into() }], "not a column of numbers");
    let quantile = |q: &str| vec![MeasureAsked::Quantile { column: "wait_days".into(), q: q.into() }];
    for q in ["0", "1", "1.5", "-0.5", "half", "0.0000000001"] {
        told(&|asked| asked.measures = quantile(q), "between 0 and 1");
    }
    let share = |column: &str, codes: &[&str]| {
        let codes = codes.iter().map(|c| (*c).to_owned()).collect();
        vec![MeasureAsked::Share { of: std::collections::BTreeMap::from([(column.to_owned(), codes)]) }]
    };
    told(&|q| q.measures = share("disability", &[]), "codes of its numerator");
    told(&|q| q.measures = share("period", &["2025-Q1"]), "cannot be in `of`");
    told(&|q| q.measures = share("sex", &["F"]), "cannot be in `of`");
    for (codes, said) in [(vec!["U"], "not all of them"), (vec!["R"], "some of the codes")] {
        let within = |q: &mut Question| {
            q.filter.insert("urban".into(), vec!["U".into()]);
            q.measures = share("urban", &codes);
        };
        told(&within, said);
    }
    let policy = policy("residence");
    let (_, urban) = policy.dimensions().find(|(column, _)| column.name == "urban").unwrap();
    let all: Vec<&str> = urban.codes.iter().map(|code| code.id.as_str()).collect();
    told(&|q| q.measures = share("urban", &all), "every code");
    told(&|q| q.spend = Spend::Epsilon(Nanos::parse("0.1").unwrap()), "counts in rho");
    told(&|q| q.spend = Spend::Rho(Nanos::ZERO), "above zero");
    for moe in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        told(&|q| q.spend = Spend::Moe(moe), "above zero");
    }
    told(&|q| q.by = None, "\"by\": []");
    told(&|q| q.tables = Some(vec![]), "not both");
    told(&|q| q.periods.clear(), "between one and a thousand");
    told(&|q| q.periods.push(Period::parse("2025").unwrap()), "not a mixture");
    told(&|q| drop(q.filter.insert("period".into(), vec!["2025-Q1".into()])), "`periods`");
    told(&|q| drop(q.filter.insert("sex".into(), vec![])), "at least one code");
    told(&|q| q.by = Some(vec!["sex".into(); 17]), "at most 16");
    told(&|q| (q.by, q.tables) = (None, Some(vec![vec![]; 65])), "at most 64");
    told(&|q| drop(q.filter.insert("sex".into(), vec!["F".into(); 65_536])), "at most 65535");
}

#[test]
fn unknown_names_are_echoed_short_and_harmless_with_the_nearest_known_one() {
    let mut case = Case::good();
    case.question.by = Some(vec!["mig_statsu".into()]);
    let why = admit(&case.policy, &case.standing, &case.asker, &case.question, case.today).unwrap_err();
    assert!(why.to_string().contains("`mig_statsu`; did you mean `mig_status`?"), "{why}");
    case.question.by = Some(vec![format!("{}\u{202e}\n\u{0}", "x".repeat(500))]);
    let why = admit(&case.policy, &case.standing, &case.asker, &case.question, case.today).unwrap_err().to_string();
    assert!(why.len() < 200 && !why.contains(['\n', '\u{202e}', '\u{0}']), "{why}");
    for column in ["wait_days", "file_number", "person_id"] {
        case.question.by = Some(vec![column.into()]);
        assert_eq!(case.code(), "dimension_unknown", "{column} is no dimension");
    }
}

#[test]
fn a_dataset_that_one_may_not_see_is_unknown() {
    let mut case = Case::good();
    case.asker.datasets = Some(std::collections::BTreeSet::from([DatasetId::parse("health").unwrap()]));
    assert_eq!(case.code(), "dataset_unknown");
}

#[test]
fn enforcement_is_denied_even_by_a_policy_made_otherwise() {
    let mut case = Case::good();
    case.policy.deny_classes.clear();
    case.asker.class = Class::parse("enforcement").unwrap();
    assert_eq!(case.code(), "principal_denied");
}

#[test]
fn a_require_bounds_depth_and_a_forbid_counts_filters() {
    let mut case = Case::good();
    case.question.by = Some(vec!["sex".into(), "age".into()]);
    filter(&mut case, "mig_status", "irregular");
    assert_eq!(case.code(), "too_many_dimensions");
    let mut case = Case::good();
    case.question.by = Some(vec!["adm1".into(), "cit_group".into()]);
    filter(&mut case, "age", "Y0T4");
    assert_eq!(case.code(), "cross_forbidden");
}

#[test]
fn a_hostile_question_is_refused_quickly() {
    let started = std::time::Instant::now();
    let codes: Vec<String> = (0..100).map(|i| format!("\"c{i}\"")).collect();
    let mut text = crate::policy::sample::text("residence").replace("dims_max = 4", "dims_max = 10");
    for i in 0..12 {
        let column = format!("[[column]]\nname = \"big{i}\"\nrole = \"dimension\"\ncodes = [{}]\n", codes.join(","));
        text = text.replacen("[cells]", &format!("{column}[cells]"), 1);
    }
    let policy = Policy::parse(&text, &crate::policy::sample::lists()).unwrap().0;
    for columns in [10, 12] {
        let by: Vec<String> = (0..columns).map(|i| format!("big{i}")).collect();
        let asked = Question { by: Some(by), margins: true, ..question("residence", &[], &["2025-Q1"], "0.01") };
        let why = admit(&policy, &closed(&["2025-Q1"]), &analyst(), &asked, today()).unwrap_err();
        assert!(matches!(why, Inadmissible::TooManyCells { .. } | Inadmissible::TooManyDimensions { .. }), "{why}");
        let offered =
            crate::policy::alternatives(&policy, &closed(&["2025-Q1"]), &analyst(), &asked, today(), Nanos::MAX);
        assert!(!offered.is_empty());
    }
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

#[test]
fn no_shipped_policy_admits_a_class_that_it_denies() {
    for id in ["acs2024", "residence", "health"] {
        let policy = policy(id);
        for class in &policy.deny_classes {
            let asker = Principal { class: class.clone(), ..analyst() };
            let why = admit(&policy, &closed(&["2026"]), &asker, &question(id, &["sex"], &["2026"], "0.01"), today());
            assert_eq!(why.map(|_| ()), Err(Inadmissible::PrincipalDenied));
        }
    }
}
