//! The example policies and their code lists, compiled in: the demo needs no file but the binary.

use crate::ledger::PolicySource;
use crate::policy::CodeLists;

const RESIDENCE: &str = "";
const HEALTH: &str = "";
const LISTS: &[(&str, &str)] = &[];

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
