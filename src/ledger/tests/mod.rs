//! The ledger as its users meet it: a real SQLite file, a real witness, a clock moved by hand.

mod claims;
mod flips;
mod gap;
mod governance;
mod manifest;
mod races;
mod rollback;
mod shelf;
mod story;
mod tampering;

use super::{Entry, Ledger, LedgerError, LedgerSettings, NewSubmission, PolicySource, Settle, verify_database};
use crate::clock::HandClock;
use crate::fault::{Fault, Faults, Point};
use crate::identity::{
    AccountId, Class, DatasetId, Digest, FileId, Organisation, Period, Principal, ReleaseId, Role, SubmissionId,
    TokenId,
};
use crate::ledger::{FileEntry, NewEdition, NewToken, SubmissionRow};
use crate::policy::{CodeLists, Plan, Policy, admit, sample};
use crate::transparency::{LogKey, Report};
use chrono::{DateTime, TimeDelta, Utc};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder with a ledger in it, and the people who use it.
struct Desk {
    folder: tempfile::TempDir,
    clock: Arc<HandClock>,
    ledger: Ledger,
    officers: [Principal; 3],
    approvals: u32,
    faults: Faults,
}

fn noon() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-24T12:00:00Z").unwrap().to_utc()
}

fn principal(role: Role, organisation: &str) -> Principal {
    Principal {
        token: TokenId::random(),
        role,
        organisation: Organisation::parse(organisation).unwrap(),
        class: Class::parse("un_reporting").unwrap(),
        datasets: None,
    }
}

fn new_token(role: Role, days: u32) -> NewToken {
    NewToken {
        role,
        organisation: Organisation::parse("ohchr").unwrap(),
        class: Class::parse("un_reporting").unwrap(),
        datasets: None,
        days,
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, LedgerError>) -> &'static str {
    result.unwrap_err().code()
}

impl Desk {
    async fn new() -> Self {
        Self::with_approvals(2).await
    }

    async fn with_approvals(approvals: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        LogKey::create(&folder.path().join("key")).unwrap();
        let clock = Arc::new(HandClock::at(noon()));
        let faults = Faults::default();
        let opened = LedgerSettings { faults: faults.clone(), ..settings(folder.path(), &clock, approvals) };
        let ledger = Ledger::open(opened).await.unwrap();
        let mut officers = ["one", "two", "three"].map(|name| principal(Role::Officer, name));
        for officer in &mut officers {
            officer.token = ledger.issue_token(None, &new_token(Role::Officer, 366)).await.unwrap().0.id;
        }
        Self { folder, clock, ledger, officers, approvals, faults }
    }

    /// Another start of the service on the same files, without stopping this one.
    async fn open_again(&self) -> Result<Ledger, LedgerError> {
        let faults = self.faults.clone();
        Ledger::open(LedgerSettings { faults, ..settings(self.folder.path(), &self.clock, self.approvals) }).await
    }

    async fn restart(&mut self) {
        self.ledger.close().await;
        self.ledger = self.open_again().await.unwrap();
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("ledger.sqlite")
    }

    fn witness(&self) -> PathBuf {
        self.folder.path().join("witness")
    }

    async fn report(&self) -> Report {
        verify_database(&self.database(), Some(&self.witness())).await.unwrap()
    }

    async fn verify(&self) {
        let report = self.report().await;
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
    }

    /// Changes the database behind the ledger's back.
    async fn tamper(&self, sql: &'static str) {
        self.try_tamper(sql).await.unwrap();
    }

    async fn try_tamper(&self, sql: &'static str) -> Result<(), sqlx::Error> {
        use sqlx::ConnectOptions as _;
        let mut rows =
            sqlx::sqlite::SqliteConnectOptions::new().filename(self.database()).foreign_keys(false).connect().await?;
        sqlx::raw_sql(sql).execute(&mut rows).await?;
        Ok(())
    }

    /// Puts a policy in force by two officers.
    async fn enact(&self, text: &str) -> Policy {
        let (policy, source) = parse(text);
        self.ledger.propose_policy(&self.officers[0], &policy, &source).await.unwrap();
        if self.approvals > 1 {
            self.ledger.approve_policy(&self.officers[1], &policy).await.unwrap();
        }
        policy
    }

    async fn spent(&self) -> String {
        let balance = self.ledger.balance(&account()).await.unwrap();
        format!("{} held, {} spent", balance.held, balance.spent)
    }

    async fn submit(&self, who: &Principal, key: &str, period: &str, replaces: Option<SubmissionId>) -> SubmissionId {
        self.ledger.accept_submission(submission(who, key, period, replaces)).await.unwrap().submission
    }

