//! An admitted question: exactly what will be measured, what it costs, and what will be shown of it.
//!
//! # Guarantee
//! G2: a [`Plan`] is built only by `policy::admit`; vault and tabulate take `&Plan`.
//!
//! A plan cannot be built, nor one made out of another, outside this stage:
//! ```compile_fail,E0451
//! use halflight::{budget::Nanos, policy::Plan};
//! fn forged(admitted: Plan) -> Plan { Plan { cost: Nanos::ZERO, ..admitted } }
//! ```
//! The twin that compiles: an admitted one can be read.
//! ```
//! use halflight::{budget::Nanos, policy::Plan};
//! fn price(admitted: &Plan) -> Nanos { admitted.cost }
//! ```

use super::figure::Figure;
use super::model::{KnownTotal, Text};
use super::price::Prediction;
use super::quantity::Quantity;
use super::regions::Cells;
use super::ruled::Ruled;
use crate::budget::{Accounting, Nanos};
use crate::design::Nesting;
use crate::identity::{AccountId, DatasetId, Digest, Period, Purpose};
use serde::{Deserialize, Serialize};

/// The name of the period when it is a dimension of a table.
pub const PERIOD: &str = "period";

/// A closed edition of one period.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EditionRef {
    /// The period.
    pub period: Period,
    /// 1 for the first closing, one more for each correction.
    pub number: u32,
}

/// An admitted question.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The dataset.
    pub dataset: DatasetId,
    /// The policy's title, for the release.
    pub title: Text,
    /// Digest of the policy in force.
    pub policy: Digest,
    /// Its version.
    pub policy_version: u32,
    /// The account that pays.
    pub account: AccountId,
    /// How it adds up.
    pub accounting: Accounting,
    /// What the answer is for.
    pub purpose: Purpose,
    /// The editions read, in order of period.
    pub editions: Vec<EditionRef>,
    /// The dimensions measured (filters among them), in canonical order: the period first, then the policy's order;
    /// then the groupings that the question names beside something finer.
    pub dimensions: Vec<Dimension>,
    /// The tables measured; each gets noise of its own. In canonical order.
    pub measured: Vec<Measured>,
    /// Whether cells of a table of persons sum to its margins; those of everything else always do.
    pub additive: bool,
    /// What is told of each shown cell, in canonical order.
    pub figures: Vec<Figure>,
    /// The price: the sum of the measured tables' units.
    pub cost: Nanos,
    /// The tables shown, as positions in `dimensions`; those asked for first, then their margins.
    pub shown: Vec<Shown>,
    /// Filters, cut out of the measured tables.
    pub cuts: Vec<Cut>,
    /// Rules for the cells, `[[require]]` applied.
    pub rules: Rules,
    /// The delta shown with an epsilon, as written in the policy.
    pub delta: String,
    /// Combinations that cannot occur, as (dimension, levels) lists over `dimensions`; cells in one are 0.
    pub structural_zeros: Vec<Vec<(usize, Vec<usize>)>>,
    /// Groups whose cells are watched, in the same form.
    pub vulnerable: Vec<Vec<(usize, Vec<usize>)>>,
    /// Stricter floors of the policy for codes that the draw tells apart.
    pub ruled: Vec<Ruled>,
    /// Totals published elsewhere, shown beside the figures they are about.
    pub known_totals: Vec<KnownTotal>,
    /// What identifies the draw: the same for the same measurement, whoever asks and whatever is cut out of it.
    pub draw: Digest,
    /// What identifies the release: the draw and what is shown of it.
    pub release: Digest,
    /// What identifies the measurement whatever is paid for it: the draw without its spend. A question that was
    /// answered at a higher price is answered from there.
    pub measurement: Digest,
    /// How many of the tables in `shown`, from the first, were asked for; the others are their margins.
    pub asked: usize,
    /// The question in canonical form, as printed in the release.
    pub question: serde_json::Value,
    /// Keeps the struct from being built outside `policy`.
    #[expect(dead_code, reason = "it is there to be made in one place only")]
    pub(super) admitted: Admitted,
}

/// Proof that a [`Plan`] went through `admit`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admitted(pub(super) ());

/// One dimension of the draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimension {
    /// The name of the column or grouping, or [`PERIOD`].
    pub name: String,
    /// The column that it is read from: the same, unless it is a grouping.
    pub column: String,
    /// Its name for people.
    pub title: Text,
    /// The SDMX concept.
    pub concept: Option<String>,
    /// Whether it is a per-row column.
    pub per_row: bool,
    /// The levels, in order; their members are disjoint and cover the code list.
    pub levels: Vec<Level>,
    /// What its levels are groups of, where that stands in the same draw.
    pub finer: Option<Finer>,
}

/// A finer dimension of the same draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finer {
    /// Its position in [`Plan::dimensions`]; it is finer than no other.
    pub dim: usize,
    /// For each level the levels there that belong to it, ascending.
    pub groups: Vec<Vec<usize>>,
}

