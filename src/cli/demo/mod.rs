//! `halflight demo`.
use super::error::CliError;
/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:")]
pub(super) struct DemoArgs {}
pub(super) fn run(_args: &DemoArgs) -> Result<(), CliError> {
    Ok(())
}
