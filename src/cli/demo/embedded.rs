//! The example policies and their code lists, compiled in: the demo needs no file but the binary.

use crate::ledger::PolicySource;
use crate::policy::CodeLists;

const RESIDENCE: &str = include_str!("../../../policies/residence.toml");
const HEALTH: &str = include_str!("../../../policies/health.toml");
const LISTS: &[(&str, &str)] = &[
    ("CL_ADM1_XA", include_str!("../../../policies/codelists/CL_ADM1_XA.csv")),
    ("CL_CIT_GROUP", include_str!("../../../policies/codelists/CL_CIT_GROUP.csv")),
    ("CL_COVERAGE", include_str!("../../../policies/codelists/CL_COVERAGE.csv")),
    ("CL_DISABILITY_WG", include_str!("../../../policies/codelists/CL_DISABILITY_WG.csv")),
    ("CL_INTERPRETER", include_str!("../../../policies/codelists/CL_INTERPRETER.csv")),
    ("CL_MIG_STATUS", include_str!("../../../policies/codelists/CL_MIG_STATUS.csv")),
    ("CL_OUTCOME", include_str!("../../../policies/codelists/CL_OUTCOME.csv")),
    ("CL_REFUSAL_REASON", include_str!("../../../policies/codelists/CL_REFUSAL_REASON.csv")),
    ("CL_SERVICE", include_str!("../../../policies/codelists/CL_SERVICE.csv")),
    ("CL_SEX_SELF", include_str!("../../../policies/codelists/CL_SEX_SELF.csv")),
    ("CL_URBAN", include_str!("../../../policies/codelists/CL_URBAN.csv")),
    ("CL_YEARS_SINCE_ARRIVAL", include_str!("../../../policies/codelists/CL_YEARS_SINCE_ARRIVAL.csv")),
];

/// The residence policy.
pub(super) fn residence() -> PolicySource {
    source(RESIDENCE)
}

/// The health policy.
pub(super) fn health() -> PolicySource {
    source(HEALTH)
}

/// A policy with the lists it names.
fn source(toml: &str) -> PolicySource {
    let named = LISTS.iter().filter(|(name, _)| toml.contains(&format!("\"{name}\"")));
    PolicySource {
        toml: toml.to_owned(),
        lists: CodeLists(named.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    #[test]
    fn the_example_policies_load_with_the_lists_that_are_compiled_in() {
        for source in [residence(), health()] {
            let findings = Policy::parse(&source.toml, &source.lists).err().unwrap_or_default();
            assert_eq!(findings, []);
        }
    }
}
