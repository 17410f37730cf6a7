//! A database put back from a copy: nothing is served, it is brought forward, no budget comes back, the log goes on.

use super::*;
use crate::budget::Nanos;
use crate::fault::{Fault, Faults, Point};
use crate::ledger::Restored;
use crate::transparency::Leaf;

pub(super) fn analyst() -> Principal {
    principal(Role::Analyst, "ohchr")
}

pub(super) fn ministry() -> Principal {
    principal(Role::Submitter, "ministry")
}

impl Desk {
    /// Keeps a copy of the database as it is now.
    pub(super) async fn copy(&mut self, to: &str) {
        self.ledger.close().await;
        std::fs::copy(self.database(), self.folder.path().join(to)).unwrap();
        self.ledger = self.open_again().await.unwrap();
    }

    /// Stops the service and puts a copy back.
    pub(super) async fn put_back(&self, from: &str) {
        self.ledger.close().await;
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", self.database().display()));
        }
        std::fs::copy(self.folder.path().join(from), self.database()).unwrap();
    }

    async fn restore(&self) -> Result<Option<Restored>, LedgerError> {
        Ledger::restore(settings(self.folder.path(), &self.clock, self.approvals)).await
    }

    /// Stops, restores, starts, verifies.
    pub(super) async fn brought_forward(&mut self) -> Restored {
        let restored = self.restore().await.unwrap().expect("it was behind");
        self.verify().await;
        self.ledger = self.open_again().await.unwrap();
        self.verify().await;
        restored
    }

    /// A charge with its release.
    pub(super) async fn release(&self, policy: &Policy, rho: &str, draw: u64) -> ReleaseId {
        let plan = plan(policy, rho, draw);
        let claim = self.ledger.reserve(&plan, &analyst()).await.unwrap();
        self.ledger.settle(claim.draw(), b"sealed".to_vec(), draft(&plan, 0)).await.unwrap().into_parts().0.0.id
    }

    pub(super) async fn charge(
        &self,
        policy: &Policy,
        rho: &str,
        draw: u64,
        who: &Principal,
    ) -> Result<(), LedgerError> {
        let claim = self.ledger.reserve(&plan(policy, rho, draw), who).await?;
        self.ledger.forfeit(claim.draw()).await
    }
}

// G6, G7, G12
#[tokio::test]
async fn five_charges_are_not_given_back_by_an_old_database() {
    let mut desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    desk.release(&policy, "0.1", 1).await;
    desk.copy("before").await;
    for number in 10..15 {
        desk.release(&policy, "0.1", number).await;
    }
    assert_eq!(desk.spent().await, "0 held, 0.6 spent");
    let (witnessed, size) = (desk.ledger.checkpoint().await.unwrap(), desk.report().await.leaves);
    desk.put_back("before").await;
    assert_eq!(code(desk.open_again().await.map(|_| ())), "behind_witness");
    let restored = desk.brought_forward().await;
    assert_eq!(restored.charges[&account()].to_string(), "0.5");
    assert_eq!(restored.releases.len(), 5);
    assert_eq!(restored.gap.end, size);
    assert_eq!(desk.spent().await, "0 held, 0.6 spent");
    // The log went through the witnessed head, and on by one leaf that says so.
    let leaf = desk.ledger.leaf(size).await.unwrap().unwrap();
    let root = desk
        .ledger
        .inclusion(0, size)
        .await
        .map(|_| crate::transparency::open_checkpoint(&witnessed, &desk.ledger.verifier_key()).unwrap().root);
    assert_eq!(Leaf::parse(&leaf), Some(Leaf::Restored { size: restored.gap.start, sha256: root.unwrap() }));
    // The account goes on from there: 0.4 is left, and not a nano more.
    assert_eq!(code(desk.charge(&policy, "0.45", 20, &analyst()).await), "budget_exhausted");
    desk.release(&policy, "0.4", 21).await;
    assert_eq!(code(desk.charge(&policy, "0.001", 22, &analyst()).await), "budget_exhausted");
    assert_eq!(desk.report().await.restored, [(restored.gap.start, size)]);
    desk.verify().await;
}

