//! The wire form of the settings: keys, defaults, and reading them from a file and from the environment.

use super::{ConfigError, ENVIRONMENT_PREFIX};
use crate::publish::spoken;
use serde::Deserialize;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// A text that may hold a password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Every key. What each means stands in the example, beside its default.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) data_dir: PathBuf,
    pub(super) keys_dir: Option<PathBuf>,
    pub(super) policies_dir: Option<PathBuf>,
    pub(super) listen: SocketAddr,
    pub(super) allow_plain_http: bool,
    pub(super) trusted_proxies: Vec<IpAddr>,
    pub(super) tls: Option<toml::Value>,
    pub(super) database_url: Option<Secret>,
    pub(super) key_provider: String,
    pub(super) witness: Option<String>,
    pub(super) approvals: u32,
    pub(super) reply_quantum_ms: u64,
    pub(super) memory_limit_mb: u64,
    pub(super) log_format: String,
    pub(super) rate_limits: Rates,
    pub(super) limits: Limits,
}

impl Default for File {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("data"),
            keys_dir: None,
            policies_dir: None,
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8_080),
            allow_plain_http: false,
            trusted_proxies: Vec::new(),
            tls: None,
            database_url: None,
            key_provider: "file".to_owned(),
            witness: None,
            approvals: 2,
            reply_quantum_ms: 250,
            memory_limit_mb: 2_048,
            log_format: "json".to_owned(),
            rate_limits: Rates::default(),
            limits: Limits::default(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_field_names, reason = "the unit belongs to the key an operator writes")]
pub(super) struct Rates {
    pub(super) per_token_per_minute: u32,
    pub(super) questions_per_minute: u32,
    pub(super) unauthenticated_per_minute: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self { per_token_per_minute: 600, questions_per_minute: 120, unauthenticated_per_minute: 300 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    pub(super) searches: usize,
    pub(super) answers_per_draw: usize,
    pub(super) cells_per_draw: usize,
    pub(super) workers: usize,
    pub(super) connections_per_worker: usize,
    pub(super) keep_alive_seconds: u64,
    pub(super) request_head_seconds: u64,
    pub(super) shutdown_seconds: u64,
    pub(super) json_bytes: u64,
    pub(super) policy_bytes: u64,
    pub(super) submission_bytes: u64,
    pub(super) submission_decoded_bytes: u64,
    pub(super) uploads: usize,
    pub(super) uploads_per_organisation: usize,
    pub(super) stall_seconds: u64,
    pub(super) bytes_per_second: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            searches: 2,
            answers_per_draw: 4_096,
            cells_per_draw: 400_000,
            workers: 2,
            connections_per_worker: 2_048,
            keep_alive_seconds: 30,
            request_head_seconds: 10,
            shutdown_seconds: 30,
            json_bytes: 256 << 10,
            policy_bytes: 8 << 20,
            submission_bytes: 4 << 30,
            submission_decoded_bytes: 16 << 30,
            uploads: 64,
            uploads_per_organisation: 16,
            stall_seconds: 20,
            bytes_per_second: 1_024,
        }
    }
}

impl Limits {
    /// The smallest of the limits that may not be zero.
    pub(super) fn least(&self) -> u64 {
        let answers = [self.searches, self.answers_per_draw, self.cells_per_draw];
        let counts = [self.workers, self.connections_per_worker, self.uploads, self.uploads_per_organisation];
        let counts =
            [answers.as_slice(), &counts].concat().into_iter().map(|count| u64::try_from(count).unwrap_or(u64::MAX));
        let sizes = [self.json_bytes, self.policy_bytes, self.submission_bytes, self.submission_decoded_bytes];
        let times = [self.keep_alive_seconds, self.request_head_seconds, self.stall_seconds, self.shutdown_seconds];
        counts.chain(sizes).chain(times).min().unwrap_or(0)
    }
}

impl File {
    /// The file, then the variables in order of their names.
    pub(super) fn read(text: &str, environment: &[(String, String)]) -> Result<Self, ConfigError> {
        let malformed = |error: &toml::de::Error| {
            let (line, column) = place(text, error.span().map_or(0, |span| span.start));
            ConfigError::Malformed { line, column, said: spoken(error.message()) }
        };
        let mut file: Self = toml::from_str(text).map_err(|error| malformed(&error))?;
        let mut table: toml::Table = toml::from_str(text).map_err(|error| malformed(&error))?;
        let mut environment: Vec<_> = environment.iter().collect();
        environment.sort();
        for (variable, value) in environment {
            let wrong = |said: String| ConfigError::Environment { variable: variable.clone(), said };
            let Some(path) = variable.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
            let keys: Vec<String> = path.split("__").map(str::to_ascii_lowercase).collect();
            let plain = |key: &String| !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            if !keys.iter().all(plain) {
                return Err(wrong("is not the name of a setting".to_owned()));
            }
            // a number may be meant as a text (a folder named 2026): what fits is taken
            let mut said = String::new();
            let fitting = readings(value).into_iter().find_map(|value| {
                let mut with = table.clone();
                if !insert(&mut with, &keys, value) {
                    "names a table and a setting at once".clone_into(&mut said);
                    return None;
                }
                let read = Self::deserialize(with.clone()).map_err(|error| said = spoken(error.message())).ok()?;
                Some((with, read))
            });
            (table, file) = fitting.ok_or_else(|| wrong(said))?;
        }
        Ok(file)
    }
}

/// What the text of a variable may mean: a TOML value, or the text itself.
fn readings(text: &str) -> Vec<toml::Value> {
    let as_value = toml::from_str::<toml::Table>(&format!("value = {text}")).ok();
    let as_value = as_value.filter(|table| table.len() == 1).and_then(|mut table| table.remove("value"));
    as_value.into_iter().chain([toml::Value::String(text.to_owned())]).collect()
}

fn insert(table: &mut toml::Table, keys: &[String], value: toml::Value) -> bool {
    match keys {
        [] => false,
        [key] => {
            table.insert(key.clone(), value);
            true
        }
        [key, rest @ ..] => {
            let inner = table.entry(key.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            inner.as_table_mut().is_some_and(|inner| insert(inner, rest, value))
        }
    }
}

/// Line and column, from 1, of a byte.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte.min(text.len())).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before.get(line_start..).unwrap_or("").chars().count() + 1)
}
