//! `halflight audit`: published releases, audited from their files alone.
//!
//! No service, key or ledger is asked. Releases of one draw are taken together, so give all of them that there are.
//! Exit code 1 if a file was changed or is missing, figures contradict each other, a withheld one follows from what is
//! published, or a certificate claims more than was found.

use super::error::CliError;
use crate::release::{Audited, audit};
use std::io::Write as _;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  curl -s https://halflight.example.org/v1/releases/rel_0011.json -o rel_0011.json
  halflight audit rel_0011.json
  halflight audit published/                        every .json of a folder

What a certificate names is proved again: A, no withheld estimate is a combination of published figures; E, none follows
from another one that a single person could know; W, each is left an interval at least as wide as the floor. A and E of
sums too. Means, medians, shares and comparisons do not add up: they are told of their own cells alone.

Releases cut from one draw are audited together: give all of them, those named in `answered_from` too.";

/// The most files read at once.
const FILES_MAX: usize = 100_000;

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct AuditArgs {
    /// Releases as JSON, or folders of them.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) fn run(args: &AuditArgs) -> Result<(), CliError> {
    let mut documents = Vec::new();
    for path in args.files.iter().map(|path| listed(path)).collect::<Result<Vec<_>, _>>()?.concat() {
        let bytes = std::fs::read(&path).map_err(|source| CliError::File { path: path.clone(), source })?;
        documents.push((path.display().to_string(), bytes));
    }
    if documents.is_empty() {
        return Err(CliError::Usage("there is no .json file here; name releases, or a folder that holds some".into()));
    }
    let audited = audit(&documents);
    let mut out = std::io::stdout().lock();
    for one in audited.iter().filter_map(|one| one.found.as_ref().ok().map(|found| (one, found))) {
        let (of, found) = one;
        let notions: Vec<String> = found.notions.iter().map(|notion| format!("{notion:?}")).collect();
        let width = found.width.map_or_else(String::new, |width| format!(", each left at least {width:.0} of room"));
        let (withheld, cells) = (found.withheld, found.cells);
        writeln!(out, "{}: {withheld} of {cells} cells withheld{width}; {} hold", names(of), notions.join(", "))?;
    }
    let wrong: Vec<String> =
        audited.iter().filter_map(|one| Some(format!("{}{}", prefix(one), one.found.as_ref().err()?))).collect();
    if wrong.is_empty() { Ok(()) } else { Err(CliError::Wrong(wrong.join("\n"))) }
}

fn names(audited: &Audited) -> String {
    match audited.releases.as_slice() {
        [first, rest @ ..] if !rest.is_empty() => format!("{first} and {} more of its draw", rest.len()),
        all => all.iter().map(ToString::to_string).collect(),
    }
}

fn prefix(audited: &Audited) -> String {
    if audited.releases.is_empty() { String::new() } else { format!("{}: ", names(audited)) }
}

/// The file itself, or the `.json` files of a folder in the order of their names.
fn listed(path: &Path) -> Result<Vec<PathBuf>, CliError> {
    let fault = |source| CliError::File { path: path.to_owned(), source };
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(fault)?.take(FILES_MAX) {
        let file = entry.map_err(fault)?.path();
        if file.extension().is_some_and(|extension| extension == "json") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}
