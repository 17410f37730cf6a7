//! The store: one SQLite database, one writer.

use super::{
    Balance, Committed, Drawn, EditionRow, FileEntry, LedgerError, NewEdition, NewSubmission, NewToken, PolicyRow,
    PolicySource, Receipt, ReleaseRow, Reservation, Settle, SubmissionRow, TokenRow,
};
use crate::clock::Clock;
use crate::identity::{
    AccountId, DatasetId, Digest, Organisation, Period, Principal, ReleaseId, SubmissionId, TokenId,
};
use crate::policy::{EditionRef, Plan, Policy};
use std::path::PathBuf;
use std::sync::Arc;

/// What the ledger needs to open.
pub struct LedgerSettings {
    /// The database file.
    pub database: PathBuf,
    /// The log's signing key.
    pub key: crate::transparency::LogKey,
    /// The witness file; required outside `demo`.
    pub witness: Option<PathBuf>,
    /// Approvals a policy needs in all, the proposer's included.
    pub approvals: u32,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// The ledger's store. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {}

#[expect(unused_variables, clippy::unused_async, missing_docs, clippy::missing_errors_doc, reason = "skeleton")]
impl Ledger {
    pub async fn open(settings: LedgerSettings) -> Result<Self, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    // policies
    pub async fn propose_policy(
        &self,
        by: &Principal,
        policy: &Policy,
        source: &PolicySource,
    ) -> Result<PolicyRow, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    /// Approves; at the last approval the policy is in force, and its account opened or grown.
    pub async fn approve_policy(&self, by: &Principal, policy: &Policy) -> Result<PolicyRow, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    pub async fn policy(&self, sha256: &Digest) -> Result<PolicyRow, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    pub async fn policies(&self) -> Result<Vec<PolicyRow>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    pub async fn policy_in_force(&self, dataset: &DatasetId) -> Result<Option<PolicyRow>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    pub async fn suspend(&self, by: &Principal, dataset: &DatasetId) -> Result<(), LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    pub async fn suspended(&self, dataset: &DatasetId) -> Result<bool, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    // tokens: returns the row and the token text, which is shown once
    pub async fn issue_token(&self, by: Option<&Principal>, new: &NewToken) -> Result<(TokenRow, String), LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    pub async fn revoke_token(&self, by: &Principal, id: &TokenId) -> Result<(), LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    /// The principal of a token text; `None` for anything that is not a valid token now.
    pub async fn authenticate(&self, token: &str) -> Result<Option<Principal>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    // submissions
    pub async fn submission_by_key(
        &self,
        organisation: &Organisation,
        dataset: &DatasetId,
        idempotency_key: &str,
    ) -> Result<Option<SubmissionRow>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    pub async fn live_submission_by_digest(
        &self,
        organisation: &Organisation,
        dataset: &DatasetId,
        period: &Period,
        sha256: &Digest,
    ) -> Result<Option<SubmissionRow>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    /// Commits a submission; returns the receipt and the files of the one it replaces, to be erased.
    pub async fn accept_submission(&self, new: NewSubmission) -> Result<(Receipt, Vec<FileEntry>), LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    /// Withdraws; returns the files to be erased.
    pub async fn withdraw_submission(
        &self,
        by: &Principal,
        dataset: &DatasetId,
        id: &SubmissionId,
    ) -> Result<Vec<FileEntry>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    pub async fn submissions(
        &self,
        organisation: &Organisation,
        dataset: &DatasetId,
    ) -> Result<Vec<SubmissionRow>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    pub async fn live_submissions(
        &self,
        dataset: &DatasetId,
        period: &Period,
    ) -> Result<Vec<SubmissionRow>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    // editions
    pub async fn close_edition(&self, by: &Principal, new: NewEdition) -> Result<EditionRow, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    /// The newest edition of each period, in order of period.
    pub async fn editions(&self, dataset: &DatasetId) -> Result<Vec<EditionRow>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    pub async fn edition(&self, dataset: &DatasetId, edition: &EditionRef) -> Result<EditionRow, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    /// Every file that a live submission or an edition names: what the vault must keep (the rest is swept at start).
    pub async fn files(&self) -> Result<std::collections::BTreeSet<crate::identity::FileId>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    // claims
    pub async fn balance(&self, account: &AccountId) -> Result<Balance, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    /// Whether the plan's cost would be granted now; the same rules as `reserve`, nothing written.
    pub async fn affordable(&self, plan: &Plan, asker: &Principal) -> Result<(), LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    pub async fn reserve(&self, plan: &Plan, asker: &Principal) -> Result<Reservation, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    pub async fn void(&self, claim: Reservation) -> Result<(), LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    /// Settles a claim as spent with nothing released (a fault after the point of no return).
    pub async fn forfeit(&self, claim: Drawn) -> Result<(), LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    /// Charges, stores the sealed draw and the draft, writes the leaves: one transaction.
    pub async fn settle<D: Settle>(
        &self,
        claim: Drawn,
        sealed_draw: Vec<u8>,
        draft: D,
    ) -> Result<Committed<D>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    /// Stores a free answer (another cut of a draw that is paid for) and its leaf.
    pub async fn shelve<D: Settle>(&self, draft: D) -> Result<Committed<D>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    /// The sealed draw of that digest, if it was made.
    pub async fn draw(&self, draw: &Digest) -> Result<Option<Vec<u8>>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
/// The highest price already paid for this measurement (`Plan::measurement`, stored with the draw), if it was drawn.
    pub async fn most_precise(&self, measurement: &Digest) -> Result<Option<crate::budget::Nanos>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    pub async fn release(&self, id: &ReleaseId) -> Result<ReleaseRow, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    pub async fn release_by_digest(&self, release: &Digest) -> Result<Option<ReleaseRow>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    pub async fn releases(&self, dataset: Option<&DatasetId>) -> Result<Vec<ReleaseRow>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    // the log
    /// The newest signed checkpoint, as a C2SP signed note.
    pub async fn checkpoint(&self) -> Result<String, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    /// The canonical JSON of a leaf.
    pub async fn leaf(&self, index: u64) -> Result<Option<String>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    /// A tile by its C2SP path (`tile/0/000`, `tile/entries/000.p/5`); `None` where there is none.
    pub async fn tile(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    /// Hashes that prove leaf `index` in the tree of `size` leaves.
    pub async fn inclusion(&self, index: u64, size: u64) -> Result<Vec<[u8; 32]>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    /// Hashes that prove that the tree of `from` leaves is a prefix of the tree of `to` leaves.
    pub async fn consistency(&self, from: u64, to: u64) -> Result<Vec<[u8; 32]>, LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
    /// The log's verifier key (C2SP vkey), for auditors.
    #[must_use]
    pub fn verifier_key(&self) -> String {
        String::new()
    }
    /// Whether the store answers.
    pub async fn ready(&self) -> Result<(), LedgerError> {
        Err(LedgerError::Corruption("skeleton"))
    }
}
