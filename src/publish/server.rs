//! The server: its settings, its start, and its end.
//!
//! # Guarantee
//! Every connection, request and shutdown is bounded in time. At SIGTERM or SIGINT nothing new is accepted and work in
//! flight is finished within [`HttpSettings::shutdown_seconds`]; what is cut off then, the ledger's recovery settles.

use super::gate::{Table, gate};
use super::limits::Limits;
use super::metrics::Metrics;
use super::observe::observe;
use super::openapi::Description;
use super::ready::Ready;
use super::routes::configure;
use crate::office::Office;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use std::net::{IpAddr, TcpListener};
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
    /// Longest silence in the middle of a submitted file.
    pub stall: Duration,
    /// Least bytes in a second of a submitted file.
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
        Self {
            limits: Limits::new(&settings.rate_limits),
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
#[cfg(test)]
pub(super) use shell;

/// Serves until a signal ends it.
///
/// # Errors
/// If the listener cannot be used.
pub async fn serve(office: Office, settings: HttpSettings, listener: TcpListener) -> std::io::Result<()> {
    let (face, office) = (web::Data::new(Face::new(settings.clone())), web::Data::new(office));
    let forgetting = tokio::spawn(forget_idle(face.clone()));
    let server = HttpServer::new(move || {
        let app = App::new().app_data(face.clone()).app_data(office.clone());
        shell!(app).configure(configure)
    })
    .workers(settings.workers)
    .max_connections(settings.connections_max)
    .keep_alive(settings.keep_alive)
    .client_request_timeout(settings.client_request_timeout)
    .client_disconnect_timeout(Duration::from_secs(2))
    .shutdown_timeout(settings.shutdown_seconds)
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();
    let signals = tokio::spawn(async move {
        told_to_stop().await;
        tracing::info!("stopping: finishing what is in flight");
        handle.stop(true).await;
    });
    let ended = server.await;
    signals.abort();
    forgetting.abort();
    ended
}

async fn forget_idle(face: web::Data<Face>) {
    let mut minutes = tokio::time::interval(Duration::from_mins(1));
    loop {
        minutes.tick().await;
        face.limits.forget_idle();
    }
}

async fn told_to_stop() {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
