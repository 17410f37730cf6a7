//! Backup while the service runs, restore, rollback.

use crate::folders::{again, files, flip, now, settings};
use crate::support::{POLICY, Reply, TestService, visits};
use halflight::app::{self, AppError};
use halflight::config::{Config, Mode};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

fn question(by: &str, rho: &str) -> Value {
    json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": [by],
        "periods": ["2026"], "margins": true, "spend": { "rho": rho } })
}

fn submit(service: &TestService, token: &str, key: &str, period: &str) -> Reply {
    service.submit(token, "visits", period, key, &visits(key, 200, 1))
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
    let second = again(&service, folder, |_| there.clone()).unwrap();
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