#[tokio::test]
async fn a_database_that_is_not_behind_is_left_as_it_is() {
    let mut desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    desk.copy("before").await;
    desk.charge(&policy, "0.1", 1, &analyst()).await.unwrap();
    desk.ledger.close().await;
    let before = desk.report().await.leaves;
    assert_eq!(desk.restore().await.unwrap(), None);
    assert_eq!(desk.report().await.leaves, before);
    // Restored twice: the second does nothing.
    desk.put_back("before").await;
    assert!(desk.restore().await.unwrap().is_some());
    let after = desk.report().await.leaves;
    assert_eq!(desk.restore().await.unwrap(), None);
    assert_eq!(desk.report().await.leaves, after);
    // Ahead of the witness, as after a crash before it was told.
    desk.ledger = desk.open_again().await.unwrap();
    desk.faults.plan(Point::WitnessAppend, 0, Fault::Lost);
    assert_eq!(code(desk.charge(&policy, "0.1", 2, &analyst()).await), "witness");
    desk.ledger.close().await;
    assert_eq!(desk.restore().await.unwrap(), None);
    desk.ledger = desk.open_again().await.unwrap();
    assert_eq!(desk.spent().await, "0 held, 0.2 spent");
    desk.verify().await;
}

#[tokio::test]
async fn old_databases_put_back_again_and_again_give_nothing_back() {
    let mut desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    desk.copy("first").await;
    desk.release(&policy, "0.1", 1).await;
    desk.submit(&ministry(), "a", "2026", None).await;
    desk.close("2026").await.unwrap();
    desk.copy("second").await;
    desk.release(&policy, "0.1", 2).await;
    desk.put_back("first").await;
    assert_eq!(desk.brought_forward().await.releases.len(), 2);
    desk.release(&policy, "0.1", 3).await;
    desk.put_back("first").await;
    assert_eq!(desk.brought_forward().await.releases.len(), 3);
    assert_eq!(desk.spent().await, "0 held, 0.3 spent");
    // One that knows things of the first gap, which the log has declared gone in the meantime.
    desk.put_back("second").await;
    desk.brought_forward().await;
    assert_eq!(desk.spent().await, "0 held, 0.3 spent");
    assert!(desk.ledger.standing(&dataset()).await.unwrap().editions.is_empty());
    assert!(desk.ledger.files().await.unwrap().is_empty());
    desk.submit(&ministry(), "a again", "2026", None).await;
    assert_eq!(desk.close("2026").await.unwrap().edition.number, 2);
    desk.verify().await;
}

// G7
#[tokio::test]
async fn a_claim_of_the_gap_that_is_open_is_spent_and_one_that_was_given_back_is_not() {
    let mut desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    let ended = desk.ledger.reserve(&plan(&policy, "0.01", 1), &analyst()).await.unwrap();
    let voided = desk.ledger.reserve(&plan(&policy, "0.02", 2), &analyst()).await.unwrap();
    let _open = desk.ledger.reserve(&plan(&policy, "0.04", 3), &analyst()).await.unwrap();
    // The copy holds three open claims; a crash settles none, for nothing is restarted.
    std::fs::copy(desk.database(), desk.folder.path().join("before")).unwrap();
    std::fs::copy(format!("{}-wal", desk.database().display()), desk.folder.path().join("before-wal")).unwrap();
    desk.ledger.forfeit(ended.draw()).await.unwrap();
    desk.ledger.void(voided).await.unwrap();
    let _lost = desk.ledger.reserve(&plan(&policy, "0.08", 4), &analyst()).await.unwrap();
    let back = desk.ledger.reserve(&plan(&policy, "0.16", 5), &analyst()).await.unwrap();
    desk.ledger.void(back).await.unwrap();
    desk.put_back("before").await;
    std::fs::copy(desk.folder.path().join("before-wal"), format!("{}-wal", desk.database().display())).unwrap();
    let restored = desk.brought_forward().await;
    assert_eq!(restored.charges[&account()].to_string(), "0.08");
    assert_eq!(desk.spent().await, "0 held, 0.13 spent");
}

