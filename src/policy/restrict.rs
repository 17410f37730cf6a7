//! The policy's rules for what may stand together: forbidden crossings, and stricter rules for certain codes.
//!
//! A filter counts as a dimension, and so does a column in the numerator of a share. A rule about certain codes also
//! holds when a filter leaves out nothing but such codes: the difference to the total would show them.

use super::asked::{Asked, Place, codes_at, column_at, name_at};
use super::inadmissible::Inadmissible;
use super::model::{Policy, Require};
use super::plan::Rules;
use std::collections::BTreeSet;

/// No table may hold a forbidden crossing.
pub(super) fn check_crossings(policy: &Policy, asked: &Asked) -> Result<(), Inadmissible> {
    for forbid in &policy.forbids {
        for table in &asked.tables {
            let names: BTreeSet<String> = asked.with_filters(table).iter().map(|&p| name_at(policy, p)).collect();
            if forbid.cross.is_subset(&names) {
                let cross = forbid.cross.iter().cloned().collect();
                return Err(Inadmissible::CrossForbidden { cross, reason: forbid.reason.clone() });
            }
        }
    }
    Ok(())
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
    let all: BTreeSet<Place> = asked.with_filters(&asked.broken_down());
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

/// Whether every column of the rule is a dimension of the table, with one of the rule's codes shown or left out alone.
fn applies(policy: &Policy, asked: &Asked, table: &BTreeSet<Place>, require: &Require) -> bool {
    require.when.iter().all(|(name, codes)| {
        let place = table.iter().copied().find(|&p| column_at(policy, p).is_some_and(|c| c.name == *name));
        let Some((place, list)) = place.and_then(|p| Some((p, codes_at(policy, p)?))) else { return false };
        let of_rule: BTreeSet<u16> = codes.iter().filter_map(|c| list.position(c)).collect();
        let selections = asked.selections(place);
        selections.is_empty()
            || selections.iter().any(|selected| {
                let left_out = list.len().saturating_sub(selected.len());
                let left_out_of_rule = of_rule.difference(selected).count();
                left_out_of_rule < of_rule.len() || left_out == left_out_of_rule
            })
    })
}
