//! The service as a process of its own: what it holds in memory, and what it does when the disk is full.

use crate::support::{POLICY, TestService, UNLIMITED, at_once, visits};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const PATH: &str = "/v1/datasets/visits/submissions?period=2026";
/// The service takes files of so many bytes, unpacked.
const LIMIT: u64 = 32 << 20;
/// Most that memory may grow by, whatever is sent: far below what it would take to hold what is sent.
const GROWTH_KIB: u64 = 192 << 10;

struct Process {
    child: Child,
    service: TestService,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `init` and `serve`, with the policy in force. A write beyond the limit of a file's size is an error, not a signal.
fn start() -> Process {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("halflight.toml");
    let [data, keys, witness] = ["data", "keys", "witness.jsonl"].map(|name| folder.path().join(name));
    let text = format!(
        "data_dir = {data:?}\nkeys_dir = {keys:?}\nwitness = {witness:?}\nlisten = \"127.0.0.1:0\"\n{UNLIMITED}\
         [limits]\nsubmission_decoded_bytes = {LIMIT}\n"
    );
    std::fs::write(&config, text).unwrap();
    let halflight = env!("CARGO_BIN_EXE_halflight");
    let init = Command::new(halflight).args(["init", "--config"]).arg(&config).output().unwrap();
    assert!(init.status.success(), "{init:?}");
    let tokens = String::from_utf8(init.stdout).unwrap();
    let of_role = |role: &str| {
        let lines = tokens.lines().filter(|line| line.starts_with(role));
        lines.map(|line| line.split_whitespace().last().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" serve --config \"$1\"", halflight])
        .arg(&config)
        .env("RUST_LOG", "error")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let url = lines
        .by_ref()
        .map(Result::unwrap)
        .find_map(|line| line.strip_prefix("Halflight listens on ").map(str::to_owned));
    // the log is read on, or the process would wait for somebody to read it
    std::thread::spawn(move || lines.for_each(drop));
    let service = TestService::elsewhere(folder, url.unwrap(), of_role("officer"), of_role("operator").remove(0));
    let timeless = POLICY.replace("effective = 2026-01-01", "effective = 2020-01-01");
    service.in_force(&timeless.replace("expires = 2028-12-31", "expires = 2120-12-31"));
    Process { child, service }
}

impl Process {
    /// Most memory it ever held, in KiB.
    fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// From now on no file may be longer; `None`: as long as it likes.
    fn longest_file(&self, bytes: Option<u64>) {
        let pid = i32::try_from(self.child.id()).unwrap();
        let limit = bytes.unwrap_or(rlimit::INFINITY);
        rlimit::prlimit(pid, rlimit::Resource::FSIZE, Some((limit, rlimit::INFINITY)), None).unwrap();
    }

