//! The nearest questions that would be admitted, for one that is refused.
//!
//! In the order of what they keep: groups of codes instead of codes, a coarser geography, the year, one dimension less,
//! no geography, no filter, two less, the first few only; with fewer periods or another price where that is what stands
//! in the way. Each is admitted before it is offered.

use super::inadmissible::Inadmissible;
use super::nearest::{echo, nearest};
use super::plan::PERIOD;
use super::question::Spend;
use super::{Policy, Question, Standing, admit};
use crate::budget::Accounting;
use crate::identity::{Digest, Period, Principal};
use chrono::NaiveDate;
use std::collections::BTreeSet;

/// The most questions offered.
const OFFERED_MAX: usize = 5;
/// The most questions tried.
const TRIED_MAX: usize = 64;

/// Questions that would be admitted instead of a refused one, each with a sentence that says in what it differs. Empty
/// where no other question would help: another class of asker, a policy out of force, a purpose that is not allowed.
#[must_use]
pub fn alternatives(
    policy: &Policy,
    standing: &Standing,
    asker: &Principal,
    question: &Question,
    today: NaiveDate,
) -> Vec<(String, Question)> {
    let mut offered: Vec<(String, Question)> = Vec::new();
    let mut releases: BTreeSet<Digest> = BTreeSet::new();
    for variant in variants(policy, standing, question).into_iter().take(TRIED_MAX) {
        let Some((release, variant)) = mended(policy, standing, asker, variant, today) else { continue };
        if !variant.changes.is_empty() && releases.insert(release) {
            offered.push((variant.changes.join(", "), variant.question));
        }
        if offered.len() == OFFERED_MAX {
            break;
        }
    }
    offered
}

/// A question and in what it differs from the one asked.
#[derive(Clone)]
struct Variant {
    changes: Vec<String>,
    question: Question,
}

impl Variant {
    fn with(&self, change: String, alter: impl FnOnce(&mut Question)) -> Self {
        let mut next = self.clone();
        next.changes.push(change);
        alter(&mut next.question);
        next
    }

    /// Every column that the question is broken down by or filtered on, in a fixed order.
    fn columns(&self) -> BTreeSet<String> {
        let tables = self.question.by.iter().chain(self.question.tables.iter().flatten()).flatten();
        tables.chain(self.question.filter.keys()).cloned().collect()
    }

    fn without(&self, column: &str) -> Self {
        self.with(format!("without `{}`", echo(column)), |q| {
            each_table(q, |table| table.retain(|c| c != column));
            q.filter.remove(column);
        })
    }

    fn without_filter(&self, column: &str) -> Self {
        self.with(format!("without the filter on `{}`", echo(column)), |q| {
            q.filter.remove(column);
        })
    }

    fn renamed(&self, from: &str, to: &str) -> Self {
        self.with(format!("`{to}` instead of `{}`", echo(from)), |q| {
            each_table(q, |table| table.iter_mut().filter(|c| *c == from).for_each(|c| to.clone_into(c)));
            if let Some(codes) = q.filter.remove(from) {
                q.filter.insert(to.to_owned(), codes);
            }
        })
    }

    fn first(&self, kept: usize) -> Self {
        self.with(format!("only the first {kept} dimensions, without filters"), |q| {
            each_table(q, |table| table.truncate(kept));
            q.filter.clear();
        })
    }
}

fn each_table(question: &mut Question, alter: impl FnMut(&mut Vec<String>)) {
    question.by.iter_mut().chain(question.tables.iter_mut().flatten()).for_each(alter);
}