// G6
#[tokio::test]
async fn what_nobody_knows_any_more_whose_it_was_counts_against_every_share_and_quota() {
    let mut desk = Desk::new().await;
    let text = visits(&[
        ("per_release_max = \"0.5\"", "per_release_max = \"0.5\"\nquota_per_organisation = \"0.4\""),
        ("[budget.shares]\n", "[budget.shares]\nsdg = \"0.2\"\n"),
    ]);
    let policy = desk.enact(&text).await;
    desk.charge(&policy, "0.1", 1, &analyst()).await.unwrap();
    desk.copy("before").await;
    desk.charge(&policy, "0.25", 2, &analyst()).await.unwrap();
    desk.put_back("before").await;
    desk.brought_forward().await;
    let balance = desk.ledger.balance(&account()).await.unwrap();
    assert_eq!((balance.spent.to_string(), balance.remaining.to_string()), ("0.35".into(), "0.65".into()));
    assert_eq!(balance.shares.values().copied().collect::<Vec<_>>(), [Nanos::ZERO]);
    assert_eq!(balance.unshared.to_string(), "0.45");
    // Of its quota of 0.4 the one that asked has 0.05 left, and one that nobody has seen has 0.15.
    assert_eq!(code(desk.charge(&policy, "0.06", 3, &analyst()).await), "quota_exhausted");
    desk.charge(&policy, "0.05", 4, &analyst()).await.unwrap();
    let other = principal(Role::Analyst, "unhcr");
    assert_eq!(code(desk.charge(&policy, "0.16", 5, &other).await), "quota_exhausted");
    desk.charge(&policy, "0.15", 6, &other).await.unwrap();
    desk.verify().await;
}

