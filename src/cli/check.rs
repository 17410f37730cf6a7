//! check
use super::error::CliError;
use std::io::Write;
use std::path::{Path, PathBuf};
/// check
/// # Errors
/// x
pub fn run(_files: &[PathBuf], _lists: Option<&Path>, _out: &mut dyn Write) -> Result<(), CliError> {
    Ok(())
}
