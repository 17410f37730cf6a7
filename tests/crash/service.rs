//! The built program in a throw-away folder: started, killed, started again, and spoken to over HTTP.
//!
//! Whatever is started here dies with the [`Service`]. The ledger and the vault lie on one "volume", the witness on
//! another; both may be disks that lose unsynced writes.

use super::disk::Disk;
use super::register;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// After a kill the service serves again within this time.
pub const RECOVERY: Duration = Duration::from_mins(1);

/// Longest wait of a client for a service that is being started again.
const PATIENCE: Duration = Duration::from_secs(90);

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn code(&self) -> String {
        serde_json::from_slice::<Value>(&self.body)
            .ok()
            .and_then(|body| body["code"].as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// A service that can be killed.
pub struct Service {
    pub folder: TempDir,
    pub disk: Option<Disk>,
    pub officers: Vec<String>,
    pub operator: String,
    running: Mutex<Option<Running>>,
    /// How often it was started, and where it listens now.
    address: Mutex<(u32, Option<String>)>,
    moved: Condvar,
    agent: ureq::Agent,
}

struct Running {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    listening: JoinHandle<()>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Service {
    /// Makes a service, starts it, and puts the register's policy in force.
    pub fn new(writers: usize, disk: impl FnOnce(&Path) -> Option<Disk>) -> Self {
        let service = Self::made(disk);
        service.start(None).unwrap();
        service.in_force(&register::policy(writers));
        service
    }

    /// Makes keys, ledger and log, and starts nothing.
    pub fn made(disk: impl FnOnce(&Path) -> Option<Disk>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        for volume in ["disk", "other"] {
            std::fs::create_dir(at.join(volume)).unwrap();
        }
        let config = format!(
            "data_dir = {:?}\nkeys_dir = {:?}\nwitness = {:?}\nlisten = \"127.0.0.1:0\"\nreply_quantum_ms = 0\n\
             [rate_limits]\nper_token_per_minute = 0\nquestions_per_minute = 0\nunauthenticated_per_minute = 0\n\
             [limits]\nshutdown_seconds = 5\n",
            at.join("disk/data"),
            at.join("disk/keys"),
            at.join("other/witness"),
        );
        std::fs::write(at.join("halflight.toml"), config).unwrap();
        // A name of our own: a build that ends in the middle must not change what is tested.
        let (built, own) = (env!("CARGO_BIN_EXE_halflight"), at.join("halflight"));
        std::fs::hard_link(built, &own).or_else(|_| std::fs::copy(built, &own).map(drop)).unwrap();
        let disk = disk(at);
        let mut service = Self {
            folder,
            disk,
            officers: Vec::new(),
            operator: String::new(),
            running: Mutex::new(None),
            address: Mutex::new((0, None)),
            moved: Condvar::new(),
            agent: ureq::Agent::config_builder()
                .http_status_as_error(false)
                .timeout_global(Some(Duration::from_mins(1)))
                .build()
                .into(),
        };
        let made = service.command("init").output().unwrap();
        let text = String::from_utf8(made.stdout).unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let of_role = |role: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| line.starts_with(role));
            lines.map(|line| line.split_whitespace().last().unwrap().to_owned()).collect()
        };
        (service.officers, service.operator) = (of_role("officer"), of_role("operator").remove(0));
        service
    }

    fn in_force(&self, toml: &str) {
        let asked = json!({ "toml": toml, "lists": {} });
        let proposed = self.post("/v1/policies", &self.officers[0], &asked).unwrap();
        assert_eq!(proposed.status, 201, "{}", proposed.text());
        let path = format!("/v1/policies/{}/approvals", proposed.json()["sha256"].as_str().unwrap());
        let approved = self.send("POST", &path, &self.officers[1], &[], b"").unwrap();
        assert_eq!(approved.json()["state"], "in_force", "{}", approved.text());
    }

    /// A token of a role.
    pub fn token(&self, role: &str, organisation: &str, class: &str) -> String {
        let asked = json!({ "role": role, "organisation": organisation, "class": class, "days": 30 });
        let made = self.post("/v1/tokens", &self.operator, &asked).unwrap();
        made.json()["token"].as_str().unwrap_or_else(|| panic!("{}", made.text())).to_owned()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program over this service's settings.
    fn command(&self, argument: &str) -> Command {
        let mut command = Command::new(self.path("halflight"));
        command.arg(argument).arg("--config").arg(self.path("halflight.toml")).env_remove("HALFLIGHT_FAULT");
        if let Some(disk) = &self.disk {
            disk.under(&mut command);
        }
        command
    }

    /// Starts, with a word in the environment perhaps, and waits until it serves; tells how long that took.
    ///
    /// # Errors
    /// How the process ended, if it ended instead, and what it said.
    pub fn start(&self, word: Option<(&str, &str)>) -> Result<Duration, (ExitStatus, String)> {
        let began = Instant::now();
        let mut command = self.command("serve");
        if let Some((name, value)) = word {
            command.env(name, value);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let (lines, heard) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&said));
        let listening = std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| note(&heard, line)));
        let url = loop {
            if let Some(url) = said.lock().unwrap().iter().find_map(|line| line.split(" listens on ").nth(1)) {
                break url.to_owned();
            }
            if let Some(status) = child.try_wait().unwrap() {
                return Err((status, said.lock().unwrap().join("\n")));
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        *self.running.lock().unwrap() = Some(Running { child, said, listening });
        while !self.agent.get(format!("{url}/health/ready")).call().is_ok_and(|reply| reply.status() == 200) {
            let mut running = self.running.lock().unwrap();
            if let Some(status) = running.as_mut().unwrap().child.try_wait().unwrap() {
                return Err((status, running.take().unwrap().last_words()));
            }
            assert!(began.elapsed() < RECOVERY, "not serving after {:?}", began.elapsed());
            drop(running);
            std::thread::sleep(Duration::from_millis(2));
        }
        let mut address = self.address.lock().unwrap();
        *address = (address.0 + 1, Some(url));
        self.moved.notify_all();
        Ok(began.elapsed())
    }

    /// `kill -9`; gives what it said.
    pub fn kill(&self) -> String {
        self.end(|child| child.kill().unwrap()).map_or_else(String::new, |(_, said)| said)
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let running = self.running.lock().unwrap();
        let id = running.as_ref().unwrap().child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits until the process has ended by itself; `None` if it has not after some time.
    pub fn ended(&self, within: Duration) -> Option<(ExitStatus, String)> {
        let until = Instant::now() + within;
        while Instant::now() < until {
            if self.running.lock().unwrap().as_mut()?.child.try_wait().unwrap().is_some() {
                return self.end(|_| ());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }

    fn end(&self, how: impl FnOnce(&mut Child)) -> Option<(ExitStatus, String)> {
        let mut running = self.running.lock().unwrap().take()?;
        self.address.lock().unwrap().1 = None;
        how(&mut running.child);
        let status = running.child.wait().unwrap();
        Some((status, running.last_words()))
    }

    /// What the running process has said so far.
    pub fn said(&self) -> String {
        self.running
            .lock()
            .unwrap()
            .as_ref()
            .map_or_else(String::new, |running| running.said.lock().unwrap().join("\n"))
    }

    /// `halflight verify` over the data folder and the witness; gives what it said. Panics if anything does not hold.
    pub fn verify(&self) -> String {
        let (data, witness) = (self.path("disk/data"), self.path("other/witness"));
        let mut command = Command::new(self.path("halflight"));
        let checked = command.arg("verify").arg("--data").arg(data).arg("--witness").arg(witness).output().unwrap();
        let said = String::from_utf8_lossy(&checked.stdout).into_owned() + &String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{said}");
        said
    }

    /// Where it listens, once it does.
    pub fn url(&self) -> String {
        let (address, late) = self
            .moved
            .wait_timeout_while(self.address.lock().unwrap(), PATIENCE, |address| address.1.is_none())
            .unwrap();
        assert!(!late.timed_out(), "the service did not come back");
        address.1.clone().unwrap()
    }

    /// Sends one request; `None` if no reply came: what it did is unknown.
    pub fn send(&self, method: &str, path: &str, token: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Reply> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url()));
        request = request.header("authorization", format!("Bearer {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.agent.run(request.body(body).unwrap()).ok()?;
        let status = response.status().as_u16();
        let body = response.into_body().with_config().limit(1 << 30).read_to_vec().ok()?;
        Some(Reply { status, body })
    }

    pub fn get(&self, path: &str, token: &str) -> Option<Reply> {
        self.send("GET", path, token, &[], b"")
    }

    pub fn post(&self, path: &str, token: &str, body: &Value) -> Option<Reply> {
        self.send("POST", path, token, &[("content-type", "application/json")], body.to_string().as_bytes())
    }
}

impl Running {
    /// Everything it said, after it has ended.
    fn last_words(self) -> String {
        self.listening.join().unwrap();
        std::mem::take(&mut *self.said.lock().unwrap()).join("\n")
    }
}

/// Keeps what matters of a log: requests that went well are left out.
fn note(heard: &Mutex<Vec<String>>, line: String) {
    if !line.contains("\"request\"") || line.contains("\"status\":5") {
        heard.lock().unwrap().push(line);
    }
}
