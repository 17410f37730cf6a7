//! May this be asked? A question and a policy become a [`Plan`], or an [`Inadmissible`] that says what would be
//! allowed.
//!
//! # Guarantee
//! G2: the only place where a [`Plan`] is built.
//! G8: the answer depends on policy, question, closed periods and the day; the first reason in order of precedence
//! wins.

use super::asked::{self, Asked};
use super::canonical::digest;
use super::figure::Asking;
use super::further::further;
use super::inadmissible::Inadmissible;
use super::plan::Admitted;
use super::price::Pricing;
use super::quantity::Quantity;
use super::question::{MeasureAsked, Spend};
use super::shape::Shape;
use super::split::Split;
use super::{Cut, Dimension, EditionRef, Figure, Measured, Plan, Policy, Question, Rules, Shown, restrict, shape};
use crate::budget::{Accounting, Nanos};
use crate::identity::{DatasetId, Digest, Period, Principal, Purpose};
use chrono::NaiveDate;
use serde::Serialize;

/// What is known of the dataset besides its policy.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Whether an officer has suspended it.
    pub suspended: bool,
    /// The newest closed edition of each period.
    pub editions: Vec<EditionRef>,
}

/// Admits a question, or says why not.
///
/// # Errors
/// The first reason in order of precedence. Decided without data (G8).
pub fn admit(
    policy: &Policy,
    standing: &Standing,
    asker: &Principal,
    question: &Question,
    today: NaiveDate,
) -> Result<Plan, Inadmissible> {
    admit_within(policy, standing, asker, question, today, policy.budget.per_release_max)
}

/// Admits a question that may cost so much.
pub(super) fn admit_within(
    policy: &Policy,
    standing: &Standing,
    asker: &Principal,
    question: &Question,
    today: NaiveDate,
    most: Nanos,
) -> Result<Plan, Inadmissible> {
    check_standing(policy, standing, asker, &question.dataset, today)?;
    admit_up_to(policy, standing, question, most, &[])
}

/// Admits one of the policy's programs, at the program's own price, over the given periods.
///
/// # Errors
/// As [`admit`]; a program that the policy does not hold is `question_malformed`.
pub fn admit_program(
    policy: &Policy,
    standing: &Standing,
    asker: &Principal,
    program: &str,
    periods: Vec<Period>,
    today: NaiveDate,
) -> Result<Plan, Inadmissible> {
    check_standing(policy, standing, asker, &policy.id, today)?;
    let known = policy.programs.iter().find(|p| p.id == program);
    let Some(program) = known else {
        let ids = policy.programs.iter().map(|p| p.id.as_str()).collect::<Vec<_>>().join(", ");
        return Err(Inadmissible::malformed(format!("there is no program of this name; the policy has: {ids}")));
    };
    admit_up_to(policy, standing, &program.question(policy, periods), program.spend, &program.weights)
}

/// The plan of a question that was answered, laid over the draw that answers it: to read its release again, whoever may
/// ask for it today. Of a draw that does not stand there is no plan.
///
/// # Errors
/// As [`admit`]; `question_malformed` where the draw does not have its dimensions.
pub fn readmit(
    policy: &Policy,
    editions: Vec<EditionRef>,
    question: &Question,
    draw: Digest,
    form: &super::Form,
) -> Result<Plan, Inadmissible> {
    let standing = Standing { suspended: false, editions };
    let plan = admit_up_to(policy, &standing, question, Nanos::MAX, &[])?;
    plan.laid_over(policy, draw, form).ok_or_else(|| Inadmissible::malformed("the question is not of this draw"))
}

impl super::Program {
    /// The program as a question. It may cost more than a question: that is for [`admit_program`] to allow.
    #[must_use]
    pub fn question(&self, policy: &Policy, periods: Vec<Period>) -> Question {
        Question {
            dataset: policy.id.clone(),
            purpose: self.purpose.clone(),
            measures: self.measures.clone(),
            by: None,
            tables: Some(self.tables.clone()),
            filter: std::collections::BTreeMap::new(),
            periods,
            margins: true,
            spend: match policy.budget.accounting {
                Accounting::Zcdp => Spend::Rho(self.spend),
                Accounting::Pure => Spend::Epsilon(self.spend),
            },
        }
    }
}

