//! A question in canonical form: the same question in any disguise is the same here.
//!
//! Columns become positions (0 is the period, then the policy's order), codes become positions on their lists. Order
//! and repetition mean nothing; a filter that names every code is no filter.

use super::choosing;
use super::codelist::CodeList;
use super::figure::{self, Asking};
use super::inadmissible::Inadmissible;
use super::levels;
use super::model::{Kind, Policy};
use super::nearest::{echo, hint};
use super::plan::PERIOD;
use super::question::{Codes, MeasureAsked, Question, Spend};
use crate::budget::{Accounting, Nanos};
use crate::identity::Period;
use std::collections::{BTreeMap, BTreeSet};

/// The most tables of one question.
const TABLES_MAX: usize = 64;
/// The most columns of one table, and of one filter.
const COLUMNS_MAX: usize = 16;
/// The most periods one question may name.
const PERIODS_NAMED_MAX: usize = 1_000;

/// A place in canonical order: 0 is the period, then the policy's columns, then its groupings.
pub(super) type Place = usize;

/// Codes chosen on some columns: places of columns, positions of codes.
pub(super) type Chosen = BTreeMap<Place, BTreeSet<u16>>;

/// A question in canonical form.
#[derive(Clone)]
pub(super) struct Asked {
    /// The tables, as places.
    pub(super) tables: BTreeSet<BTreeSet<Place>>,
    /// Filters; never all codes of a list.
    pub(super) filters: Chosen,
    /// The periods, in order.
    pub(super) periods: Vec<Period>,
    /// Whether all margins come too.
    pub(super) margins: bool,
    /// How much a table matters against the others; 1 where nothing is said.
    pub(super) weights: BTreeMap<BTreeSet<Place>, u32>,
    /// What is told of each cell.
    pub(super) figures: BTreeSet<Asking>,
}

impl Asked {
    /// Every place that some table is broken down by.
    pub(super) fn broken_down(&self) -> BTreeSet<Place> {
        self.tables.iter().flatten().copied().collect()
    }

    /// What measures choose within a cell: numerators, groups compared.
    pub(super) fn chosen(&self) -> impl Iterator<Item = &Chosen> {
        self.figures.iter().flat_map(Asking::chosen)
    }

    /// The codes that filters and measures select of a column, each selection once; empty where neither does.
    pub(super) fn selections(&self, place: Place) -> BTreeSet<&BTreeSet<u16>> {
        self.filters.get(&place).into_iter().chain(self.chosen().filter_map(|of| of.get(&place))).collect()
    }

    /// Whether no code of a column is in two selections.
    pub(super) fn chosen_apart(&self, place: Place) -> bool {
        let selections = self.selections(place);
        let all: BTreeSet<u16> = selections.iter().flat_map(|codes| codes.iter().copied()).collect();
        all.len() == selections.iter().map(|codes| codes.len()).sum::<usize>()
    }

    /// A table's dimensions in the sense of the policy's rules: its own, the filters, and the columns that measures
    /// choose from.
    pub(super) fn with_filters(&self, table: &BTreeSet<Place>) -> BTreeSet<Place> {
        table.iter().chain(self.filters.keys()).chain(self.chosen().flat_map(BTreeMap::keys)).copied().collect()
    }

    /// Every place that is measured: those asked for, and the column of several levels of which none is the finest.
    pub(super) fn measured(&self, policy: &Policy) -> BTreeSet<Place> {
        let places = self.with_filters(&self.broken_down());
        let bases = levels::families(policy, places.iter().copied()).into_values();
        let bases: Vec<Place> = bases.filter_map(|levels| levels::finest(policy, &levels)).collect();
        places.into_iter().chain(bases).collect()
    }

    /// How many periods are asked about.
    pub(super) fn period_count(&self) -> u64 {
        u64::try_from(self.periods.len()).unwrap_or(u64::MAX)
    }
}

/// The column at a place; `None` is the period.
pub(super) fn column_at(policy: &Policy, place: Place) -> Option<&super::Column> {
    policy.columns.iter().chain(&policy.groupings).nth(place.checked_sub(1)?)
}

/// The name at a place.
pub(super) fn name_at(policy: &Policy, place: Place) -> String {
    column_at(policy, place).map_or_else(|| PERIOD.to_owned(), |c| c.name.clone())
}

/// The code list of the column at a place.
pub(super) fn codes_at(policy: &Policy, place: Place) -> Option<&CodeList> {
    match &column_at(policy, place)?.kind {
        Kind::Dimension { codes, .. } => Some(codes),
        Kind::Measure(_) | Kind::Ignored => None,
    }
}

