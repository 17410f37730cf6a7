//! `halflight program run`: a policy's set of tables, released together.

use super::ask::price;
use super::client::escape;
use super::connection::Connection;
use super::error::CliError;
use super::style::Style;
use super::table::{self, Page};
use crate::identity::{DatasetId, Period};
use crate::release::Body;
use std::io::Write as _;

const EXAMPLES: &str = "\
Examples:
  halflight program run annual --dataset residence --period 2026-Q1

All tables of the program are measured together and agree. What they cover is then answered without a charge. Run
again over the same editions, a program costs nothing and gives the same bytes.";

/// What is done with programs.
#[derive(Debug, clap::Subcommand)]
pub(super) enum ProgramCommand {
    /// Run a program of the policy in force (officer).
    #[command(after_long_help = EXAMPLES)]
    Run(RunArgs),
}

/// Arguments of `program run`.
#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// The program, as the policy names it.
    program: String,
    /// The dataset.
    #[arg(long, value_parser = DatasetId::parse)]
    dataset: DatasetId,
    /// Closed periods, pooled where there are several.
    #[arg(long, required = true, value_name = "PERIOD", value_delimiter = ',', value_parser = Period::parse)]
    period: Vec<Period>,
    #[command(flatten)]
    connection: Connection,
}

pub(super) fn run(command: &ProgramCommand) -> Result<(), CliError> {
    let ProgramCommand::Run(args) = command;
    let path = format!("/v1/datasets/{}/programs/{}", escape(args.dataset.as_str()), escape(&args.program));
    let document = serde_json::json!({ "periods": args.period });
    let reply = args.connection.client()?.post(&path, &document)?;
    let body: Body = reply.json()?;
    let page = Page { style: Style::stdout(), ..Page::default() };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}{}", table::tables(&body, page), table::notes(&body, page))?;
    Ok(writeln!(out, "{}", price(&body, reply.status))?)
}
