//! Backup while the service runs, restore, rollback; and flipped bytes in sealed files and keys.

use crate::support::{POLICY, Reply, TestService, UNLIMITED, visits};
use halflight::app::{self, AppError};
use halflight::config::{Config, Mode};
use serde_json::{Value, json};
use std::fs;
use std::future::Future;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn now<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}

fn question(by: &str, rho: &str) -> Value {
    json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": [by],
        "periods": ["2026"], "margins": true, "spend": { "rho": rho } })
}

fn submit(service: &TestService, token: &str, key: &str, period: &str) -> Reply {
    service.submit(token, "visits", period, key, &visits(key, 200, 1))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &to) } else { assert!(fs::copy(&path, &to).is_ok()) }
    }
}

fn settings(folder: &Path) -> Config {
    crate::support::config(folder, UNLIMITED)
}

/// Another start of a service, with the tokens of the first; says why not.
fn again(first: &TestService, folder: TempDir, config: &Config) -> Result<TestService, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let opened = runtime.block_on(app::open(config, first.clock.clone()));
    let (app, http) = (opened.map_err(|error| error.to_string())?, config.http.clone());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || runtime.block_on(halflight::publish::serve(app.office, http, listener)));
    Ok(TestService::elsewhere(folder, url, first.officers.clone(), first.operator.clone()))
}

/// Flips one bit of a file.
fn flip(path: &Path, place: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[place] ^= 1 << (place % 8);
    fs::write(path, bytes).unwrap();
}

