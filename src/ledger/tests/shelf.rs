//! Draws and releases: charged, stored and logged together; the same bytes for ever.

use super::*;

// G10
#[tokio::test]
async fn a_release_stands_with_its_charge_its_bytes_and_its_leaf_or_not_at_all() {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    let (plan, analyst) = (plan(&policy, "0.1", 1), principal(Role::Analyst, "ohchr"));
    let claim = desk.ledger.reserve(&plan, &analyst).await.unwrap();
    let mut wrong = draft(&plan, 0);
    wrong.0.sha256 = Digest::of(b"other bytes");
    assert_eq!(code(desk.ledger.settle(claim.draw(), b"sealed".to_vec(), wrong).await), "ledger_corrupt");
    assert_eq!(desk.spent().await, "0.1 held, 0 spent");
    assert!(desk.ledger.draw(&plan.draw).await.unwrap().is_none());
    let other = super::plan(&policy, "0.2", 2);
    let claim = desk.ledger.reserve(&other, &analyst).await.unwrap();
    let (kept, index, at) =
        desk.ledger.settle(claim.draw(), b"sealed".to_vec(), draft(&other, 0)).await.unwrap().into_parts();
    let row = desk.ledger.release(&kept.0.id).await.unwrap();
    assert_eq!((row.body, row.log_index, row.released_at, row.notice), (kept.0.body.clone(), index, at, None));
    assert_eq!(desk.ledger.draw(&other.draw).await.unwrap().unwrap(), b"sealed");
    assert_eq!(desk.ledger.most_precise(&other.measurement).await.unwrap(), Some(other.cost));
    let leaf = desk.ledger.leaf(index).await.unwrap().unwrap();
    assert!(leaf.contains(kept.0.id.as_str()) && leaf.contains(&kept.0.sha256.to_string()), "{leaf}");
    assert!(!leaf.contains("ohchr"));
    desk.verify().await;
    assert_eq!(desk.report().await.releases.len(), 1);
}

// G11
#[tokio::test]
async fn another_cut_of_a_paid_draw_costs_nothing_and_stands_once() {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    let plan = plan(&policy, "0.1", 1);
    assert_eq!(code(desk.ledger.shelve(draft(&plan, 1), 0).await), "unknown");
    let claim = desk.ledger.reserve(&plan, &principal(Role::Analyst, "ohchr")).await.unwrap();
    desk.ledger.settle(claim.draw(), Vec::new(), draft(&plan, 0)).await.unwrap();
    assert_eq!(code(desk.ledger.shelve(draft(&plan, 1), 0).await), "in_progress", "another release came between");
    let free = desk.ledger.shelve(draft(&plan, 1), 1).await.unwrap();
    assert_eq!(code(desk.ledger.shelve(draft(&plan, 1), 1).await), "release_exists");
    assert_eq!(desk.spent().await, "0 held, 0.1 spent");
    let listed = desk.ledger.release_faces(Some(&dataset())).await.unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0].id, free.into_parts().0.0.id);
    assert!(desk.ledger.release_faces(Some(&DatasetId::parse("other").unwrap())).await.unwrap().is_empty());
    desk.verify().await;
}

#[tokio::test]
async fn a_draw_of_a_claim_that_was_forfeited_is_on_no_shelf() {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    let plan = plan(&policy, "0.1", 1);
    let claim = desk.ledger.reserve(&plan, &principal(Role::Analyst, "ohchr")).await.unwrap();
    desk.ledger.forfeit(claim.draw()).await.unwrap();
    assert_eq!(code(desk.ledger.shelve(draft(&plan, 1), 0).await), "unknown");
    assert_eq!(desk.ledger.most_precise(&plan.measurement).await.unwrap(), None);
}

#[tokio::test]
async fn closing_a_later_edition_marks_releases_of_the_one_before_and_keeps_their_bytes() {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    let (ministry, analyst) = (principal(Role::Submitter, "ministry"), principal(Role::Analyst, "ohchr"));
    desk.submit(&ministry, "a", "2026", None).await;
    assert_eq!(desk.close("2026").await.unwrap().edition.number, 1);
    let (plan, late) = (plan(&policy, "0.1", 1), super::plan(&policy, "0.1", 2));
    let claim = desk.ledger.reserve(&plan, &analyst).await.unwrap();
    let first = desk.ledger.settle(claim.draw(), Vec::new(), draft(&plan, 0)).await.unwrap().into_parts().0;
    assert!(desk.ledger.release_face(&first.0.id).await.unwrap().notice.is_none());
    let under_way = desk.ledger.reserve(&late, &analyst).await.unwrap();
    desk.submit(&ministry, "b", "2026", None).await;
    assert_eq!(desk.close("2026").await.unwrap().edition.number, 2);
    let row = desk.ledger.release(&first.0.id).await.unwrap();
    assert_eq!(row.body, first.0.body);
    assert!(row.notice.unwrap().contains("edition 2 of 2026"));
    assert!(desk.ledger.release_face(&first.0.id).await.unwrap().notice.is_some(), "what was read before is not used");
    let second = desk.ledger.settle(under_way.draw(), Vec::new(), draft(&late, 0)).await.unwrap().into_parts().0;
    assert!(desk.ledger.release(&second.0.id).await.unwrap().notice.is_some());
    desk.verify().await;
}
