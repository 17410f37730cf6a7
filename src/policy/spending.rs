//! The budget of a policy: account, lifetime bound, shares; every amount exact, every part within the whole.

use super::findings::{Findings, at};
use super::model::Budget;
use super::wire;
use crate::budget::{Accounting, Nanos};
use crate::identity::{AccountId, Purpose};
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// Reads the budget.
pub(super) fn read(wire: &wire::Budget, purposes: &BTreeSet<Purpose>, findings: &mut Findings<'_>) -> Option<Budget> {
    let account = findings.take(at(&wire.account), "name_wrong", AccountId::parse(wire.account.get_ref()));
    let accounting = *wire.accounting.get_ref();
    let lifetime = amount_of(accounting, wire.rho.as_ref(), wire.epsilon.as_ref(), &wire.accounting, findings);
    let (delta, delta_value) = delta(wire, findings)?;
    let per_release_max = positive(&wire.per_release_max, findings);
    let quota_per_organisation = match &wire.quota_per_organisation {
        None => None,
        Some(quota) => Some(positive(quota, findings)?),
    };
    let (account, lifetime, per_release_max) = (account?, lifetime?, per_release_max?);
    if per_release_max > lifetime {
        let advice = format!("one question may not cost more than the lifetime bound; write at most \"{lifetime}\"");
        findings.error(at(&wire.per_release_max), "contradiction", advice);
    }
    if let (Some(quota), Some(amount)) = (&wire.quota_per_organisation, quota_per_organisation)
        && amount > lifetime
    {
        findings.warning(at(quota), "quota_idle", "this quota is above the lifetime bound and never binds");
    }
    let shares = shares(wire, purposes, lifetime, findings);
    Some(Budget { account, accounting, lifetime, delta, delta_value, per_release_max, quota_per_organisation, shares })
}

/// The one amount that the accounting asks for: `rho` or `epsilon`, and never the other.
pub(super) fn amount_of<T>(
    accounting: Accounting,
    rho: Option<&Spanned<String>>,
    epsilon: Option<&Spanned<String>>,
    beside: &Spanned<T>,
    findings: &mut Findings<'_>,
) -> Option<Nanos> {
    let (key, wanted, other) = match accounting {
        Accounting::Zcdp => ("rho", rho, epsilon),
        Accounting::Pure => ("epsilon", epsilon, rho),
    };
    if let Some(other) = other {
        let advice = format!("this account counts in {}: write the amount as `{key}`", accounting.as_str());
        findings.error(at(other), "contradiction", advice);
    }
    let Some(text) = wanted else {
        let advice = format!("add `{key}`: an amount in quotes, such as {key} = \"0.1\"");
        findings.error(at(beside), "key_missing", advice);
        return None;
    };
    positive(text, findings)
}

fn positive(text: &Spanned<String>, findings: &mut Findings<'_>) -> Option<Nanos> {
    let amount = findings.amount(text)?;
    if amount == Nanos::ZERO {
        findings.error(at(text), "amount_wrong", "an amount is above zero");
        return None;
    }
    Some(amount)
}

/// The delta at which an epsilon is shown. An account in pure differential privacy needs none.
fn delta(wire: &wire::Budget, findings: &mut Findings<'_>) -> Option<(String, f64)> {
    let Some(delta) = &wire.delta else {
        if *wire.accounting.get_ref() == Accounting::Pure {
            return Some(("1e-9".to_owned(), 1e-9));
        }
        findings.error(
            at(&wire.account),
            "key_missing",
            "add `delta`, at which the epsilon is shown: delta = \"1e-9\"",
        );
        return None;
    };
    let value = delta.get_ref().parse::<f64>().ok().filter(|d| *d > 0.0 && *d < 1.0);
    if value.is_none() {
        findings.error(at(delta), "value_wrong", "delta is a number between 0 and 1 in quotes, such as \"1e-9\"");
    }
    if value.is_some_and(|d| d > 1e-6) {
        findings.warning(at(delta), "delta_large", "a delta above 1e-6 is a real chance of no privacy; use \"1e-9\"");
    }
    value.map(|value| (delta.get_ref().clone(), value))
}

fn shares(
    wire: &wire::Budget,
    purposes: &BTreeSet<Purpose>,
    lifetime: Nanos,
    findings: &mut Findings<'_>,
) -> BTreeMap<Purpose, Nanos> {
    let mut shares = BTreeMap::new();
    let mut sum = Some(Nanos::ZERO);
    for (name, text) in &wire.shares {
        let Some(purpose) = findings.take(at(name), "name_wrong", Purpose::parse(name.get_ref())) else { continue };
        if !purposes.contains(&purpose) {
            let advice = format!("`{purpose}` is not in [purposes] allow; add it there or drop this share");
            findings.error(at(name), "reference_unknown", advice);
        }
        let Some(amount) = findings.amount(text) else { continue };
        sum = sum.and_then(|sum| sum.checked_add(amount));
        if sum.is_none_or(|sum| sum > lifetime) {
            let advice = format!("the shares together pass the lifetime bound of {lifetime}; lower them");
            findings.error(at(text), "contradiction", advice);
        }
        shares.insert(purpose, amount);
    }
    shares
}
