//! The checked policy: every rule a privacy officer wrote, in a form in which nothing contradicts anything.
//!
//! Made only by `Policy::parse`. Whoever holds a [`Policy`] may rely on every reference in it: columns named in rules
//! exist, codes named in rules are on their lists, bounds are finite, shares fit the whole.

use super::codelist::CodeList;
use crate::budget::{Accounting, Nanos};
use crate::identity::{AccountId, Class, DatasetId, Digest, Organisation, Period, Purpose};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A text in several languages, by language code (`en`, `fr`, `es`, `ar`, `ru`, `zh`). English is always there.
pub type Text = BTreeMap<String, String>;

/// Codes chosen on some columns: column name to codes.
pub type Selection = BTreeMap<String, BTreeSet<String>>;

/// A policy in its checked form.
#[derive(Debug, Clone, Serialize)]
pub struct Policy {
    /// The dataset.
    pub id: DatasetId,
    /// Grows with each change.
    pub version: u32,
    /// What the tables are about.
    pub title: Text,
    /// Who is counted.
    pub universe: Text,
    /// Where the records come from.
    pub source: Text,
    /// The body answerable for the records.
    pub controller: String,
    /// The law that allows this.
    pub legal_basis: String,
    /// The licence of what is released.
    pub licence: String,
    /// Whom to write to.
    pub contact: String,
    /// First day in force.
    pub effective: NaiveDate,
    /// Last day in force.
    pub expires: NaiveDate,
    /// Microdata are erased this many days after submission.
    pub retention_days: u32,
    /// Who was consulted, and when.
    pub consulted: Vec<String>,
    /// The rhythm of periods.
    pub frequency: Frequency,
    /// When editions are made.
    pub editions: EditionRule,
    /// Who may read releases, and when.
    pub releases: ReleaseRule,
    /// Who may send which periods.
    pub submitters: BTreeMap<Organisation, Vec<PeriodPattern>>,
    /// What a person is, and how much of one is counted.
    pub unit: Unit,
    /// The account and its bounds.
    pub budget: Budget,
    /// The closed list of purposes.
    pub purposes: BTreeSet<Purpose>,
    /// Classes of principals that are always refused. Always holds `enforcement`.
    pub deny_classes: BTreeSet<Class>,
    /// The columns, in the order of the file.
    pub columns: Vec<Column>,
    /// Groups of codes of these columns, as dimensions of their own, in the order of the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groupings: Vec<Column>,
    /// Rules for every table.
    pub cells: CellRules,
    /// Combinations that cannot exist.
    pub structural_zeros: Vec<Selection>,
    /// Totals published elsewhere.
    pub known_totals: Vec<KnownTotal>,
    /// Crossings that are refused.
    pub forbids: Vec<Forbid>,
    /// Stricter rules for certain codes.
    pub requires: Vec<Require>,
    /// Groups whose cells are watched: a release says how many of them it shows.
    pub vulnerable: Vec<Selection>,
    /// Sets of tables released together.
    pub programs: Vec<super::Program>,
    /// SHA-256 of the resolved canonical form, code lists included.
    #[serde(skip)]
    pub sha256: Digest,
    /// Keeps the struct from being built outside `policy`.
    #[serde(skip)]
    #[expect(dead_code, reason = "it is there to be made in one place only")]
    pub(super) checked: Checked,
}

/// Proof that a [`Policy`] went through `Policy::parse`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checked(pub(super) ());

impl Policy {
    /// The column, or the grouping, of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().chain(&self.groupings).find(|c| c.name == name)
    }

    /// Whether organisations of a class are always refused.
    #[must_use]
    pub fn denies(&self, class: &Class) -> bool {
        class.as_str() == super::parse::ENFORCEMENT || self.deny_classes.contains(class)
    }

    /// What tables may be broken down by: the dimension columns in the order of the file, then the groupings.
    pub fn dimensions(&self) -> impl Iterator<Item = (&Column, &Arc<CodeList>)> {
        self.columns.iter().chain(&self.groupings).filter_map(|c| match &c.kind {
            Kind::Dimension { codes, .. } => Some((c, codes)),
            Kind::Measure(_) | Kind::Ignored => None,
        })
    }
}

/// The rhythm of periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frequency {
    /// Years.
    #[serde(rename = "A")]
    Annual,
    /// Quarters.
    #[serde(rename = "Q")]
    Quarterly,
    /// Months.
    #[serde(rename = "M")]
    Monthly,
    /// Any period.
    #[serde(rename = "none")]
    Irregular,
}

impl Frequency {
    /// Whether a period is of this rhythm. A year may be closed for any rhythm.
    #[must_use]
    pub fn admits(self, period: &Period) -> bool {
        match (self, period.as_str().len()) {
            (Self::Irregular, _) | (_, 4) => true,
            (Self::Quarterly, _) => period.as_str().contains('Q'),
            (Self::Monthly, _) => !period.as_str().contains('Q'),
            (Self::Annual, _) => false,
        }
    }
}

/// When editions are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EditionRule {
    /// An officer closes a period.
    Closed,
    /// Each submission closes its period.
    Automatic,
}

/// Who may read releases, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ReleaseRule {
    /// Whether a token is needed.
    pub restricted: bool,
    /// Days of embargo after the draw.
    pub publish_after_days: u32,
}

/// Periods a submitter may send: all, or those that start so (`2026`, `2026-Q1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeriodPattern(pub(super) String);

