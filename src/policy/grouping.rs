//! Groupings: groups of a column's codes as a dimension of its own, such as regions of provinces or broad ages.
//!
//! Groups are the codes at a depth of the column's list, or wider bands of a banded column. They are disjoint and
//! cover the list, so that they add up to its total. A grouping is derived: no file ever holds it.

use super::codelist::{Code, CodeList};
use super::columns::{self, Surroundings};
use super::findings::{Findings, at};
use super::model::{Bands, Column, Grouped, Kind, Text};
use super::nearest::{echo, hint};
use super::wire;
use std::collections::BTreeSet;
use std::sync::Arc;
use toml::Spanned;

/// Reads the groupings; those that are wrong are left out and noted.
pub(super) fn read(
    groupings: &[Spanned<wire::Grouping>],
    columns: &[Column],
    around: &Surroundings<'_>,
    findings: &mut Findings<'_>,
) -> Vec<Column> {
    let mut seen: BTreeSet<String> = columns.iter().map(|column| column.name.to_ascii_lowercase()).collect();
    let mut all = Vec::new();
    for wire in groupings.iter().map(Spanned::get_ref) {
        columns::check_name(&wire.name, &mut seen, around, findings);
        all.extend(one(wire, columns, findings));
    }
    all
}

fn one(wire: &wire::Grouping, columns: &[Column], findings: &mut Findings<'_>) -> Option<Column> {
    let title = wire.title.as_ref().map_or_else(
        || Some(Text::from([("en".to_owned(), wire.name.get_ref().clone())])),
        |title| super::parse::text(title, findings),
    );
    let dimension = |column: &&Column| matches!(column.kind, Kind::Dimension { .. });
    let names = || columns.iter().filter(dimension).map(|column| column.name.as_str());
    let column = columns.iter().filter(dimension).find(|column| column.name == *wire.column.get_ref());
    let Some(column) = column else {
        let (name, near) = (echo(wire.column.get_ref()), hint(wire.column.get_ref(), names()));
        let advice = format!("there is no dimension column `{name}`{near}; a grouping names the column of its members");
        findings.error(at(&wire.column), "reference_unknown", advice);
        return None;
    };
    check_geography(wire, column, findings);
    let (codes, groups) = groups(wire, column, findings)?;
    let advice = match groups.len() {
        1 => Some("one group holds every code: that is the total; drop the grouping"),
        count if count == groups.iter().map(Vec::len).sum::<usize>() => {
            Some("every code stands for itself at this depth; name a lower level, or give codes of the list a parent")
        }
        _ => None,
    };
    if let Some(advice) = advice {
        findings.error(at(&wire.name), "contradiction", advice);
        return None;
    }
    Some(Column {
        name: wire.name.get_ref().clone(),
        title: title?,
        per: column.per,
        concept: wire.concept.as_ref().map(|concept| concept.get_ref().clone()),
        geo_level: wire.geo_level.as_ref().map(|level| *level.get_ref()),
        kind: Kind::Dimension { codes: Arc::new(codes), bands: None },
        of: Some(Grouped { column: column.name.clone(), groups }),
    })
}

/// A grouping of a geography is a geography too: rules for geography must see it as one, and never as a finer one.
fn check_geography(wire: &wire::Grouping, column: &Column, findings: &mut Findings<'_>) {
    match (column.geo_level, &wire.geo_level) {
        (Some(finer), None) => {
            let advice = format!("`{}` is a geography of level {finer}: add geo_level, at most {finer}", column.name);
            findings.error(at(&wire.name), "key_missing", advice);
        }
        (finer, Some(level)) if finer.is_none_or(|finer| *level.get_ref() > finer) => {
            let advice = "a grouping is no finer a geography than its column: its geo_level is at most the column's, and none if that has none";
            findings.error(at(level), "contradiction", advice);
        }
        (_, _) => {}
    }
}

type Groups = (CodeList, Vec<Vec<u16>>);

fn groups(wire: &wire::Grouping, column: &Column, findings: &mut Findings<'_>) -> Option<Groups> {
    let Kind::Dimension { codes, bands } = &column.kind else { return None };
    let (name, place) = (wire.name.get_ref(), at(&wire.name));
    match (&wire.level, &wire.bands, bands) {
        (Some(level), None, None) => {
            if *level.get_ref() == 0 {
                findings.error(at(level), "value_wrong", "levels count from 1: the codes that belong to none");
                return None;
            }
            let (codes, groups) = codes.at_depth(usize::from(*level.get_ref())).into_iter().unzip();
            let codes: Vec<Code> = codes;
            let plain = codes.into_iter().map(|code| Code { parent: None, ..code }).collect();
            Some((columns::note_all(CodeList::checked(name, plain), &place, "codes_wrong", findings)?, groups))
        }
        (None, Some(wider), Some(bands)) => {
            let read = banded(name, wider.get_ref(), codes, bands);
            columns::note_all(read, &at(wider), "bands_wrong", findings)
        }
        (level, wider, bands) => {
            let place = wider.as_ref().map(at).or_else(|| level.as_ref().map(at)).unwrap_or(place);
            let advice = if bands.is_some() {
                "a grouping of bands needs wider bands and nothing else: bands = [\"Y0T17\", \"Y18T64\", \"Y_GE65\"]"
            } else {
                "a grouping of a code list needs the depth of its groups and nothing else: level = 1"
            };
            findings.error(place, "key_missing", advice);
            None
        }
    }
}

/// Wider bands: each is made of whole bands of the column. Codes behind the bands stand for themselves.
fn banded(name: &str, wider: &[String], codes: &CodeList, bands: &Bands) -> Result<Groups, Vec<String>> {
    let behind = codes.codes.iter().skip(bands.starts.len()).map(|code| &code.id);
    let texts: Vec<String> = wider.iter().chain(behind.filter(|code| !wider.contains(code))).cloned().collect();
    let (list, wide) = super::bands::read(name, &texts, bands.min, bands.max)?;
    let cut = |(start, code): &(&i64, &Code)| !bands.starts.contains(start) && code.id.starts_with('Y');
    let wrong = wide.starts.iter().zip(&list.codes).filter(cut);
    let mut wrong: Vec<String> =
        wrong.map(|(_, code)| format!("`{}` begins within a band; begin where one does", code.id)).collect();
    let unknown = list.codes.iter().skip(wide.starts.len()).filter(|code| codes.position(&code.id).is_none());
    wrong.extend(unknown.map(|code| format!("`{}` is not a code of the column; drop it", echo(&code.id))));
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let group_of = |place: usize, code: &Code| match bands.starts.get(place) {
        Some(start) => wide.starts.partition_point(|wide| wide <= start).checked_sub(1),
        None => list.position(&code.id).map(usize::from),
    };
    let mut groups = vec![Vec::new(); list.len()];
    for ((place, code), number) in codes.codes.iter().enumerate().zip(0..) {
        if let Some(group) = group_of(place, code).and_then(|group| groups.get_mut(group)) {
            group.push(number);
        }
    }
    Ok((list, groups))
}