    fn send(&self, token: &str, key: &str, encoding: &str, body: &[u8]) -> crate::support::Reply {
        let headers = [("content-type", "text/csv"), ("idempotency-key", key), ("content-encoding", encoding)];
        self.service.request("POST", PATH, Some(token), &headers, body)
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A body that unpacks to ten GiB: a head, then the same packed 16 MiB again and again.
fn bomb(pack: impl Fn(&[u8]) -> Vec<u8>, head: &[u8], part: &[u8]) -> Vec<u8> {
    let times = (10 << 30) / part.len();
    let mut body = pack(head);
    let part = pack(part);
    (0..times).for_each(|_| body.extend_from_slice(&part));
    body
}

#[test]
fn ten_gibibytes_packed_into_a_few_are_refused_and_memory_stays_flat() {
    let process = start();
    let ministry = process.service.submitter();
    let header = b"person_id,state,sex,service,remark\n";
    let zeros = vec![0_u8; 16 << 20];
    let row = format!("p1,north,F,primary,{}\n", "x".repeat(4_000));
    let rows = row.repeat((16 << 20) / row.len()).into_bytes();
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    process.send(&ministry, "warm", "gzip", &gzip(visits("a", 20_000, 1).as_bytes())).expect(201);
    let before = process.peak_kib();
    for (key, encoding, body, status) in [
        ("zeros-gzip", "gzip", bomb(gzip, header, &zeros), 422),
        ("zeros-zstd", "zstd", bomb(zstd, header, &zeros), 422),
        ("rows-gzip", "gzip", bomb(gzip, header, &rows), 413),
        ("rows-zstd", "zstd", bomb(zstd, header, &rows), 413),
    ] {
        let reply = process.send(&ministry, key, encoding, &body);
        assert_eq!(reply.status, status, "{key}: {}", reply.text());
        println!("{key}: {} bytes sent, memory grew by {} KiB", body.len(), process.peak_kib() - before);
    }
    let body = bomb(zstd, header, &rows);
    let replies = at_once(8, |i| process.send(&ministry, &format!("at-once{i}"), "zstd", &body));
    assert!(
        replies.iter().all(|reply| reply.status == 413),
        "{:?}",
        replies.iter().map(|reply| reply.status).collect::<Vec<_>>()
    );
    let grown = process.peak_kib() - before;
    println!("eight at once: memory grew by {grown} KiB");
    assert!(grown < GROWTH_KIB, "{grown} KiB");
    let receipts = process.service.get("/v1/datasets/visits/submissions", Some(&ministry)).expect(200).json();
    assert_eq!(receipts.as_array().unwrap().len(), 1);
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    let below = |entry: std::fs::DirEntry| {
        let mut all = names(&entry.path());
        all.insert(entry.path().to_string_lossy().into_owned());
        all
    };
    entries.flat_map(below).collect()
}

fn question(by: &str) -> Value {
    json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": [by],
        "periods": ["2026"], "spend": { "rho": "0.1" } })
}

#[test]
fn a_full_disk_refuses_leaves_nothing_half_done_and_is_forgotten_when_there_is_room() {
    let process = start();
    let service = &process.service;
    let (ministry, team) = (service.submitter(), service.analyst());
    process.send(&ministry, "first", "identity", visits("a", 200, 1).as_bytes()).expect(201);
    service.close("visits", "2026").expect(201);
    let folders = ["data/vault", "keys"].map(|name| service.folder.path().join(name));
    let files = || folders.iter().flat_map(|folder| names(folder)).collect::<BTreeSet<_>>();
    let before = files();

    // during ingest: the sealed file does not fit
    let large = visits("b", 60_000, 1);
    process.longest_file(Some(256 << 10));
    process.send(&ministry, "large", "identity", large.as_bytes()).expect_problem(507, "disk_full");
    assert_eq!(files(), before, "nothing of it is left");
    // during a charge: the ledger does not take a byte
    process.longest_file(Some(0));
    for _ in 0..3 {
        let refused = service.ask(&team, &question("sex"));
        assert!([503, 507].contains(&refused.status), "{}", refused.text());
        let refused = process.send(&ministry, "small", "identity", visits("c", 20, 1).as_bytes());
        assert!([503, 507].contains(&refused.status), "{}", refused.text());
    }
    service.get("/health/live", None).expect(200);
    assert_eq!(service.spent("visitors"), "0");
    assert_eq!(files(), before, "nothing of it is left");

    // there is room again: no restart, no repair
    process.longest_file(None);
    let answer = service.ask(&team, &question("sex")).expect(201);
    assert_eq!(service.ask(&team, &question("sex")).expect(200).body, answer.body);
    assert_eq!(service.spent("visitors"), "0.1");
    process.send(&ministry, "large", "identity", large.as_bytes()).expect(201);
    process.send(&ministry, "small", "identity", visits("c", 20, 1).as_bytes()).expect(201);
    service.close("visits", "2026").expect(201);
    service.ask(&team, &question("state")).expect(201);
    let receipts = service.get("/v1/datasets/visits/submissions", Some(&ministry)).expect(200).json();
    assert_eq!(receipts.as_array().unwrap().len(), 3);
    service.verify();
}
