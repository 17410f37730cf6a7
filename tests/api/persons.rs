//! A person is a person: sent twice, sent by two ministries, in five hundred rows.

use crate::support::{POLICY, TestService, value, visits};
use serde_json::{Value, json};

fn question(by: &[&str], rho: &str) -> Value {
    json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": by,
        "periods": ["2026"], "margins": true, "spend": { "rho": rho } })
}

#[test]
fn the_same_person_from_two_ministries_or_in_500_rows_counts_once() {
    let service = TestService::start();
    service.in_force(POLICY);
    let (interior, team) = (service.submitter(), service.analyst());
    let health = service.token("submitter", "ministry-health", "ministry");
    // The same 300 persons by both ministries, ids written differently, and five of them with 500 rows each.
    service.submit(&interior, "visits", "2026", "k1", &visits("p-00", 300, 1)).expect(201);
    service.submit(&health, "visits", "2026", "k1", &visits(" P00", 300, 2)).expect(201);
    service.submit(&health, "visits", "2026", "k2", &visits("p00", 5, 500)).expect(201);
    service.close("visits", "2026").expect(201);
    let release = service.ask(&team, &question(&["sex"], "8")).expect(201).json();
    // rho 8 over 2 tables: a standard error below 0.4; 150 persons of each sex, 300 in all.
    for (sex, persons) in [("F", 150), ("M", 150), ("_T", 300)] {
        let shown = value(&release, &[("sex", sex)]).unwrap();
        assert!((shown - persons).abs() <= 4, "{sex}: {shown} instead of {persons}");
    }
    service.verify();
}

#[test]
fn persons_over_a_per_row_column_count_once_per_cell_and_do_not_add_up() {
    let service = TestService::start();
    service.in_force(POLICY);
    let (ministry, team) = (service.submitter(), service.analyst());
    // 400 persons with three rows each, over three services, and each row sent twice: the rest is beyond rows_max.
    let file = visits("q", 400, 3);
    service.submit(&ministry, "visits", "2026", "k1", &file).expect(201);
    service.close("visits", "2026").expect(201);
    let release = service.ask(&team, &question(&["service", "sex"], "9")).expect(201).json();
    assert_eq!(release["additive"], false);
    for service_code in ["primary", "emergency", "mental"] {
        let shown = value(&release, &[("service", service_code), ("sex", "F")]).unwrap();
        assert!((shown - 200).abs() <= 15, "{service_code}: {shown}");
    }
    let all = value(&release, &[("service", "_T"), ("sex", "_T")]).unwrap();
    assert!((all - 400).abs() <= 15, "each person once, whatever the services: {all}");
    // A service that was never given is a cell like any other.
    assert_eq!(value(&release, &[("service", "never_given"), ("sex", "F")]), None);
    let cells = release["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 4 * 2 + 4 + 2 + 1);
    assert!(release["notes"].as_array().unwrap().iter().any(|note| note.as_str().unwrap().contains("do not add up")));
    service.verify();
}

#[test]
fn an_empty_state_is_told_like_any_other_small_one() {
    let service = TestService::start();
    service.in_force(POLICY);
    let (ministry, team) = (service.submitter(), service.analyst());
    service.submit(&ministry, "visits", "2026", "k1", &visits("r", 40, 1)).expect(201);
    service.close("visits", "2026").expect(201);
    let release = service.ask(&team, &question(&["state", "sex"], "8")).expect(201).json();
    let withheld: Vec<&Value> =
        release["cells"].as_array().unwrap().iter().filter(|cell| cell["key"]["state"] == "west").collect();
    assert_eq!(withheld.len(), 3);
    for cell in withheld {
        assert_eq!((cell["status"].as_str(), cell["reason"].as_str()), (Some("Q"), Some("withheld")));
        for silent in ["value", "low", "high", "estimate", "se"] {
            assert!(cell[silent].is_null(), "{cell}");
        }
    }
}
