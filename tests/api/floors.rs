//! Stricter rules for certain codes: the highest floor that a figure was ever judged by holds of it.

use crate::attack::policy;
use crate::support::{TestService, value};
use crate::withheld::{all_hold, published};
use halflight::release::audit;
use serde_json::{Value, json};

/// In the north two of one origin and one of another, in the other states hundreds of each.
fn service() -> (TestService, String) {
    let service = TestService::start();
    service.in_force(&policy());
    let (ministry, team) = (service.submitter(), service.analyst());
    let mut csv = String::from("person_id,state,sex,origin,age,wage\n");
    for (state, origin, persons) in [
        ("north", "xx", 2),
        ("north", "yy", 1),
        ("south", "xx", 300),
        ("south", "yy", 300),
        ("south", "zz", 300),
        ("west", "xx", 300),
        ("west", "yy", 300),
        ("west", "zz", 300),
    ] {
        for person in 0..persons {
            csv.push_str(&format!("{state}{origin}{person},{state},F,{origin},40,10\n"));
        }
    }
    service.submit(&ministry, "visits", "2026", "k1", &csv).expect(201);
    service.close("visits", "2026").expect(201);
    (service, team)
}

fn question(by: &[&str], measure: &Value, rho: &str) -> Value {
    json!({ "dataset": "visits", "purpose": "sdg", "measures": [measure], "by": by, "periods": ["2026"],
        "spend": { "rho": rho } })
}

#[test]
fn a_figure_that_was_judged_by_a_higher_floor_keeps_it() {
    let (service, team) = service();
    let persons = json!({ "kind": "persons" });
    // A standard error of 0.7 in a cell and of 1.2 in a state: two of a line may be hidden by a floor of 10, three must
    // be by one of 20, which holds wherever one of the origins is told apart.
    service.ask(&team, &question(&["state", "origin"], &persons, "1.02")).expect(201);
    let plain = service.ask(&team, &question(&["state"], &persons, "0.02")).expect(201).json();
    assert_eq!((value(&plain, &[("state", "north")]), &plain["tables"][0]["floor"]), (None, &json!(10)));
    let share = json!({ "kind": "share", "of": { "origin": ["yy"] } });
    let strict = service.ask(&team, &question(&["state"], &share, "0.02")).expect(201).json();
    assert_eq!((value(&strict, &[("state", "north")]), &strict["tables"][0]["floor"]), (None, &json!(20)));
    all_hold(&audit(&published(&service)));
    // With the other states shown, the total is the north by another name.
    let total = service.ask(&team, &question(&[], &persons, "0.02"));
    assert!(total.status == 201 || total.code() == "would_reveal_withheld", "{}", total.text());
    all_hold(&audit(&published(&service)));
    service.verify();
}
