//! The nearest questions that would be admitted and can be paid for, for one that is refused or too dear.
//!
//! A search over the policy, in the order of what a question keeps (`variants`): first what is as precise as what was
//! asked for, then what is so at a price that is left to spend; with other periods where those stand in the way. Each
//! is admitted before it is offered. Whether it was the policy or the account that said no makes no difference.

use super::admit::admit_within;
use super::inadmissible::Inadmissible;
use super::question::Spend;
use super::variants::{Variant, variants};
use super::{Plan, Policy, Question, Standing};
use crate::budget::Nanos;
use crate::identity::{Digest, Period, Principal};
use chrono::NaiveDate;
use std::collections::BTreeSet;

/// The most questions offered.
const OFFERED_MAX: usize = 5;
/// Of these, the most that are as precise as what was too dear: the rest keep more of it at a lower price.
const PRECISE_MAX: usize = 4;

/// A question that would be admitted and can be paid for.
#[derive(Debug, Clone)]
pub struct Offer {
    /// In what it differs from the one asked, as a sentence.
    pub change: String,
    /// The whole question, ready to send.
    pub question: Question,
    /// What would be measured and shown, and its price.
    pub plan: Plan,
}

/// Questions that would be admitted, and cost at most `most`, instead of one that is refused or too dear. Empty where
/// no other question would help: another class of asker, a policy out of force, a purpose that is not allowed, nothing
/// left to spend.
///
/// Where the price stood in the way the cheapest of those that are as precise is among them.
#[must_use]
pub fn alternatives(
    policy: &Policy,
    standing: &Standing,
    asker: &Principal,
    question: &Question,
    today: NaiveDate,
    most: Nanos,
) -> Vec<Offer> {
    let search = Search { policy, standing, asker, today, most: most.min(policy.budget.per_release_max) };
    let (question, dear) = search.as_precise(question);
    let (mut offers, mut dearer) = (Offers::default(), Vec::new());
    for variant in variants(policy, standing, &question) {
        if !dear && offers.found.len() == OFFERED_MAX {
            break;
        }
        match search.mended(variant) {
            Ok(found) => offers.add(found),
            Err(stuck) => dearer.extend(stuck),
        }
    }
    if dear {
        offers.keep_cheapest(PRECISE_MAX);
    }
    for variant in dearer {
        if offers.found.len() == OFFERED_MAX || search.most == Nanos::ZERO {
            break;
        }
        if let Ok(found) = search.mended(variant.at_price(policy.budget.accounting, search.most)) {
            offers.add(found);
        }
    }
    offers.found
}

/// What was found so far, no release twice.
#[derive(Default)]
struct Offers {
    found: Vec<Offer>,
    releases: BTreeSet<Digest>,
}

impl Offers {
    fn add(&mut self, (variant, plan): (Variant, Plan)) {
        if !variant.changes.is_empty() && self.releases.insert(plan.release) {
            self.found.push(Offer { change: variant.changes.join(", "), question: variant.question, plan });
        }
    }

    /// The first so many; the cheapest of all takes the last place, if it is not among them.
    fn keep_cheapest(&mut self, kept: usize) {
        let rest = self.found.split_off(kept.min(self.found.len()));
        let cheapest = rest.into_iter().min_by_key(|offer| offer.plan.cost);
        let least = self.found.iter().map(|offer| offer.plan.cost).min();
        if let Some(cheapest) = cheapest.filter(|offer| Some(offer.plan.cost) < least) {
            self.found.pop();
            self.found.push(cheapest);
        }
    }
}

/// What a question is tried against.
struct Search<'a> {
    policy: &'a Policy,
    standing: &'a Standing,
    asker: &'a Principal,
    today: NaiveDate,
    most: Nanos,
}

impl Search<'_> {
    fn admit(&self, question: &Question, most: Nanos) -> Result<Plan, Inadmissible> {
        admit_within(self.policy, self.standing, self.asker, question, self.today, most)
    }

    /// The question by its margin of error, if it is its price that stands in the way: so that what is tried instead is
    /// as precise. Also whether it is.
    fn as_precise(&self, question: &Question) -> (Question, bool) {
        let Ok(plan) = self.admit(question, Nanos::MAX) else { return (question.clone(), false) };
        if plan.cost <= self.most {
            return (question.clone(), false);
        }
        let hundredths = |width: f64| (width * 100.0).ceil() / 100.0;
        let spend = match question.spend {
            Spend::Moe(width) => Spend::Moe(width),
            Spend::Rho(_) | Spend::Epsilon(_) => Spend::Moe(hundredths(plan.half_width())),
        };
        (Question { spend, ..question.clone() }, true)
    }

    /// The variant, with its periods set right where they stand in the way. If it is refused still: the variant where
    /// it is the price that is in the way, nothing where it is anything else.
    fn mended(&self, mut variant: Variant) -> Result<(Variant, Plan), Option<Box<Variant>>> {
        let mut periods = false;
        loop {
            let reason = match self.admit(&variant.question, self.most) {
                Ok(plan) => return Ok((variant, plan)),
                Err(reason) => reason,
            };
            let (of_periods, of_price) = kind(&reason);
            if !of_periods || periods {
                return Err(of_price.then(|| Box::new(variant)));
            }
            periods = true;
            variant = with_closed_periods(self.policy, self.standing, &variant).ok_or(None)?;
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
