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
    let known = |period: &str, persons: u32| {
        let line = "citation = \"Census 2025, table 12\"";
        format!("[[known_total]]\nwhere = {{ sex = [\"F\"] }}\nperiod = \"{period}\"\npersons = {persons}\n{line}\n")
    };
    let known = known("2025", 10) + &known("2026", 1_000) + "[[forbid]]";
    service.in_force(&POLICY.replacen("[[forbid]]", &known, 1).replacen(", \"west\"", "", 1));
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
    let of = |measure: &'static str| {
        share["cells"].as_array().unwrap().iter().filter(move |cell| cell["measure"] == measure)
    };
    let told: Vec<f64> = of("share:sex=F").filter_map(|cell| cell["value"].as_str()?.parse().ok()).collect();
    assert!(!told.is_empty() && told.iter().all(|share| (share - 0.5).abs() < 0.02), "{share}");
    assert_eq!((of("persons").count(), of("persons:sex=F").count()), (2, 2), "base and numerator stand beside it");
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

#[test]
fn an_indicator_is_a_question_that_has_a_code() {
    let service = TestService::start();
    let team = service.analyst();
    let listed = service.get("/v1/indicators", None).expect(200).json();
    let codes: Vec<&str> = listed.as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"H1") && codes.contains(&"W1") && codes.is_sorted(), "{codes:?}");
    let asked = json!({ "purpose": "sdg", "periods": ["2024"], "spend": { "rho": "0.02" } });
    let ask = |code: &str| service.post(&format!("/v1/indicators/{code}/releases"), &team, &asked);
    ask("X9").expect_problem(404, "unknown");
    ask("W1").expect_problem(404, "dataset_unknown");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    service.in_force(&std::fs::read_to_string(folder.join("acs2024.toml")).unwrap());
    ask("W1").expect_problem(422, "period_not_closed");
    let csv = "period,person_id,household_id,adm1,sex,age,citizenship,nativity,disability,health_coverage,employment,domestic_worker,sector,wage_year\n";
    let header: Vec<&str> = csv.trim().split(',').collect();
    let columns = listed_columns(&service);
    assert!(columns.iter().all(|column| header.contains(&column.as_str())), "{columns:?}");
    let ministry = service.submitter();
    service.submit(&ministry, "acs2024", "2024", "k1", &people(csv, &service)).expect(201);
    service.close("acs2024", "2024").expect(201);
    let release = ask("W1").expect(201).json();
    let share = |cell: &&Value| cell["key"]["sex"] == "F" && cell["measure"] == "share:employment=unemployed";
    let women = release["cells"].as_array().unwrap().iter().find(share).unwrap();
    let share: f64 = women["value"].as_str().unwrap().parse().unwrap();
    assert!((share - 0.25).abs() < 0.1, "{women}: one in four of the labour force");
    assert_eq!(ask("W1").expect(200).json(), release);
    service.verify();
}

// Whoever paid more for something like it, a question costs at most what it asks.
#[test]
fn a_question_never_costs_more_than_it_asks_for() {
    let service = TestService::start();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    service.in_force(&std::fs::read_to_string(folder.join("acs2024.toml")).unwrap());
    let csv = "period,person_id,household_id,adm1,sex,age,citizenship,nativity,disability,health_coverage,employment,domestic_worker,sector,wage_year\n";
    let (ministry, team) = (service.submitter(), service.analyst());
    service.submit(&ministry, "acs2024", "2024", "k1", &people(csv, &service)).expect(201);
    service.close("acs2024", "2024").expect(201);
    let ask = |tables: Value, rho: &str| {
        let asked = json!({ "dataset": "acs2024", "purpose": "sdg", "measures": [{ "kind": "persons" }],
            "tables": tables, "periods": ["2024"], "spend": { "rho": rho } });
        service.ask(&team, &asked).expect(201);
        let account = service.get("/v1/datasets/acs2024", None).expect(200).json();
        account["budget"]["spent"].as_str().unwrap().parse::<f64>().unwrap()
    };
    let before = ask(json!([["age", "employment"], ["age"]]), "0.05");
    let after = ask(json!([["age", "employment"], ["broad_age"]]), "0.002");
    assert!(after - before <= 0.002 + 1e-12, "{before} {after}");
    service.verify();
}

fn listed_columns(service: &TestService) -> Vec<String> {
    let face = service.get("/v1/datasets/acs2024", None).expect(200).json();
    let columns = face["columns"].as_array().unwrap().iter().filter(|column| column["role"] != "grouping");
    columns.map(|column| column["id"].as_str().unwrap().to_owned()).collect()
}

/// 4,000 people of working age: of each sex 400 unemployed, 1,200 employed, 400 neither.
fn people(header: &str, service: &TestService) -> String {
    let face = service.get("/v1/datasets/acs2024", None).expect(200).json();
    let first = |name: &str| {
        let column = face["columns"].as_array().unwrap().iter().find(|column| column["id"] == name).unwrap();
        column["codes"][0]["code"].as_str().unwrap().to_owned()
    };
    let (adm1, citizenship, nativity) = (first("adm1"), first("citizenship"), first("nativity"));
    let sector = first("sector");
    let mut csv = header.to_owned();
    for person in 0..4_000 {
        let employment = ["unemployed", "employed", "employed", "employed", "inactive"][person / 2 % 5];
        let sex = ["F", "M"][person % 2];
        csv.push_str(&format!(
            "2024,p{person},h{person},{adm1},{sex},30,{citizenship},{nativity},no,covered,{employment},no,{sector},100\n"
        ));
    }
    csv
}
