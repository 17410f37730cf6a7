//! `halflight init` and `halflight serve`: keys, ledger and log are made once, then served.

use super::error::CliError;
use crate::app;
use crate::config::Config;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;

const SERVE: &str = "\
Examples:
  halflight serve --config /etc/halflight.toml
  halflight serve --data /srv/halflight --keys /srv/keys --witness /mnt/other/witness --listen 127.0.0.1:8080

Plain HTTP: put a reverse proxy with TLS 1.3 before it, or listen on loopback only. The witness lies on another volume:
a database that was rolled back is found by it and serves nothing.";
const INIT: &str = "\
Examples:
  halflight init --data /srv/halflight --keys /srv/keys --witness /mnt/other/witness

Prints the first tokens (officers and an operator), once: only their digests are stored. Give each to one person.
The keys are not part of the data folder: back them up apart, or erasure does not reach backups.";

/// Where things lie.
#[derive(Debug, clap::Args)]
struct Places {
    /// Ledger, log and sealed records.
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    data: Option<PathBuf>,
    /// Keys; not in the data folder and not in its backups.
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    keys: Option<PathBuf>,
    /// A file on another volume that remembers the head of the log and every charge.
    #[arg(long, value_name = "FILE", required_unless_present = "config")]
    witness: Option<PathBuf>,
}

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = SERVE)]
pub(super) struct ServeArgs {
    /// Settings; every key is documented in the example beside the sources. Unknown keys are refused.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "keys", "witness", "listen"])]
    config: Option<PathBuf>,
    #[command(flatten)]
    places: Places,
    /// Address and port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: String,
}

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = INIT)]
pub(super) struct InitArgs {
    /// Settings, instead of the places below.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "keys", "witness"])]
    config: Option<PathBuf>,
    #[command(flatten)]
    places: Places,
}

pub(super) fn init(args: &InitArgs) -> Result<(), CliError> {
    let config = config(args.config.as_ref(), &args.places, "127.0.0.1:8080")?;
    let tokens = app::init(&config).map_err(|error| CliError::Wrong(error.to_string()))?;
    writeln!(std::io::stderr(), "These tokens are shown once. Give each to one person.")?;
    let mut out = std::io::stdout().lock();
    for (row, text) in tokens {
        writeln!(out, "{}  {}  {}", row.role.as_str(), row.organisation, text)?;
    }
    Ok(())
}

pub(super) fn serve(args: &ServeArgs) -> Result<(), CliError> {
    let config = config(args.config.as_ref(), &args.places, &args.listen)?;
    let listener = TcpListener::bind(&config.listen)
        .map_err(|error| CliError::Wrong(format!("cannot listen on {}: {error}", config.listen)))?;
    writeln!(std::io::stderr(), "Halflight listens on http://{}", config.listen)?;
    app::serve(&config, listener).map_err(|error| CliError::Wrong(error.to_string()))
}

fn config(file: Option<&PathBuf>, places: &Places, listen: &str) -> Result<Config, CliError> {
    match (file, &places.data, &places.keys) {
        (None, Some(data), Some(keys)) => Ok(Config {
            data_dir: data.clone(),
            keys_dir: keys.clone(),
            listen: listen.to_owned(),
            witness: places.witness.clone(),
            approvals: 2,
        }),
        (Some(_) | None, _, _) => Err(CliError::Usage("settings files are not merged yet".to_owned())),
    }
}