/// What no other question would cure.
fn check_standing(
    policy: &Policy,
    standing: &Standing,
    asker: &Principal,
    dataset: &DatasetId,
    today: NaiveDate,
) -> Result<(), Inadmissible> {
    if *dataset != policy.id || !asker.may_see(dataset) {
        return Err(Inadmissible::DatasetUnknown);
    }
    if policy.denies(&asker.class) {
        return Err(Inadmissible::PrincipalDenied);
    }
    if today < policy.effective || today > policy.expires {
        return Err(Inadmissible::PolicyExpired { effective: policy.effective, expires: policy.expires });
    }
    if standing.suspended { Err(Inadmissible::DatasetSuspended) } else { Ok(()) }
}

/// Admits the question itself, up to a price; `weights` say how much its tables matter, in their order.
pub(super) fn admit_up_to(
    policy: &Policy,
    standing: &Standing,
    question: &Question,
    most: Nanos,
    weights: &[u32],
) -> Result<Plan, Inadmissible> {
    check_purpose(policy, &question.purpose)?;
    asked::check_form(policy, question)?;
    let question = &super::levels::settle(policy, question)?;
    super::choosing::check_apart(question)?;
    let asked = asked::resolve(policy, question, weights)?;
    asked::check_distinct(policy, &asked)?;
    check_linked(policy, &asked)?;
    restrict::check_crossings(policy, &asked)?;
    restrict::check_geography(policy, &asked)?;
    restrict::check_depth(policy, &asked)?;
    let shape = shape::shape(policy, &asked)?;
    check_periods(policy, &asked)?;
    let editions = editions(standing, &asked)?;
    let rules = restrict::rules(policy, &asked);
    let accounting = policy.budget.accounting;
    let further = further(policy, &asked, &shape);
    let split = Split::of(&shape, &further, accounting, asked.period_count(), policy.unit.rows_max);
    let split = split.ok_or(Inadmissible::TooManyCells { most: policy.cells.cells_max })?;
    let pricing = Pricing { shape: &shape, split: &split, rules: &rules, accounting, most };
    let measured = pricing.resolve(&question.spend)?;
    Ok(plan(policy, question, &asked, shape, rules, editions, measured))
}

fn check_purpose(policy: &Policy, purpose: &Purpose) -> Result<(), Inadmissible> {
    if policy.purposes.contains(purpose) {
        return Ok(());
    }
    Err(Inadmissible::PurposeDenied { allowed: policy.purposes.iter().cloned().collect() })
}

/// Sums add up even where persons do not, so those of a table and its margin would tell of a withheld cell what its
/// persons cannot: such figures come one table at a time.
fn check_linked(policy: &Policy, asked: &Asked) -> Result<(), Inadmissible> {
    let places = asked.with_filters(&asked.broken_down());
    let adds_up =
        !places.iter().any(|&place| asked::column_at(policy, place).is_some_and(|c| c.per == super::Per::Row));
    let several = asked.tables.len() > 1 || asked.margins && asked.tables.iter().any(|table| !table.is_empty());
    if adds_up || !several || !asked.figures.iter().any(Asking::sums_values) {
        return Ok(());
    }
    Err(Inadmissible::malformed(
        "persons do not add up over a column that they can have several codes of, but sums and numbers of values do: \
         ask for sums, means and quantiles over it one table at a time, without margins",
    ))
}

fn check_periods(policy: &Policy, asked: &Asked) -> Result<(), Inadmissible> {
    let most = policy.unit.periods_max;
    if asked.period_count() > u64::from(most) {
        return Err(Inadmissible::TooManyPeriods { asked: asked.periods.len(), most });
    }
    Ok(())
}

fn editions(standing: &Standing, asked: &Asked) -> Result<Vec<EditionRef>, Inadmissible> {
    let newest = |period: &Period| standing.editions.iter().filter(|e| e.period == *period).max_by_key(|e| e.number);
    let found = |period: &Period| {
        newest(period).cloned().ok_or_else(|| Inadmissible::PeriodNotClosed { period: period.clone() })
    };
    asked.periods.iter().map(found).collect()
}

/// What is measured, whatever is paid for it; also, with what each table is paid, a draw: the same for everyone who
/// asks for the same measurement, whatever is cut out of it.
#[derive(Serialize)]
struct DrawForm<'a> {
    dataset: &'a DatasetId,
    policy: Digest,
    editions: &'a [EditionRef],
    dimensions: Vec<(&'a str, Vec<&'a [String]>)>,
    tables: Vec<(&'a Quantity, &'a [usize])>,
    accounting: Accounting,
}

