//! A question as it arrives: the wire form, not yet admitted.

use super::comparison::Contrast;
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
        of: Codes,
    },
    /// A figure of one group less that of another.
    Difference {
        /// The codes of the first group.
        of: Codes,
        /// The codes of the second; in some column none of them is one of the first.
        against: Codes,
        /// What is compared; left out: persons.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        what: Option<ComparedAsked>,
    },
    /// A figure of one group over that of another.
    Ratio {
        /// The codes of the first group.
        of: Codes,
        /// The codes of the second; in some column none of them is one of the first.
        against: Codes,
        /// What is compared; left out: persons.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        what: Option<ComparedAsked>,
    },
}

/// What is compared between two groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum ComparedAsked {
    /// Persons.
    Persons {},
    /// The share of persons with certain codes.
    Share {
        /// The numerator's codes.
        of: Codes,
    },
    /// The mean of a bounded column.
    Mean {
        /// The column.
        column: String,
    },
}

/// Codes chosen on some columns.
pub type Codes = BTreeMap<String, Vec<String>>;

/// A comparison as it was asked for: the groups, the first one first, and what is compared.
#[derive(Clone, Copy)]
pub(super) struct ComparisonAsked<'a> {
    pub(super) groups: [&'a Codes; 2],
    pub(super) what: Option<&'a ComparedAsked>,
}

impl MeasureAsked {
    /// Every group of persons within a cell that telling this measure of it says something about: the numerator of a
    /// share; both groups of a comparison, each with its numerator where shares are compared.
    #[must_use]
    pub fn parts(&self) -> Vec<Codes> {
        let Some((_, ComparisonAsked { groups, what })) = self.comparison() else {
            return self.numerator().into_iter().cloned().collect();
        };
        let with =
            |group: &Codes, of: &Codes| group.iter().chain(of).map(|(c, codes)| (c.clone(), codes.clone())).collect();
        let parts = |group: &Codes| match what {
            Some(ComparedAsked::Share { of }) => vec![group.clone(), with(group, of)],
            None | Some(ComparedAsked::Persons {} | ComparedAsked::Mean { .. }) => vec![group.clone()],
        };
        groups.into_iter().flat_map(parts).collect()
    }

    /// Every set of codes that it chooses, to be spelt another way.
    pub(super) fn chosen_mut(&mut self) -> Vec<&mut Codes> {
        match self {
            Self::Share { of } => vec![of],
            Self::Difference { of, against, what } | Self::Ratio { of, against, what } => {
                let numerator = match what {
                    Some(ComparedAsked::Share { of }) => Some(of),
                    None | Some(ComparedAsked::Persons {} | ComparedAsked::Mean { .. }) => None,
                };
                [of, against].into_iter().chain(numerator).collect()
            }
            Self::Persons {}
            | Self::Rows {}
            | Self::Sum { .. }
            | Self::Mean { .. }
            | Self::Median { .. }
            | Self::Quantile { .. } => Vec::new(),
        }
    }

    /// The numerator of a share.
    pub(super) fn numerator(&self) -> Option<&Codes> {
        match self {
            Self::Share { of } => Some(of),
            Self::Persons {}
            | Self::Rows {}
            | Self::Sum { .. }
            | Self::Mean { .. }
            | Self::Median { .. }
            | Self::Quantile { .. }
            | Self::Difference { .. }
            | Self::Ratio { .. } => None,
        }
    }

    /// The two groups and what is compared, if that is what is asked for.
    pub(super) fn comparison(&self) -> Option<(Contrast, ComparisonAsked<'_>)> {
        match self {
            Self::Difference { of, against, what } => {
                Some((Contrast::Difference, ComparisonAsked { groups: [of, against], what: what.as_ref() }))
            }
            Self::Ratio { of, against, what } => {
                Some((Contrast::Ratio, ComparisonAsked { groups: [of, against], what: what.as_ref() }))
            }
            Self::Persons {}
            | Self::Rows {}
            | Self::Sum { .. }
            | Self::Mean { .. }
            | Self::Median { .. }
            | Self::Quantile { .. }
            | Self::Share { .. } => None,
        }
    }
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
