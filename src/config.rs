//! Settings: a TOML file, then the environment (`HALFLIGHT__KEY`, nested keys `HALFLIGHT__RATE_LIMITS__KEY`).
//!
//! # Guarantees
//! Unknown keys are refused with line and column. A setting that would weaken a promise (keys beside the data, one
//! approval, no witness, plain HTTP to the network) is refused outside `demo`, with a sentence. `Debug` shows no
//! secret, and no message repeats a value.

mod example;
mod file;

use crate::publish::{HttpSettings, RateLimits};
use crate::release::Limits;
use file::{File, Secret};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The prefix of environment variables.
pub const ENVIRONMENT_PREFIX: &str = "HALFLIGHT__";

/// What the service is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Real data: every promise holds.
    Service,
    /// A throw-away service with generated data.
    Demo,
}

/// Why settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: cannot be read ({kind}); check the path and who may read it")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        kind: std::io::ErrorKind,
    },
    /// The file is not TOML, or has an unknown key.
    #[error("line {line}, column {column}: {said}")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        said: String,
    },
    /// A variable is not a setting.
    #[error("environment variable {variable}: {said}")]
    Environment {
        /// The variable.
        variable: String,
        /// What is wrong.
        said: String,
    },
    /// A setting that may not be.
    #[error("{key}: {said}")]
    Refused {
        /// The setting.
        key: &'static str,
        /// Why, and what to write instead.
        said: &'static str,
    },
}

impl ConfigError {
    /// A stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "config_unreadable",
            Self::Malformed { .. } => "config_malformed",
            Self::Environment { .. } => "config_environment",
            Self::Refused { .. } => "config_refused",
        }
    }
}

/// Settings that may be used.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    data_dir: PathBuf,
    keys_dir: PathBuf,
    /// The folder of policies, with `codelists/` in it.
    pub policies_dir: Option<PathBuf>,
    /// The address to listen on.
    pub listen: SocketAddr,
    database: PathBuf,
    witness: Option<PathBuf>,
    approvals: u32,
    /// How much work may be done for questions.
    pub limits: Limits,
    /// Whether log lines are JSON.
    pub log_json: bool,
    /// The HTTP face.
    pub http: HttpSettings,
    database_url: Option<Secret>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("data_dir", &self.data_dir)
            .field("keys_dir", &self.keys_dir)
            .field("policies_dir", &self.policies_dir)
            .field("listen", &self.listen)
            .field("database", &self.database)
            .field("database_url", &self.database_url)
            .field("witness", &self.witness)
            .field("approvals", &self.approvals)
            .field("limits", &self.limits)
            .field("log_json", &self.log_json)
            .field("http", &self.http)
            .finish()
    }
}

impl Config {
    /// Reads a file (or none) and the process's environment.
    ///
    /// # Errors
    /// Says where what is wrong, and what to write instead.
    pub fn load(path: Option<&Path>, mode: Mode) -> Result<Self, ConfigError> {
        let text = match path {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path)
                .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), kind: error.kind() })?,
        };
        let environment = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let environment = environment.filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX));
        let readable = environment.map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(ConfigError::Environment { variable: name, said: "is not UTF-8".to_owned() }),
        });
        Self::parse(&text, &readable.collect::<Result<Vec<_>, _>>()?, mode)
    }

    /// Reads settings from the text of a file and from environment variables.
    ///
    /// # Errors
    /// Says where what is wrong, and what to write instead.
    pub fn parse(text: &str, environment: &[(String, String)], mode: Mode) -> Result<Self, ConfigError> {
        Self::checked(File::read(text, environment)?, mode)
    }

    /// Where the vault and the database are.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Where wrapped keys are: not within the data, so that a copy of it is worth nothing.
    #[must_use]
    pub fn keys_dir(&self) -> &Path {
        &self.keys_dir
    }

    /// Where the database of a data folder is, unless the settings say otherwise.
    #[must_use]
    pub fn database_in(data_dir: &Path) -> PathBuf {
        data_dir.join("ledger.sqlite")
    }

    /// The database file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.database.clone()
    }

    /// The witness of the log's head.
    #[must_use]
    pub fn witness(&self) -> Option<&Path> {
        self.witness.as_deref()
    }

    /// Approvals a policy needs in all.
    #[must_use]
    pub fn approvals(&self) -> u32 {
        self.approvals
    }

    /// A file with every setting at its default, explained.
    #[must_use]
    pub fn example() -> String {
        example::EXAMPLE.to_owned()
    }

    fn checked(file: File, mode: Mode) -> Result<Self, ConfigError> {
        refuse_what_is_not_there_yet(&file)?;
        let keys_dir = file.keys_dir.clone().unwrap_or_else(|| beside(&file.data_dir, "-keys"));
        refuse_what_is_weak(&file, &keys_dir, mode)?;
        let database = match file.database_url.as_ref() {
            None => Self::database_in(&file.data_dir),
            Some(url) => sqlite_path(url.text())?,
        };
        let log_json = match file.log_format.as_str() {
            "json" => true,
            "text" => false,
            _ => return Err(refused("log_format", "write \"json\" or \"text\"")),
        };
        Ok(Self {
            http: http(&file),
            limits: limits(&file),
            data_dir: file.data_dir,
            keys_dir,
            policies_dir: file.policies_dir,
            listen: file.listen,
            database,
            witness: file.witness.map(PathBuf::from),
            approvals: file.approvals,
            log_json,
            database_url: file.database_url,
        })
    }
}

