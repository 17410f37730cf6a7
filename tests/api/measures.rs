//! Rows, sums, means and shares over HTTP; programs; and what a quote says of them.

use crate::support::{POLICY, TestService};
use serde_json::{Value, json};

const COST: &str = r#"
[[column]]
name = "cost"
title = { en = "Cost" }
role = "measure"
per = "row"
type = "decimal"
scale = 2
unit = "EUR"
min = "0"
max = "100"
missing = "allowed"
bins = ["0", "10", "20", "40", "100"]
[[program]]
id = "yearly"
purpose = "sdg"
measures = [{ kind = "persons" }, { kind = "mean", column = "cost" }]
tables = [["state", "sex"], ["sex"]]
rho = "9"
[cells]"#;

fn policy() -> String {
    POLICY.replacen("[cells]", COST, 1)
}

/// 4,000 persons with two rows each: one of 10.50 (north) or 30.50 (south), one without a cost.
fn costs() -> String {
    let mut csv = String::from("person_id,state,sex,service,remark,cost\n");
    for person in 0..4_000 {
        let (state, cost) = [("north", "10.50"), ("south", "30.50")][person % 2];
        // One in four women and one in two men are seen in an emergency.
        let (sex, of) = [("F", 4), ("M", 2)][person / 2 % 2];
        let service = if person / 4 % of == 0 { "emergency" } else { "primary" };
        csv.push_str(&format!("p{person},{state},{sex},{service},x,{cost}\np{person},{state},{sex},mental,x,\n"));
    }
    csv
}

fn service() -> (TestService, String) {
    service_of(&policy())
}

fn service_of(policy: &str) -> (TestService, String) {
    let service = TestService::start();
    service.in_force(policy);
    let (ministry, team) = (service.submitter(), service.analyst());
    service.submit(&ministry, "visits", "2026", "k1", &costs()).expect(201);
    service.close("visits", "2026").expect(201);
    (service, team)
}

fn question(by: &[&str], measures: &Value, rho: &str) -> Value {
    json!({ "dataset": "visits", "purpose": "sdg", "measures": measures, "by": by, "periods": ["2026"],
        "spend": { "rho": rho } })
}

/// The cell of a measure and a key.
fn cell<'a>(release: &'a Value, measure: &str, key: &[(&str, &str)]) -> &'a Value {
    let cells = release["cells"].as_array().unwrap();
    let found =
        cells.iter().find(|cell| cell["measure"] == measure && key.iter().all(|(dim, code)| cell["key"][dim] == *code));
    found.unwrap_or_else(|| panic!("no {measure} at {key:?}"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("no number: {value}"))
}

/// Whether the truth lies within three and a half half-widths (6.9 standard errors) of the figure.
fn near(cell: &Value, truth: f64) {
    let (value, low, high) = (number(&cell["value"]), number(&cell["low"]), number(&cell["high"]));
    assert!(low <= value && value <= high, "{cell}");
    assert!((value - truth).abs() <= 3.5 * ((high - low) / 2.0) + 1e-3, "{cell}: truth {truth}");
}