/// One level of a dimension: a code, or a group of codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// What stands in the cell's key.
    pub code: String,
    /// Its names, if the list gives any.
    pub names: Text,
    /// The codes of the column that belong to it (one, unless grouped).
    pub members: Vec<String>,
}

/// One table that is measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// What is added up in its cells.
    pub quantity: Quantity,
    /// Positions in `Plan::dimensions`, ascending.
    pub dims: Vec<usize>,
    /// Its share of the price.
    pub units: Nanos,
    /// L1 sensitivity, in the unit of the quantity.
    pub l1: u64,
    /// Square of the L2 sensitivity.
    pub l2_squared: u64,
    /// Whether persons are counted once per cell over per-row columns (then cells do not add up).
    pub distinct: bool,
}

/// One table that is shown. Filtered dimensions that are not broken down by are summed over their cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Positions in `Plan::dimensions` the table is broken down by, ascending.
    pub dims: Vec<usize>,
}

/// A filter: only these levels of a dimension.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cut {
    /// Position in `Plan::dimensions`.
    pub dim: usize,
    /// The levels selected, ascending.
    pub levels: Vec<usize>,
}

/// Rules for the cells of one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// The floor, on noisy persons.
    pub threshold: u32,
    /// Shown figures are multiples of this.
    pub round_to: u32,
    /// Half-width over figure above which a figure is unreliable.
    pub moe_relative_max: f64,
    /// Whether unreliable figures are withheld.
    pub withhold_unreliable: bool,
    /// Whether partners are withheld with small cells.
    pub complementary: bool,
}

impl Plan {
    /// The quantities measured, in order.
    #[must_use]
    pub fn quantities(&self) -> Vec<&Quantity> {
        let mut all: Vec<&Quantity> = self.measured.iter().map(|measured| &measured.quantity).collect();
        all.dedup();
        all
    }

    /// The cells of a shown table, filters applied.
    #[must_use]
    pub fn cells_of(&self, shown: &Shown) -> Cells {
        Cells::new(&self.dimensions, &self.cuts, &shown.dims)
    }

    /// The dimension that is measured at several levels, if there is one; only where tables add up.
    #[must_use]
    pub fn nesting(&self) -> Option<Nesting> {
        let tables = self.measured.iter().map(|measured| &measured.dims);
        if self.additive { super::regions::nesting(&self.dimensions, tables) } else { None }
    }

    /// The dimensions that no finer one stands beside: what their levels are made of is not told by another.
    pub fn measured_dimensions(&self) -> impl Iterator<Item = (usize, &Dimension)> {
        self.dimensions.iter().enumerate().filter(|(_, dimension)| dimension.finer.is_none())
    }

    /// The part of this plan that measures one quantity, with the cuts of a numerator or a group in place of its own on
    /// the same dimensions. What it measures is joined by least squares if the quantity adds up.
    #[must_use]
    pub fn part(&self, quantity: &Quantity, of: &[Cut]) -> Self {
        Self {
            measured: self.measured.iter().filter(|m| m.quantity == *quantity).cloned().collect(),
            additive: self.additive || *quantity != Quantity::Persons,
            cuts: self.cut_by(of),
            ..self.clone()
        }
    }

    /// The cuts of a numerator, and those of this plan on other dimensions.
    #[must_use]
    pub fn cut_by(&self, of: &[Cut]) -> Vec<Cut> {
        let others = self.cuts.iter().filter(|cut| of.iter().all(|own| own.dim != cut.dim));
        others.chain(of).cloned().collect()
    }

    /// The errors to expect of this plan's tables of persons, before anything is measured.
    #[must_use]
    pub fn prediction(&self) -> Prediction<'_> {
        let persons = self.measured.iter().filter(|measured| measured.quantity == Quantity::Persons);
        Prediction::new(&self.dimensions, &self.cuts, persons, self.accounting, self.additive)
    }

    /// Variance to expect of the worst cell of a shown table, filters included. For many tables, ask
    /// [`Plan::prediction`].
    #[must_use]
    pub fn predicted_variance(&self, shown: &Shown) -> f64 {
        self.prediction().variance(shown)
    }

    /// The floor of a table over these dimensions. Where periods are pooled, one person may count once in each of them,
    /// so the floor on persons is one on counts times the periods; those of a group of periods, times as many.
    #[must_use]
    pub fn floor(&self, dims: &[usize]) -> u32 {
        let period = self.dimensions.iter().position(|d| d.name == PERIOD);
        let cut = period.and_then(|period| self.cuts.iter().find(|cut| cut.dim == period));
        let pooled = match period.filter(|period| dims.contains(period)) {
            Some(_) => 1,
            None => cut.map_or(self.editions.len(), |cut| cut.levels.len()),
        };
        self.rules.threshold.saturating_mul(u32::try_from(pooled).unwrap_or(u32::MAX))
    }

    /// The number of cells of a table over these dimensions.
    #[must_use]
    pub fn cells(&self, dims: &[usize]) -> usize {
        dims.iter().filter_map(|&d| self.dimensions.get(d)).map(|d| d.levels.len()).product()
    }
}
