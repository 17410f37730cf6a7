//! Submissions and editions: one key one submission, only one's own, closed as they were sealed.

use super::*;
use crate::ledger::SubmissionState;

#[tokio::test]
async fn an_idempotency_key_makes_one_submission() {
    let desk = Desk::new().await;
    let (ministry, other) = (principal(Role::Submitter, "ministry"), principal(Role::Submitter, "other"));
    let id = desk.submit(&ministry, "key", "2026", None).await;
    assert_eq!(
        code(desk.ledger.accept_submission(submission(&ministry, "key", "2026", None)).await),
        "idempotency_replay"
    );
    let mut changed = submission(&ministry, "key", "2026", None);
    changed.sha256 = Digest::of(b"other bytes");
    assert_eq!(code(desk.ledger.accept_submission(changed).await), "idempotency_key_reused");
    let found = desk.ledger.submission_by_key(&ministry.organisation, &dataset(), "key").await.unwrap().unwrap();
    assert_eq!((found.receipt.submission, found.receipt.rows_accepted), (id.clone(), 17));
    desk.submit(&other, "key", "2026", None).await;
    let period = Period::parse("2026").unwrap();
    let twin = desk
        .ledger
        .live_submission_by_digest(&ministry.organisation, &dataset(), &period, &Digest::of(b"key"))
        .await
        .unwrap();
    assert_eq!(twin.unwrap().receipt.submission, id);
    desk.verify().await;
}

#[tokio::test]
async fn a_submission_replaces_only_a_live_one_of_its_own_organisation_and_period() {
    let desk = Desk::new().await;
    let (ministry, other) = (principal(Role::Submitter, "ministry"), principal(Role::Submitter, "other"));
    let first = desk.submit(&ministry, "1", "2026", None).await;
    let replacing = |who: &Principal, key, period| submission(who, key, period, Some(first.clone()));
    assert_eq!(code(desk.ledger.accept_submission(replacing(&other, "2", "2026")).await), "unknown");
    assert_eq!(code(desk.ledger.accept_submission(replacing(&ministry, "2", "2027")).await), "period_differs");
    let files = desk.ledger.submissions(&ministry.organisation, &dataset()).await.unwrap()[0].files.clone();
    let receipt = desk.ledger.accept_submission(replacing(&ministry, "2", "2026")).await.unwrap();
    assert_eq!(code(desk.ledger.accept_submission(replacing(&ministry, "3", "2026")).await), "submission_not_live");
    let live = desk.ledger.live_submissions(&dataset(), &Period::parse("2026").unwrap()).await.unwrap();
    assert_eq!(live.iter().map(|row| &row.receipt.submission).collect::<Vec<_>>(), [&receipt.submission]);
    let kept = desk.ledger.files().await.unwrap();
    assert!(!kept.contains(&files[0].id) && kept.contains(&live[0].files[0].id));
    desk.verify().await;
}

#[tokio::test]
async fn a_withdrawn_submission_leaves_nothing_that_opens_its_commitment() {
    let desk = Desk::new().await;
    let (ministry, other) = (principal(Role::Submitter, "ministry"), principal(Role::Submitter, "other"));
    let receipt = desk.ledger.accept_submission(submission(&ministry, "k", "2026", None)).await.unwrap();
    let id = &receipt.submission;
    assert_eq!(code(desk.ledger.withdraw_submission(&other, &dataset(), id).await), "unknown");
    assert_eq!(desk.ledger.files().await.unwrap().len(), 1);
    desk.ledger.withdraw_submission(&ministry, &dataset(), id).await.unwrap();
    assert!(desk.ledger.files().await.unwrap().is_empty());
    assert_eq!(code(desk.ledger.withdraw_submission(&ministry, &dataset(), id).await), "submission_not_live");
    let row = desk.ledger.submissions(&ministry.organisation, &dataset()).await.unwrap().remove(0);
    assert_eq!(row.state, SubmissionState::Withdrawn);
    assert_eq!((row.receipt.salt.as_str(), row.receipt.rows_accepted, row.receipt.sha256), ("", 0, Digest([0; 32])));
    desk.verify().await;
}

#[tokio::test]
async fn the_log_says_nothing_of_a_file_that_could_be_guessed() {
    let desk = Desk::new().await;
    let ministry = principal(Role::Submitter, "ministry");
    let receipt = desk.ledger.accept_submission(submission(&ministry, "k", "2026", None)).await.unwrap();
    let leaf = desk.ledger.leaf(receipt.log_index).await.unwrap().unwrap();
    assert!(leaf.contains(&receipt.commitment.to_string()));
    for secret in [receipt.sha256.to_string(), receipt.salt, "17".to_owned(), "rows".to_owned()] {
        assert!(!leaf.split('"').any(|part| part.trim_matches([':', ',', '}']) == secret), "{leaf}");
    }
}

#[tokio::test]
async fn an_edition_is_of_the_submissions_that_are_live_when_it_is_committed() {
    let desk = Desk::new().await;
    let ministry = principal(Role::Submitter, "ministry");
    let period = Period::parse("2026").unwrap();
    let first = desk.submit(&ministry, "1", "2026", None).await;
    let sealed = edition(&period, vec![first.clone()]);
    let second = desk.submit(&ministry, "2", "2026", None).await;
    assert_eq!(code(desk.ledger.close_edition(&desk.officers[0], sealed).await), "submissions_moved");
    assert_eq!(
        code(desk.ledger.close_edition(&desk.officers[0], edition(&period, Vec::new())).await),
        "submissions_moved"
    );
    let closed = desk.ledger.close_edition(&desk.officers[0], edition(&period, vec![second, first])).await.unwrap();
    assert_eq!(desk.close("2026").await.unwrap().edition.number, 2);
    let newest = desk.ledger.standing(&dataset()).await.unwrap().editions;
    assert_eq!(newest.iter().map(|edition| edition.number).collect::<Vec<_>>(), [2]);
    assert_eq!(desk.ledger.edition(&dataset(), &closed.edition).await.unwrap().files, closed.files);
    assert!(desk.ledger.files().await.unwrap().contains(&closed.files[0].id));
    desk.verify().await;
}
