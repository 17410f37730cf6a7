//! Accounts as the log tells them: what was reserved, spent and given back, and whether a cap was ever passed.

use crate::budget::{Accounting, Nanos};
use crate::identity::{AccountId, Digest};

/// Where a claim stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimState {
    /// Reserved.
    Open,
    /// Spent.
    Settled,
    /// Given back.
    Voided,
}

/// A claim as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimReplay {
    /// Who pays.
    pub account: AccountId,
    /// How much.
    pub cost: Nanos,
    /// Commitment to question and asker.
    pub commitment: Digest,
    /// Where it stands.
    pub state: ClaimState,
    /// The leaf that reserved it.
    pub index: u64,
}

/// An account as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountReplay {
    /// How it adds up.
    pub accounting: Accounting,
    /// The cap that the newest policy in force gave.
    pub cap: Nanos,
    /// Reserved, not yet ended.
    pub held: Nanos,
    /// Spent.
    pub spent: Nanos,
}

impl AccountReplay {
    /// What is held and spent; `None` above what can be held.
    #[must_use]
    pub fn used(&self) -> Option<Nanos> {
        self.held.checked_add(self.spent)
    }

    /// Reserves; false if the cap does not cover it.
    pub(super) fn reserve(&mut self, cost: Nanos) -> bool {
        let held = self.held.checked_add(cost);
        let covered = held.and_then(|held| held.checked_add(self.spent)).is_some_and(|used| used <= self.cap);
        self.held = held.unwrap_or(self.held);
        covered
    }

    /// Ends a claim; false if it was not held.
    pub(super) fn end(&mut self, cost: Nanos, spent: bool) -> bool {
        let Some(held) = self.held.checked_sub(cost) else { return false };
        self.held = held;
        if spent {
            let Some(spent) = self.spent.checked_add(cost) else { return false };
            self.spent = spent;
        }
        true
    }
}
