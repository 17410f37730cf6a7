//! The columns of a policy: from the wire form to dimensions with declared codes, bounded measures, ignored columns.

use super::codelist::{CodeList, CodeLists};
use super::findings::{Findings, Place, at};
use super::model::{Bands, Column, Kind, Measure, Per, Text};
use super::nearest::{echo, hint};
use super::plan::PERIOD;
use super::wire::{self, Codes, Missing, Number, Numbers, Role};
use std::collections::BTreeSet;
use std::sync::Arc;
use toml::Spanned;

/// What the columns are judged by.
pub(super) struct Surroundings<'a> {
    pub(super) lists: &'a CodeLists,
    /// Rows one person may have in a question: `rows_max` times `periods_max`; `None` if it could not be read.
    pub(super) rows: Option<(u32, u32)>,
    /// The columns of the unit: person and period.
    pub(super) reserved: Vec<String>,
}

/// Reads the columns; those that are wrong are left out and noted.
pub(super) fn read(
    columns: &[Spanned<wire::Column>],
    around: &Surroundings<'_>,
    findings: &mut Findings<'_>,
) -> Vec<Column> {
    if columns.is_empty() {
        findings.error(None, "section_missing", "add a [[column]] for every column of the files");
    }
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for wire in columns {
        let wire = wire.get_ref();
        refuse_unsupported(wire, findings);
        check_name(&wire.name, &mut seen, around, findings);
        let title = wire.title.as_ref().map_or_else(
            || Some(Text::from([("en".to_owned(), wire.name.get_ref().clone())])),
            |title| super::parse::text(title, findings),
        );
        let kind = match wire.role.get_ref() {
            Role::Dimension => dimension(wire, around, findings),
            Role::Measure => measure(wire, around, findings),
            Role::Ignored => Some(Kind::Ignored),
            Role::Weight => None,
        };
        note_needless(wire, findings);
        let per = per(wire, around, findings);
        if let (Some(title), Some(kind), Some(per)) = (title, kind, per) {
            all.push(Column {
                name: wire.name.get_ref().clone(),
                title,
                per,
                concept: wire.concept.as_ref().map(|c| c.get_ref().clone()),
                geo_level: wire.geo_level.as_ref().map(|g| *g.get_ref()),
                kind,
                of: None,
            });
        }
    }
    all
}

fn refuse_unsupported(wire: &wire::Column, findings: &mut Findings<'_>) {
    if let Some(multi) = &wire.multi {
        findings.error(
            at(multi),
            "not_supported",
            "columns with several values in one row are not supported; send one column for each value, with codes yes and no",
        );
    }
    let weight = wire.weight.as_ref().map(at);
    let weight = weight.or_else(|| (*wire.role.get_ref() == Role::Weight).then(|| at(&wire.role)));
    if let Some(place) = weight {
        findings.error(place, "not_supported", "survey weights are not supported; persons are counted, each once");
    }
}

pub(super) fn check_name(
    name: &Spanned<String>,
    seen: &mut BTreeSet<String>,
    around: &Surroundings<'_>,
    findings: &mut Findings<'_>,
) {
    let text = name.get_ref();
    if !is_column_name(text) {
        findings.error(at(name), "name_wrong", COLUMN_NAME);
    } else if !seen.insert(text.to_ascii_lowercase()) {
        findings.error(at(name), "name_wrong", format!("there are two columns `{text}` (case aside); name each once"));
    } else if text.eq_ignore_ascii_case(PERIOD) || around.reserved.iter().any(|r| r.eq_ignore_ascii_case(text)) {
        findings.error(
            at(name),
            "name_wrong",
            format!("`{text}` is the person or the period: it is named in [unit] and needs no [[column]]"),
        );
    }
}

const COLUMN_NAME: &str =
    "a column name starts with a letter and holds at most 63 letters A-Z a-z, digits and underscores";

