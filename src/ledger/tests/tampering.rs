//! Whoever touches the files behind the ledger's back is found: by the witness when it opens, by `verify` at any time.

use super::*;
use crate::transparency::{Head, Witness, WitnessLine, verify_by_tiles};

/// A ledger in which a bit of everything has happened.
async fn busy() -> Desk {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    let (ministry, analyst) = (principal(Role::Submitter, "ministry"), principal(Role::Analyst, "ohchr"));
    let id = desk.submit(&ministry, "a", "2026", None).await;
    desk.submit(&ministry, "b", "2026", Some(id)).await;
    desk.close("2026").await.unwrap();
    let plan = plan(&policy, "0.1", 1);
    let claim = desk.ledger.reserve(&plan, &analyst).await.unwrap();
    desk.ledger.settle(claim.draw(), b"sealed".to_vec(), draft(&plan, 0)).await.unwrap();
    let claim = desk.ledger.reserve(&super::plan(&policy, "0.1", 2), &analyst).await.unwrap();
    desk.ledger.void(claim).await.unwrap();
    desk.verify().await;
    desk
}

fn copy(desk: &Desk, to: &str) {
    std::fs::copy(desk.database(), desk.folder.path().join(to)).unwrap();
}

fn put_back(desk: &Desk, from: &str) {
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", desk.database().display()));
    }
    std::fs::copy(desk.folder.path().join(from), desk.database()).unwrap();
}

// G12
#[tokio::test]
async fn every_edit_behind_the_ledgers_back_is_found() {
    for edit in [
        "UPDATE leaves SET body = replace(body, '100000000', '100000001') WHERE body LIKE '%charge_reserved%'",
        "UPDATE leaves SET body = (SELECT body FROM leaves WHERE idx = 3) WHERE idx = 4",
        "DELETE FROM leaves WHERE idx = (SELECT max(idx) FROM leaves)",
        "DELETE FROM leaves WHERE idx = 2",
        "UPDATE leaves SET idx = -1 * idx",
        "INSERT INTO leaves SELECT max(idx) + 1, body FROM leaves",
        "UPDATE leaves SET idx = 9999 WHERE idx = 1; UPDATE leaves SET idx = 1 WHERE idx = 2;
         UPDATE leaves SET idx = 2 WHERE idx = 9999",
        "UPDATE hashes SET hash = zeroblob(32) WHERE position = 1",
        "DELETE FROM hashes WHERE position = 5",
        "UPDATE head SET size = size - 1",
        "UPDATE head SET root = (SELECT sha256 FROM policies)",
        "UPDATE head SET note = replace(note, 'halflight', 'halfnight')",
        "UPDATE meta SET value = 'x+00000000+AAAA' WHERE key = 'verifier_key'",
        "UPDATE accounts SET spent = spent - 1",
        "UPDATE accounts SET cap = cap + 1",
        "UPDATE shares SET spent = 0",
        "UPDATE quotas SET spent = 0",
        "UPDATE claims SET state = 'voided' WHERE state = 'settled'",
        "UPDATE claims SET opening = replace(opening, 'ohchr', 'other')",
        "DELETE FROM claims WHERE state = 'voided'",
        "UPDATE releases SET body = x'7b7d'",
        "UPDATE releases SET notice = 'withdrawn'",
        "DELETE FROM releases",
        "UPDATE submissions SET state = 'live'",
        "UPDATE submissions SET commitment = sha256",
        "UPDATE editions SET submissions = '[]'",
        "DELETE FROM editions",
        "UPDATE policies SET source = replace(source, 'threshold = 10', 'threshold = 0')",
        "UPDATE policies SET state = 'superseded'",
        "UPDATE datasets SET suspended = 1",
        "INSERT INTO tokens VALUES ('tok_00112233445566778899aabbccddeeff', 'x', 'officer', 'a', 'b', NULL, 9, 0, 999, 'x')",
    ] {
        let desk = busy().await;
        desk.ledger.close().await;
        // Some edits break the constraints of the schema: whoever tampers need not care.
        let sql: &'static str = Box::leak(format!("PRAGMA ignore_check_constraints = 1; {edit}").into_boxed_str());
        desk.tamper(sql).await;
        let found = verify_database(&desk.database(), Some(&desk.witness())).await;
        assert!(found.is_err() || !found.unwrap().findings.is_empty(), "{edit}");
    }
}

