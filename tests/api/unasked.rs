//! A small group that nobody asked for by name is not to be had as the difference of two that were.

use crate::support::{POLICY, TestService, value};
use crate::withheld::{all_hold, forged, published};
use halflight::release::{Flaw, audit};
use serde_json::{Value, json};

const COLUMNS: &str = r#"
[[column]]
name = "origin"
title = { en = "Origin" }
role = "dimension"
per = "person"
codes = ["xx", "yy", "zz"]
[[column]]
name = "age"
title = { en = "Age" }
role = "dimension"
per = "person"
type = "integer"
min = 0
max = 120
bands = ["Y_LT18", "Y18", "Y_GE19"]
[cells]"#;

/// In the north four of one origin and one age of eighteen, elsewhere hundreds.
fn service() -> (TestService, String) {
    let service = TestService::start();
    service.in_force(&POLICY.replacen("[cells]", COLUMNS, 1));
    let (ministry, team) = (service.submitter(), service.analyst());
    let mut csv = String::from("person_id,state,sex,service,remark,origin,age\n");
    for (state, few) in [("north", 4), ("south", 200), ("west", 200)] {
        for (group, origin, age, persons) in
            [("a", "xx", 40, few), ("b", "yy", 30, 300), ("c", "zz", 60, 250), ("d", "zz", 18, few), ("e", "yy", 9, 60)]
        {
            for person in 0..persons {
                csv.push_str(&format!("{state}{group}{person},{state},F,primary,x,{origin},{age}\n"));
            }
        }
    }
    service.submit(&ministry, "visits", "2026", "k1", &csv).expect(201);
    service.close("visits", "2026").expect(201);
    (service, team)
}

fn question(filter: &Value, measures: &Value, rho: &str) -> Value {
    json!({ "dataset": "visits", "purpose": "sdg", "measures": measures, "by": ["state"], "where": filter,
        "periods": ["2026"], "spend": { "rho": rho } })
}

fn persons() -> Value {
    json!([{ "kind": "persons" }])
}

fn of<'a>(release: &'a Value, measure: &str, state: &str) -> &'a Value {
    let cells = release["cells"].as_array().unwrap();
    let found = cells.iter().find(|cell| cell["measure"] == measure && cell["key"]["state"] == state);
    &found.unwrap_or_else(|| panic!("no {measure} in {state}: {release}"))["value"]
}

/// Two questions of one draw whose difference is small in the north and large elsewhere.
fn nested(first: &Value, then: &Value) {
    let (service, team) = service();
    let one = service.ask(&team, &question(first, &persons(), "0.5")).expect(201);
    let paid = service.spent("visitors");
    let asked = question(then, &persons(), "0.05");
    let other = service.ask(&team, &asked).expect(201);
    assert_eq!(service.spent("visitors"), paid, "of the same draw");
    let (before, after) = (one.json(), other.json());
    assert!(value(&before, &[("state", "north")]).is_some());
    assert_eq!(value(&after, &[("state", "north")]), None, "less the first it would be four persons");
    for state in ["south", "west"] {
        assert!(value(&after, &[("state", state)]).is_some(), "two hundred are nothing to hide: {after}");
    }
    all_hold(&audit(&published(&service)));
    // With the north shown all the same, the files tell.
    let north = after["cells"].as_array().unwrap().iter().position(|cell| cell["key"]["state"] == "north").unwrap();
    let estimate: f64 = before["cells"][north]["estimate"].as_str().unwrap().parse().unwrap();
    for (further, small) in [(4.0, true), (40.0, false)] {
        let way = if after["cells"][1]["value"].as_i64() > before["cells"][1]["value"].as_i64() { 1.0 } else { -1.0 };
        let told = forged(&other.body, |document| {
            let cell = &mut document["cells"][north];
            (cell["value"], cell["low"], cell["high"]) = (json!(600), json!(598), json!(602));
            cell["estimate"] = json!(format!("{:.4}", estimate + way * further));
            (cell["se"], cell["status"]) = (json!("0.9000"), json!("A"));
            cell.as_object_mut().unwrap().remove("reason");
            (document["certificate"]["withheld"], document["certificate"]["width"]) = (json!(0), Value::Null);
        });
        let found = audit(&[("one".into(), one.body.clone()), ("other".into(), told)]).remove(0).found;
        match found {
            Err(Flaw::Revealed { what, cells }) if small => {
                assert_eq!(what, "a small group that nobody asked for follows from published figures");
                assert!(cells.iter().any(|cell| cell.contains("state=north")), "{cells:?}");
            }
            found => assert!(found.is_ok() && !small, "{further}: {found:?}"),
        }
    }
    service.verify();
}

// Cases 7 and 8.
#[test]
fn all_but_one_origin_and_then_all_do_not_give_the_one_away() {
    nested(&json!({ "origin": ["yy", "zz"] }), &json!({}));
}

#[test]
fn two_origins_and_then_one_do_not_give_the_other_away() {
    nested(&json!({ "origin": ["xx", "yy"] }), &json!({ "origin": ["yy"] }));
}

#[test]
fn ages_from_eighteen_and_then_from_nineteen_do_not_give_the_eighteen_away() {
    nested(&json!({ "age": ["Y18", "Y_GE19"] }), &json!({ "age": ["Y_GE19"] }));
}

// Case 17, of parts that nobody asked for.
#[test]
fn shares_of_one_origin_and_of_two_do_not_give_the_second_away() {
    let (service, team) = service();
    let share = |codes: &[&str]| json!({ "kind": "share", "of": { "origin": codes } });
    let asked = question(&json!({}), &json!([share(&["yy"]), share(&["xx", "yy"])]), "0.5");
    let told = service.ask(&team, &asked).expect(201).json();
    let both =
        |state: &str| ["persons:origin=yy", "persons:origin=xx+yy"].iter().all(|m| !of(&told, m, state).is_null());
    assert_eq!([both("north"), both("south"), both("west")], [false, true, true], "{told}");
    all_hold(&audit(&published(&service)));
    service.verify();
}

#[test]
fn a_comparison_of_two_of_three_codes_does_not_give_the_third_away() {
    let (service, team) = service();
    let origins = |code: &str| json!({ "origin": [code] });
    let asked = json!([{ "kind": "difference", "of": origins("yy"), "against": origins("zz") }]);
    let told = service.ask(&team, &question(&json!({}), &asked, "0.5")).expect(201).json();
    let measures = ["persons", "persons:origin=yy", "persons:origin=zz"];
    let all = |state: &str| measures.iter().all(|measure| !of(&told, measure, state).is_null());
    assert_eq!([all("north"), all("south"), all("west")], [false, true, true], "{told}");
    all_hold(&audit(&published(&service)));
    service.verify();
}
