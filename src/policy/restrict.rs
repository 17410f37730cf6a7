//! The policy's rules for what may stand together: forbidden crossings, and stricter rules for certain codes.
//!
//! A filter counts as a dimension, and so does a column in the numerator of a share or in the groups of a comparison. A
//! rule about certain codes also holds when a filter, or all measures together, leave out some of them and nothing but
//! codes that rules are about: the difference to the total would show them.
//!
//! A rule holds for every level of the columns it names. A forbidden crossing stays forbidden for their groupings,
//! unless it spares them; a rule about codes holds for a group with some of them and nothing but codes of rules.

use super::asked::{Asked, Place, column_at, name_at};
use super::inadmissible::Inadmissible;
use super::levels;
use super::model::{Forbid, Policy, Require};
use super::plan::Rules;
use std::collections::BTreeSet;

/// No table may hold a forbidden crossing.
pub(super) fn check_crossings(policy: &Policy, asked: &Asked) -> Result<(), Inadmissible> {
    for table in &asked.tables {
        let names: BTreeSet<String> = asked.with_filters(table).iter().map(|&p| name_at(policy, p)).collect();
        if let Some(forbid) = policy.forbids(&names) {
            let cross = forbid.cross.iter().cloned().collect();
            return Err(Inadmissible::CrossForbidden { cross, reason: forbid.reason.clone() });
        }
    }
    Ok(())
}

impl Policy {
    /// The rule that forbids these columns and groupings together, if one does.
    pub(super) fn forbids(&self, names: &BTreeSet<String>) -> Option<&Forbid> {
        self.forbids.iter().find(|forbid| {
            let mut of_rule = forbid.cross.iter();
            let counts = |name: &&String| !forbid.spares.contains(*name);
            of_rule.all(|ruled| {
                names.iter().filter(counts).any(|name| self.column_named(name) == self.column_named(ruled))
            })
        })
    }

    /// The column that a name is a level of.
    fn column_named<'a>(&'a self, name: &'a str) -> &'a str {
        let of = self.groupings.iter().find(|grouping| grouping.name == name).and_then(|grouping| grouping.of.as_ref());
        of.map_or(name, |of| &of.column)
    }
}

/// No table may hold a geography finer than the codes in it allow.
pub(super) fn check_geography(policy: &Policy, asked: &Asked) -> Result<(), Inadmissible> {
    for (table, require) in applying(policy, asked) {
        let Some(level_max) = require.rule.geo_level_max else { continue };
        let fine =
            table.iter().filter_map(|&p| column_at(policy, p)).find(|c| c.geo_level.is_some_and(|g| g > level_max));
        if let Some(geography) = fine {
            let column = require.when.keys().cloned().collect::<Vec<_>>().join(" and ");
            return Err(Inadmissible::GeoTooFine { column, geography: geography.name.clone(), level_max });
        }
    }
    Ok(())
}

/// No table may be deeper than the policy and the codes in it allow, nor all of them together than a draw can hold.
pub(super) fn check_depth(policy: &Policy, asked: &Asked) -> Result<(), Inadmissible> {
    let size = |most: u32| usize::try_from(most).unwrap_or(usize::MAX);
    let general = asked.tables.iter().map(|t| (asked.with_filters(t).len(), size(policy.cells.dims_max)));
    let special = applying(policy, asked).filter_map(|(t, r)| Some((t.len(), size(r.rule.dims_max?))));
    let all: BTreeSet<Place> = asked.measured(policy);
    let whole = std::iter::once((all.len(), crate::design::DIMENSIONS_MAX));
    match general.chain(special).chain(whole).filter(|(asked, most)| asked > most).min_by_key(|(_, most)| *most) {
        Some((asked, most)) => Err(Inadmissible::TooManyDimensions { asked, most }),
        None => Ok(()),
    }
}

