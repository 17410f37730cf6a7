//! CSV (RFC 4180): a header, then one line a cell.
//!
//! # Guarantee
//! A withheld cell has empty fields for value, interval, estimate and standard error. A name that a spreadsheet would
//! take for a formula is written with an apostrophe before it; codes stay as they are, since programs join on them and
//! their alphabet (letters, digits, `_`, `.`, `-`) cannot call anything.

use super::Options;
use crate::identity::Digest;
use crate::release::{Body, Cell, CodeName, DimensionFace, Number, Status};
use std::borrow::Cow;

/// What comes behind the dimensions.
const FIGURES: [&str; 11] =
    ["measure", "value", "low", "high", "estimate", "se", "status", "reason", "within_noise", "release", "sha256"];

/// Names that dimensions have to leave to the figures are prefixed.
fn header_of(dimension: &str) -> String {
    if FIGURES.contains(&dimension) { format!("dimension_{dimension}") } else { dimension.to_owned() }
}

/// Writes a release's cells.
///
/// # Errors
/// None in practice: the target is memory.
pub(super) fn write(body: &Body, sha256: Digest, options: &Options<'_>) -> Result<Vec<u8>, ::csv::Error> {
    let mut start = Vec::new();
    if options.bom {
        start.extend_from_slice("\u{feff}".as_bytes());
    }
    let mut lines = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(start);
    for dimension in &body.dimensions {
        let name = header_of(&dimension.id);
        lines.write_field(&name)?;
        if options.names.is_some() {
            lines.write_field(format!("{name}_name"))?;
        }
    }
    lines.write_record(FIGURES)?;
    let (release, sha256) = (body.id.to_string(), sha256.to_string());
    for cell in &body.cells {
        for dimension in &body.dimensions {
            let code = cell.key.get(&dimension.id).map_or("", String::as_str);
            lines.write_field(code)?;
            if let Some(language) = options.names {
                lines.write_field(harmless(name_of(dimension, code, language)).as_ref())?;
            }
        }
        lines.write_record(figures(cell).iter().map(AsRef::as_ref).chain([release.as_str(), &sha256]))?;
    }
    lines.into_inner().map_err(|error| ::csv::Error::from(error.into_error()))
}

fn figures(cell: &Cell) -> [Cow<'_, str>; 9] {
    let number = |figure: &Option<Number>| figure.as_ref().map(|f| Cow::Owned(f.to_string())).unwrap_or_default();
    let text = |text: &'_ Option<String>| text.as_deref().map(|text| Cow::Owned(text.to_owned())).unwrap_or_default();
    let status = match cell.status {
        Status::A => "A",
        Status::U => "U",
        Status::Q => "Q",
    };
    [
        Cow::Borrowed(cell.measure.as_str()),
        number(&cell.value),
        number(&cell.low),
        number(&cell.high),
        text(&cell.estimate),
        text(&cell.se),
        Cow::Borrowed(status),
        text(&cell.reason),
        Cow::Borrowed(match cell.within_noise {
            Some(true) => "true",
            Some(false) => "false",
            None => "",
        }),
    ]
}

fn name_of<'a>(dimension: &'a DimensionFace, code: &'a str, language: &str) -> &'a str {
    let named = dimension.codes.iter().find(|known| known.code == code);
    let name = named.and_then(|CodeName { name, .. }| name.get(language).or_else(|| name.get("en")));
    name.map_or(code, String::as_str)
}

/// A name that no spreadsheet takes for a formula.
fn harmless(name: &str) -> Cow<'_, str> {
    if name.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        Cow::Owned(format!("'{name}"))
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
pub(in crate::publish) mod tests {
    use super::*;
    use serde_json::json;

    fn body() -> Body {
        serde_json::from_value(json!({
            "id": "rel_00112233445566778899aabbccddeeff", "dataset": "residence", "title": {"en": "T"},
            "policy": {"version": 1, "sha256": "00".repeat(32)}, "question": {},
            "privacy": {"unit": "person", "neighbours": "add_remove", "accounting": "zcdp", "rho": "0.01",
                "epsilon": "1", "delta": "1e-9", "mechanism": "discrete_gaussian", "library": "x", "charged": true},
            "editions": [], "confidence": 0.95, "interval_covers": "noise", "notes": [], "additive": true, "tables": [],
            "certificate": {"cells": 2, "coordinates": 1, "notions": ["A", "E", "W"], "width": 10.0, "withheld": 1},
            "dimensions": [
                {"id": "sex", "title": {"en": "Sex"}, "codes": [
                    {"code": "F", "name": {"en": "=cmd|' /C calc'!A0", "fr": "Femmes, \"toutes\""}},
                    {"code": "M", "name": {}}]},
                {"id": "value", "title": {"en": "V"}, "codes": []}],
            "cells": [
                {"key": {"sex": "F", "value": "-1"}, "measure": "persons", "value": 1234, "low": 1215, "high": 1253,
                    "estimate": "1233.7", "se": "9.7", "status": "A"},
                {"key": {"sex": "M", "value": "_T"}, "measure": "persons", "value": null, "status": "Q",
                    "reason": "withheld"}]
        }))
        .unwrap()
    }

    /// A committed release, for tests of what is shown of one.
    pub(in crate::publish) fn release(notice: Option<String>) -> crate::release::Release {
        let (body, stored) = (body(), serde_json::to_vec(&body()).unwrap());
        crate::ledger::ReleaseRow {
            id: body.id,
            dataset: body.dataset,
            release: Digest([1; 32]),
            draw: Digest([2; 32]),
            sha256: Digest::of(&stored),
            body: stored,
            log_index: 17,
            released_at: chrono::DateTime::UNIX_EPOCH,
            notice,
        }
        .into()
    }

    fn text(options: &Options<'_>) -> String {
        String::from_utf8(write(&body(), Digest([0; 32]), options).unwrap()).unwrap()
    }

    #[test]
    fn a_withheld_cell_has_empty_fields() {
        let text = text(&Options::default());
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(
            lines[0],
            "sex,dimension_value,measure,value,low,high,estimate,se,status,reason,within_noise,release,sha256"
        );
        assert!(lines[1].starts_with("F,-1,persons,1234,1215,1253,1233.7,9.7,A,,,rel_"));
        assert!(lines[2].starts_with("M,_T,persons,,,,,,Q,withheld,,rel_"));
        assert_eq!(lines.len(), 4, "each line ends");
    }

    #[test]
    fn names_come_quoted_and_cannot_be_formulas() {
        let english = text(&Options { bom: true, names: Some("en") });
        assert!(english.starts_with("\u{feff}sex,sex_name,dimension_value,dimension_value_name,measure"));
        assert!(english.contains("F,'=cmd|' /C calc'!A0,"));
        assert!(english.contains("M,M,_T,_T,"), "a code without a name stands for itself");
        let french = text(&Options { bom: false, names: Some("fr") });
        assert!(french.contains("F,\"Femmes, \"\"toutes\"\"\","));
        let mut reader = ::csv::Reader::from_reader(french.as_bytes());
        assert_eq!(reader.records().map(|line| line.unwrap().len()).collect::<Vec<_>>(), [15, 15]);
    }
}
