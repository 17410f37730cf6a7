//! Haste: whoever passes a limit is told when to come back, and nobody else notices.

use crate::support::{POLICY, Reply, TestService, at_once, visits};
use crate::wide;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const QUESTIONS: u64 = 20;
const REQUESTS: u64 = 60;

fn limited() -> TestService {
    TestService::start_with(&format!(
        "reply_quantum_ms = 0\ntrusted_proxies = [\"127.0.0.1\"]\n[rate_limits]\nper_token_per_minute = {REQUESTS}\n\
         questions_per_minute = {QUESTIONS}\nunauthenticated_per_minute = {REQUESTS}\n"
    ))
}

fn question(by: &str) -> Value {
    json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": [by],
        "periods": ["2026"], "spend": { "rho": "0.1" } })
}

/// How many were let through; the others have to be 429 with the seconds to wait.
fn let_through(replies: &[Reply]) -> u64 {
    for reply in replies {
        assert!(reply.status < 500, "{}", reply.text());
        if reply.status == 429 {
            assert_eq!(reply.code(), "rate_limited");
            let seconds = reply.headers["retry-after"].parse::<u64>().unwrap();
            assert!((1..=60).contains(&seconds), "{seconds}");
        }
    }
    replies.iter().filter(|reply| reply.status != 429).count() as u64
}

/// A full bucket, and what dripped into it meanwhile.
fn within(passed: u64, per_minute: u64, took: Duration) {
    let most = per_minute + took.as_secs() * per_minute / 60 + 2;
    assert!((per_minute..=most).contains(&passed), "{passed} of {per_minute} a minute in {took:?}");
}

// Mixed traffic from eight connections with one token, twice as much as is allowed; then everybody else.
#[test]
fn a_hasty_token_is_told_to_wait_and_a_calm_one_is_not() {
    let service = limited();
    service.in_force(POLICY);
    let ministry = service.submitter();
    service.submit(&ministry, "visits", "2026", "k", &visits("a", 100, 1)).expect(201);
    service.close("visits", "2026").expect(201);
    let (hasty, calm) = (service.analyst(), service.token("analyst", "unhcr", "un_reporting"));
    let began = Instant::now();
    let questions = at_once(8, |_| {
        let asked = |i: u64| match i % 3 {
            0 => service.ask(&hasty, &question("sex")),
            1 => service.post("/v1/quotes", &hasty, &question("state")),
            _ => service.ask(&hasty, &question("no_such")),
        };
        (0..6).map(asked).collect::<Vec<_>>()
    });
    within(let_through(&questions.into_iter().flatten().collect::<Vec<_>>()), QUESTIONS, began.elapsed());
    let reads = at_once(8, |_| (0..10).map(|_| service.get("/v1/datasets/visits", Some(&hasty))).collect::<Vec<_>>());
    let passed = let_through(&reads.into_iter().flatten().collect::<Vec<_>>());
    assert!(passed <= REQUESTS - QUESTIONS + began.elapsed().as_secs() + 2, "{passed} more requests");
    // the calm one, a ministry, and the public
    service.ask(&calm, &question("sex")).expect(200);
    service.post("/v1/quotes", &calm, &question("state")).expect(200);
    service.ask(&calm, &question("no_such")).expect_problem(422, "dimension_unknown");
    service.submit(&ministry, "visits", "2026", "k2", &visits("b", 100, 1)).expect(201);
    service.get("/v1/releases?dataset=visits", None).expect(200);
    assert_eq!(service.spent("visitors"), "0.1");
    service.verify();
}

#[test]
fn a_hasty_address_and_a_guesser_of_tokens_wait_and_their_neighbours_do_not() {
    let service = limited();
    let guess = format!("hl_analyst_{}", "a".repeat(60));
    for token in [None, Some(guess.as_str())] {
        let from = if token.is_some() { "203.0.113.7" } else { "203.0.113.8" };
        let path = if token.is_some() { "/v1/budgets/visitors" } else { "/v1/datasets" };
        let began = Instant::now();
        let replies = at_once(8, |_| {
            let send = |_| service.request("GET", path, token, &[("x-forwarded-for", from)], b"");
            (0..15).map(send).collect::<Vec<_>>()
        });
        within(let_through(&replies.into_iter().flatten().collect::<Vec<_>>()), REQUESTS, began.elapsed());
    }
    let other = [("x-forwarded-for", "203.0.113.9")];
    service.request("GET", "/v1/datasets", None, &other, b"").expect(200);
    // a valid token is not held to the haste of its address
    let auditor = service.token("auditor", "court", "nso");
    service.request("GET", "/v1/datasets", Some(&auditor), &[("x-forwarded-for", "203.0.113.8")], b"").expect(200);
}

