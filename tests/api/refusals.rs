//! Wrong input of every kind: the right status, a stable code, a sentence that says what to do, and no charge.

use crate::support::{POLICY, Reply, TestService, visits};
use chrono::TimeDelta;
use halflight::clock::Clock as _;
use serde_json::{Value, json};

fn base() -> Value {
    json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": ["state", "sex"],
        "periods": ["2026"], "margins": true, "spend": { "rho": "1" } })
}

fn with(key: &str, value: Value) -> Value {
    let mut question = base();
    question[key] = value;
    question
}

fn closed() -> (TestService, String, String) {
    let service = TestService::start();
    service.in_force(POLICY);
    let (ministry, team) = (service.submitter(), service.analyst());
    service.submit(&ministry, "visits", "2026", "k1", &visits("a", 100, 1)).expect(201);
    service.close("visits", "2026").expect(201);
    (service, ministry, team)
}

#[test]
fn a_wrong_question_is_refused_with_its_code_and_costs_nothing() {
    let (service, _, team) = closed();
    let cases = [
        (with("dataset", json!("no_such")), 404, "dataset_unknown"),
        (with("purpose", json!("curiosity")), 403, "purpose_denied"),
        (with("spend", json!({ "epsilon": "1" })), 400, "question_malformed"),
        (with("measures", json!([])), 400, "question_malformed"),
        (with("by", json!(["state", "shoe_size"])), 422, "dimension_unknown"),
        (with("where", json!({ "sex": ["X"] })), 422, "code_unknown"),
        (with("by", json!(["state", "service"])), 422, "cross_forbidden"),
        (with("where", json!({ "service": ["mental"] })), 422, "cross_forbidden"),
        (with("periods", json!(["2025"])), 422, "period_not_closed"),
        (with("periods", json!(["2022", "2023", "2024", "2025", "2026"])), 422, "too_many_periods"),
        (with("spend", json!({ "rho": "0.000001" })), 422, "spend_pointless"),
        (with("spend", json!({ "rho": "11" })), 422, "spend_over_maximum"),
    ];
    for (question, status, code) in cases {
        service.ask(&team, &question).expect_problem(status, code);
        let quote = service.post("/v1/quotes", &team, &question);
        assert!(quote.status == status || quote.json()["code"] == code, "a quote says the same: {}", quote.text());
    }
    assert_eq!(service.spent("visitors"), "0");
    service.verify();
}

#[test]
fn a_body_that_is_not_a_question_is_told_what_is_wrong_with_it() {
    let (service, _, team) = closed();
    let send = |body: &[u8]| {
        service.request("POST", "/v1/releases", Some(&team), &[("content-type", "application/json")], body)
    };
    let unknown = with("colour", json!("red"));
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let twice = base().to_string().replacen("\"purpose\"", "\"purpose\":\"sdg\",\"purpose\"", 1);
    for body in [unknown.to_string().as_bytes(), b"{", deep.as_bytes(), twice.as_bytes(), b"\xff\xfe"] {
        send(body).expect_problem(400, "question_malformed");
    }
    for rho in ["0", "-1", "NaN", "1e400", "", "0.00000000001"] {
        let reply = service.ask(&team, &with("spend", json!({ "rho": rho })));
        assert!([400, 422].contains(&reply.status), "{rho}: {}", reply.text());
    }
    let plain = service.request("POST", "/v1/releases", Some(&team), &[("content-type", "text/plain")], b"{}");
    assert_eq!(plain.status, 415, "{}", plain.text());
    assert_eq!(service.spent("visitors"), "0");
}

#[test]
fn a_refusal_offers_questions_that_are_then_answered() {
    let (service, _, team) = closed();
    let refused =
        service.ask(&team, &with("by", json!(["state", "service"]))).expect_problem(422, "cross_forbidden").json();
    let alternatives = refused["alternatives"].as_array().unwrap();
    assert!(!alternatives.is_empty());
    for alternative in alternatives {
        service.ask(&team, &alternative["question"]).expect(201);
    }
}

