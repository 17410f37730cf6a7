//! What is said of each table of a release besides its cells: all that an audit of them needs.
//!
//! A table has cells that add up with those of others. These lines tell which codes each of them stands for, by which
//! floor it was judged and how precise its figures are, so that anyone can prove again, from published files alone,
//! that no withheld figure follows from published ones. The standard error is that of every figure of the table, shown
//! or not: it depends on the plan and on nothing else.

use crate::estimate::EstimatedTable;
use crate::policy::{Cells, Cut, Plan};
use crate::suppress::Told;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Decimals of a standard error, here and in cells of whole units.
const DECIMALS: usize = 4;

/// One table of figures that add up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TableFace {
    /// The dimensions it is broken down by; the others are summed out.
    pub by: Vec<String>,
    /// The floor on persons that its cells were judged by.
    pub floor: u32,
    /// The dimensions of the measured table that its figures come from, where tables do not add up: what is cut out of
    /// one such table adds up, whatever it is broken down by.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub from: Vec<String>,
    /// The measure of its cells: `persons`, `persons:COLUMN=CODES`, `rows` or `sum:COLUMN`.
    pub measure: String,
    /// Of a sum: the furthest that one value lies from the middle of its bounds. In it a sum counts as persons do.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reach: Option<String>,
    /// The standard error of all of its figures, in their own unit; or of each, in the order of its cells.
    pub se: Vec<String>,
    /// By column, the codes that all of its cells are cut from.
    #[serde(rename = "where")]
    pub filter: BTreeMap<String, Vec<String>>,
}

impl TableFace {
    /// Of a table that a plan shows, with the plan's cuts.
    pub(super) fn of(plan: &Plan, measure: &str, table: &EstimatedTable) -> Self {
        let name = |&dim: &usize| Some(plan.dimensions.get(dim)?.name.clone());
        let measured: Vec<&Vec<usize>> = plan.measured.iter().map(|measured| &measured.dims).collect();
        let alone = || Cells::alone(&plan.dimensions, &plan.cuts, &table.dims, &measured);
        let source = if plan.additive { None } else { alone().map(|cells| cells.source()) };
        Self {
            from: source.iter().flatten().filter_map(name).collect(),
            by: table.dims.iter().filter_map(name).collect(),
            floor: plan.floor(&table.dims),
            measure: measure.to_owned(),
            reach: None,
            se: errors(&table.standard_errors),
            filter: codes(plan, &plan.cuts),
        }
    }

    /// What one figure counts for, in persons: of a sum, its value in the furthest that one value reaches.
    pub(super) fn unit(&self) -> Option<f64> {
        let Some(reach) = &self.reach else { return Some(1.0) };
        reach.parse().ok().filter(|reach| *reach > 0.0)
    }

    /// The standard errors of so many cells, as they are published.
    pub(super) fn standard_errors(&self, cells: usize) -> Option<Vec<f64>> {
        let errors: Vec<f64> = self.se.iter().map(|error| error.parse().ok()).collect::<Option<_>>()?;
        match errors.as_slice() {
            [one] => Some(vec![*one; cells]),
            several => (several.len() == cells).then(|| several.to_vec()),
        }
    }
}

/// Standard errors as they are published: one, where all are alike.
fn errors(errors: &[f64]) -> Vec<String> {
    let mut written: Vec<String> = errors.iter().map(|error| format!("{error:.DECIMALS$}")).collect();
    if written.windows(2).all(|pair| matches!(pair, [one, other] if one == other)) {
        written.truncate(1);
    }
    written
}

/// By column, the codes that cuts select.
pub(super) fn codes(plan: &Plan, cuts: &[Cut]) -> BTreeMap<String, Vec<String>> {
    let of = |cut: &Cut| {
        let dimension = plan.dimensions.get(cut.dim)?;
        let levels = cut.levels.iter().filter_map(|&level| dimension.levels.get(level));
        Some((dimension.column.clone(), levels.flat_map(|level| level.members.clone()).collect()))
    };
    cuts.iter().filter_map(of).collect()
}

/// Cells whose published figures tell of each other: of one estimate, or of one table that is measured alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Link {
    /// Whether rows are counted, not persons.
    pub(super) rows: bool,
    /// The dimensions of the measured table, where tables do not add up.
    pub(super) alone: Option<Vec<String>>,
    /// The measure, where values are added up.
    pub(super) sum: Option<String>,
}

impl Link {
    /// Whether the figures are persons, all or a part of them.
    pub(super) fn persons(&self) -> bool {
        !self.rows && self.sum.is_none()
    }

    pub(super) fn of(face: &TableFace, additive: bool) -> Self {
        let rows = face.measure == ROWS;
        let sum = face.reach.is_some().then(|| face.measure.clone());
        Self { rows, alone: (!additive && !rows && sum.is_none()).then(|| face.from.clone()), sum }
    }
}

/// The combinations that cannot occur, by column and code: everyone knows that there is nobody in them.
pub(super) fn impossible(plan: &Plan) -> Vec<BTreeMap<String, Vec<String>>> {
    let cuts = |zero: &Vec<(usize, Vec<usize>)>| -> Vec<Cut> {
        zero.iter().map(|(dim, levels)| Cut { dim: *dim, levels: levels.clone() }).collect()
    };
    plan.structural_zeros.iter().map(|zero| codes(plan, &cuts(zero))).collect()
}

/// The measure of tables of rows.
pub(super) const ROWS: &str = "rows";

/// Tables whose figures tell of each other.
pub(super) type Linked = BTreeMap<Link, Vec<Told>>;
