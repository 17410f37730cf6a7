//! What suppression costs, and whom: the cells of vulnerable groups that are shown, against the rest.
//!
//! In public it is told in cells, which everyone can count. In persons it is told to officers alone, since it is an
//! equation about withheld cells: whether a group has fallen silent, and which coarser table would show it.
//!
//! # Guarantee
//! G9: noisy figures only.

use super::answer::AnswerError;
use super::body::Body;
use super::keys::Inside;
use super::linked::Frame;
use super::partners::{PartnersFace, partners};
use super::parts::Parts;
use super::table::{Linked, codes};
use crate::estimate::EstimatedTable;
use crate::policy::{Cut, Figure, Plan};
use crate::suppress::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts of all tables of persons, by group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LossFace {
    /// Each vulnerable group that the release touches.
    pub groups: Vec<GroupCells>,
    /// The cells of no such group.
    pub rest: Counts,
}

/// How many cells there are, and how many of them are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Counts {
    /// All, but for those that cannot exist.
    pub cells: usize,
    /// Those shown.
    pub shown: usize,
}

/// The cells of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GroupCells {
    /// How many.
    #[serde(flatten)]
    pub cells: Counts,
    /// By column, the codes that make the group.
    #[serde(rename = "where")]
    pub selection: BTreeMap<String, Vec<String>>,
}

/// What suppression costs in a release. For officers alone.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Loss {
    /// By vulnerable group and table.
    pub groups: Vec<GroupLoss>,
    /// How many cells are withheld for their own sake, and how many for theirs; none where a policy asks for no
    /// partners.
    pub partners: Option<PartnersFace>,
}

/// What a vulnerable group loses in one table. For officers alone.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct GroupLoss {
    /// By column, the codes that make the group.
    #[serde(rename = "where")]
    pub selection: BTreeMap<String, Vec<String>>,
    /// What the table is broken down by.
    pub by: Vec<String>,
    /// Its cells of the group.
    pub cells: Counts,
    /// Its cells of no such group.
    pub rest: Counts,
    /// Noisy persons in the cells of the group.
    pub persons: i64,
    /// Those of them in cells that are shown.
    pub persons_shown: i64,
    /// Whether the group has fallen silent where the rest is heard: less than half as much of it is shown.
    pub silenced: bool,
    /// The largest coarser table of the same draw in which every cell of the group reaches the floor.
    pub coarser: Option<Vec<String>>,
}

impl Counts {
    fn count(&mut self, verdict: Verdict) {
        self.cells += usize::from(verdict != Verdict::Structural);
        self.shown += usize::from(verdict == Verdict::Shown);
    }

    /// Whether less than half as much of these is shown as of others.
    fn silent_beside(self, others: Self) -> bool {
        self.cells > 0 && 2 * self.shown * others.cells < others.shown * self.cells
    }
}

/// The cells of every vulnerable group, over all tables; none where no group can be told from the others.
pub(super) fn loss(plan: &Plan, tables: &[EstimatedTable], verdicts: &[Vec<Verdict>]) -> Option<LossFace> {
    let mut groups: Vec<GroupCells> = plan
        .vulnerable
        .iter()
        .map(|group| GroupCells { cells: Counts::default(), selection: named(plan, group) })
        .collect();
    let mut rest = Counts::default();
    for (table, verdicts) in tables.iter().zip(verdicts) {
        let inside = Inside::new(plan, &table.dims);
        for (place, &verdict) in verdicts.iter().enumerate() {
            let mut of_any = false;
            for (group, counted) in plan.vulnerable.iter().zip(&mut groups) {
                if inside.holds(place, group) {
                    counted.cells.count(verdict);
                    of_any = true;
                }
            }
            if !of_any {
                rest.count(verdict);
            }
        }
    }
    groups.retain(|group| group.cells.cells > 0);
    (!groups.is_empty()).then_some(LossFace { groups, rest })
}

fn named(plan: &Plan, group: &[(usize, Vec<usize>)]) -> BTreeMap<String, Vec<String>> {
    let cuts: Vec<Cut> = group.iter().map(|(dim, levels)| Cut { dim: *dim, levels: levels.clone() }).collect();
    codes(plan, &cuts)
}

