//! The shapes of requests and replies that belong to HTTP alone.

use crate::identity::{DatasetId, Digest, Period, ReleaseId};
use crate::ledger::TokenRow;
use crate::policy::Text;
use crate::publish::strict::Asked;
use crate::release::{EditionFace, Release};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// Which period to close.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EditionAsked {
    /// The period.
    pub period: Period,
}

/// Over which periods to run a program.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProgramAsked {
    /// Closed periods, pooled where there are several.
    pub periods: Vec<Period>,
}

impl Asked for EditionAsked {}
impl Asked for ProgramAsked {}
impl Asked for crate::ledger::NewToken {}
impl Asked for crate::ledger::PolicySource {}

/// A release in a list; the tables are at its own address.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ReleaseSummary {
    /// The release.
    pub id: ReleaseId,
    /// SHA-256 of its canonical body.
    pub sha256: Digest,
    /// The dataset.
    pub dataset: DatasetId,
    /// What the tables are about.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub title: Text,
    /// The question in canonical form.
    #[schema(value_type = Object)]
    pub question: serde_json::Value,
    /// The editions read.
    pub editions: Vec<EditionFace>,
    /// The leaf in the log.
    pub log_index: u64,
    /// When it was released.
    #[schema(value_type = String, format = DateTime)]
    pub released_at: DateTime<Utc>,
    /// Where it is.
    pub href: String,
}

impl ReleaseSummary {
    /// A line of a list.
    ///
    /// # Errors
    /// If the stored body is not what it was.
    pub(crate) fn of(release: &Release) -> Result<Self, serde_json::Error> {
        let body = release.body()?;
        Ok(Self {
            href: format!("/v1/releases/{}", body.id),
            id: body.id,
            sha256: release.sha256(),
            dataset: body.dataset,
            title: body.title,
            question: body.question,
            editions: body.editions,
            log_index: release.log_index(),
            released_at: release.released_at(),
        })
    }
}

/// A proof about the log (RFC 6962, sections 2.1.1 and 2.1.2).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Proof {
    /// `inclusion` or `consistency`.
    pub kind: &'static str,
    /// The leaf, or the smaller tree.
    pub from: u64,
    /// The tree, or the larger tree.
    pub to: u64,
    /// Hashes, from the leaves upwards.
    pub hashes: Vec<Digest>,
}

/// The key that verifies checkpoints.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct LogKeyFace {
    /// The key in C2SP vkey form.
    pub vkey: String,
}

/// Whether the service lives.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `live` or `ready`.
    pub status: &'static str,
}

/// A token that was made: the only time its text is shown.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct TokenIssued {
    /// What is stored of it.
    #[serde(flatten)]
    pub row: TokenRow,
    /// The token itself. It is not stored and cannot be shown again.
    pub token: String,
}

impl fmt::Debug for TokenIssued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenIssued").field("row", &self.row).field("token", &"(secret)").finish()
    }
}