/// The digests of the measurement and of the draw.
fn draw_digests(
    policy: &Policy,
    editions: &[EditionRef],
    dimensions: &[Dimension],
    measured: &[Measured],
) -> (Digest, Digest) {
    // A grouping that is made of something finer does not change what is measured.
    let is_measured = |dimension: &&Dimension| {
        let named = |dim: &usize| dimensions.get(*dim).is_some_and(|d| d.name == dimension.name);
        dimension.finer.is_none() || measured.iter().flat_map(|table| &table.dims).any(named)
    };
    let form = DrawForm {
        dataset: &policy.id,
        policy: policy.sha256,
        editions,
        dimensions: dimensions.iter().filter(is_measured).map(form_of).collect(),
        tables: measured.iter().map(|m| (&m.quantity, m.dims.as_slice())).collect(),
        accounting: policy.budget.accounting,
    };
    let units: Vec<Nanos> = measured.iter().map(|m| m.units).collect();
    (digest("halflight/measurement/1", &form), digest("halflight/draw/1", &(&form, units)))
}

/// A dimension's name and what its levels hold.
fn form_of(dimension: &Dimension) -> (&str, Vec<&[String]>) {
    (dimension.name.as_str(), dimension.levels.iter().map(|level| level.members.as_slice()).collect())
}

/// What identifies a release: the draw, and what is shown of it at which levels.
pub(super) fn release_digest(
    draw: Digest,
    dimensions: &[Dimension],
    shown: &[Shown],
    cuts: &[Cut],
    figures: &[Figure],
) -> Digest {
    let coarser: Vec<_> = dimensions.iter().filter(|dimension| dimension.finer.is_some()).map(form_of).collect();
    match coarser.as_slice() {
        [] => digest("halflight/release/1", &(draw, shown, cuts, figures)),
        coarser => digest("halflight/release/1", &(draw, shown, cuts, figures, coarser)),
    }
}

fn plan(
    policy: &Policy,
    question: &Question,
    asked: &Asked,
    shape: Shape,
    rules: Rules,
    editions: Vec<EditionRef>,
    measured: Vec<Measured>,
) -> Plan {
    let cost = measured.iter().fold(Nanos::ZERO, |sum, m| sum.checked_add(m.units).unwrap_or(Nanos::MAX));
    let (measurement, draw) = draw_digests(policy, &editions, &shape.dimensions, &measured);
    let release = release_digest(draw, &shape.dimensions, &shape.shown, &shape.cuts, &shape.figures);
    Plan {
        dataset: policy.id.clone(),
        title: policy.title.clone(),
        policy: policy.sha256,
        policy_version: policy.version,
        account: policy.budget.account.clone(),
        accounting: policy.budget.accounting,
        purpose: question.purpose.clone(),
        editions,
        structural_zeros: shape::structural_zeros(policy, &shape.dimensions),
        vulnerable: shape::over_dimensions(&policy.vulnerable, &shape.dimensions),
        ruled: super::ruled::ruled(policy, &shape.dimensions),
        known_totals: policy.known_totals.clone(),
        question: canonical_question(policy, asked, cost),
        dimensions: shape.dimensions,
        measured,
        additive: shape.additive,
        figures: shape.figures,
        cost,
        shown: shape.shown,
        cuts: shape.cuts,
        rules,
        delta: policy.budget.delta.clone(),
        draw,
        release,
        measurement,
        asked: shape.asked,
        admitted: Admitted(()),
    }
}

/// The question as printed in a release: sorted, spelt one way, without the purpose, at the price in full.
fn canonical_question(policy: &Policy, asked: &Asked, cost: Nanos) -> serde_json::Value {
    let names = |places: &std::collections::BTreeSet<usize>| -> Vec<String> {
        places.iter().map(|&p| asked::name_at(policy, p)).collect()
    };
    let tables: Vec<Vec<String>> = asked.tables.iter().map(names).collect();
    let filters = asked::spelt(policy, &asked.periods, &asked.filters);
    let measures: Vec<MeasureAsked> = asked.figures.iter().map(|figure| figure.asked(policy, &asked.periods)).collect();
    let amount = match policy.budget.accounting {
        Accounting::Zcdp => "rho",
        Accounting::Pure => "epsilon",
    };
    let mut question = serde_json::json!({
        "dataset": policy.id,
        "measures": measures,
        "periods": asked.periods,
        "margins": asked.margins,
        "spend": { amount: cost },
    });
    if let Some(fields) = question.as_object_mut() {
        match tables.as_slice() {
            [one] => fields.insert("by".into(), one.clone().into()),
            several => fields.insert("tables".into(), several.into()),
        };
        if !filters.is_empty() {
            fields.insert("where".into(), serde_json::json!(filters));
        }
    }
    question
}
