//! `halflight serve`.
use super::error::CliError;
/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:")]
pub(super) struct ServeArgs {}
/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:")]
pub(super) struct InitArgs {}
pub(super) fn serve(_args: &ServeArgs) -> Result<(), CliError> {
    Ok(())
}
pub(super) fn init(_args: &InitArgs) -> Result<(), CliError> {
    Ok(())
}
