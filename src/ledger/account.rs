//! The rules of an account, as a pure state machine.
//!
//! # Guarantee
//! G6: on `Ok`, held + spent <= cap, exactly; on `Err`, nothing has changed. Amounts only ever move from free to held and
//! from there to spent, or back to free while nothing was drawn.

#![warn(clippy::float_arithmetic, clippy::arithmetic_side_effects)]

use crate::budget::Nanos;

/// What is known of an account (or of one purpose's share, or one organisation's quota).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// The bound.
    pub cap: Nanos,
    /// Claimed, not yet settled.
    pub held: Nanos,
    /// Spent.
    pub spent: Nanos,
}

/// A move that the rules do not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAllowed;

impl Account {
    /// What is free.
    #[must_use]
    pub fn remaining(self) -> Nanos {
        self.used().and_then(|used| self.cap.checked_sub(used)).unwrap_or(Nanos::ZERO)
    }

    fn used(self) -> Option<Nanos> {
        self.held.checked_add(self.spent)
    }

    fn checked(self) -> Result<Self, NotAllowed> {
        if self.used().is_some_and(|used| used <= self.cap) { Ok(self) } else { Err(NotAllowed) }
    }

    /// Holds an amount, which is not nothing.
    ///
    /// # Errors
    /// If it is not free.
    pub fn reserve(self, cost: Nanos) -> Result<Self, NotAllowed> {
        let held = self.held.checked_add(cost).filter(|_| cost > Nanos::ZERO).ok_or(NotAllowed)?;
        Self { held, ..self }.checked()
    }

    /// Spends an amount that is held.
    ///
    /// # Errors
    /// If it is not held.
    pub fn settle(self, cost: Nanos) -> Result<Self, NotAllowed> {
        let held = self.held.checked_sub(cost).ok_or(NotAllowed)?;
        let spent = self.spent.checked_add(cost).ok_or(NotAllowed)?;
        Self { held, spent, ..self }.checked()
    }

    /// Frees an amount that is held and on which nothing was drawn.
    ///
    /// # Errors
    /// If it is not held.
    pub fn void(self, cost: Nanos) -> Result<Self, NotAllowed> {
        let held = self.held.checked_sub(cost).ok_or(NotAllowed)?;
        Self { held, ..self }.checked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ten_tenths_fit_and_an_eleventh_does_not() {
        // G6
        let tenth = Nanos::from_nanos(100_000_000);
        let mut account = Account { cap: Nanos::from_nanos(1_000_000_000), held: Nanos::ZERO, spent: Nanos::ZERO };
        for _ in 0..10 {
            account = account.reserve(tenth).unwrap().settle(tenth).unwrap();
        }
        assert_eq!(account.reserve(tenth), Err(NotAllowed));
        assert_eq!(account.reserve(Nanos::from_nanos(1)), Err(NotAllowed));
        assert_eq!(account.reserve(Nanos::ZERO), Err(NotAllowed));
        assert_eq!(account.settle(tenth), Err(NotAllowed), "nothing is held");
        assert_eq!(account.void(tenth), Err(NotAllowed), "what is spent stays spent");
    }

    proptest! {
        #[test]
        fn no_list_of_moves_passes_the_cap_or_brings_spent_budget_back(moves in prop::collection::vec((0_u8..3, 0_u64..400), 0..60)) {
            let mut account = Account { cap: Nanos::from_nanos(1_000), held: Nanos::ZERO, spent: Nanos::ZERO };
            for (kind, amount) in moves {
                let amount = Nanos::from_nanos(amount);
                let moved = match kind { 0 => account.reserve(amount), 1 => account.settle(amount), _ => account.void(amount) };
                let before = account.spent;
                account = moved.unwrap_or(account);
                prop_assert!(account.held.checked_add(account.spent).unwrap() <= account.cap);
                prop_assert!(account.spent >= before);
            }
        }
    }
}
