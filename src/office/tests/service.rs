//! A whole service in a folder of its own, opened again and again, and the people who use it.
//!
//! Folders are copies of one that was made once, with a policy in force, on a disk in memory where there is one:
//! crashes are planned here, not suffered.

use super::super::{Office, SubmissionAsked};
use crate::clock::HandClock;
use crate::config::{Config, Mode};
use crate::fault::{Fault, Faults, Point};
use crate::identity::{AccountId, Class, DatasetId, Organisation, Period, Principal, Role, SubmissionId};
use crate::ledger::{NewToken, PolicySource};
use crate::policy::{CodeLists, Question};
use crate::submission::{Format, OnError};
use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Cells of the one column: a file each.
pub(super) const CELLS: usize = 8;
/// Persons of a file. Noise has a standard deviation of 5 or less: half a file is 15 of them away, and the floor 12
/// from nobody and 18 from a file.
pub(super) const PERSONS: usize = 150;
/// Prices of a question, and their nanos.
pub(super) const PRICES: [(&str, u64); 3] = [("0.02", 20_000_000), ("0.03", 30_000_000), ("0.4", 400_000_000)];
/// Cells that a question shows.
pub(super) const CUTS: [&[usize]; 3] = [&[0, 1, 2, 3, 4, 5, 6, 7], &[0, 1, 2], &[5]];

/// The people.
#[derive(Clone)]
pub(super) struct People {
    pub(super) officers: [Principal; 2],
    pub(super) ministry: Principal,
    pub(super) analysts: [Principal; 2],
}

/// A service that can be opened anew.
pub(super) struct Service {
    folder: tempfile::TempDir,
    pub(super) clock: Arc<HandClock>,
    pub(super) people: People,
    pub(super) office: Office,
    pub(super) faults: Faults,
    /// What is to fail when it is opened next.
    pub(super) at_opening: Vec<(Point, u32, Fault)>,
}

pub(super) fn noon() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-24T12:00:00Z").unwrap().to_utc()
}

pub(super) fn dataset() -> DatasetId {
    DatasetId::parse("cells").unwrap()
}

pub(super) fn period() -> Period {
    Period::parse("2026").unwrap()
}

pub(super) fn account() -> AccountId {
    AccountId::parse("cells").unwrap()
}

pub(super) fn config(folder: &Path) -> Config {
    let (data, keys, witness) = (folder.join("data"), folder.join("keys"), folder.join("witness"));
    let text = format!("data_dir = {data:?}\nkeys_dir = {keys:?}\nwitness = {witness:?}\n");
    Config::parse(&text, &[], Mode::Service).unwrap()
}

impl Service {
    /// A new one.
    pub(super) async fn new() -> Self {
        let (template, people) = template();
        let folder = folder();
        copy(template.path(), folder.path());
        let (clock, faults) = (Arc::new(HandClock::at(noon())), Faults::default());
        let office = crate::app::open_with(&config(folder.path()), clock.clone(), faults.clone()).await.unwrap().office;
        Self { folder, clock, people: people.clone(), office, faults, at_opening: Vec::new() }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn config(&self) -> Config {
        config(self.path())
    }

    /// Opens the same folder anew, without a word to the service before. What fails on purpose is tried again.
    pub(super) async fn reopen(&mut self) {
        for _ in 0..5 {
            self.faults = Faults::default();
            for (point, after, fault) in self.at_opening.drain(..) {
                self.faults.plan(point, after, fault);
            }
            let planned = self.faults.pending();
            let config = self.config();
            let opening = crate::app::open_with(&config, self.clock.clone(), self.faults.clone());
            match AssertUnwindSafe(opening).catch_unwind().await {
                Ok(Ok(app)) if !self.faults.crashed() => {
                    self.office = app.office;
                    return;
                }
                Ok(Err(error)) => assert!(self.faults.pending() < planned, "does not open: {error}"),
                Ok(Ok(_)) => {}
                Err(panic) => assert!(self.faults.crashed(), "{panic:?}"),
            }
        }
        panic!("a service must open");
    }
}

/// A folder for a service.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The folder that the others are copies of.
fn template() -> &'static (tempfile::TempDir, People) {
    static TEMPLATE: OnceLock<(tempfile::TempDir, People)> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let making = std::thread::spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(make()));
        making.join().unwrap()
    })
}