// G8: a refusal is made of the question and the rules, so neither load nor data shows in it.
#[test]
fn refusals_are_the_same_bytes_under_load_and_over_other_data() {
    let refused = |persons: usize, askers: usize| {
        let service = TestService::start();
        service.in_force(POLICY);
        service.submit(&service.submitter(), "visits", "2026", "k", &visits("a", persons, 1)).expect(201);
        service.close("visits", "2026").expect(201);
        let team = service.analyst();
        let mut cases = [question("no_such"), question("state"), question("sex")];
        cases[1]["by"] = json!(["state", "service"]);
        cases[2]["spend"] = json!({ "rho": "11" });
        let told = at_once(askers, |_| {
            let said = |case| (service.ask(&team, case).body, service.post("/v1/quotes", &team, case).body);
            cases.iter().map(said).collect::<Vec<_>>()
        });
        assert!(told.iter().all(|one| *one == told[0]), "one question, one answer");
        assert_eq!(service.spent("visitors"), "0");
        told[0].clone()
    };
    let quiet = refused(30, 1);
    assert_eq!(quiet, refused(3_000, 16));
}

// The time is compared with that of a trivial refusal in the same run: the median of each, so that a busy machine does
// not matter. What must not be is work that grows with the product of 12 dimensions of 100 codes.
#[test]
fn a_question_over_twelve_dimensions_of_a_hundred_codes_is_refused_about_as_fast_as_any() {
    let service = TestService::start();
    service.in_force(&wide::policy("vast", 12, 100, "rho = \"20\"\nper_release_max = \"1\""));
    let team = service.analyst();
    let all: Vec<usize> = (0..12).collect();
    let vast = wide::question("vast", &all, "1");
    let mut margins = vast.clone();
    margins["margins"] = json!(true);
    let trivial = {
        let mut question = wide::question("vast", &[0], "1");
        question["purpose"] = json!("curiosity");
        question
    };
    let median = |question: &Value, code: &str| {
        let time = |_| {
            let began = Instant::now();
            let reply = service.ask(&team, question);
            assert_eq!(reply.code(), code, "{}", reply.text());
            began.elapsed()
        };
        let mut times: Vec<_> = (0..15).map(time).collect();
        times.sort();
        times[7]
    };
    let usual = median(&trivial, "purpose_denied");
    for question in [&vast, &margins] {
        let took = median(question, "too_many_dimensions");
        println!("12 dimensions of 100 codes: {took:?}; trivial: {usual:?}");
        assert!(took < usual * 30 + Duration::from_millis(50), "{took:?} beside {usual:?}");
    }
}

// A token that is revoked is dead on every connection of every worker, from the next request on.
#[test]
fn a_revoked_token_is_refused_on_every_open_connection_at_once() {
    let service = TestService::start();
    let asked = json!({ "role": "auditor", "organisation": "court", "class": "nso", "days": 30 });
    let made = service.post("/v1/tokens", &service.operator, &asked).expect(201).json();
    let token = made["token"].as_str().unwrap();
    let id = made["id"].as_str().unwrap_or_else(|| panic!("{made}"));
    let bearer = format!("Bearer {token}");
    let agents: Vec<_> = (0..16).map(|_| crate::support::agent()).collect();
    let url = format!("{}/v1/datasets", service.url);
    let ask = |agent| crate::support::send(agent, "GET", &url, &[("authorization", &bearer)], b"").status;
    assert!(agents.iter().all(|agent| ask(agent) == 200));
    service.request("DELETE", &format!("/v1/tokens/{id}"), Some(&service.operator), &[], b"").expect(204);
    assert!(agents.iter().all(|agent| ask(agent) == 401));
}
