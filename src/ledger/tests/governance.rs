//! Policies and tokens: two officers, seven days, no second word, no revival.

use super::*;
use crate::ledger::PolicyState;

#[tokio::test]
async fn a_policy_takes_two_officers_and_an_officer_counts_once() {
    let desk = Desk::new().await;
    let (policy, source) = parse(&visits(&[]));
    let [one, two, _] = &desk.officers;
    assert_eq!(
        code(desk.ledger.propose_policy(&principal(Role::Operator, "ops"), &policy, &source).await),
        "forbidden_role"
    );
    let row = desk.ledger.propose_policy(one, &policy, &source).await.unwrap();
    assert_eq!((row.state, row.approvals_missing), (PolicyState::Proposed, 1));
    assert_eq!(code(desk.ledger.propose_policy(two, &policy, &source).await), "policy_version");
    assert_eq!(code(desk.ledger.approve_policy(one, &policy).await), "own_proposal");
    assert_eq!(code(desk.ledger.balance(&account()).await), "unknown");
    let row = desk.ledger.approve_policy(two, &policy).await.unwrap();
    assert_eq!((row.state, row.approvals_missing), (PolicyState::InForce, 0));
    assert_eq!(code(desk.ledger.approve_policy(two, &policy).await), "not_proposed");
    assert_eq!(desk.ledger.policy_in_force(&dataset()).await.unwrap().unwrap().sha256, policy.sha256);
    desk.verify().await;
}

#[tokio::test]
async fn with_three_approvals_an_officer_cannot_approve_twice() {
    let desk = Desk::with_approvals(3).await;
    let (policy, source) = parse(&visits(&[]));
    let [one, two, three] = &desk.officers;
    desk.ledger.propose_policy(one, &policy, &source).await.unwrap();
    assert_eq!(desk.ledger.approve_policy(two, &policy).await.unwrap().approvals_missing, 1);
    assert_eq!(code(desk.ledger.approve_policy(two, &policy).await), "approved_already");
    assert_eq!(desk.ledger.approve_policy(three, &policy).await.unwrap().state, PolicyState::InForce);
    desk.verify().await;
}

#[tokio::test]
async fn a_proposal_dies_after_seven_days_and_may_be_made_again() {
    let desk = Desk::new().await;
    let (policy, source) = parse(&visits(&[]));
    let [one, two, _] = &desk.officers;
    desk.ledger.propose_policy(one, &policy, &source).await.unwrap();
    desk.clock.set(noon() + days(8));
    assert_eq!(code(desk.ledger.approve_policy(two, &policy).await), "proposal_expired");
    // A clock set back does not bring it to life.
    desk.clock.set(noon());
    assert_eq!(code(desk.ledger.approve_policy(two, &policy).await), "proposal_expired");
    desk.ledger.propose_policy(two, &policy, &source).await.unwrap();
    desk.ledger.approve_policy(one, &policy).await.unwrap();
    desk.verify().await;
}

#[tokio::test]
async fn no_change_of_policy_gains_history_or_breaks_what_is_frozen() {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    let claim = desk.ledger.reserve(&plan(&policy, "0.5", 1), &principal(Role::Analyst, "ohchr")).await.unwrap();
    desk.ledger.forfeit(claim.draw()).await.unwrap();
    for (change, refused) in [
        (("version = 1", "version = 1"), "policy_version"),
        (("\"visitors\"", "\"fresh-people\""), "account_frozen"),
        (("id = \"raw\"", "id = \"prekeyed\""), "ids_frozen"),
        (
            (
                "rho = \"1\"\ndelta = \"1e-9\"\nper_release_max = \"0.5\"",
                "rho = \"0.4\"\ndelta = \"1e-9\"\nper_release_max = \"0.4\"",
            ),
            "account_used",
        ),
        (("[budget.shares]", "[budget.shares]\nsdg = \"0.6\""), "account_used"),
    ] {
        let version = if refused == "policy_version" { "version = 1" } else { "version = 2" };
        let (changed, source) = parse(&visits(&[change]).replace("version = 1", version));
        assert_eq!(code(desk.ledger.propose_policy(&desk.officers[0], &changed, &source).await), refused);
    }
    // The same people under another dataset's name: one account, one history.
    let twin = visits(&[("id = \"visits\"", "id = \"visits_renamed\"")]);
    desk.enact(&twin).await;
    assert_eq!(desk.spent().await, "0 held, 0.5 spent");
    // More needs two officers, and shows.
    desk.enact(&visits(&[("version = 1", "version = 2"), ("rho = \"1\"", "rho = \"2\"")])).await;
    assert_eq!(desk.ledger.balance(&account()).await.unwrap().remaining.to_string(), "1.5");
    desk.verify().await;
}

#[tokio::test]
async fn an_overtaken_proposal_cannot_come_into_force() {
    let desk = Desk::new().await;
    let [one, two, _] = &desk.officers;
    let (second, source) = parse(&visits(&[("version = 1", "version = 2")]));
    desk.ledger.propose_policy(one, &second, &source).await.unwrap();
    desk.enact(&visits(&[("version = 1", "version = 3")])).await;
    assert_eq!(code(desk.ledger.approve_policy(two, &second).await), "policy_overtaken");
    desk.verify().await;
}

