//! Submitting, withdrawing, closing.

use super::{EditionClosed, Office, OfficeError, SubmissionAsked, Submitted, need};
use crate::identity::{DatasetId, Digest, Period, Principal, Role, SubmissionId};
use crate::ledger::{LedgerError, NewEdition, NewSubmission, Receipt, SubmissionRow, SubmissionState};
use crate::policy::{EditionRule, Policy};
use crate::submission::{Intake, Rejection};
use crate::vault::{Strays, Uncommitted};
use sha2::{Digest as _, Sha256};
use std::io::Read;
use std::sync::Arc;

/// How often a closing is tried when submissions arrive in between.
const CLOSINGS_TRIED: u32 = 3;

impl Office {
    /// Receives a file: all of it durable, sealed and in the log when this returns, or nothing.
    ///
    /// The same idempotency key with the same bytes gives the same receipt; so does the same file under another key.
    ///
    /// # Errors
    /// `Rejected` with findings; `ForbiddenRole` for anyone the policy does not name as submitter.
    pub async fn submit(
        &self,
        who: &Principal,
        asked: SubmissionAsked,
        body: Box<dyn Read + Send>,
    ) -> Result<Submitted, OfficeError> {
        need(who, Role::Submitter)?;
        let submitted = self.receive(who, asked, body).await;
        self.tidy().await;
        submitted
    }

    async fn receive(
        &self,
        who: &Principal,
        asked: SubmissionAsked,
        body: Box<dyn Read + Send>,
    ) -> Result<Submitted, OfficeError> {
        let policy = self.policy_for(who, &asked.dataset).await?;
        if !policy.submitters.contains_key(&who.organisation) {
            return Err(OfficeError::ForbiddenRole { needed: "submitter, of an organisation that the policy names" });
        }
        let key = format!("{}\n{}\n{}", who.organisation, asked.dataset, asked.idempotency_key);
        let _turn = self.submitting.take(Digest::of(key.as_bytes())).await;
        if let Some(known) =
            self.ledger.submission_by_key(&who.organisation, &asked.dataset, &asked.idempotency_key).await?
        {
            return self.replayed(who, &policy, known, asked.period, body).await;
        }
        let (new, uncommitted) = self.seal(who, &asked, &policy, body).await?;
        let twin = self
            .ledger
            .live_submission_by_digest(&who.organisation, &new.dataset, &new.period, &new.sha256)
            .await?
            .filter(|_| asked.replaces.is_none());
        if let Some(twin) = twin {
            // The files sealed for nothing are strays; whoever sent them gets the receipt they have.
            return Ok(Submitted { receipt: twin.receipt, created: false });
        }
        // A crash or an error here leaves sealed files that no manifest names, unless the commit landed: a sweep knows.
        let replaces = new.replaces.is_some();
        let receipt = self.ledger.accept_submission(new).await?;
        if !replaces {
            uncommitted.end();
        }
        if policy.editions == EditionRule::Automatic {
            self.close_now(who, &asked.dataset, &receipt.period, &policy).await?;
        }
        Ok(Submitted { receipt, created: true })
    }

    /// The same key again: the same bytes for the same period get the same receipt, anything else is refused. An
    /// automatic closing that broke off the first time is made up for.
    async fn replayed(
        &self,
        who: &Principal,
        policy: &Arc<Policy>,
        known: SubmissionRow,
        period: Option<Period>,
        body: Box<dyn Read + Send>,
    ) -> Result<Submitted, OfficeError> {
        let live = known.state == SubmissionState::Live;
        let submitted = self.same(known, period, body).await?;
        let Receipt { submission, dataset, period, .. } = &submitted.receipt;
        if policy.editions == EditionRule::Automatic
            && live
            && !self.ledger.submissions_closed(dataset, period).await?.contains(submission)
        {
            self.close_now(who, dataset, period, policy).await?;
        }
        Ok(submitted)
    }

    async fn same(
        &self,
        known: SubmissionRow,
        period: Option<Period>,
        mut body: Box<dyn Read + Send>,
    ) -> Result<Submitted, OfficeError> {
        self.blocking(move || {
            let same_period = period.is_none_or(|period| period == known.receipt.period);
            if same_period && digest(&mut body).is_some_and(|digest| digest == known.receipt.sha256) {
                return Ok(Submitted { receipt: known.receipt, created: false });
            }
            Err(OfficeError::Rejected(Rejection::File {
                code: "idempotency_key_reused",
                detail: "this Idempotency-Key was used for another file or period; use a new key for a new file".into(),
            }))
        })
        .await
    }

    async fn seal(
        &self,
        who: &Principal,
        asked: &SubmissionAsked,
        policy: &Arc<Policy>,
        body: Box<dyn Read + Send>,
    ) -> Result<(NewSubmission, Uncommitted), OfficeError> {
        let (vault, policy, asked, who) = (self.vault.clone(), Arc::clone(policy), asked.clone(), who.clone());
        self.blocking(move || {
            let keyer = vault.person_keyer(&asked.dataset, policy.unit.id)?;
            let intake = Intake {
                policy: &policy,
                keyer: &keyer,
                period: asked.period,
                format: asked.format,
                on_error: asked.on_error,
                announced_sha256: asked.announced_sha256,
                organisation: &who.organisation,
            };
            let sealed = vault.receive(&intake, body)?;
            let new = NewSubmission {
                id: SubmissionId::random(),
                dataset: asked.dataset,
                period: sealed.reading.period,
                idempotency_key: asked.idempotency_key,
                sha256: sealed.reading.sha256,
                policy: policy.sha256,
                rows_accepted: sealed.reading.rows_accepted,
                rows_rejected: sealed.reading.rows_rejected,
                rejections: sealed.reading.findings,
                warnings: sealed.reading.warnings,
                files: sealed.files,
                coding: coding_text(&sealed.coding)?,
                replaces: asked.replaces,
                by: who,
            };
            Ok((new, sealed.uncommitted))
        })
        .await
    }

