//! Differences and ratios between groups and periods over HTTP: what they say, when they say nothing, what they cost.

use crate::support::{POLICY, TestService};
use crate::withheld::{all_hold, published};
use halflight::release::audit;
use serde_json::{Value, json};

const PROGRAM: &str = r#"
[[program]]
id = "yearly"
purpose = "sdg"
measures = [{ kind = "persons" }]
tables = [["state", "sex"]]
rho = "9"
[cells]"#;

/// In the north twice as many women as men, in the south as many, in the west forty men and so many women.
fn people(grown: bool, few: usize) -> String {
    let mut csv = String::from("person_id,state,sex,service,remark\n");
    let mut person = 0;
    let more = if grown { 500 } else { 0 };
    for (state, sex, persons) in [
        ("north", "F", 1_000 + more),
        ("north", "M", 500),
        ("south", "F", 1_000),
        ("south", "M", 1_000),
        ("west", "F", few),
        ("west", "M", 40),
    ] {
        for own in 0..persons {
            person += 1;
            // One in two women and one in four men are seen in an emergency, four in five of all in primary care.
            let of = if sex == "F" { 2 } else { 4 };
            let services = [("primary", own % 5 > 0), ("emergency", own % of == 0), ("mental", own % 5 == 0)];
            for (service, _) in services.iter().filter(|(_, seen)| *seen) {
                csv.push_str(&format!("p{person},{state},{sex},{service},x\n"));
            }
        }
    }
    csv
}

fn service(policy: &str, few: usize) -> (TestService, String) {
    let service = TestService::start();
    service.in_force(policy);
    let (ministry, team) = (service.submitter(), service.analyst());
    for (period, grown) in [("2025", false), ("2026", true)] {
        service.submit(&ministry, "visits", period, period, &people(grown, few)).expect(201);
        service.close("visits", period).expect(201);
    }
    (service, team)
}

fn question(by: &[&str], measures: &Value, rho: &str) -> Value {
    json!({ "dataset": "visits", "purpose": "sdg", "measures": measures, "by": by, "periods": ["2025"],
        "spend": { "rho": rho } })
}

fn sexes(kind: &str) -> Value {
    json!({ "kind": kind, "of": { "sex": ["F"] }, "against": { "sex": ["M"] } })
}

fn cell<'a>(release: &'a Value, measure: &str, state: &str) -> &'a Value {
    let cells = release["cells"].as_array().unwrap();
    let found = cells.iter().find(|cell| cell["measure"] == measure && cell["key"]["state"] == state);
    found.unwrap_or_else(|| panic!("no {measure} in {state}: {release}"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("no number: {value}"))
}

/// Whether the truth lies within three and a half half-widths (6.9 standard errors) of the figure, which is beyond the
/// noise or within it.
fn near(cell: &Value, truth: f64, within_noise: bool) {
    let (value, low, high) = (number(&cell["value"]), number(&cell["low"]), number(&cell["high"]));
    assert!(low <= value && value <= high, "{cell}");
    assert!((value - truth).abs() <= 3.5 * ((high - low) / 2.0) + 1e-3, "{cell}: truth {truth}");
    assert_eq!(cell["within_noise"], within_noise, "{cell}");
    assert!(!cell["estimate"].is_null() && !cell["se"].is_null());
}

#[test]
fn groups_are_compared_in_every_cell_and_small_ones_are_not() {
    let (service, team) = service(POLICY, 3);
    let asked = question(&["state"], &json!([sexes("difference"), sexes("ratio"), { "kind": "persons" }]), "0.3");
    let quote = service.post("/v1/quotes", &team, &asked).expect(200).json();
    assert_eq!(quote["parts"][0]["measures"], "persons", "{quote}");
    let expected = number(&quote["differences"][0]["moe"]["worst"]);
    assert_eq!(quote["differences"][0]["measure"], "difference:sex=F/sex=M");
    let release = service.ask(&team, &asked).expect(201).json();
    let (difference, ratio) = ("difference:sex=F/sex=M", "ratio:sex=F/sex=M");
    near(cell(&release, difference, "north"), 500.0, false);
    near(cell(&release, ratio, "north"), 2.0, false);
    let south = cell(&release, difference, "south");
    // Alike in truth: told apart by noise in one of twenty, so no more is asked here than that it says what it shows.
    near(south, 0.0, number(&south["low"]) <= 0.0 && 0.0 <= number(&south["high"]));
    assert_eq!(south["status"], "A", "that two large groups are alike is a good figure: {south}");
    let error = number(&south["se"]);
    assert!((1.96 * error / expected - 1.0).abs() < 0.05, "a quote says the error: {error} {expected}");
    assert!(cell(&release, "persons", "north").get("within_noise").is_none());
    for measure in [difference, ratio] {
        let west = cell(&release, measure, "west");
        assert_eq!(
            (&west["status"], &west["reason"]),
            (&json!("Q"), &json!("withheld")),
            "three women, 5.4 errors below"
        );
        assert!(west["value"].is_null() && west.get("within_noise").is_none() && west.get("estimate").is_none());
    }
    assert!(cell(&release, "persons", "west")["value"].is_i64(), "though there are enough in all");
    assert!(release["dimensions"].as_array().unwrap().iter().all(|d| d["id"] != "sex"), "{release}");
    let csv = service.get(&format!("/v1/releases/{}.csv", release["id"].as_str().unwrap()), None).expect(200).text();
    assert!(
        csv.lines().any(|line| line.starts_with("north,difference:sex=F/sex=M,") && line.contains(",A,,false,")),
        "{csv}"
    );
    assert!(csv.lines().any(|line| line.starts_with("west,ratio:sex=F/sex=M,,,,,,Q,withheld,,")), "{csv}");
    assert!(
        release["notes"].as_array().unwrap().iter().any(|note| note.as_str().unwrap().contains("within the noise"))
    );
    all_hold(&audit(&published(&service)));
    service.verify();
}

