//! Submissions: accepted, replaced, withdrawn. The manifest of what the vault holds.
//!
//! # Guarantees
//! A receipt says in the log only a keyed commitment; its salt goes to the submitter, and the server's copy dies, with
//! everything else the receipt says of the file, when the submission is withdrawn. One idempotency key, one submission.

use super::row::{columns, conflict, count, digest, int, json, name, one, time, to_json, word};
use super::writing::Writing;
use super::{Ledger, LedgerError, NewSubmission, Receipt, SubmissionRow, SubmissionState, commitment};
use crate::fault::Point;
use crate::identity::{DatasetId, Digest, Organisation, Period, Principal, SubmissionId};
use crate::transparency::{Leaf, Standing};
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

columns! {
    SubmissionColumns {
        id: String,
        organisation: String,
        dataset: String,
        period: String,
        sha256: String,
        state: String,
        sequence: i64,
        policy: String,
        receipt: String,
        salt: Option<String>,
        commitment: String,
        files: String,
        coding: String,
        submitted_at: i64,
        log_index: i64,
    }
}

impl TryFrom<SubmissionColumns> for SubmissionRow {
    type Error = LedgerError;
    fn try_from(row: SubmissionColumns) -> Result<Self, LedgerError> {
        let mut receipt: Receipt = json(&row.receipt)?;
        receipt.salt = row.salt.unwrap_or_default();
        receipt.commitment = digest(&row.commitment)?;
        receipt.log_index = count(row.log_index)?;
        if !receipt.salt.is_empty() && committed(&receipt)? != receipt.commitment {
            return Err(LedgerError::Corruption("a receipt is not the one that was committed"));
        }
        let withdrawn = row.state == "withdrawn";
        let sha256 = if withdrawn { String::new() } else { receipt.sha256.to_string() };
        let said = (receipt.dataset.as_str(), receipt.period.as_str(), sha256.as_str());
        if said != (row.dataset.as_str(), row.period.as_str(), row.sha256.as_str()) {
            return Err(LedgerError::Corruption("a receipt is not of the submission beside it"));
        }
        Ok(Self {
            receipt,
            organisation: name(row.organisation)?,
            state: word(row.state)?,
            sequence: count(row.sequence)?,
            policy: digest(&row.policy)?,
            files: json(&row.files)?,
            coding: row.coding,
            submitted_at: time(row.submitted_at)?,
        })
    }
}

/// HMAC-SHA-256(salt, canonical receipt without `commitment` and `log_index`).
fn committed(receipt: &Receipt) -> Result<Digest, LedgerError> {
    let broken = |_| LedgerError::Corruption("a receipt cannot be written");
    let mut value = serde_json::to_value(receipt).map_err(broken)?;
    if let Some(fields) = value.as_object_mut() {
        fields.remove("commitment");
        fields.remove("log_index");
    }
    commitment::under(&receipt.salt, to_json(&value)?.as_bytes())
}

/// The live submissions of a period, in order of acceptance.
pub(super) async fn live(
    rows: &mut SqliteConnection,
    dataset: &DatasetId,
    period: &Period,
) -> Result<Vec<SubmissionId>, LedgerError> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM submissions WHERE dataset = ? AND period = ? AND state = 'live' ORDER BY sequence",
    )
    .bind(dataset.as_str())
    .bind(period.as_str())
    .fetch_all(rows)
    .await?;
    ids.into_iter().map(name).collect()
}

/// Every submission, each held against its commitment while it can be opened.
pub(super) async fn all(rows: &mut SqliteConnection) -> Result<BTreeMap<SubmissionId, SubmissionRow>, LedgerError> {
    let found: Vec<SubmissionColumns> = sqlx::query_as("SELECT * FROM submissions").fetch_all(rows).await?;
    found.into_iter().map(|row| Ok((name(row.id.clone())?, row.try_into()?))).collect()
}

/// The state of a row that the log tells of.
pub(super) fn state_of(standing: Standing) -> SubmissionState {
    match standing {
        Standing::Live => SubmissionState::Live,
        Standing::Replaced => SubmissionState::Replaced,
        Standing::Erased => SubmissionState::Withdrawn,
    }
}

/// Marks a live submission as replaced.
pub(super) async fn replace(rows: &mut SqliteConnection, id: &SubmissionId) -> Result<(), LedgerError> {
    let changed = sqlx::query("UPDATE submissions SET state = 'replaced' WHERE id = ? AND state = 'live'")
        .bind(id.as_str())
        .execute(rows)
        .await?;
    one(&changed)
}

