//! `halflight backup`: one moment of a running service into a folder, verified after writing.

use super::error::CliError;
use super::serve::{Places, runtime};
use super::submit::bar as copying;
use crate::app;
use std::io::Write as _;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  halflight backup --data /srv/halflight --keys /srv/keys --witness /mnt/other/witness --to /backup/2026-11-24
  halflight backup --config halflight.toml --to /backup/2026-11-24

The service may go on running. The folder then holds the ledger, the sealed files and a manifest with the SHA-256 of
each. It holds no key: back up the keys folder apart, and never into the same place, or erasing a file does not reach
its copies. `halflight verify --data /backup/2026-11-24` checks it again at any time.";

/// Arguments of `backup`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct BackupArgs {
    #[command(flatten)]
    places: Places,
    /// An empty folder, or one that is not there yet.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

pub(super) fn run(args: &BackupArgs) -> Result<(), CliError> {
    let config = args.places.settings(None)?;
    let bar = copying(app::bytes_in(config.data_dir()));
    let made = runtime()?.block_on(app::backup(&config, &args.to, &|bytes| bar.inc(bytes)));
    bar.finish_and_clear();
    let manifest = made?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "backed up and verified: {} files, {} bytes", manifest.files.len(), manifest.bytes())?;
    writeln!(out, "the log has {} leaves at that moment; the keys are not in it", manifest.leaves)?;
    Ok(())
}
