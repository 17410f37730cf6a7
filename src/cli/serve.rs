//! `halflight init` and `halflight serve`: keys, ledger and log are made once, then served.

use super::error::CliError;
use crate::app::{self, AppError};
use crate::clock::{Clock, WallClock};
use crate::config::{Config, ConfigError, ENVIRONMENT_PREFIX, Mode};
use crate::ledger::TokenRow;
use crate::publish;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SERVE: &str = "\
Examples:
  halflight serve --example-config > halflight.toml
  halflight serve --config halflight.toml
  halflight serve --data /srv/halflight --keys /srv/keys --witness /mnt/other/witness --listen 127.0.0.1:8080

Plain HTTP on loopback: put a proxy with TLS 1.3 before it. The witness lies on another volume: a database that was
rolled back is found by it and serves nothing until `halflight restore`. Each setting can also be given in the environment (HALFLIGHT__LISTEN).";
const INIT: &str = "\
Examples:
  halflight init --config halflight.toml
  halflight init --data /srv/halflight --keys /srv/keys --witness /mnt/other/witness

Prints the first tokens (officers and an operator), once: only their digests are stored. Give each to one person.
The keys are not part of the data folder: back them up apart, or erasure does not reach backups.";

/// Where things lie.
#[derive(Debug, clap::Args)]
pub(super) struct Places {
    /// Settings in a file, instead of the arguments below. Unknown keys are refused.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "keys", "witness", "policies"])]
    config: Option<PathBuf>,
    /// Ledger, log and sealed records.
    #[arg(long, value_name = "DIR", required_unless_present_any = ["config", "example_config"])]
    data: Option<PathBuf>,
    /// Keys; not in the data folder and not in its backups [default: the data folder's name with `-keys`].
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// A file on another volume that remembers the log: what was spent, whatever becomes of the database.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["config", "example_config"])]
    witness: Option<PathBuf>,
    /// Policies, with their code lists in `codelists/`.
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
    /// Print a settings file with every key explained, and end.
    #[arg(long, exclusive = true)]
    example_config: bool,
}

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = SERVE)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    places: Places,
    /// Address and port [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR", conflicts_with = "config")]
    listen: Option<String>,
}

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = INIT)]
pub(super) struct InitArgs {
    #[command(flatten)]
    places: Places,
}

pub(super) fn init(args: &InitArgs) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    if args.places.example_config {
        return Ok(write!(out, "{}", Config::example())?);
    }
    let tokens = first_tokens(&args.places.settings(None)?)?;
    writeln!(std::io::stderr(), "These tokens are shown once. Give each to one person.")?;
    for (row, text) in tokens {
        writeln!(out, "{:<9} {:<12} {text}", row.role.as_str(), row.organisation.as_str())?;
    }
    Ok(())
}

pub(super) fn serve(args: &ServeArgs) -> Result<(), CliError> {
    if args.places.example_config {
        return Ok(write!(std::io::stdout(), "{}", Config::example())?);
    }
    let config = args.places.settings(args.listen.as_deref())?;
    publish::init_logging(config.log_json);
    let listener = TcpListener::bind(config.listen)
        .map_err(|error| CliError::Wrong(format!("cannot listen on {}: {error}", config.listen)))?;
    writeln!(std::io::stderr(), "Halflight listens on http://{}", listener.local_addr()?)?;
    run(&config, listener)
}

/// Makes keys, ledger and log; the first tokens are shown this once.
pub(super) fn first_tokens(config: &Config) -> Result<Vec<(TokenRow, String)>, CliError> {
    Ok(runtime()?.block_on(app::init(config, clock()))?)
}

/// Opens the service and serves it on this thread until it is told to stop.
pub(super) fn run(config: &Config, listener: TcpListener) -> Result<(), CliError> {
    let runtime = runtime()?;
    let app = runtime.block_on(app::open(config, clock()))?;
    Ok(runtime.block_on(publish::serve(app.office, config.http.clone(), listener))?)
}

pub(super) fn clock() -> Arc<dyn Clock> {
    Arc::new(WallClock)
}

pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

impl Places {
    pub(super) fn settings(&self, listen: Option<&str>) -> Result<Config, CliError> {
        if let Some(file) = &self.config {
            return Ok(Config::load(Some(file), Mode::Service)?);
        }
        let paths = [
            ("data_dir", &self.data),
            ("keys_dir", &self.keys),
            ("witness", &self.witness),
            ("policies_dir", &self.policies),
        ];
        let mut table: Vec<(&str, &str)> = Vec::new();
        for (key, path) in paths {
            if let Some(path) = path {
                table.push((key, utf8(path)?));
            }
        }
        table.extend(listen.map(|address| ("listen", address)));
        let environment: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX))
            .collect();
        Ok(Config::parse(&settings_text(&table), &environment, Mode::Service)?)
    }
}

/// Settings as the text of a file.
pub(super) fn settings_text(settings: &[(&str, &str)]) -> String {
    let table: toml::Table =
        settings.iter().map(|(key, value)| ((*key).to_owned(), toml::Value::String((*value).to_owned()))).collect();
    table.to_string()
}

/// A path as text: settings are text.
pub(super) fn utf8(path: &Path) -> Result<&str, CliError> {
    path.to_str().ok_or_else(|| CliError::Usage("a path in the settings must be UTF-8".to_owned()))
}

impl From<AppError> for CliError {
    fn from(error: AppError) -> Self {
        Self::Wrong(error.to_string())
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::Usage(format!("settings: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_smuggle_in_a_setting() {
        let text = settings_text(&[("data_dir", "a\"\napprovals = \"1")]);
        let table: toml::Table = text.parse().unwrap();
        assert_eq!(table.keys().collect::<Vec<_>>(), ["data_dir"]);
    }
}
