//! Which draw answers: a question's own, then the one that tells it best; one that tells nothing of it is passed.

use crate::support::{TestService, value};
use crate::withheld::{all_hold, published, question, service_with};
use halflight::release::audit;
use serde_json::{Value, json};

fn with_margins(mut question: Value) -> Value {
    question["margins"] = json!(true);
    question
}

/// Women of the west alone: three.
fn the_three(rho: &str) -> Value {
    let mut asked = question(&[], &["west"], rho);
    asked["where"]["sex"] = json!(["F"]);
    asked
}

/// What its quote says that a question costs, and its answer; both agree.
fn asked(service: &TestService, team: &str, question: &Value) -> (String, Value) {
    let quote = service.post("/v1/quotes", team, question).expect(200).json();
    assert_eq!(quote["allowed"], true, "{quote}");
    let before: f64 = service.spent("visitors").parse().unwrap();
    let reply = service.ask(team, question);
    assert!([200, 201].contains(&reply.status), "{}", reply.text());
    let cost = if quote["free"] == true { "0" } else { quote["cost"]["rho"].as_str().unwrap() };
    let spent = service.spent("visitors").parse::<f64>().unwrap() - before;
    assert!((spent - cost.parse::<f64>().unwrap()).abs() < 1e-9, "{spent}: {quote}");
    (cost.to_owned(), reply.json())
}

// R4, case 13
#[test]
fn a_draw_that_tells_nothing_of_a_question_stands_in_nobodys_way() {
    // The same measurement at a higher price; and one that only covers what is asked.
    for paid in [question(&["state", "sex"], &[], "0.5"), with_margins(question(&["state", "sex"], &[], "0.7"))] {
        let (service, team) = service_with(crate::support::POLICY, [500, 500, 3]);
        let first = service.ask(&team, &paid).expect(201).json();
        assert_eq!(value(&first, &[("state", "west"), ("sex", "F")]), None);
        let (cost, own) = asked(&service, &team, &the_three("0.1"));
        assert_eq!(
            (cost.as_str(), &own["privacy"]["charged"], &own["answered_from"]),
            ("0.1", &json!(true), &Value::Null)
        );
        // The same again, at that price or a lower one, is the stored answer.
        for rho in ["0.1", "0.10", "0.05"] {
            let (cost, again) = asked(&service, &team, &the_three(rho));
            assert_eq!((cost.as_str(), &again), ("0", &own), "{rho}");
        }
        // What a draw tells something of is free as ever.
        let (cost, told) = asked(&service, &team, &question(&["state"], &[], "0.1"));
        assert_eq!((cost.as_str(), &told["answered_from"]), ("0", &first["id"]));
        all_hold(&audit(&published(&service)));
        service.verify();
    }
}

// At the very price of a draw there is no other draw: its answer is free, and silent.
#[test]
fn a_question_at_the_price_of_a_draw_is_answered_from_it_though_it_tells_nothing() {
    let (service, team) = service_with(crate::support::POLICY, [500, 500, 3]);
    let first = service.ask(&team, &question(&["state", "sex"], &[], "0.5")).expect(201).json();
    let (cost, silent) = asked(&service, &team, &the_three("0.5"));
    assert_eq!((cost.as_str(), &silent["answered_from"]), ("0", &first["id"]));
    assert!(silent["cells"].as_array().unwrap().iter().all(|cell| cell["value"].is_null()));
    assert_eq!(asked(&service, &team, &the_three("0.1")), ("0".to_owned(), silent), "and is the stored answer then");
    service.verify();
}

// G11, and the most precise of what is free
#[test]
fn a_question_keeps_its_own_answer_and_a_new_one_has_the_best_there_is() {
    let (service, team) = service_with(crate::support::POLICY, [500, 500, 400]);
    let (_, own) = asked(&service, &team, &question(&["sex"], &[], "0.05"));
    let (_, better) = asked(&service, &team, &with_margins(question(&["state", "sex"], &[], "4")));
    // At a lower price: from the better draw, not from the one that asked the same.
    let (cost, lower) = asked(&service, &team, &question(&["sex"], &[], "0.02"));
    assert_eq!((cost.as_str(), &lower["answered_from"]), ("0", &better["id"]));
    let women = |release: &Value| value(release, &[("sex", "F")]);
    assert_eq!(women(&lower), value(&better, &[("state", "_T"), ("sex", "F")]));
    // Another cut of the draw that asked the same: from the better one, too.
    let mut cut = question(&["sex"], &[], "0.05");
    cut["where"] = json!({ "sex": ["F"] });
    assert_eq!(asked(&service, &team, &cut).1["answered_from"], better["id"]);
    // The very question again: its own answer.
    assert_eq!(asked(&service, &team, &question(&["sex"], &[], "0.05")), ("0".to_owned(), own));
    // Drawn anew at a higher price, it keeps that one, too.
    service.ask(&team, &question(&["sex"], &[], "9")).expect(201);
    assert_eq!(asked(&service, &team, &question(&["sex"], &[], "0.05")).1["privacy"]["rho"], "0.05");
    service.verify();
}