    /// Sweeps if something may lie in the vault that no row names. A failure is tried again after the next act.
    pub async fn tidy(&self) {
        if self.vault.untidy()
            && !self.vault.sealed()
            && let Err(error) = async { self.sweep(self.strays().await?).await }.await
        {
            tracing::warn!(%error, "what no row names could not be erased; it will be tried again");
        }
    }

    async fn strays(&self) -> Result<Strays, OfficeError> {
        let vault = self.vault.clone();
        self.blocking(move || Ok(vault.strays()?)).await
    }

    /// Destroys those strays that no row names now.
    async fn sweep(&self, strays: Strays) -> Result<(), OfficeError> {
        let (vault, known) = (self.vault.clone(), self.ledger.files().await?);
        self.blocking(move || Ok(vault.sweep(strays, &known)?)).await
    }

    /// The caller's own receipts for a dataset.
    ///
    /// # Errors
    /// `ForbiddenRole` for anyone but a submitter.
    pub async fn receipts(&self, who: &Principal, dataset: &DatasetId) -> Result<Vec<Receipt>, OfficeError> {
        need(who, Role::Submitter)?;
        self.policy_for(who, dataset).await?;
        Ok(self.ledger.submissions(&who.organisation, dataset).await?.into_iter().map(|row| row.receipt).collect())
    }

    /// Withdraws a submission of the caller's organisation and erases it at once.
    ///
    /// # Errors
    /// `Unknown` for a submission that is not there or not theirs.
    pub async fn withdraw(&self, who: &Principal, dataset: &DatasetId, id: &SubmissionId) -> Result<(), OfficeError> {
        need(who, Role::Submitter)?;
        self.policy_for(who, dataset).await?;
        let strays = self.strays().await?;
        // However this ends, and even if it lands without our knowing: what no row names is destroyed.
        let withdrawn = self.ledger.withdraw_submission(who, dataset, id).await;
        let swept = self.sweep(strays).await;
        withdrawn?;
        swept
    }

    /// Closes a period: the live submissions of this moment become its next edition. Programs that the policy schedules
    /// for then are run.
    ///
    /// # Errors
    /// `Conflict` if there is nothing to close.
    pub async fn close(
        &self,
        who: &Principal,
        dataset: &DatasetId,
        period: &Period,
    ) -> Result<EditionClosed, OfficeError> {
        need(who, Role::Officer)?;
        let policy = self.policy_for(who, dataset).await?;
        let closed = self.close_now(who, dataset, period, &policy).await;
        self.tidy().await;
        closed
    }

    /// Closes, and runs the programs that the policy schedules for then. That they fail does not make the edition
    /// unclosed.
    async fn close_now(
        &self,
        who: &Principal,
        dataset: &DatasetId,
        period: &Period,
        policy: &Arc<Policy>,
    ) -> Result<EditionClosed, OfficeError> {
        let closed = self.close_edition(who, dataset, period, policy).await?;
        // A crash right here leaves an edition without its program: it is run at the next start.
        self.run_due(dataset).await;
        Ok(closed)
    }

    async fn close_edition(
        &self,
        who: &Principal,
        dataset: &DatasetId,
        period: &Period,
        policy: &Arc<Policy>,
    ) -> Result<EditionClosed, OfficeError> {
        let _alone = self.closing.lock().await;
        let mut tried = 0;
        loop {
            tried += 1;
            let live = self.ledger.live_submissions(dataset, period).await?;
            if live.is_empty() {
                let detail = format!("nothing was submitted for {period}; submit a file for it, then close it");
                return Err(LedgerError::Conflict { code: "nothing_to_close", detail }.into());
            }
            let submissions = live.iter().map(|row| row.receipt.submission.clone()).collect();
            let (vault, policy) = (self.vault.clone(), Arc::clone(policy));
            let sealed = self.blocking(move || Ok(vault.close(&policy, &live)?)).await?;
            let new = NewEdition {
                dataset: dataset.clone(),
                period: period.clone(),
                submissions,
                files: sealed.files,
                coding: sealed.coding.text()?,
            };
            match self.ledger.close_edition(who, new).await {
                Ok(row) => {
                    sealed.uncommitted.end();
                    return Ok(EditionClosed { dataset: row.dataset, edition: row.edition, log_index: row.log_index });
                }
                // What was sealed is a stray, unless the commit landed.
                Err(LedgerError::Moved { .. }) if tried < CLOSINGS_TRIED => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// SHA-256 of a body; `None` if it cannot be read to its end.
fn digest(body: &mut dyn Read) -> Option<Digest> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match body.read(&mut buffer).ok()? {
            0 => return Some(Digest(digest.finalize().into())),
            read => digest.update(buffer.get(..read)?),
        }
    }
}

fn coding_text<T: serde::Serialize>(coding: &T) -> Result<String, OfficeError> {
    serde_json::to_string(coding)
        .map_err(|_| OfficeError::Fault { code: "coding", cause: "a coding is not JSON".into() })
}