impl PeriodPattern {
    /// Whether the pattern covers a period. `*` at the end stands for anything.
    #[must_use]
    pub fn covers(&self, period: &Period) -> bool {
        self.0.strip_suffix('*').map_or_else(|| self.0 == period.as_str(), |start| period.as_str().starts_with(start))
    }
}

/// How ids arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdForm {
    /// As the ministry writes them; keyed at the door.
    Raw,
    /// Already keyed by the ministries under a key they share; keyed once more at the door.
    Prekeyed,
}

/// What a person is, and how much of one is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// The column that names the person.
    pub person: String,
    /// How ids arrive.
    pub id: IdForm,
    /// Rows one person may have in one period; at least 1.
    pub rows_max: u32,
    /// The column of the period; `None`: given with each submission.
    pub period: Option<String>,
    /// Periods one question may pool; at least 1.
    pub periods_max: u32,
}

/// The account and its bounds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Budget {
    /// The population whose loss is added up.
    pub account: AccountId,
    /// How.
    pub accounting: Accounting,
    /// Lifetime bound per person.
    pub lifetime: Nanos,
    /// The delta shown with an epsilon, as written.
    pub delta: String,
    /// The same, as a number in (0, 1).
    #[serde(skip)]
    pub delta_value: f64,
    /// Bound of one question.
    pub per_release_max: Nanos,
    /// Bound of one organisation's questions.
    pub quota_per_organisation: Option<Nanos>,
    /// Hard shares by purpose; they sum to at most the lifetime bound.
    pub shares: BTreeMap<Purpose, Nanos>,
}

/// What a column describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// One value a person and period.
    Person,
    /// One value a row.
    Row,
}

/// One column of the submitted files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// Its name for people.
    pub title: Text,
    /// What it describes.
    pub per: Per,
    /// The SDMX concept.
    pub concept: Option<String>,
    /// 0 national, 1 admin-1, 2 admin-2 ...; `None`: no geography.
    pub geo_level: Option<u8>,
    /// What is done with it.
    pub kind: Kind,
    /// Of a grouping: what it groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<Grouped>,
}

/// What a grouping groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grouped {
    /// The column.
    pub column: String,
    /// For each code of the grouping the places of its members on the column's list, ascending: each in one group.
    pub groups: Vec<Vec<u16>>,
}

/// What is done with a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Tables may be broken down by it.
    Dimension {
        /// The declared codes: the only cells there are.
        #[serde(serialize_with = "as_list")]
        codes: Arc<CodeList>,
        /// Given when the file holds integers that are banded at the door.
        bands: Option<Bands>,
    },
    /// Numbers that may be added up.
    Measure(Measure),
    /// Dropped at the door.
    Ignored,
}

fn as_list<S: serde::Serializer>(list: &CodeList, serializer: S) -> Result<S::Ok, S::Error> {
    list.serialize(serializer)
}

/// Integer bands: `starts[i]..starts[i + 1]` is code `i`; values outside `min..=max` are rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bands {
    /// The least value accepted.
    pub min: i64,
    /// The greatest value accepted.
    pub max: i64,
    /// Lower ends, ascending, one per code that is a band; codes behind them (`_U`, `_N`) are written out in files.
    pub starts: Vec<i64>,
    /// The upper end (inclusive) of the last band.
    pub end: i64,
}

/// Numbers that may be added up, clamped to public bounds in integer units of `10^-scale`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Measure {
    /// Decimals kept.
    pub scale: u32,
    /// The unit, for people.
    pub unit: String,
    /// Lower bound in integer units.
    pub min: i64,
    /// Upper bound in integer units.
    pub max: i64,
    /// Whether an empty value is accepted.
    pub missing_allowed: bool,
    /// Declared bins for medians and quantiles, ascending, in integer units.
    pub bins: Vec<i64>,
}

/// Rules for every table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CellRules {
    /// The floor, on noisy persons.
    pub threshold: u32,
    /// Shown figures are multiples of this; at least 1.
    pub round_to: u32,
    /// Dimensions in one table.
    pub dims_max: u32,
    /// Cells measured for one question, margins included.
    pub cells_max: u64,
    /// Half-width over figure above which a figure is unreliable.
    pub moe_relative_max: f64,
    /// Whether unreliable figures are withheld.
    pub withhold_unreliable: bool,
    /// Whether partners are withheld with small cells, so that those cannot be worked out.
    pub complementary: bool,
}

/// A total published elsewhere, shown beside ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownTotal {
    /// Which cell.
    pub selection: Selection,
    /// Of which period; of any, if it says none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// The published figure.
    pub persons: u64,
    /// Where it stands.
    pub citation: String,
}

/// Columns that may not stand together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forbid {
    /// The columns; a filter counts, and so does every grouping of a column that is not spared.
    pub cross: BTreeSet<String>,
    /// Groupings to which it does not apply.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub spares: BTreeSet<String>,
    /// Why, for the asker.
    pub reason: String,
}

/// A stricter rule that applies whenever certain codes are selected or tabulated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Require {
    /// The codes that bring it about.
    pub when: Selection,
    /// What it demands.
    pub rule: CombinationRule,
}

/// What a [`Require`] demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct CombinationRule {
    /// At most so many dimensions.
    pub dims_max: Option<u32>,
    /// No finer geography.
    pub geo_level_max: Option<u8>,
    /// At least this floor.
    pub threshold: Option<u32>,
}
