//! One of eight clients that submit, replace, withdraw, close, ask and read while the service is killed under them.
//!
//! A client that gets no answer, or a fault, tries again with the same key until it is told: only then does it write
//! down what it was told. What it was told must hold for ever.

use super::journal::{Board, Journal, Live};
use super::register::{self, CELLS};
use super::service::{Reply, Service};
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Tries of one act before the test gives up.
const TRIES: u32 = 400;

/// Conflicts that another try cures: somebody else is at it, or an earlier try of ours is.
const PASSING: [&str; 6] =
    ["in_progress", "moved", "idempotency_replay", "already_drawn", "claim_lost", "policy_changed"];

/// A client.
pub struct Writer {
    service: Arc<Service>,
    board: Arc<Board>,
    pub journal: Journal,
    number: usize,
    period: String,
    submitter: String,
    analyst: String,
    chance: StdRng,
}

/// How an act ended, after how many tries of unknown outcome.
struct Told {
    reply: Reply,
    unsure: u32,
}

impl Writer {
    pub fn new(service: Arc<Service>, board: Arc<Board>, number: usize, chance: StdRng) -> Self {
        Self {
            journal: Journal::default(),
            number,
            period: format!("{}", 2000 + number),
            submitter: service.token("submitter", &format!("ministry-{number}"), "ministry"),
            analyst: service.token("analyst", &format!("reader-{number}"), "un_reporting"),
            chance,
            service,
            board,
        }
    }

    /// Acts at random until it is told to stop; ends in the middle of nothing.
    pub fn write(&mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            match self.chance.random_range(0..20) {
                0..=4 => self.submit(),
                5..=6 => self.replace(),
                7..=8 => self.withdraw(),
                9..=10 => self.close(),
                11..=15 => self.ask(),
                16..=17 => self.read(),
                18 => self.list(),
                _ => self.issue(),
            }
            self.board.acts.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sends until the answer is one of these, or one that an unsure earlier try explains.
    fn told(&self, send: impl Fn() -> Option<Reply>, expected: &[u16], explained: &[&str]) -> Told {
        let mut unsure = 0;
        for tried in 0..TRIES {
            match send() {
                Some(reply) if expected.contains(&reply.status) => return Told { reply, unsure },
                Some(reply) if unsure > 0 && explained.contains(&reply.code().as_str()) => {
                    return Told { reply, unsure };
                }
                Some(reply) if PASSING.contains(&reply.code().as_str()) => {}
                None => unsure += 1,
                Some(reply) if reply.status >= 500 => unsure += 1,
                Some(reply) => panic!("writer {}: {} {}", self.number, reply.status, reply.text()),
            }
            std::thread::sleep(Duration::from_millis(u64::from(tried.min(20))));
        }
        panic!("writer {} was not told in {TRIES} tries; the service said\n{}", self.number, self.service.said());
    }

    fn cell(&mut self, live: bool) -> Option<usize> {
        let cells: Vec<usize> = (0..CELLS).filter(|cell| self.journal.live.contains_key(cell) == live).collect();
        if cells.is_empty() { None } else { Some(cells[self.chance.random_range(0..cells.len())]) }
    }

    fn submit(&mut self) {
        if let Some(cell) = self.cell(false) {
            self.send_file(cell, None);
        }
    }

    fn replace(&mut self) {
        if let Some(cell) = self.cell(true) {
            let old = self.journal.live[&cell].id.clone();
            self.send_file(cell, Some(&old));
        }
    }

    fn send_file(&mut self, cell: usize, replaces: Option<&str>) {
        self.journal.named += 1;
        let key = format!("w{}n{}", self.number, self.journal.named);
        let persons = 60 + 40 * self.chance.random_range(0..4);
        let file = register::file(&key, cell, persons);
        let replaces = replaces.map(|id| format!("&replaces={id}")).unwrap_or_default();
        let path = format!("/v1/datasets/crash/submissions?period={}{replaces}", self.period);
        let headers = [("content-type", "text/csv"), ("idempotency-key", key.as_str())];
        let send = || self.service.send("POST", &path, &self.submitter, &headers, file.as_bytes());
        let receipt = self.told(send, &[200, 201], &[]).reply.json();
        let id = receipt["submission"].as_str().unwrap().to_owned();
        assert_eq!(receipt["rows_accepted"], persons);
        self.journal.receipts.insert(id.clone(), receipt);
        self.journal.live.insert(cell, Live { id, persons });
    }

    fn withdraw(&mut self) {
        let Some(cell) = self.cell(true) else { return };
        let id = self.journal.live[&cell].id.clone();
        let path = format!("/v1/datasets/crash/submissions/{id}");
        let send = || self.service.send("DELETE", &path, &self.submitter, &[], b"");
        self.told(send, &[204], &["submission_not_live"]);
        self.journal.live.remove(&cell);
        self.journal.withdrawn.insert(id);
    }

    fn close(&mut self) {
        if self.journal.live.is_empty() {
            return;
        }
        let asked = json!({ "period": self.period });
        let officer = &self.service.officers[self.number % self.service.officers.len()];
        let send = || self.service.post("/v1/datasets/crash/editions", officer, &asked);
        let closed = self.told(send, &[201], &[]).reply.json();
        self.journal.closed(closed["number"].as_u64().unwrap());
        self.board.periods.lock().unwrap().insert(self.period.clone());
    }

    /// One of a few questions about any closed period, so that several writers ask the same.
    fn ask(&mut self) {
        let periods: Vec<String> = self.board.periods.lock().unwrap().iter().cloned().collect();
        if periods.is_empty() {
            return;
        }
        let period = &periods[self.chance.random_range(0..periods.len())];
        let question = register::question(period, self.chance.random_range(0..8));
        let told = self.told(|| self.service.post("/v1/releases", &self.analyst, &question), &[200, 201], &[]);
        (0..told.unsure).for_each(|_| self.board.doubt());
        self.board.served(&told.reply.body);
    }

    fn read(&mut self) {
        let known: Vec<String> = self.board.releases.lock().unwrap().keys().cloned().collect();
        if known.is_empty() {
            return;
        }
        let id = &known[self.chance.random_range(0..known.len())];
        let path = format!("/v1/releases/{id}.json");
        let told = self.told(|| self.service.get(&path, &self.analyst), &[200], &[]);
        self.board.served(&told.reply.body);
    }

    /// Every receipt that was acknowledged is there, and says what it said.
    pub fn list(&mut self) {
        let send = || self.service.get("/v1/datasets/crash/submissions", &self.submitter);
        let listed = self.told(send, &[200], &[]).reply.json();
        let listed = listed.as_array().unwrap();
        for (id, receipt) in &self.journal.receipts {
            let found = listed.iter().find(|listed| listed["submission"] == **id);
            let found = found.unwrap_or_else(|| panic!("submission {id} was acknowledged and is lost"));
            assert!(self.journal.withdrawn.contains(id) || found == receipt, "receipt {id} changed");
        }
        assert_eq!(listed.len(), self.journal.receipts.len(), "a submission stands that nobody was told of");
    }

    fn issue(&mut self) {
        let asked = json!({ "role": "analyst", "organisation": "reader", "class": "un_reporting", "days": 1 });
        self.told(|| self.service.post("/v1/tokens", &self.service.operator, &asked), &[201], &[]);
    }
}