fn limits(file: &File) -> Limits {
    Limits {
        memory_bytes: usize::try_from(file.memory_limit_mb.saturating_mul(1 << 20)).unwrap_or(usize::MAX),
        searches: file.limits.searches,
        answers_per_draw: file.limits.answers_per_draw,
        cells_per_draw: file.limits.cells_per_draw,
    }
}

fn refused(key: &'static str, said: &'static str) -> ConfigError {
    ConfigError::Refused { key, said }
}

fn beside(folder: &Path, suffix: &str) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    folder.with_file_name(name)
}

fn sqlite_path(url: &str) -> Result<PathBuf, ConfigError> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
    let path = path.filter(|path| !path.is_empty() && !path.contains(['?', '#']) && *path != ":memory:");
    path.map(PathBuf::from).ok_or_else(|| {
        refused("database_url", "write sqlite:///path/to/file (a file: the ledger must survive), or leave it out")
    })
}

fn refuse_what_is_not_there_yet(file: &File) -> Result<(), ConfigError> {
    let url = file.database_url.as_ref().map_or("", Secret::text);
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        return Err(refused("database_url", "PostgreSQL is not supported yet; leave it out to use SQLite in data_dir"));
    }
    if file.key_provider != "file" {
        return Err(refused("key_provider", "only \"file\" is supported yet: keys wrapped in files under keys_dir"));
    }
    if file.tls.is_some() {
        return Err(refused("tls", "not supported yet; put a TLS proxy before the service and listen on loopback"));
    }
    if file.witness.as_deref().is_some_and(|witness| witness.contains("://")) {
        return Err(refused("witness", "only a path is supported yet: a file on another volume"));
    }
    Ok(())
}

fn refuse_what_is_weak(file: &File, keys_dir: &Path, mode: Mode) -> Result<(), ConfigError> {
    if !file.listen.ip().is_loopback() && !file.allow_plain_http {
        return Err(refused(
            "listen",
            "plain HTTP is for loopback; put a TLS proxy before the service, or set allow_plain_http = true where \
             the network between is yours alone",
        ));
    }
    if file.approvals == 0 {
        return Err(refused("approvals", "at least 1"));
    }
    for (key, value) in [("memory_limit_mb", file.memory_limit_mb), ("limits", file.limits.least())] {
        if value == 0 {
            return Err(refused(key, "zero would refuse everything; write a larger number"));
        }
    }
    match mode {
        Mode::Demo => return Ok(()),
        Mode::Service => {}
    }
    if file.approvals < 2 {
        return Err(refused("approvals", "at least 2: no officer changes alone what may be told; fewer only in demo"));
    }
    let Some(witness) = file.witness.as_deref() else {
        return Err(refused(
            "witness",
            "required: a file on another volume, so that a database put back from a backup gets no budget back",
        ));
    };
    if Path::new(witness).starts_with(&file.data_dir) {
        return Err(refused("witness", "lies within data_dir and would be rolled back with it; use another volume"));
    }
    if keys_dir.starts_with(&file.data_dir) {
        return Err(refused(
            "keys_dir",
            "lies within data_dir: a copy of the data would hold its keys; use another folder",
        ));
    }
    Ok(())
}

fn http(file: &File) -> HttpSettings {
    let (limits, rates) = (&file.limits, &file.rate_limits);
    HttpSettings {
        workers: limits.workers,
        connections_max: limits.connections_per_worker,
        keep_alive: Duration::from_secs(limits.keep_alive_seconds),
        client_request_timeout: Duration::from_secs(limits.request_head_seconds),
        shutdown_seconds: limits.shutdown_seconds,
        json_bytes_max: limits.json_bytes,
        policy_bytes_max: limits.policy_bytes,
        submission_bytes_max: limits.submission_bytes,
        submission_decoded_bytes_max: limits.submission_decoded_bytes,
        uploads_max: limits.uploads,
        uploads_per_organisation_max: limits.uploads_per_organisation,
        stall: Duration::from_secs(limits.stall_seconds),
        bytes_per_second_min: limits.bytes_per_second,
        reply_quantum_ms: file.reply_quantum_ms,
        rate_limits: RateLimits {
            per_token_per_minute: rates.per_token_per_minute,
            questions_per_minute: rates.questions_per_minute,
            unauthenticated_per_minute: rates.unauthenticated_per_minute,
        },
        trusted_proxies: file.trusted_proxies.iter().map(std::net::IpAddr::to_canonical).collect(),
        policies_dir: file.policies_dir.clone(),
    }
}

#[cfg(test)]
mod tests;