/// Withdraws. What the receipt said of the file is wiped with its salt: from here on nothing on the server opens the
/// commitment in the log.
pub(super) async fn wipe(rows: &mut SqliteConnection, receipt: &Receipt) -> Result<(), LedgerError> {
    let wiped = Receipt {
        sha256: Digest([0; 32]),
        rows_accepted: 0,
        rows_rejected: 0,
        rejections: Vec::new(),
        warnings: Vec::new(),
        salt: String::new(),
        ..receipt.clone()
    };
    let changed = sqlx::query(
        "UPDATE submissions SET state = 'withdrawn', salt = NULL, sha256 = '', receipt = ?
         WHERE id = ? AND state <> 'withdrawn'",
    )
    .bind(to_json(&wiped)?)
    .bind(receipt.submission.as_str())
    .execute(rows)
    .await?;
    one(&changed)
}

impl Ledger {
    /// The submission of an idempotency key, whatever became of it.
    ///
    /// # Errors
    /// Faults only.
    pub async fn submission_by_key(
        &self,
        organisation: &Organisation,
        dataset: &DatasetId,
        idempotency_key: &str,
    ) -> Result<Option<SubmissionRow>, LedgerError> {
        let row: Option<SubmissionColumns> =
            sqlx::query_as("SELECT * FROM submissions WHERE organisation = ? AND dataset = ? AND idempotency_key = ?")
                .bind(organisation.as_str())
                .bind(dataset.as_str())
                .bind(idempotency_key)
                .fetch_optional(&mut *self.reading().await?)
                .await?;
        row.map(SubmissionRow::try_from).transpose()
    }

    /// The live submission of the same bytes for the same period, if there is one.
    ///
    /// # Errors
    /// Faults only.
    pub async fn live_submission_by_digest(
        &self,
        organisation: &Organisation,
        dataset: &DatasetId,
        period: &Period,
        sha256: &Digest,
    ) -> Result<Option<SubmissionRow>, LedgerError> {
        let row: Option<SubmissionColumns> = sqlx::query_as(
            "SELECT * FROM submissions WHERE organisation = ? AND dataset = ? AND period = ? AND sha256 = ?
             AND state = 'live' ORDER BY sequence LIMIT 1",
        )
        .bind(organisation.as_str())
        .bind(dataset.as_str())
        .bind(period.as_str())
        .bind(sha256.to_string())
        .fetch_optional(&mut *self.reading().await?)
        .await?;
        row.map(SubmissionRow::try_from).transpose()
    }

    /// Commits a submission. Nothing names the files of the one it replaces any more.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] if the idempotency key was used, or what it replaces is not live or of another period;
    /// [`LedgerError::Unknown`] if what it replaces is not there, or not theirs.
    pub async fn accept_submission(&self, new: NewSubmission) -> Result<Receipt, LedgerError> {
        let mut writing = self.write().await?;
        refuse_key(writing.rows(), &new).await?;
        let replaced = match &new.replaces {
            Some(id) => Some(own_live(writing.rows(), id, &new.by.organisation, &new.dataset).await?),
            None => None,
        };
        if replaced.as_ref().is_some_and(|row| row.receipt.period != new.period) {
            return Err(conflict("period_differs", "the file replaces one of another period; send it for that period"));
        }
        let mut receipt = Receipt {
            submission: new.id.clone(),
            dataset: new.dataset.clone(),
            period: new.period.clone(),
            sha256: new.sha256,
            rows_accepted: new.rows_accepted,
            rows_rejected: new.rows_rejected,
            rejections: new.rejections.clone(),
            warnings: new.warnings.clone(),
            salt: commitment::salt(),
            commitment: Digest([0; 32]),
            log_index: 0,
        };
        receipt.commitment = committed(&receipt)?;
        let leaf = Leaf::SubmissionAccepted {
            submission: new.id.clone(),
            organisation: new.by.organisation.clone(),
            dataset: new.dataset.clone(),
            period: new.period.clone(),
            commitment: receipt.commitment,
        };
        receipt.log_index = writing.leaf(&leaf).await?;
        insert(&mut writing, &new, &receipt).await?;
        if let Some(old) = replaced {
            replace(writing.rows(), &old.receipt.submission).await?;
            let leaf = Leaf::SubmissionReplaced {
                submission: old.receipt.submission,
                organisation: old.organisation,
                dataset: old.receipt.dataset,
                period: old.receipt.period,
                commitment: old.receipt.commitment,
                by: new.id.clone(),
            };
            writing.leaf(&leaf).await?;
        }
        // A crash after this leaves the files of the replaced one in the vault, named by nothing: swept.
        writing.commit(Point::Accept).await?;
        Ok(receipt)
    }

