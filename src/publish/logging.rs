//! The log of the process: to standard error, as lines of JSON or for people.
//!
//! # Guarantee
//! G14: a panic is logged by its place in the source alone, since its text may hold what was being computed.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;

/// Starts logging. A second call changes nothing.
///
/// `RUST_LOG` may raise or lower our own level (`debug`, `warn` ...). Other crates stay at warnings whatever it says;
/// those that read records are silent, since their messages are not ours to vouch for, and so is the one that reads
/// requests: what strangers send it would fill the log.
pub fn init_logging(json: bool) {
    let asked = std::env::var("RUST_LOG").ok().and_then(|level| level.parse::<LevelFilter>().ok());
    let level = asked.unwrap_or(LevelFilter::INFO);
    let filter =
        EnvFilter::new(format!("warn,actix_http=off,datafusion=off,parquet=off,arrow=off,csv=off,halflight={level}"));
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let started = if json {
        lines.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init().is_ok()
    } else {
        lines.with_ansi(false).try_init().is_ok()
    };
    if started {
        std::panic::set_hook(Box::new(|panic| {
            let (file, line) = panic.location().map_or(("unknown", 0), |place| (place.file(), place.line()));
            tracing::error!(file, line, "panic");
        }));
    }
}
