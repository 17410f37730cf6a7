//! Policies and people for tests.

use super::{CodeLists, EditionRef, Policy, Question, Spend, Standing};
use crate::budget::Nanos;
use crate::identity::{Class, DatasetId, Organisation, Period, Principal, Purpose, Role, TokenId};
use chrono::NaiveDate;
use std::path::Path;

/// The code lists shipped.
pub(crate) fn lists() -> CodeLists {
    CodeLists::read_dir(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/codelists")).unwrap()
}

/// The text of a shipped policy.
pub(crate) fn text(id: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("policies/{id}.toml"))).unwrap()
}

/// A shipped policy with some text replaced.
pub(crate) fn policy_with(id: &str, replaced: &[(&str, &str)]) -> Policy {
    parsed(text(id), replaced)
}

/// A shipped policy without its programs, with some text replaced.
pub(crate) fn bare_with(id: &str, replaced: &[(&str, &str)]) -> Policy {
    parsed(bare(id), replaced)
}

/// The text of a shipped policy without its programs.
pub(crate) fn bare(id: &str) -> String {
    text(id).split("[[program]]").next().unwrap().to_owned()
}

fn parsed(mut text: String, replaced: &[(&str, &str)]) -> Policy {
    for (from, to) in replaced {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    Policy::parse(&text, &lists()).unwrap_or_else(|f| panic!("{f:#?}")).0
}

/// A shipped policy.
pub(crate) fn policy(id: &str) -> Policy {
    policy_with(id, &[])
}

/// First editions of some periods.
pub(crate) fn closed(periods: &[&str]) -> Standing {
    let edition = |p: &&str| EditionRef { period: Period::parse(p).unwrap(), number: 1 };
    Standing { suspended: false, editions: periods.iter().map(edition).collect() }
}

/// An analyst of a reporting team.
pub(crate) fn analyst() -> Principal {
    Principal {
        token: TokenId::random(),
        role: Role::Analyst,
        organisation: Organisation::parse("ohchr").unwrap(),
        class: Class::parse("un_reporting").unwrap(),
        datasets: None,
    }
}

/// A day on which every shipped policy is in force.
pub(crate) fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 24).unwrap()
}

/// Persons by some columns.
pub(crate) fn question(dataset: &str, by: &[&str], periods: &[&str], rho: &str) -> Question {
    Question {
        dataset: DatasetId::parse(dataset).unwrap(),
        purpose: Purpose::parse("treaty_body").unwrap(),
        measures: vec![super::MeasureAsked::Persons {}],
        by: Some(by.iter().map(|c| (*c).to_owned()).collect()),
        tables: None,
        filter: std::collections::BTreeMap::new(),
        periods: periods.iter().map(|p| Period::parse(p).unwrap()).collect(),
        margins: false,
        spend: Spend::Rho(Nanos::parse(rho).unwrap()),
    }
}
