//! The rules of a policy: cells, combinations that cannot exist, totals known elsewhere, forbidden crossings, stricter
//! rules for certain codes, programs. Every column and code they name exists.

use super::findings::{Findings, Place, at};
use super::model::{CellRules, Column, CombinationRule, Forbid, Kind, KnownTotal, Require, Selection};
use super::nearest::{echo, hint};
use super::plan::PERIOD;
use super::wire;
use super::{Program, RunRule};
use crate::budget::Accounting;
use crate::identity::{Period, Purpose};
use std::collections::BTreeSet;
use toml::Spanned;

/// The most dimensions one table may have.
const DIMS_MAX: u32 = 10;

/// The most cells one question may measure.
const CELLS_MAX: u64 = 10_000_000;

/// Reads the rules for every table.
pub(super) fn cells(wire: &wire::Cells, findings: &mut Findings<'_>) -> Option<CellRules> {
    let threshold = within(Some(&wire.threshold), 10, 1..=1_000_000, "threshold", findings)?;
    let round_to = within(wire.round_to.as_ref(), 1, 1..=1_000, "round_to", findings)?;
    let dims_max = within(wire.dims_max.as_ref(), 4, 1..=DIMS_MAX, "dims_max", findings)?;
    let cells_max = within(wire.cells_max.as_ref(), 20_000, 1..=CELLS_MAX, "cells_max", findings)?;
    let relative = wire.moe_relative_max.as_ref();
    let moe_relative_max = relative.map_or(Some(0.5), |r| r.get_ref().parse().ok());
    let Some(moe_relative_max) = moe_relative_max.filter(|r: &f64| *r > 0.0 && *r <= 10.0) else {
        let place = relative.and_then(at);
        findings.error(place, "value_wrong", "moe_relative_max is a number above 0 in quotes, such as \"0.5\"");
        return None;
    };
    let complementary = wire.complementary.as_ref().is_none_or(|c| *c.get_ref());
    if !complementary {
        let advice =
            "this forgoes partners: withheld figures can be worked out from published ones; write complementary = true";
        findings.warning(wire.complementary.as_ref().and_then(at), "partners_shown", advice);
    }
    Some(CellRules {
        threshold,
        round_to,
        dims_max,
        cells_max,
        moe_relative_max,
        withhold_unreliable: wire.withhold_unreliable,
        complementary,
    })
}

fn within<N: Copy + PartialOrd + std::fmt::Display>(
    value: Option<&Spanned<N>>,
    default: N,
    range: std::ops::RangeInclusive<N>,
    key: &str,
    findings: &mut Findings<'_>,
) -> Option<N> {
    let Some(spanned) = value else { return Some(default) };
    if range.contains(spanned.get_ref()) {
        return Some(*spanned.get_ref());
    }
    let advice = format!("`{key}` lies between {} and {}", range.start(), range.end());
    findings.error(at(spanned), "value_wrong", advice);
    None
}

/// The columns and groupings that rules may name.
pub(super) struct Known<'a> {
    pub(super) columns: &'a [Column],
    pub(super) groupings: &'a [Column],
    /// Whether all columns could be read; if not, unknown ones are not judged.
    pub(super) complete: bool,
    pub(super) purposes: &'a BTreeSet<Purpose>,
    pub(super) accounting: Option<Accounting>,
}