/// What needs nothing but the question and the account's accounting to be seen wrong.
pub(super) fn check_form(policy: &Policy, question: &Question) -> Result<(), Inadmissible> {
    figure::check_form(policy, &question.measures)?;
    choosing::check_form(question)?;
    check_spend(policy.budget.accounting, &question.spend)?;
    let too_large = |what: &str, most: usize| Err(Inadmissible::malformed(format!("{what}; at most {most}")));
    let tables = match (&question.by, &question.tables) {
        (Some(by), None) => std::slice::from_ref(by),
        (None, Some(tables)) if !tables.is_empty() => tables.as_slice(),
        (None, _) => return Err(Inadmissible::malformed("say what to break down by: \"by\": [] is the total alone")),
        (Some(_), Some(_)) => return Err(Inadmissible::malformed("write `by` for one table or `tables`, not both")),
    };
    if tables.len() > TABLES_MAX {
        return too_large("too many tables", TABLES_MAX);
    }
    if tables.iter().any(|t| t.len() > COLUMNS_MAX) || question.filter.len() > COLUMNS_MAX {
        return too_large("too many columns in one table or filter", COLUMNS_MAX);
    }
    if question.filter.contains_key(PERIOD) {
        return Err(Inadmissible::malformed("choose periods with `periods`, not in `where`"));
    }
    if question.filter.values().any(Vec::is_empty) {
        return Err(Inadmissible::malformed("every column in `where` needs at least one code"));
    }
    if question.filter.values().any(|codes| codes.len() > super::codelist::CODES_MAX) {
        return too_large("too many codes in one filter", super::codelist::CODES_MAX);
    }
    check_periods(&question.periods)
}

fn check_spend(accounting: Accounting, spend: &Spend) -> Result<(), Inadmissible> {
    let positive = |amount: Nanos| {
        let zero = || Inadmissible::malformed("spend more than nothing: an amount above zero, in quotes");
        if amount == Nanos::ZERO { Err(zero()) } else { Ok(()) }
    };
    match (accounting, spend) {
        (Accounting::Zcdp, Spend::Rho(amount)) | (Accounting::Pure, Spend::Epsilon(amount)) => positive(*amount),
        (_, Spend::Moe(half_width)) if half_width.is_finite() && *half_width > 0.0 => Ok(()),
        (_, Spend::Moe(_)) => Err(Inadmissible::malformed("a margin of error is a number of persons above zero")),
        (Accounting::Zcdp, Spend::Epsilon(_)) => {
            Err(Inadmissible::malformed("this account counts in rho: \"spend\": {\"rho\": \"0.01\"} or {\"moe\": 25}"))
        }
        (Accounting::Pure, Spend::Rho(_)) => Err(Inadmissible::malformed(
            "this account counts in epsilon: \"spend\": {\"epsilon\": \"0.1\"} or {\"moe\": 25}",
        )),
    }
}

fn check_periods(periods: &[Period]) -> Result<(), Inadmissible> {
    if periods.is_empty() || periods.len() > PERIODS_NAMED_MAX {
        return Err(Inadmissible::malformed(
            "name between one and a thousand periods, such as \"periods\": [\"2026\"]",
        ));
    }
    let mut rhythms = periods.iter().map(|p| (p.as_str().len(), p.as_str().contains('Q')));
    let first = rhythms.next();
    if rhythms.any(|r| Some(r) != first) {
        return Err(Inadmissible::malformed(
            "ask for years, quarters or months, not a mixture: persons would count twice",
        ));
    }
    Ok(())
}

/// Brings a well-formed question into canonical form.
///
/// `weights` stand in the order of the question's tables; none are all the same.
pub(super) fn resolve(policy: &Policy, question: &Question, weights: &[u32]) -> Result<Asked, Inadmissible> {
    let asked = question.by.iter().chain(question.tables.iter().flatten());
    let parts: Vec<Codes> = question.measures.iter().flat_map(MeasureAsked::parts).collect();
    let chosen = parts.iter().flat_map(BTreeMap::keys);
    let names: BTreeSet<&String> = asked.clone().flatten().chain(question.filter.keys()).chain(chosen).collect();
    let mut places = BTreeMap::new();
    for name in names {
        places.insert(name.as_str(), place_of(policy, name)?);
    }
    let place = |name: &String| places.get(name.as_str()).copied();
    let mut filters = BTreeMap::new();
    for (name, codes) in &question.filter {
        let Some((place, list)) = place(name).and_then(|p| Some((p, codes_at(policy, p)?))) else { continue };
        let selected = positions(name, list, codes)?;
        if selected.len() < list.len() {
            filters.insert(place, selected);
        }
    }
    let periods: BTreeSet<Period> = question.periods.iter().cloned().collect();
    let periods: Vec<Period> = periods.into_iter().collect();
    let tables: Vec<BTreeSet<Place>> = asked.map(|table| table.iter().filter_map(place).collect()).collect();
    let mut by_table: BTreeMap<BTreeSet<Place>, u32> = BTreeMap::new();
    for (table, weight) in tables.iter().zip(weights) {
        let sum = by_table.entry(table.clone()).or_default();
        *sum = sum.saturating_add(*weight);
    }
    Ok(Asked {
        tables: tables.into_iter().collect(),
        weights: by_table,
        figures: figure::resolve(policy, &periods, &filters, &question.measures)?,
        filters,
        periods,
        margins: question.margins,
    })
}

