//! `halflight verify`: the whole log, checked by anyone, without seeing data.
//!
//! Over HTTP it reads tiles and the signed checkpoint and builds the tree anew; with a data folder it also holds the
//! rows, sealed files and the witness against the log. Exit code 1 if anything is wrong.

use super::client::Client;
use super::connection::Connection;
use super::error::CliError;
use crate::app;
use crate::budget::Accounting;
use crate::transparency::{Report, verify_by_tiles};
use serde::Deserialize;
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
    let vkey = match pinned {
        Some(vkey) => vkey.to_owned(),
        None => client.read("/log/key")?.json::<KeyFace>()?.vkey,
    };
    let checkpoint = client.read("/log/checkpoint")?;
    let checkpoint = String::from_utf8_lossy(&checkpoint.body).into_owned();
    let fetch = |path: &str| client.read(&format!("/log/{path}")).map(|reply| reply.body);
    let report = verify_by_tiles(&checkpoint, &vkey, fetch).map_err(|error| CliError::Wrong(error.to_string()))?;
    told(&report)
}

fn by_data(data: &Path, witness: Option<&Path>) -> Result<Vec<String>, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(app::verify(data, witness));
    told(&report.map_err(|error| CliError::Wrong(error.to_string()))?)
}

#[derive(Deserialize)]
struct KeyFace {
    vkey: String,
}

/// What was checked, or everything that does not hold.
fn told(report: &Report) -> Result<Vec<String>, CliError> {
    if !report.findings.is_empty() {
        let lines = report.findings.iter().map(|finding| {
            let leaf = finding.index.map_or_else(String::new, |index| format!("leaf {index}: "));
            format!("  {leaf}{} ({})", finding.what, finding.code)
        });
        let lines: Vec<String> = lines.collect();
        return Err(CliError::Wrong(format!("the log does not hold:\n{}", lines.join("\n"))));
    }
    let root = report.root.map_or_else(String::new, |root| format!(", root {root}"));
    let mut lines = vec![format!("{} leaves hold{root}", report.leaves), format!("signed by {}", report.verifier_key)];
    for (account, amounts) in &report.accounts {
        lines.push(format!(
            "account {account}: {} of {} {} spent, {} held",
            amounts.spent,
            amounts.cap,
            match amounts.accounting {
                Accounting::Zcdp => "rho",
                Accounting::Pure => "epsilon",
            },
            amounts.held
        ));
    }
    lines.push(format!("{} releases, each with its digest in the log", report.releases.len()));
    for (had, said) in &report.restored {
        lines.push(if had == said {
            format!("leaf {said}: the witness was lost, and a new one begun")
        } else {
            format!(
                "leaf {said}: a database of {had} leaves was put back; what began in between is lost, its charges stand"
            )
        });
    }
    if report.approvals_least == Some(1) {
        lines.push("a policy came into force with one approval: a demonstration, or a weakened service".to_owned());
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transparency::Finding;

    #[test]
    fn one_finding_makes_the_whole_verification_fail() {
        let mut report = Report { leaves: 3, ..Report::default() };
        assert_eq!(told(&report).unwrap()[0], "3 leaves hold");
        report.findings.push(Finding {
            index: Some(2),
            code: "cap_passed",
            what: "more was spent than there is".into(),
        });
        let error = told(&report).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert!(error.to_string().contains("leaf 2: more was spent than there is (cap_passed)"), "{error}");
    }
}