fn variants(policy: &Policy, standing: &Standing, question: &Question) -> Vec<Variant> {
    let asked = corrected(policy, question);
    let columns = asked.columns();
    let level = |name: &String| policy.column(name).and_then(|c| c.geo_level);
    let (places, others): (Vec<&String>, Vec<&String>) = columns.iter().partition(|c| level(c).is_some());
    let coarser = places.iter().flat_map(|fine| {
        let other = |c: &super::Column| c.of.as_ref().is_none_or(|of| of.column != **fine);
        let below = policy.dimensions().filter(|(c, _)| c.geo_level < level(fine) && c.geo_level.is_some());
        let below = below.filter(|(c, _)| other(c));
        below.map(|(coarse, _)| asked.renamed(fine, &coarse.name)).collect::<Vec<_>>()
    });
    let single: Vec<Variant> = others.iter().chain(&places).map(|c| asked.without(c)).collect();
    let filters = asked.question.filter.keys().map(|c| asked.without_filter(c));
    let pairs = single.iter().flat_map(|one| {
        let removed: BTreeSet<String> = columns.difference(&one.columns()).cloned().collect();
        columns.iter().filter(move |c| removed.iter().all(|r| r < *c)).map(|c| one.without(c)).collect::<Vec<_>>()
    });
    let deepest = question.by.iter().chain(question.tables.iter().flatten()).map(Vec::len).max().unwrap_or(0);
    let first = (0..deepest.saturating_sub(2)).rev().map(|kept| asked.first(kept));
    let grouped = columns.iter().flat_map(|fine| broader(policy, &asked, fine));
    let all = std::iter::once(asked.clone()).chain(grouped).chain(coarser).chain(over_years(standing, &asked));
    let all = all.chain(single.iter().cloned()).chain(filters).chain(pairs);
    let most = TRIED_MAX.saturating_sub(deepest);
    all.take(most).chain(first).collect()
}

/// The question with each grouping of a column in its place, the finest first; a filter selects the groups of its
/// codes.
fn broader(policy: &Policy, asked: &Variant, column: &str) -> Vec<Variant> {
    let groupings = policy.groupings.iter().filter_map(|grouping| Some((grouping, grouping.of.as_ref()?)));
    let mut of_column: Vec<_> = groupings.filter(|(_, of)| of.column == column).collect();
    of_column.sort_by_key(|(_, of)| std::cmp::Reverse(of.groups.len()));
    let instead = |(grouping, of): (&super::Column, &super::Grouped)| {
        let lists = |name: &str| policy.dimensions().find(|(c, _)| c.name == name).map(|(_, list)| list);
        let (Some(list), Some(groups)) = (lists(column), lists(&grouping.name)) else { return asked.clone() };
        let group_of = |code: &String| {
            let place = list.position(code)?;
            let group = of.groups.iter().position(|members| members.contains(&place))?;
            groups.codes.get(group).map(|group| group.id.clone())
        };
        let mut instead = asked.renamed(column, &grouping.name);
        if let Some(codes) = instead.question.filter.get_mut(&grouping.name) {
            let selected: BTreeSet<String> = codes.iter().filter_map(group_of).collect();
            *codes = selected.into_iter().collect();
        }
        instead
    };
    of_column.into_iter().map(instead).collect()
}

/// The question over the years of its quarters or months, if an edition of each is closed: their persons once a year.
fn over_years(standing: &Standing, asked: &Variant) -> Option<Variant> {
    let years: BTreeSet<&str> = asked.question.periods.iter().filter_map(|period| period.as_str().get(..4)).collect();
    let closed = |year: &&str| standing.editions.iter().map(|e| &e.period).find(|p| p.as_str() == *year).cloned();
    let years: Vec<Period> = years.iter().map(closed).collect::<Option<_>>()?;
    let names = years.iter().map(Period::as_str).collect::<Vec<_>>().join(", ");
    (years != asked.question.periods).then(|| asked.with(format!("over the year {names}"), |q| q.periods = years))
}

