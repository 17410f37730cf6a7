//! `halflight verify`.
use super::error::CliError;

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:")]
pub(super) struct VerifyArgs {}
pub(super) fn run(_args: &VerifyArgs) -> Result<(), CliError> {
    Ok(())
}
