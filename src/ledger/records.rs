//! The rows of the ledger's database, as the rest of the crate sees them.

use crate::budget::{Accounting, Nanos};
use crate::identity::{
    AccountId, Class, DatasetId, Digest, FileId, Organisation, Period, Principal, Purpose, ReleaseId, Role,
    SubmissionId, TokenId,
};
use crate::policy::{CodeLists, EditionRef};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One encrypted file of the vault: what the manifest knows of it, checked before any parser sees the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its id; also its name on disk and the name of its key.
    pub id: FileId,
    /// Size of the ciphertext in bytes.
    pub size: u64,
    /// SHA-256 of the ciphertext.
    pub sha256: Digest,
}

/// One finding at the door: row, column and rule, never the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RowFinding {
    /// Row of data, from 1 (the header is row 0).
    pub row: u64,
    /// The column, or empty where the whole row is meant.
    pub column: String,
    /// The rule that was broken: a stable code.
    pub rule: String,
}

/// What a submitter gets for a file. For the submitter only: it holds exact row counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Receipt {
    /// The submission.
    pub submission: SubmissionId,
    /// The dataset.
    pub dataset: DatasetId,
    /// The period.
    pub period: Period,
    /// SHA-256 of the body as it arrived, after content decoding.
    pub sha256: Digest,
    /// Rows kept.
    pub rows_accepted: u64,
    /// Rows refused.
    pub rows_rejected: u64,
    /// The first findings.
    pub rejections: Vec<RowFinding>,
    /// What is odd about rows that were kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<RowFinding>,
    /// Random salt (hexadecimal) that opens the commitment in the log.
    pub salt: String,
    /// HMAC-SHA-256(salt, canonical receipt without `commitment` and `log_index`), as in the log.
    pub commitment: Digest,
    /// The leaf in the log.
    pub log_index: u64,
}

/// Where a submission stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubmissionState {
    /// Counted when its period is closed.
    Live,
    /// Replaced by a later one.
    Replaced,
    /// Withdrawn and erased.
    Withdrawn,
}

/// A submission that passed the door and lies sealed in the vault, about to be committed.
#[derive(Debug, Clone)]
pub struct NewSubmission {
    /// Its id.
    pub id: SubmissionId,
    /// The dataset.
    pub dataset: DatasetId,
    /// The period.
    pub period: Period,
    /// Who sent it.
    pub by: Principal,
    /// The sender's idempotency key.
    pub idempotency_key: String,
    /// SHA-256 of the body.
    pub sha256: Digest,
    /// The policy it was checked against.
    pub policy: Digest,
    /// Rows kept.
    pub rows_accepted: u64,
    /// Rows refused.
    pub rows_rejected: u64,
    /// The first findings.
    pub rejections: Vec<RowFinding>,
    /// What is odd about rows that were kept.
    pub warnings: Vec<RowFinding>,
    /// Its files in the vault.
    pub files: Vec<FileEntry>,
    /// Opaque description of the coding, for the vault.
    pub coding: String,
    /// The submission it replaces.
    pub replaces: Option<SubmissionId>,
}

/// A committed submission.
#[derive(Debug, Clone)]
pub struct SubmissionRow {
    /// What the submitter got.
    pub receipt: Receipt,
    /// Who sent it.
    pub organisation: Organisation,
    /// Where it stands.
    pub state: SubmissionState,
    /// Order of acceptance.
    pub sequence: u64,
    /// The policy it was checked against.
    pub policy: Digest,
    /// Its files in the vault.
    pub files: Vec<FileEntry>,
    /// Opaque description of the coding, for the vault.
    pub coding: String,
    /// When.
    pub submitted_at: DateTime<Utc>,
}

/// An edition whose files lie sealed in the vault, about to be committed.
#[derive(Debug, Clone)]
pub struct NewEdition {
    /// The dataset.
    pub dataset: DatasetId,
    /// The period.
    pub period: Period,
    /// The submissions it was made of; the commit fails with `Moved` if these are not the live ones any more.
    pub submissions: Vec<SubmissionId>,
    /// Its files in the vault.
    pub files: Vec<FileEntry>,
    /// Opaque description of the coding, for the vault and tabulate.
    pub coding: String,
}

/// A closed edition.
#[derive(Debug, Clone)]
pub struct EditionRow {
    /// The dataset.
    pub dataset: DatasetId,
    /// Period and number.
    pub edition: EditionRef,
    /// Its files in the vault.
    pub files: Vec<FileEntry>,
    /// Opaque description of the coding.
    pub coding: String,
    /// The leaf in the log.
    pub log_index: u64,
    /// When.
    pub closed_at: DateTime<Utc>,
}

/// A policy file with the code lists it needs: all that is needed to read it again.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PolicySource {
    /// The TOML text.
    pub toml: String,
    /// The code lists it refers to.
    pub lists: CodeLists,
}

