//! What must hold after a kill, when nothing is under way: journals, log, ledger and vault against each other.
//!
//! The figures of SECURITY.md: no acknowledged submission lost, every released figure charged, at most one question
//! in flight per writer and kill charged without a figure, no edition in part, nothing in the vault that no row names.

use super::journal::{Board, Journal};
use super::register::{ACCOUNT, CELLS, code};
use super::service::Service;
use super::writer::Writer;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Thousand-millionths of a unit of budget.
const NANOS: f64 = 1e9;

/// The noise of a cell has a standard deviation of at most 1 (rho 0.5); beyond 15 of them by chance once in 10^50.
const TOLERANCE: i64 = 15;

/// Leaves of a full tile.
const TILE: usize = 256;

/// Checks everything. The service has just been started again, and no writer is at work.
pub fn audit(service: &Service, board: &Board, writers: &mut [Writer]) {
    for writer in &mut *writers {
        writer.list();
    }
    let leaves = leaves(service);
    let journals: Vec<&Journal> = writers.iter().map(|writer| &writer.journal).collect();
    submissions(&leaves, &journals);
    editions(&leaves, &journals);
    charges(service, board, &leaves);
    figures(board, &journals);
    vault(service);
}

/// Every leaf, read as an auditor does: by tiles.
fn leaves(service: &Service) -> Vec<Value> {
    let checkpoint = service.get("/log/checkpoint", &service.operator).unwrap().text();
    let size: usize = checkpoint.lines().nth(1).unwrap().parse().unwrap();
    let mut leaves = Vec::new();
    while leaves.len() < size {
        let (tile, width) = (leaves.len() / TILE, (size - leaves.len()).min(TILE));
        let part = if width < TILE { format!(".p/{width}") } else { String::new() };
        let name = if tile < 1000 { format!("{tile:03}") } else { format!("x{:03}/{:03}", tile / 1000, tile % 1000) };
        let bundle = service.get(&format!("/log/tile/entries/{name}{part}"), &service.operator).unwrap();
        assert_eq!(bundle.status, 200, "{}", bundle.text());
        let mut rest = bundle.body.as_slice();
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let (leaf, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
            leaves.push(serde_json::from_slice(leaf).unwrap());
            rest = after;
        }
    }
    leaves
}

fn of_kind<'a>(leaves: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    leaves.iter().filter(move |leaf| leaf["kind"] == kind)
}

fn named(leaves: &[Value], kind: &str, field: &str) -> BTreeSet<String> {
    of_kind(leaves, kind).map(|leaf| leaf[field].as_str().unwrap().to_owned()).collect()
}

/// The log's live submissions are the journals': none lost, none doubled, none come back.
fn submissions(leaves: &[Value], journals: &[&Journal]) {
    let mut live = named(leaves, "submission_accepted", "submission");
    for gone in ["submission_replaced", "submission_withdrawn"] {
        live.retain(|id| !named(leaves, gone, "submission").contains(id));
    }
    let known: BTreeSet<String> = journals.iter().flat_map(|j| j.live.values().map(|live| live.id.clone())).collect();
    assert_eq!(live, known, "the live submissions are not those that were acknowledged");
}

