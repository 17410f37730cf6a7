//! G14: no message carries a value from the data. A marker stands in every column of rejected and accepted files; it
//! must be nowhere but inside the vault's ciphertext: replies, logs, metrics, database, witness, temp folder, panics.
//!
//! Runs the real binary, so that its standard output and error are searched too.

use crate::support::{POLICY, agent, send, visits};
use serde_json::json;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

const MARKER: &str = "MARKER7f3a";

/// Whether the marker stands in some bytes, in any letter case.
fn marked(bytes: &[u8]) -> bool {
    let lower = bytes.to_ascii_lowercase();
    lower.windows(MARKER.len()).any(|window| window == MARKER.to_ascii_lowercase().as_bytes())
}

fn marked_files(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            marked_files(&path, found);
        } else if marked(&std::fs::read(&path).unwrap_or_default()) {
            found.push(path.display().to_string());
        }
    }
}

#[test]
fn the_search_finds_a_marker_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("deep")).unwrap();
    std::fs::write(folder.path().join("deep/leak.log"), format!("row 7 has {}", MARKER.to_lowercase())).unwrap();
    let mut found = Vec::new();
    marked_files(folder.path(), &mut found);
    assert_eq!(found.len(), 1);
}

#[test]
fn a_value_from_a_file_is_nowhere_outside_the_vaults_ciphertext() {
    let folder = tempfile::tempdir().unwrap();
    let temp = folder.path().join("tmp");
    std::fs::create_dir(&temp).unwrap();
    let config = folder.path().join("halflight.toml");
    let at = |name: &str| folder.path().join(name);
    let text = format!(
        "data_dir = {:?}\nkeys_dir = {:?}\nwitness = {:?}\nlisten = \"127.0.0.1:0\"\n",
        at("data"),
        at("keys"),
        at("witness")
    );
    std::fs::write(&config, text).unwrap();
    let binary = env!("CARGO_BIN_EXE_halflight");
    let made = Command::new(binary).args(["init", "--config"]).arg(&config).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let told = String::from_utf8(made.stdout).unwrap();
    let token = |role: &str, place: usize| {
        let all: Vec<&str> = told.split_whitespace().filter(|word| word.starts_with(&format!("hl_{role}_"))).collect();
        (*all.get(place).unwrap_or_else(|| panic!("{role} token {place} in {told}"))).to_owned()
    };
    let mut serving = Command::new(binary)
        .args(["serve", "--config"])
        .arg(&config)
        .env("TMPDIR", &temp)
        .env("RUST_LOG", "trace")
        .stdout(Stdio::from(std::fs::File::create(at("stdout")).unwrap()))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(serving.stderr.take().unwrap());
    let mut first = String::new();
    let mut log = Vec::new();
    let url = loop {
        first.clear();
        assert!(
            lines.read_line(&mut first).unwrap() > 0,
            "the service did not start: {}",
            String::from_utf8_lossy(&log)
        );
        log.extend_from_slice(first.as_bytes());
        if let Some(at) = first.find("http://127.0.0.1:") {
            break first[at..].split(['"', ' ', '\n']).next().unwrap().to_owned();
        }
    };
    let reading = std::thread::spawn(move || {
        lines.read_to_end(&mut log).unwrap();
        log
    });

    let agent = agent();
    let mut replies: Vec<u8> = Vec::new();
    let mut say = |method: &str, path: &str, token: &str, headers: &[(&str, &str)], body: &str| {
        let bearer = format!("Bearer {token}");
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        let reply = send(&agent, method, &format!("{url}{path}"), &all, body.as_bytes());
        replies.extend_from_slice(&reply.body);
        replies.extend(reply.headers.values().flat_map(|value| value.bytes()));
        reply
    };
    let json_type = [("content-type", "application/json")];
    let policy = json!({ "toml": POLICY, "lists": {} }).to_string();
    let digest = say("POST", "/v1/policies", &token("officer", 0), &json_type, &policy).expect(201).json();
    let path = format!("/v1/policies/{}/approvals", digest["sha256"].as_str().unwrap());
    say("POST", &path, &token("officer", 1), &[], "").expect(200);
    let mut issue = |role: &str, organisation: &str, class: &str| {
        let asked = json!({ "role": role, "organisation": organisation, "class": class, "days": 3 }).to_string();
        say("POST", "/v1/tokens", &token("operator", 0), &json_type, &asked).expect(201).json()["token"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let ministry = issue("submitter", "ministry-interior", "ministry");
    let team = issue("analyst", "ohchr", "un_reporting");

    let good = visits("a", 200, 2);
    let accepted = good.replace("a1,", &format!("a1{MARKER},")).replace(",x\n", &format!(",{MARKER}\n"));
    let in_ndjson = |line: &str| {
        let field = |name: &str| if line == name { MARKER } else { "north" };
        format!(
            "{{\"person_id\":\"p{}\",\"state\":\"{}\",\"sex\":\"{}\",\"service\":\"{}\",\"remark\":\"y\"}}\n",
            field("id"),
            field("state"),
            field("sex"),
            field("service")
        )
    };
    let refused: Vec<(&str, String)> = vec![
        ("text/csv", good.replacen("north", MARKER, 1)),
        ("text/csv", good.replacen(",F,", &format!(",{MARKER},"), 1)),
        ("text/csv", good.replacen("primary", MARKER, 1)),
        ("text/csv", good.replacen("remark", MARKER, 1)),
        ("text/csv", good.replacen("sex", MARKER, 1)),
        ("text/csv", format!("{good}\"{MARKER}")),
        ("text/csv", format!("{good}{MARKER},{MARKER}\n")),
        ("text/csv", MARKER.to_owned()),
        ("application/x-ndjson", in_ndjson("state")),
        ("application/x-ndjson", in_ndjson("sex")),
        ("application/x-ndjson", format!("{{\"{MARKER}\": 1}}\n")),
        ("application/x-ndjson", format!("{{\"person_id\": {MARKER}}}\n")),
        ("application/x-ndjson", MARKER.to_owned()),
    ];
    let submissions = "/v1/datasets/visits/submissions?period=2026";
    for (place, (kind, body)) in refused.iter().enumerate() {
        let key = format!("r{place}");
        let reply = say("POST", submissions, &ministry, &[("content-type", kind), ("idempotency-key", &key)], body);
        assert!((400..500).contains(&reply.status), "{place}: {} {}", reply.status, reply.text());
    }
    let csv = [("content-type", "text/csv"), ("idempotency-key", "good")];
    say("POST", submissions, &ministry, &csv, &accepted).expect(201);
    say("POST", "/v1/datasets/visits/editions", &token("officer", 2), &json_type, "{\"period\":\"2026\"}").expect(201);
    let question = json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": ["state"],
        "periods": ["2026"], "margins": true, "spend": { "rho": "1" } });
    say("POST", "/v1/releases", &team, &json_type, &question.to_string()).expect(201);
    say("GET", "/metrics", &token("operator", 0), &[], "").expect(200);
    say("GET", "/log/entries/0", &team, &[], "").expect(200);
    serving.kill().unwrap();
    serving.wait().unwrap();
    let log = reading.join().unwrap();

    assert!(!marked(&replies), "a reply repeats a value");
    let lines = String::from_utf8_lossy(&log).lines().filter(|line| line.contains("/v1/")).count();
    assert!(lines > refused.len(), "the log was written, or nothing was searched: {lines} lines");
    assert!(!marked(&log), "the log repeats a value");
    let mut found = Vec::new();
    marked_files(folder.path(), &mut found);
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(std::fs::read_dir(&temp).unwrap().count(), 0, "nothing is spilled to the temp folder");
}