    async fn close(&self, period: &str) -> Result<super::EditionRow, LedgerError> {
        let period = Period::parse(period).unwrap();
        let live: Vec<SubmissionRow> = self.ledger.live_submissions(&dataset(), &period).await.unwrap();
        let submissions = live.into_iter().map(|row| row.receipt.submission).collect();
        self.ledger.close_edition(&self.officers[2], edition(&period, submissions)).await
    }
}

fn settings(folder: &Path, clock: &Arc<HandClock>, approvals: u32) -> LedgerSettings {
    LedgerSettings {
        database: folder.join("ledger.sqlite"),
        key: LogKey::load(&folder.join("key")).unwrap(),
        witness: Some(folder.join("witness")),
        approvals,
        clock: clock.clone(),
        faults: Faults::default(),
    }
}

fn dataset() -> DatasetId {
    DatasetId::parse("visits").unwrap()
}

fn account() -> AccountId {
    AccountId::parse("visitors").unwrap()
}

/// A register of visits by two sexes; what a test is about is replaced in it.
fn visits(replaced: &[(&str, &str)]) -> String {
    let mut text = r#"
id = "visits"
version = 1
title = { en = "Visits" }
universe = { en = "Persons with a visit" }
source = { en = "Test register" }
controller = "Ministry of Tests"
legal_basis = "Test Act"
licence = "CC-BY-4.0"
contact = "dpo@example.org"
effective = 2026-01-01
expires = 2028-12-31
retention_days = 730
consulted = ["nobody (a test)"]
frequency = "A"
editions = "closed"
releases = "public"
submitters = { ministry = ["*"] }
[unit]
person = "person_id"
id = "raw"
rows_max = 1
periods_max = 1
[budget]
account = "visitors"
accounting = "zcdp"
rho = "1"
delta = "1e-9"
per_release_max = "0.5"
[budget.shares]
[purposes]
allow = ["treaty_body", "sdg"]
[principals]
deny_classes = ["enforcement"]
[[column]]
name = "sex"
title = { en = "Sex" }
role = "dimension"
codes = ["F", "M"]
[[column]]
name = "area"
title = { en = "Area" }
role = "dimension"
codes = ["N", "S"]
[cells]
threshold = 10
round_to = 1
dims_max = 2
cells_max = 100
moe_relative_max = "0.5"
withhold_unreliable = false
complementary = true
"#
    .to_owned();
    for (from, to) in replaced {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    text
}

fn parse(text: &str) -> (Policy, PolicySource) {
    let lists = CodeLists::default();
    let policy = Policy::parse(text, &lists).unwrap_or_else(|findings| panic!("{findings:#?}")).0;
    (policy, PolicySource { toml: text.to_owned(), lists })
}

/// A plan of its own draw: the same question with another name for it.
fn plan(policy: &Policy, rho: &str, draw: u64) -> Plan {
    let question = sample::question(policy.id.as_str(), &["sex"], &["2026"], rho);
    let mut plan = admit(policy, &sample::closed(&["2026"]), &sample::analyst(), &question, sample::today()).unwrap();
    plan.draw = Digest::of(format!("draw {draw}").as_bytes());
    plan.release = Digest::of(format!("release {draw}").as_bytes());
    plan
}

/// A draft as the ledger sees it.
#[derive(Debug, Clone)]
struct Draft(Entry);

impl Settle for Draft {
    fn entry(&self) -> Entry {
        self.0.clone()
    }
}

fn draft(plan: &Plan, cut: u64) -> Draft {
    let body = format!("{{\"cells\":[],\"cut\":{cut}}}").into_bytes();
    let release = if cut == 0 { plan.release } else { Digest::of(format!("{} {cut}", plan.release).as_bytes()) };
    let (draw, sha256) = (plan.draw, Digest::of(&body));
    Draft(Entry { id: ReleaseId::random(), dataset: plan.dataset.clone(), release, draw, body, sha256 })
}

fn file() -> FileEntry {
    FileEntry { id: FileId::random(), size: 10, sha256: Digest::of(b"ciphertext") }
}

fn submission(who: &Principal, key: &str, period: &str, replaces: Option<SubmissionId>) -> NewSubmission {
    NewSubmission {
        id: SubmissionId::random(),
        dataset: dataset(),
        period: Period::parse(period).unwrap(),
        by: who.clone(),
        idempotency_key: key.to_owned(),
        sha256: Digest::of(key.as_bytes()),
        policy: Digest::of(b"policy"),
        rows_accepted: 17,
        rows_rejected: 1,
        rejections: Vec::new(),
        warnings: Vec::new(),
        files: vec![file()],
        coding: "{}".to_owned(),
        replaces,
    }
}

fn edition(period: &Period, submissions: Vec<SubmissionId>) -> NewEdition {
    NewEdition { dataset: dataset(), period: period.clone(), submissions, files: vec![file()], coding: "{}".to_owned() }
}

fn days(days: i64) -> TimeDelta {
    TimeDelta::days(days)
}
