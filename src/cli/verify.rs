//! `halflight verify`: the whole log, checked by anyone, without seeing data.
//!
//! Over HTTP it reads tiles and the signed checkpoint and builds the tree anew; with a data folder it also holds the
//! ledger's sums and the witness against the log. Exit code 1 if anything is wrong.

use super::client::Client;
use super::connection::Connection;
use super::error::CliError;
use crate::config::Config;
use crate::ledger::verify_database;
use crate::transparency::{Report, VerifyError, verify_by_tiles};
use std::io::Write;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  halflight verify --url https://halflight.example.org
  halflight verify --url https://halflight.example.org --vkey 'halflight.example.org+c0ffee01+AbC...'
  halflight verify --data /srv/halflight --witness /mnt/other/witness

With --vkey the key is pinned: take it from somebody you trust, once. Without it the service's own answer is believed,
and a service that lies about everything consistently would pass.";

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct VerifyArgs {
    /// A data folder to verify instead of a service.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The witness to hold the data folder against.
    #[arg(long, value_name = "FILE", requires = "data")]
    witness: Option<PathBuf>,
    /// The log's verifier key, pinned.
    #[arg(long, value_name = "KEY", conflicts_with = "data")]
    vkey: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

pub(super) fn run(args: &VerifyArgs) -> Result<(), CliError> {
    let lines = match &args.data {
        Some(data) => by_data(data, args.witness.as_deref())?,
        None => by_url(&args.connection.client()?, args.vkey.as_deref())?,
    };
    let mut out = std::io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Verifies the log of a service; says what was checked.
///
/// # Errors
/// [`CliError::Wrong`] with what does not hold.
pub fn by_url(client: &Client, pinned: Option<&str>) -> Result<Vec<String>, CliError> {
    let wrong = |error: VerifyError| CliError::Wrong(error.to_string());
    let key = match pinned {
        Some(key) => key.to_owned(),
        None => {
            serde_json::from_slice::<Key>(&client.read("/log/key")?.body)
                .map_err(|_| CliError::Wrong("the service gave no verifier key".into()))?
                .vkey
        }
    };
    let checkpoint = String::from_utf8_lossy(&client.read("/log/checkpoint")?.body).into_owned();
    let fetch = |path: &str| client.read(&format!("/log/{path}")).map(|reply| reply.body);
    told(&verify_by_tiles(&checkpoint, &key, fetch).map_err(wrong)?)
}

/// The log's key, as `/log/key` gives it.
#[derive(serde::Deserialize)]
struct Key {
    vkey: String,
}

fn by_data(data: &Path, witness: Option<&Path>) -> Result<Vec<String>, CliError> {
    let runtime = tokio::runtime::Runtime::new()?;
    let verified = runtime.block_on(verify_database(&Config::database_in(data), witness));
    told(&verified.map_err(|error| CliError::Wrong(error.to_string()))?)
}

/// What a report says, line by line.
fn told(report: &Report) -> Result<Vec<String>, CliError> {
    if !report.findings.is_empty() {
        let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        return Err(CliError::Wrong(format!("the log does not hold:\n  {}", findings.join("\n  "))));
    }
    let mut lines = vec![
        format!("{} leaves; every one is in the signed tree", report.leaves),
        format!("key {}", report.verifier_key),
    ];
    for (account, replay) in &report.accounts {
        let (spent, cap) = (replay.spent, replay.cap);
        lines.push(format!("account {account}: {spent} of {cap} spent, every claim reserved before it was drawn"));
    }
    lines.push(format!("{} releases, each paid for by a settled claim", report.releases.len()));
    Ok(lines)
}
