//! What stands beside the figures of a release tells nothing of them: it is the same over any register.

use crate::attack::{Dice, policy, register};
use crate::support::TestService;
use serde_json::{Value, json};

/// Of a document what must not depend on the data: the cells by name alone, and nothing that counts those withheld.
fn beside(document: &Value) -> Value {
    let mut document = document.clone();
    let names: Vec<Value> =
        document["cells"].as_array().unwrap().iter().map(|c| json!([c["key"], c["measure"]])).collect();
    document["cells"] = names.into();
    let fields = document.as_object_mut().unwrap();
    for of_data in ["certificate", "id", "log_index", "loss", "released_at", "sha256"] {
        fields.remove(of_data);
    }
    document
}

fn questions() -> Vec<Value> {
    let asked = |by: &[&str], measures: Value, rho: &str| {
        json!({ "dataset": "visits", "purpose": "sdg", "measures": measures, "by": by, "periods": ["2026"],
            "margins": true, "spend": { "rho": rho } })
    };
    let sexes = |what: &str| json!({ "kind": what, "of": { "sex": ["F"] }, "against": { "sex": ["M"] } });
    vec![
        asked(&["state", "sex", "origin", "age"], json!([{ "kind": "persons" }]), "2"),
        asked(&["state", "child"], json!([{ "kind": "share", "of": { "origin": ["xx"] } }, sexes("ratio")]), "3"),
        asked(&["origin"], json!([{ "kind": "sum", "column": "wage" }, { "kind": "mean", "column": "wage" }]), "0.7"),
        asked(&["age", "origin"], json!([sexes("difference"), { "kind": "median", "column": "wage" }]), "1.1"),
    ]
}

/// Every document of a service over a register of its own, and the table of it for programs.
fn told(seed: u64) -> Vec<(Value, String)> {
    let service = TestService::start();
    service.in_force(&policy());
    let team = service.analyst();
    service.submit(&service.submitter(), "visits", "2026", "k1", &register(&mut Dice(seed))).expect(201);
    service.close("visits", "2026").expect(201);
    let of = |question: Value| {
        let quote = service.post("/v1/quotes", &team, &question).expect(200).json();
        let mut document = service.ask(&team, &question).expect(201).json();
        let csv = service.get(&format!("/v1/releases/{}.csv", document["id"].as_str().unwrap()), None).expect(200);
        document["quote"] = quote;
        (document, csv.text())
    };
    questions().into_iter().map(of).collect()
}

#[test]
fn what_stands_beside_the_figures_is_the_same_over_any_register() {
    let (few, many) = (told(1), told(2));
    let mut all_silent = 0;
    for ((one, csv), (other, _)) in few.iter().zip(&many) {
        assert_ne!(one["cells"], other["cells"]);
        assert_eq!(beside(one), beside(other));
        let silent = one["cells"].as_array().unwrap().iter().filter(|cell| cell["status"] == "Q").count();
        all_silent += silent;
        let mut lines = csv::Reader::from_reader(csv.as_bytes());
        let header = lines.headers().unwrap().clone();
        let at = |name: &str| header.iter().position(|own| own == name).unwrap();
        let empty = ["value", "low", "high", "estimate", "se", "within_noise"].map(at);
        let (status, mut seen) = (at("status"), 0);
        for line in lines.records().map(Result::unwrap).filter(|line| &line[status] == "Q") {
            assert!(empty.iter().all(|&field| line[field].is_empty()), "{line:?}");
            seen += 1;
        }
        assert_eq!(seen, silent);
    }
    assert!(all_silent > 0);
}
