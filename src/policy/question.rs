//! A question as it arrives: the wire form, not yet admitted.

use crate::identity::{DatasetId, Period, Purpose};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A question, as sent to `POST /v1/quotes` and `POST /v1/releases`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The dataset.
    pub dataset: DatasetId,
    /// What the answer is for.
    pub purpose: Purpose,
    /// What is measured in each cell.
    pub measures: Vec<MeasureAsked>,
    /// One table: the columns it is broken down by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Vec<String>>,
    /// Several tables, measured together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tables: Option<Vec<Vec<String>>>,
    /// Only persons or rows with these codes.
    #[serde(default, rename = "where", skip_serializing_if = "BTreeMap::is_empty")]
    pub filter: BTreeMap<String, Vec<String>>,
    /// The closed periods asked about.
    pub periods: Vec<Period>,
    /// Whether all margins come too.
    #[serde(default)]
    pub margins: bool,
    /// What may be spent.
    pub spend: Spend,
}

/// What is measured in each cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum MeasureAsked {
    /// Persons.
    Persons {},
    /// Kept rows.
    Rows {},
    /// The sum of a bounded column.
    Sum {
        /// The column.
        column: String,
    },
    /// The mean of a bounded column.
    Mean {
        /// The column.
        column: String,
    },
    /// The median of a bounded column.
    Median {
        /// The column.
        column: String,
    },
    /// A quantile of a bounded column.
    Quantile {
        /// The column.
        column: String,
        /// Between 0 and 1, as decimal text.
        q: String,
    },
    /// The share of persons with certain codes.
    Share {
        /// The numerator's codes.
        of: BTreeMap<String, Vec<String>>,
    },
}

/// What may be spent: exactly one of three.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Spend {
    /// An amount of rho (accounts in zCDP).
    Rho(crate::budget::Nanos),
    /// An amount of epsilon (accounts in pure DP).
    Epsilon(crate::budget::Nanos),
    /// Whatever reaches this half-width of the 95 % interval, in persons, in every cell of the tables asked for.
    Moe(f64),
}
