//! The policies that ship are read, answer, and run their own programs.

use crate::policy::sample::{analyst, closed, lists, policy, text, today};
use crate::policy::{CodeList, Policy, admit_program};

const SHIPPED: [&str; 3] = ["acs2024", "residence", "health"];

#[test]
fn they_load_without_a_warning_and_deny_enforcement() {
    for id in SHIPPED {
        let (policy, findings) = Policy::parse(&text(id), &lists()).unwrap_or_else(|f| panic!("{id}: {f:#?}"));
        assert_eq!(policy.id.as_str(), id);
        assert_eq!(findings, [], "{id}");
        assert!(policy.deny_classes.iter().any(|c| c.as_str() == "enforcement"));
        assert!(policy.epsilon_at_most() < 5.0);
        assert!(policy.years_of_programs().unwrap() >= 4);
    }
}

#[test]
fn their_programs_are_admitted_at_their_own_price() {
    for id in SHIPPED {
        let policy = policy(id);
        for program in &policy.programs {
            let periods = vec![crate::identity::Period::parse("2026").unwrap()];
            let plan = admit_program(&policy, &closed(&["2026"]), &analyst(), &program.id, periods, today()).unwrap();
            assert_eq!(plan.cost, program.spend);
            assert_eq!(plan.asked, program.tables.len());
        }
    }
}

#[test]
fn every_shipped_list_names_every_code_in_six_languages() {
    for (name, text) in &lists().0 {
        let list = CodeList::from_csv(name, text).unwrap_or_else(|w| panic!("{w:?}"));
        for code in &list.codes {
            for language in ["en", "fr", "es", "ar", "ru", "zh"] {
                assert!(code.names.get(language).is_some_and(|n| !n.is_empty()), "{name} {} {language}", code.id);
            }
        }
    }
}

#[test]
fn every_column_of_them_is_titled_in_six_languages() {
    for id in SHIPPED {
        for (column, _) in policy(id).dimensions() {
            for language in ["en", "fr", "es", "ar", "ru", "zh"] {
                assert!(column.title.contains_key(language), "{id} {} {language}", column.name);
            }
        }
    }
}