/// The rules for the cells: the highest floor that any table brings about.
pub(super) fn rules(policy: &Policy, asked: &Asked) -> Rules {
    let floors = applying(policy, asked).filter_map(|(_, require)| require.rule.threshold);
    Rules {
        threshold: floors.fold(policy.cells.threshold, u32::max),
        round_to: policy.cells.round_to,
        moe_relative_max: policy.cells.moe_relative_max,
        withhold_unreliable: policy.cells.withhold_unreliable,
        complementary: policy.cells.complementary,
    }
}

/// The stricter rules that hold, each with the table (filters included) that brings it about.
fn applying<'a>(policy: &'a Policy, asked: &'a Asked) -> impl Iterator<Item = (BTreeSet<Place>, &'a Require)> {
    asked.tables.iter().flat_map(move |table| {
        let table = asked.with_filters(table);
        let holds = policy.requires.iter().filter(|r| applies(policy, asked, &table, r)).collect::<Vec<_>>();
        holds.into_iter().map(move |require| (table.clone(), require))
    })
}

/// Whether every column of the rule is, at some level, a dimension of the table, with the rule's codes shown or left
/// out alone.
fn applies(policy: &Policy, asked: &Asked, table: &BTreeSet<Place>, require: &Require) -> bool {
    require.when.iter().all(|(name, codes)| {
        let Some((column, of_rule)) = about(policy, name, codes) else { return false };
        let same = table.iter().filter(|&&place| levels::column_of(policy, place) == column);
        same.copied().any(|place| brings_about(policy, asked, place, column, &of_rule))
    })
}

/// A column, and the codes of its list that these of one of its levels stand for.
fn about(policy: &Policy, name: &str, codes: &BTreeSet<String>) -> Option<(Place, BTreeSet<u16>)> {
    let (place, list) = super::asked::dimension(policy, name).ok()?;
    let codes = codes.iter().filter_map(|code| list.position(code)).collect();
    Some((levels::column_of(policy, place), levels::members_of(policy, place, &codes)))
}

/// Whether a code or group with some of the rule's codes and nothing but codes of rules is shown at a place, or a
/// filter (or all that measures choose) leaves out such a one, of the whole list or of a group.
fn brings_about(policy: &Policy, asked: &Asked, place: Place, column: Place, of_rule: &BTreeSet<u16>) -> bool {
    let all = policy.requires.iter().flat_map(|other| &other.when);
    let all = all.filter_map(|(name, codes)| about(policy, name, codes)).filter(|(other, _)| *other == column);
    let of_rules: BTreeSet<u16> = all.flat_map(|(_, codes)| codes).collect();
    let ruled = |codes: &BTreeSet<u16>| !codes.is_disjoint(of_rule) && codes.is_subset(&of_rules);
    let groups = levels::members_at(policy, place);
    let selections = asked.selections(place);
    let whole: BTreeSet<u16> = groups.iter().flatten().copied().collect();
    let groupings = (1..).zip(policy.columns.iter().chain(&policy.groupings)).map(|(place, _)| place);
    let of_column = groupings.filter(|&other| other != column && levels::column_of(policy, other) == column);
    let wholes: Vec<BTreeSet<u16>> =
        of_column.flat_map(|other| levels::members_at(policy, other)).chain([whole]).collect();
    let left_out_alone = |selected: &BTreeSet<u16>| {
        let around = wholes.iter().filter(|whole| !whole.is_disjoint(selected));
        around.map(|whole| whole.difference(selected).copied().collect()).any(|left_out| ruled(&left_out))
    };
    if selections.is_empty() {
        return groups.iter().any(ruled);
    }
    // What all of them leave out together is told like what a filter leaves out.
    let all: BTreeSet<u16> = selections.iter().flat_map(|codes| codes.iter().copied()).collect();
    selections.into_iter().chain([&all]).any(|selected| {
        let shown = selected.iter().filter_map(|&code| groups.get(usize::from(code)));
        shown.clone().any(ruled) || left_out_alone(&shown.flatten().copied().collect())
    })
}
