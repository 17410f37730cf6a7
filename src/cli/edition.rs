//! `halflight edition close`: the live submissions of a period become its next edition.

use super::client::escape;
use super::connection::Connection;
use super::error::CliError;
use crate::identity::{DatasetId, Period};
use std::io::Write as _;

const EXAMPLES: &str = "\
Examples:
  halflight edition close --dataset residence --period 2026-Q1

Questions see closed editions only. Closing again after a correction makes the next edition, a new question and a new
charge; releases of the older edition stay, marked superseded.";

/// What is done with editions.
#[derive(Debug, clap::Subcommand)]
pub(super) enum EditionCommand {
    /// Close a period (officer).
    #[command(after_long_help = EXAMPLES)]
    Close(CloseArgs),
}

/// Arguments of `edition close`.
#[derive(Debug, clap::Args)]
pub(super) struct CloseArgs {
    /// The dataset.
    #[arg(long, value_parser = DatasetId::parse)]
    dataset: DatasetId,
    /// The period: 2026, 2026-Q1 or 2026-03.
    #[arg(long, value_parser = Period::parse)]
    period: Period,
    #[command(flatten)]
    connection: Connection,
}

pub(super) fn run(command: &EditionCommand) -> Result<(), CliError> {
    let EditionCommand::Close(args) = command;
    let path = format!("/v1/datasets/{}/editions", escape(args.dataset.as_str()));
    let document = serde_json::json!({ "period": args.period.as_str() });
    let closed = args.connection.client()?.post(&path, &document)?.value()?;
    let field = |name: &str| closed.get(name).map(ToString::to_string).unwrap_or_default();
    let (number, leaf) = (field("number"), field("log_index"));
    writeln!(
        std::io::stdout(),
        "closed {} of {}: edition {number}, leaf {leaf} of the log",
        args.period,
        args.dataset
    )?;
    Ok(())
}