/// Whether a text can be the name of a column.
pub(super) fn is_column_name(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// What a column describes. Left out, it is the person where a person has one row, and must be said otherwise. Where a
/// person has one row, a row and a person are the same, so that `per = "row"` is read as `person`.
fn per(wire: &wire::Column, around: &Surroundings<'_>, findings: &mut Findings<'_>) -> Option<Per> {
    let (rows_max, _) = around.rows?;
    match wire.per.as_ref().map(|p| *p.get_ref()) {
        Some(Per::Row) if rows_max == 1 => {
            let place = wire.per.as_ref().and_then(at);
            findings.warning(place, "per_row_alone", "rows_max is 1: this is read as per = \"person\"");
            Some(Per::Person)
        }
        Some(per) => Some(per),
        None if rows_max == 1 || *wire.role.get_ref() == Role::Ignored => Some(Per::Person),
        None => {
            findings.error(
                at(&wire.name),
                "key_missing",
                "rows_max is above 1: add per = \"person\" (one value a person and period) or per = \"row\"",
            );
            None
        }
    }
}

fn dimension(wire: &wire::Column, around: &Surroundings<'_>, findings: &mut Findings<'_>) -> Option<Kind> {
    let (codes, bands) = match (&wire.codes, &wire.bands) {
        (Some(codes), None) => (code_list(wire.name.get_ref(), codes, around, findings)?, None),
        (None, Some(bands)) => {
            let (list, bands) = banded(wire, bands, findings)?;
            (list, Some(bands))
        }
        (Some(codes), Some(_)) => {
            findings.error(at(codes), "contradiction", "a dimension has codes or bands, not both; drop one");
            return None;
        }
        (None, None) => {
            let advice = "a dimension needs codes = \"CL_...\", codes = [...] or, for whole numbers, bands = [...]";
            findings.error(at(&wire.name), "key_missing", advice);
            return None;
        }
    };
    Some(Kind::Dimension { codes: Arc::new(codes), bands })
}

fn code_list(
    column: &str,
    codes: &Spanned<Codes>,
    around: &Surroundings<'_>,
    findings: &mut Findings<'_>,
) -> Option<CodeList> {
    let read = match codes.get_ref() {
        Codes::Inline(codes) => CodeList::inline(column, codes),
        Codes::List(name) => {
            let near = || hint(name, around.lists.0.keys());
            let unknown = || vec![format!("there is no code list `{}`{}", echo(name), near())];
            around.lists.0.get(name).ok_or_else(unknown).and_then(|text| CodeList::from_csv(name, text))
        }
    };
    note_all(read, &at(codes), "codes_wrong", findings)
}

fn banded(wire: &wire::Column, bands: &Spanned<Vec<String>>, findings: &mut Findings<'_>) -> Option<(CodeList, Bands)> {
    if wire.numbers.as_ref().is_none_or(|n| *n.get_ref() != Numbers::Integer) {
        findings.error(at(bands), "key_missing", "bands are for whole numbers: add type = \"integer\"");
    }
    let (Some(min), Some(max)) = (&wire.min, &wire.max) else {
        findings.error(at(bands), "key_missing", "bands need `min` and `max`: the least and greatest number accepted");
        return None;
    };
    let (min, max) = (in_units(min, 0, findings)?, in_units(max, 0, findings)?);
    let read = super::bands::read(wire.name.get_ref(), bands.get_ref(), min, max);
    note_all(read, &at(bands), "bands_wrong", findings)
}

fn measure(wire: &wire::Column, around: &Surroundings<'_>, findings: &mut Findings<'_>) -> Option<Kind> {
    let scale = scale(wire, findings)?;
    let (Some(min), Some(max)) = (&wire.min, &wire.max) else {
        let advice =
            "a measure needs public bounds `min` and `max`, chosen before the data: figures are clamped to them";
        findings.error(at(&wire.name), "key_missing", advice);
        return None;
    };
    let place = at(max);
    let (min, max) = (in_units(min, scale, findings)?, in_units(max, scale, findings)?);
    if min >= max {
        findings.error(place, "contradiction", "`max` must be above `min`");
        return None;
    }
    if !sums_fit(min, max, around.rows?) {
        let advice = "rows_max x periods_max x half the width of these bounds passes what a sum can hold (2147483647 units); lower the bounds or the scale";
        findings.error(place, "overflow", advice);
        return None;
    }
    let bins = bins(wire, scale, (min, max), findings)?;
    let missing_allowed = wire.missing.as_ref().is_some_and(|m| *m.get_ref() == Missing::Allowed);
    let unit = wire.unit.as_ref().map_or_else(String::new, |u| u.get_ref().clone());
    Some(Kind::Measure(Measure { scale, unit, min, max, missing_allowed, bins }))
}

/// Whether no sum over 2^32 persons can leave 64 bits, nor the square of what one person can change.
fn sums_fit(min: i64, max: i64, (rows_max, periods_max): (u32, u32)) -> bool {
    let rows = u64::from(rows_max).checked_mul(u64::from(periods_max));
    let furthest = rows.and_then(|rows| rows.checked_mul(max.abs_diff(min).div_ceil(2)));
    // A sum is told as (sum of differences to the middle) + middle x values: the middle has to fit as well.
    let middle = rows.and_then(|rows| rows.checked_mul(i64::midpoint(min, max).unsigned_abs()));
    [furthest, middle].into_iter().all(|reach| reach.is_some_and(|reach| reach <= super::quantity::REACH_MAX))
}

fn scale(wire: &wire::Column, findings: &mut Findings<'_>) -> Option<u32> {
    let integer = wire.numbers.as_ref().map(|n| *n.get_ref() == Numbers::Integer);
    match (integer, &wire.scale) {
        (None, _) => {
            findings.error(at(&wire.name), "key_missing", "a measure needs type = \"integer\" or \"decimal\"");
            None
        }
        (Some(true), Some(scale)) if *scale.get_ref() != 0 => {
            findings.error(at(scale), "contradiction", "an integer has no decimals; drop `scale` or write \"decimal\"");
            None
        }
        (Some(_), Some(scale)) if *scale.get_ref() > SCALE_MAX => {
            findings.error(at(scale), "value_wrong", format!("`scale` is at most {SCALE_MAX}"));
            None
        }
        (Some(_), Some(scale)) => Some(*scale.get_ref()),
        (Some(true), None) => Some(0),
        (Some(false), None) => {
            findings.error(at(&wire.name), "key_missing", "a decimal needs `scale`: the number of decimals kept");
            None
        }
    }
}

/// The most decimals a measure keeps.
const SCALE_MAX: u32 = 9;

fn bins(wire: &wire::Column, scale: u32, (min, max): (i64, i64), findings: &mut Findings<'_>) -> Option<Vec<i64>> {
    let Some(bins) = &wire.bins else { return Some(Vec::new()) };
    let read: Vec<i64> =
        bins.get_ref().iter().filter_map(|b| note(units(b.get_ref(), scale), at(b), findings)).collect();
    if read.len() != bins.get_ref().len() {
        return None;
    }
    let ascend = read.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
    if !ascend || read.len() < 2 || read.first() != Some(&min) || read.last() != Some(&max) {
        findings.error(at(bins), "value_wrong", "bins ascend from `min` to `max`, both included");
        return None;
    }
    Some(read)
}

fn in_units(number: &Spanned<Number>, scale: u32, findings: &mut Findings<'_>) -> Option<i64> {
    let text = match number.get_ref() {
        Number::Whole(whole) => whole.to_string(),
        Number::Text(text) => text.clone(),
    };
    note(units(&text, scale), at(number), findings)
}

/// A decimal text as a whole number of units of `10^-scale`; more decimals are refused rather than rounded.
fn units(text: &str, scale: u32) -> Result<i64, String> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || digits.ends_with('.') || !plain(whole) || !plain(fraction) {
        return Err("write a plain decimal number such as \"-12.5\": no exponent, no blanks".to_owned());
    }
    let fraction = fraction.trim_end_matches('0');
    let width = usize::try_from(scale).unwrap_or(usize::MAX);
    if fraction.len() > width {
        return Err(format!("more than {scale} decimals; write fewer, or raise `scale`"));
    }
    let zeros = "0".repeat(width - fraction.len());
    format!("{sign}{whole}{fraction}{zeros}")
        .parse()
        .map_err(|_| "this number is too large; use a larger unit".to_owned())
}