// G12
#[tokio::test]
async fn the_witness_of_another_log_an_empty_one_a_missing_one_and_another_way_are_refused() {
    let mut desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    desk.copy("before").await;
    desk.charge(&policy, "0.1", 1, &analyst()).await.unwrap();
    desk.put_back("before").await;
    let whole = std::fs::read(desk.witness()).unwrap();
    let other = Desk::new().await;
    std::fs::copy(other.witness(), desk.witness()).unwrap();
    assert_eq!(code(desk.restore().await), "witness");
    std::fs::write(desk.witness(), b"").unwrap();
    assert_eq!(code(desk.restore().await), "witness");
    std::fs::remove_file(desk.witness()).unwrap();
    assert_eq!(code(desk.restore().await), "witness");
    let none = LedgerSettings { witness: None, ..settings(desk.folder.path(), &desk.clock, 2) };
    assert_eq!(code(Ledger::restore(none).await), "witness_missing");
    // A line taken out, and a leaf that was changed.
    let text = String::from_utf8(whole.clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    std::fs::write(desk.witness(), [&lines[..3], &lines[4..], &[""]].concat().join("\n")).unwrap();
    assert_eq!(code(desk.restore().await), "witness");
    std::fs::write(desk.witness(), text.replacen("100000000", "000000001", 1)).unwrap();
    assert_eq!(code(desk.restore().await), "witness");
    // Another way: the old database went on for a leaf or two while the witness was away.
    std::fs::write(desk.witness(), &whole).unwrap();
    let fork = LedgerSettings { witness: None, ..settings(desk.folder.path(), &desk.clock, 2) };
    let fork = Ledger::open(fork).await.unwrap();
    fork.accept_submission(submission(&ministry(), "x", "2026", None)).await.unwrap();
    fork.close().await;
    assert!(["witness_forked", "behind_witness"].contains(&code(desk.restore().await)));
    // And after all of this the right database still comes forward.
    desk.put_back("before").await;
    desk.brought_forward().await;
    assert_eq!(desk.spent().await, "0 held, 0.1 spent");
}

#[tokio::test]
async fn a_restore_that_fails_on_the_way_leaves_the_database_as_it_was() {
    let mut desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    desk.copy("before").await;
    for number in 0..5 {
        desk.release(&policy, "0.1", number).await;
    }
    desk.put_back("before").await;
    let leaves = desk.report().await.leaves;
    for (point, after) in [(Point::LeafAppend, 0), (Point::LeafAppend, 7), (Point::Recover, 0)] {
        let faults = Faults::default();
        faults.plan(point, after, Fault::Lost);
        let broken = LedgerSettings { faults, ..settings(desk.folder.path(), &desk.clock, 2) };
        assert_eq!(code(Ledger::restore(broken).await), "database");
        assert_eq!(desk.report().await.leaves, leaves);
        assert_eq!(code(desk.open_again().await.map(|_| ())), "behind_witness");
    }
    // A crash right after the commit, before the witness knows of the `restored` leaf.
    let faults = Faults::default();
    faults.plan(Point::WitnessAppend, 0, Fault::Lost);
    let broken = LedgerSettings { faults, ..settings(desk.folder.path(), &desk.clock, 2) };
    assert_eq!(code(Ledger::restore(broken).await), "witness");
    assert_eq!(desk.restore().await.unwrap(), None);
    desk.ledger = desk.open_again().await.unwrap();
    assert_eq!(desk.spent().await, "0 held, 0.5 spent");
    desk.verify().await;
}

#[tokio::test]
async fn only_rows_of_a_gap_may_be_missing() {
    let mut desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    desk.release(&policy, "0.1", 1).await;
    desk.submit(&ministry(), "a", "2026", None).await;
    desk.close("2026").await.unwrap();
    desk.copy("before").await;
    desk.release(&policy, "0.1", 2).await;
    desk.put_back("before").await;
    desk.brought_forward().await;
    desk.release(&policy, "0.1", 3).await;
    desk.submit(&ministry(), "b", "2026", None).await;
    for table in ["releases", "draws", "claims", "submissions", "editions", "tokens", "policies", "datasets"] {
        desk.ledger.close().await;
        std::fs::copy(desk.database(), desk.folder.path().join("whole")).unwrap();
        for order in ["ASC", "DESC"] {
            let sql =
                format!("DELETE FROM {table} WHERE rowid = (SELECT rowid FROM {table} ORDER BY rowid {order} LIMIT 1)");
            desk.tamper(Box::leak(sql.into_boxed_str())).await;
            assert!(!desk.report().await.findings.is_empty(), "{table} {order}");
            desk.put_back("whole").await;
        }
        desk.verify().await;
    }
}

#[tokio::test]
async fn a_witness_that_is_lost_for_good_is_begun_anew_and_the_log_says_so() {
    let mut desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    desk.copy("before").await;
    desk.charge(&policy, "0.1", 1, &analyst()).await.unwrap();
    desk.ledger.close().await;
    let again = || Ledger::begin_witness(settings(desk.folder.path(), &desk.clock, 2));
    assert_eq!(code(again().await), "witness_there");
    std::fs::remove_file(desk.witness()).unwrap();
    let size = again().await.unwrap();
    desk.verify().await;
    desk.ledger = desk.open_again().await.unwrap();
    assert_eq!(desk.report().await.restored, [(size, size)]);
    // It holds every leaf from the first on, so the next rollback is found and mended.
    desk.charge(&policy, "0.1", 2, &analyst()).await.unwrap();
    desk.put_back("before").await;
    assert_eq!(code(desk.open_again().await.map(|_| ())), "behind_witness");
    desk.brought_forward().await;
    assert_eq!(desk.spent().await, "0 held, 0.2 spent");
}
