//! `halflight restore`: a backup, or a database that was rolled back, comes forward to its witness; says what is lost.

use super::error::CliError;
use super::serve::{Places, clock, runtime};
use super::submit::bar as copying;
use crate::app;
use crate::ledger::Restored;
use std::io::Write as _;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  halflight restore --from /backup/2026-11-24 --data /srv/new --keys /srv/keys --witness /mnt/other/witness
  halflight restore --data /srv/halflight --keys /srv/keys --witness /mnt/other/witness
  halflight restore --data /srv/halflight --keys /srv/keys --witness /mnt/other/witness --witness-lost

The first puts a backup into an empty data folder; the second takes the folder as it is (a database that was rolled
back, a copy that was put back by hand). Stop the service before. The leaves that the database lacks come from the
witness: every charge since then stays spent, what was withdrawn is erased again, and what cannot be brought back is
listed. A second run does nothing. Without the witness nothing is restored: it alone knows what was spent since.";

/// Arguments of `restore`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct RestoreArgs {
    #[command(flatten)]
    places: Places,
    /// A backup to put into the (empty) data folder first.
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// The witness is lost for good: begin a new one from this database. The public log says so.
    #[arg(long, conflicts_with = "from")]
    witness_lost: bool,
}

pub(super) fn run(args: &RestoreArgs) -> Result<(), CliError> {
    let config = args.places.settings(None)?;
    let mut out = std::io::stdout().lock();
    if args.witness_lost {
        let leaves = runtime()?.block_on(app::begin_witness(&config, clock()))?;
        writeln!(out, "a new witness remembers {leaves} leaves; the log says that it was begun anew")?;
        return Ok(());
    }
    if let Some(from) = &args.from {
        let bar = copying(app::bytes_in(from));
        let put = app::put_back(&config, from, &|bytes| bar.inc(bytes));
        bar.finish_and_clear();
        writeln!(out, "put back and checked: {} files", put?.files.len())?;
    }
    match runtime()?.block_on(app::bring_forward(&config, clock()))? {
        Some(restored) => told(&restored).iter().try_for_each(|line| writeln!(out, "{line}"))?,
        None => writeln!(out, "the database is not behind its witness; nothing had to be restored")?,
    }
    Ok(())
}

/// What was brought forward, and what people must do about the rest.
fn told(restored: &Restored) -> Vec<String> {
    let gap = &restored.gap;
    let mut lines = vec![format!("leaves {} to {} came from the witness; the log goes on", gap.start, gap.end)];
    for (account, spent) in &restored.charges {
        lines.push(format!(
            "account {account}: {spent} was spent in between and stays spent; it counts against every share and quota"
        ));
    }
    lines.extend(restored.erased.iter().map(|id| format!("submission {id} was withdrawn or replaced: erased again")));
    lines.extend(restored.suspended.iter().map(|dataset| {
        format!("dataset {dataset} is suspended: the text of its policy is lost; propose it under a higher version")
    }));
    lines.extend(restored.resend.iter().map(|lost| {
        format!(
            "submission {} of {} to {} for {} is lost: to be sent again",
            lost.submission, lost.organisation, lost.dataset, lost.period
        )
    }));
    lines.extend(restored.editions.iter().map(|(dataset, period, number)| {
        format!("edition {number} of {dataset} for {period} is lost: close the period again")
    }));
    lines.extend(restored.releases.iter().map(|id| format!("release {id} is lost; its charge stands")));
    lines.extend(restored.tokens.iter().map(|id| format!("token {id} is dead: issue another")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{AccountId, DatasetId, Organisation, Period, ReleaseId, SubmissionId, TokenId};
    use crate::ledger::Resend;
    use std::collections::BTreeMap;

    #[test]
    fn everything_that_is_lost_is_named_with_what_to_do() {
        let dataset = DatasetId::parse("visits").unwrap();
        let (period, spent) = (Period::parse("2026").unwrap(), crate::budget::Nanos::from_nanos(500_000_000));
        let restored = Restored {
            gap: 7..12,
            charges: BTreeMap::from([(AccountId::parse("visitors").unwrap(), spent)]),
            suspended: vec![dataset.clone()],
            resend: vec![Resend {
                submission: SubmissionId::random(),
                organisation: Organisation::parse("ministry").unwrap(),
                dataset: dataset.clone(),
                period: period.clone(),
            }],
            erased: vec![SubmissionId::random()],
            editions: vec![(dataset, period, 2)],
            releases: vec![ReleaseId::random()],
            tokens: vec![TokenId::random()],
        };
        let text = told(&restored).join("\n");
        for said in ["7 to 12", "visitors: 0.5 was spent", "erased again", "higher version", "sent again", "edition 2"]
        {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert_eq!(text.lines().count(), 8);
    }
}
