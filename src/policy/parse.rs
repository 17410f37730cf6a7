//! From the text of a policy file to a [`Policy`], or to findings with line, column and what to write instead.
//!
//! Parse, do not validate: the checked form cannot hold a reference to nothing, a bound that overflows, a share above
//! the whole, or a policy without its firewall. All findings come at once.

use super::columns::Surroundings;
use super::file::File;
use super::findings::{Finding, Findings, at};
use super::model::{Checked, PeriodPattern, Policy, ReleaseRule, Text, Unit};
use super::rules::Known;
use super::{CodeLists, columns, grouping, lint, rules, spending, wire};
use crate::identity::{Class, DatasetId, Digest, Organisation, Purpose};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;
use toml::value::Datetime;

/// The largest policy file, in bytes.
const FILE_MAX: usize = 1 << 20;

/// The class that no policy can admit.
pub(super) const ENFORCEMENT: &str = "enforcement";

impl Policy {
    /// Reads and checks a policy file.
    ///
    /// # Guarantee
    /// On Ok, every column and code that a rule names exists, shares fit the whole, no sum over one person's rows can
    /// leave 64 bits, and the class `enforcement` is denied.
    ///
    /// # Errors
    /// All findings, errors and warnings, if any is an error.
    pub fn parse(text: &str, lists: &CodeLists) -> Result<(Self, Vec<Finding>), Vec<Finding>> {
        let mut findings = Findings::over(text);
        if text.len() > FILE_MAX {
            findings.error(None, "too_large", "a policy file is at most 1 MiB");
            return Err(findings.into_list());
        }
        let Some(file) = File::read(text, &mut findings) else { return Err(findings.into_list()) };
        let policy = resolve(&file, lists, &mut findings).filter(|_| !findings.failed());
        let Some(policy) = policy else { return Err(findings.into_list()) };
        lint::lint(&policy, &file, &mut findings);
        if findings.failed() { Err(findings.into_list()) } else { Ok((policy, findings.into_list())) }
    }
}

fn resolve(file: &File, lists: &CodeLists, findings: &mut Findings<'_>) -> Option<Policy> {
    let unit = file.unit.as_ref().and_then(|unit| self::unit(unit, findings));
    let purposes = file.purposes.as_ref().map(|wire| purposes(wire, findings));
    let deny_classes = file.principals.as_ref().map(|wire| deny_classes(wire, findings));
    let no_purposes = BTreeSet::new();
    let allowed = purposes.as_ref().unwrap_or(&no_purposes);
    let budget = file.budget.as_ref().and_then(|wire| spending::read(wire, allowed, findings));
    let around = Surroundings {
        lists,
        rows: unit.as_ref().map(|u| (u.rows_max, u.periods_max)),
        reserved: unit.iter().flat_map(|u| [Some(u.person.clone()), u.period.clone()]).flatten().collect(),
    };
    let columns = columns::read(&file.columns, &around, findings);
    let groupings = grouping::read(&file.groupings, &columns, &around, findings);
    let complete =
        file.columns_complete && columns.len() == file.columns.len() && groupings.len() == file.groupings.len();
    let accounting = file.budget.as_ref().map(|b| *b.accounting.get_ref());
    let known = Known { columns: &columns, groupings: &groupings, complete, purposes: allowed, accounting };
    let structural_zeros = rules::structural_zeros(&file.structural_zeros, &known, findings);
    let known_totals = rules::known_totals(&file.known_totals, &known, findings);
    let forbids = rules::forbids(&file.forbids, &known, findings);
    let requires = rules::requires(&file.requires, &known, findings);
    let vulnerable = rules::vulnerable(&file.vulnerable, &requires, &known, findings);
    let programs = rules::programs(&file.programs, &known, findings);
    let cells = file.cells.as_ref().and_then(|wire| rules::cells(wire, findings));
    let head = file.head.as_ref().and_then(|wire| head(wire, findings))?;
    let mut policy = Policy {
        id: head.id,
        version: head.version,
        title: head.title,
        universe: head.universe,
        source: head.source,
        controller: head.controller,
        legal_basis: head.legal_basis,
        licence: head.licence,
        contact: head.contact,
        effective: head.effective,
        expires: head.expires,
        retention_days: head.retention_days,
        consulted: head.consulted,
        frequency: head.frequency,
        editions: head.editions,
        releases: head.releases,
        submitters: head.submitters,
        unit: unit?,
        budget: budget?,
        purposes: purposes?,
        deny_classes: deny_classes?,
        columns,
        groupings,
        cells: cells?,
        structural_zeros,
        known_totals,
        forbids,
        requires,
        vulnerable,
        programs,
        sha256: Digest([0; 32]),
        checked: Checked(()),
    };
    policy.sha256 = Digest::of(policy.canonical().as_bytes());
    Some(policy)
}