fn note<T>(read: Result<T, String>, place: Place, findings: &mut Findings<'_>) -> Option<T> {
    findings.take(place, "value_wrong", read)
}

pub(super) fn note_all<T>(
    read: Result<T, Vec<String>>,
    place: &Place,
    code: &'static str,
    findings: &mut Findings<'_>,
) -> Option<T> {
    read.map_err(|wrong| {
        for message in wrong.into_iter().take(20) {
            findings.error(place.clone(), code, message);
        }
    })
    .ok()
}

/// Keys that mean nothing for the role of the column.
fn note_needless(wire: &wire::Column, findings: &mut Findings<'_>) {
    let role = *wire.role.get_ref();
    let dimension = role == Role::Dimension;
    let measure = role == Role::Measure;
    let numeric = measure || (dimension && wire.bands.is_some());
    let keys: [(&str, Place, bool); 10] = [
        ("codes", wire.codes.as_ref().and_then(at), dimension),
        ("bands", wire.bands.as_ref().and_then(at), dimension),
        ("geo_level", wire.geo_level.as_ref().and_then(at), dimension),
        ("type", wire.numbers.as_ref().and_then(at), numeric),
        ("min", wire.min.as_ref().and_then(at), numeric),
        ("max", wire.max.as_ref().and_then(at), numeric),
        ("scale", wire.scale.as_ref().and_then(at), measure),
        ("unit", wire.unit.as_ref().and_then(at), measure),
        ("missing", wire.missing.as_ref().and_then(at), measure),
        ("bins", wire.bins.as_ref().and_then(at), measure),
    ];
    for (key, place, meant) in keys {
        if place.is_some() && !meant {
            findings.error(place, "contradiction", format!("`{key}` means nothing for this column; drop it"));
        }
    }
}
