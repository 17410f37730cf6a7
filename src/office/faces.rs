//! What the office hands out: requests and replies, in the shapes of the HTTP interface.

use crate::budget::Nanos;
use crate::identity::{DatasetId, Digest, Period, SubmissionId};
use crate::ledger::{Balance, PolicyState, Receipt};
use crate::policy::{EditionRef, Question, Text};
use crate::release::Release;
use crate::submission::{Format, OnError};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A file about to be received.
#[derive(Debug, Clone)]
pub struct SubmissionAsked {
    /// The dataset.
    pub dataset: DatasetId,
    /// The period, where the file has no column for it.
    pub period: Option<Period>,
    /// The submission it replaces.
    pub replaces: Option<SubmissionId>,
    /// The sender's idempotency key.
    pub idempotency_key: String,
    /// SHA-256 the sender announced (RFC 9530), checked against the decoded body.
    pub announced_sha256: Option<Digest>,
    /// CSV or NDJSON.
    pub format: Format,
    /// All or nothing, or skip.
    pub on_error: OnError,
}

/// A receipt, and whether the submission is new (201) or was known (200).
#[derive(Debug, Clone)]
pub struct Submitted {
    /// The receipt.
    pub receipt: Receipt,
    /// Whether it was made by this request.
    pub created: bool,
}

/// A closed edition. No counts: they would be exact.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct EditionClosed {
    /// The dataset.
    pub dataset: DatasetId,
    /// Period and number.
    #[serde(flatten)]
    pub edition: EditionRef,
    /// The leaf in the log.
    pub log_index: u64,
}

/// A policy as listed.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PolicyRecord {
    /// Digest of its resolved form.
    pub sha256: Digest,
    /// The dataset.
    pub dataset: DatasetId,
    /// The version.
    pub version: u32,
    /// Where it stands.
    pub state: PolicyState,
    /// Approvals still needed.
    pub approvals_missing: u32,
    /// Lint warnings, for the officers.
    pub warnings: Vec<String>,
    /// When it was proposed.
    #[schema(value_type = String, format = DateTime)]
    pub proposed_at: DateTime<Utc>,
}

/// What a question would cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Cost {
    /// In rho, for accounts in zCDP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rho: Option<Nanos>,
    /// As epsilon at `delta`, rounded up.
    pub epsilon: String,
    /// That delta; "0" for pure.
    pub delta: String,
}

/// The error to expect, as half-widths of 95 % intervals in persons, for the cells of the asked tables.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Moe {
    /// The median cell.
    pub typical: f64,
    /// The worst cell.
    pub worst: f64,
}

/// The error to expect in one table.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TableMoe {
    /// The columns it is broken down by; none for the total.
    pub by: Vec<String>,
    /// Cells shown.
    pub cells: usize,
    /// Half-widths of the 95 % intervals of persons over its cells.
    pub moe: Moe,
}

/// One thing that is measured for an answer: what was asked for, or what it brings along.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Part {
    /// `persons`, `rows`, `values:COLUMN` (how many rows have one), `sum:COLUMN` (about the middle of its bounds),
    /// `bins:COLUMN`.
    pub measures: String,
    /// Whether nobody asked for it: persons for the floor, the values that a mean divides by.
    pub implied: bool,
    /// How many tables of it are measured.
    pub tables: usize,
    /// Its part of the price.
    pub cost: Cost,
    /// The error to expect of it, in its own unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moe: Option<Moe>,
}

/// The error to expect of a difference of persons.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Difference {
    /// The measure, as cells name it.
    pub measure: String,
    /// The half-width of its interval.
    pub moe: Moe,
}

/// A question that would be answered now, and in what it differs.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Alternative {
    /// In what it differs, as a sentence.
    pub change: String,
    /// The whole question, ready to send.
    pub question: Question,
    /// What it would cost.
    pub cost: Cost,
    /// Whether it is answered from a draw that is paid for, at no cost.
    pub free: bool,
    /// The error to expect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moe: Option<Moe>,
    /// The error to expect, table by table.
    pub tables: Vec<TableMoe>,
}

/// The answer to a quote. Touches no data.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Quote {
    /// Whether it may be asked now.
    pub allowed: bool,
    /// Code of the refusal, if not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// Sentence of the refusal, if not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What it would cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// Cells shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cells: Option<usize>,
    /// The error to expect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moe: Option<Moe>,
    /// The error to expect, table by table: those asked for, then their margins.
    pub tables: Vec<TableMoe>,
    /// Everything that is measured, with its part of the price.
    pub parts: Vec<Part>,
    /// The error to expect of differences of persons. That of other comparisons depends on the figures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// Whether it is answered from a draw that is paid for.
    pub free: bool,
    /// What is left of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<Nanos>,
    /// Nearest allowed questions, if it is refused.
    pub alternatives: Vec<Alternative>,
}

/// A release, and whether it was made by this request (201) or stood already (200).
#[derive(Debug, Clone)]
pub struct Answer {
    /// The release.
    pub release: Release,
    /// Whether it was made by this request.
    pub created: bool,
}

/// A dataset as the public sees it: no data, no counts.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DatasetFace {
    /// The dataset.
    pub id: DatasetId,
    /// What it is about.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub title: Text,
    /// Who is counted.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub universe: Text,
    /// Where the records come from.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub source: Text,
    /// The body answerable.
    pub controller: String,
    /// The law.
    pub legal_basis: String,
    /// The licence.
    pub licence: String,
    /// Whom to write to.
    pub contact: String,
    /// The policy in force.
    pub policy: crate::release::PolicyFace,
    /// Whether it is suspended.
    pub suspended: bool,
    /// Purposes it may be asked for.
    pub purposes: Vec<String>,
    /// The columns that may be asked about.
    pub columns: Vec<ColumnFace>,
    /// Closed editions.
    pub editions: Vec<EditionRef>,
    /// The floor.
    pub threshold: u32,
    /// Crossings refused: columns and why.
    pub forbidden: Vec<(Vec<String>, String)>,
    /// What is left of its account.
    pub budget: Balance,
}

/// A column as the public sees it.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ColumnFace {
    /// Its name.
    pub id: String,
    /// Its name for people.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub title: Text,
    /// `person` or `row`.
    pub per: String,
    /// `dimension`, `grouping` or `measure`.
    pub role: String,
    /// Of a grouping: the column whose codes it groups.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub of: Option<String>,
    /// Its codes with names.
    pub codes: Vec<crate::release::CodeName>,
}

/// What is left of an account, and what was spent as epsilon.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct BudgetFace {
    /// The amounts.
    #[serde(flatten)]
    pub balance: Balance,
    /// The total spent and held, as epsilon at `delta`.
    pub epsilon_spent: String,
    /// That delta.
    pub delta: String,
}
