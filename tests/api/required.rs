//! A stricter floor for some codes holds for what several answers of one draw leave over, too.

use crate::support::{POLICY, TestService, value};
use crate::withheld::{all_hold, published};
use halflight::release::audit;
use serde_json::{Value, json};

const RULED: &str = r#"
[[column]]
name = "origin"
title = { en = "Origin" }
role = "dimension"
per = "person"
codes = ["xx", "yy", "zz", "ww"]
[[require]]
when = { origin = ["xx"] }
threshold = 50
[cells]"#;

/// In the north 30 of the origin that a rule asks 50 of; hundreds elsewhere.
fn service() -> (TestService, String) {
    let service = TestService::start();
    service.in_force(&POLICY.replacen("[cells]", RULED, 1));
    let (ministry, team) = (service.submitter(), service.analyst());
    let mut csv = String::from("person_id,state,sex,service,remark,origin\n");
    for (state, of_rule) in [("north", 30), ("south", 200), ("west", 200)] {
        for (origin, persons) in [("xx", of_rule), ("yy", 300), ("zz", 250), ("ww", 220)] {
            for person in 0..persons {
                csv.push_str(&format!("{state}{origin}{person},{state},F,primary,x,{origin}\n"));
            }
        }
    }
    service.submit(&ministry, "visits", "2026", "k1", &csv).expect(201);
    service.close("visits", "2026").expect(201);
    (service, team)
}

/// Noise of more than four persons: less, and a line hides three where the floor is 50.
fn origins(codes: &[&str], rho: &str) -> Value {
    let filter = if codes.is_empty() { json!({}) } else { json!({ "origin": codes }) };
    json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": ["state"],
        "where": filter, "periods": ["2026"], "spend": { "rho": rho } })
}

/// Asks in this order, the last of which would leave the 30 over: it tells of the other states alone.
fn leaves_over(asked: &[&[&str]]) {
    let (service, team) = service();
    let mut told = Vec::new();
    for (codes, rho) in asked.iter().zip(["0.025", "0.0025", "0.0025"]) {
        told.push(service.ask(&team, &origins(codes, rho)).expect(201).json());
    }
    assert_eq!(service.spent("visitors"), "0.025", "one draw");
    let last = told.pop().unwrap();
    assert!(told.iter().all(|before| value(before, &[("state", "north")]).is_some()), "{told:?}");
    assert_eq!(value(&last, &[("state", "north")]), None, "less the others it would be the 30: {last}");
    assert!(["south", "west"].iter().all(|state| value(&last, &[("state", state)]).is_some()), "{last}");
    all_hold(&audit(&published(&service)));
    service.verify();
}

#[test]
fn with_the_code_of_a_rule_and_then_without_it_is_not_told_below_its_floor() {
    leaves_over(&[&["xx", "yy"], &["yy"]]);
}

#[test]
fn without_the_code_of_a_rule_and_then_with_it_is_not_told_below_its_floor() {
    leaves_over(&[&["yy"], &["xx", "yy"]]);
}

#[test]
fn what_answers_without_the_codes_of_a_rule_leave_over_is_held_to_its_floor() {
    leaves_over(&[&["ww"], &[], &["yy", "zz"]]);
}
