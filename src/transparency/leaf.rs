//! What stands in the log: one leaf for everything that changes who may know what.
//!
//! # Guarantee
//! The log is public from the moment a leaf is written, so a leaf holds no count, size or plain digest of microdata and
//! no asker's name; what must be bound but not told is a keyed commitment.

use crate::budget::Accounting;
use crate::identity::{
    AccountId, ClaimId, DatasetId, Digest, Organisation, Period, ReleaseId, Role, SubmissionId, TokenId,
};
use serde::{Deserialize, Serialize};

/// One leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the log's own words; CONTRACT section 7 lists them")]
pub enum Leaf {
    PolicyProposed {
        dataset: DatasetId,
        version: u32,
        sha256: Digest,
        officer: TokenId,
    },
    PolicyApproved {
        dataset: DatasetId,
        version: u32,
        sha256: Digest,
        officer: TokenId,
    },
    /// Carries what the account may lose in all, so that a verifier can hold every charge against it.
    PolicyInForce {
        dataset: DatasetId,
        version: u32,
        sha256: Digest,
        officers: Vec<TokenId>,
        account: AccountId,
        accounting: Accounting,
        lifetime_nanos: u64,
    },
    DatasetSuspended {
        dataset: DatasetId,
        officer: TokenId,
    },
    SubmissionAccepted {
        submission: SubmissionId,
        organisation: Organisation,
        dataset: DatasetId,
        period: Period,
        commitment: Digest,
    },
    SubmissionReplaced {
        submission: SubmissionId,
        by: SubmissionId,
    },
    SubmissionWithdrawn {
        submission: SubmissionId,
    },
    EditionClosed {
        dataset: DatasetId,
        period: Period,
        number: u32,
        commitment: Digest,
    },
    ChargeReserved {
        account: AccountId,
        claim: ClaimId,
        nanos: u64,
        commitment: Digest,
    },
    ChargeSettled {
        account: AccountId,
        claim: ClaimId,
        nanos: u64,
    },
    ChargeVoided {
        account: AccountId,
        claim: ClaimId,
        nanos: u64,
    },
    Release {
        release: ReleaseId,
        sha256: Digest,
        claim: ClaimId,
    },
    ReleaseSuperseded {
        release: ReleaseId,
        notice: String,
    },
    TokenIssued {
        token: TokenId,
        role: Role,
        by: Option<TokenId>,
    },
    TokenRevoked {
        token: TokenId,
        by: TokenId,
    },
}

impl Leaf {
    /// The canonical JSON: keys in order, no spaces. This is what the tree hashes.
    ///
    /// # Errors
    /// Never, for these types.
    pub fn canonical(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_value(self)?.to_string())
    }

    /// Whether the witness keeps it: after a rollback it is what must be replayed.
    #[must_use]
    pub fn is_charge(&self) -> bool {
        matches!(self, Self::ChargeReserved { .. } | Self::ChargeSettled { .. } | Self::ChargeVoided { .. })
    }
}
