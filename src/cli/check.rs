//! `halflight policy check`: what an officer should know before a policy is proposed.
//!
//! Every finding with its place, then what the numbers mean: the epsilon of the lifetime budget, the error to expect in
//! each program table, and how long the budget lasts. Needs no service and no data.

use super::error::CliError;
use super::lists::{describe, read_source};
use super::style::grouped as digits;
use crate::budget::{Accounting, Nanos};
use crate::design::{Design, Z95, gaussian_variance, laplace_variance};
use crate::identity::Purpose;
use crate::policy::{Column, Kind, MeasureAsked, Per, Policy, Program, Severity};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// `ln 20`: half the width of the 95 % interval of one Laplace draw, in units of its scale.
const LAPLACE_95: f64 = 2.995_732_273_553_991;

/// Checks files and prints what was found and what the budgets mean.
///
/// # Errors
/// [`CliError::Wrong`] if any file has errors; a file that cannot be read.
pub fn run(files: &[PathBuf], lists: Option<&Path>, out: &mut dyn Write) -> Result<(), CliError> {
    let mut errors = 0_usize;
    for file in files {
        let source = read_source(file, lists)?;
        let (policy, findings) = match Policy::parse(&source.toml, &source.lists) {
            Ok((policy, warnings)) => (Some(policy), warnings),
            Err(findings) => (None, findings),
        };
        for finding in &findings {
            writeln!(out, "{}", describe(file, finding))?;
            errors += usize::from(finding.severity == Severity::Error);
        }
        match policy {
            Some(policy) => summary(file, &policy, out)?,
            // a policy that does not load has errors, whatever the findings say
            None => errors = errors.max(1),
        }
    }
    match errors {
        0 => Ok(()),
        1 => Err(CliError::Wrong("1 error".to_owned())),
        n => Err(CliError::Wrong(format!("{n} errors"))),
    }
}

fn summary(file: &Path, policy: &Policy, out: &mut dyn Write) -> Result<(), CliError> {
    let budget = &policy.budget;
    writeln!(out, "{}: {} version {}, sha256 {}", file.display(), policy.id, policy.version, policy.sha256)?;
    let lifetime = amount(policy, budget.lifetime);
    writeln!(out, "  lifetime   {lifetime}, per person of account {}", budget.account)?;
    writeln!(out, "  question   at most {}", amount(policy, budget.per_release_max))?;
    for grouping in &policy.groupings {
        let (name, of) = (&grouping.name, grouping.of.as_ref().map_or("", |of| &of.column));
        let (groups, codes) = (codes(policy, name), codes(policy, of));
        writeln!(out, "  grouping   {name}: {groups} groups of the {codes} codes of {of}")?;
    }
    for program in &policy.programs {
        writeln!(out, "  program    {}: {}, for {}", program.id, amount(policy, program.spend), program.purpose)?;
        for (table, expected) in program.tables.iter().zip(half_widths(policy, program)) {
            let name = if table.is_empty() { "total".to_owned() } else { table.join(" x ") };
            let cells = digits(i64::try_from(cells(policy, table)).unwrap_or(i64::MAX));
            let error =
                expected.map_or_else(|| "not in persons".to_owned(), |half| format!("+-{half:.0} persons (95 %)"));
            writeln!(out, "    {name:<44} {cells:>9} cells  {error}")?;
        }
    }
    match years(policy) {
        Some(years) => writeln!(out, "  lasts      {years} years, each program once a year and no other question")?,
        None => writeln!(out, "  lasts      as long as questions leave something: there is no program")?,
    }
    Ok(())
}

fn amount(policy: &Policy, amount: Nanos) -> String {
    let budget = &policy.budget;
    match (budget.accounting, crate::noise::epsilon_at(budget.accounting, amount, budget.delta_value)) {
        (Accounting::Pure, _) => format!("epsilon {amount}"),
        (Accounting::Zcdp, Some(epsilon)) => format!("rho {amount} (epsilon {epsilon} at delta {})", budget.delta),
        (Accounting::Zcdp, None) => format!("rho {amount}"),
    }
}

fn codes(policy: &Policy, column: &str) -> usize {
    match policy.column(column).map(|c| &c.kind) {
        Some(Kind::Dimension { codes, .. }) => codes.len(),
        Some(Kind::Measure(_) | Kind::Ignored) | None => 1,
    }
}

fn cells(policy: &Policy, table: &[String]) -> usize {
    table.iter().map(|column| codes(policy, column)).fold(1, usize::saturating_mul)
}

fn per_row(policy: &Policy, table: &[String]) -> bool {
    policy.unit.rows_max > 1
        && table.iter().any(|name| policy.column(name).is_some_and(|column: &Column| column.per == Per::Row))
}