/// A dimension column and its codes.
pub(super) fn dimension<'a>(policy: &'a Policy, name: &str) -> Result<(Place, &'a CodeList), Inadmissible> {
    let place = place_of(policy, name)?;
    let list = codes_at(policy, place);
    list.map(|list| (place, list)).ok_or_else(|| Inadmissible::malformed("the period has no codes to select"))
}

/// Selected codes by the names of their columns; those of the period are the periods.
pub(super) fn spelt(policy: &Policy, periods: &[Period], chosen: &Chosen) -> Codes {
    let code = |place: Place, code: u16| match column_at(policy, place) {
        Some(_) => Some(codes_at(policy, place)?.code(code)?.id.clone()),
        None => Some(periods.get(usize::from(code))?.to_string()),
    };
    let column = |(&place, codes): (&Place, &BTreeSet<u16>)| {
        (name_at(policy, place), codes.iter().filter_map(|&position| code(place, position)).collect())
    };
    chosen.iter().map(column).collect()
}

/// The same as it stands in the names of measures: `column=code+code,column=code`.
pub(super) fn joined(policy: &Policy, periods: &[Period], chosen: &Chosen) -> String {
    let part = |(column, codes): (String, Vec<String>)| format!("{column}={}", codes.join("+"));
    spelt(policy, periods, chosen).into_iter().map(part).collect::<Vec<_>>().join(",")
}

/// A person who has several of the selected codes of a per-row column would count once for each in a sum over them:
/// such codes have no total of their own where the column is broken down by.
pub(super) fn check_distinct(policy: &Policy, asked: &Asked) -> Result<(), Inadmissible> {
    let broken_down: BTreeSet<Place> =
        asked.broken_down().into_iter().map(|place| levels::column_of(policy, place)).collect();
    let summed = |place: &Place| asked.margins || asked.tables.iter().any(|table| !table.contains(place));
    let guilty = asked
        .filters
        .iter()
        .filter(|(place, codes)| codes.len() > 1 && broken_down.contains(&levels::column_of(policy, **place)))
        .find(|(place, _)| column_at(policy, **place).is_some_and(|c| c.per == super::Per::Row) && summed(place));
    let Some((&place, _)) = guilty else { return check_distinct_numerators(policy, asked) };
    let name = name_at(policy, place);
    Err(Inadmissible::malformed(format!(
        "a person can have several codes of `{name}`, so the selected ones have no total: \
        ask without margins and with `{name}` in every table, or without the filter on it"
    )))
}

/// Persons who have several of a numerator's codes count once in it: so its codes are measured as one, and two
/// numerators (or groups) that have some of them in common cannot be.
fn check_distinct_numerators(policy: &Policy, asked: &Asked) -> Result<(), Inadmissible> {
    let places: BTreeSet<Place> = asked.chosen().flat_map(BTreeMap::keys).copied().collect();
    let per_row = |place: &Place| column_at(policy, *place).is_some_and(|c| c.per == super::Per::Row);
    let several = |place: &Place| asked.selections(*place).iter().any(|codes| codes.len() > 1);
    match places.iter().find(|place| per_row(place) && several(place) && !asked.chosen_apart(**place)) {
        Some(&place) => Err(Inadmissible::malformed(format!(
            "a person can have several codes of `{}`: ask for these measures one by one",
            name_at(policy, place)
        ))),
        None => Ok(()),
    }
}

pub(super) fn place_of(policy: &Policy, name: &str) -> Result<Place, Inadmissible> {
    if name == PERIOD {
        return Ok(0);
    }
    let dimension = |c: &super::Column| matches!(c.kind, Kind::Dimension { .. });
    let all = policy.columns.iter().chain(&policy.groupings);
    let place = all.zip(1..).find(|(c, _)| c.name == name && dimension(c)).map(|(_, place)| place);
    place.ok_or_else(|| Inadmissible::DimensionUnknown {
        name: echo(name),
        hint: hint(name, policy.dimensions().map(|(c, _)| c.name.as_str()).chain([PERIOD])),
    })
}

pub(super) fn positions(column: &str, list: &CodeList, codes: &[String]) -> Result<BTreeSet<u16>, Inadmissible> {
    let sorted: BTreeSet<&String> = codes.iter().collect();
    sorted
        .into_iter()
        .map(|code| {
            list.position(code).ok_or_else(|| Inadmissible::CodeUnknown {
                column: column.to_owned(),
                code: echo(code),
                hint: hint(code, list.codes.iter().map(|c| &c.id)),
            })
        })
        .collect()
}