impl Known<'_> {
    fn dimension(&self, name: &str) -> Option<&super::CodeList> {
        self.all().find(|c| c.name == name).and_then(|c| match &c.kind {
            Kind::Dimension { codes, .. } => Some(codes.as_ref()),
            Kind::Measure(_) | Kind::Ignored => None,
        })
    }

    fn all(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().chain(self.groupings)
    }

    /// The column that a name is a level of.
    fn column_of<'n>(&'n self, name: &'n String) -> &'n String {
        let grouping = self.groupings.iter().find(|grouping| grouping.name == *name);
        grouping.and_then(|grouping| grouping.of.as_ref()).map_or(name, |of| &of.column)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.all().filter(|c| matches!(c.kind, Kind::Dimension { .. })).map(|c| c.name.as_str())
    }

    fn note_unknown(&self, column: &Spanned<String>, findings: &mut Findings<'_>) {
        if self.complete {
            let near = hint(column.get_ref(), self.names());
            let advice = format!("there is no dimension column `{}`{near}", echo(column.get_ref()));
            findings.error(at(column), "reference_unknown", advice);
        }
    }

    /// Codes on columns, all of which exist.
    fn selection(&self, wire: &wire::Where, findings: &mut Findings<'_>) -> Option<Selection> {
        if wire.get_ref().is_empty() {
            findings.error(at(wire), "value_wrong", "name at least one column with codes");
            return None;
        }
        let mut selection = Selection::new();
        let mut complete = true;
        for (column, codes) in wire.get_ref() {
            let Some(list) = self.dimension(column.get_ref()) else {
                self.note_unknown(column, findings);
                complete = false;
                continue;
            };
            if codes.is_empty() {
                findings.error(at(column), "value_wrong", "name at least one code");
                complete = false;
            }
            for code in codes.iter().filter(|c| list.position(c.get_ref()).is_none()) {
                let near = hint(code.get_ref(), list.codes.iter().map(|c| &c.id));
                let advice = format!("`{}` is not a code of {}{near}", echo(code.get_ref()), column.get_ref());
                findings.error(at(code), "reference_unknown", advice);
                complete = false;
            }
            selection.insert(column.get_ref().clone(), codes.iter().map(|c| c.get_ref().clone()).collect());
        }
        complete.then_some(selection)
    }

    /// The same codes, of columns alone: a group stands for its members.
    fn on_columns(&self, selection: &Selection) -> Selection {
        let mut all = Selection::new();
        for (name, codes) in selection {
            let of = self.groupings.iter().find(|grouping| grouping.name == *name).and_then(|g| g.of.as_ref());
            let Some((of, list)) = of.and_then(|of| Some((of, self.dimension(&of.column)?))) else {
                narrow(&mut all, name, codes.clone());
                continue;
            };
            let groups = codes.iter().filter_map(|code| self.dimension(name)?.position(code));
            let members = groups.filter_map(|group| of.groups.get(usize::from(group))).flatten();
            let members = members.filter_map(|&member| list.code(member)).map(|code| code.id.clone()).collect();
            narrow(&mut all, &of.column, members);
        }
        all
    }

    /// Column names, each a dimension or the period.
    fn crossing(&self, columns: &[Spanned<String>], findings: &mut Findings<'_>) -> BTreeSet<String> {
        for column in columns.iter().filter(|c| c.get_ref() != PERIOD && self.dimension(c.get_ref()).is_none()) {
            self.note_unknown(column, findings);
        }
        columns.iter().map(|c| c.get_ref().clone()).collect()
    }
}

/// Selects on a column; where something is selected already, what both have in common.
fn narrow(all: &mut Selection, column: &str, codes: BTreeSet<String>) {
    let both = match all.remove(column) {
        Some(before) => &before & &codes,
        None => codes,
    };
    all.insert(column.to_owned(), both);
}

/// Reads the combinations that cannot exist.
pub(super) fn structural_zeros(
    wire: &[Spanned<wire::StructuralZero>],
    known: &Known<'_>,
    findings: &mut Findings<'_>,
) -> Vec<Selection> {
    let read = wire.iter().filter_map(|zero| known.selection(&zero.get_ref().selection, findings));
    read.map(|selection| known.on_columns(&selection)).collect()
}

/// Reads the groups whose cells are watched: those named, and every one that a stricter rule is about.
pub(super) fn vulnerable(
    wire: &[Spanned<wire::Vulnerable>],
    requires: &[Require],
    known: &Known<'_>,
    findings: &mut Findings<'_>,
) -> Vec<Selection> {
    let named = wire.iter().filter_map(|group| known.selection(&group.get_ref().selection, findings));
    let mut all: Vec<Selection> = named.collect();
    all.extend(requires.iter().map(|require| require.when.clone()));
    all.sort();
    all.dedup();
    all
}

/// Reads the totals published elsewhere.
pub(super) fn known_totals(
    wire: &[Spanned<wire::KnownTotal>],
    known: &Known<'_>,
    findings: &mut Findings<'_>,
) -> Vec<KnownTotal> {
    let read = |total: &Spanned<wire::KnownTotal>, findings: &mut Findings<'_>| {
        let total = total.get_ref();
        let citation = super::parse::words(&total.citation, "citation", findings);
        let selection = known.selection(&total.selection, findings)?;
        let period = total.period.as_ref().map(|period| {
            Period::parse(period.get_ref()).map_err(|wrong| findings.error(at(period), "value_wrong", wrong.expected))
        });
        let period = period.transpose().ok()?;
        Some(KnownTotal {
            selection: known.on_columns(&selection),
            period,
            persons: total.persons,
            citation: citation?,
        })
    };
    wire.iter().filter_map(|total| read(total, findings)).collect()
}

