//! The whole way: two officers, two ministries, one reporting team; and the same question in disguise.

use crate::support::{POLICY, TestService, value, visits};
use serde_json::json;

#[test]
fn a_file_goes_in_and_a_safe_table_comes_out() {
    let service = TestService::start();
    service.in_force(POLICY);
    let (ministry, team) = (service.submitter(), service.analyst());
    let receipt = service.submit(&ministry, "visits", "2026", "k1", &visits("a", 2_000, 2)).expect(201).json();
    assert_eq!((receipt["rows_accepted"].as_u64(), receipt["rows_rejected"].as_u64()), (Some(4_000), Some(0)));
    let question = json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }],
        "by": ["state", "sex"], "periods": ["2026"], "margins": true, "spend": { "rho": "1" } });
    service.ask(&team, &question).expect_problem(422, "period_not_closed");
    service.close("visits", "2026").expect(201);

    let quote = service.post("/v1/quotes", &team, &question).expect(200).json();
    assert_eq!((quote["allowed"].as_bool(), quote["free"].as_bool()), (Some(true), Some(false)));
    assert_eq!(service.spent("visitors"), "0");

    let made = service.ask(&team, &question).expect(201);
    let release = made.json();
    // 2,000 persons over 2 of 3 states and 2 sexes: 500 in each cell; the third state is there, empty and withheld, and
    // one cell of another with it, so that nobody can work it out.
    let moe = quote["moe"]["worst"].as_f64().unwrap();
    let cells = ["north", "south"].into_iter().flat_map(|state| [(state, "F"), (state, "M")]);
    let shown: Vec<i64> = cells.filter_map(|(state, sex)| value(&release, &[("state", state), ("sex", sex)])).collect();
    assert!((1..4).contains(&shown.len()), "{release}");
    for shown in shown {
        assert!((shown as f64 - 500.0).abs() < 4.0 * moe + 1.0, "{shown} (half-width {moe})");
    }
    assert_eq!(value(&release, &[("state", "west"), ("sex", "F")]), None);
    assert_eq!(release["cells"].as_array().unwrap().len(), 12, "3 x 2 cells and all margins");
    assert_eq!(service.spent("visitors"), "1");

    // G11: the same question again, and in every disguise, is the same release, byte for byte, at no cost.
    let disguised = json!({ "purpose": "treaty_body", "dataset": "visits", "spend": { "rho": "1.000" }, "margins": true,
        "periods": ["2026"], "by": ["sex", "state"], "measures": [{ "kind": "persons" }],
        "where": { "sex": ["M", "F", "M"] } });
    for again in [&question, &disguised] {
        let repeated = service.ask(&team, again).expect(200);
        assert_eq!(repeated.body, made.body);
    }
    let cheaper = json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }],
        "by": ["state", "sex"], "periods": ["2026"], "margins": true, "spend": { "rho": "0.5" } });
    assert_eq!(service.ask(&team, &cheaper).expect(200).body, made.body, "less precision is on the shelf already");
    assert_eq!(service.spent("visitors"), "1");

    // Another filter on the same dimensions: a new release, cut from the same draw, not charged.
    let women = json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": ["state"],
        "where": { "sex": ["F"] }, "periods": ["2026"], "margins": true, "spend": { "rho": "1" } });
    let cut = service.ask(&team, &women).expect(201).json();
    assert_eq!(cut["privacy"]["charged"], false);
    assert_eq!(
        value(&cut, &[("state", "north"), ("sex", "F")]),
        value(&release, &[("state", "north"), ("sex", "F")]),
        "the same cell of the same draw"
    );
    assert_eq!(service.spent("visitors"), "1");

    // Anyone may read it; it stands in the log; the log verifies.
    let id = release["id"].as_str().unwrap();
    assert_eq!(service.get(&format!("/v1/releases/{id}.json"), None).expect(200).body, made.body);
    let csv = service.get(&format!("/v1/releases/{id}.csv"), None).expect(200).text();
    assert_eq!(csv.lines().count(), 13, "a header and twelve cells");
    service.verify();
}

