//! A draft: everything a release will say, not yet charged.
//!
//! # Guarantee
//! G10: a draft is not a release and cannot be served; only what the ledger commits becomes one.

use super::body::{Body, Cell, CodeName, DimensionFace, EditionFace, PolicyFace, Privacy};
use super::cells::cells;
use super::telling::Telling;
use crate::budget::Accounting;
use crate::identity::{Digest, ReleaseId};
use crate::ledger::{Entry, Settle};
use crate::noise;
use crate::policy::{Dimension, Figure, Level, Plan};
use std::collections::BTreeMap;

/// The code of a dimension that is summed out.
pub const TOTAL: &str = "_T";

const COVERS: &str = "privacy noise only, not errors of coverage, sampling or reporting";

/// A release in the making.
pub struct Draft {
    entry: Entry,
    tells: bool,
}

impl Settle for Draft {
    fn entry(&self) -> Entry {
        self.entry.clone()
    }
}

impl Draft {
    /// Writes down what is told of every cell. `from` is the release whose draw it was cut from, if it is not the one
    /// that pays for it.
    ///
    /// # Errors
    /// If the body cannot be written as JSON (never, for figures that passed suppression).
    pub(super) fn new(
        plan: &Plan,
        telling: Telling,
        epsilon: String,
        from: Option<ReleaseId>,
    ) -> Result<Self, serde_json::Error> {
        let id = ReleaseId::random();
        let tables: Vec<Vec<Cell>> = telling.tables.iter().map(|table| cells(plan, table)).collect();
        let tells = tables.iter().take(plan.asked).flatten().any(|cell| cell.estimate.is_some());
        let body = Body {
            id: id.clone(),
            dataset: plan.dataset.clone(),
            title: plan.title.clone(),
            policy: PolicyFace { version: plan.policy_version, sha256: plan.policy },
            question: plan.question.clone(),
            privacy: privacy(plan, epsilon, from.is_none()),
            answered_from: from,
            editions: plan.editions.iter().cloned().map(|edition| EditionFace { edition }).collect(),
            confidence: 0.95,
            interval_covers: COVERS.into(),
            notes: notes(plan),
            additive: plan.additive,
            dimensions: plan
                .dimensions
                .iter()
                .enumerate()
                .filter(|(dim, _)| is_shown(plan, *dim))
                .map(|(dim, dimension)| face(plan, dimension, dim))
                .collect(),
            cells: tables.into_iter().flatten().collect(),
            certificate: telling.certificate,
            impossible: super::table::impossible(plan),
            loss: telling.loss,
            tables: telling.faces,
        };
        let body = serde_json::to_vec(&body)?;
        let sha256 = Digest::of(&body);
        Ok(Self {
            entry: Entry { id, dataset: plan.dataset.clone(), release: plan.release, draw: plan.draw, body, sha256 },
            tells,
        })
    }

    /// Whether a figure of the tables asked for is told.
    pub(super) fn tells(&self) -> bool {
        self.tells
    }
}

/// What a plan costs as an epsilon. Takes some milliseconds, and only the plan.
pub(super) fn epsilon(plan: &Plan) -> String {
    let epsilon = delta(plan).parse().ok().and_then(|delta| noise::epsilon_at(plan.accounting, plan.cost, delta));
    epsilon.unwrap_or_else(|| "unbounded".into())
}

fn delta(plan: &Plan) -> &str {
    match plan.accounting {
        Accounting::Zcdp => &plan.delta,
        Accounting::Pure => "0",
    }
}

fn privacy(plan: &Plan, epsilon: String, charged: bool) -> Privacy {
    let (mechanism, rho) = match plan.accounting {
        Accounting::Zcdp => ("discrete_gaussian", Some(plan.cost)),
        Accounting::Pure => ("discrete_laplace", None),
    };
    Privacy {
        unit: "person".into(),
        neighbours: "add_remove".into(),
        accounting: plan.accounting,
        rho,
        epsilon,
        delta: delta(plan).to_owned(),
        mechanism: mechanism.into(),
        library: noise::LIBRARY.into(),
        charged,
    }
}

