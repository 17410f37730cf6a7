//! The two registers of the story: made up, labelled as such, and one of them with a mistake in it.

use super::embedded;
use crate::cli::error::CliError;
use crate::cli::generate::generate;
use crate::identity::Period;
use crate::ledger::PolicySource;
use crate::policy::{Frequency, Policy};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// The row that is broken on purpose, and the value it is broken with.
const BROKEN_ROW: usize = 1234;
const BROKEN_VALUE: &str = "not-a-code";

/// A register and the policy it lives under.
pub(super) struct Register {
    /// The policy file and its lists.
    pub(super) source: PolicySource,
    /// The policy.
    pub(super) policy: Policy,
    /// The file.
    pub(super) file: PathBuf,
    /// The period it is about.
    pub(super) period: Period,
}

/// Both registers, and the health register with its mistake.
pub(super) struct Registers {
    pub(super) residence: Register,
    pub(super) health: Register,
    pub(super) broken_health: PathBuf,
}

pub(super) fn generate_both(folder: &Path, rows: u64) -> Result<Registers, CliError> {
    let residence = register(folder, embedded::residence(), rows, 1)?;
    let health = register(folder, embedded::health(), rows / 10 * 3, 2)?;
    let broken_health = folder.join("health-broken.csv");
    break_one_row(&health.file, &broken_health, "sex")?;
    Ok(Registers { residence, health, broken_health })
}

fn register(folder: &Path, source: PolicySource, rows: u64, seed: u64) -> Result<Register, CliError> {
    let parsed = Policy::parse(&source.toml, &source.lists);
    let (policy, _) = parsed.map_err(|found| {
        let first = found.first().map(|f| format!("{}:{}: {}", f.line, f.column, f.message)).unwrap_or_default();
        CliError::Wrong(format!("an example policy does not load: {first}"))
    })?;
    let file = folder.join(format!("{}.csv", policy.id));
    let wrong = |source| CliError::File { path: file.clone(), source };
    let mut out = BufWriter::new(File::create(&file).map_err(wrong)?);
    generate(&policy, rows, seed, &mut out).map_err(wrong)?;
    out.flush().map_err(wrong)?;
    drop(out);
    let period = period(&policy, &file)?;
    Ok(Register { source, policy, file, period })
}

/// The period of the first row, or one of the policy's rhythm where files have no such column.
fn period(policy: &Policy, file: &Path) -> Result<Period, CliError> {
    let given = match &policy.unit.period {
        Some(column) => {
            let mut reader = csv::Reader::from_path(file).map_err(std::io::Error::from)?;
            let place = reader.headers().map_err(std::io::Error::from)?.iter().position(|name| name == column);
            let first = reader.records().next().transpose().map_err(std::io::Error::from)?;
            first.zip(place).and_then(|(row, place)| row.get(place).map(str::to_owned))
        }
        None => None,
    };
    let usual = match policy.frequency {
        Frequency::Annual | Frequency::Irregular => "2026",
        Frequency::Quarterly => "2026-Q1",
        Frequency::Monthly => "2026-01",
    };
    Period::parse(given.as_deref().unwrap_or(usual)).map_err(|error| CliError::Wrong(error.to_string()))
}

/// Copies a register with one code that is on no list.
fn break_one_row(from: &Path, to: &Path, column: &str) -> Result<(), CliError> {
    let mut reader = csv::Reader::from_path(from).map_err(std::io::Error::from)?;
    let mut writer = csv::Writer::from_path(to).map_err(std::io::Error::from)?;
    let headers = reader.headers().map_err(std::io::Error::from)?.clone();
    writer.write_record(&headers).map_err(std::io::Error::from)?;
    let place = headers.iter().position(|name| name == column);
    for (number, row) in reader.records().enumerate() {
        let row = row.map_err(std::io::Error::from)?;
        let broken = |at: usize| number + 1 == BROKEN_ROW && Some(at) == place;
        let fields = row.iter().enumerate().map(|(at, field)| if broken(at) { BROKEN_VALUE } else { field });
        writer.write_record(fields).map_err(std::io::Error::from)?;
    }
    Ok(writer.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_field_of_the_broken_copy_differs() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a.csv"), folder.path().join("b.csv"));
        let rows: String = (0..2000).map(|i| format!("synthetic-{i},F,x\n")).collect::<Vec<_>>().concat();
        std::fs::write(&from, format!("person_id,sex,service\n{rows}")).unwrap();
        break_one_row(&from, &to, "sex").unwrap();
        let (a, b) = (std::fs::read_to_string(&from).unwrap(), std::fs::read_to_string(&to).unwrap());
        let differing: Vec<(usize, (&str, &str))> =
            a.lines().zip(b.lines()).enumerate().filter(|(_, (x, y))| x != y).collect();
        assert_eq!(differing, [(BROKEN_ROW, ("synthetic-1233,F,x", "synthetic-1233,not-a-code,x"))]);
    }
}
