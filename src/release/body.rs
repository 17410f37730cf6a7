//! The published form of a release.
//!
//! # Guarantee
//! G10: a [`Release`] is built only from what the ledger has committed. A withheld cell has no value, estimate,
//! interval or standard error here, and so in no format.

use super::loss::LossFace;
use super::number::Number;
use super::table::TableFace;
use crate::budget::{Accounting, Nanos};
use crate::identity::{DatasetId, Digest, ReleaseId};
use crate::policy::{EditionRef, Text};
use crate::suppress::Certificate;
use chrono::{DateTime, Utc};
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The canonical body: what `sha256` covers. Here and below fields stand in the order of their names, which makes what
/// is written the canonical form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Body {
    /// Whether cells sum to margins.
    pub additive: bool,
    /// The release whose draw this was cut from, where this one was not charged.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answered_from: Option<ReleaseId>,
    /// The cells, over all dimensions, `_T` where one is summed out.
    pub cells: Vec<Cell>,
    /// What was proved of what is withheld.
    pub certificate: Certificate,
    /// Confidence of the intervals: 0.95.
    pub confidence: f64,
    /// The dataset.
    pub dataset: DatasetId,
    /// The dimensions, in the order of the keys.
    pub dimensions: Vec<DimensionFace>,
    /// The editions read.
    pub editions: Vec<EditionFace>,
    /// The release.
    pub id: ReleaseId,
    /// Combinations that cannot occur, by column and code: their cells are 0, and an audit needs to know.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub impossible: Vec<BTreeMap<String, Vec<String>>>,
    /// What the intervals cover.
    pub interval_covers: String,
    /// How many cells of vulnerable groups are shown, against the rest; none where no such group can be told apart.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub loss: Option<LossFace>,
    /// What a reader must know.
    pub notes: Vec<String>,
    /// The policy in force at the draw.
    pub policy: PolicyFace,
    /// What was spent, and how.
    pub privacy: Privacy,
    /// The question in canonical form.
    #[schema(value_type = Object)]
    pub question: serde_json::Value,
    /// Every table whose figures add up with others, and what it takes to audit it.
    pub tables: Vec<TableFace>,
    /// What the tables are about.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub title: Text,
}

/// The policy in force at the draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PolicyFace {
    /// Digest of its resolved form.
    #[schema(value_type = String)]
    pub sha256: Digest,
    /// Its version.
    pub version: u32,
}

/// What was spent, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Privacy {
    /// zCDP or pure.
    pub accounting: Accounting,
    /// Whether this release was charged; false: cut from a draw that was paid for.
    pub charged: bool,
    /// The delta of that epsilon; "0" for pure.
    pub delta: String,
    /// The price in epsilon at `delta` (zCDP) or exactly (pure), rounded up.
    pub epsilon: String,
    /// The library that drew.
    pub library: String,
    /// `discrete_gaussian` or `discrete_laplace`.
    pub mechanism: String,
    /// `add_remove`.
    pub neighbours: String,
    /// The price in rho, for zCDP.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rho: Option<Nanos>,
    /// `person`.
    pub unit: String,
}

/// An edition read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
pub struct EditionFace {
    /// Period and number.
    #[serde(flatten)]
    pub edition: EditionRef,
}

impl Serialize for EditionFace {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("EditionFace", 2)?;
        fields.serialize_field("number", &self.edition.number)?;
        fields.serialize_field("period", &self.edition.period)?;
        fields.end()
    }
}

/// A dimension of the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DimensionFace {
    /// The codes that occur in keys, `_T` apart.
    pub codes: Vec<CodeName>,
    /// The SDMX concept.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub concept: Option<String>,
    /// The column or grouping.
    pub id: String,
    /// Of a grouping: the column whose codes it groups.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub of: Option<String>,
    /// Its name for people.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub title: Text,
}

/// A code, its name, and what it is a group of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CodeName {
    /// The code.
    pub code: String,
    /// Of a group: the codes of the column that add up to it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub members: Vec<String>,
    /// Its names by language; empty where the code stands for itself.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub name: Text,
}

/// How good a cell is (SDMX observation status).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Status {
    /// Normal.
    A,
    /// Unreliable.
    U,
    /// Withheld.
    Q,
}