fn notes(plan: &Plan) -> Vec<String> {
    let mut notes = vec![
        "Every figure has random noise in it, but for zeros that the policy declares; the interval says how much.".to_owned(),
        floor_note(plan),
        partners_note(plan).into(),
        "Small shown figures are on average a little too high, because those that noise pushed down are withheld.".into(),
        "The figures describe the register as bounded by its policy: a person's rows beyond the declared maximum are not counted.".into(),
    ];
    if plan.editions.len() > 1 {
        notes.push("A person who is in several of the periods counts once in each of them.".into());
    }
    if !plan.additive {
        notes.push("Persons are counted once in each cell. One person can be in several cells, so cells do not add up to margins.".into());
    }
    notes.extend(plan.figures.iter().filter_map(figure_note).collect::<std::collections::BTreeSet<_>>());
    if plan.cuts.iter().any(|cut| plan.shown.iter().any(|shown| plan.cells_of(shown).along(cut.dim).is_some())) {
        notes.push("_T of a filtered dimension is the total of the codes selected.".into());
    }
    notes
}

/// What a reader must know of figures other than persons.
fn figure_note(figure: &Figure) -> Option<String> {
    let note = match figure {
        Figure::Persons => return None,
        Figure::Rows => "Rows are those kept of each person, at most as many as the policy says.",
        Figure::Sum(_) | Figure::Mean(_) => {
            "Numbers were clamped to the bounds of the policy before they were added up; missing ones do not count."
        }
        Figure::Quantile { .. } => {
            "Quantiles come from noisy counts of the bins of the policy; within a bin values are taken as spread evenly."
        }
        Figure::Share { .. } => {
            "A share is told where the persons in its numerator (stated beside it) and the others of its base reach the floor."
        }
        Figure::Comparison(_) => {
            "A comparison is told where both groups, stated beside it, reach the floor. It is within the noise where its interval has no ends, or holds 0 (a ratio: 1)."
        }
    };
    Some(note.to_owned())
}

fn partners_note(plan: &Plan) -> &'static str {
    if plan.rules.complementary {
        "Other cells are withheld with them: no published figures of one draw determine a withheld one. Separate draws may estimate it, within the budget."
    } else {
        "The policy forgoes partners: withheld noisy figures can be worked out from published ones, within the privacy that was paid for."
    }
}

fn floor_note(plan: &Plan) -> String {
    let (least, pooled) = (plan.rules.threshold, plan.floor(&[]));
    let pooled = if pooled > least { format!(" ({pooled} where periods are summed)") } else { String::new() };
    let wide = if plan.rules.withhold_unreliable { ", or whose interval is too wide," } else { "" };
    format!(
        "Cells whose noisy number of persons is below {least}{pooled}{wide} are withheld. Withheld does not mean zero."
    )
}

/// Whether a dimension stands in keys: not one that only the numerator of a share is cut from.
pub(super) fn is_shown(plan: &Plan, dim: usize) -> bool {
    plan.shown.iter().any(|shown| shown.dims.contains(&dim)) || plan.cuts.iter().any(|cut| cut.dim == dim)
}

/// The levels of a dimension that stand in keys.
fn face(plan: &Plan, dimension: &Dimension, dim: usize) -> DimensionFace {
    let of = (dimension.column != dimension.name).then(|| dimension.column.clone());
    let levels: Vec<&Level> = crate::estimate::selected(plan, dim)
        .into_iter()
        // By place, not by code: a list may hold the very code that stands for what a filter leaves out.
        .filter_map(|level| dimension.levels.get(level))
        .collect();
    let members = |levels: &[&Level]| {
        let members = levels.iter().flat_map(|level| &level.members).cloned();
        if of.is_some() { members.collect() } else { Vec::new() }
    };
    let codes = match (fixed_key(plan, dim), levels.as_slice()) {
        (Some(code), [one]) => vec![CodeName { code, name: one.names.clone(), members: members(&[*one]) }],
        (Some(code), several) => vec![CodeName { code, name: BTreeMap::new(), members: members(several) }],
        (None, levels) => levels
            .iter()
            .map(|level| CodeName { code: level.code.clone(), name: level.names.clone(), members: members(&[*level]) })
            .collect(),
    };
    DimensionFace {
        id: dimension.name.clone(),
        title: dimension.title.clone(),
        concept: dimension.concept.clone(),
        codes,
        of,
    }
}

/// The key of a dimension that is filtered and broken down by nowhere: its code, or its codes joined by `+`.
pub(super) fn fixed_key(plan: &Plan, dim: usize) -> Option<String> {
    if plan.shown.iter().any(|shown| shown.dims.contains(&dim)) {
        return None;
    }
    let cut = plan.cuts.iter().find(|cut| cut.dim == dim)?;
    let dimension = plan.dimensions.get(dim)?;
    let codes: Vec<&str> =
        cut.levels.iter().filter_map(|&l| dimension.levels.get(l)).map(|l| l.code.as_str()).collect();
    Some(codes.join("+"))
}
