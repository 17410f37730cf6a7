//! What the people of the service do: submit, close, propose, approve, ask, read.
//!
//! One method an act; each checks the role, then hands over to the stages. HTTP (and whatever face comes next) calls
//! these and names no stage that touches data.

#[cfg(test)]
mod accuracy;
mod ask;
mod faces;
mod govern;
mod instead;
mod loss;
mod price;
mod programs;
mod read;
#[cfg(test)]
mod scanned;
mod shelf;
mod submit;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod worth;

pub use faces::{
    Alternative, Answer, BudgetFace, ColumnFace, Cost, DatasetFace, Difference, EditionClosed, Moe, Part, PolicyRecord,
    Quote, SubmissionAsked, Submitted, TableMoe,
};

use crate::clock::Clock;
use crate::identity::{DatasetId, Digest, Principal, Role};
use crate::ledger::{Ledger, LedgerError, PolicyRow};
use crate::policy::{Inadmissible, Policy};
use crate::release::{AnswerError, Answering, Limits, Turns};
use crate::submission::Rejection;
use crate::vault::{Vault, VaultError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;

/// Everything that can be answered instead of what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    /// No valid token.
    #[error("send a valid token: Authorization: Bearer hl_...")]
    Unauthenticated,
    /// The role may not do this.
    #[error("this takes the role {needed}; ask an operator (or, for officers, two officers) for a token with it")]
    ForbiddenRole {
        /// The role it takes.
        needed: &'static str,
    },
    /// The policy says no. Carries what would be allowed.
    #[error("{reason}")]
    Refused {
        /// Why.
        reason: Inadmissible,
        /// Nearest questions that would be admitted.
        alternatives: Vec<Alternative>,
    },
    /// The account, a share of it or a quota has too little left. Carries what it would cover.
    #[error("{refusal}")]
    Short {
        /// Why.
        refusal: LedgerError,
        /// Nearest questions that can be paid for, or cost nothing.
        alternatives: Vec<Alternative>,
    },
    /// A free answer that would give a withheld figure away, beside what was released of its draw.
    #[error("{}", crate::suppress::WouldReveal)]
    WouldReveal {
        /// Nearest questions that would be answered.
        alternatives: Vec<Alternative>,
    },
    /// The ledger says no, or failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file was refused at the door: findings with row, column and rule.
    #[error(transparent)]
    Rejected(#[from] crate::submission::Rejection),
    /// The policy file has errors.
    #[error("the policy file has errors; each says where and what to write instead")]
    PolicyInvalid(Vec<crate::policy::Finding>),
    /// What was named is not there.
    #[error("there is no such {what}")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
    },
    /// The vault has no key: sealed.
    #[error("the service is sealed until its key provider answers")]
    Sealed,
    /// Ours: the cause is in the log only.
    #[error("something failed on our side")]
    Fault {
        /// A stable code.
        code: &'static str,
        /// The cause, for the log; never holds a value from the data.
        cause: String,
    },
}

impl From<AnswerError> for OfficeError {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Ledger(error) => Self::Ledger(error),
            AnswerError::WouldReveal => Self::WouldReveal { alternatives: Vec::new() },
            AnswerError::Full => {
                Self::Ledger(LedgerError::Conflict { code: "draw_full", detail: AnswerError::Full.to_string() })
            }
            AnswerError::Fault(code) => Self::Fault { code, cause: "the way from claim to release broke".into() },
        }
    }
}

impl From<VaultError> for OfficeError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Sealed => Self::Sealed,
            VaultError::Rejected(rejection) => Self::Rejected(rejection),
            VaultError::Body(_) => Self::Rejected(Rejection::File { code: error.code(), detail: error.to_string() }),
            VaultError::Recode { .. } => {
                Self::Ledger(LedgerError::Conflict { code: error.code(), detail: error.to_string() })
            }
            VaultError::KeyExposed
            | VaultError::KeyWrong
            | VaultError::Initialised
            | VaultError::Erased { .. }
            | VaultError::Tampered { .. }
            | VaultError::TooMany { .. }
            | VaultError::Coding
            | VaultError::Format(_)
            | VaultError::Cipher
            | VaultError::Disk(_) => Self::Fault { code: error.code(), cause: error.to_string() },
        }
    }
}

impl From<Inadmissible> for OfficeError {
    fn from(reason: Inadmissible) -> Self {
        Self::Refused { reason, alternatives: Vec::new() }
    }
}

/// Policies kept in memory, parsed.
const POLICIES_KEPT: usize = 256;

