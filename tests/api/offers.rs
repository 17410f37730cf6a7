//! What is offered instead of a question is what its own quote says, and is answered at that price.

use crate::support::{POLICY, TestService, visits};
use serde_json::{Value, json};

fn policy() -> String {
    let program = "[[program]]\nid = \"yearly\"\npurpose = \"sdg\"\nmeasures = [{ kind = \"persons\" }]\n\
        tables = [[\"state\", \"sex\"], [\"service\", \"sex\"]]\nrho = \"6\"\n[cells]";
    POLICY.replacen("[cells]", program, 1).replacen("per_release_max = \"10\"", "per_release_max = \"1\"", 1)
}

fn question(by: &[&str], rho: &str) -> Value {
    json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": by,
        "periods": ["2026"], "margins": true, "spend": { "rho": rho } })
}

/// A register of many and a few, closed.
fn service() -> (TestService, String) {
    let service = TestService::start();
    service.in_force(&policy());
    let (ministry, team) = (service.submitter(), service.analyst());
    service.submit(&ministry, "visits", "2026", "k1", &visits("a", 4_000, 3)).expect(201);
    service.close("visits", "2026").expect(201);
    (service, team)
}

fn spent(service: &TestService) -> f64 {
    service.spent("visitors").parse().unwrap()
}

#[test]
fn every_offer_is_what_its_quote_says_and_is_answered_at_that_price() {
    let (service, team) = service();
    service.ask(&team, &question(&["sex"], "0.05")).expect(201);
    let run = json!({ "periods": ["2026"] });
    service.post("/v1/datasets/visits/programs/yearly", &service.officers[0], &run).expect(201);
    let filtered = |mut question: Value, column: &str, codes: &[&str]| {
        question["where"] = json!({ column: codes });
        question
    };
    let share = |mut question: Value| {
        question["measures"] = json!([{ "kind": "share", "of": { "service": ["mental"] } }]);
        question
    };
    let mut checked = 0;
    for rho in ["0.02", "0.9", "5"] {
        for asked in [
            question(&["state", "service", "sex"], rho),
            question(&["state", "sex"], rho),
            question(&["state", "servise"], rho),
            filtered(question(&["service"], rho), "state", &["north"]),
            filtered(question(&["state"], rho), "service", &["mental", "primary"]),
            share(question(&["state", "sex"], rho)),
        ] {
            let quote = service.post("/v1/quotes", &team, &asked).expect(200).json();
            for offer in quote["alternatives"].as_array().unwrap() {
                let told = service.post("/v1/quotes", &team, &offer["question"]).expect(200).json();
                assert_eq!(told["allowed"], true, "{offer}\n{told}");
                for said in ["cost", "free", "moe"] {
                    assert_eq!(told[said], offer[said], "{said}: {offer}\n{told}");
                }
                let before = spent(&service);
                let reply = service.ask(&team, &offer["question"]);
                assert!([200, 201].contains(&reply.status), "{offer}\n{}", reply.text());
                let cost = if told["free"] == true { "0" } else { told["cost"]["rho"].as_str().unwrap() };
                assert!((spent(&service) - before - cost.parse::<f64>().unwrap()).abs() < 1e-9, "{offer}");
                checked += 1;
            }
        }
    }
    assert!(checked > 20, "{checked}");
    service.verify();
}

/// Whatever is asked of them: nobody is told, and nothing breaks where there is nothing to divide by.
#[test]
fn a_period_of_one_person_is_silent_in_every_figure_alone_and_compared() {
    let cost = "[[column]]\nname = \"cost\"\nrole = \"measure\"\nper = \"row\"\ntype = \"integer\"\nunit = \"EUR\"\n\
        min = \"0\"\nmax = \"100\"\nmissing = \"allowed\"\nbins = [\"0\", \"10\", \"100\"]\n[cells]";
    let service = TestService::start();
    service.in_force(&POLICY.replacen("[cells]", cost, 1));
    let (ministry, team) = (service.submitter(), service.analyst());
    let mut rows = String::new();
    for (person, sex) in (0..300).zip(["F", "M"].iter().cycle()) {
        rows.push_str(&format!("p{person},north,{sex},primary,x,7\n"));
    }
    for (period, rows) in [("2026", rows.as_str()), ("2027", "p7,north,F,primary,x,7\n")] {
        let file = format!("person_id,state,sex,service,remark,cost\n{rows}");
        service.submit(&ministry, "visits", period, period, &file).expect(201);
        service.close("visits", period).expect(201);
    }
    let sexes =
        |what: Value| json!({ "kind": "ratio", "of": { "sex": ["F"] }, "against": { "sex": ["M"] }, "what": what });
    let mut measures = json!([{ "kind": "persons" }, { "kind": "rows" }, { "kind": "share", "of": { "sex": ["F"] } },
        { "kind": "sum", "column": "cost" }, { "kind": "mean", "column": "cost" }, { "kind": "median", "column": "cost" },
        sexes(json!({ "kind": "persons" })), sexes(json!({ "kind": "mean", "column": "cost" }))]);
    let mut ask = |periods: &[&str]| {
        if periods.len() == 2 {
            let years = json!({ "kind": "ratio", "of": { "period": ["2026"] }, "against": { "period": ["2027"] } });
            measures.as_array_mut().unwrap().push(years);
        }
        let asked = json!({ "dataset": "visits", "purpose": "sdg", "measures": measures, "by": ["state"],
            "periods": periods, "margins": true, "spend": { "rho": "8" } });
        service.ask(&team, &asked).expect(201).json()["cells"].as_array().unwrap().clone()
    };
    // The floor is more than six errors away from one person: a false alarm in fewer than one of 1e8.
    assert!(ask(&["2027"]).iter().all(|cell| cell["value"].is_null()));
    let both = ask(&["2026", "2027"]);
    let shown = |measure: &str| both.iter().any(|cell| cell["measure"] == measure && !cell["value"].is_null());
    assert!(shown("persons") && shown("share:sex=F"));
    assert!(!shown("persons:period=2027") && !shown("persons:period=2026") && !shown("ratio:period=2026/period=2027"));
    service.verify();
}
