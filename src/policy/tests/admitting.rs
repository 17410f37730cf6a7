//! What an admitted question measures and shows.

use crate::policy::sample::{analyst, bare_with, closed, policy, question, today};
use crate::policy::{Inadmissible, Plan, Policy, Question, admit};

fn admitted(policy: &Policy, question: &Question) -> Result<Plan, Inadmissible> {
    admit(policy, &closed(&["2024", "2026", "2025-Q1", "2025-Q2"]), &analyst(), question, today())
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.dimensions.iter().map(|d| d.name.as_str()).collect()
}

fn measured(plan: &Plan) -> Vec<Vec<usize>> {
    plan.measured.iter().map(|m| m.dims.clone()).collect()
}

fn filtered(mut question: Question, column: &str, codes: &[&str]) -> Question {
    question.filter.insert(column.to_owned(), codes.iter().map(|c| (*c).to_owned()).collect());
    question
}

#[test]
fn one_table_without_margins_is_measured_alone() {
    let plan = admitted(&policy("acs2024"), &question("acs2024", &["age", "sex"], &["2024"], "0.01")).unwrap();
    assert_eq!(names(&plan), ["sex", "age"], "the policy's order");
    assert_eq!(measured(&plan), [vec![0, 1]]);
    assert_eq!(plan.shown.len(), 1);
    assert_eq!((plan.asked, plan.additive), (1, true));
    assert_eq!(plan.dimensions[1].levels.len(), 11);
}

#[test]
fn margins_are_measured_and_shown_those_that_drop_less_first() {
    let mut asked = question("acs2024", &["age", "sex"], &["2024"], "0.01");
    asked.margins = true;
    let plan = admitted(&policy("acs2024"), &asked).unwrap();
    assert_eq!(measured(&plan), [vec![], vec![0], vec![0, 1], vec![1]]);
    let shown: Vec<Vec<usize>> = plan.shown.iter().map(|s| s.dims.clone()).collect();
    assert_eq!(shown, [vec![0, 1], vec![0], vec![1], vec![]]);
    let total: u64 = plan.measured.iter().map(|m| m.units.as_nanos()).sum();
    assert_eq!(total, plan.cost.as_nanos());
}

#[test]
fn several_tables_are_one_draw_and_each_subset_stands_once() {
    let mut asked = question("acs2024", &[], &["2024"], "0.01");
    asked.by = None;
    asked.tables = Some(vec![vec!["sex".into(), "age".into()], vec!["adm1".into(), "sex".into()]]);
    asked.margins = true;
    let plan = admitted(&policy("acs2024"), &asked).unwrap();
    assert_eq!(names(&plan), ["adm1", "sex", "age"]);
    let shown: Vec<Vec<usize>> = plan.shown.iter().map(|s| s.dims.clone()).collect();
    assert_eq!(shown, [vec![0, 1], vec![1, 2], vec![0], vec![1], vec![2], vec![]]);
    assert_eq!(plan.asked, 2);
}

#[test]
fn a_filter_is_a_dimension_measured_whole_and_cut() {
    let asked = filtered(question("acs2024", &["sex"], &["2024"], "0.01"), "adm1", &["US-NY", "US-AL"]);
    let plan = admitted(&policy("acs2024"), &asked).unwrap();
    assert_eq!(names(&plan), ["adm1", "sex"]);
    assert_eq!(measured(&plan), [vec![0, 1]]);
    assert_eq!(plan.dimensions[0].levels.len(), 49);
    assert_eq!(plan.shown[0].dims, [1]);
    let codes: Vec<&str> = plan.cuts[0].levels.iter().map(|&l| plan.dimensions[0].levels[l].code.as_str()).collect();
    assert_eq!((plan.cuts[0].dim, codes), (0, vec!["US-AL", "US-NY"]));
}

#[test]
fn a_filter_over_too_long_a_list_is_grouped_into_selected_and_rest() {
    let policy = bare_with("acs2024", &[("cells_max = 20000", "cells_max = 50")]);
    let asked = filtered(question("acs2024", &["sex"], &["2024"], "0.01"), "adm1", &["US-NY", "US-AL"]);
    let plan = admitted(&policy, &asked).unwrap();
    let levels = &plan.dimensions[0].levels;
    assert_eq!(levels.iter().map(|l| l.code.as_str()).collect::<Vec<_>>(), ["US-AL+US-NY", "_O"]);
    assert_eq!((levels[0].members.len(), levels[1].members.len()), (2, 47));
    assert_eq!(plan.cuts[0].levels, [0]);
    let one = filtered(question("acs2024", &["sex"], &["2024"], "0.01"), "adm1", &["US-NY"]);
    let plan = admitted(&policy, &one).unwrap();
    let selected = &plan.dimensions[0].levels[plan.cuts[0].levels[0]];
    assert_eq!(selected.code, "US-NY");
    assert!(selected.names.contains_key("en"), "one code keeps its name");
    let many = admitted(&policy, &question("acs2024", &["adm1", "sex"], &["2024"], "0.01"));
    assert_eq!(many.unwrap_err().code(), "too_many_cells");
}

