//! The wire form of a policy file: what TOML may hold, key by key, with the place of every value.
//!
//! Nothing here is checked beyond its type; `columns`, `budget`, `rules` and `parse` make the checked policy of it.
//! Keys that ask for what is not supported are read, so that they can be refused with a sentence instead of as unknown.

use super::RunRule;
use super::model::{EditionRule, Frequency, IdForm, Per};
use super::question::MeasureAsked;
use crate::budget::Accounting;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::value::Datetime;

pub(super) type Words = Spanned<String>;
pub(super) type Texts = Spanned<BTreeMap<String, String>>;
pub(super) type Where = Spanned<BTreeMap<Words, Vec<Words>>>;
/// A value that is only looked at to be refused.
pub(super) type Refused = Spanned<toml::Value>;

/// The keys outside any section.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    pub(super) id: Words,
    pub(super) version: Spanned<u32>,
    pub(super) title: Texts,
    pub(super) universe: Texts,
    pub(super) source: Texts,
    pub(super) controller: Words,
    pub(super) legal_basis: Words,
    pub(super) licence: Words,
    pub(super) contact: Words,
    pub(super) effective: Spanned<Datetime>,
    pub(super) expires: Spanned<Datetime>,
    pub(super) retention_days: Spanned<u32>,
    #[serde(default)]
    pub(super) consulted: Vec<String>,
    pub(super) frequency: Frequency,
    pub(super) editions: EditionRule,
    pub(super) releases: Readers,
    pub(super) publish_after: Option<Words>,
    pub(super) submitters: Spanned<BTreeMap<Words, Vec<Words>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Readers {
    Public,
    Restricted,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unit {
    pub(super) person: Words,
    pub(super) id: IdForm,
    pub(super) rows_max: Spanned<u32>,
    pub(super) period: Option<Words>,
    pub(super) periods_max: Spanned<u32>,
    pub(super) household: Option<Refused>,
    pub(super) kind: Option<Refused>,
    pub(super) weight: Option<Refused>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Budget {
    pub(super) account: Words,
    pub(super) accounting: Spanned<Accounting>,
    pub(super) rho: Option<Words>,
    pub(super) epsilon: Option<Words>,
    pub(super) delta: Option<Words>,
    pub(super) per_release_max: Words,
    pub(super) quota_per_organisation: Option<Words>,
    #[serde(default)]
    pub(super) shares: BTreeMap<Words, Words>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Purposes {
    pub(super) allow: Spanned<Vec<Words>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Principals {
    pub(super) deny_classes: Spanned<Vec<Words>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    Dimension,
    Measure,
    Ignored,
    Weight,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Numbers {
    Integer,
    Decimal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Missing {
    Allowed,
    Rejected,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected the name of a code list, or codes such as [\"F\", \"M\"]")]
pub(super) enum Codes {
    List(String),
    Inline(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a whole number, or a decimal number in quotes")]
pub(super) enum Number {
    Whole(i64),
    Text(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    pub(super) name: Words,
    pub(super) title: Option<Texts>,
    pub(super) role: Spanned<Role>,
    pub(super) per: Option<Spanned<Per>>,
    pub(super) concept: Option<Words>,
    pub(super) codes: Option<Spanned<Codes>>,
    pub(super) geo_level: Option<Spanned<u8>>,
    #[serde(rename = "type")]
    pub(super) numbers: Option<Spanned<Numbers>>,
    pub(super) min: Option<Spanned<Number>>,
    pub(super) max: Option<Spanned<Number>>,
    pub(super) bands: Option<Spanned<Vec<String>>>,
    pub(super) scale: Option<Spanned<u32>>,
    pub(super) unit: Option<Words>,
    pub(super) missing: Option<Spanned<Missing>>,
    pub(super) bins: Option<Spanned<Vec<Words>>>,
    pub(super) weight: Option<Refused>,
    pub(super) multi: Option<Refused>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Grouping {
    pub(super) name: Words,
    pub(super) title: Option<Texts>,
    pub(super) column: Words,
    pub(super) level: Option<Spanned<u8>>,
    pub(super) bands: Option<Spanned<Vec<String>>>,
    pub(super) concept: Option<Words>,
    pub(super) geo_level: Option<Spanned<u8>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the names are those of the file")]
pub(super) struct Cells {
    pub(super) threshold: Spanned<u32>,
    pub(super) round_to: Option<Spanned<u32>>,
    pub(super) dims_max: Option<Spanned<u32>>,
    pub(super) cells_max: Option<Spanned<u64>>,
    pub(super) moe_relative_max: Option<Words>,
    #[serde(default)]
    pub(super) withhold_unreliable: bool,
    pub(super) complementary: Option<Spanned<bool>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StructuralZero {
    #[serde(rename = "where")]
    pub(super) selection: Where,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vulnerable {
    #[serde(rename = "where")]
    pub(super) selection: Where,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KnownTotal {
    #[serde(rename = "where")]
    pub(super) selection: Where,
    pub(super) period: Option<Words>,
    pub(super) persons: u64,
    pub(super) citation: Words,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Forbid {
    pub(super) cross: Spanned<Vec<Words>>,
    #[serde(default)]
    pub(super) spares: Vec<Words>,
    pub(super) reason: Words,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Require {
    pub(super) when: Where,
    pub(super) dims_max: Option<Spanned<u32>>,
    pub(super) geo_level_max: Option<Spanned<u8>>,
    pub(super) threshold: Option<Spanned<u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Program {
    pub(super) id: Words,
    pub(super) run: Option<Spanned<RunRule>>,
    pub(super) purpose: Words,
    pub(super) measures: Spanned<Vec<MeasureAsked>>,
    pub(super) tables: Spanned<Vec<Vec<Words>>>,
    pub(super) weights: Option<Spanned<Vec<u32>>>,
    pub(super) rho: Option<Words>,
    pub(super) epsilon: Option<Words>,
}