/// What every vulnerable group loses in the tables asked for, as the body of their release shows them, and what the
/// partners cost beside all that stood `earlier` of the draw.
pub(super) fn losses(plan: &Plan, parts: &Parts<'_>, body: &Body, earlier: &Linked) -> Result<Loss, AnswerError> {
    let told = Frame::of_plan(plan).tables(body).map_err(|_| AnswerError::Fault("shelf"))?;
    let released: Vec<Vec<Verdict>> = told.into_iter().map(|(_, told)| told.verdicts).collect();
    let persons = body.tables.iter().zip(&released).filter(|(face, _)| face.measure == Figure::Persons.name());
    let verdicts: Vec<Vec<Verdict>> = persons.map(|(_, verdicts)| verdicts.clone()).collect();
    let groups = by_group(plan, parts, &parts.persons(&[])?, &verdicts);
    Ok(Loss { groups, partners: partners(plan, parts, &released, earlier)? })
}

fn by_group(plan: &Plan, parts: &Parts<'_>, tables: &[EstimatedTable], verdicts: &[Vec<Verdict>]) -> Vec<GroupLoss> {
    let mut losses = Vec::new();
    for (table, verdicts) in tables.iter().zip(verdicts).take(plan.asked) {
        let inside = Inside::new(plan, &table.dims);
        for group in &plan.vulnerable {
            let (mut cells, mut rest, mut persons, mut persons_shown) =
                (Counts::default(), Counts::default(), 0.0, 0.0);
            for (place, (&verdict, value)) in verdicts.iter().zip(&table.values).enumerate() {
                if inside.holds(place, group) {
                    cells.count(verdict);
                    persons += value;
                    persons_shown += if verdict == Verdict::Shown { *value } else { 0.0 };
                } else if !plan.vulnerable.iter().any(|other| inside.holds(place, other)) {
                    rest.count(verdict);
                }
            }
            let silenced = cells.silent_beside(rest);
            let coarser = if cells.shown < cells.cells { coarser(plan, parts, table, group) } else { None };
            let by = names(plan, &table.dims);
            let (persons, persons_shown) = (whole(persons), whole(persons_shown));
            if cells.cells > 0 {
                let selection = named(plan, group);
                losses.push(GroupLoss { selection, by, cells, rest, persons, persons_shown, silenced, coarser });
            }
        }
    }
    losses
}

/// The table over the most of these dimensions in which every cell of a group reaches the floor.
fn coarser(
    plan: &Plan,
    parts: &Parts<'_>,
    table: &EstimatedTable,
    group: &[(usize, Vec<usize>)],
) -> Option<Vec<String>> {
    let of_group = |dim: &usize| group.iter().any(|(own, _)| own == dim);
    let (kept, others): (Vec<usize>, Vec<usize>) = table.dims.iter().copied().partition(|dim| of_group(dim));
    let mut subsets: Vec<Vec<usize>> = others.iter().fold(vec![kept], |all, &dim| {
        all.iter().cloned().chain(all.iter().map(|subset| [subset.as_slice(), &[dim]].concat())).collect()
    });
    subsets.sort_by_key(|subset| std::cmp::Reverse(subset.len()));
    for mut dims in subsets.into_iter().filter(|subset| subset.len() < table.dims.len()) {
        dims.sort_unstable();
        let Ok(found) = parts.table(&dims) else { continue };
        let floor = f64::from(plan.floor(&dims));
        let inside = Inside::new(plan, &dims);
        let told = found
            .values
            .iter()
            .enumerate()
            .all(|(place, value)| !inside.holds(place, group) || *value >= floor || inside.impossible(place));
        if told {
            return Some(names(plan, &dims));
        }
    }
    None
}

fn names(plan: &Plan, dims: &[usize]) -> Vec<String> {
    dims.iter().filter_map(|&dim| plan.dimensions.get(dim)).map(|dimension| dimension.name.clone()).collect()
}

#[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "persons, far below 2^53")]
fn whole(persons: f64) -> i64 {
    persons.round() as i64
}
