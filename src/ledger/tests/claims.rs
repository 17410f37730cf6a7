//! Claims: never overdrawn, durable before anything is drawn, spent when in doubt.

use super::*;
use crate::budget::Nanos;
use crate::identity::Purpose;

// G5, G11
#[tokio::test]
async fn of_two_identical_draws_at_once_one_is_told_to_wait() {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    let (plan, analyst) = (plan(&policy, "0.1", 1), principal(Role::Analyst, "ohchr"));
    let first = desk.ledger.reserve(&plan, &analyst).await.unwrap();
    assert_eq!(code(desk.ledger.reserve(&plan, &principal(Role::Analyst, "unicef")).await), "in_progress");
    desk.ledger.void(first).await.unwrap();
    let again = desk.ledger.reserve(&plan, &analyst).await.unwrap();
    desk.ledger.settle(again.draw(), b"sealed".to_vec(), draft(&plan, 0)).await.unwrap();
    assert_eq!(code(desk.ledger.reserve(&plan, &analyst).await), "already_drawn");
    assert_eq!(desk.spent().await, "0 held, 0.1 spent");
    desk.verify().await;
}

// G7
#[tokio::test]
async fn a_claim_that_a_crash_left_open_is_spent_and_not_refunded() {
    let mut desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    let claim = desk.ledger.reserve(&plan(&policy, "0.1", 1), &principal(Role::Analyst, "ohchr")).await.unwrap();
    drop(claim);
    desk.restart().await;
    assert_eq!(desk.spent().await, "0 held, 0.1 spent");
    desk.clock.set(noon() + days(800));
    desk.restart().await;
    assert_eq!(desk.spent().await, "0 held, 0.1 spent");
    desk.verify().await;
}

#[tokio::test]
async fn only_an_undrawn_claim_comes_back_and_a_forfeited_one_does_not() {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    let analyst = principal(Role::Analyst, "ohchr");
    let voided = desk.ledger.reserve(&plan(&policy, "0.1", 1), &analyst).await.unwrap();
    desk.ledger.void(voided).await.unwrap();
    assert_eq!(desk.spent().await, "0 held, 0 spent");
    let drawn = desk.ledger.reserve(&plan(&policy, "0.1", 2), &analyst).await.unwrap().draw();
    desk.ledger.forfeit(drawn).await.unwrap();
    assert_eq!(desk.spent().await, "0 held, 0.1 spent");
    desk.verify().await;
}

// G7
#[tokio::test]
async fn what_is_granted_and_not_made_durable_leaves_nothing() {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    let (plan, analyst) = (plan(&policy, "0.1", 1), principal(Role::Analyst, "ohchr"));
    drop(desk.ledger.grant(&plan, &analyst).await.unwrap());
    assert_eq!(desk.spent().await, "0 held, 0 spent");
    let _claim = desk.ledger.grant(&plan, &analyst).await.unwrap().reserve().await.unwrap();
    assert_eq!(desk.spent().await, "0.1 held, 0 spent");
    desk.verify().await;
}

#[tokio::test]
async fn a_claim_that_another_start_has_settled_cannot_be_voided_or_released() {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    let analyst = principal(Role::Analyst, "ohchr");
    let (one, two) = (plan(&policy, "0.1", 1), plan(&policy, "0.1", 2));
    let (undrawn, drawn) =
        (desk.ledger.reserve(&one, &analyst).await.unwrap(), desk.ledger.reserve(&two, &analyst).await.unwrap().draw());
    let other = desk.open_again().await.unwrap();
    assert_eq!(code(desk.ledger.void(undrawn).await), "fenced");
    assert_eq!(code(desk.ledger.settle(drawn, Vec::new(), draft(&two, 0)).await), "fenced");
    assert_eq!(code(desk.ledger.reserve(&plan(&policy, "0.1", 3), &analyst).await), "fenced");
    assert_eq!(code(desk.ledger.ready().await), "fenced");
    assert!(other.release_faces(None).await.unwrap().is_empty());
    assert_eq!(desk.spent().await, "0 held, 0.2 spent");
    desk.verify().await;
}

#[tokio::test]
async fn the_quota_is_refused_before_the_budget_and_binds_one_organisation() {
    let desk = Desk::new().await;
    let quota = ("per_release_max = \"0.5\"", "quota_per_organisation = \"0.15\"\nper_release_max = \"0.3\"");
    let policy = desk.enact(&visits(&[quota, ("rho = \"1\"", "rho = \"0.3\"")])).await;
    let [team, other, third] = ["ohchr", "unicef", "ilo"].map(|name| principal(Role::Analyst, name));
    let _first = desk.ledger.reserve(&plan(&policy, "0.1", 1), &team).await.unwrap();
    assert_eq!(code(desk.ledger.reserve(&plan(&policy, "0.3", 2), &team).await), "quota_exhausted");
    let same_team = Principal { token: TokenId::random(), ..team.clone() };
    assert_eq!(code(desk.ledger.affordable(&plan(&policy, "0.1", 2), &same_team).await), "quota_exhausted");
    let _second = desk.ledger.reserve(&plan(&policy, "0.1", 3), &other).await.unwrap();
    assert_eq!(code(desk.ledger.reserve(&plan(&policy, "0.15", 4), &third).await), "budget_exhausted");
    let _third = desk.ledger.reserve(&plan(&policy, "0.1", 4), &third).await.unwrap();
    desk.verify().await;
}

