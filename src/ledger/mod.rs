//! The ledger: who has spent what of whose privacy, and everything that must be committed together with it.
//!
//! One database holds accounts, claims, policies, tokens, manifests, releases and the public log, so that a charge, the
//! bytes it paid for and the leaf that says so stand or fall in one transaction.
//!
//! # Guarantees
//! G6: held + spent + cost <= cap, exactly. G7: a claim is durable (and witnessed) before the first random bit; an
//! unknown outcome counts as spent. G10: a release exists only as [`Committed`]. G12: the log only grows.

mod account;
mod backup;
mod balances;
mod claim;
mod claims;
mod commitment;
mod editions;
mod enact;
mod glance;
mod log;
mod policies;
mod records;
mod releases;
mod restore;
mod restore_accounts;
mod restore_rows;
mod row;
mod seal;
mod store;
mod submissions;
#[cfg(test)]
mod tests;
mod token_text;
mod tokens;
mod verify;
mod verify_accounts;
mod verify_governance;
mod verify_rows;
mod writing;

pub use backup::{copy_database, files_named};
pub use claim::{Committed, Drawn, Entry, Reservation, Settle};
pub use claims::Granted;
pub use records::{
    Balance, EditionRow, FileEntry, NewEdition, NewSubmission, NewToken, PolicyRow, PolicySource, PolicyState, Receipt,
    ReleaseFace, ReleaseRow, Resend, Restored, RowFinding, SubmissionRow, SubmissionState, TokenRow,
};
pub use store::{Ledger, LedgerSettings};
pub use verify::verify_database;

use crate::identity::{AccountId, Period, Purpose};

/// What the ledger says no to, and what goes wrong in it.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The organisation has used its quota.
    #[error(
        "your organisation's quota on account {account} does not cover this; ask for less precision, or for a released \
         table, which costs nothing"
    )]
    QuotaExhausted {
        /// The account.
        account: AccountId,
    },
    /// The account, or the share of this purpose, has too little left.
    #[error(
        "what is left of account {account} for purpose {purpose} does not cover this; ask for less precision, or for a \
         released table, which costs nothing"
    )]
    BudgetExhausted {
        /// The account.
        account: AccountId,
        /// The purpose.
        purpose: Purpose,
    },
    /// Another claim for the very same draw is open.
    #[error("the same question is being answered at this moment; ask again in a moment")]
    InProgress,
    /// What was named is not there.
    #[error("there is no such {what}")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
    },
    /// The state does not allow it; the text says what to do.
    #[error("{detail}")]
    Conflict {
        /// A stable code.
        code: &'static str,
        /// What is the matter, and what to do.
        detail: String,
    },
    /// The set of live submissions changed while a period was being closed.
    #[error("the submissions of {period} changed while it was being closed; close it again")]
    Moved {
        /// The period.
        period: Period,
    },
    /// The head of the log is behind what the witness has seen: nothing is served.
    #[error(
        "the log is behind its witness: the database was rolled back, and nothing is served; stop the service and run \
         `halflight restore`, which brings it forward without giving any budget back"
    )]
    BehindWitness,
    /// A newer opening of the ledger has taken over: this one changes nothing any more.
    #[error("the service was started again elsewhere on the same data; this one changes nothing any more")]
    Fenced,
    /// An invariant does not hold on what was read back: the ledger stops.
    #[error("the ledger is corrupt: {0}")]
    Corruption(&'static str),
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
    /// The witness could not be written.
    #[error("the witness did not acknowledge: {0}")]
    Witness(#[source] std::io::Error),
}

impl LedgerError {
    /// Whether it says that there is too little left to spend: what a cheaper question would cure.
    #[must_use]
    pub fn is_short(&self) -> bool {
        matches!(self, Self::QuotaExhausted { .. } | Self::BudgetExhausted { .. })
    }

    /// A stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::QuotaExhausted { .. } => "quota_exhausted",
            Self::BudgetExhausted { .. } => "budget_exhausted",
            Self::InProgress => "in_progress",
            Self::Unknown { .. } => "unknown",
            Self::Conflict { code, .. } => code,
            Self::Moved { .. } => "submissions_moved",
            Self::BehindWitness => "behind_witness",
            Self::Fenced => "fenced",
            Self::Corruption(_) => "ledger_corrupt",
            Self::Database(_) => "database",
            Self::Witness(_) => "witness",
        }
    }
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}
