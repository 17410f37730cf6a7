//! Groups of codes: asked for by name, shown beside the codes they are made of, free where those were paid for.

use crate::support::{POLICY, TestService};
use halflight::release::audit;
use serde_json::{Value, json};

const GROUPING: &str = "[[grouping]]\nname = \"region\"\ncolumn = \"state\"\nlevel = 1\ngeo_level = 1\n[cells]";

fn policy() -> String {
    POLICY
        .replacen("codes = [\"north\", \"south\", \"west\"]", "codes = \"CL_ADM1_XA\"", 1)
        .replacen("[cells]", GROUPING, 1)
        .replacen("cross = [\"state\", \"service\"]", "cross = [\"state\", \"service\"]\nspares = [\"region\"]", 1)
}

/// Persons in every province, more in each than in the one before.
fn persons(extra: &str) -> String {
    let mut csv = String::from("person_id,state,sex,service,remark\n");
    for province in 1..=12 {
        for person in 0..100 + 20 * province {
            let sex = ["F", "M"][person % 2];
            csv.push_str(&format!("p{province}x{person},XA-{province:02},{sex},primary,x\n"));
        }
    }
    csv + extra
}

fn question(tables: &[&[&str]], rho: &str) -> Value {
    json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }], "tables": tables,
        "periods": ["2026"], "spend": { "rho": rho } })
}

fn service() -> (TestService, String) {
    service_with(&persons(""))
}

fn service_with(register: &str) -> (TestService, String) {
    let service = TestService::start();
    service.in_force(&policy());
    let (ministry, team) = (service.submitter(), service.analyst());
    let with_group = persons("odd,XA-N,F,primary,x\n");
    let refused = service.submit(&ministry, "visits", "2026", "k0", &with_group);
    assert!(refused.text().contains("code_not_in_list"), "a group is no value: {}", refused.text());
    service.submit(&ministry, "visits", "2026", "k1", register).expect(201);
    service.close("visits", "2026").expect(201);
    (service, team)
}

fn number(cell: &Value, field: &str) -> f64 {
    cell[field].as_str().unwrap_or_else(|| panic!("no {field}: {cell}")).parse().unwrap()
}

/// The cell of a release with this key.
fn cell<'a>(release: &'a Value, key: &[(&str, &str)]) -> &'a Value {
    let cells = release["cells"].as_array().unwrap();
    let here = |cell: &&Value| key.iter().all(|(dim, code)| cell["key"][dim] == *code);
    cells.iter().find(here).unwrap_or_else(|| panic!("no cell {key:?}"))
}

#[test]
fn a_column_and_its_groups_agree_in_one_release_that_says_what_a_group_is_made_of() {
    let (service, team) = service();
    let dataset = service.get("/v1/datasets/visits", None).expect(200).json();
    let columns = dataset["columns"].as_array().unwrap();
    let region = columns.iter().find(|column| column["id"] == "region").unwrap();
    assert_eq!((&region["role"], &region["of"]), (&json!("grouping"), &json!("state")));
    let asked = question(&[&["state", "sex"], &["region", "sex"]], "4");
    let release = service.ask(&team, &asked).expect(201).json();
    let dimension = release["dimensions"].as_array().unwrap().iter().find(|d| d["id"] == "region").unwrap();
    assert_eq!(dimension["of"], "state");
    for group in dimension["codes"].as_array().unwrap() {
        let code = group["code"].as_str().unwrap();
        let whole = cell(&release, &[("region", code), ("sex", "F"), ("state", "_T")]);
        let members = group["members"].as_array().unwrap();
        let parts = members.iter().map(|member| {
            number(cell(&release, &[("state", member.as_str().unwrap()), ("sex", "F"), ("region", "_T")]), "estimate")
        });
        assert!((parts.sum::<f64>() - number(whole, "estimate")).abs() < 0.01, "{code}: {whole}");
        assert!(number(whole, "se") > 0.0 && members.len() > 2);
    }
    let state = columns.iter().find(|column| column["id"] == "state").unwrap();
    assert_eq!(state["codes"].as_array().unwrap().len(), 12, "groups are no codes of the column");
    service.verify();
}

#[test]
fn groups_of_what_was_paid_for_are_free_and_have_their_own_error() {
    let (service, team) = service();
    let paid = service.ask(&team, &question(&[&["state", "sex"]], "4")).expect(201).json();
    let free = service.ask(&team, &question(&[&["region", "sex"]], "0.1")).expect(201).json();
    assert_eq!((&free["privacy"]["charged"], &free["answered_from"]), (&json!(false), &paid["id"]));
    assert_eq!(service.spent("visitors"), "4");
    let one = number(cell(&paid, &[("state", "XA-01"), ("sex", "F")]), "se");
    for (region, provinces) in [("XA-N", 3.0_f64), ("XA-C", 4.0), ("XA-S", 5.0)] {
        let error = number(cell(&free, &[("region", region), ("sex", "F")]), "se");
        assert!((error / one - provinces.sqrt()).abs() < 0.01, "{region}: {error}, one province {one}");
    }
    service.verify();
}

#[test]
fn a_refused_crossing_is_offered_by_group_first() {
    let (service, team) = service();
    let asked = question(&[&["state", "service"]], "2");
    let refused = service.ask(&team, &asked).expect_problem(422, "cross_forbidden").json();
    assert_eq!(refused["alternatives"][0]["change"], "`region` instead of `state`", "{refused}");
    let offered = &refused["alternatives"][0]["question"];
    let release = service.ask(&team, offered).expect(201).json();
    assert_eq!(release["additive"], false);
    assert!(cell(&release, &[("region", "XA-S"), ("service", "primary")])["value"].as_i64().unwrap() > 900);
}

#[test]
fn a_small_code_is_not_what_its_group_lacks_whatever_is_asked_later() {
    let register: String = persons("")
        .lines()
        .filter(|line| !line.contains(",XA-02,F,") || line.starts_with("p2x0,") || line.starts_with("p2x2,"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let (service, team) = service_with(&register);
    let release = service.ask(&team, &question(&[&["state", "sex"], &["region", "sex"]], "4")).expect(201).json();
    let women = |dim: &str, code: &str| {
        let other = if dim == "state" { "region" } else { "state" };
        cell(&release, &[(dim, code), ("sex", "F"), (other, "_T")])["value"].is_null()
    };
    assert!(women("state", "XA-02"), "two persons are below the floor");
    let line = [women("state", "XA-01"), women("state", "XA-10"), women("region", "XA-N")];
    assert!(line.contains(&true), "the group less the others would tell it");
    for tables in [&[&["region"][..]][..], &[&["region", "sex"]], &[&["state"]], &[&["sex"]]] {
        service.ask(&team, &question(tables, "0.1"));
    }
    let list = service.get("/v1/releases", None).expect(200).json();
    let ids = list.as_array().unwrap().iter().map(|release| release["id"].as_str().unwrap().to_owned());
    let read = |id: String| (id.clone(), service.get(&format!("/v1/releases/{id}.json"), None).expect(200).body);
    let published: Vec<(String, Vec<u8>)> = ids.map(read).collect();
    assert!(published.len() > 2, "some of them were answered");
    for audited in audit(&published) {
        assert!(audited.found.is_ok(), "{:?}", audited.found);
    }
    service.verify();
}
