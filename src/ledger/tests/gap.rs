//! What began in the gap of a restored database: policies, tokens, submissions, editions, notices.

use super::rollback::{analyst, ministry};
use super::*;

#[tokio::test]
async fn a_policy_of_the_gap_is_suspended_with_its_cap_until_officers_propose_again() {
    let mut desk = Desk::new().await;
    desk.enact(&visits(&[])).await;
    desk.copy("before").await;
    let second = desk
        .enact(&visits(&[
            ("version = 1", "version = 2"),
            ("rho = \"1\"", "rho = \"2\""),
            ("[budget.shares]\n", "[budget.shares]\nsdg = \"0.5\"\n"),
        ]))
        .await;
    desk.charge(&second, "0.5", 1, &analyst()).await.unwrap();
    desk.charge(&second, "0.5", 2, &analyst()).await.unwrap();
    desk.charge(&second, "0.25", 3, &analyst()).await.unwrap();
    desk.put_back("before").await;
    let restored = desk.brought_forward().await;
    assert_eq!(restored.suspended, [dataset()]);
    assert!(desk.ledger.standing(&dataset()).await.unwrap().suspended);
    assert!(desk.ledger.policy_in_force(&dataset()).await.unwrap().is_none());
    assert_eq!(code(desk.charge(&second, "0.1", 4, &analyst()).await), "unknown");
    let balance = desk.ledger.balance(&account()).await.unwrap();
    assert_eq!((balance.cap.to_string(), balance.spent.to_string()), ("2".into(), "1.25".into()));
    assert_eq!(desk.ledger.policies().await.unwrap()[0].state, crate::ledger::PolicyState::Lost);
    // The same version again, another account, or a cap below what is spent: no.
    let propose = async |replaced: &[(&str, &str)]| {
        let (policy, source) = parse(&visits(replaced));
        desk.ledger.propose_policy(&desk.officers[0], &policy, &source).await.map(|_| ())
    };
    assert_eq!(code(propose(&[("version = 1", "version = 2")]).await), "policy_version");
    let third = ("version = 1", "version = 3");
    assert_eq!(code(propose(&[third, ("account = \"visitors\"", "account = \"others\"")]).await), "account_frozen");
    assert_eq!(code(propose(&[third]).await), "account_used");
    let third = desk.enact(&visits(&[third, ("rho = \"1\"", "rho = \"2\"")])).await;
    assert!(!desk.ledger.standing(&dataset()).await.unwrap().suspended);
    desk.charge(&third, "0.1", 5, &analyst()).await.unwrap();
    desk.verify().await;
    desk.restart().await;
    desk.verify().await;
}

#[tokio::test]
async fn approvals_and_suspensions_of_the_gap_stand_for_policies_from_before_it() {
    let mut desk = Desk::with_approvals(3).await;
    let (policy, source) = parse(&visits(&[]));
    desk.ledger.propose_policy(&desk.officers[0], &policy, &source).await.unwrap();
    desk.copy("before").await;
    desk.ledger.approve_policy(&desk.officers[1], &policy).await.unwrap();
    desk.put_back("before").await;
    desk.brought_forward().await;
    assert_eq!(code(desk.ledger.approve_policy(&desk.officers[1], &policy).await), "approved_already");
    desk.ledger.approve_policy(&desk.officers[2], &policy).await.unwrap();
    desk.copy("before").await;
    desk.ledger.suspend(&desk.officers[2], &dataset()).await.unwrap();
    desk.put_back("before").await;
    desk.brought_forward().await;
    assert!(desk.ledger.standing(&dataset()).await.unwrap().suspended);
}

