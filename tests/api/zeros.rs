//! Combinations that cannot occur: a group with them and without is the same persons.

use crate::attack::policy;
use crate::support::{TestService, value};
use crate::withheld::{all_hold, published};
use halflight::release::audit;
use serde_json::{Value, json};

/// Four young children, hundreds of others; nobody of one origin is a young child.
fn service() -> (TestService, String) {
    let service = TestService::start();
    service.in_force(&policy());
    let (ministry, team) = (service.submitter(), service.analyst());
    let mut csv = String::from("person_id,state,sex,origin,age,wage\n");
    for (origin, age, persons) in
        [("xx", 7, 4), ("xx", 16, 300), ("yy", 16, 300), ("zz", 16, 200), ("xx", 40, 300), ("zz", 40, 200)]
    {
        (0..persons).for_each(|person| csv.push_str(&format!("{origin}{age}x{person},north,F,{origin},{age},1\n")));
    }
    service.submit(&ministry, "visits", "2026", "k1", &csv).expect(201);
    service.close("visits", "2026").expect(201);
    (service, team)
}

fn question(tables: &Value, ages: &[&str], rho: &str) -> Value {
    json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }], "tables": tables,
        "where": if ages.is_empty() { json!({}) } else { json!({ "age": ages }) }, "periods": ["2026"],
        "spend": { "rho": rho } })
}

// Without the impossible ones, the young children are those of two origins: a table that no draw of either column alone
// covers, and a group that nobody need be told of twice.
#[test]
fn a_small_group_less_what_is_impossible_of_it_is_no_group_of_its_own() {
    let (service, team) = service();
    let first = service.ask(&team, &question(&json!([["origin"], ["age"]]), &[], "1")).expect(201).json();
    assert_eq!(value(&first, &[("age", "Y0T14")]), None);
    for ages in [&["Y0T14", "Y15T17"][..], &["Y15T17", "Y_GE18"], &["Y15T17"], &["Y0T14"]] {
        let asked = question(&json!([[]]), ages, "0.02");
        let quote = service.post("/v1/quotes", &team, &asked).expect(200).json();
        let reply = service.ask(&team, &asked);
        assert!(reply.status == 201 || reply.code() == "would_reveal_withheld", "{ages:?}: {}", reply.text());
        assert_eq!(quote["allowed"], reply.status == 201, "{quote}");
    }
    all_hold(&audit(&published(&service)));
    service.verify();
}
