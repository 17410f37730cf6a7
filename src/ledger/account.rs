//! The pure rules of an account: reserve, settle, void. No database, no clock, no floats.
//!
//! # Guarantee
//! G6: on `Ok`, held + spent <= cap in each of the three pots a claim draws on (the organisation's quota, the purpose's
//! share, the account), exactly. On `Err`, nothing has changed: the input is consumed, and whoever kept it kept it
//! whole.

#![warn(clippy::float_arithmetic, clippy::arithmetic_side_effects)]

use crate::budget::Nanos;

/// An amount that may be held or spent, and how much of it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pot {
    pub(super) cap: Nanos,
    pub(super) held: Nanos,
    pub(super) spent: Nanos,
}

impl Pot {
    pub(super) fn used(self) -> Option<Nanos> {
        self.held.checked_add(self.spent)
    }

    pub(super) fn remaining(self) -> Option<Nanos> {
        self.cap.checked_sub(self.used()?)
    }

    fn reserve(self, cost: Nanos) -> Option<Self> {
        let reserved = Self { held: self.held.checked_add(cost)?, ..self };
        (reserved.used()? <= reserved.cap).then_some(reserved)
    }

    fn settle(self, cost: Nanos) -> Option<Self> {
        Some(Self { held: self.held.checked_sub(cost)?, spent: self.spent.checked_add(cost)?, ..self })
    }

    fn void(self, cost: Nanos) -> Option<Self> {
        Some(Self { held: self.held.checked_sub(cost)?, ..self })
    }
}

/// The three pots a claim draws on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) quota: Pot,
    pub(super) share: Pot,
    pub(super) whole: Pot,
}

/// Why a claim is not granted, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Short {
    /// A claim has a price.
    Price,
    /// The organisation's quota does not cover it.
    Quota,
    /// The share of the purpose, or the account, does not cover it.
    Budget,
}

/// Holds the cost of a claim.
pub(super) fn reserve(account: Account, cost: Nanos) -> Result<Account, Short> {
    if cost == Nanos::ZERO {
        return Err(Short::Price);
    }
    let quota = account.quota.reserve(cost).ok_or(Short::Quota)?;
    let share = account.share.reserve(cost).ok_or(Short::Budget)?;
    let whole = account.whole.reserve(cost).ok_or(Short::Budget)?;
    Ok(Account { quota, share, whole })
}

/// Spends what is held; `None` if it is not held.
pub(super) fn settle(account: Account, cost: Nanos) -> Option<Account> {
    let Account { quota, share, whole } = account;
    Some(Account { quota: quota.settle(cost)?, share: share.settle(cost)?, whole: whole.settle(cost)? })
}

/// Gives back what is held; `None` if it is not held.
pub(super) fn void(account: Account, cost: Nanos) -> Option<Account> {
    let Account { quota, share, whole } = account;
    Some(Account { quota: quota.void(cost)?, share: share.void(cost)?, whole: whole.void(cost)? })
}

/// The new caps of an account's shares: those a policy names, those it names no more (closed at what they have used),
/// and what is left for purposes without one. `None` if some cap would fall below what is used.
pub(super) fn regrant(
    lifetime: Nanos,
    whole: Pot,
    unshared: Pot,
    shares: impl IntoIterator<Item = (Option<Nanos>, Pot)>,
) -> Option<(Nanos, Vec<Nanos>)> {
    let mut rest = lifetime;
    let mut caps = Vec::new();
    for (cap, pot) in shares {
        let cap = cap.unwrap_or(pot.used()?);
        rest = rest.checked_sub(cap)?;
        (pot.used()? <= cap).then(|| caps.push(cap))?;
    }
    (whole.used()? <= lifetime && unshared.used()? <= rest).then_some((rest, caps))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pot(cap: u64) -> Pot {
        Pot { cap: Nanos::from_nanos(cap), held: Nanos::ZERO, spent: Nanos::ZERO }
    }

    fn account(quota: u64, share: u64, whole: u64) -> Account {
        Account { quota: pot(quota), share: pot(share), whole: pot(whole) }
    }

    fn holds(pot: Pot) -> bool {
        pot.used().is_some_and(|used| used <= pot.cap)
    }

    #[test]
    fn quota_is_refused_before_budget_and_a_free_claim_is_none() {
        let five = Nanos::from_nanos(5);
        assert_eq!(reserve(account(4, 4, 4), five), Err(Short::Quota));
        assert_eq!(reserve(account(5, 4, 4), five), Err(Short::Budget));
        assert_eq!(reserve(account(5, 5, 4), five), Err(Short::Budget));
        assert_eq!(reserve(account(5, 5, 5), Nanos::ZERO), Err(Short::Price));
        assert!(reserve(account(5, 5, 5), five).is_ok());
    }

    #[test]
    fn no_sum_wraps_around() {
        let huge = Pot { cap: Nanos::MAX, held: Nanos::from_nanos(u64::MAX), spent: Nanos::ZERO };
        let account = Account { quota: huge, share: huge, whole: huge };
        assert_eq!(reserve(account, Nanos::from_nanos(1)), Err(Short::Quota));
        assert_eq!(settle(self::account(9, 9, 9), Nanos::from_nanos(1)), None);
        assert_eq!(void(self::account(9, 9, 9), Nanos::from_nanos(1)), None);
    }

    #[test]
    fn a_share_closes_at_what_it_has_used_and_no_cap_falls_below_it() {
        let nanos = Nanos::from_nanos;
        let used = |cap, spent| Pot { cap: nanos(cap), held: Nanos::ZERO, spent: nanos(spent) };
        let grant =
            regrant(nanos(100), used(80, 30), used(40, 10), [(Some(nanos(50)), used(20, 15)), (None, used(20, 5))]);
        assert_eq!(grant, Some((nanos(45), vec![nanos(50), nanos(5)])));
        assert_eq!(regrant(nanos(29), used(80, 30), used(40, 30), []), None);
        assert_eq!(regrant(nanos(100), used(80, 30), used(40, 10), [(Some(nanos(14)), used(20, 15))]), None);
        assert_eq!(regrant(nanos(100), used(80, 30), used(40, 10), [(Some(nanos(91)), used(20, 15))]), None);
    }

    proptest! {
        // G6
        #[test]
        fn whatever_is_tried_no_pot_is_overdrawn(
            caps in (0_u64..60, 0_u64..60, 0_u64..60),
            tries in prop::collection::vec((0_u8..3, 0_u64..12), 0..60),
        ) {
            let mut now = account(caps.0, caps.1, caps.2);
            let mut open = Vec::new();
            let mut spent = 0;
            for (what, cost) in tries {
                let cost = Nanos::from_nanos(cost);
                match what {
                    0 => if let Ok(next) = reserve(now, cost) { now = next; open.push(cost) },
                    1 => if let Some(cost) = open.pop() {
                        now = settle(now, cost).unwrap();
                        spent = cost.as_nanos().saturating_add(spent);
                    },
                    _ => if let Some(cost) = open.pop() { now = void(now, cost).unwrap() },
                }
                prop_assert!(holds(now.quota) && holds(now.share) && holds(now.whole));
                prop_assert_eq!(now.whole.spent.as_nanos(), spent);
                prop_assert_eq!(now.whole.held.as_nanos(), open.iter().map(|c| c.as_nanos()).sum::<u64>());
            }
        }
    }
}
