//! Shipped policies and admission, as an officer and an asker meet them.

use super::sample::{analyst, closed, lists, policy, question, text, today};
use super::*;

#[test]
fn the_shipped_policies_load_without_a_warning() {
    for id in ["acs2024", "residence", "health"] {
        let (policy, findings) = Policy::parse(&text(id), &lists()).unwrap_or_else(|f| panic!("{id}: {f:#?}"));
        assert_eq!(policy.id.as_str(), id);
        assert_eq!(findings, [], "{id}");
    }
}

#[test]
fn the_shipped_acs_policy_answers() {
    let policy = policy("acs2024");
    let asked = question("acs2024", &["adm1", "sex", "age"], &["2024"], "0.01");
    let plan = admit(&policy, &closed(&["2024"]), &analyst(), &asked, today()).unwrap();
    assert_eq!(plan.cells(&plan.measured[0].dims), 49 * 2 * 11);
    assert_eq!(plan.cost.to_string(), "0.01");
}