struct Head {
    id: DatasetId,
    version: u32,
    title: Text,
    universe: Text,
    source: Text,
    controller: String,
    legal_basis: String,
    licence: String,
    contact: String,
    effective: NaiveDate,
    expires: NaiveDate,
    retention_days: u32,
    consulted: Vec<String>,
    frequency: super::Frequency,
    editions: super::EditionRule,
    releases: ReleaseRule,
    submitters: BTreeMap<Organisation, Vec<PeriodPattern>>,
}

fn head(wire: &wire::Head, findings: &mut Findings<'_>) -> Option<Head> {
    let id = findings.take(at(&wire.id), "name_wrong", DatasetId::parse(wire.id.get_ref()));
    let (title, universe) = (text(&wire.title, findings), text(&wire.universe, findings));
    let source = text(&wire.source, findings);
    let controller = words(&wire.controller, "controller", findings);
    let legal_basis = words(&wire.legal_basis, "legal_basis", findings);
    let licence = words(&wire.licence, "licence", findings);
    let contact = words(&wire.contact, "contact", findings);
    let (effective, expires) = (date(&wire.effective, findings), date(&wire.expires, findings));
    if let (Some(effective), Some(expires)) = (effective, expires)
        && expires < effective
    {
        findings.error(at(&wire.expires), "contradiction", "`expires` lies before `effective`; write a later day");
    }
    for (key, number) in [("version", &wire.version), ("retention_days", &wire.retention_days)] {
        if *number.get_ref() == 0 {
            findings.error(at(number), "value_wrong", format!("`{key}` is at least 1"));
        }
    }
    let releases = release_rule(wire, findings);
    let submitters = submitters(wire, findings);
    Some(Head {
        id: id?,
        version: *wire.version.get_ref(),
        title: title?,
        universe: universe?,
        source: source?,
        controller: controller?,
        legal_basis: legal_basis?,
        licence: licence?,
        contact: contact?,
        effective: effective?,
        expires: expires?,
        retention_days: *wire.retention_days.get_ref(),
        consulted: wire.consulted.clone(),
        frequency: wire.frequency,
        editions: wire.editions,
        releases: releases?,
        submitters,
    })
}

/// A text in several languages, English among them.
pub(super) fn text(wire: &wire::Texts, findings: &mut Findings<'_>) -> Option<Text> {
    let language = |l: &str| (2..=3).contains(&l.len()) && l.bytes().all(|b| b.is_ascii_lowercase());
    if !wire.get_ref().keys().all(|l| language(l)) {
        findings.error(at(wire), "value_wrong", "languages are written en, fr, es, ar, ru, zh ...");
        return None;
    }
    if wire.get_ref().get("en").is_none_or(|en| en.trim().is_empty()) {
        findings.error(at(wire), "key_missing", "add the text in English: { en = \"...\" }");
        return None;
    }
    Some(wire.get_ref().clone())
}

/// A text that says something.
pub(super) fn words(wire: &Spanned<String>, key: &str, findings: &mut Findings<'_>) -> Option<String> {
    if wire.get_ref().trim().is_empty() {
        findings.error(at(wire), "value_wrong", format!("`{key}` is empty; say it in words"));
        return None;
    }
    Some(wire.get_ref().clone())
}

fn date(wire: &Spanned<Datetime>, findings: &mut Findings<'_>) -> Option<NaiveDate> {
    let written = wire.get_ref();
    let day = written.date.filter(|_| written.time.is_none() && written.offset.is_none());
    let read = day.and_then(|d| NaiveDate::from_ymd_opt(i32::from(d.year), u32::from(d.month), u32::from(d.day)));
    if read.is_none() {
        findings.error(at(wire), "value_wrong", "write a day without quotes or time: 2026-01-31");
    }
    read
}

fn release_rule(wire: &wire::Head, findings: &mut Findings<'_>) -> Option<ReleaseRule> {
    let restricted = wire.releases == wire::Readers::Restricted;
    let Some(after) = &wire.publish_after else { return Some(ReleaseRule { restricted, publish_after_days: 0 }) };
    let days = after.get_ref().strip_prefix('P').and_then(|d| d.strip_suffix('D')).and_then(|d| d.parse().ok());
    let Some(publish_after_days) = days.filter(|d| *d <= 3_660) else {
        findings.error(at(after), "value_wrong", "an embargo is a number of days, at most 3660: \"P14D\"");
        return None;
    };
    Some(ReleaseRule { restricted, publish_after_days })
}