    /// Withdraws: nothing names its files any more.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] if it is not there or not theirs; [`LedgerError::Conflict`] if it is not live.
    pub async fn withdraw_submission(
        &self,
        by: &Principal,
        dataset: &DatasetId,
        id: &SubmissionId,
    ) -> Result<(), LedgerError> {
        let mut writing = self.write().await?;
        let row = own_live(writing.rows(), id, &by.organisation, dataset).await?;
        wipe(writing.rows(), &row.receipt).await?;
        let leaf = Leaf::SubmissionWithdrawn {
            submission: row.receipt.submission,
            organisation: row.organisation,
            dataset: row.receipt.dataset,
            period: row.receipt.period,
            commitment: row.receipt.commitment,
        };
        writing.leaf(&leaf).await?;
        writing.commit(Point::Withdraw).await
    }

    /// An organisation's submissions to a dataset, in order of acceptance.
    ///
    /// # Errors
    /// Faults only.
    pub async fn submissions(
        &self,
        organisation: &Organisation,
        dataset: &DatasetId,
    ) -> Result<Vec<SubmissionRow>, LedgerError> {
        let rows: Vec<SubmissionColumns> =
            sqlx::query_as("SELECT * FROM submissions WHERE organisation = ? AND dataset = ? ORDER BY sequence")
                .bind(organisation.as_str())
                .bind(dataset.as_str())
                .fetch_all(&mut *self.reading().await?)
                .await?;
        rows.into_iter().map(SubmissionRow::try_from).collect()
    }

    /// What would be closed into the next edition of a period, in order of acceptance.
    ///
    /// # Errors
    /// Faults only.
    pub async fn live_submissions(
        &self,
        dataset: &DatasetId,
        period: &Period,
    ) -> Result<Vec<SubmissionRow>, LedgerError> {
        let rows: Vec<SubmissionColumns> = sqlx::query_as(
            "SELECT * FROM submissions WHERE dataset = ? AND period = ? AND state = 'live' ORDER BY sequence",
        )
        .bind(dataset.as_str())
        .bind(period.as_str())
        .fetch_all(&mut *self.reading().await?)
        .await?;
        rows.into_iter().map(SubmissionRow::try_from).collect()
    }
}

async fn refuse_key(rows: &mut SqliteConnection, new: &NewSubmission) -> Result<(), LedgerError> {
    let used: Option<String> = sqlx::query_scalar(
        "SELECT sha256 FROM submissions WHERE organisation = ? AND dataset = ? AND idempotency_key = ?",
    )
    .bind(new.by.organisation.as_str())
    .bind(new.dataset.as_str())
    .bind(&new.idempotency_key)
    .fetch_optional(rows)
    .await?;
    match used {
        None => Ok(()),
        Some(sha256) if sha256 == new.sha256.to_string() => {
            Err(conflict("idempotency_replay", "this file was accepted a moment ago; send it again to get its receipt"))
        }
        Some(_) => {
            Err(conflict("idempotency_key_reused", "this Idempotency-Key was used for another file; use a new key"))
        }
    }
}

async fn own_live(
    rows: &mut SqliteConnection,
    id: &SubmissionId,
    organisation: &Organisation,
    dataset: &DatasetId,
) -> Result<SubmissionRow, LedgerError> {
    let row: Option<SubmissionColumns> =
        sqlx::query_as("SELECT * FROM submissions WHERE id = ? AND organisation = ? AND dataset = ?")
            .bind(id.as_str())
            .bind(organisation.as_str())
            .bind(dataset.as_str())
            .fetch_optional(rows)
            .await?;
    let row: SubmissionRow = row.ok_or(LedgerError::Unknown { what: "submission" })?.try_into()?;
    if row.state == SubmissionState::Live {
        Ok(row)
    } else {
        Err(conflict("submission_not_live", "this submission was replaced or withdrawn already"))
    }
}

async fn insert(writing: &mut Writing, new: &NewSubmission, receipt: &Receipt) -> Result<(), LedgerError> {
    let stored = to_json(&Receipt { salt: String::new(), ..receipt.clone() })?;
    let now = writing.now().timestamp_millis();
    sqlx::query(
        "INSERT INTO submissions (id, organisation, dataset, period, idempotency_key, sha256, state, sequence, policy,
         receipt, salt, commitment, files, coding, submitted_at, log_index)
         VALUES (?, ?, ?, ?, ?, ?, 'live', (SELECT COALESCE(MAX(sequence), 0) + 1 FROM submissions),
         ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(new.id.as_str())
    .bind(new.by.organisation.as_str())
    .bind(new.dataset.as_str())
    .bind(new.period.as_str())
    .bind(&new.idempotency_key)
    .bind(new.sha256.to_string())
    .bind(new.policy.to_string())
    .bind(stored)
    .bind(&receipt.salt)
    .bind(receipt.commitment.to_string())
    .bind(to_json(&new.files)?)
    .bind(&new.coding)
    .bind(now)
    .bind(int(receipt.log_index)?)
    .execute(writing.rows())
    .await?;
    Ok(())
}
