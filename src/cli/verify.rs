//! `halflight verify`: the whole log, checked by anyone, without seeing data.
//!
//! Over HTTP it reads tiles and the signed checkpoint and builds the tree anew; with a data folder it also holds the
//! ledger's sums and the witness against the log. Exit code 1 if anything is wrong.

use super::client::Client;
use super::connection::Connection;
use super::error::CliError;
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
    let key = client.read("/log/key")?;
    let seen = pinned.map_or_else(|| String::from_utf8_lossy(&key.body).into_owned(), str::to_owned);
    Err(CliError::Wrong(format!("the verifier is not merged yet ({seen})")))
}

fn by_data(data: &Path, witness: Option<&Path>) -> Result<Vec<String>, CliError> {
    Err(CliError::Wrong(format!("the verifier is not merged yet ({} {:?})", data.display(), witness)))
}