#[test]
fn rows_sums_and_means_come_with_intervals_and_without_the_cells_of_few_persons() {
    let (service, team) = service();
    let measures = json!([{ "kind": "rows" }, { "kind": "sum", "column": "cost" }, { "kind": "mean", "column": "cost" },
        { "kind": "persons" }]);
    let asked = question(&["state"], &measures, "8");
    let quote = service.post("/v1/quotes", &team, &asked).expect(200).json();
    let parts: Vec<(&str, bool)> = quote["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (part["measures"].as_str().unwrap(), part["implied"].as_bool().unwrap()))
        .collect();
    assert_eq!(parts, [("persons", false), ("rows", false), ("values:cost", true), ("sum:cost", false)]);
    assert!(quote["parts"].as_array().unwrap().iter().all(|part| part["cost"]["rho"] == "2"), "{quote}");

    let release = service.ask(&team, &asked).expect(201).json();
    let (north, west) = ([("state", "north")], [("state", "west")]);
    near(cell(&release, "persons", &north), 2_000.0);
    near(cell(&release, "rows", &north), 4_000.0);
    near(cell(&release, "sum:cost", &north), 21_000.0);
    near(cell(&release, "mean:cost", &north), 10.5);
    near(cell(&release, "mean:cost", &[("state", "south")]), 30.5);
    assert!(cell(&release, "persons", &north)["value"].is_i64(), "counts are integers");
    assert!(cell(&release, "mean:cost", &north)["value"].is_string(), "what has decimals is a string");
    for measure in ["persons", "rows", "sum:cost", "mean:cost"] {
        let silent = cell(&release, measure, &west);
        assert_eq!((&silent["status"], &silent["reason"]), (&json!("Q"), &json!("withheld")), "{measure}");
        for field in ["value", "low", "high", "estimate", "se"] {
            assert!(silent[field].is_null(), "{measure}: {field} of a withheld cell");
        }
    }
    assert_eq!(service.spent("visitors"), "8");
    let id = release["id"].as_str().unwrap();
    let csv = service.get(&format!("/v1/releases/{id}.csv"), None).expect(200).text();
    assert!(csv.contains("west,mean:cost,,,,,,Q,withheld,"), "{csv}");
    service.verify();
}

#[test]
fn a_median_lies_in_its_bin_and_its_interval_about_it() {
    let (service, team) = service();
    let measures =
        json!([{ "kind": "median", "column": "cost" }, { "kind": "quantile", "column": "cost", "q": "0.9" }]);
    let release = service.ask(&team, &question(&["state"], &measures, "4")).expect(201).json();
    // All of the north lies in the bin from 10 to 20, all of the south in that from 20 to 40.
    for (state, least, most) in [("north", 10.0, 20.0), ("south", 20.0, 40.0)] {
        for (measure, q) in [("median:cost", 0.5), ("quantile:cost:0.9", 0.9)] {
            let found = cell(&release, measure, &[("state", state)]);
            let (value, low, high) = (number(&found["value"]), number(&found["low"]), number(&found["high"]));
            let even = least + q * (most - least);
            assert!(low <= value && value <= high && (value - even).abs() < 0.5, "{found}: {even}");
            assert!(found["se"].is_null());
        }
    }
    assert_eq!(cell(&release, "median:cost", &[("state", "west")])["reason"], "withheld");
    service.verify();
}

#[test]
fn a_share_is_withheld_with_its_numerator_and_with_what_is_left_of_its_base() {
    let (service, team) = service();
    let share = |codes: &[&str]| json!([{ "kind": "share", "of": { "service": codes } }]);
    let asked = question(&["sex"], &share(&["emergency"]), "4");
    let release = service.ask(&team, &asked).expect(201).json();
    near(cell(&release, "share:service=emergency", &[("sex", "F")]), 0.25);
    near(cell(&release, "share:service=emergency", &[("sex", "M")]), 0.5);
    assert!(release["dimensions"].as_array().unwrap().iter().all(|d| d["id"] != "service"), "{release}");
    // Nobody, and everybody.
    for codes in [["never_given"], ["mental"]] {
        let release = service.ask(&team, &question(&["sex"], &share(&codes), "1")).expect(201).json();
        let shares = release["cells"].as_array().unwrap().iter().filter(|cell| cell["measure"] != "persons");
        assert!(shares.clone().count() == 4 && shares.clone().all(|cell| cell["status"] == "Q"), "{release}");
    }
    // Of what is forbidden as a filter, there is no share either.
    let crossed = question(&["state"], &share(&["emergency"]), "1");
    service.ask(&team, &crossed).expect_problem(422, "cross_forbidden");
    service.verify();
}

#[test]
fn a_program_is_run_by_an_officer_once() {
    // without the state of nobody: no cell is small
    let (service, team) = service_of(&policy().replacen(", \"west\"", "", 1));
    let path = "/v1/datasets/visits/programs/yearly";
    let periods = json!({ "periods": ["2026"] });
    service.post(path, &team, &periods).expect_problem(403, "forbidden_role");
    let made = service.post(path, &service.officers[0], &periods).expect(201);
    let release = made.json();
    near(cell(&release, "persons", &[("state", "south"), ("sex", "F")]), 1_000.0);
    near(cell(&release, "mean:cost", &[("state", "_T"), ("sex", "F")]), 20.5);
    assert_eq!(release["privacy"]["rho"], "9");
    assert_eq!(service.post(path, &service.officers[1], &periods).expect(200).body, made.body);
    assert_eq!(service.spent("visitors"), "9");
    service.post("/v1/datasets/visits/programs/monthly", &service.officers[0], &periods).expect_problem(404, "unknown");
    let open = json!({ "periods": ["2027"] });
    service.post(path, &service.officers[0], &open).expect_problem(422, "period_not_closed");
    service.verify();
}

// G11
#[test]
fn a_program_that_is_run_by_many_at_once_is_charged_once() {
    let (service, _) = service_of(&policy());
    let run = |racer: usize| {
        let path = "/v1/datasets/visits/programs/yearly";
        service.post(path, &service.officers[racer % 3], &json!({ "periods": ["2026"] }))
    };
    let replies = crate::support::at_once(8, run);
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
    assert!(replies.iter().all(|reply| reply.body == replies[0].body), "one release");
    assert_eq!(service.spent("visitors"), "9");
    service.verify();
}
