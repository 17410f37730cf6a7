//! A real service on a loopback port, spoken to as its users speak to it: over HTTP, with tokens.
//!
//! Each test starts its own, over a throw-away data folder and a clock that the test moves.

use chrono::{TimeZone as _, Utc};
use halflight::clock::HandClock;
use halflight::config::{Config, Mode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// A running service and the tokens that came with it.
pub struct TestService {
    pub folder: TempDir,
    pub url: String,
    pub officers: Vec<String>,
    pub operator: String,
    pub clock: Arc<HandClock>,
    agent: ureq::Agent,
    stop: Mutex<Option<Running>>,
}

/// How a service is told to stop, and what ends when it has.
type Running = (tokio::sync::oneshot::Sender<()>, std::thread::JoinHandle<()>);

/// Settings without rate limits and reply quantum.
pub const UNLIMITED: &str = "reply_quantum_ms = 0\n\
    [rate_limits]\nper_token_per_minute = 0\nquestions_per_minute = 0\nunauthenticated_per_minute = 0\n";

/// What came back.
pub struct Reply {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The stable code of a problem document.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Panics unless the status is this one.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Panics unless this is a problem with this status and code and a sentence.
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{}", self.text());
        assert!(self.json()["detail"].as_str().is_some_and(|d| d.len() > 15), "{}", self.text());
        self
    }
}

pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        // a service that is impatient with idle connections is not to be met on one
        .max_idle_age(Duration::from_millis(500))
        .timeout_global(Some(Duration::from_mins(2)))
        .build()
        .into()
}

pub fn send(agent: &ureq::Agent, method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = agent.run(request.body(body).unwrap()).unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or("").to_owned()))
        .collect();
    let body = response.into_body().with_config().limit(1 << 30).read_to_vec().unwrap();
    Reply { status, headers, body }
}

impl TestService {
    /// Starts a service with default settings, two approvals, no reply quantum, no rate limits.
    pub fn start() -> Self {
        Self::start_with(UNLIMITED)
    }

    /// Starts a service with these settings, beside its folders.
    pub fn start_with(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(HandClock::at(Utc.with_ymd_and_hms(2026, 11, 1, 12, 0, 0).unwrap()));
        let config = config(folder.path(), settings);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let issued = runtime.block_on(halflight::app::init(&config, clock.clone())).unwrap();
        let of_role = |role: &str| {
            issued.iter().filter(|(row, _)| row.role.as_str() == role).map(|(_, text)| text.clone()).collect::<Vec<_>>()
        };
        let (officers, operator) = (of_role("officer"), of_role("operator").remove(0));
        drop(runtime);
        Self::over(folder, config, clock, officers, operator).unwrap()
    }

    /// Starts a service over a folder that was made before, with the tokens that came with it; says why not.
    pub fn over(
        folder: TempDir,
        config: Config,
        clock: Arc<HandClock>,
        officers: Vec<String>,
        operator: String,
    ) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let opened = runtime.block_on(halflight::app::open(&config, clock.clone()));
        let app = opened.map_err(|error| error.to_string())?;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, told) = tokio::sync::oneshot::channel::<()>();
        let running = std::thread::spawn(move || {
            let told = async { drop(told.await) };
            runtime.block_on(halflight::publish::serve_until(app.office, config.http, listener, told)).unwrap();
        });
        Ok(Self { folder, url, officers, operator, clock, agent: agent(), stop: Mutex::new(Some((stop, running))) })
    }

    /// One that runs as a process of its own, with its folder, its address and its first tokens.
    pub fn elsewhere(folder: TempDir, url: String, officers: Vec<String>, operator: String) -> Self {
        let clock = Arc::new(HandClock::at(Utc::now()));
        Self { folder, url, officers, operator, clock, agent: agent(), stop: Mutex::new(None) }
    }

    /// Tells the service to stop, as SIGTERM does, and waits until it has.
    pub fn stop(&self) {
        let (stop, running) = self.stop.lock().unwrap().take().expect("a running service");
        stop.send(()).unwrap();
        running.join().unwrap();
    }

    pub fn request(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut all = headers.to_vec();
        if let Some(bearer) = &bearer {
            all.push(("authorization", bearer));
        }
        send(&self.agent, method, &format!("{}{path}", self.url), &all, body)
    }

    pub fn get(&self, path: &str, token: Option<&str>) -> Reply {
        self.request("GET", path, token, &[], b"")
    }

    pub fn post(&self, path: &str, token: &str, body: &Value) -> Reply {
        self.request("POST", path, Some(token), &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    /// A token of a role for an organisation of a class.
    pub fn token(&self, role: &str, organisation: &str, class: &str) -> String {
        let asked = json!({ "role": role, "organisation": organisation, "class": class, "days": 30 });
        let made = self.post("/v1/tokens", &self.operator, &asked).expect(201).json();
        made["token"].as_str().expect("the token's text").to_owned()
    }

    pub fn submitter(&self) -> String {
        self.token("submitter", "ministry-interior", "ministry")
    }

    pub fn analyst(&self) -> String {
        self.token("analyst", "ohchr", "un_reporting")
    }

    /// Two officers put a policy in force.
    pub fn in_force(&self, toml: &str) {
        let lists = lists();
        let proposed = self.post("/v1/policies", &self.officers[0], &json!({ "toml": toml, "lists": lists }));
        let digest = proposed.expect(201).json()["sha256"].as_str().unwrap().to_owned();
        let path = format!("/v1/policies/{digest}/approvals");
        let approved = self.request("POST", &path, Some(&self.officers[1]), &[], b"").json();
        assert_eq!(approved["state"], "in_force", "{approved}");
    }

    pub fn submit(&self, token: &str, dataset: &str, period: &str, key: &str, csv: &str) -> Reply {
        let path = format!("/v1/datasets/{dataset}/submissions?period={period}");
        self.request(
            "POST",
            &path,
            Some(token),
            &[("content-type", "text/csv"), ("idempotency-key", key)],
            csv.as_bytes(),
        )
    }

    pub fn close(&self, dataset: &str, period: &str) -> Reply {
        self.post(&format!("/v1/datasets/{dataset}/editions"), &self.officers[2], &json!({ "period": period }))
    }

    pub fn ask(&self, token: &str, question: &Value) -> Reply {
        self.post("/v1/releases", token, question)
    }

    pub fn spent(&self, account: &str) -> String {
        let budget = self.get(&format!("/v1/budgets/{account}"), Some(&self.officers[0])).expect(200).json();
        budget["spent"].as_str().unwrap().to_owned()
    }

    /// Verifies the whole log and the ledger behind it, offline; gives the number of its leaves.
    pub fn verify(&self) -> u64 {
        let config = config(self.folder.path(), UNLIMITED);
        let report = tokio::runtime::Runtime::new()
            .unwrap()
            .block_on(halflight::app::verify(config.data_dir(), config.witness()))
            .unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
        report.leaves
    }
}

pub fn config(folder: &Path, settings: &str) -> Config {
    let text = format!(
        "data_dir = {:?}\nkeys_dir = {:?}\nwitness = {:?}\npolicies_dir = {:?}\n{settings}",
        folder.join("data"),
        folder.join("keys"),
        folder.join("witness.jsonl"),
        Path::new(env!("CARGO_MANIFEST_DIR")).join("policies"),
    );
    Config::parse(&text, &[], Mode::Service).unwrap()
}

/// The code lists shipped with the example policies.
pub fn lists() -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/codelists");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let lists = files.filter(|path| path.extension().is_some_and(|e| e == "csv")).map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, Value::from(std::fs::read_to_string(path).unwrap()))
    });
    Value::Object(lists.collect())
}