fn submitters(wire: &wire::Head, findings: &mut Findings<'_>) -> BTreeMap<Organisation, Vec<PeriodPattern>> {
    let mut all = BTreeMap::new();
    if wire.submitters.get_ref().is_empty() {
        findings.error(at(&wire.submitters), "value_wrong", "name who may send files: { my-ministry = [\"*\"] }");
    }
    for (name, patterns) in wire.submitters.get_ref() {
        let pattern = |p: &str| {
            let start = p.strip_suffix('*').unwrap_or(p);
            let plain = start.bytes().all(|b| b.is_ascii_digit() || b == b'-' || b == b'Q');
            !p.is_empty() && p.len() <= 8 && plain
        };
        for wrong in patterns.iter().filter(|p| !pattern(p.get_ref())) {
            findings.error(
                at(wrong),
                "value_wrong",
                "write a period (\"2026-Q1\"), a start (\"2026*\") or all (\"*\")",
            );
        }
        if patterns.is_empty() {
            findings.error(at(name), "value_wrong", "say which periods it may send: [\"*\"] for all");
        }
        if let Some(name) = findings.take(at(name), "name_wrong", Organisation::parse(name.get_ref())) {
            all.insert(name, patterns.iter().map(|p| PeriodPattern(p.get_ref().clone())).collect());
        }
    }
    all
}

fn unit(wire: &wire::Unit, findings: &mut Findings<'_>) -> Option<Unit> {
    for (asked, what) in [
        (&wire.household, "the unit of privacy is the person; households are not supported: drop this key"),
        (&wire.kind, "the unit of privacy is the person and nothing else is supported: drop this key"),
        (&wire.weight, "survey weights are not supported; persons are counted, each once: drop this key"),
    ] {
        if let Some(asked) = asked {
            findings.error(at(asked), "not_supported", what);
        }
    }
    for name in std::iter::once(&wire.person).chain(&wire.period) {
        if !columns::is_column_name(name.get_ref()) {
            findings.error(at(name), "name_wrong", "name a column: letters, digits and underscores");
        }
    }
    if wire.period.as_ref().is_some_and(|p| p.get_ref().eq_ignore_ascii_case(wire.person.get_ref())) {
        findings.error(wire.period.as_ref().and_then(at), "contradiction", "person and period are two columns");
    }
    for (key, number, most) in [("rows_max", &wire.rows_max, ROWS_MAX), ("periods_max", &wire.periods_max, PERIODS_MAX)]
    {
        if !(1..=most).contains(number.get_ref()) {
            findings.error(at(number), "value_wrong", format!("`{key}` lies between 1 and {most}"));
            return None;
        }
    }
    Some(Unit {
        person: wire.person.get_ref().clone(),
        id: wire.id,
        rows_max: *wire.rows_max.get_ref(),
        period: wire.period.as_ref().map(|p| p.get_ref().clone()),
        periods_max: *wire.periods_max.get_ref(),
    })
}

/// The most rows of one person in one period.
const ROWS_MAX: u32 = 10_000;

/// The most periods one question may pool.
const PERIODS_MAX: u32 = 400;

fn purposes(wire: &wire::Purposes, findings: &mut Findings<'_>) -> BTreeSet<Purpose> {
    let names = wire.allow.get_ref();
    if names.is_empty() {
        findings.error(at(&wire.allow), "value_wrong", "name at least one purpose, such as \"treaty_body\"");
    }
    names.iter().filter_map(|p| findings.take(at(p), "name_wrong", Purpose::parse(p.get_ref()))).collect()
}

/// The denied classes. A policy that does not deny `enforcement` does not load: the firewall has no override.
fn deny_classes(wire: &wire::Principals, findings: &mut Findings<'_>) -> BTreeSet<Class> {
    let names = wire.deny_classes.get_ref();
    if !names.iter().any(|c| c.get_ref() == ENFORCEMENT) {
        let advice = "the firewall has no override: write deny_classes = [\"enforcement\"], with any others beside it";
        findings.error(at(&wire.deny_classes), "firewall", advice);
    }
    names.iter().filter_map(|c| findings.take(at(c), "name_wrong", Class::parse(c.get_ref()))).collect()
}