async fn make() -> (tempfile::TempDir, People) {
    let folder = folder();
    let (config, clock) = (config(folder.path()), Arc::new(HandClock::at(noon())));
    let issued = crate::app::init(&config, clock.clone()).await.unwrap();
    let office = crate::app::open_with(&config, clock, Faults::default()).await.unwrap().office;
    let mut first = Vec::new();
    for (_, text) in &issued {
        first.push(office.authenticate(text).await.unwrap());
    }
    let operator = first.pop().unwrap();
    let mut made = Vec::new();
    for (role, organisation, class) in [
        (Role::Submitter, "ministry", "ministry"),
        (Role::Analyst, "ohchr", "un_reporting"),
        (Role::Analyst, "unicef", "un_reporting"),
    ] {
        let (organisation, class) = (Organisation::parse(organisation).unwrap(), Class::parse(class).unwrap());
        let new = NewToken { role, organisation, class, datasets: None, days: 366 };
        made.push(office.authenticate(&office.issue_token(&operator, new).await.unwrap().1).await.unwrap());
    }
    let [ministry, one, two] = made.try_into().unwrap();
    let people = People { officers: [first.remove(0), first.remove(0)], ministry, analysts: [one, two] };
    let proposed = office.propose(&people.officers[0], policy(1)).await.unwrap();
    office.approve(&people.officers[1], &proposed.sha256).await.unwrap();
    office.ledger.close().await;
    (folder, people)
}

/// The register: one column of cells.
pub(super) fn policy(version: u32) -> PolicySource {
    let codes: Vec<String> = (0..CELLS).map(|cell| format!("\"C{cell}\"")).collect();
    let toml = format!(
        r#"
id = "cells"
version = {version}
title = {{ en = "Cells" }}
universe = {{ en = "Persons of a test" }}
source = {{ en = "Test register" }}
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
submitters = {{ ministry = ["*"] }}
[unit]
person = "person_id"
id = "raw"
rows_max = 2
periods_max = 1
[budget]
account = "cells"
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
name = "cell"
title = {{ en = "Cell" }}
role = "dimension"
per = "person"
codes = [{}]
[cells]
threshold = 60
round_to = 1
dims_max = 2
cells_max = 100
moe_relative_max = "0.5"
withhold_unreliable = false
complementary = true
"#,
        codes.join(", ")
    );
    PolicySource { toml, lists: CodeLists::default() }
}

/// The file that owns a cell.
pub(super) fn csv(cell: usize) -> Vec<u8> {
    let mut text = "person_id,cell\n".to_owned();
    (0..PERSONS).for_each(|person| writeln!(text, "P{cell}-{person},C{cell}").unwrap());
    text.into_bytes()
}

/// How it is sent.
pub(super) fn sending(cell: usize, replaces: Option<SubmissionId>) -> SubmissionAsked {
    SubmissionAsked {
        dataset: dataset(),
        period: Some(period()),
        replaces,
        idempotency_key: format!("file {cell}"),
        announced_sha256: None,
        format: Format::Csv,
        on_error: OnError::Refuse,
    }
}

/// A question, said plainly or in disguise: the same codes in another order, and more than once; for another purpose.
pub(super) fn question(rho: &str, cells: &[usize], disguised: bool) -> Question {
    let mut codes: Vec<String> = cells.iter().map(|cell| format!("C{cell}")).collect();
    if disguised {
        codes.reverse();
    }
    let whole = cells.len() == CELLS;
    let filter = if whole { serde_json::json!({}) } else { serde_json::json!({ "cell": codes }) };
    serde_json::from_value(serde_json::json!({
        "dataset": "cells", "purpose": if disguised { "sdg" } else { "treaty_body" },
        "measures": [{ "kind": "persons" }], "by": ["cell"], "where": filter, "periods": ["2026"], "margins": false,
        "spend": { "rho": if disguised { format!("{rho}0") } else { rho.to_owned() } }
    }))
    .unwrap()
}
