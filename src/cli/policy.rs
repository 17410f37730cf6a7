//! `halflight policy`: what officers do with policy files.

use super::client::escape;
use super::connection::Connection;
use super::error::CliError;
use super::{check, lists};
use crate::identity::{DatasetId, Digest};
use serde_json::Value;
use std::io::Write as _;
use std::path::PathBuf;

const CHECK: &str = "\
Examples:
  halflight policy check policies/residence.toml
  halflight policy check --codelists policies/codelists drafts/*.toml

Needs no service. Prints file:line:column of every finding, the epsilon that the lifetime budget means, the error to
expect in each program table, and how many years the budget lasts. Exit code 1 if any file has errors.";
const PROPOSE: &str = "\
Examples:
  halflight policy propose policies/residence.toml

Prints the digest that a second officer approves. A proposal expires after 7 days.";
const APPROVE: &str = "\
Examples:
  halflight policy list
  halflight policy approve 3f9a...64 hexadecimal digits

The approval is bound to the exact bytes, code lists included. One's own proposal cannot be approved.";
const SUSPEND: &str = "\
Examples:
  halflight policy suspend residence

One officer is enough, and it holds at once: no question on the dataset is answered any more.";
const LIST: &str = "\
Examples:
  halflight policy list";

/// What is done with policies.
#[derive(Debug, clap::Subcommand)]
pub(super) enum PolicyCommand {
    /// Check policy files: errors, warnings, what the budget means.
    #[command(after_long_help = CHECK)]
    Check(CheckArgs),
    /// Propose a policy (officer).
    #[command(after_long_help = PROPOSE)]
    Propose(ProposeArgs),
    /// Approve another officer's proposal (officer).
    #[command(after_long_help = APPROVE)]
    Approve(ApproveArgs),
    /// List policies and where they stand (officer).
    #[command(after_long_help = LIST)]
    List(ListArgs),
    /// Suspend a dataset at once (officer).
    #[command(after_long_help = SUSPEND)]
    Suspend(SuspendArgs),
}

/// Arguments of `policy check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// Policy files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The folder of the code lists [default: `codelists` beside each file].
    #[arg(long, value_name = "DIR")]
    codelists: Option<PathBuf>,
}

/// Arguments of `policy propose`.
#[derive(Debug, clap::Args)]
pub(super) struct ProposeArgs {
    /// The policy file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The folder of the code lists [default: `codelists` beside the file].
    #[arg(long, value_name = "DIR")]
    codelists: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

/// Arguments of `policy approve`.
#[derive(Debug, clap::Args)]
pub(super) struct ApproveArgs {
    /// The digest of the proposal.
    #[arg(value_name = "SHA256", value_parser = digest)]
    sha256: Digest,
    #[command(flatten)]
    connection: Connection,
}

/// Arguments of `policy list`.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    connection: Connection,
}

/// Arguments of `policy suspend`.
#[derive(Debug, clap::Args)]
pub(super) struct SuspendArgs {
    /// The dataset.
    #[arg(value_parser = DatasetId::parse)]
    dataset: DatasetId,
    #[command(flatten)]
    connection: Connection,
}

pub(super) fn run(command: &PolicyCommand) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match command {
        PolicyCommand::Check(args) => check::run(&args.files, args.codelists.as_deref(), &mut out),
        PolicyCommand::Propose(args) => {
            let source = lists::read_source(&args.file, args.codelists.as_deref())?;
            let record = args.connection.client()?.post("/v1/policies", &source)?.value()?;
            for warning in record.get("warnings").and_then(Value::as_array).into_iter().flatten() {
                writeln!(std::io::stderr(), "warning: {}", warning.as_str().unwrap_or_default())?;
            }
            Ok(writeln!(out, "{}", standing(&record))?)
        }
        PolicyCommand::Approve(args) => {
            let record =
                args.connection.client()?.order(&format!("/v1/policies/{}/approvals", args.sha256))?.value()?;
            Ok(writeln!(out, "{}", standing(&record))?)
        }
        PolicyCommand::List(args) => {
            let records: Vec<Value> = args.connection.client()?.read("/v1/policies")?.json()?;
            for record in records {
                writeln!(out, "{}", standing(&record))?;
            }
            Ok(())
        }
        PolicyCommand::Suspend(args) => {
            let path = format!("/v1/datasets/{}/suspension", escape(args.dataset.as_str()));
            args.connection.client()?.order(&path)?;
            Ok(writeln!(out, "suspended {}: no question on it is answered any more", args.dataset)?)
        }
    }
}

/// A policy record as one line: digest, dataset, version, state, approvals still needed.
#[must_use]
fn standing(record: &Value) -> String {
    let text = |key: &str| match record.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    let missing = record.get("approvals_missing").and_then(Value::as_u64).unwrap_or(0);
    let state = match (text("state").as_str(), missing) {
        ("proposed", 1) => "proposed, needs 1 more approval".to_owned(),
        ("proposed", n) => format!("proposed, needs {n} more approvals"),
        (state, _) => state.replace('_', " "),
    };
    format!("{}  {} version {}: {state}", text("sha256"), text("dataset"), text("version"))
}

fn digest(text: &str) -> Result<Digest, String> {
    Digest::parse(text).ok_or_else(|| "a digest is 64 hexadecimal digits; `policy list` shows them".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_what_is_still_missing() {
        let record = serde_json::json!({
            "sha256": "ab", "dataset": "residence", "version": 2, "state": "proposed", "approvals_missing": 1
        });
        assert_eq!(standing(&record), "ab  residence version 2: proposed, needs 1 more approval");
        let record = serde_json::json!({"sha256": "ab", "dataset": "d", "version": 1, "state": "in_force"});
        assert_eq!(standing(&record), "ab  d version 1: in force");
    }
}