/// The 95 % half-width to expect in a cell of each table, for one period; `None` where the measure is not persons.
///
/// Additive tables help each other (least squares); a table over per-row columns stands alone.
fn half_widths(policy: &Policy, program: &Program) -> Vec<Option<f64>> {
    if !program.measures.iter().any(|m| matches!(m, MeasureAsked::Persons {})) {
        return vec![None; program.tables.len()];
    }
    let units = units(program);
    let rows_max = u64::from(policy.unit.rows_max);
    let columns: Vec<&Column> =
        policy.dimensions().map(|(column, _)| column).filter(|column| column.of.is_none()).collect();
    let sizes: Vec<usize> = columns.iter().map(|column| codes(policy, &column.name)).collect();
    // Of how many codes the largest cell of a table is along each column: a grouping is a sum over its column.
    let groups = |table: &[String]| -> Vec<Option<usize>> {
        let along = |column: &&Column| {
            let level = |name: &&String| **name == column.name || grouped(policy, name, column).is_some();
            table.iter().find(level).map(|name| grouped(policy, name, column).unwrap_or(1))
        };
        columns.iter().map(along).collect()
    };
    let positions = |table: &[String]| -> Vec<usize> {
        groups(table).iter().enumerate().filter(|(_, group)| group.is_some()).map(|(i, _)| i).collect()
    };
    let additive: Vec<(Vec<usize>, f64)> = program
        .tables
        .iter()
        .zip(&units)
        .filter(|(table, _)| !per_row(policy, table))
        .map(|(table, &units)| (positions(table), gaussian_variance(units, 1)))
        .collect();
    let design = Design::new(&sizes, &additive);
    let half = |(table, &units): (&Vec<String>, &Nanos)| {
        let alone = per_row(policy, table);
        match policy.budget.accounting {
            Accounting::Pure => {
                let scale = (laplace_variance(units, if alone { rows_max } else { 1 }) / 2.0).sqrt();
                Some(LAPLACE_95 * scale)
            }
            Accounting::Zcdp if alone => {
                let cells = u64::try_from(cells(policy, table)).unwrap_or(u64::MAX);
                Some(Z95 * gaussian_variance(units, rows_max.min(cells)).sqrt())
            }
            Accounting::Zcdp => design.variance(&groups(table)).map(|variance| Z95 * variance.sqrt()),
        }
    };
    program.tables.iter().zip(&units).map(half).collect()
}

/// The codes of the largest group of a grouping of this column; `None` if the name is none.
fn grouped(policy: &Policy, name: &str, column: &Column) -> Option<usize> {
    let of = policy.column(name)?.of.as_ref().filter(|of| of.column == column.name)?;
    of.groups.iter().map(Vec::len).max()
}

/// What each table of a program costs: by weight, and evenly over the measures.
fn units(program: &Program) -> Vec<Nanos> {
    let weights: u64 = program.weights.iter().map(|&w| u64::from(w)).sum();
    let measures = u64::try_from(program.measures.len()).unwrap_or(1).max(1);
    let share = |weight: &u32| {
        let part = u128::from(program.spend.as_nanos()) * u128::from(*weight) / u128::from(weights.max(1) * measures);
        Nanos::from_nanos(u64::try_from(part).unwrap_or(0).max(1))
    };
    program.weights.iter().map(share).collect()
}

/// Whole years until the lifetime budget, or the share of some purpose, is used by the programs.
fn years(policy: &Policy) -> Option<u64> {
    let mut yearly: BTreeMap<&Purpose, u64> = BTreeMap::new();
    for program in &policy.programs {
        *yearly.entry(&program.purpose).or_default() += program.spend.as_nanos();
    }
    let whole = policy.budget.lifetime.as_nanos().checked_div(yearly.values().sum())?;
    let shares =
        yearly.iter().filter_map(|(purpose, spend)| policy.budget.shares.get(purpose)?.as_nanos().checked_div(*spend));
    shares.chain([whole]).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(name: &str, change: impl Fn(String) -> String) -> (Result<(), CliError>, String) {
        let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, change(std::fs::read_to_string(policies.join(name)).unwrap())).unwrap();
        let mut out = Vec::new();
        let result = run(&[file], Some(&policies.join("codelists")), &mut out);
        (result, String::from_utf8(out).unwrap())
    }

    #[test]
    fn the_example_policies_pass_and_say_what_they_mean() {
        for name in ["residence.toml", "health.toml"] {
            let (result, text) = checked(name, |toml| toml);
            assert!(result.is_ok(), "{text}");
            assert!(text.contains("epsilon") && text.contains("+-") && text.contains("years"), "{text}");
        }
    }

    #[test]
    fn an_error_is_found_at_its_place_and_ends_with_one() {
        let (result, text) = checked("residence.toml", |toml| format!("colour = 1\n{toml}"));
        assert_eq!(result.unwrap_err().exit_code(), 1);
        assert!(text.contains("residence.toml:1:1: error["), "{text}");
    }

    #[test]
    fn a_share_that_is_used_sooner_than_the_whole_sets_the_years() {
        let (_, longer) = checked("residence.toml", |toml| toml.replace("sdg = \"0.06\"", "sdg = \"0.1\""));
        let (_, shorter) = checked("residence.toml", |toml| toml);
        assert!(shorter.contains("lasts      3 years"), "{shorter}");
        assert!(longer.contains("lasts      5 years"), "{longer}");
    }
}
