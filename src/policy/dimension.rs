//! Dimensions of a draw: the levels of a column, of a grouping, of a filter; which of them are made of which.

use super::asked::{Asked, Place, codes_at, column_at};
use super::levels;
use super::model::{Per, Policy, Text};
use super::plan::{Dimension, Finer, Level, PERIOD};
use super::shape::structural_zeros;
use crate::design::Nesting;
use std::collections::{BTreeMap, BTreeSet};

/// The code of what a grouped filter leaves out. It is measured and never shown.
pub(super) const REST: &str = "_O";

/// By place, where codes are taken together: the codes of each level.
pub(super) type Together = BTreeMap<Place, Vec<BTreeSet<u16>>>;

/// What is selected of a column, each selection by itself, and the rest, in the order of their first codes: so that a
/// filter and its opposite are one draw. Empty for the period, and where nothing is selected.
pub(super) fn together(policy: &Policy, asked: &Asked, place: Place) -> Vec<BTreeSet<u16>> {
    let selections = asked.selections(place);
    let Some(list) = codes_at(policy, place).filter(|_| !selections.is_empty()) else { return Vec::new() };
    let all = list.codes.iter().filter_map(|code| list.position(&code.id));
    let rest: BTreeSet<u16> = all.filter(|code| !selections.iter().any(|codes| codes.contains(code))).collect();
    let mut groups: Vec<BTreeSet<u16>> = selections.into_iter().cloned().chain([rest]).collect();
    groups.retain(|codes| !codes.is_empty());
    groups.sort();
    groups
}

/// The dimension at a place: a level for every code, or for those that are taken together.
pub(super) fn dimension(
    policy: &Policy,
    asked: &Asked,
    place: Place,
    together: Option<&Vec<BTreeSet<u16>>>,
) -> Dimension {
    let Some(column) = column_at(policy, place) else {
        return period_of(asked.periods.iter().map(crate::identity::Period::as_str));
    };
    let codes = every_level(policy, place);
    let selections = asked.selections(place);
    let level = |group: &BTreeSet<u16>| {
        let held: Vec<&Level> = group.iter().filter_map(|&code| codes.get(usize::from(code))).collect();
        let joined = |code: String| {
            let members = held.iter().flat_map(|level| level.members.clone()).collect();
            Level { code, names: Text::new(), members }
        };
        match (selections.contains(group), held.as_slice()) {
            (false, _) => joined(REST.to_owned()),
            (true, [one]) => (*one).clone(),
            (true, several) => joined(several.iter().map(|level| level.code.as_str()).collect::<Vec<_>>().join("+")),
        }
    };
    let levels = together.map(|groups| groups.iter().map(level).collect());
    dimension_of(policy, column, levels.unwrap_or_else(|| codes.clone()))
}

/// A dimension of these levels.
pub(super) fn dimension_of(policy: &Policy, column: &super::Column, levels: Vec<Level>) -> Dimension {
    let of = column.of.as_ref().map_or(&column.name, |of| &of.column);
    Dimension {
        name: column.name.clone(),
        column: of.clone(),
        title: column.title.clone(),
        concept: column.concept.clone(),
        per_row: policy.column(of).is_some_and(|column| column.per == Per::Row),
        levels,
        finer: None,
    }
}

/// A level for every code at a place.
pub(super) fn every_level(policy: &Policy, place: Place) -> Vec<Level> {
    let Some(list) = codes_at(policy, place) else { return Vec::new() };
    let of_column = codes_at(policy, levels::column_of(policy, place));
    let level = |(code, members): (&super::Code, BTreeSet<u16>)| {
        let members = members.iter().filter_map(|&member| of_column?.code(member)).map(|member| member.id.clone());
        Level { code: code.id.clone(), names: code.names.clone(), members: members.collect() }
    };
    list.codes.iter().zip(levels::members_at(policy, place)).map(level).collect()
}

/// The period as a dimension.
pub(super) fn period_of<'a>(periods: impl Iterator<Item = &'a str>) -> Dimension {
    let title =
        [("en", "Period"), ("fr", "Période"), ("es", "Período"), ("ar", "الفترة"), ("ru", "Период"), ("zh", "时期")];
    let level = |period: &str| Level { code: period.into(), names: Text::new(), members: vec![period.into()] };
    Dimension {
        name: PERIOD.to_owned(),
        column: PERIOD.to_owned(),
        title: title.iter().map(|(l, t)| ((*l).to_owned(), (*t).to_owned())).collect(),
        concept: Some("TIME_PERIOD".to_owned()),
        per_row: false,
        levels: periods.map(level).collect(),
        finer: None,
    }
}

/// Notes of a dimension that its levels are groups of another's.
pub(super) fn finer(dimensions: &mut [Dimension], coarse: usize, fine: usize) {
    let groups = match (dimensions.get(coarse), dimensions.get(fine)) {
        (Some(coarse), Some(fine)) => groups(&coarse.levels, &fine.levels),
        _ => None,
    };
    if let (Some(dimension), Some(groups)) = (dimensions.get_mut(coarse), groups) {
        dimension.finer = Some(Finer { dim: fine, groups });
    }
}

/// For each level those of a finer dimension that belong to it; `None` if it is not made of whole ones.
pub(super) fn groups<'a>(coarse: impl IntoIterator<Item = &'a Level>, fine: &[Level]) -> Option<Vec<Vec<usize>>> {
    let numbered = fine.iter().enumerate().flat_map(|(at, level)| level.members.iter().map(move |code| (code, at)));
    let level_of: BTreeMap<&String, usize> = numbered.collect();
    let group = |level: &Level| {
        let held: BTreeSet<usize> =
            level.members.iter().map(|code| level_of.get(code).copied()).collect::<Option<_>>()?;
        let members = held.iter().filter_map(|&at| fine.get(at)).map(|level| level.members.len());
        (members.sum::<usize>() == level.members.len()).then(|| held.into_iter().collect())
    };
    coarse.into_iter().map(group).collect()
}

/// The groupings that may be measured beside what they group: those of one dimension, a geography if there is one, each
/// made of the next finer. None where combinations are impossible: no estimate takes both into account.
pub(super) fn nested(policy: &Policy, dimensions: &[Dimension], additive: bool) -> BTreeSet<usize> {
    if !additive || !structural_zeros(policy, dimensions).is_empty() {
        return BTreeSet::new();
    }
    let coarser = || dimensions.iter().enumerate().filter_map(|(at, d)| Some((at, d, d.finer.as_ref()?)));
    let is_place = |d: &Dimension| policy.column(&d.column).is_some_and(|column| column.geo_level.is_some());
    let base = coarser().find(|(_, d, _)| is_place(d)).or_else(|| coarser().next()).map(|(_, _, finer)| finer.dim);
    let Some((base, fine)) = base.and_then(|base| Some((base, dimensions.get(base)?))) else { return BTreeSet::new() };
    let mut kept: Vec<(usize, Vec<Vec<usize>>)> = Vec::new();
    for (at, _, finer) in coarser().filter(|(_, _, finer)| finer.dim == base) {
        let with = kept.iter().cloned().chain([(at, finer.groups.clone())]).collect();
        if Nesting::new(base, fine.levels.len(), with).is_some() {
            kept.push((at, finer.groups.clone()));
        }
    }
    kept.into_iter().map(|(at, _)| at).collect()
}
