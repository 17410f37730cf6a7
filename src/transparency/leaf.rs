//! The leaves of the log, and their one canonical form.
//!
//! A leaf is JSON with sorted keys and no spaces, tagged by `kind`. Public from the moment it is written, so it holds
//! no count, no size, no plain digest of microdata and no asker's name; what must stay provable later is a keyed
//! commitment whose salt is kept elsewhere (CONTRACT.md section 7).

use crate::budget::Accounting;
use crate::identity::{
    AccountId, ClaimId, DatasetId, Digest, Organisation, Period, Purpose, ReleaseId, Role, SubmissionId, TokenId,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the contract's, and named in full")]
pub enum Leaf {
    /// An officer proposed a policy.
    PolicyProposed { dataset: DatasetId, version: u32, sha256: Digest, officer: TokenId },
    /// Another officer approved it.
    PolicyApproved { dataset: DatasetId, version: u32, sha256: Digest, officer: TokenId },
    /// It is in force, and gives its account a cap and shares (in nanos).
    PolicyInForce {
        dataset: DatasetId,
        version: u32,
        sha256: Digest,
        officers: Vec<TokenId>,
        account: AccountId,
        accounting: Accounting,
        lifetime_nanos: u64,
        shares_nanos: BTreeMap<Purpose, u64>,
    },
    /// An officer suspended a dataset.
    DatasetSuspended { dataset: DatasetId, version: u32, sha256: Digest, officer: TokenId },
    /// A file was accepted.
    SubmissionAccepted {
        submission: SubmissionId,
        organisation: Organisation,
        dataset: DatasetId,
        period: Period,
        commitment: Digest,
    },
    /// It was replaced by another.
    SubmissionReplaced {
        submission: SubmissionId,
        organisation: Organisation,
        dataset: DatasetId,
        period: Period,
        commitment: Digest,
        by: SubmissionId,
    },
    /// It was withdrawn and its keys destroyed.
    SubmissionWithdrawn {
        submission: SubmissionId,
        organisation: Organisation,
        dataset: DatasetId,
        period: Period,
        commitment: Digest,
    },
    /// Its retention ended and its keys were destroyed.
    Erased {
        submission: SubmissionId,
        organisation: Organisation,
        dataset: DatasetId,
        period: Period,
        commitment: Digest,
    },
    /// The live submissions of a period became an edition.
    EditionClosed { dataset: DatasetId, period: Period, number: u32, commitment: Digest },
    /// Budget is held for a question.
    ChargeReserved { account: AccountId, claim: ClaimId, nanos: u64, commitment: Digest },
    /// It is spent.
    ChargeSettled { account: AccountId, claim: ClaimId, nanos: u64, commitment: Digest },
    /// It was given back, nothing having been drawn.
    ChargeVoided { account: AccountId, claim: ClaimId, nanos: u64, commitment: Digest },
    /// A release stands.
    Release { release: ReleaseId, sha256: Digest, claim: ClaimId },
    /// A later edition stands beside a release.
    ReleaseSuperseded { release: ReleaseId, notice: String },
    /// A release was withdrawn; its bytes stay.
    ReleaseWithdrawn { release: ReleaseId, notice: String },
    /// A token was made; `by` is absent for those of `init`.
    TokenIssued {
        token: TokenId,
        role: Role,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<TokenId>,
    },
    /// A token was revoked.
    TokenRevoked { token: TokenId, role: Role, by: TokenId },
    /// The service runs with these settings from here on.
    SettingsChanged { approvals: u32, witness: bool, sha256: Digest },
    /// A key was changed; `key` says which.
    KeyRotated { key: String, sha256: Digest },
    /// A database of `size` leaves was put back and brought forward to the witnessed head, whose root this is. What
    /// began in between is lost but for its leaves; its charges stand as spent.
    Restored { size: u64, sha256: Digest },
}

/// Canonical JSON: sorted keys, no spaces.
///
/// # Errors
/// If the value cannot be JSON (a map with keys that are not text).
pub fn canonical<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    // Through a value, whose maps are ordered by key.
    serde_json::to_string(&serde_json::to_value(value)?)
}

impl Leaf {
    /// The leaf as it stands in the log.
    ///
    /// # Errors
    /// Never for a leaf.
    pub fn canonical(&self) -> Result<String, serde_json::Error> {
        canonical(self)
    }

    /// Reads a leaf; `None` unless it is one, and in canonical form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let leaf: Self = serde_json::from_str(text).ok()?;
        (leaf.canonical().ok()? == text).then_some(leaf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_has_sorted_keys_no_spaces_and_one_form() {
        let leaf = Leaf::ChargeReserved {
            account: AccountId::parse("residents").unwrap(),
            claim: ClaimId::random(),
            nanos: 5,
            commitment: Digest::of(b"x"),
        };
        let text = leaf.canonical().unwrap();
        assert!(text.starts_with(r#"{"account":"residents","claim":"clm_"#), "{text}");
        assert!(!text.contains(' '));
        let keys =
            ["account", "claim", "commitment", "kind", "nanos"].map(|k| text.find(&format!("\"{k}\":")).unwrap());
        assert!(keys.is_sorted());
        assert_eq!(Leaf::parse(&text), Some(leaf));
        assert_eq!(Leaf::parse(&text.replace(',', ", ")), None);
        assert_eq!(Leaf::parse(&text.replace("\"nanos\":5", "\"nanos\":5,\"rows\":17")), None);
        assert_eq!(Leaf::parse(r#"{"kind":"release"}"#), None);
    }

    #[test]
    fn no_kind_of_leaf_has_a_field_for_counts_or_sizes() {
        let source = include_str!("leaf.rs").split("/// Canonical JSON").next().unwrap();
        let fields: Vec<&str> = source
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .flat_map(|line| line.split([',', '{']))
            .filter_map(|part| part.trim().split_once(": ").map(|(name, _)| name))
            .collect();
        assert!(fields.contains(&"commitment"));
        for forbidden in ["rows", "persons", "bytes", "asker", "question", "count", "rows_accepted"] {
            assert!(!fields.contains(&forbidden), "{forbidden}");
        }
    }
}
