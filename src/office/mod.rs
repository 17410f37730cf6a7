//! What the people of the service do: submit, close, propose, approve, ask, read.
//!
//! One method an act; each checks the role, then hands over to the stages. HTTP (and whatever face comes next) calls
//! these and names no stage that touches data.

mod faces;

pub use faces::{
    Alternative, Answer, BudgetFace, ColumnFace, Cost, DatasetFace, EditionClosed, Moe, PolicyRecord, Quote,
    SubmissionAsked, Submitted,
};

use crate::identity::{AccountId, DatasetId, Digest, Period, Principal, ReleaseId, SubmissionId, TokenId};
use crate::ledger::{NewToken, PolicySource, Receipt, TokenRow};
use crate::policy::Question;
use crate::release::Release;
use std::io::Read;

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
        reason: crate::policy::Inadmissible,
        /// Nearest questions that would be admitted.
        alternatives: Vec<Alternative>,
    },
    /// The ledger says no, or failed.
    #[error(transparent)]
    Ledger(#[from] crate::ledger::LedgerError),
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

/// The use cases. Cheap to clone.
#[derive(Clone)]
pub struct Office {}

#[expect(unused_variables, clippy::unused_async, missing_docs, clippy::missing_errors_doc, reason = "skeleton")]
impl Office {
    /// The principal of a bearer token (without "Bearer ").
    pub async fn authenticate(&self, token: &str) -> Result<Principal, OfficeError> {
        Err(OfficeError::Sealed)
    }
    // submissions (submitter)
    pub async fn submit(
        &self,
        who: &Principal,
        asked: SubmissionAsked,
        body: Box<dyn Read + Send>,
    ) -> Result<Submitted, OfficeError> {
        Err(OfficeError::Sealed)
    }
    pub async fn receipts(&self, who: &Principal, dataset: &DatasetId) -> Result<Vec<Receipt>, OfficeError> {
        Err(OfficeError::Sealed)
    }
    pub async fn withdraw(&self, who: &Principal, dataset: &DatasetId, id: &SubmissionId) -> Result<(), OfficeError> {
        Err(OfficeError::Sealed)
    }
    // editions (officer)
    pub async fn close(
        &self,
        who: &Principal,
        dataset: &DatasetId,
        period: &Period,
    ) -> Result<EditionClosed, OfficeError> {
        Err(OfficeError::Sealed)
    }
    // policies (officer)
    pub async fn propose(&self, who: &Principal, source: PolicySource) -> Result<PolicyRecord, OfficeError> {
        Err(OfficeError::Sealed)
    }
    pub async fn approve(&self, who: &Principal, sha256: &Digest) -> Result<PolicyRecord, OfficeError> {
        Err(OfficeError::Sealed)
    }
    pub async fn policies(&self, who: &Principal) -> Result<Vec<PolicyRecord>, OfficeError> {
        Err(OfficeError::Sealed)
    }
    pub async fn suspend(&self, who: &Principal, dataset: &DatasetId) -> Result<(), OfficeError> {
        Err(OfficeError::Sealed)
    }
    // questions (analyst)
    pub async fn quote(&self, who: &Principal, question: &Question) -> Result<Quote, OfficeError> {
        Err(OfficeError::Sealed)
    }
    pub async fn ask(&self, who: &Principal, question: &Question) -> Result<Answer, OfficeError> {
        Err(OfficeError::Sealed)
    }
    // what is public (who: None) or restricted
    pub async fn release(&self, who: Option<&Principal>, id: &ReleaseId) -> Result<Release, OfficeError> {
        Err(OfficeError::Sealed)
    }
    pub async fn releases(
        &self,
        who: Option<&Principal>,
        dataset: Option<&DatasetId>,
    ) -> Result<Vec<Release>, OfficeError> {
        Err(OfficeError::Sealed)
    }
    pub async fn datasets(&self) -> Result<Vec<DatasetFace>, OfficeError> {
        Err(OfficeError::Sealed)
    }
    pub async fn dataset(&self, id: &DatasetId) -> Result<DatasetFace, OfficeError> {
        Err(OfficeError::Sealed)
    }
    /// Any role.
    pub async fn budget(&self, who: &Principal, account: &AccountId) -> Result<BudgetFace, OfficeError> {
        Err(OfficeError::Sealed)
    }
    // tokens (operator; never officers)
    pub async fn issue_token(&self, who: &Principal, new: NewToken) -> Result<(TokenRow, String), OfficeError> {
        Err(OfficeError::Sealed)
    }
    pub async fn revoke_token(&self, who: &Principal, id: &TokenId) -> Result<(), OfficeError> {
        Err(OfficeError::Sealed)
    }
    pub async fn tokens(&self, who: &Principal) -> Result<Vec<TokenRow>, OfficeError> {
        Err(OfficeError::Sealed)
    }
    /// The public log: read through the ledger.
    #[must_use]
    pub fn log(&self) -> &crate::ledger::Ledger {
        unimplemented!()
    }
    /// Ready to serve: database answers, vault unsealed.
    pub async fn ready(&self) -> Result<(), OfficeError> {
        Err(OfficeError::Sealed)
    }
}
