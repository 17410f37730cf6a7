//! What an officer should look at although the policy loads, and the one error that needs the whole policy: a program
//! that its own policy refuses.

use super::file::File;
use super::findings::{Findings, Place, at};
use super::identifying;
use super::{Forbid, Kind, Policy, Require};
use crate::budget::{Accounting, Nanos};
use crate::identity::Purpose;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// An epsilon above which a policy is asked to think again.
const EPSILON_MAX: f64 = 5.0;
/// A floor below which small groups are shown.
const THRESHOLD_MIN: u32 = 10;
/// Years after which a policy is looked at anew.
const YEARS_MAX: f64 = 5.0;

/// Codes of people whose stay is not secure.
const INSECURE: [&str; 4] = ["irregular", "pending", "undocumented", "without"];

impl Policy {
    /// The epsilon that the lifetime budget means, at the policy's delta: `rho + 2 sqrt(rho ln(1/delta))` for zCDP
    /// (Bun and Steinke 2016, proposition 1.3), an upper bound; the amount itself for pure differential privacy.
    #[must_use]
    pub fn epsilon_at_most(&self) -> f64 {
        let amount = units(self.budget.lifetime);
        match self.budget.accounting {
            Accounting::Zcdp => amount + 2.0 * (amount * (1.0 / self.budget.delta_value).ln()).sqrt(),
            Accounting::Pure => amount,
        }
    }

    /// How many whole years the lifetime budget, and the share of each purpose, lasts at the programs' pace; `None`
    /// without programs.
    #[must_use]
    pub fn years_of_programs(&self) -> Option<u64> {
        // By share; what has none draws on what no share holds.
        let mut yearly: BTreeMap<Option<&Purpose>, u64> = BTreeMap::new();
        for program in &self.programs {
            let cost = program.spend.as_nanos().saturating_mul(program.runs_a_year(self.frequency));
            let shared = Some(&program.purpose).filter(|purpose| self.budget.shares.contains_key(purpose));
            let sum = yearly.entry(shared).or_default();
            *sum = sum.saturating_add(cost);
        }
        let all = yearly.values().fold(0_u64, |sum, cost| sum.saturating_add(*cost));
        let mut shares = self.budget.shares.values();
        let rest = shares.try_fold(self.budget.lifetime, |rest, share| rest.checked_sub(*share)).unwrap_or(Nanos::ZERO);
        let cap =
            |shared: Option<&Purpose>| shared.and_then(|purpose| self.budget.shares.get(purpose)).unwrap_or(&rest);
        let pots = yearly.iter().map(|(shared, cost)| (*cap(*shared), *cost)).chain([(self.budget.lifetime, all)]);
        pots.filter_map(|(cap, cost)| cap.as_nanos().checked_div(cost)).min()
    }
}

pub(super) fn lint(policy: &Policy, file: &File, findings: &mut Findings<'_>) {
    budget(policy, file, findings);
    time(policy, file, findings);
    columns(policy, file, findings);
    forbids(policy, file, findings);
    requires(policy, file, findings);
    places(policy, file, findings);
    programs(policy, file, findings);
    for (zero, wire) in policy.structural_zeros.iter().zip(&file.structural_zeros) {
        if zero.len() == 1 {
            let advice = "one column alone: these codes can never occur; take them off the code list instead";
            findings.warning(at(&wire.get_ref().selection), "code_impossible", advice);
        }
    }
    if policy.consulted.is_empty() {
        findings.warning(None, "nobody_consulted", "`consulted` is empty; name the groups that were asked, and when");
    }
}