/// The question with misspelt columns and codes set right.
fn corrected(policy: &Policy, question: &Question) -> Variant {
    let mut asked = Variant { changes: Vec::new(), question: question.clone() };
    let known: Vec<&str> = policy.dimensions().map(|(c, _)| c.name.as_str()).collect();
    for column in asked.columns() {
        let unknown = column != PERIOD && !known.contains(&column.as_str());
        if let Some(meant) = unknown.then(|| nearest(&column, known.iter().copied())).flatten() {
            asked = asked.renamed(&column, &meant);
        }
    }
    for (column, codes) in asked.question.filter.clone() {
        let Some((_, list)) = policy.dimensions().find(|(c, _)| c.name == column) else { continue };
        for code in codes.iter().filter(|code| list.position(code).is_none()) {
            let Some(meant) = nearest(code, list.codes.iter().map(|c| c.id.as_str())) else { continue };
            asked = asked.with(format!("`{meant}` instead of `{}`", echo(code)), |q| {
                let same = q.filter.get_mut(&column).into_iter().flatten().filter(|c| *c == code);
                same.for_each(|c| meant.clone_into(c));
            });
        }
    }
    asked
}

/// The variant, with its periods and its price set right where they stand in the way; `None` if it is refused still.
fn mended(
    policy: &Policy,
    standing: &Standing,
    asker: &Principal,
    mut variant: Variant,
    today: NaiveDate,
) -> Option<(Digest, Variant)> {
    let (mut periods, mut price) = (false, false);
    loop {
        let reason = match admit(policy, standing, asker, &variant.question, today) {
            Ok(plan) => return Some((plan.release, variant)),
            Err(reason) => reason,
        };
        let (of_periods, of_price) = kind(&reason);
        if of_periods && !periods {
            periods = true;
            variant = with_closed_periods(policy, standing, &variant)?;
        } else if of_price && !price {
            price = true;
            variant = at_full_price(policy, &variant);
        } else {
            return None;
        }
    }
}

/// Whether other periods, or another price, would cure a refusal.
fn kind(reason: &Inadmissible) -> (bool, bool) {
    match reason {
        Inadmissible::TooManyPeriods { .. } | Inadmissible::PeriodNotClosed { .. } => (true, false),
        Inadmissible::SpendPointless { .. }
        | Inadmissible::SpendOverMaximum { .. }
        | Inadmissible::QuestionMalformed { .. } => (false, true),
        Inadmissible::DatasetUnknown
        | Inadmissible::PrincipalDenied
        | Inadmissible::PolicyExpired { .. }
        | Inadmissible::DatasetSuspended
        | Inadmissible::PurposeDenied { .. }
        | Inadmissible::DimensionUnknown { .. }
        | Inadmissible::CodeUnknown { .. }
        | Inadmissible::CrossForbidden { .. }
        | Inadmissible::GeoTooFine { .. }
        | Inadmissible::TooManyDimensions { .. }
        | Inadmissible::TooManyCells { .. } => (false, false),
    }
}

/// Only closed periods, the latest of them, as many as may be pooled; the latest closed one if none of the asked is.
fn with_closed_periods(policy: &Policy, standing: &Standing, variant: &Variant) -> Option<Variant> {
    let closed: BTreeSet<&Period> = standing.editions.iter().map(|e| &e.period).collect();
    let asked: BTreeSet<&Period> = variant.question.periods.iter().collect();
    let most = usize::try_from(policy.unit.periods_max).unwrap_or(usize::MAX);
    let mut kept: Vec<Period> =
        asked.iter().rev().filter(|p| closed.contains(*p)).take(most).map(|p| (*p).clone()).collect();
    if kept.is_empty() {
        kept.push((*closed.last()?).clone());
    }
    kept.sort();
    let names = kept.iter().map(Period::as_str).collect::<Vec<_>>().join(", ");
    Some(variant.with(format!("over {names}"), |q| q.periods = kept))
}

fn at_full_price(policy: &Policy, variant: &Variant) -> Variant {
    let most = policy.budget.per_release_max;
    let spend = match policy.budget.accounting {
        Accounting::Zcdp => Spend::Rho(most),
        Accounting::Pure => Spend::Epsilon(most),
    };
    variant.with(format!("spending \"{most}\""), |q| q.spend = spend)
}
