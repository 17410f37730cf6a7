//! From TOML text to the wire form, section by section, noting every unknown, missing and mistyped key with its place.

use super::findings::{Findings, at};
use super::nearest::hint;
use super::wire;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// The sections of a policy file.
const SECTIONS: [&str; 13] = [
    "unit",
    "budget",
    "purposes",
    "principals",
    "cells",
    "column",
    "grouping",
    "structural_zero",
    "known_total",
    "vulnerable",
    "forbid",
    "require",
    "program",
];

/// The most entries of one section, such as columns.
const ENTRIES_MAX: usize = 1_000;

/// A policy file by section; what could not be read is missing and noted.
pub(super) struct File {
    pub(super) head: Option<wire::Head>,
    pub(super) unit: Option<wire::Unit>,
    pub(super) budget: Option<wire::Budget>,
    pub(super) purposes: Option<wire::Purposes>,
    pub(super) principals: Option<wire::Principals>,
    pub(super) cells: Option<wire::Cells>,
    pub(super) columns: Vec<Spanned<wire::Column>>,
    /// Whether every column and grouping could be read: else rules about unknown columns are not judged.
    pub(super) columns_complete: bool,
    pub(super) groupings: Vec<Spanned<wire::Grouping>>,
    pub(super) structural_zeros: Vec<Spanned<wire::StructuralZero>>,
    pub(super) known_totals: Vec<Spanned<wire::KnownTotal>>,
    pub(super) vulnerable: Vec<Spanned<wire::Vulnerable>>,
    pub(super) forbids: Vec<Spanned<wire::Forbid>>,
    pub(super) requires: Vec<Spanned<wire::Require>>,
    pub(super) programs: Vec<Spanned<wire::Program>>,
}

impl File {
    pub(super) fn read(text: &str, findings: &mut Findings<'_>) -> Option<Self> {
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            findings.error(error.span(), "syntax", format!("this is not TOML: {}", error.message()));
        }
        if !errors.is_empty() {
            return None;
        }
        let mut root = root.into_inner();
        let mut sections = Sections { found: take_sections(&mut root), findings };
        let columns = sections.many("column");
        let groupings = sections.many("grouping");
        Some(Self {
            unit: sections.one("unit"),
            budget: sections.one("budget"),
            purposes: sections.one("purposes"),
            principals: sections.one("principals"),
            cells: sections.one("cells"),
            columns_complete: columns.1 && groupings.1,
            columns: columns.0,
            groupings: groupings.0,
            structural_zeros: sections.many("structural_zero").0,
            known_totals: sections.many("known_total").0,
            vulnerable: sections.many("vulnerable").0,
            forbids: sections.many("forbid").0,
            requires: sections.many("require").0,
            programs: sections.many("program").0,
            head: read(Spanned::new(0..0, DeValue::Table(root)), "the head of the file", findings),
        })
    }
}

fn take_sections<'i>(root: &mut DeTable<'i>) -> DeTable<'i> {
    let mut sections = DeTable::new();
    let mut head = DeTable::new();
    for (key, value) in std::mem::take(root) {
        let is_section = SECTIONS.contains(&key.get_ref().as_ref());
        if is_section { &mut sections } else { &mut head }.insert(key, value);
    }
    *root = head;
    sections
}

struct Sections<'i, 'f, 't> {
    found: DeTable<'i>,
    findings: &'f mut Findings<'t>,
}

impl<'i> Sections<'i, '_, '_> {
    fn take(&mut self, name: &str) -> Option<Spanned<DeValue<'i>>> {
        self.found.remove(name)
    }

    /// A section that must be there once.
    fn one<T: DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        let Some(value) = self.take(name) else {
            let why = match name {
                "principals" => " with deny_classes = [\"enforcement\"]: the firewall is written out in every policy",
                _ => "",
            };
            self.findings.error(None, "section_missing", format!("add a section [{name}]{why}"));
            return None;
        };
        read(value, &format!("[{name}]"), self.findings)
    }

    /// A section that may be there many times; also whether all of them could be read.
    fn many<T: DeserializeOwned>(&mut self, name: &'static str) -> (Vec<T>, bool) {
        let Some(value) = self.take(name) else { return (Vec::new(), true) };
        let place = at(&value);
        let DeValue::Array(entries) = value.into_inner() else {
            self.findings.error(place, "value_wrong", format!("write [[{name}]], in double brackets"));
            return (Vec::new(), false);
        };
        if entries.len() > ENTRIES_MAX {
            self.findings.error(place, "too_many", format!("a policy has at most {ENTRIES_MAX} [[{name}]]"));
            return (Vec::new(), false);
        }
        let count = entries.len();
        let read: Vec<T> = entries.into_iter().filter_map(|e| read(e, &format!("[[{name}]]"), self.findings)).collect();
        let complete = read.len() == count;
        (read, complete)
    }
}

/// Reads one section. Keys that are unknown or of the wrong type are noted and left out, so that the rest is judged
/// too; the noted errors keep the policy from loading.
fn read<T: DeserializeOwned>(value: Spanned<DeValue<'_>>, section: &str, findings: &mut Findings<'_>) -> Option<T> {
    let span = value.span();
    let DeValue::Table(mut table) = value.into_inner() else {
        findings.error(Some(span), "value_wrong", format!("{section} is a section: write it as a table"));
        return None;
    };
    let mut removed: Vec<String> = Vec::new();
    loop {
        let attempt = Spanned::new(span.clone(), DeValue::Table(table.clone()));
        let error = match T::deserialize(ValueDeserializer::from(attempt)) {
            Ok(read) => return Some(read),
            Err(error) => error,
        };
        let names = quoted(error.message());
        if let Some(missing) = error.message().strip_prefix("missing field").and_then(|_| names.first()) {
            if !removed.contains(missing) {
                let place = (span != (0..0)).then(|| span.clone());
                findings.error(place, "key_missing", format!("{section} needs a key `{missing}`"));
            }
            return None;
        }
        let place = error.span().unwrap_or(span.clone());
        let guilty = table
            .iter()
            .find(|(key, value)| encloses(&key.span(), &place) || encloses(&value.span(), &place))
            .map(|(key, _)| key.get_ref().to_string());
        let (code, message) = explain(error.message(), &names, section);
        findings.error(Some(place), code, message);
        match guilty {
            Some(key) if table.remove(key.as_str()).is_some() => removed.push(key),
            _ => return None,
        }
    }
}

fn encloses(outer: &std::ops::Range<usize>, inner: &std::ops::Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// The names in backticks.
fn quoted(message: &str) -> Vec<String> {
    message.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn explain(message: &str, names: &[String], section: &str) -> (&'static str, String) {
    if let (true, Some((unknown, known))) = (message.starts_with("unknown field"), names.split_first()) {
        let known: Vec<&str> = known.iter().map(String::as_str).chain(SECTIONS).collect();
        let near = hint(unknown, known.iter());
        return ("key_unknown", format!("{section} has no key `{}`{near}", super::nearest::echo(unknown)));
    }
    let numeric = message.contains("invalid type: floating point") || message.contains("invalid type: integer");
    let advice = if numeric && message.contains("expected a string") { "; write it in quotes" } else { "" };
    ("value_wrong", format!("{message}{advice}"))
}