fn budget(policy: &Policy, file: &File, findings: &mut Findings<'_>) {
    let place = file.budget.as_ref().and_then(|b| b.rho.as_ref().or(b.epsilon.as_ref())).and_then(at);
    let epsilon = policy.epsilon_at_most();
    if epsilon > EPSILON_MAX {
        let advice = format!("the lifetime budget means an epsilon of about {epsilon:.1}; above 5 promises little");
        findings.warning(place.clone(), "epsilon_large", advice);
    }
    let shared = policy.budget.shares.values().try_fold(Nanos::ZERO, |sum, share| sum.checked_add(*share));
    let unfunded: Vec<&str> =
        policy.purposes.iter().filter(|p| !policy.budget.shares.contains_key(*p)).map(Purpose::as_str).collect();
    if shared == Some(policy.budget.lifetime) && !unfunded.is_empty() {
        let advice = format!("the shares take the whole budget: nothing is left for {}", unfunded.join(", "));
        findings.warning(place, "purpose_unfunded", advice);
    }
    let threshold = file.cells.as_ref().and_then(|c| at(&c.threshold));
    if policy.cells.threshold < THRESHOLD_MIN {
        let advice = "a threshold below 10 shows groups so small that their members know each other; use 10 or more";
        findings.warning(threshold, "threshold_low", advice);
    }
}

fn time(policy: &Policy, file: &File, findings: &mut Findings<'_>) {
    let place = file.head.as_ref().and_then(|h| at(&h.expires));
    if years(policy) > YEARS_MAX {
        let advice = "more than five years in force; choose an earlier day, so that people are asked again";
        findings.warning(place, "expires_late", advice);
    }
}

fn years(policy: &Policy) -> f64 {
    let days = i32::try_from((policy.expires - policy.effective).num_days()).unwrap_or(i32::MAX);
    f64::from(days) / 365.25
}

fn columns(policy: &Policy, file: &File, findings: &mut Findings<'_>) {
    let named = policy.columns.iter().zip(&file.columns);
    for (column, wire) in named {
        if let Some(why) = identifying::warning(&column.name, column.kind == Kind::Ignored) {
            findings.warning(at(&wire.get_ref().name), "identifying_column", why);
        }
    }
}

fn forbids(policy: &Policy, file: &File, findings: &mut Findings<'_>) {
    let place = |index: usize| file.forbids.get(index).and_then(|f| at(&f.get_ref().cross));
    for (index, forbid) in policy.forbids.iter().enumerate() {
        let wider = |(other, f): &(usize, &Forbid)| {
            let equal = f.cross == forbid.cross && f.spares == forbid.spares;
            let as_wide = f.cross.is_subset(&forbid.cross) && f.spares.is_subset(&forbid.spares);
            *other != index && as_wide && (!equal || *other < index)
        };
        if let Some((_, wider)) = policy.forbids.iter().enumerate().find(wider) {
            let cross = wider.cross.iter().map(String::as_str).collect::<Vec<_>>().join(" x ");
            findings.warning(place(index), "rules_overlap", format!("{cross} forbids this already; drop one of them"));
        } else if u64::try_from(forbid.cross.len()).is_ok_and(|n| n > u64::from(policy.cells.dims_max)) {
            let advice = "no table has so many dimensions (dims_max): this rule never applies; name fewer columns";
            findings.warning(place(index), "rule_unused", advice);
        } else if forbid.cross.len() == 1 {
            let advice =
                "one column alone is forbidden in every table; write role = \"ignored\" to keep it out entirely";
            findings.warning(place(index), "column_forbidden", advice);
        }
    }
}

fn requires(policy: &Policy, file: &File, findings: &mut Findings<'_>) {
    for (require, wire) in policy.requires.iter().zip(&file.requires) {
        let place = at(&wire.get_ref().when);
        if let Some(why) = unused(policy, require) {
            findings.warning(place, "rule_unused", why);
        }
    }
}

