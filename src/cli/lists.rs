//! Policy files and the code lists beside them, as they lie on disk.

use super::error::CliError;
use crate::ledger::PolicySource;
use crate::policy::{CodeLists, Finding, Policy, Severity};
use std::path::{Path, PathBuf};

/// Reads a policy file and the code lists it names, from `codelists` beside it unless told otherwise.
///
/// # Errors
/// If a file cannot be read.
pub fn read_source(file: &Path, lists: Option<&Path>) -> Result<PolicySource, CliError> {
    let toml = read(file)?;
    let folder = lists.map_or_else(|| file.with_file_name("codelists"), Path::to_path_buf);
    let mut found = CodeLists::default();
    for name in named_lists(&toml) {
        let path = folder.join(format!("{name}.csv"));
        if path.is_file() {
            found.0.insert(name, read(&path)?);
        }
    }
    Ok(PolicySource { toml, lists: found })
}

/// Reads and checks a policy file.
///
/// # Errors
/// If it cannot be read, or has errors.
pub fn read_policy(file: &Path, lists: Option<&Path>) -> Result<Policy, CliError> {
    let source = read_source(file, lists)?;
    match Policy::parse(&source.toml, &source.lists) {
        Ok((policy, _)) => Ok(policy),
        Err(findings) => {
            let lines: Vec<String> = findings.iter().map(|finding| describe(file, finding)).collect();
            Err(CliError::Wrong(lines.join("\n")))
        }
    }
}

/// A finding as `file:line:column: severity[code]: message`, which editors understand.
#[must_use]
pub fn describe(file: &Path, finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let (line, column) = (finding.line.max(1), finding.column.max(1));
    format!("{}:{line}:{column}: {severity}[{}]: {}", file.display(), finding.code, finding.message)
}

fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|source| CliError::File { path: PathBuf::from(path), source })
}

/// The names after `codes = ` in a policy's text. Only names: nothing here can leave the folder.
fn named_lists(toml: &str) -> Vec<String> {
    let mut names: Vec<String> = toml
        .lines()
        .filter_map(|line| {
            line.trim_start().strip_prefix("codes")?.trim_start().strip_prefix('=')?.trim().split('"').nth(1)
        })
        .filter(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lists_that_are_named_are_read_and_none_outside_the_folder() {
        let toml = "codes = \"CL_SEX\"  # note\n  codes=\"CL_AGE\"\ncodes = \"../../etc/passwd\"\ntitle = \"codes\"\n";
        assert_eq!(named_lists(toml), ["CL_AGE", "CL_SEX"]);
        assert_eq!(named_lists("codes = [\"F\", \"M\"]"), ["F"], "harmless: there is no F.csv");
    }

    #[test]
    fn a_finding_reads_as_editors_expect() {
        let finding = Finding {
            severity: Severity::Error,
            line: 3,
            column: 7,
            code: "key_unknown",
            message: "no such key".into(),
        };
        assert_eq!(describe(Path::new("p.toml"), &finding), "p.toml:3:7: error[key_unknown]: no such key");
    }
}