/// Reads the forbidden crossings.
pub(super) fn forbids(wire: &[Spanned<wire::Forbid>], known: &Known<'_>, findings: &mut Findings<'_>) -> Vec<Forbid> {
    let mut all = Vec::new();
    for forbid in wire.iter().map(Spanned::get_ref) {
        let cross = known.crossing(forbid.cross.get_ref(), findings);
        if cross.is_empty() {
            findings.error(at(&forbid.cross), "value_wrong", "name the columns that may not stand together");
        }
        let columns: BTreeSet<&String> = cross.iter().map(|name| known.column_of(name)).collect();
        if columns.len() < cross.len() {
            let advice = "a column and its groupings never stand in one table: name one level of it";
            findings.error(at(&forbid.cross), "contradiction", advice);
        }
        let spares = spares(&forbid.spares, known, findings);
        if let Some(reason) = super::parse::words(&forbid.reason, "reason", findings) {
            all.push(Forbid { cross, spares, reason });
        }
    }
    all
}

/// Reads the groupings to which a forbidden crossing does not apply.
fn spares(wire: &[Spanned<String>], known: &Known<'_>, findings: &mut Findings<'_>) -> BTreeSet<String> {
    let is_grouping = |name: &&Spanned<String>| known.groupings.iter().any(|g| g.name == *name.get_ref());
    for wrong in wire.iter().filter(|name| known.complete && !is_grouping(name)) {
        let near = hint(wrong.get_ref(), known.groupings.iter().map(|g| g.name.as_str()));
        let advice = format!("there is no grouping `{}`{near}; a column itself is not spared", echo(wrong.get_ref()));
        findings.error(at(wrong), "reference_unknown", advice);
    }
    wire.iter().map(|name| name.get_ref().clone()).collect()
}

/// Reads the stricter rules.
pub(super) fn requires(
    wire: &[Spanned<wire::Require>],
    known: &Known<'_>,
    findings: &mut Findings<'_>,
) -> Vec<Require> {
    let mut all = Vec::new();
    for require in wire.iter().map(Spanned::get_ref) {
        let rule = CombinationRule {
            dims_max: require.dims_max.as_ref().map(|d| *d.get_ref()),
            geo_level_max: require.geo_level_max.as_ref().map(|g| *g.get_ref()),
            threshold: require.threshold.as_ref().map(|t| *t.get_ref()),
        };
        if rule == CombinationRule::default() {
            let advice = "a [[require]] demands something: add dims_max, geo_level_max or threshold";
            findings.error(at(&require.when), "key_missing", advice);
        }
        if let Some(when) = known.selection(&require.when, findings) {
            all.push(Require { when, rule });
        }
    }
    all
}

/// Reads the programs.
pub(super) fn programs(
    wire: &[Spanned<wire::Program>],
    known: &Known<'_>,
    findings: &mut Findings<'_>,
) -> Vec<Program> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for program in wire.iter().map(Spanned::get_ref) {
        let id = program.id.get_ref();
        if !super::columns::is_column_name(id) || !seen.insert(id.clone()) {
            let advice = "a program has a name of its own, of letters, digits and underscores";
            findings.error(at(&program.id), "name_wrong", advice);
        }
        all.extend(self::program(program, known, findings));
    }
    all
}

fn program(wire: &wire::Program, known: &Known<'_>, findings: &mut Findings<'_>) -> Option<Program> {
    let purpose = findings.take(at(&wire.purpose), "name_wrong", Purpose::parse(wire.purpose.get_ref()));
    if let Some(purpose) = &purpose
        && !known.purposes.contains(purpose)
    {
        let advice = format!("`{purpose}` is not in [purposes] allow; add it there or choose one of it");
        findings.error(at(&wire.purpose), "reference_unknown", advice);
    }
    let tables: Vec<Vec<String>> = wire
        .tables
        .get_ref()
        .iter()
        .map(|table| {
            known.crossing(table, findings);
            table.iter().map(|c| c.get_ref().clone()).collect()
        })
        .collect();
    let count = tables.len();
    if count == 0 {
        findings.error(
            at(&wire.tables),
            "value_wrong",
            "a program needs at least one table, such as [\"sex\", \"age\"]",
        );
    }
    let weights = wire.weights.as_ref().map_or_else(|| vec![1; count], |w| w.get_ref().clone());
    if weights.len() != count || weights.iter().any(|w| !(1..=WEIGHT_MAX).contains(w)) {
        let place: Place = wire.weights.as_ref().and_then(at);
        let advice = format!("give {count} weights between 1 and {WEIGHT_MAX}: one for each table");
        findings.error(place, "value_wrong", advice);
    }
    let spend =
        super::spending::amount_of(known.accounting?, wire.rho.as_ref(), wire.epsilon.as_ref(), &wire.id, findings)?;
    Some(Program {
        id: wire.id.get_ref().clone(),
        purpose: purpose?,
        measures: wire.measures.get_ref().clone(),
        tables,
        weights,
        spend,
        run: wire.run.as_ref().map_or(RunRule::Officer, |run| *run.get_ref()),
    })
}

/// The largest weight of a table.
const WEIGHT_MAX: u32 = 1_000;