fn unused(policy: &Policy, require: &Require) -> Option<&'static str> {
    let columns: BTreeSet<String> = require.when.keys().cloned().collect();
    if policy.forbids(&columns).is_some() {
        return Some("these columns are forbidden together: this rule never applies; drop it");
    }
    if u64::try_from(columns.len()).is_ok_and(|n| n > u64::from(policy.cells.dims_max)) {
        return Some("no table has so many dimensions (dims_max): this rule never applies; name fewer columns");
    }
    let finest = policy.dimensions().filter_map(|(c, _)| c.geo_level).max();
    let idle = require.rule.dims_max.is_none_or(|d| d >= policy.cells.dims_max)
        && require.rule.geo_level_max.is_none_or(|g| finest.is_none_or(|finest| finest <= g))
        && require.rule.threshold.is_none_or(|t| t <= policy.cells.threshold);
    idle.then_some("this demands no more than the rules for every table do; make it stricter or drop it")
}

/// People whose stay is not secure are not shown below the first level of geography.
fn places(policy: &Policy, file: &File, findings: &mut Findings<'_>) {
    for (status, codes) in policy.dimensions() {
        let insecure: BTreeSet<&str> =
            codes.codes.iter().map(|c| c.id.as_str()).filter(|c| INSECURE.contains(c)).collect();
        if insecure.is_empty() {
            continue;
        }
        for (fine, _) in policy.dimensions().filter(|(c, _)| c.geo_level.is_some_and(|g| g >= 2)) {
            let both = BTreeSet::from([status.name.clone(), fine.name.clone()]);
            let forbidden = policy.forbids(&both).is_some();
            let kept_coarse = insecure.iter().all(|code| {
                let of_code = |r: &Require| {
                    r.when.len() == 1 && r.when.get(&status.name).is_some_and(|codes| codes.contains(*code))
                };
                policy.requires.iter().filter(|r| of_code(r)).any(|r| r.rule.geo_level_max.is_some_and(|g| g < 2))
            });
            if !forbidden && !kept_coarse {
                let advice = format!(
                    "{} x {} would locate people whose stay is not secure; add [[forbid]] cross = [\"{}\", \"{}\"]",
                    status.name, fine.name, status.name, fine.name
                );
                findings.warning(place_of(file, &fine.name), "irregular_place", advice);
            }
        }
    }
}

fn place_of(file: &File, column: &str) -> Place {
    let columns = file.columns.iter().map(|c| &c.get_ref().name);
    let groupings = file.groupings.iter().map(|g| &g.get_ref().name);
    columns.chain(groupings).find(|n| n.get_ref() == column).and_then(at)
}

fn programs(policy: &Policy, file: &File, findings: &mut Findings<'_>) {
    for (program, wire) in policy.programs.iter().zip(&file.programs) {
        if let Err(why) = program.expected(policy) {
            let advice = format!("this policy refuses its own program ({}): {why}", why.code());
            findings.error(at(&wire.get_ref().tables), "program_refused", advice);
        }
    }
    pace(policy, file.programs.first(), findings);
}

/// Whether the programs can be paid for as long as the policy is in force.
fn pace(policy: &Policy, first: Option<&Spanned<super::wire::Program>>, findings: &mut Findings<'_>) {
    let Some(first) = first else { return };
    let place = at(&first.get_ref().id);
    match policy.years_of_programs() {
        None | Some(0) => {
            let advice = "the programs together cost more than the lifetime budget; lower their prices";
            findings.warning(place, "programs_over_budget", advice);
        }
        Some(lasting) => {
            let in_force = years(policy).ceil();
            if units(Nanos::from_nanos(lasting.saturating_mul(crate::budget::NANOS_PER_UNIT))) < in_force {
                let advice = format!(
                    "at their pace the programs use up the budget, or a share of it, in {lasting} years; the policy holds {in_force:.0}"
                );
                findings.warning(place, "programs_over_pace", advice);
            }
        }
    }
}

/// An amount as a number, for sentences.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "for warnings, not for accounting")]
fn units(amount: Nanos) -> f64 {
    amount.as_nanos() as f64 / crate::budget::NANOS_PER_UNIT as f64
}