#[tokio::test]
async fn a_suspension_takes_one_officer_and_is_lifted_by_a_policy_of_two() {
    let desk = Desk::new().await;
    assert_eq!(code(desk.ledger.suspend(&desk.officers[0], &dataset()).await), "unknown");
    desk.enact(&visits(&[])).await;
    assert_eq!(code(desk.ledger.suspend(&principal(Role::Analyst, "a"), &dataset()).await), "forbidden_role");
    desk.ledger.suspend(&desk.officers[0], &dataset()).await.unwrap();
    assert!(desk.ledger.standing(&dataset()).await.unwrap().suspended);
    desk.verify().await;
    desk.enact(&visits(&[("version = 1", "version = 2")])).await;
    assert!(!desk.ledger.standing(&dataset()).await.unwrap().suspended);
    desk.verify().await;
}

#[tokio::test]
async fn a_token_opens_until_it_is_revoked_and_its_last_character_counts() {
    let desk = Desk::new().await;
    let (operator, _) = desk.ledger.issue_token(None, &new_token(Role::Operator, 366)).await.unwrap();
    let operator = Principal { token: operator.id, ..principal(Role::Operator, "ops") };
    let (row, text) = desk.ledger.issue_token(Some(&operator), &new_token(Role::Analyst, 30)).await.unwrap();
    assert_eq!(desk.ledger.authenticate(&text).await.unwrap().unwrap().token, row.id);
    let last = if text.ends_with('0') { "1" } else { "0" };
    let typo = format!("{}{last}", &text[..text.len() - 1]);
    assert!(desk.ledger.authenticate(&typo).await.unwrap().is_none());
    desk.ledger.revoke_token(&operator, &row.id).await.unwrap();
    assert!(desk.ledger.authenticate(&text).await.unwrap().is_none());
    assert_eq!(code(desk.ledger.revoke_token(&operator, &row.id).await), "unknown");
    desk.verify().await;
    // Without a look-up: the database is closed, and only the well-formed one needs it.
    desk.ledger.close().await;
    assert!(desk.ledger.authenticate(&typo).await.unwrap().is_none());
    assert!(desk.ledger.authenticate(&text).await.is_err());
}

#[tokio::test]
async fn nothing_in_the_token_table_authenticates() {
    let desk = Desk::new().await;
    let (_, text) = desk.ledger.issue_token(None, &new_token(Role::Officer, 9)).await.unwrap();
    let secret = &text["hl_officer_".len()..];
    desk.ledger.close().await;
    for file in std::fs::read_dir(desk.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(16).any(|window| window == &secret.as_bytes()[..16]));
    }
}

#[tokio::test]
async fn an_operator_makes_no_officers_and_nobody_else_makes_tokens() {
    let desk = Desk::new().await;
    let operator = principal(Role::Operator, "ops");
    assert_eq!(code(desk.ledger.issue_token(Some(&operator), &new_token(Role::Officer, 9)).await), "officer_token");
    assert_eq!(
        code(desk.ledger.issue_token(Some(&desk.officers[0]), &new_token(Role::Analyst, 9)).await),
        "forbidden_role"
    );
    for days in [0, 367] {
        assert_eq!(code(desk.ledger.issue_token(None, &new_token(Role::Analyst, days)).await), "token_days");
    }
}

#[tokio::test]
async fn a_clock_set_back_a_year_revives_no_token_even_over_a_restart() {
    let mut desk = Desk::new().await;
    let (_, text) = desk.ledger.issue_token(None, &new_token(Role::Analyst, 30)).await.unwrap();
    desk.clock.set(noon() + days(29));
    assert!(desk.ledger.authenticate(&text).await.unwrap().is_some());
    desk.clock.set(noon() + days(31));
    assert!(desk.ledger.authenticate(&text).await.unwrap().is_none());
    desk.clock.set(noon() - days(365));
    assert!(desk.ledger.authenticate(&text).await.unwrap().is_none());
    desk.restart().await;
    assert!(desk.ledger.authenticate(&text).await.unwrap().is_none());
    desk.verify().await;
}

#[tokio::test]
async fn a_revoked_officer_decides_nothing() {
    let desk = Desk::new().await;
    let (operator, _) = desk.ledger.issue_token(None, &new_token(Role::Operator, 9)).await.unwrap();
    let (officer, text) = desk.ledger.issue_token(None, &new_token(Role::Officer, 9)).await.unwrap();
    let who = desk.ledger.authenticate(&text).await.unwrap().unwrap();
    let operator = Principal { token: operator.id, ..principal(Role::Operator, "ops") };
    desk.ledger.revoke_token(&operator, &officer.id).await.unwrap();
    let (policy, source) = parse(&visits(&[]));
    assert_eq!(code(desk.ledger.propose_policy(&who, &policy, &source).await), "forbidden_role");
}
