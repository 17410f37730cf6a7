//! A draw from which much was answered takes no more, and says what to ask instead.

use crate::support::{POLICY, TestService, UNLIMITED};
use crate::withheld::{question, register};
use serde_json::{Value, json};

fn service(limit: &str) -> (TestService, String) {
    let service = TestService::start_with(&format!("{UNLIMITED}[limits]\n{limit}\n"));
    service.in_force(POLICY);
    let (ministry, team) = (service.submitter(), service.analyst());
    service.submit(&ministry, "visits", "2026", "k1", &register([500, 500, 400])).expect(201);
    service.close("visits", "2026").expect(201);
    (service, team)
}

/// One sex by state: a cut of the draw of both.
fn of_sex(sex: &str, rho: &str) -> Value {
    let mut asked = question(&["state"], &[], rho);
    asked["where"] = json!({ "sex": [sex] });
    asked
}

/// One state by sex is refused at this price; what the refusal names is answered.
fn is_full(service: &TestService, team: &str, stands: &Value) {
    let more = question(&["sex"], &["west"], "0.5");
    let refused = service.ask(team, &more).expect_problem(409, "draw_full").json();
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("at another price") && detail.contains("a table that stands"), "{detail}");
    let quote = service.post("/v1/quotes", team, &more).expect(200).json();
    assert_eq!(
        (&quote["allowed"], &quote["code"], &quote["detail"]),
        (&json!(false), &json!("draw_full"), &json!(detail))
    );
    assert_eq!(service.spent("visitors"), "0.5");
    service.ask(team, stands).expect(200);
    for (own, price) in [(question(&["sex"], &["west"], "0.4"), 0.4), (question(&["sex"], &[], "0.25"), 0.25)] {
        let quote = service.post("/v1/quotes", team, &own).expect(200).json();
        assert_eq!((&quote["allowed"], &quote["free"]), (&json!(true), &json!(false)), "{quote}");
        let told = service.ask(team, &own).expect(201).json();
        assert_eq!(told["privacy"]["charged"], true, "a draw of their own at {price}");
    }
    assert_eq!(service.spent("visitors"), "1.15");
    service.verify();
}

#[test]
fn a_draw_gives_no_more_answers_than_it_may() {
    let (service, team) = service("answers_per_draw = 3");
    service.ask(&team, &question(&["state", "sex"], &[], "0.5")).expect(201);
    for sex in ["F", "M"] {
        assert_eq!(service.ask(&team, &of_sex(sex, "0.5")).expect(201).json()["privacy"]["charged"], false);
    }
    is_full(&service, &team, &of_sex("F", "0.1"));
}

#[test]
fn a_draw_gives_no_more_cells_than_it_may() {
    let (service, team) = service("cells_per_draw = 6");
    service.ask(&team, &question(&["state", "sex"], &[], "0.5")).expect(201);
    // The first answer from it is judged beside what stands, and finds it full for the next.
    service.ask(&team, &of_sex("F", "0.5")).expect(201);
    is_full(&service, &team, &of_sex("F", "0.5"));
}
