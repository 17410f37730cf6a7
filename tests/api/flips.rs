//! A byte flipped anywhere in the data folder is found by `verify` or refused by the service; where it is neither, no
//! answer changes. One flipped in a key is refused, or the key reads as before.
//!
//! The folder is copied from under a running service: the ledger's write-ahead log is as alive as the ledger.
//! `HALFLIGHT_FLIPS` sets how many places of each file are tried.

use crate::folders::{again, copied, files, flip, now, settings};
use crate::support::{POLICY, Reply, TestService, value, visits};
use halflight::app;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Places of each file in a normal run.
const PLACES: usize = 12;

/// Noise at rho 2 has a standard deviation of a half; beyond 20 of it by chance once in 10^80.
const TOLERANCE: i64 = 10;

fn places() -> usize {
    std::env::var("HALFLIGHT_FLIPS").map_or(PLACES, |text| text.parse().unwrap())
}

fn question(by: &str, rho: &str) -> Value {
    json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": [by],
        "periods": ["2026"], "margins": false, "spend": { "rho": rho } })
}

fn submit(service: &TestService, token: &str, key: &str, period: &str) -> Reply {
    service.submit(token, "visits", period, key, &visits(key, 200, 1))
}

/// A service with an edition, releases, a file behind the edition and one that was withdrawn; and who uses it.
fn busy() -> (TestService, String, String) {
    let service = TestService::start();
    service.in_force(POLICY);
    let (ministry, team) = (service.submitter(), service.analyst());
    submit(&service, &ministry, "one", "2026").expect(201);
    let gone = submit(&service, &ministry, "gone", "2025").expect(201).json();
    let gone = format!("/v1/datasets/visits/submissions/{}", gone["submission"].as_str().unwrap());
    assert!(service.request("DELETE", &gone, Some(&ministry), &[], b"").status < 300);
    service.close("visits", "2026").expect(201);
    for rho in ["0.5", "0.6"] {
        service.ask(&team, &question("sex", rho)).expect(201);
    }
    submit(&service, &ministry, "two", "2026").expect(201);
    (service, ministry, team)
}

/// What a service answers, of all that it holds; `None` if it refuses any of it.
fn answers(service: &TestService, ministry: &str, team: &str) -> Option<Vec<Vec<u8>>> {
    let (officer, operator) = (service.officers[0].as_str(), service.operator.as_str());
    let listed = service.get("/v1/releases", None);
    let ids: Vec<Value> = serde_json::from_slice(&listed.body).ok().filter(|_| listed.status == 200)?;
    let releases = ids.iter().map(|release| format!("/v1/releases/{}", release["id"].as_str().unwrap()));
    let open = ["/v1/datasets", "/v1/datasets/visits", "/log/checkpoint"].map(str::to_owned);
    let mut replies: Vec<Reply> = releases.chain(open).map(|path| service.get(&path, None)).collect();
    for (path, token) in [
        ("/v1/budgets/visitors", officer),
        ("/v1/policies", officer),
        ("/v1/tokens", operator),
        ("/v1/datasets/visits/submissions", ministry),
    ] {
        replies.push(service.get(path, Some(token)));
    }
    replies.push(service.ask(team, &question("sex", "0.6")));
    replies.push(listed);
    // The edition itself, by a new draw: what it shows must be what was closed.
    let fresh = service.ask(team, &question("state", "2"));
    if fresh.status == 201 {
        for (state, persons) in [("north", 100), ("south", 100)] {
            let told = value(&fresh.json(), &[("state", state)]).unwrap();
            assert!((told - persons).abs() <= TOLERANCE, "{state}: {told} instead of {persons}");
        }
    }
    let refused = fresh.status >= 500 || replies.iter().any(|reply| reply.status >= 500);
    (!refused).then(|| replies.into_iter().map(|reply| reply.body).collect())
}