/// Where a policy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyState {
    /// Waits for approvals.
    Proposed,
    /// In force.
    InForce,
    /// A later version is in force.
    Superseded,
    /// Not approved in time.
    Expired,
    /// It came into force after the copy that the database was put back from; its text is lost, and its dataset
    /// suspended until officers propose again.
    Lost,
}

/// A policy in the ledger.
#[derive(Debug, Clone)]
pub struct PolicyRow {
    /// Digest of its resolved canonical form.
    pub sha256: Digest,
    /// The dataset.
    pub dataset: DatasetId,
    /// The version.
    pub version: u32,
    /// Text and code lists.
    pub source: PolicySource,
    /// Where it stands.
    pub state: PolicyState,
    /// Who proposed it.
    pub proposer: TokenId,
    /// Who approved it.
    pub approvals: Vec<TokenId>,
    /// Approvals still needed.
    pub approvals_missing: u32,
    /// When it was proposed.
    pub proposed_at: DateTime<Utc>,
}

/// What is left of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Balance {
    /// The account.
    pub account: AccountId,
    /// How it adds up.
    pub accounting: Accounting,
    /// Lifetime bound per person.
    pub cap: Nanos,
    /// Claimed, not yet settled.
    pub held: Nanos,
    /// Spent.
    pub spent: Nanos,
    /// cap - held - spent.
    pub remaining: Nanos,
    /// What is left of each purpose's share; purposes without one draw on what no share holds.
    pub shares: BTreeMap<Purpose, Nanos>,
    /// What is left for purposes without a share.
    pub unshared: Nanos,
}

/// A token to be made.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it may do.
    pub role: Role,
    /// For whom.
    pub organisation: Organisation,
    /// Of which class.
    pub class: Class,
    /// For which datasets; left out: all.
    #[serde(default)]
    pub datasets: Option<BTreeSet<DatasetId>>,
    /// Days until it expires; at most 366.
    pub days: u32,
}

/// A token as it is stored: its secret only as a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TokenRow {
    /// Its id.
    pub id: TokenId,
    /// What it may do.
    pub role: Role,
    /// For whom.
    pub organisation: Organisation,
    /// Of which class.
    pub class: Class,
    /// For which datasets.
    pub datasets: Option<BTreeSet<DatasetId>>,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    pub expires: DateTime<Utc>,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// What stands beside the bytes of a release: little, and all of it that may change.
#[derive(Debug, Clone)]
pub struct ReleaseFace {
    /// The release.
    pub id: ReleaseId,
    /// The dataset.
    pub dataset: DatasetId,
    /// SHA-256 of the body.
    pub sha256: Digest,
    /// The leaf in the log.
    pub log_index: u64,
    /// When.
    pub released_at: DateTime<Utc>,
    /// A notice beside it, once superseded or withdrawn.
    pub notice: Option<String>,
    /// Digest of the policy in force for the dataset now; it says who may read the release.
    pub policy: Option<Digest>,
}

/// A release as stored.
#[derive(Debug, Clone)]
pub struct ReleaseRow {
    /// Its id.
    pub id: ReleaseId,
    /// The dataset.
    pub dataset: DatasetId,
    /// What identifies it: draw and what is shown of it.
    pub release: Digest,
    /// The draw it was cut from.
    pub draw: Digest,
    /// The canonical body.
    pub body: Vec<u8>,
    /// SHA-256 of the body.
    pub sha256: Digest,
    /// The leaf in the log.
    pub log_index: u64,
    /// When.
    pub released_at: DateTime<Utc>,
    /// A notice beside it, once superseded or withdrawn.
    pub notice: Option<String>,
}

/// A submission whose bytes are gone, to be sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resend {
    /// Its id, as in the receipt.
    pub submission: SubmissionId,
    /// Who sent it.
    pub organisation: Organisation,
    /// The dataset.
    pub dataset: DatasetId,
    /// The period.
    pub period: Period,
}

/// What bringing a database forward to its witness meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The leaves that the database lacked.
    pub gap: std::ops::Range<u64>,
    /// Spent on claims of which nothing but the log knows; counted against every share and quota of the account.
    pub charges: BTreeMap<AccountId, Nanos>,
    /// Datasets whose policy came into force in the gap: its text is lost; officers propose again.
    pub suspended: Vec<DatasetId>,
    /// Submissions accepted in the gap.
    pub resend: Vec<Resend>,
    /// Submissions that were withdrawn, replaced or erased again.
    pub erased: Vec<SubmissionId>,
    /// Editions closed in the gap: to be closed again, under the next number.
    pub editions: Vec<(DatasetId, Period, u32)>,
    /// Releases of the gap: paid for, their bytes lost.
    pub releases: Vec<ReleaseId>,
    /// Tokens issued in the gap: dead; the operator issues new ones.
    pub tokens: Vec<TokenId>,
}
