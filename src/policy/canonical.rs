//! Canonical forms and their digests: what makes two policies, two draws, two releases the same.
//!
//! A canonical form is compact JSON of a struct: keys in the order of its fields, maps and sets sorted, nothing that is
//! not part of the meaning. A label before it keeps digests of different kinds apart.

use super::model::Policy;
use crate::identity::Digest;
use serde::Serialize;

impl Policy {
    /// The resolved policy in canonical JSON, code lists included: comments, blanks and the order of keys do not change
    /// it.
    #[must_use]
    pub fn canonical(&self) -> String {
        canonical("halflight/policy/1", self)
    }
}

/// The digest of a canonical form.
pub(super) fn digest<T: Serialize>(label: &str, value: &T) -> Digest {
    Digest::of(canonical(label, value).as_bytes())
}

#[expect(
    clippy::expect_used,
    reason = "a struct of texts, numbers and lists always has a JSON form; no digest of nothing"
)]
fn canonical<T: Serialize>(label: &str, value: &T) -> String {
    serde_json::to_string(&(label, value)).expect("plain data has a JSON form")
}