// G12
#[tokio::test]
async fn a_database_put_back_from_before_some_charges_serves_nothing() {
    let mut desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    desk.ledger.close().await;
    copy(&desk, "before");
    desk.ledger = desk.open_again().await.unwrap();
    for number in 0..5 {
        let claim =
            desk.ledger.reserve(&plan(&policy, "0.1", number), &principal(Role::Analyst, "ohchr")).await.unwrap();
        desk.ledger.forfeit(claim.draw()).await.unwrap();
    }
    desk.ledger.close().await;
    put_back(&desk, "before");
    assert_eq!(code(desk.open_again().await.map(|_| ())), "behind_witness");
    let codes: Vec<_> = desk.report().await.findings.into_iter().map(|finding| finding.code).collect();
    assert!(codes.contains(&"rolled_back"), "{codes:?}");
}

// G12
#[tokio::test]
async fn a_database_that_took_another_way_since_its_copy_serves_nothing() {
    let mut desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    desk.ledger.close().await;
    copy(&desk, "before");
    desk.ledger = desk.open_again().await.unwrap();
    let claim = desk.ledger.reserve(&plan(&policy, "0.5", 1), &principal(Role::Analyst, "ohchr")).await.unwrap();
    desk.ledger.forfeit(claim.draw()).await.unwrap();
    desk.ledger.close().await;
    put_back(&desk, "before");
    // A longer log without the charge, made while the witness was away.
    let mut settings = settings(desk.folder.path(), &desk.clock, 2);
    settings.witness = None;
    let fork = Ledger::open(settings).await.unwrap();
    for number in 0..9 {
        let (key, ministry) = (number.to_string(), principal(Role::Submitter, "ministry"));
        fork.accept_submission(submission(&ministry, &key, "2026", None)).await.unwrap();
    }
    fork.close().await;
    assert_eq!(code(desk.open_again().await.map(|_| ())), "behind_witness");
    assert!(!desk.report().await.findings.is_empty());
}

#[tokio::test]
async fn a_running_ledger_whose_witness_went_ahead_reserves_nothing_more() {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    let key = LogKey::load(&desk.folder.path().join("key")).unwrap();
    let mut witness = Witness::open(&desk.witness(), key.verifier_key(), false).unwrap();
    let first = witness.head().unwrap().unwrap().size;
    let head = Head { size: first + 1, root: Digest::of(b"elsewhere") };
    let line = WitnessLine { first, leaves: vec!["{}".to_owned()], note: key.sign(head).unwrap() };
    witness.append(&line).unwrap();
    let refused = desk.ledger.reserve(&plan(&policy, "0.1", 1), &principal(Role::Analyst, "ohchr")).await;
    assert_eq!(code(refused), "behind_witness");
    assert_eq!(code(desk.ledger.ready().await), "behind_witness");
    // Nothing is read any more either.
    assert_eq!(code(desk.ledger.balance(&account()).await), "behind_witness");
    assert_eq!(code(desk.ledger.release_faces(None).await), "behind_witness");
    assert_eq!(code(desk.ledger.standing(&dataset()).await.map(|_| ())), "behind_witness");
}

#[tokio::test]
async fn a_witness_behind_the_database_is_caught_up_and_a_missing_one_is_not_made_anew() {
    let mut desk = busy().await;
    // A crash between commit and witness: the last lines were never written, one of them is torn.
    (0..2).for_each(|pass| desk.faults.plan(Point::WitnessAppend, pass, Fault::Lost));
    let ministry = principal(Role::Submitter, "ministry");
    for key in ["c", "d"] {
        let refused = desk.ledger.accept_submission(submission(&ministry, key, "2026", None)).await;
        assert_eq!(code(refused), "witness");
    }
    desk.ledger.close().await;
    let text = std::fs::read_to_string(desk.witness()).unwrap();
    std::fs::write(desk.witness(), format!("{text}0123456789abcdef")).unwrap();
    desk.ledger = desk.open_again().await.unwrap();
    desk.verify().await;
    let text = std::fs::read_to_string(desk.witness()).unwrap();
    // The second was refused before it was written: a change that the witness lacks is told it first.
    assert_eq!(text.lines().last().unwrap().matches("submission_accepted").count(), 1);
    desk.ledger.close().await;
    std::fs::remove_file(desk.witness()).unwrap();
    assert_eq!(code(desk.open_again().await.map(|_| ())), "witness");
}

