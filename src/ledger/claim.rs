//! The life of a claim, as types: reserved, drawn, committed.
//!
//! # Guarantees
//! G5: one claim, one draw: [`Reservation::draw`] consumes it, and the noise takes its parameters from it alone.
//! G7: one that is dropped, drawn on or not, is spent by the next change of the ledger: nobody is behind it any more.
//! G10: [`Committed`] is made only by the ledger, after charge, bytes and leaf are durable together.
//!
//! A claim cannot be drawn twice:
//! ```compile_fail
//! fn twice(claim: halflight::ledger::Reservation) { let _ = claim.draw(); let _ = claim.draw(); }
//! ```
//! The twin that compiles:
//! ```
//! fn once(claim: halflight::ledger::Reservation) { let _drawn = claim.draw(); }
//! ```
//! A drawn claim cannot be voided:
//! ```compile_fail
//! use halflight::ledger::{Drawn, Ledger};
//! async fn void(ledger: &Ledger, drawn: Drawn) { let _ = ledger.void(drawn).await; }
//! ```
//! The twin that compiles: an undrawn one can.
//! ```
//! use halflight::ledger::{Ledger, Reservation};
//! async fn void(ledger: &Ledger, claim: Reservation) { let _ = ledger.void(claim).await; }
//! ```

use crate::budget::{Accounting, Nanos};
use crate::identity::{AccountId, ClaimId, DatasetId, Digest, ReleaseId};
use crate::policy::Measured;
use crate::underway::Hold;
use chrono::{DateTime, Utc};

/// A claim that is durable and witnessed, and on which nothing has been drawn.
#[derive(Debug)]
#[must_use = "a reservation holds budget: draw on it or void it"]
pub struct Reservation {
    pub(super) hold: Hold<ClaimId>,
    pub(super) account: AccountId,
    pub(super) accounting: Accounting,
    pub(super) cost: Nanos,
    pub(super) draw: Digest,
    pub(super) measured: Vec<Measured>,
}

/// A claim on which noise has been drawn: from here on it is spent, whatever happens.
#[derive(Debug)]
#[must_use = "a drawn claim must be settled"]
pub struct Drawn {
    pub(super) hold: Hold<ClaimId>,
    pub(super) account: AccountId,
    pub(super) cost: Nanos,
    pub(super) draw: Digest,
}

impl Reservation {
    /// How the account adds up: which noise is drawn.
    #[must_use]
    pub fn accounting(&self) -> Accounting {
        self.accounting
    }

    /// The tables that were paid for, with the units each may cost.
    #[must_use]
    pub fn measured(&self) -> &[Measured] {
        &self.measured
    }

    /// Goes over the line: noise is about to be drawn. Called by `noise::perturb` alone.
    pub fn draw(self) -> Drawn {
        Drawn { hold: self.hold, account: self.account, cost: self.cost, draw: self.draw }
    }
}

/// What the ledger stores of a draft.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id.
    pub id: ReleaseId,
    /// The dataset.
    pub dataset: DatasetId,
    /// What identifies the release.
    pub release: Digest,
    /// The draw it was cut from.
    pub draw: Digest,
    /// The canonical body.
    pub body: Vec<u8>,
    /// SHA-256 of the body.
    pub sha256: Digest,
}

/// What can be settled: a draft release.
pub trait Settle {
    /// What is to be stored.
    fn entry(&self) -> Entry;
}

/// Proof that a draft, its charge and its leaf are durable together. Made only by the ledger.
#[derive(Debug)]
pub struct Committed<D> {
    pub(super) draft: D,
    pub(super) log_index: u64,
    pub(super) released_at: DateTime<Utc>,
}

impl<D> Committed<D> {
    /// The draft, its leaf and its time.
    #[must_use]
    pub fn into_parts(self) -> (D, u64, DateTime<Utc>) {
        (self.draft, self.log_index, self.released_at)
    }
}