// G6, G7, G12
#[test]
fn an_old_backup_gives_no_budget_back_and_brings_nothing_erased_back() {
    let service = TestService::start();
    service.in_force(POLICY);
    let (ministry, team) = (service.submitter(), service.analyst());
    submit(&service, &ministry, "kept", "2026").expect(201);
    let withdrawn = submit(&service, &ministry, "withdrawn", "2025").expect(201).json();
    service.close("visits", "2026").expect(201);
    let first = service.ask(&team, &question("sex", "0.5")).expect(201);
    let here = settings(service.folder.path());
    let backup = service.folder.path().join("backup");

    // While the service answers, and withdraws.
    let manifest = std::thread::scope(|scope| {
        let asking = scope.spawn(|| service.ask(&team, &question("sex", "0.6")).expect(201));
        let manifest = now(app::backup(&here, &backup, &|_| {})).unwrap();
        asking.join().unwrap();
        manifest
    });
    assert!(manifest.files.len() >= 4, "the ledger, two submissions, one edition");
    assert!(matches!(now(app::backup(&here, &backup, &|_| {})), Err(AppError::Occupied(_))));
    assert!(now(app::verify(&backup, None)).unwrap().findings.is_empty());

    for rho in ["0.7", "0.8", "0.9", "1.0", "1.1"] {
        service.ask(&team, &question("sex", rho)).expect(201);
    }
    let id = withdrawn["submission"].as_str().unwrap();
    let path = format!("/v1/datasets/visits/submissions/{id}");
    assert!(service.request("DELETE", &path, Some(&ministry), &[], b"").status < 300);
    let spent = service.spent("visitors");
    assert_eq!(spent, "5.6");

    // The backup is put back elsewhere, with the same keys and the same witness.
    let text = format!(
        "data_dir = {:?}\nkeys_dir = {:?}\nwitness = {:?}\nreply_quantum_ms = 0\n",
        service.folder.path().join("data2"),
        here.keys_dir(),
        here.witness().unwrap(),
    );
    let there = Config::parse(&text, &[], Mode::Service).unwrap();
    app::put_back(&there, &backup, &|_| {}).unwrap();
    let refused = now(app::open(&there, service.clock.clone())).err().unwrap().to_string();
    assert!(refused.contains("nothing is served") && refused.contains("halflight restore"), "{refused}");
    assert!(!now(app::verify(there.data_dir(), there.witness())).unwrap().findings.is_empty());
    let restored = now(app::bring_forward(&there, service.clock.clone())).unwrap().unwrap();
    assert!(restored.releases.len() >= 5, "{restored:?}");
    assert_eq!(restored.erased.len(), 1);
    let sealed = |data: &Path| {
        let names = files(&data.join("vault/files")).into_iter().map(|path| path.file_name().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(sealed(there.data_dir()), sealed(here.data_dir()), "what was withdrawn is gone again");
    assert!(sealed(&backup).len() > sealed(there.data_dir()).len());
    assert_eq!(now(app::bring_forward(&there, service.clock.clone())).unwrap(), None);

    // The one that was left behind finds it out, and serves nothing any more.
    service.get("/health/ready", None).expect_problem(503, "behind_witness");
    let release = first.json()["id"].as_str().unwrap().to_owned();
    for (path, token) in [
        ("/v1/datasets".to_owned(), None),
        ("/v1/datasets/visits".to_owned(), None),
        ("/v1/releases".to_owned(), None),
        (format!("/v1/releases/{release}"), None),
        (format!("/v1/releases/{release}.csv"), None),
        ("/v1/budgets/visitors".to_owned(), Some(&service.officers[0])),
        ("/v1/policies".to_owned(), Some(&service.officers[0])),
        ("/v1/tokens".to_owned(), Some(&service.operator)),
        ("/v1/datasets/visits/submissions".to_owned(), Some(&ministry)),
        ("/log/checkpoint".to_owned(), None),
        ("/log/entries/0".to_owned(), None),
    ] {
        service.get(&path, token.map(String::as_str)).expect_problem(503, "behind_witness");
    }
    service.ask(&team, &question("state", "0.1")).expect_problem(503, "behind_witness");
    submit(&service, &ministry, "late", "2026").expect_problem(503, "behind_witness");

    // The restored one goes on: nothing given back, the first release byte for byte, a lost one paid for anew.
    let folder = tempfile::tempdir().unwrap();
    let second = again(&service, folder, &there).unwrap();
    second.get("/health/ready", None).expect(200);
    assert_eq!(second.spent("visitors"), spent);
    assert_eq!(second.get(&format!("/v1/releases/{release}.json"), None).expect(200).body, first.body);
    second.ask(&team, &question("sex", "1.1")).expect(201);
    assert_eq!(second.spent("visitors"), "6.7");
    submit(&second, &ministry, "later", "2026").expect(201);
    second.close("visits", "2026").expect(201);
    assert!(now(app::verify(there.data_dir(), there.witness())).unwrap().findings.is_empty());
}

#[test]
fn a_backup_that_was_touched_or_is_unfinished_is_not_put_back() {
    let service = TestService::start();
    service.in_force(POLICY);
    submit(&service, &service.submitter(), "kept", "2026").expect(201);
    let here = settings(service.folder.path());
    let backup = service.folder.path().join("backup");
    now(app::backup(&here, &backup, &|_| {})).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let attempt = |witness: &Path, keys: &Path, data: &str| {
        let folder = elsewhere.path().join(data);
        let text = format!("data_dir = {folder:?}\nkeys_dir = {keys:?}\nwitness = {witness:?}\n");
        let there = Config::parse(&text, &[], Mode::Service).unwrap();
        app::put_back(&there, &backup, &|_| {}).map(|_| ()).map_err(|error| error.to_string())
    };
    let (witness, keys) = (here.witness().unwrap(), here.keys_dir());
    let names = files(&backup);
    assert!(names.len() >= 3);
    for (number, name) in names.iter().enumerate() {
        let whole = fs::read(name).unwrap();
        for (turn, place) in [0, whole.len() / 2, whole.len() - 2].into_iter().enumerate() {
            flip(name, place);
            assert!(attempt(witness, keys, &format!("flip-{number}-{turn}")).is_err(), "{name:?} {place}");
            fs::write(name, &whole).unwrap();
        }
        fs::remove_file(name).unwrap();
        assert!(attempt(witness, keys, &format!("gone-{number}")).is_err(), "{name:?}");
        fs::write(name, &whole).unwrap();
    }
    let other = TestService::start();
    assert!(attempt(witness, settings(other.folder.path()).keys_dir(), "keys").is_err());
    assert!(attempt(&elsewhere.path().join("no-witness"), keys, "witness").is_err());
    attempt(witness, keys, "whole").unwrap();
    assert!(attempt(witness, keys, "whole").is_err(), "not over another");
}

#[test]
fn a_flipped_byte_of_a_sealed_file_is_found_and_one_of_a_key_is_refused() {
    let service = TestService::start();
    service.in_force(POLICY);
    let (ministry, team) = (service.submitter(), service.analyst());
    submit(&service, &ministry, "one", "2026").expect(201);
    service.close("visits", "2026").expect(201);
    service.ask(&team, &question("sex", "0.5")).expect(201);
    let folder = service.folder.path();
    let (data, witness) = (folder.join("data"), folder.join("witness.jsonl"));
    let mut found = 0;
    for file in files(&data.join("vault/files")) {
        let length = fs::metadata(&file).unwrap().len();
        for n in 0..24 {
            let place = usize::try_from(n * (length - 1) / 23).unwrap();
            flip(&file, place);
            let report = now(app::verify(&data, Some(&witness))).unwrap();
            assert_eq!(report.findings.iter().map(|f| f.code).collect::<Vec<_>>(), ["file_differs"]);
            flip(&file, place);
            found += 1;
        }
    }
    assert!(found >= 48);
    assert!(now(app::verify(&data, Some(&witness))).unwrap().findings.is_empty());

    let (mut refused, mut same) = (0, 0);
    for key in files(&folder.join("keys")) {
        let name = key.strip_prefix(folder).unwrap();
        let length = fs::metadata(&key).unwrap().len();
        for n in 0..4 {
            let place = usize::try_from(n * (length - 1) / 3).unwrap();
            let elsewhere = tempfile::tempdir().unwrap();
            copy(folder, elsewhere.path());
            flip(&elsewhere.path().join(name), place);
            let there = settings(elsewhere.path());
            let Ok(other) = again(&service, elsewhere, &there) else {
                refused += 1;
                continue;
            };
            // It starts: then whatever needs this key must fail, or the key reads as before.
            let said = [
                other.ask(&team, &question("state", "0.5")).status,
                submit(&other, &ministry, "two", "2026").status,
                other.close("visits", "2026").status,
            ];
            if said.iter().any(|status| *status >= 500) {
                refused += 1;
            } else {
                assert_eq!(said, [201, 201, 201], "{name:?} {place}");
                assert!(name.ends_with("kek") || name.ends_with("log"), "{name:?} {place} is not noticed");
                same += 1;
            }
        }
    }
    println!("sealed files: {found} of {found} found; keys: {refused} refused, {same} read as before");
    assert!(refused > same * 4, "{refused} {same}");
}
