//! A question with less in it: what is tried instead of one that is refused or too dear.
//!
//! In a fixed order, by what is kept of the question. Depends on the policy, the question and the closed periods alone;
//! whether a variant is admitted is for `alternatives` to find out.

use super::asked::{codes_at, column_at};
use super::nearest::{echo, nearest};
use super::plan::PERIOD;
use super::question::Spend;
use super::{Policy, Question, Standing};
use crate::budget::{Accounting, Nanos};
use crate::identity::Period;
use std::collections::BTreeSet;

/// The most questions tried.
const TRIED_MAX: usize = 64;

/// A question and in what it differs from the one asked.
#[derive(Clone)]
pub(super) struct Variant {
    pub(super) changes: Vec<String>,
    pub(super) question: Question,
}

impl Variant {
    pub(super) fn with(&self, change: String, alter: impl FnOnce(&mut Question)) -> Self {
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

    fn without_margins(&self) -> Self {
        self.with("without margins".to_owned(), |q| q.margins = false)
    }

    fn renamed(&self, from: &str, to: &str) -> Self {
        self.with(format!("`{to}` instead of `{}`", echo(from)), |q| {
            each_table(q, |table| table.iter_mut().filter(|c| *c == from).for_each(|c| to.clone_into(c)));
            if let Some(codes) = q.filter.remove(from) {
                q.filter.insert(to.to_owned(), codes);
            }
        })
    }

    /// At a price instead of what was to be spent.
    pub(super) fn at_price(&self, accounting: Accounting, most: Nanos) -> Self {
        let spend = match accounting {
            Accounting::Zcdp => Spend::Rho(most),
            Accounting::Pure => Spend::Epsilon(most),
        };
        self.with(format!("spending \"{most}\""), |q| q.spend = spend)
    }

    /// Over the years that the periods lie in, if all of them are closed as editions of their own: persons of a year
    /// are counted once in it.
    fn over_years(&self, standing: &Standing) -> Option<Self> {
        let year = |period: &Period| period.as_str().get(..4).and_then(|year| Period::parse(year).ok());
        let years: BTreeSet<Period> = self.question.periods.iter().map(year).collect::<Option<_>>()?;
        let closed = |year: &Period| standing.editions.iter().any(|edition| edition.period == *year);
        let longer = years.iter().all(|year| closed(year) && !self.question.periods.contains(year));
        let names = years.iter().map(Period::as_str).collect::<Vec<_>>().join(", ");
        longer.then(|| self.with(format!("over the whole of {names}"), |q| q.periods = years.into_iter().collect()))
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

/// What is tried, in the order of what it keeps: the question itself (slips of the pen set right), without margins, at a
/// coarser geography, with one dimension less, without a filter, over a longer period, with two dimensions less, with
/// the first few alone.
pub(super) fn variants(policy: &Policy, standing: &Standing, question: &Question) -> Vec<Variant> {
    let asked = corrected(policy, question);
    let columns = asked.columns();
    let level = |name: &String| policy.column(name).and_then(|c| c.geo_level);
    let (places, others): (Vec<&String>, Vec<&String>) = columns.iter().partition(|c| level(c).is_some());
    let coarser = places.iter().flat_map(|fine| {
        let below = policy.dimensions().filter(|(c, _)| c.geo_level < level(fine) && c.geo_level.is_some());
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
    let bare = question.margins.then(|| asked.without_margins());
    let whole = std::iter::once(asked.clone()).chain(bare).chain(coarser).chain(single.iter().cloned()).chain(filters);
    let most = TRIED_MAX.saturating_sub(deepest);
    whole.chain(asked.over_years(standing)).chain(pairs).take(most).chain(first).take(TRIED_MAX).collect()
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
        let place = policy.columns.iter().position(|c| c.name == column).map_or(0, |i| i + 1);
        let Some((_, list)) = column_at(policy, place).zip(codes_at(policy, place)) else { continue };
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