#[test]
fn two_identical_questions_at_once_are_one_draw() {
    let service = TestService::start();
    service.in_force(POLICY);
    let (ministry, team) = (service.submitter(), service.analyst());
    service.submit(&ministry, "visits", "2026", "k1", &visits("a", 500, 1)).expect(201);
    service.close("visits", "2026").expect(201);
    let question = json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }],
        "by": ["state"], "periods": ["2026"], "spend": { "rho": "0.25" } });
    let bodies: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(|| service.ask(&team, &question).body)).collect();
        asking.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(service.spent("visitors"), "0.25");
    service.verify();
}

#[test]
fn a_correction_is_a_new_edition_and_the_old_release_stays() {
    let service = TestService::start();
    service.in_force(POLICY);
    let (ministry, team) = (service.submitter(), service.analyst());
    let first = service.submit(&ministry, "visits", "2026", "k1", &visits("a", 1_000, 1)).expect(201).json();
    service.close("visits", "2026").expect(201);
    let question = json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }],
        "by": ["sex"], "periods": ["2026"], "margins": true, "spend": { "rho": "1" } });
    let before = service.ask(&team, &question).expect(201).json();
    let address = format!("/v1/releases/{}", before["id"].as_str().unwrap());
    assert!(service.get(&address, None).expect(200).json()["notice"].is_null(), "and it is in memory from now on");
    let path =
        format!("/v1/datasets/visits/submissions?period=2026&replaces={}", first["submission"].as_str().unwrap());
    let headers = [("content-type", "text/csv"), ("idempotency-key", "k2")];
    service.request("POST", &path, Some(&ministry), &headers, visits("a", 3_000, 1).as_bytes()).expect(201);
    service.ask(&team, &question).expect(200);
    let closed = service.close("visits", "2026").expect(201).json();
    assert_eq!(closed["number"], 2);
    let after = service.ask(&team, &question).expect(201).json();
    assert_ne!(before["id"], after["id"]);
    assert!(value(&after, &[("sex", "F")]).unwrap() > value(&before, &[("sex", "F")]).unwrap() + 500);
    assert_eq!(service.spent("visitors"), "2");
    let kept = service.get(&address, None).expect(200).json();
    assert_eq!(kept["cells"], before["cells"]);
    assert_eq!(kept["sha256"], before["sha256"]);
    assert!(kept["notice"].as_str().is_some_and(|notice| !notice.is_empty()), "superseded: {kept}");
    service.verify();
}

// Releases are kept in memory once they were read; who may read them is asked each time.
#[test]
fn what_is_restricted_is_not_served_from_memory_from_the_next_request_on() {
    let service = TestService::start();
    service.in_force(POLICY);
    let (ministry, team) = (service.submitter(), service.analyst());
    service.submit(&ministry, "visits", "2026", "k1", &visits("a", 500, 1)).expect(201);
    service.close("visits", "2026").expect(201);
    let question = json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }],
        "by": ["state"], "periods": ["2026"], "spend": { "rho": "0.25" } });
    let release = service.ask(&team, &question).expect(201).json();
    let (id, etag) = (release["id"].as_str().unwrap(), format!("\"{}\"", release["sha256"].as_str().unwrap()));
    let paths = [format!("/v1/releases/{id}"), format!("/v1/releases/{id}.csv")];
    let public: Vec<Vec<u8>> = paths.iter().map(|path| service.get(path, None).expect(200).body).collect();
    for (path, body) in paths.iter().zip(&public) {
        assert_eq!(&service.get(path, None).expect(200).body, body, "the second time from memory");
    }
    let known = [("if-none-match", etag.as_str())];
    service.request("GET", &paths[0], None, &known, b"").expect(304);
    assert_eq!(service.get("/v1/releases", None).expect(200).json().as_array().unwrap().len(), 1);

    let restricted = POLICY.replace("version = 1", "version = 2");
    service.in_force(&restricted.replace("releases = \"public\"", "releases = \"restricted\""));
    for (path, body) in paths.iter().zip(&public) {
        service.get(path, None).expect(404);
        assert_eq!(&service.get(path, Some(&team)).expect(200).body, body, "who may read it gets the same bytes");
        service.get(path, Some(&ministry)).expect(404);
        service.get(path, None).expect(404);
    }
    service.request("GET", &paths[0], None, &known, b"").expect(404);
    assert!(service.get("/v1/releases", None).expect(200).json().as_array().unwrap().is_empty());
}
