//! By which floor a group is judged that nobody asked for by name.

use crate::policy::sample::{analyst, bare_with, closed, question, today};
use crate::policy::{PERIOD, Plan, Question, admit};
use std::collections::BTreeMap;

const QUARTERS: [&str; 2] = ["2026-Q1", "2026-Q2"];

/// The floor of the group with these codes, and all codes of every other column.
fn floor(plan: &Plan, group: &[(&str, &[&str])]) -> u32 {
    let held = plan.measured_dimensions().map(|(_, dimension)| {
        let codes = group.iter().find(|(name, _)| *name == dimension.name).map(|(_, codes)| *codes);
        let held = |level: &usize| codes.is_none_or(|codes| codes.contains(&dimension.levels[*level].code.as_str()));
        (0..dimension.levels.len()).filter(held).collect::<Vec<_>>()
    });
    plan.floor_of(&held.collect::<Vec<_>>())
}

#[test]
fn a_group_is_held_to_the_rules_about_the_codes_it_picks_or_leaves_out_alone() {
    let stateless = "when = { mig_status = [\"stateless\"] }\ngeo_level_max = 0\nthreshold = 20";
    let minors = "when = { broad_age = [\"Y0T17\"] }\nthreshold = 30";
    let both = format!("{stateless}\n\n[[require]]\n{minors}");
    let policy = bare_with("residence", &[(stateless, &both)]);
    let asked = [("age", "Y18T24"), ("mig_status", "regular_permanent")];
    let filter: BTreeMap<_, _> =
        asked.iter().map(|(column, code)| ((*column).to_owned(), vec![(*code).to_owned()])).collect();
    let asked =
        Question { filter: filter.into_iter().collect(), ..question("residence", &["sex", PERIOD], &QUARTERS, "0.02") };
    let plan = admit(&policy, &closed(&QUARTERS), &analyst(), &asked, today()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(plan.rules.threshold, 10, "no rule is about what is asked");
    let quarter: (&str, &[&str]) = (PERIOD, &QUARTERS[..1]);
    let statuses =
        ["regular_permanent", "regular_temporary", "asylum_seeker", "refugee_or_protected", "stateless", "_N"];
    for (group, expected) in [
        (vec![], 10),
        (vec![("sex", &["F"][..])], 10),
        (vec![("mig_status", &["regular_permanent", "asylum_seeker"])], 10),
        (vec![("mig_status", &["irregular"])], 20),
        (vec![("mig_status", &["regular_permanent", "pending"])], 20),
        (vec![("mig_status", &statuses)], 20),
        // what is left out is of both rules
        (vec![("mig_status", &[&statuses[..4], &statuses[5..]].concat())], 20),
        (vec![("mig_status", &[&statuses[1..4], &statuses[5..]].concat())], 10),
        (vec![("age", &["Y5T9"])], 30),
        (vec![("age", &["Y15T17", "Y18T24"])], 30),
        (vec![("age", &["Y18T24", "Y25T34"])], 10),
        (vec![("age", &["Y5T9"]), ("mig_status", &["irregular"])], 30),
    ] {
        assert_eq!(floor(&plan, &group), 2 * expected, "{group:?}: of both quarters");
        assert_eq!(floor(&plan, &[group.as_slice(), &[quarter]].concat()), expected, "{group:?}: of one quarter");
    }
}
