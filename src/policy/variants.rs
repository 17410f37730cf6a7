//! A question with less in it: what is tried instead of one that is refused or too dear.
//!
//! In a fixed order, by what is kept of the question. Depends on the policy, the question and the closed periods alone;
//! whether a variant is admitted is for `alternatives` to find out.

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

/// What is tried, in the order of what it keeps: the question itself (slips of the pen set right), without margins,
/// with groups of codes instead of codes, at a coarser geography, over the year, with one dimension less, without a
/// filter, with two dimensions less, with the first few alone.
pub(super) fn variants(policy: &Policy, standing: &Standing, question: &Question) -> Vec<Variant> {
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
    let bare = question.margins.then(|| asked.without_margins());
    let grouped = columns.iter().flat_map(|fine| broader(policy, &asked, fine));
    let whole = std::iter::once(asked.clone()).chain(bare).chain(grouped).chain(coarser);
    let less = single.iter().cloned().chain(filters).chain(pairs);
    let most = TRIED_MAX.saturating_sub(deepest);
    whole.chain(over_years(standing, &asked)).chain(less).take(most).chain(first).take(TRIED_MAX).collect()
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