/// What became of the flips of one file.
#[derive(Debug, Default, Clone, Copy)]
struct Outcome {
    /// `verify` finds it.
    found: usize,
    /// The service does not start, or does not serve what needs it.
    refused: usize,
    /// Nothing is answered differently.
    same: usize,
}

/// Some places of a file: its ends, and others spread over it.
fn spread(length: usize) -> impl Iterator<Item = usize> {
    let ends = [0, 1, length.saturating_sub(2), length.saturating_sub(1)];
    let inner = (0..places().saturating_sub(ends.len())).map(move |n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) % length);
    ends.into_iter().chain(inner).take(places().min(length))
}

fn flipped(folder: &Path, file: &Path, serve: impl Fn(TempDir) -> Option<Vec<Vec<u8>>>) -> Outcome {
    let (name, mut outcome) = (file.strip_prefix(folder).unwrap(), Outcome::default());
    let expected = serve(copied(folder)).unwrap();
    for place in spread(usize::try_from(fs::metadata(file).unwrap().len()).unwrap()) {
        let there = copied(folder);
        flip(&there.path().join(name), place);
        let (data, witness) = (there.path().join("data"), there.path().join("witness.jsonl"));
        let found = now(app::verify(&data, Some(&witness))).map_or(true, |report| !report.findings.is_empty());
        outcome.found += usize::from(found);
        match serve(there) {
            None => outcome.refused += 1,
            Some(said) if said == expected => outcome.same += 1,
            Some(_) => assert!(found, "a flip at {place} of {} changes an answer unseen", name.display()),
        }
    }
    outcome
}

#[test]
fn a_flipped_byte_anywhere_in_the_data_folder_is_found_or_refused_or_changes_no_answer() {
    let (service, ministry, team) = busy();
    let folder = copied(service.folder.path());
    let all = files(&folder.path().join("data"));
    let ends_in = |end: &str| all.iter().any(|file| file.to_string_lossy().ends_with(end));
    assert!(ends_in("ledger.sqlite") && ends_in("-wal") && all.len() >= 5, "{all:?}");
    let serve = |folder| {
        let other = again(&service, folder, settings).ok()?;
        let said = answers(&other, &ministry, &team);
        other.stop();
        said
    };
    for file in &all {
        let outcome = flipped(folder.path(), file, serve);
        let name = file.strip_prefix(folder.path()).unwrap().display();
        println!("{name}: {outcome:?}");
        if name.to_string().contains("vault") {
            assert_eq!(outcome.found, places(), "{name}: a sealed file is checked to the byte");
        }
    }
}

#[test]
fn a_flipped_byte_of_a_key_is_refused_or_the_key_reads_as_before() {
    let (service, ministry, team) = busy();
    let folder = service.folder.path();
    let (mut refused, mut same) = (0, 0);
    for key in files(&folder.join("keys")) {
        let name: PathBuf = key.strip_prefix(folder).unwrap().to_owned();
        let length = fs::metadata(&key).unwrap().len();
        for n in 0..4 {
            let place = usize::try_from(n * (length - 1) / 3).unwrap();
            let elsewhere = copied(folder);
            flip(&elsewhere.path().join(&name), place);
            let Ok(other) = again(&service, elsewhere, settings) else {
                refused += 1;
                continue;
            };
            // It starts: then whatever needs this key must fail, or the key reads as before.
            let said = [
                other.ask(&team, &question("state", "0.5")).status,
                submit(&other, &ministry, "three", "2026").status,
                other.close("visits", "2026").status,
            ];
            other.stop();
            if said.iter().any(|status| *status >= 500) {
                refused += 1;
            } else {
                assert_eq!(said, [201, 201, 201], "{name:?} {place}");
                assert!(name.ends_with("kek") || name.ends_with("log"), "{name:?} {place} is not noticed");
                same += 1;
            }
        }
    }
    println!("keys: {refused} refused, {same} read as before");
    assert!(refused > same * 4, "{refused} {same}");
}
