//! The server: its settings, and what its workers share.
//!
//! # Guarantee
//! Every connection, request, file and shutdown is bounded in number, size and time, and every bound is a setting.

use super::gate::Table;
use super::limits::Limits;
use super::metrics::Metrics;
use super::openapi::Description;
use super::ready::Ready;
use super::uploads::Uploads;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How often one may call. Zero: without limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests by one token in a minute.
    pub per_token_per_minute: u32,
    /// Questions and quotes by one token in a minute.
    pub questions_per_minute: u32,
    /// Requests without a valid token from one address in a minute.
    pub unauthenticated_per_minute: u32,
}

/// Settings of the HTTP face.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// Threads that serve connections.
    pub workers: usize,
    /// Connections one worker holds open.
    pub connections_max: usize,
    /// How long an idle connection is kept.
    pub keep_alive: Duration,
    /// How long the head of a request may take.
    pub client_request_timeout: Duration,
    /// How long work in flight may take at the end.
    pub shutdown_seconds: u64,
    /// Most bytes of a JSON body.
    pub json_bytes_max: u64,
    /// Most bytes of a policy with its code lists.
    pub policy_bytes_max: u64,
    /// Most bytes of a submitted file as it travels.
    pub submission_bytes_max: u64,
    /// Most bytes of a submitted file once unpacked.
    pub submission_decoded_bytes_max: u64,
    /// Files received at once.
    pub uploads_max: usize,
    /// Files received at once from one organisation.
    pub uploads_per_organisation_max: usize,
    /// Longest silence in the middle of a submitted file, or of the taking of a reply.
    pub stall: Duration,
    /// Least bytes in a second of a submitted file, or of a reply that is taken.
    pub bytes_per_second_min: u64,
    /// Answers leave at multiples of this; 0: at once.
    pub reply_quantum_ms: u64,
    /// How often one may call.
    pub rate_limits: RateLimits,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// The folder of policies, with `codelists/` in it.
    pub policies_dir: Option<PathBuf>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            workers: 2,
            connections_max: 2_048,
            keep_alive: Duration::from_secs(30),
            client_request_timeout: Duration::from_secs(10),
            shutdown_seconds: 30,
            json_bytes_max: 256 << 10,
            policy_bytes_max: 8 << 20,
            submission_bytes_max: 4 << 30,
            submission_decoded_bytes_max: 16 << 30,
            uploads_max: 64,
            uploads_per_organisation_max: 16,
            stall: Duration::from_secs(20),
            bytes_per_second_min: 1_024,
            reply_quantum_ms: 0,
            rate_limits: RateLimits {
                per_token_per_minute: 600,
                questions_per_minute: 120,
                unauthenticated_per_minute: 300,
            },
            trusted_proxies: Vec::new(),
            policies_dir: None,
        }
    }
}

/// What all workers of the HTTP face share.
pub struct Face {
    pub(super) settings: HttpSettings,
    pub(super) table: Table,
    pub(super) limits: Limits,
    pub(super) uploads: Uploads,
    pub(super) metrics: Metrics,
    pub(super) ready: Ready,
    pub(super) description: Description,
}

impl Face {
    /// A face over these settings.
    #[must_use]
    pub fn new(settings: HttpSettings) -> Self {
        let description = Description::new();
        let table = Table::of(description.as_value());
        let metrics = Metrics::over(table.rows().map(|(method, template, _)| (method.to_owned(), template.to_owned())));
        let uploads = Uploads::new(settings.uploads_max, settings.uploads_per_organisation_max);
        Self {
            limits: Limits::new(&settings.rate_limits),
            uploads,
            settings,
            table,
            metrics,
            ready: Ready::default(),
            description,
        }
    }
}

/// The middleware, outermost first: put around every app that serves [`configure`].
macro_rules! shell {
    ($app:expr) => {
        $app.wrap(from_fn(gate)).wrap(from_fn(observe))
    };
}
pub(super) use shell;