/// The editions of a period are numbered without gaps, and those that were acknowledged are there.
fn editions(leaves: &[Value], journals: &[&Journal]) {
    for (number, journal) in journals.iter().enumerate() {
        let period = format!("{}", 2000 + number);
        let closed = of_kind(leaves, "edition_closed").filter(|leaf| leaf["period"] == *period);
        let numbers: Vec<u64> = closed.map(|leaf| leaf["number"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "editions of {period}");
        let last = journal.editions.keys().next_back().copied().unwrap_or(0);
        assert_eq!(numbers.len() as u64, last, "an acknowledged edition of {period} is lost");
    }
}

/// Every figure that was released is charged, nothing is held, and what was charged without a figure is explained.
fn charges(service: &Service, board: &Board, leaves: &[Value]) {
    let cost = |kind: &str| -> BTreeMap<String, u64> {
        let claim = |leaf: &Value| (leaf["claim"].as_str().unwrap().to_owned(), leaf["nanos"].as_u64().unwrap());
        of_kind(leaves, kind).map(claim).collect()
    };
    let (reserved, settled, voided) = (cost("charge_reserved"), cost("charge_settled"), cost("charge_voided"));
    let ended: BTreeSet<&String> = settled.keys().chain(voided.keys()).collect();
    assert_eq!(ended.len(), settled.len() + voided.len(), "a claim ended twice");
    assert_eq!(ended, reserved.keys().collect(), "a claim is open, or ended without having begun");
    let released: BTreeMap<&str, &Value> =
        of_kind(leaves, "release").map(|leaf| (leaf["release"].as_str().unwrap(), leaf)).collect();
    let mut acknowledged = 0;
    let mut paid: BTreeSet<&str> = BTreeSet::new();
    let served: Vec<(String, Vec<u8>)> = board.releases.lock().unwrap().clone().into_iter().collect();
    for (id, document) in &served {
        let read: Value = serde_json::from_slice(document).unwrap();
        let leaf = released.get(id.as_str()).unwrap_or_else(|| panic!("release {id} is not in the log"));
        assert_eq!(leaf["sha256"], read["sha256"], "release {id}");
        let claim = leaf["claim"].as_str().unwrap();
        let charged = settled.get(claim).unwrap_or_else(|| panic!("release {id} was not charged"));
        let rho: f64 = read["privacy"]["rho"].as_str().unwrap().parse().unwrap();
        assert_eq!(*charged, (rho * NANOS).round() as u64, "release {id}");
        acknowledged += if paid.insert(claim) { *charged } else { 0 };
        let again = service.get(&format!("/v1/releases/{id}.json"), &service.officers[0]).unwrap();
        assert_eq!(again.status, 200, "{}", again.text());
        board.served(&again.body);
    }
    let doubts = *board.doubts.lock().unwrap();
    let shown: BTreeSet<&str> = released.values().map(|leaf| leaf["claim"].as_str().unwrap()).collect();
    let unexplained = settled.keys().filter(|claim| !paid.contains(claim.as_str())).count();
    assert!(unexplained <= doubts as usize, "{unexplained} charges without a figure, {doubts} questions in doubt");
    assert!(shown.iter().all(|claim| settled.contains_key(*claim)), "a release stands without its charge");
    let balance = service.get(&format!("/v1/budgets/{ACCOUNT}"), &service.officers[0]).unwrap().json();
    let nanos = |field: &str| -> u64 {
        let amount: f64 = balance[field].as_str().unwrap().parse().unwrap();
        (amount * NANOS).round() as u64
    };
    assert_eq!(nanos("held"), 0, "{balance}");
    assert_eq!(nanos("spent"), settled.values().sum::<u64>(), "{balance}");
    assert!(nanos("spent") >= acknowledged);
}

/// Every cell of every release shows the submission that was live at the closing: whole, once, or not at all.
fn figures(board: &Board, journals: &[&Journal]) {
    for (id, document) in board.releases.lock().unwrap().iter() {
        let read: Value = serde_json::from_slice(document).unwrap();
        let edition = &read["editions"][0];
        let period: usize = edition["period"].as_str().unwrap().parse().unwrap();
        let number = edition["number"].as_u64().unwrap();
        let held = journals[period - 2000].editions.get(&number);
        let held = held.unwrap_or_else(|| panic!("release {id} is of an edition that nobody closed: {edition}"));
        for cell in read["cells"].as_array().unwrap() {
            let persons = |at: usize| i64::try_from(held.get(&at).copied().unwrap_or(0)).unwrap();
            let Some(at) = (0..CELLS).find(|at| cell["key"]["cell"] == code(*at)) else { continue };
            match (cell["value"].as_i64(), persons(at)) {
                (None, 0) => {}
                (Some(shown), expected) if (shown - expected).abs() <= TOLERANCE && expected > 0 => {}
                (shown, expected) => panic!("release {id}, {edition}, cell {at}: {shown:?} for {expected} persons"),
            }
        }
    }
}

/// Every file has its key, every key its file, and nothing else is left of what a crash broke off.
fn vault(service: &Service) {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(service.path(folder)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(names("disk/data/vault/files"), names("disk/keys/files"));
    for folder in ["disk/keys/files", "disk/keys/datasets", "disk/keys"] {
        assert!(!names(folder).iter().any(|name| name.starts_with('.')), "unfinished: {:?}", names(folder));
    }
}