#[test]
fn shares_and_services_are_compared_though_persons_are_in_several_cells() {
    let (service, team) = service(POLICY, 3);
    let of = json!({ "kind": "share", "of": { "service": ["emergency"] } });
    let with = |kind: &str| {
        let mut measure = sexes(kind);
        measure["what"] = of.clone();
        measure
    };
    let release =
        service.ask(&team, &question(&[], &json!([with("difference"), with("ratio")]), "8")).expect(201).json();
    assert_eq!(release["additive"], false);
    let told = |measure: &str| {
        release["cells"].as_array().unwrap().iter().find(|cell| cell["measure"] == measure).unwrap().clone()
    };
    near(&told("difference:share:service=emergency:sex=F/sex=M"), 0.25, false);
    near(&told("ratio:share:service=emergency:sex=F/sex=M"), 2.0, false);
    let services =
        json!([{ "kind": "ratio", "of": { "service": ["emergency"] }, "against": { "service": ["primary"] } }]);
    let release = service.ask(&team, &question(&["sex"], &services, "8")).expect(201).json();
    let of_women = |cell: &&Value| cell["key"]["sex"] == "F" && cell["measure"].as_str().unwrap().starts_with("ratio");
    near(release["cells"].as_array().unwrap().iter().find(of_women).unwrap(), 0.625, false);
    all_hold(&audit(&published(&service)));
    service.verify();
}

#[test]
fn periods_are_compared_and_both_are_read() {
    let (service, team) = service(POLICY, 3);
    let measure = json!([{ "kind": "difference", "of": { "period": ["2026"] }, "against": { "period": ["2025"] } }]);
    let mut asked = question(&["state"], &measure, "8");
    service.ask(&team, &asked).expect_problem(400, "question_malformed");
    asked["periods"] = json!(["2025", "2026"]);
    let release = service.ask(&team, &asked).expect(201).json();
    near(cell(&release, "difference:period=2026/period=2025", "north"), 500.0, false);
    assert_eq!(release["editions"].as_array().unwrap().len(), 2);
    // The same draw, the other way round.
    asked["measures"] = json!([{ "kind": "ratio", "of": { "period": ["2025"] }, "against": { "period": ["2026"] } }]);
    let other = service.ask(&team, &asked).expect(201).json();
    near(cell(&other, "ratio:period=2025/period=2026", "north"), 0.75, false);
    assert_eq!((&other["privacy"]["charged"], &other["answered_from"]), (&json!(false), &release["id"]));
    assert_eq!(service.spent("visitors"), "8");
    all_hold(&audit(&published(&service)));
    service.verify();
}

#[test]
fn a_comparison_within_a_program_costs_nothing() {
    let (service, team) = service(&POLICY.replacen("[cells]", PROGRAM, 1), 60);
    let periods = json!({ "periods": ["2025"] });
    let program =
        service.post("/v1/datasets/visits/programs/yearly", &service.officers[0], &periods).expect(201).json();
    let asked = question(&["state"], &json!([sexes("difference"), sexes("ratio")]), "0.1");
    let quote = service.post("/v1/quotes", &team, &asked).expect(200).json();
    assert_eq!(quote["free"], true, "{quote}");
    let release = service.ask(&team, &asked).expect(201).json();
    assert_eq!((&release["privacy"]["charged"], &release["answered_from"]), (&json!(false), &program["id"]));
    near(cell(&release, "difference:sex=F/sex=M", "north"), 500.0, false);
    let shown = |sex: &str| {
        let cells = program["cells"].as_array().unwrap();
        let found = cells.iter().find(|cell| cell["key"]["state"] == "north" && cell["key"]["sex"] == sex);
        number(&found.unwrap()["estimate"])
    };
    let (women, men) = (shown("F"), shown("M"));
    let estimate = |measure: &str| number(&cell(&release, measure, "north")["estimate"]);
    assert!((estimate("difference:sex=F/sex=M") - (women - men)).abs() < 1e-3, "it agrees with the figures");
    assert!((estimate("ratio:sex=F/sex=M") - women / men).abs() < 1e-6);
    // Again: the same bytes.
    assert_eq!(service.ask(&team, &asked).expect(200).json(), release);
    assert_eq!(service.spent("visitors"), "9");
    all_hold(&audit(&published(&service)));
    service.verify();
}

#[test]
fn what_is_no_comparison_is_refused_and_costs_nothing() {
    let (service, team) = service(POLICY, 3);
    let refused = |measure: Value, code: &str| {
        let status = if code == "question_malformed" { 400 } else { 422 };
        service.ask(&team, &question(&["state"], &json!([measure]), "1")).expect_problem(status, code)
    };
    let with = |of: Value, against: Value| json!({ "kind": "difference", "of": of, "against": against });
    refused(with(json!({ "sex": ["F"] }), json!({ "sex": ["F"] })), "question_malformed");
    refused(with(json!({ "sex": ["F"] }), json!({ "sex": ["F", "M"] })), "question_malformed");
    refused(with(json!({ "state": ["north"] }), json!({ "state": ["south"] })), "question_malformed");
    refused(with(json!({ "sex": ["F"] }), json!({ "sex": ["Q"] })), "code_unknown");
    // What is forbidden as a filter is so as a group.
    refused(with(json!({ "service": ["primary"] }), json!({ "service": ["emergency"] })), "cross_forbidden");
    assert_eq!(service.spent("visitors"), "0");
    all_hold(&audit(&published(&service)));
    service.verify();
}