#[test]
fn a_filter_on_a_column_broken_down_by_cuts_its_codes() {
    let mut asked = filtered(question("acs2024", &["sex", "age"], &["2024"], "0.01"), "age", &["Y0T4", "Y5T9"]);
    asked.margins = true;
    let plan = admitted(&policy("acs2024"), &asked).unwrap();
    assert_eq!(plan.dimensions[1].levels.len(), 11);
    assert_eq!(plan.cuts[0].levels, [0, 1]);
    assert_eq!(plan.shown.len(), 4);
}

#[test]
fn the_period_is_a_dimension_when_asked_and_stands_first() {
    let asked = question("residence", &["sex", "period"], &["2025-Q2", "2025-Q1"], "0.01");
    let plan = admitted(&policy("residence"), &asked).unwrap();
    assert_eq!(names(&plan), ["period", "sex"]);
    let levels: Vec<&str> = plan.dimensions[0].levels.iter().map(|l| l.code.as_str()).collect();
    assert_eq!(levels, ["2025-Q1", "2025-Q2"]);
    assert_eq!(plan.editions.len(), 2);
}

#[test]
fn structural_zeros_are_told_over_the_dimensions_of_the_draw() {
    let plan = admitted(&policy("acs2024"), &question("acs2024", &["age", "employment"], &["2024"], "0.01")).unwrap();
    assert_eq!(plan.structural_zeros, [vec![(0, vec![0, 1, 2]), (1, vec![0, 1, 2])]]);
    let without = admitted(&policy("acs2024"), &question("acs2024", &["age"], &["2024"], "0.01")).unwrap();
    assert!(without.structural_zeros.is_empty());
}

#[test]
fn the_floor_is_the_highest_that_any_rule_demands() {
    let policy = policy("residence");
    let floor = |asked: Question| admitted(&policy, &asked).unwrap().rules.threshold;
    let by = |columns: &[&str]| question("residence", columns, &["2025-Q1"], "0.02");
    assert_eq!(floor(by(&["sex"])), 10);
    assert_eq!(floor(by(&["sex", "mig_status"])), 20, "tabulated");
    assert_eq!(floor(filtered(by(&["sex"]), "mig_status", &["irregular"])), 20, "selected");
    assert_eq!(floor(filtered(by(&["sex"]), "mig_status", &["regular_permanent"])), 10, "neither");
}

#[test]
fn leaving_out_only_protected_codes_is_choosing_them() {
    let policy = policy("residence");
    let protected = ["irregular", "pending", "stateless"];
    let list = policy.dimensions().find(|(c, _)| c.name == "mig_status").unwrap().1.clone();
    let others = |without: &[&str]| -> Vec<String> {
        list.codes.iter().map(|c| c.id.clone()).filter(|c| !without.contains(&c.as_str())).collect()
    };
    let by_province = |codes: &[String]| {
        let mut asked = question("residence", &["adm1"], &["2025-Q1"], "0.02");
        asked.filter.insert("mig_status".into(), codes.to_vec());
        admitted(&policy, &asked)
    };
    assert_eq!(by_province(&others(&["irregular", "pending"])).unwrap_err().code(), "geo_too_fine");
    assert_eq!(by_province(&others(&["stateless"])).unwrap_err().code(), "geo_too_fine");
    let rest = [protected.as_slice(), &["asylum_seeker", "_N"]].concat();
    assert!(by_province(&others(&rest)).is_ok(), "a group that holds others too");
}

#[test]
fn tables_over_per_row_columns_are_measured_each_alone() {
    let policy = policy("health");
    let mut asked = question("health", &["sex", "coverage"], &["2026"], "0.05");
    asked.margins = true;
    let plan = admitted(&policy, &asked).unwrap();
    assert!(!plan.additive);
    assert_eq!(measured(&plan).len(), 4);
    assert_eq!(plan.measured.iter().map(|m| m.distinct).collect::<Vec<_>>(), [false, false, true, true]);
    let grouped = filtered(question("health", &["sex"], &["2026"], "0.05"), "coverage", &["public", "private"]);
    let plan = admitted(&policy, &grouped).unwrap();
    assert_eq!(plan.dimensions[1].levels[0].code, "public+private", "distinct over both codes");
    assert_eq!(plan.cuts[0].levels, [0]);
    assert_eq!(measured(&plan), [vec![0, 1]]);
}

#[test]
fn selected_codes_of_a_per_row_column_have_no_total_of_their_own() {
    let policy = policy("health");
    let mut asked =
        filtered(question("health", &["sex", "coverage"], &["2026"], "0.05"), "coverage", &["public", "none"]);
    assert!(admitted(&policy, &asked).is_ok(), "cells alone are fine");
    asked.margins = true;
    let refused = admitted(&policy, &asked).unwrap_err();
    assert_eq!(refused.code(), "question_malformed");
    assert!(refused.to_string().contains("`coverage`"), "{refused}");
    asked.filter.insert("coverage".into(), vec!["none".into()]);
    assert!(admitted(&policy, &asked).is_ok(), "one code is its own total");
}