/// A small register: three states, two sexes, a service per row, at most three rows a person.
pub const POLICY: &str = r#"
id = "visits"
version = 1
title = { en = "Visits" }
universe = { en = "Persons with a visit in the year" }
source = { en = "Test register" }
controller = "Ministry of Tests"
legal_basis = "Test Act, art. 1"
licence = "CC-BY-4.0"
contact = "dpo@example.org"
effective = 2026-01-01
expires = 2028-12-31
retention_days = 730
consulted = ["nobody (a test)"]
frequency = "A"
editions = "closed"
releases = "public"
submitters = { ministry-interior = ["*"], ministry-health = ["*"] }
[unit]
person = "person_id"
id = "raw"
rows_max = 3
periods_max = 4
[budget]
account = "visitors"
accounting = "zcdp"
rho = "20"
delta = "1e-9"
per_release_max = "10"
[purposes]
allow = ["sdg", "treaty_body"]
[principals]
deny_classes = ["enforcement"]
[[column]]
name = "state"
title = { en = "State" }
role = "dimension"
per = "person"
codes = ["north", "south", "west"]
geo_level = 1
[[column]]
name = "sex"
title = { en = "Sex" }
role = "dimension"
per = "person"
codes = ["F", "M"]
[[column]]
name = "service"
title = { en = "Service" }
role = "dimension"
per = "row"
codes = ["primary", "emergency", "mental", "never_given"]
[[column]]
name = "remark"
title = { en = "Remark" }
role = "ignored"
per = "row"
[cells]
threshold = 10
round_to = 1
dims_max = 3
cells_max = 2000
moe_relative_max = "0.5"
withhold_unreliable = false
complementary = true
[[forbid]]
cross = ["state", "service"]
reason = "would locate people in care"
"#;

/// A file of the small register: `persons` people with `rows` rows each, ids starting with `start`.
pub fn visits(start: &str, persons: usize, rows: usize) -> String {
    let mut csv = String::from("person_id,state,sex,service,remark\n");
    for person in 0..persons {
        for row in 0..rows {
            let state = ["north", "south"][person % 2];
            let sex = ["F", "M"][person / 2 % 2];
            let service = ["primary", "emergency", "mental"][row % 3];
            csv.push_str(&format!("{start}{person},{state},{sex},{service},x\n"));
        }
    }
    csv
}

/// The value shown for a cell, by its key; `None` if withheld.
pub fn value(release: &Value, key: &[(&str, &str)]) -> Option<i64> {
    let cells = release["cells"].as_array().unwrap();
    let cell = cells.iter().find(|cell| key.iter().all(|(dim, code)| cell["key"][dim] == *code));
    cell.unwrap_or_else(|| panic!("no cell {key:?}"))["value"].as_i64()
}

/// Does `act` `times` times at the same moment, each on a thread of its own.
pub fn at_once<T: Send>(times: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (barrier, act) = (Barrier::new(times), &act);
    std::thread::scope(|scope| {
        let started = |i| {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                act(i)
            })
        };
        let threads: Vec<_> = (0..times).map(started).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
