//! `halflight generate`: a labelled synthetic register, written to a file or to standard output.

use super::error::CliError;
use super::lists::read_policy;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  halflight generate --policy policies/residence.toml --rows 200000 --out residence.csv
  halflight generate --policy policies/health.toml --rows 60000 --seed 7 > health.csv

No row is a real person's: ids begin with `synthetic`, and the same seed makes the same file.";

/// Arguments of `generate`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct GenerateArgs {
    /// The policy file that says what the columns are.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// The folder of the code lists [default: `codelists` beside the policy].
    #[arg(long, value_name = "DIR")]
    codelists: Option<PathBuf>,
    /// How many rows.
    #[arg(long, value_name = "N")]
    rows: u64,
    /// The same seed makes the same file.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Where to write [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &GenerateArgs) -> Result<(), CliError> {
    let policy = read_policy(&args.policy, args.codelists.as_deref())?;
    let Some(path) = &args.out else {
        let mut out = BufWriter::new(std::io::stdout().lock());
        super::generate::generate(&policy, args.rows, args.seed, &mut out)?;
        return Ok(out.flush()?);
    };
    let wrong = |source| CliError::File { path: path.clone(), source };
    let mut out = BufWriter::new(std::fs::File::create(path).map_err(wrong)?);
    super::generate::generate(&policy, args.rows, args.seed, &mut out).map_err(wrong)?;
    out.flush().map_err(wrong)
}
