//! Rows over services that a person can have several of: they add up where persons do not.

use crate::support::{POLICY, TestService};
use crate::withheld::{all_hold, published};
use halflight::release::audit;
use serde_json::{Value, json};

/// Hundreds of women and men in three services, three women in the fourth.
fn service() -> (TestService, String) {
    let service = TestService::start();
    service.in_force(POLICY);
    let (ministry, team) = (service.submitter(), service.analyst());
    let mut csv = String::from("person_id,state,sex,service,remark\n");
    for (sex, of, persons) in [
        ("F", "primary", 300),
        ("F", "emergency", 200),
        ("F", "mental", 150),
        ("F", "never_given", 3),
        ("M", "primary", 300),
        ("M", "emergency", 200),
        ("M", "mental", 150),
        ("M", "never_given", 90),
    ] {
        (0..persons).for_each(|person| csv.push_str(&format!("{sex}{person},north,{sex},{of},x\n")));
    }
    service.submit(&ministry, "visits", "2026", "k1", &csv).expect(201);
    service.close("visits", "2026").expect(201);
    (service, team)
}

fn question(tables: &Value, rho: &str) -> Value {
    json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }, { "kind": "rows" }],
        "tables": tables, "periods": ["2026"], "spend": { "rho": rho } })
}

/// The rows told of women, by service.
fn rows(release: &Value) -> Vec<(String, Option<f64>)> {
    let cells = release["cells"].as_array().unwrap().iter();
    let of_women = cells.filter(|cell| cell["measure"] == "rows" && cell["key"]["sex"] == "F");
    let service = |cell: &Value| cell["key"]["service"].as_str().unwrap_or("_T").to_owned();
    of_women.map(|cell| (service(cell), cell["estimate"].as_str().map(|text| text.parse().unwrap()))).collect()
}

#[test]
fn rows_that_are_withheld_do_not_follow_from_rows_that_are_told_later() {
    let (service, team) = service();
    let first = service.ask(&team, &question(&json!([["sex", "service"], ["sex"]]), "8")).expect(201).json();
    let silent = |(of, rows): &(String, Option<f64>)| of == "never_given" && rows.is_none();
    assert!(rows(&first).iter().any(silent), "{first}");
    let mut three = question(&json!([["sex", "service"]]), "0.05");
    three["where"] = json!({ "service": ["emergency", "mental", "primary"] });
    let three = service.ask(&team, &three).expect(201).json();
    let all = service.ask(&team, &question(&json!([["sex"]]), "0.05")).expect(201).json();
    assert!([&three, &all].iter().all(|release| release["answered_from"] == first["id"]), "{three}\n{all}");
    let told: Vec<f64> = rows(&three).into_iter().filter_map(|(_, rows)| rows).collect();
    if let ([(_, Some(all))], [a, b, c]) = (rows(&all).as_slice(), told.as_slice()) {
        panic!("the rows of the fourth follow from the others: {}", all - a - b - c);
    }
    all_hold(&audit(&published(&service)));
    service.verify();
}
