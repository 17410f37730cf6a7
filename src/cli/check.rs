//! `halflight policy check`: what an officer should know before a policy is proposed.
//!
//! Every finding with its place, then what the numbers mean: the epsilon of the lifetime budget, the error to expect in
//! each program table, and how long the budget lasts. Needs no service and no data.

use super::error::CliError;
use super::lists::{describe, read_source};
use super::style::grouped as digits;
use crate::budget::{Accounting, Nanos};
use crate::policy::{Policy, RunRule, Severity};
use std::io::Write;
use std::path::{Path, PathBuf};

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
        let when = if program.run == RunRule::OnClose { ", by itself at each closing" } else { "" };
        let spend = amount(policy, program.spend);
        writeln!(out, "  program    {}: {spend}, for {}{when}", program.id, program.purpose)?;
        // refused by its own policy, it would be an error above
        for table in program.expected(policy).unwrap_or_default() {
            let name = if table.by.is_empty() { "total".to_owned() } else { table.by.join(" x ") };
            let cells = digits(i64::try_from(table.cells).unwrap_or(i64::MAX));
            writeln!(out, "    {name:<44} {cells:>9} cells  +-{:.0} persons (95 %)", table.half_width)?;
        }
    }
    match policy.years_of_programs() {
        Some(years) => writeln!(out, "  lasts      {years} years at the programs' pace, with no other question")?,
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

/// How many codes or groups a column or grouping has.
fn codes(policy: &Policy, name: &str) -> usize {
    policy.dimensions().find(|(column, _)| column.name == name).map_or(0, |(_, list)| list.len())
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
        let (_, longer) = checked("residence.toml", |toml| toml.replace("sdg = \"0.08\"", "sdg = \"0.1\""));
        let (_, shorter) = checked("residence.toml", |toml| toml);
        assert!(shorter.contains("lasts      4 years"), "{shorter}");
        assert!(longer.contains("lasts      5 years"), "{longer}");
    }

    #[test]
    fn purposes_without_a_share_last_as_long_as_what_is_in_none() {
        let (_, text) = checked("residence.toml", |toml| {
            toml.replace("id = \"annual\"\npurpose = \"sdg\"", "id = \"annual\"\npurpose = \"upr\"")
        });
        assert!(text.contains("lasts      3 years"), "0.06 of 0.2 are in no share: {text}");
    }

    #[test]
    fn a_program_that_runs_at_each_closing_runs_for_the_year_too() {
        let (_, text) = checked("residence.toml", |toml| {
            toml.replace("id = \"annual\"", "id = \"annual\"\nrun = \"on_close\"")
                .replace("sdg = \"0.08\"", "sdg = \"0.1\"")
        });
        assert!(text.contains("lasts      1 years"), "four quarters and the year at 0.02: {text}");
        let (_, text) =
            checked("residence.toml", |toml| toml.replace("id = \"annual\"", "id = \"annual\"\nrun = \"on_close\""));
        assert!(text.contains("lasts      0 years"), "{text}");
    }
}