/// The use cases. Cheap to clone.
#[derive(Clone)]
pub struct Office {
    ledger: Ledger,
    vault: Vault,
    answering: Answering,
    clock: Arc<dyn Clock>,
    /// Where work runs that must come to an end even if the caller goes away.
    runtime: Handle,
    parsed: Arc<Mutex<HashMap<Digest, Arc<Policy>>>>,
    /// One closing at a time; the ledger checks again that nothing moved.
    closing: Arc<tokio::sync::Mutex<()>>,
    /// One submission at a time under one idempotency key: the second finds the first one's receipt.
    submitting: Turns,
    /// Held to read by every act that must come to its end, and to write by the end of the office.
    under_way: Arc<tokio::sync::RwLock<()>>,
}

impl Office {
    /// An office over these stores. `runtime` is where answers and files are worked on, within `limits`.
    #[must_use]
    pub fn new(ledger: Ledger, vault: Vault, clock: Arc<dyn Clock>, runtime: Handle, limits: Limits) -> Self {
        let answering = Answering::new(ledger.clone(), vault.clone(), limits);
        Self {
            ledger,
            vault,
            answering,
            clock,
            runtime,
            parsed: Arc::default(),
            closing: Arc::default(),
            submitting: Turns::default(),
            under_way: Arc::default(),
        }
    }

    /// Runs an act to its end, also when whoever waits for it goes away: what has begun is charged, logged and stored
    /// whole. [`Office::stop`] waits for it.
    ///
    /// # Errors
    /// The act's own, or a fault if it broke.
    pub async fn to_its_end<T: Send + 'static>(
        &self,
        act: impl Future<Output = Result<T, OfficeError>> + Send + 'static,
    ) -> Result<T, OfficeError> {
        let under_way = Arc::clone(&self.under_way).read_owned().await;
        let task = self.runtime.spawn(async move {
            let _under_way = under_way;
            act.await
        });
        task.await.unwrap_or(Err(OfficeError::Fault { code: "panicked", cause: "an act ended early".into() }))
    }

    /// Waits for the acts under way, then closes the ledger. Nothing can be done here afterwards.
    pub async fn stop(&self) {
        let _nothing_is_under_way = self.under_way.write().await;
        self.ledger.close().await;
    }

    /// The principal of a bearer token (without "Bearer ").
    ///
    /// # Errors
    /// `Unauthenticated` for anything that is not a valid token now.
    pub async fn authenticate(&self, token: &str) -> Result<Principal, OfficeError> {
        self.ledger.authenticate(token).await?.ok_or(OfficeError::Unauthenticated)
    }

    /// The policy of that digest, read once and kept: which one is in force is asked each time, what it says never
    /// changes.
    async fn policy_of(&self, sha256: &Digest) -> Result<Arc<Policy>, OfficeError> {
        if let Some(policy) = self.kept(sha256) {
            return Ok(policy);
        }
        self.parsed(&self.ledger.policy(sha256).await?)
    }

    fn kept(&self, sha256: &Digest) -> Option<Arc<Policy>> {
        self.parsed.lock().unwrap_or_else(PoisonError::into_inner).get(sha256).cloned()
    }

    /// The policy of a row, read once and kept.
    fn parsed(&self, row: &PolicyRow) -> Result<Arc<Policy>, OfficeError> {
        if let Some(policy) = self.kept(&row.sha256) {
            return Ok(policy);
        }
        let (policy, _) = Policy::parse(&row.source.toml, &row.source.lists).map_err(OfficeError::PolicyInvalid)?;
        if policy.sha256 != row.sha256 {
            return Err(LedgerError::Corruption("a stored policy is not the one that was approved").into());
        }
        let policy = Arc::new(policy);
        let mut kept = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= POLICIES_KEPT {
            kept.clear();
        }
        kept.insert(row.sha256, Arc::clone(&policy));
        Ok(policy)
    }

    /// The policy in force of a dataset that this principal may know of.
    async fn policy_for(&self, who: &Principal, dataset: &DatasetId) -> Result<Arc<Policy>, OfficeError> {
        if !who.may_see(dataset) {
            return Err(Inadmissible::DatasetUnknown.into());
        }
        let sha256 = self.ledger.digest_in_force(dataset).await?.ok_or(Inadmissible::DatasetUnknown)?;
        self.policy_of(&sha256).await
    }

    /// Runs work that blocks on files, to its end, off the threads that serve.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, OfficeError> + Send + 'static,
    ) -> Result<T, OfficeError> {
        let ended = self.runtime.spawn_blocking(work).await;
        ended.unwrap_or(Err(OfficeError::Fault { code: "panicked", cause: "a task ended early".into() }))
    }
}

fn need(who: &Principal, role: Role) -> Result<(), OfficeError> {
    if who.role == role { Ok(()) } else { Err(OfficeError::ForbiddenRole { needed: role.as_str() }) }
}
