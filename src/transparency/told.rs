//! What the log tells of policies, submissions, editions, releases and tokens, each with the leaf it began with.
//!
//! These are the replay's memory; the rows of a ledger must say the same, and a ledger that was put back is brought
//! forward to them.

use crate::identity::{AccountId, ClaimId, DatasetId, Digest, Organisation, Period, Purpose, Role, TokenId};
use std::collections::BTreeMap;

/// A policy as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PolicyReplay {
    pub(crate) dataset: DatasetId,
    pub(crate) version: u32,
    /// The proposer, then those who approved; each with the leaf that says so.
    pub(crate) officers: Vec<(TokenId, u64)>,
    /// The leaf with which it came into force.
    pub(crate) enacted: Option<u64>,
    /// The account it pays from, and the shares it granted, in nanos.
    pub(crate) grant: Option<(AccountId, BTreeMap<Purpose, u64>)>,
}

/// Who sent what for when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) organisation: Organisation,
    pub(crate) dataset: DatasetId,
    pub(crate) period: Period,
    pub(crate) commitment: Digest,
}

/// Where a submission stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Live,
    Replaced,
    /// Withdrawn, at the end of its retention, or lost with a database.
    Erased,
}

/// A submission as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubmissionReplay {
    pub(crate) told: Told,
    pub(crate) index: u64,
    pub(crate) standing: Standing,
}

/// An edition as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EditionReplay {
    pub(crate) number: u32,
    pub(crate) commitment: Digest,
    pub(crate) index: u64,
}

/// A release as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReleaseReplay {
    pub(crate) sha256: Digest,
    pub(crate) claim: ClaimId,
    pub(crate) index: u64,
    pub(crate) notice: Option<String>,
}

/// A token as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenReplay {
    pub(crate) role: Role,
    pub(crate) in_use: bool,
    pub(crate) index: u64,
}