#[test]
fn the_budget_ends_and_cannot_be_passed() {
    let (service, _, team) = closed();
    for (spend, by) in [("10", "state"), ("9.5", "sex")] {
        let mut question = with("by", json!([by]));
        question["spend"] = json!({ "rho": spend });
        service.ask(&team, &question).expect(201);
    }
    let refused = service.ask(&team, &base()).expect_problem(409, "budget_exhausted").json();
    assert_eq!(service.spent("visitors"), "19.5");
    assert!(refused["detail"].as_str().unwrap().contains("released"), "{refused}");
    let quote = service.post("/v1/quotes", &team, &base()).expect(200).json();
    assert_eq!((quote["allowed"].as_bool(), quote["code"].as_str()), (Some(false), Some("budget_exhausted")));
    service.ask(&team, &quote["alternatives"][0]["question"]).expect(201);
    service.verify();
}

#[test]
fn a_wrong_file_is_refused_by_row_column_and_rule() {
    let service = TestService::start();
    service.in_force(POLICY);
    let ministry = service.submitter();
    let send = |key: &str, csv: &str| service.submit(&ministry, "visits", "2026", key, csv);
    let rule = |reply: Reply| reply.expect(422).json()["findings"][0].clone();
    let good = visits("a", 20, 1);
    let bad = rule(send("b1", &good.replacen(",F,", ",female,", 1)));
    assert_eq!((bad["row"].as_u64(), bad["column"].as_str()), (Some(1), Some("sex")), "{bad}");
    assert_eq!(bad["rule"], "code_not_in_list");
    let nobody = rule(send("b2", &good.replacen("a3,", "N/A,", 1)));
    assert_eq!((nobody["row"].as_u64(), nobody["column"].as_str()), (Some(4), Some("person_id")), "{nobody}");
    send("b3", &good.replacen("person_id,state,sex", "person_id,state,gender", 1)).expect(422);
    send("b4", "").expect(422);
    send("b5", &good.replacen("north", "nor\u{0}th", 1)).expect(422);
    let headers = [
        ("content-type", "text/csv"),
        ("idempotency-key", "b6"),
        ("content-digest", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"),
    ];
    let path = "/v1/datasets/visits/submissions?period=2026";
    service.request("POST", path, Some(&ministry), &headers, good.as_bytes()).expect_problem(422, "digest_mismatch");
    let keyless = service.request("POST", path, Some(&ministry), &[("content-type", "text/csv")], good.as_bytes());
    assert_eq!(keyless.status, 400, "{}", keyless.text());
    let xml = [("content-type", "application/xml"), ("idempotency-key", "b7")];
    assert_eq!(service.request("POST", path, Some(&ministry), &xml, b"<a/>").status, 415);
    assert!(service.get("/v1/datasets/visits/submissions", Some(&ministry)).expect(200).json().to_string().len() < 40);
    let close = service.close("visits", "2026");
    assert_eq!((close.status, close.code().as_str()), (409, "nothing_to_close"), "nothing of all this was kept");
}

#[test]
fn a_file_with_bad_rows_can_be_sent_with_skip_and_a_key_names_one_file() {
    let service = TestService::start();
    service.in_force(POLICY);
    let ministry = service.submitter();
    let headers = [("content-type", "text/csv"), ("idempotency-key", "s1")];
    let path = "/v1/datasets/visits/submissions?period=2026&on_error=skip";
    let file = visits("a", 20, 1).replacen(",F,", ",female,", 1);
    let send = |body: &str| service.request("POST", path, Some(&ministry), &headers, body.as_bytes());
    let kept = send(&file).expect(201);
    let receipt = kept.json();
    assert_eq!((receipt["rows_accepted"].as_u64(), receipt["rows_rejected"].as_u64()), (Some(19), Some(1)));
    assert_eq!(send(&file).expect(200).json(), receipt, "the same key and file: the same receipt");
    send(&visits("b", 20, 1)).expect_problem(422, "idempotency_key_reused");
    let other_key = [("content-type", "text/csv"), ("idempotency-key", "s2")];
    let twin = service.request("POST", path, Some(&ministry), &other_key, file.as_bytes()).expect(200).json();
    assert_eq!(twin["submission"], receipt["submission"], "the same file under another key: the same submission");
    let id = receipt["submission"].as_str().unwrap();
    let gone = service.request("DELETE", &format!("/v1/datasets/visits/submissions/{id}"), Some(&ministry), &[], b"");
    assert!([200, 204].contains(&gone.status), "{}", gone.text());
    service.close("visits", "2026").expect_problem(409, "nothing_to_close");
    service.verify();
}

#[test]
fn tokens_are_checked_for_role_time_and_every_character() {
    let (service, ministry, team) = closed();
    service.ask(&ministry, &base()).expect_problem(403, "forbidden_role");
    service.submit(&team, "visits", "2026", "k9", &visits("z", 5, 1)).expect_problem(403, "forbidden_role");
    let mut changed = team.clone();
    let last = changed.pop().unwrap();
    changed.push(if last == 'a' { 'b' } else { 'a' });
    service.ask(&changed, &base()).expect_problem(401, "unauthenticated");
    service
        .request("POST", "/v1/releases", None, &[("content-type", "application/json")], b"{}")
        .expect_problem(401, "unauthenticated");
    let police = service.token("analyst", "border-police", "enforcement");
    service.ask(&police, &base()).expect_problem(403, "principal_denied");
    let later = service.clock.now() + TimeDelta::days(31);
    service.clock.set(later);
    service.ask(&team, &base()).expect_problem(401, "unauthenticated");
    service.clock.set(later - TimeDelta::days(365));
    service.ask(&team, &base()).expect_problem(401, "unauthenticated");
}

#[test]
fn officers_need_each_other_and_suspension_needs_one() {
    let service = TestService::start();
    let proposed =
        service.post("/v1/policies", &service.officers[0], &json!({ "toml": POLICY, "lists": {} })).expect(201).json();
    let path = format!("/v1/policies/{}/approvals", proposed["sha256"].as_str().unwrap());
    let own = service.request("POST", &path, Some(&service.officers[0]), &[], b"");
    assert_eq!(own.status, 409, "{}", own.text());
    service.ask(&service.analyst(), &base()).expect_problem(404, "dataset_unknown");
    service.request("POST", &path, Some(&service.officers[1]), &[], b"").expect(200);
    let bad = POLICY.replace("rows_max = 3", "rows_max = 3\nweight = \"w\"");
    let reply =
        service.post("/v1/policies", &service.officers[0], &json!({ "toml": bad, "lists": {} })).expect(422).json();
    assert!(reply["findings"][0]["line"].as_u64().unwrap() > 15, "{reply}");
    service.request("POST", "/v1/datasets/visits/suspension", Some(&service.officers[2]), &[], b"");
    service.ask(&service.analyst(), &base()).expect_problem(409, "dataset_suspended");
    service.verify();
}

// The firewall of the policy: a denied class neither asks nor reads what needs a token.
#[test]
fn a_denied_class_reads_no_restricted_release() {
    let service = TestService::start();
    service.in_force(&POLICY.replace("releases = \"public\"", "releases = \"restricted\""));
    let (ministry, team) = (service.submitter(), service.analyst());
    service.submit(&ministry, "visits", "2026", "k1", &visits("a", 100, 1)).expect(201);
    service.close("visits", "2026").expect(201);
    let release = service.ask(&team, &base()).expect(201).json();
    let path = format!("/v1/releases/{}", release["id"].as_str().unwrap());
    service.get(&path, Some(&team)).expect(200);
    service.get(&path, None).expect(404);
    let police = service.token("analyst", "border-police", "enforcement");
    service.get(&path, Some(&police)).expect(404);
    let listed = service.get("/v1/releases?dataset=visits", Some(&police)).expect(200);
    assert!(!listed.text().contains(release["id"].as_str().unwrap()));
}

#[test]
fn an_idempotency_key_stands_for_one_period_too() {
    let service = TestService::start();
    service.in_force(POLICY);
    let (ministry, file) = (service.submitter(), visits("a", 20, 1));
    service.submit(&ministry, "visits", "2026", "k1", &file).expect(201);
    service.submit(&ministry, "visits", "2026", "k1", &file).expect(200);
    service.submit(&ministry, "visits", "2027", "k1", &file).expect_problem(422, "idempotency_key_reused");
}
