//! What a draw covers costs nothing, and says where it comes from.

use crate::support::{POLICY, TestService, value, visits};
use serde_json::{Value, json};

fn question(by: &[&str], rho: &str) -> Value {
    json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": by,
        "periods": ["2026"], "spend": { "rho": rho } })
}

fn with(mut question: Value, key: &str, value: Value) -> Value {
    question[key] = value;
    question
}

#[test]
fn margins_filters_and_shares_of_a_draw_are_free_and_agree_with_it() {
    let service = TestService::start();
    let known =
        "[[known_total]]\nwhere = { sex = [\"F\"] }\npersons = 1000\ncitation = \"Census 2025, table 12\"\n[[forbid]]";
    service.in_force(&POLICY.replacen("[[forbid]]", known, 1));
    let (ministry, team) = (service.submitter(), service.analyst());
    service.submit(&ministry, "visits", "2026", "k1", &visits("a", 2_000, 2)).expect(201);
    service.close("visits", "2026").expect(201);
    let paid = service.ask(&team, &with(question(&["state", "sex"], "4"), "margins", json!(true))).expect(201).json();
    assert!(paid.get("answered_from").is_none());
    assert_eq!(service.spent("visitors"), "4");

    let quote = service.post("/v1/quotes", &team, &question(&["sex"], "0.1")).expect(200).json();
    assert_eq!(quote["free"], true, "{quote}");
    let margin = service.ask(&team, &question(&["sex"], "0.1")).expect(201).json();
    assert_eq!((&margin["privacy"]["charged"], &margin["answered_from"]), (&json!(false), &paid["id"]));
    assert_eq!(value(&margin, &[("sex", "F")]), value(&paid, &[("state", "_T"), ("sex", "F")]));
    let filter = with(question(&[], "0.1"), "where", json!({ "state": ["north"], "sex": ["M"] }));
    let cut = service.ask(&team, &filter).expect(201).json();
    assert_eq!(cut["cells"][0]["value"], json!(value(&paid, &[("state", "north"), ("sex", "M")])));
    let share = json!([{ "kind": "share", "of": { "sex": ["F"] } }]);
    let share = service.ask(&team, &with(question(&["state"], "0.1"), "measures", share)).expect(201).json();
    let north = share["cells"][0]["value"].as_str().unwrap().parse::<f64>().unwrap();
    assert!((north - 0.5).abs() < 0.02, "{share}");
    // Again: the same bytes.
    assert_eq!(service.ask(&team, &question(&["sex"], "0.1")).expect(200).json(), margin);
    assert_eq!(service.spent("visitors"), "4");

    // A total published elsewhere stands beside ours.
    let women = margin["cells"].as_array().unwrap().iter().find(|cell| cell["key"]["sex"] == "F").unwrap();
    let known = &women["known"];
    assert_eq!((&known["persons"], &known["citation"]), (&json!(1000), &json!("Census 2025, table 12")));
    assert_eq!(known["difference"].as_i64().unwrap(), women["value"].as_i64().unwrap() - 1_000);
    let within = (women["low"].as_i64().unwrap()..=women["high"].as_i64().unwrap()).contains(&1_000);
    assert_eq!(known["within_noise"], within);
    assert!(margin["cells"].as_array().unwrap().iter().filter(|cell| !cell["known"].is_null()).count() == 1);

    // More precision, and what was not measured, is paid for.
    service.ask(&team, &question(&["sex"], "9")).expect(201);
    assert_eq!(service.spent("visitors"), "13");
    service.ask(&team, &question(&["service"], "1")).expect(201);
    assert_eq!(service.spent("visitors"), "14");
    service.verify();
}
