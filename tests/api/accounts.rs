//! One account of people for several datasets: one person's loss over all of them is one sum with one cap.

use crate::support::{POLICY, TestService, at_once, lists, visits};
use halflight::budget::{Accounting, Nanos};
use serde_json::{Value, json};

/// The small register with shares by purpose, in an accounting, under another name.
fn policy(id: &str, accounting: &str, amount: &str) -> String {
    let (unit, budget) = if accounting == "pure" { ("epsilon", "pure") } else { ("rho", "zcdp") };
    POLICY
        .replacen("id = \"visits\"", &format!("id = \"{id}\""), 1)
        .replacen(
            "accounting = \"zcdp\"\nrho = \"20\"",
            &format!("accounting = \"{budget}\"\n{unit} = \"{amount}\""),
            1,
        )
        .replacen("[purposes]", "[budget.shares]\nsdg = \"12\"\n[purposes]", 1)
}

fn question(dataset: &str, by: &str, purpose: &str, accounting: &str, amount: &str) -> Value {
    let unit = if accounting == "pure" { "epsilon" } else { "rho" };
    json!({ "dataset": dataset, "purpose": purpose, "measures": [{ "kind": "persons" }], "by": [by],
        "periods": ["2026"], "spend": { unit: amount } })
}

fn proposed(service: &TestService, toml: &str) -> crate::support::Reply {
    service.post("/v1/policies", &service.officers[0], &json!({ "toml": toml, "lists": lists() }))
}

/// Two datasets with a file each, on one account.
fn two(accounting: &str) -> TestService {
    let service = TestService::start();
    let ministry = service.submitter();
    for dataset in ["visits", "stays"] {
        service.in_force(&policy(dataset, accounting, "20"));
        service.submit(&ministry, dataset, "2026", "k1", &visits("a", 400, 1)).expect(201);
        service.close(dataset, "2026").expect(201);
    }
    service
}

// G6
#[test]
fn charges_of_two_datasets_add_up_and_what_passes_the_cap_of_both_is_refused() {
    for (accounting, kind) in [("zcdp", Accounting::Zcdp), ("pure", Accounting::Pure)] {
        let service = two(accounting);
        let team = service.analyst();
        let ask =
            |dataset, by, purpose, amount| service.ask(&team, &question(dataset, by, purpose, accounting, amount));
        ask("visits", "sex", "sdg", "8").expect(201);
        ask("stays", "sex", "sdg", "3").expect(201);
        assert_eq!(service.spent("visitors"), "11");
        // One is left of the share, whichever dataset is asked; nine of the account.
        for dataset in ["visits", "stays"] {
            ask(dataset, "state", "sdg", "2").expect_problem(409, "budget_exhausted");
        }
        ask("visits", "state", "sdg", "1").expect(201);
        let other = |dataset, amount| ask(dataset, "state", "treaty_body", amount);
        other("visits", "8.1").expect_problem(409, "budget_exhausted");
        other("visits", "8").expect(201);
        other("stays", "0.1").expect_problem(409, "budget_exhausted");
        let budget = service.get("/v1/budgets/visitors", Some(&service.officers[0])).expect(200).json();
        assert_eq!((&budget["spent"], &budget["remaining"], &budget["cap"]), (&json!("20"), &json!("0"), &json!("20")));
        // The epsilon of the sum, not the sum of epsilons.
        let whole = halflight::noise::epsilon_at(kind, Nanos::parse("20").unwrap(), 1e-9).unwrap();
        assert_eq!(budget["epsilon_spent"], json!(whole));
        service.verify();
    }
}

// G6
#[test]
fn two_datasets_asked_at_once_do_not_pass_what_is_left_for_both() {
    let service = two("zcdp");
    let team = service.analyst();
    let tables: [&[&str]; 6] = [&[], &["sex"], &["state"], &["service"], &["sex", "state"], &["sex", "service"]];
    let replies = at_once(12, |racer| {
        let mut asked = question(["visits", "stays"][racer % 2], "sex", "treaty_body", "zcdp", "1.5");
        asked["by"] = json!(tables[racer / 2]);
        service.ask(&team, &asked)
    });
    // Eight are left of the account for purposes without a share.
    let answered = replies.iter().filter(|reply| reply.status == 201).count();
    let refused = replies.iter().filter(|reply| reply.status == 409 && reply.code() == "budget_exhausted").count();
    assert_eq!((answered, refused), (5, 7));
    assert_eq!(service.spent("visitors"), "7.5");
    service.verify();
}

#[test]
fn who_joins_an_account_takes_its_budget_as_it_is_and_raising_it_is_a_loosening() {
    let service = two("zcdp");
    for toml in [
        policy("third", "zcdp", "30"),
        policy("third", "zcdp", "19"),
        policy("third", "zcdp", "20").replacen("sdg = \"12\"", "sdg = \"13\"", 1),
        policy("third", "zcdp", "20").replacen("sdg = \"12\"", "", 1),
    ] {
        proposed(&service, &toml).expect_problem(409, "account_differs");
    }
    proposed(&service, &policy("third", "pure", "20")).expect_problem(409, "accounting_frozen");
    // One of those that are on it may ask for more: two officers read that it is more, for both.
    let more = policy("visits", "zcdp", "25").replacen("version = 1", "version = 2", 1);
    let warnings = proposed(&service, &more).expect(201).json()["warnings"].to_string();
    for said in ["lifetime budget: 20 becomes 25", "account visitors: 20 becomes 25, for every dataset on it"] {
        assert!(warnings.contains(said), "{warnings}");
    }
    let digest = service.get("/v1/policies", Some(&service.officers[0])).expect(200).json();
    let digest = digest.as_array().unwrap().iter().find(|row| row["state"] == "proposed").unwrap()["sha256"].clone();
    let path = format!("/v1/policies/{}/approvals", digest.as_str().unwrap());
    service.request("POST", &path, Some(&service.officers[1]), &[], b"").expect(200);
    let budget = service.get("/v1/budgets/visitors", Some(&service.officers[0])).expect(200).json();
    assert_eq!(budget["cap"], "25");
    // The other's own file speaks of 20 still: as its next version it would lower the account, and may.
    let same = policy("stays", "zcdp", "20").replacen("version = 1", "version = 2", 1);
    assert!(!proposed(&service, &same).expect(201).json()["warnings"].to_string().contains("becomes"));
    service.in_force(&policy("third", "zcdp", "25"));
    service.verify();
}