/// A total published elsewhere, beside ours and not mixed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Known {
    /// Where it stands.
    pub citation: String,
    /// Ours less the published one.
    pub difference: Number,
    /// As published.
    pub persons: u64,
    /// Whether the published one lies in our interval: the difference is then within the noise.
    pub within_noise: bool,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Cell {
    /// The unrounded estimate, for anyone who goes on computing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub estimate: Option<String>,
    /// Upper end of the interval; null like the lower one.
    pub high: Option<Number>,
    /// Dimension to code; `_T` where summed out.
    pub key: BTreeMap<String, String>,
    /// A total published elsewhere, for comparison.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known: Option<Known>,
    /// Lower end of the interval; null where withheld, and where the interval has no finite ends.
    pub low: Option<Number>,
    /// `persons`, `persons:COLUMN=CODES` (a part that a share or a comparison implies), `rows`, `sum:COLUMN`,
    /// `mean:COLUMN`, `median:COLUMN`, `quantile:COLUMN:Q`, `share:COLUMN=CODES`, `difference:GROUP/GROUP`,
    /// `ratio:share:COLUMN=CODES:GROUP/GROUP`.
    pub measure: String,
    /// `withheld`, `unreliable` or `structural`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Its standard error.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub se: Option<String>,
    /// How good it is.
    pub status: Status,
    /// The figure: an integer, or a decimal string; null where withheld.
    pub value: Option<Number>,
    /// Of a comparison: whether the two groups cannot be told apart, since the interval holds 0 (a difference) or 1 (a
    /// ratio), or has no ends.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub within_noise: Option<bool>,
}

/// What stands beside the body in the document.
#[derive(Serialize)]
struct Beside<'a> {
    log_index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<&'a str>,
    released_at: String,
    sha256: Digest,
}

/// A release: the committed body and where it stands in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    id: ReleaseId,
    body: Vec<u8>,
    sha256: Digest,
    log_index: u64,
    released_at: DateTime<Utc>,
    notice: Option<String>,
}

impl Release {
    /// The whole document as served: the canonical body with `sha256`, `log_index`, `released_at` (and `notice`) beside
    /// it. The same bytes each time.
    ///
    /// The body is spliced in as it stands, not read and written anew: a release is served far more often than made.
    ///
    /// # Errors
    /// If the stored body is not an object.
    pub fn document(&self) -> Result<Vec<u8>, serde_json::Error> {
        let beside = Beside {
            log_index: self.log_index,
            notice: self.notice.as_deref(),
            released_at: self.released_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            sha256: self.sha256,
        };
        let envelope = serde_json::to_vec(&beside)?;
        match (self.body.split_last(), envelope.split_first()) {
            (Some((b'}', body)), Some((b'{', envelope))) if body.len() > 1 => Ok([body, b",", envelope].concat()),
            _ => {
                serde_json::from_slice::<serde_json::Map<_, _>>(&self.body).and_then(|whole| serde_json::to_vec(&whole))
            }
        }
    }

    /// The body, for other formats.
    ///
    /// # Errors
    /// If the stored body is not what it was when it was committed.
    pub fn body(&self) -> Result<Body, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &ReleaseId {
        &self.id
    }

    /// The notice beside it, once superseded.
    #[must_use]
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// SHA-256 of the canonical body.
    #[must_use]
    pub fn sha256(&self) -> Digest {
        self.sha256
    }

    /// The leaf in the log.
    #[must_use]
    pub fn log_index(&self) -> u64 {
        self.log_index
    }

    /// When it was released.
    #[must_use]
    pub fn released_at(&self) -> DateTime<Utc> {
        self.released_at
    }
}

impl From<crate::ledger::Committed<super::draft::Draft>> for Release {
    fn from(committed: crate::ledger::Committed<super::draft::Draft>) -> Self {
        use crate::ledger::Settle as _;
        let (draft, log_index, released_at) = committed.into_parts();
        let entry = draft.entry();
        Self { id: entry.id, body: entry.body, sha256: entry.sha256, log_index, released_at, notice: None }
    }
}

impl From<crate::ledger::ReleaseRow> for Release {
    fn from(row: crate::ledger::ReleaseRow) -> Self {
        Self {
            id: row.id,
            body: row.body,
            sha256: row.sha256,
            log_index: row.log_index,
            released_at: row.released_at,
            notice: row.notice,
        }
    }
}
