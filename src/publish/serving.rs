//! Serving: from a listener to connections with bounds of their own, until told to stop.
//!
//! # Guarantee
//! Told to stop, nothing new is accepted and what is in flight is finished within [`HttpSettings::shutdown_seconds`]:
//! first the requests, then the acts whose askers have gone, then the ledger is closed, so that no claim is left open.
//! What is cut off at the end of that time, the next start settles. There are never more connections than the process
//! may have open files for.

use super::gate::gate;
use super::line::{Line, Patience, Watched};
use super::observe::observe;
use super::routes::configure;
use super::server::{Face, HttpSettings, shell};
use crate::office::Office;
use actix_http::HttpService;
use actix_server::Server;
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::{App, web};
use std::future::ready;
use std::net::TcpListener;
use std::rc::Rc;
use std::time::Duration;

/// Open files kept for the vault, the ledger, the witness and the policies.
const FILES_KEPT: u64 = 256;
/// How many files a process may have open where the system does not say.
const FILES_OPEN_USUALLY: u64 = 1_024;

/// Serves until SIGTERM or SIGINT ends it.
///
/// # Errors
/// If the listener cannot be used.
pub async fn serve(office: Office, settings: HttpSettings, listener: TcpListener) -> std::io::Result<()> {
    serve_until(office, settings, listener, told_to_stop()).await
}

/// Serves until `stop` comes to its end, and then until what is in flight does.
///
/// # Errors
/// If the listener cannot be used.
pub async fn serve_until(
    office: Office,
    settings: HttpSettings,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let shutdown = Duration::from_secs(settings.shutdown_seconds);
    let face = web::Data::new(Face::new(settings));
    let forgetting = tokio::spawn(forget_idle(face.clone()));
    let server = listen(&face, &web::Data::new(office.clone()), listener)?;
    let handle = server.handle();
    let stopping = tokio::spawn(async move {
        stop.await;
        tracing::info!("stopping: finishing what is in flight");
        handle.stop(true).await;
    });
    let ended = server.await;
    stopping.abort();
    forgetting.abort();
    // A crash from here on leaves what a crash always leaves: claims that the next start settles as spent.
    if tokio::time::timeout(shutdown, office.stop()).await.is_ok() {
        tracing::info!("stopped: nothing is left in flight");
    } else {
        tracing::warn!("stopped: the next start settles what was still in flight");
    }
    ended
}

fn listen(face: &web::Data<Face>, office: &web::Data<Office>, listener: TcpListener) -> std::io::Result<Server> {
    let settings = &face.settings;
    let patience = Patience {
        waiting: settings.keep_alive.saturating_add(settings.client_request_timeout),
        stall: settings.stall,
        bytes_per_second: settings.bytes_per_second_min,
    };
    let server = Server::build()
        .workers(settings.workers)
        .max_concurrent_connections(connections(settings, files_open_max()))
        .shutdown_timeout(settings.shutdown_seconds)
        .disable_signals();
    let draining = server.graceful_shutdown_signal();
    let (face, office) = (face.clone(), office.clone());
    let server = server.listen("halflight", listener, move || {
        let app = App::new().app_data(face.clone()).app_data(office.clone());
        let app =
            shell!(app).configure(configure).into_factory().map_err(|error: actix_web::Error| error.error_response());
        let draining = draining.clone();
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let draining = draining.clone();
                async move { draining.notified().await }
            })
            .keep_alive(face.settings.keep_alive)
            .client_request_timeout(face.settings.client_request_timeout)
            .client_disconnect_timeout(Duration::from_secs(2))
            .on_connect_ext(|stream: &Watched, data| drop(data.insert::<Rc<Line>>(stream.line())))
            .h1(map_config(app, |()| AppConfig::default()));
        fn_service(move |stream: TcpStream| {
            let peer = stream.peer_addr().ok();
            // a small reply is not held back for a larger one; where that cannot be had it is only slower
            let _ = stream.set_nodelay(true);
            ready(Ok::<_, actix_http::error::DispatchError>((Watched::new(stream, patience), peer)))
        })
        .and_then(http)
    })?;
    Ok(server.run())
}

/// Connections one worker may hold: those of the settings, as far as there are files for them.
fn connections(settings: &HttpSettings, files: u64) -> usize {
    let workers = u64::try_from(settings.workers).unwrap_or(u64::MAX).max(1);
    let there = files.saturating_sub(FILES_KEPT).checked_div(workers).unwrap_or(0).max(1);
    settings.connections_max.min(usize::try_from(there).unwrap_or(usize::MAX))
}

/// How many files this process may have open; raised to what it may be raised to.
fn files_open_max() -> u64 {
    rlimit::increase_nofile_limit(u64::MAX).unwrap_or(FILES_OPEN_USUALLY)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_ledger_and_the_vault() {
        let settings = HttpSettings { workers: 2, connections_max: 2_048, ..HttpSettings::default() };
        assert_eq!(connections(&settings, 1_024), 384);
        assert_eq!(connections(&settings, u64::MAX), 2_048);
        assert_eq!(connections(&settings, 10), 1);
    }
}