// G12
#[tokio::test]
async fn a_witness_whose_last_lines_were_cut_off_is_found_and_nothing_is_written_on_it() {
    for kept in [0, 1, 7] {
        let desk = busy().await;
        desk.ledger.close().await;
        let text = std::fs::read_to_string(desk.witness()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() > 9);
        let cut = [&lines[..kept], &[""]].concat().join("\n");
        std::fs::write(desk.witness(), cut).unwrap();
        let codes: Vec<_> = desk.report().await.findings.into_iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["witness_cut"]);
        assert_eq!(code(desk.open_again().await.map(|_| ())), "witness");
        // A line taken out of the middle is found, too.
        let gap = [&lines[..4], &lines[5..], &[""]].concat().join("\n");
        std::fs::write(desk.witness(), gap).unwrap();
        let codes: Vec<_> = desk.report().await.findings.into_iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["witness_malformed"]);
    }
}

// G7
#[tokio::test]
async fn a_claim_that_the_witness_did_not_acknowledge_is_spent_and_its_question_can_be_asked_again() {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    let analyst = principal(Role::Analyst, "ohchr");
    let tries = 9;
    (0..tries).for_each(|pass| desk.faults.plan(Point::WitnessAppend, pass, Fault::Lost));
    for _ in 0..tries {
        // While the witness's disk is full, asking again and again holds no more than the first time.
        assert_eq!(code(desk.ledger.reserve(&plan(&policy, "0.1", 1), &analyst).await), "witness");
        assert_eq!(desk.spent().await, "0.1 held, 0 spent");
    }
    let claim = desk.ledger.reserve(&plan(&policy, "0.1", 1), &analyst).await.unwrap();
    assert_eq!(desk.spent().await, "0.1 held, 0.1 spent");
    desk.ledger.void(claim).await.unwrap();
    desk.verify().await;
}

#[tokio::test]
async fn a_witness_that_shrank_stops_the_ledger_before_anything_is_written() {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    std::fs::write(desk.witness(), b"").unwrap();
    let refused = desk.ledger.reserve(&plan(&policy, "0.1", 1), &principal(Role::Analyst, "ohchr")).await;
    assert_eq!(code(refused), "witness");
    assert_eq!(desk.spent().await, "0 held, 0 spent");
}

#[tokio::test]
async fn the_log_of_another_key_is_not_opened() {
    let desk = Desk::new().await;
    desk.ledger.close().await;
    std::fs::remove_file(desk.folder.path().join("key")).unwrap();
    LogKey::create(&desk.folder.path().join("key")).unwrap();
    assert_eq!(code(desk.open_again().await.map(|_| ())), "ledger_corrupt");
}

#[tokio::test]
async fn the_log_as_served_verifies_and_a_served_lie_does_not() {
    let desk = busy().await;
    let ministry = principal(Role::Submitter, "ministry");
    for number in 0..270 {
        desk.submit(&ministry, &format!("many {number}"), "2026", None).await;
    }
    let (checkpoint, vkey) = (desk.ledger.checkpoint().await.unwrap(), desk.ledger.verifier_key());
    let mut tiles = std::collections::BTreeMap::new();
    let size: u64 = checkpoint.lines().nth(1).unwrap().parse().unwrap();
    let rest = size - 256;
    for path in ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
        .map(str::to_owned)
        .into_iter()
        .chain([format!("tile/entries/001.p/{rest}"), format!("tile/0/001.p/{rest}")])
    {
        tiles.insert(path.clone(), desk.ledger.tile(&path).await.unwrap().unwrap());
    }
    let verify = |tiles: &std::collections::BTreeMap<String, Vec<u8>>| {
        verify_by_tiles(&checkpoint, &vkey, |path| tiles.get(path).cloned().ok_or("not there")).unwrap()
    };
    let report = verify(&tiles);
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert_eq!((report.leaves, report.accounts[&account()].spent.to_string()), (size, "0.1".to_owned()));
    for path in tiles.keys().cloned().collect::<Vec<_>>() {
        let mut lie = tiles.clone();
        let bytes = lie.get_mut(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        assert!(!verify(&lie).findings.is_empty(), "{path}");
    }
    assert!(verify_by_tiles(&checkpoint, &vkey, |_| Err::<Vec<u8>, _>("gone")).is_err());
    assert_eq!(desk.ledger.tile("tile/0/002").await.unwrap(), None);
    assert!(desk.ledger.inclusion(size - 1, size).await.is_ok());
    assert!(desk.ledger.consistency(3, size).await.is_ok());
    assert_eq!(code(desk.ledger.inclusion(0, size + 1).await), "unknown");
}
