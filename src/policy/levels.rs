//! A column and its groupings are levels of one thing: what a question names at several of them is brought to one.
//!
//! Filters, numerators and groups compared are moved to the finest level named, so that the same question in any disguise is the same.
//! Only tables may stand at several levels. Where no level named is finer than all others, the column itself is taken.

use super::asked::{Place, codes_at, column_at, place_of, positions};
use super::inadmissible::Inadmissible;
use super::model::Policy;
use super::question::{MeasureAsked, Question};
use std::collections::{BTreeMap, BTreeSet};

/// The place of the column that a place is a level of: its own, unless it is a grouping.
pub(super) fn column_of(policy: &Policy, place: Place) -> Place {
    let of = column_at(policy, place).and_then(|column| column.of.as_ref());
    let found = of.and_then(|of| policy.columns.iter().position(|column| column.name == of.column));
    found.map_or(place, |position| position + 1)
}

/// For each code at a place the places of its members on the list of the column: itself alone, unless it is a group.
pub(super) fn members_at(policy: &Policy, place: Place) -> Vec<BTreeSet<u16>> {
    if let Some(of) = column_at(policy, place).and_then(|column| column.of.as_ref()) {
        return of.groups.iter().map(|members| members.iter().copied().collect()).collect();
    }
    let codes = codes_at(policy, place).map_or(0, super::CodeList::len);
    (0..u16::try_from(codes).unwrap_or(u16::MAX)).map(|code| BTreeSet::from([code])).collect()
}

/// The members of some codes at a place.
pub(super) fn members_of(policy: &Policy, place: Place, codes: &BTreeSet<u16>) -> BTreeSet<u16> {
    let members = members_at(policy, place);
    codes.iter().filter_map(|code| members.get(usize::from(*code))).flatten().copied().collect()
}

/// Of several levels of one column the one that all others are made of: one of them, or the column.
pub(super) fn finest(policy: &Policy, levels: &BTreeSet<Place>) -> Option<Place> {
    let first = *levels.first()?;
    if levels.len() == 1 {
        return Some(first);
    }
    let groups: BTreeMap<Place, Vec<BTreeSet<u16>>> =
        levels.iter().map(|&place| (place, members_at(policy, place))).collect();
    let refines = |fine: &[BTreeSet<u16>], coarse: &[BTreeSet<u16>]| {
        let group = |(at, members): (usize, &BTreeSet<u16>)| members.iter().map(move |&m| (m, at)).collect::<Vec<_>>();
        let group_of: BTreeMap<u16, usize> = coarse.iter().enumerate().flat_map(group).collect();
        let in_one = |members: &BTreeSet<u16>| {
            let mut groups = members.iter().map(|member| group_of.get(member));
            let one = groups.next();
            groups.all(|group| Some(group) == one)
        };
        fine.iter().all(in_one)
    };
    let found = groups.iter().find(|(_, fine)| groups.values().all(|coarse| refines(fine, coarse)));
    found.map(|(place, _)| *place).or_else(|| Some(column_of(policy, first)))
}

/// The levels of each column among some places, by the column's place.
pub(super) fn families(policy: &Policy, places: impl Iterator<Item = Place>) -> BTreeMap<Place, BTreeSet<Place>> {
    let mut families: BTreeMap<Place, BTreeSet<Place>> = BTreeMap::new();
    for place in places {
        families.entry(column_of(policy, place)).or_default().insert(place);
    }
    families
}

/// The question with its filters and what its measures choose at the finest level that it names of each column.
pub(super) fn settle(policy: &Policy, question: &Question) -> Result<Question, Inadmissible> {
    let mut settled = question.clone();
    let parts = question.measures.iter().flat_map(MeasureAsked::parts);
    let chosen: BTreeSet<String> = parts.flat_map(BTreeMap::into_keys).collect();
    let tables: Vec<&Vec<String>> = question.by.iter().chain(question.tables.iter().flatten()).collect();
    let all = tables.iter().copied().flatten().cloned().chain(question.filter.keys().cloned());
    // What is unknown is refused later, with a hint.
    let known: BTreeSet<Place> = all.chain(chosen.clone()).filter_map(|n| place_of(policy, &n).ok()).collect();
    for levels in families(policy, known.into_iter()).into_values().filter(|levels| levels.len() > 1) {
        let level_of = |name: &String| place_of(policy, name).ok().filter(|place| levels.contains(place));
        for table in &tables {
            let named: BTreeSet<Place> = table.iter().filter_map(level_of).collect();
            if named.len() > 1 {
                return Err(twice(policy, &named, "name one of them in a table, or ask for two tables"));
            }
        }
        let in_tables = tables.iter().copied().flatten().any(|name| level_of(name).is_some());
        if in_tables && chosen.iter().any(|name| level_of(name).is_some()) {
            return Err(twice(policy, &levels, "drop it in `of` and `against`, or in `by` and `tables`"));
        }
        let Some(base) = finest(policy, &levels) else { continue };
        let moving = Moving { policy, base, levels: &levels };
        moving.settle(&mut settled.filter)?;
        settled.measures.iter_mut().flat_map(MeasureAsked::chosen_mut).try_for_each(|codes| moving.settle(codes))?;
    }
    Ok(settled)
}

fn twice(policy: &Policy, levels: &BTreeSet<Place>, advice: &str) -> Inadmissible {
    let names: Vec<String> =
        levels.iter().map(|&place| format!("`{}`", super::asked::name_at(policy, place))).collect();
    Inadmissible::malformed(format!("{} are levels of one column: {advice}", names.join(" and ")))
}

/// Selections on the levels of one column, moved to one of them.
struct Moving<'a> {
    policy: &'a Policy,
    base: Place,
    levels: &'a BTreeSet<Place>,
}

impl Moving<'_> {
    fn settle(&self, selections: &mut BTreeMap<String, Vec<String>>) -> Result<(), Inadmissible> {
        let mut selected: Option<BTreeSet<u16>> = None;
        for &place in self.levels {
            let name = super::asked::name_at(self.policy, place);
            let Some(codes) = selections.remove(&name) else { continue };
            let list = codes_at(self.policy, place).ok_or_else(|| Inadmissible::malformed("no codes to select"))?;
            let members = members_of(self.policy, place, &positions(&name, list, &codes)?);
            selected = Some(selected.map_or_else(|| members.clone(), |before| &before & &members));
        }
        let Some(selected) = selected else { return Ok(()) };
        if selected.is_empty() {
            return Err(twice(self.policy, self.levels, "what is selected of them has no code in common"));
        }
        let list = codes_at(self.policy, self.base);
        let inside = members_at(self.policy, self.base).into_iter().zip(0_u16..);
        let codes = inside.filter(|(members, _)| members.is_subset(&selected)).filter_map(|(_, code)| list?.code(code));
        let codes = codes.map(|code| code.id.clone()).collect();
        selections.insert(super::asked::name_at(self.policy, self.base), codes);
        Ok(())
    }
}