#[tokio::test]
async fn tokens_of_the_gap_are_dead_and_those_revoked_in_it_stay_revoked() {
    let mut desk = Desk::new().await;
    let operator = principal(Role::Operator, "operations");
    let first = desk.ledger.issue_token(None, &new_token(Role::Operator, 30)).await.unwrap();
    let operator = Principal { token: first.0.id.clone(), ..operator };
    let old = desk.ledger.issue_token(Some(&operator), &new_token(Role::Analyst, 30)).await.unwrap();
    desk.copy("before").await;
    let new = desk.ledger.issue_token(Some(&operator), &new_token(Role::Analyst, 30)).await.unwrap();
    desk.ledger.revoke_token(&operator, &old.0.id).await.unwrap();
    desk.copy("after").await;
    desk.put_back("before").await;
    assert_eq!(desk.brought_forward().await.tokens, std::slice::from_ref(&new.0.id));
    assert!(desk.ledger.authenticate(&old.1).await.unwrap().is_none());
    assert!(desk.ledger.authenticate(&new.1).await.unwrap().is_none());
    assert!(desk.ledger.authenticate(&first.1).await.unwrap().is_some());
    // A copy that knows the new one, put back afterwards, does not bring it back to life.
    desk.put_back("after").await;
    desk.brought_forward().await;
    assert!(desk.ledger.authenticate(&new.1).await.unwrap().is_none());
}

#[tokio::test]
async fn what_was_withdrawn_or_replaced_in_the_gap_is_so_again_and_its_files_are_named_by_nothing() {
    let mut desk = Desk::new().await;
    desk.enact(&visits(&[])).await;
    let withdrawn = desk.submit(&ministry(), "a", "2026", None).await;
    let replaced = desk.submit(&ministry(), "b", "2026", None).await;
    let kept = desk.submit(&ministry(), "c", "2026", None).await;
    desk.close("2026").await.unwrap();
    desk.copy("before").await;
    desk.ledger.withdraw_submission(&ministry(), &dataset(), &withdrawn).await.unwrap();
    let new = desk.submit(&ministry(), "d", "2026", Some(replaced.clone())).await;
    desk.close("2026").await.unwrap();
    desk.put_back("before").await;
    let restored = desk.brought_forward().await;
    assert_eq!(restored.resend.iter().map(|lost| &lost.submission).collect::<Vec<_>>(), [&new]);
    assert_eq!(restored.editions, [(dataset(), Period::parse("2026").unwrap(), 2)]);
    assert_eq!(restored.erased.len(), 2);
    let live = desk.ledger.live_submissions(&dataset(), &Period::parse("2026").unwrap()).await.unwrap();
    assert_eq!(live.iter().map(|row| &row.receipt.submission).collect::<Vec<_>>(), [&kept]);
    // One submission and the first edition are all the vault may keep.
    assert_eq!(desk.ledger.files().await.unwrap().len(), 2);
    let rows = desk.ledger.submissions(&ministry().organisation, &dataset()).await.unwrap();
    assert!(rows.iter().filter(|row| row.receipt.submission == withdrawn).all(|row| row.receipt.salt.is_empty()));
    // Sent again under the same key, and closed under the next number.
    desk.submit(&ministry(), "d", "2026", None).await;
    assert_eq!(desk.close("2026").await.unwrap().edition.number, 3);
    desk.verify().await;
}

#[tokio::test]
async fn a_release_drawn_before_the_gap_carries_the_notice_of_an_edition_closed_in_it() {
    let mut desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    desk.submit(&ministry(), "a", "2026", None).await;
    desk.close("2026").await.unwrap();
    let release = desk.release(&policy, "0.1", 1).await;
    desk.copy("before").await;
    desk.submit(&ministry(), "b", "2026", None).await;
    desk.close("2026").await.unwrap();
    assert!(desk.ledger.release(&release).await.unwrap().notice.is_some());
    desk.put_back("before").await;
    desk.brought_forward().await;
    assert!(desk.ledger.release(&release).await.unwrap().notice.is_some());
    // And one that is drawn now from the edition before carries it from the start.
    let later = desk.release(&policy, "0.1", 2).await;
    assert!(desk.ledger.release(&later).await.unwrap().notice.is_some());
    desk.verify().await;
}