#[tokio::test]
async fn a_purpose_draws_on_its_share_alone_and_the_others_on_what_no_share_holds() {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[("[budget.shares]", "[budget.shares]\nsdg = \"0.3\"")])).await;
    let analyst = principal(Role::Analyst, "ohchr");
    let sdg = |rho, number| {
        let mut plan = plan(&policy, rho, number);
        plan.purpose = Purpose::parse("sdg").unwrap();
        plan
    };
    assert_eq!(code(desk.ledger.affordable(&sdg("0.4", 1), &analyst).await), "budget_exhausted");
    let _sdg = desk.ledger.reserve(&sdg("0.3", 2), &analyst).await.unwrap();
    assert_eq!(code(desk.ledger.reserve(&sdg("0.01", 3), &analyst).await), "budget_exhausted");
    let _treaty = desk.ledger.reserve(&plan(&policy, "0.5", 4), &analyst).await.unwrap();
    assert_eq!(code(desk.ledger.affordable(&plan(&policy, "0.21", 5), &analyst).await), "budget_exhausted");
    let balance = desk.ledger.balance(&account()).await.unwrap();
    assert_eq!(balance.unshared, Nanos::parse("0.2").unwrap());
    assert_eq!(balance.shares.into_values().collect::<Vec<_>>(), [Nanos::ZERO]);
    desk.verify().await;
}

#[tokio::test]
async fn nothing_is_reserved_under_a_policy_that_is_not_in_force_or_while_suspended() {
    let desk = Desk::new().await;
    let old = desk.enact(&visits(&[])).await;
    let analyst = principal(Role::Analyst, "ohchr");
    let new = desk.enact(&visits(&[("version = 1", "version = 2")])).await;
    assert_eq!(code(desk.ledger.reserve(&plan(&old, "0.1", 1), &analyst).await), "policy_changed");
    let mut forged = plan(&new, "0.1", 1);
    forged.cost = Nanos::from_nanos(1);
    assert_eq!(code(desk.ledger.reserve(&forged, &analyst).await), "ledger_corrupt");
    desk.ledger.suspend(&desk.officers[2], &dataset()).await.unwrap();
    assert_eq!(code(desk.ledger.reserve(&plan(&new, "0.1", 1), &analyst).await), "dataset_suspended");
    assert_eq!(desk.spent().await, "0 held, 0 spent");
    desk.verify().await;
}

// G6
#[tokio::test]
async fn the_database_itself_refuses_what_the_rules_refuse() {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    let _held = desk.ledger.reserve(&plan(&policy, "0.1", 1), &principal(Role::Analyst, "ohchr")).await.unwrap();
    for bad in [
        "UPDATE accounts SET spent = cap + 1",
        "UPDATE accounts SET held = cap, spent = 1",
        "UPDATE accounts SET held = -1",
        "UPDATE shares SET spent = cap",
        "UPDATE quotas SET held = -5",
        "UPDATE accounts SET cap = 0",
        "UPDATE accounts SET spent = 0.5",
        "INSERT INTO claims SELECT 'clm_x', account, share, organisation, dataset, policy, draw, measurement, editions,
         cost, state, owner, epoch, salt, opening, commitment, reserved_at, 99 FROM claims",
    ] {
        assert!(desk.try_tamper(bad).await.is_err(), "{bad}");
    }
    desk.verify().await;
}

#[tokio::test]
async fn a_claim_is_witnessed_before_it_is_granted() {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    let claim = desk.ledger.reserve(&plan(&policy, "0.1", 1), &principal(Role::Analyst, "ohchr")).await.unwrap();
    let text = std::fs::read_to_string(desk.witness()).unwrap();
    let last = text.lines().last().unwrap();
    assert!(last.contains("charge_reserved") && last.contains(claim.hold.id().as_str()), "{last}");
}

#[tokio::test]
async fn a_change_that_is_not_committed_leaves_nothing() {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    let before = desk.ledger.checkpoint().await.unwrap();
    let mut writing = desk.ledger.write().await.unwrap();
    let leaf = crate::transparency::Leaf::KeyRotated { key: "test".into(), sha256: policy.sha256 };
    writing.leaf(&leaf).await.unwrap();
    drop(writing);
    assert_eq!(desk.ledger.checkpoint().await.unwrap(), before);
    desk.verify().await;
}
