//! Submissions and editions: manifests of what lies sealed in the vault.

use super::claims::{commitment, named};
use super::policies::conflict;
use super::store::{Ledger, unsigned};
use super::{EditionRow, FileEntry, LedgerError, NewEdition, NewSubmission, Receipt, SubmissionRow, SubmissionState};
use crate::identity::{DatasetId, Digest, FileId, Organisation, Period, Principal, SubmissionId, random_bytes};
use crate::policy::EditionRef;
use crate::transparency::Leaf;
use chrono::DateTime;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use std::collections::BTreeSet;

impl Ledger {
    /// The submission made under an idempotency key.
    ///
    /// # Errors
    /// Faults only.
    pub async fn submission_by_key(
        &self,
        organisation: &Organisation,
        dataset: &DatasetId,
        key: &str,
    ) -> Result<Option<SubmissionRow>, LedgerError> {
        let row =
            sqlx::query("SELECT * FROM submissions WHERE organisation = ? AND dataset = ? AND idempotency_key = ?")
                .bind(organisation.as_str())
                .bind(dataset.as_str())
                .bind(key)
                .fetch_optional(&self.0.readers)
                .await?;
        row.as_ref().map(submission).transpose()
    }

    /// The live submission of the same bytes.
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
        let live = self.live_submissions(dataset, period).await?;
        Ok(live.into_iter().find(|row| {
            row.organisation == *organisation && row.receipt.sha256 == *sha256 && row.receipt.period == *period
        }))
    }

    /// Commits a submission; returns the receipt and the files of the one it replaces, to be erased.
    ///
    /// # Errors
    /// `Unknown` if what it replaces is not a live one of the same sender, dataset and period.
    pub async fn accept_submission(&self, new: NewSubmission) -> Result<(Receipt, Vec<FileEntry>), LedgerError> {
        let mut step = self.begin().await?;
        let mut erased = Vec::new();
        let sequence: i64 =
            sqlx::query_scalar("SELECT COALESCE(MAX(sequence), 0) + 1 FROM submissions").fetch_one(step.db()).await?;
        let salt = random_bytes::<32>();
        let mut receipt = Receipt {
            submission: new.id.clone(),
            dataset: new.dataset.clone(),
            period: new.period.clone(),
            sha256: new.sha256,
            rows_accepted: new.rows_accepted,
            rows_rejected: new.rows_rejected,
            rejections: new.rejections,
            salt: hex::encode(salt),
            commitment: Digest::of(b""),
            log_index: 0,
        };
        let mut told = serde_json::to_value(&receipt).map_err(|_| LedgerError::Corruption("a receipt"))?;
        if let Some(told) = told.as_object_mut() {
            told.remove("commitment");
            told.remove("log_index");
        }
        receipt.commitment = commitment(&salt, told.to_string().as_bytes());
        if let Some(old) = &new.replaces {
            let row = sqlx::query("SELECT * FROM submissions WHERE id = ? AND organisation = ? AND dataset = ? AND period = ? AND state = 'live'")
                .bind(old.as_str())
                .bind(new.by.organisation.as_str())
                .bind(new.dataset.as_str())
                .bind(new.period.as_str())
                .fetch_optional(step.db())
                .await?
                .ok_or(LedgerError::Unknown { what: "live submission of yours for this period to replace" })?;
            erased = submission(&row)?.files;
            sqlx::query("UPDATE submissions SET state = 'replaced' WHERE id = ?")
                .bind(old.as_str())
                .execute(step.db())
                .await?;
        }
        receipt.log_index = step.log(Leaf::SubmissionAccepted {
            submission: new.id.clone(),
            organisation: new.by.organisation.clone(),
            dataset: new.dataset.clone(),
            period: new.period.clone(),
            commitment: receipt.commitment,
        })?;
        if let Some(old) = new.replaces {
            step.log(Leaf::SubmissionReplaced { submission: old, by: new.id.clone() })?;
        }
        let json = |value: Result<String, serde_json::Error>| value.map_err(|_| LedgerError::Corruption("a manifest"));
        sqlx::query("INSERT INTO submissions VALUES (?, ?, ?, ?, ?, ?, ?, 'live', ?, ?, ?, ?)")
            .bind(new.id.as_str())
            .bind(sequence)
            .bind(new.dataset.as_str())
            .bind(new.period.as_str())
            .bind(new.by.organisation.as_str())
            .bind(&new.idempotency_key)
            .bind(json(serde_json::to_string(&receipt))?)
            .bind(new.policy.to_string())
            .bind(json(serde_json::to_string(&new.files))?)
            .bind(&new.coding)
            .bind(self.now().timestamp())
            .execute(step.db())
            .await?;
        step.commit().await?;
        Ok((receipt, erased))
    }

    /// Withdraws; returns the files to be erased.
    ///
    /// # Errors
    /// `Unknown` if it is not a live one of the caller's.
    pub async fn withdraw_submission(
        &self,
        by: &Principal,
        dataset: &DatasetId,
        id: &SubmissionId,
    ) -> Result<Vec<FileEntry>, LedgerError> {
        let mut step = self.begin().await?;
        let row = sqlx::query(
            "SELECT * FROM submissions WHERE id = ? AND organisation = ? AND dataset = ? AND state = 'live'",
        )
        .bind(id.as_str())
        .bind(by.organisation.as_str())
        .bind(dataset.as_str())
        .fetch_optional(step.db())
        .await?
        .ok_or(LedgerError::Unknown { what: "live submission of yours" })?;
        let mut row = submission(&row)?;
        // The server's copy of the salt dies with the data: the commitment can be opened by the submitter alone.
        row.receipt.salt = String::new();
        let receipt = serde_json::to_string(&row.receipt).map_err(|_| LedgerError::Corruption("a receipt"))?;
        sqlx::query("UPDATE submissions SET state = 'withdrawn', receipt = ? WHERE id = ?")
            .bind(receipt)
            .bind(id.as_str())
            .execute(step.db())
            .await?;
        step.log(Leaf::SubmissionWithdrawn { submission: id.clone() })?;
        step.commit().await?;
        Ok(row.files)
    }

    /// The submissions of an organisation to a dataset.
    ///
    /// # Errors
    /// Faults only.
    pub async fn submissions(
        &self,
        organisation: &Organisation,
        dataset: &DatasetId,
    ) -> Result<Vec<SubmissionRow>, LedgerError> {
        let rows = sqlx::query("SELECT * FROM submissions WHERE organisation = ? AND dataset = ? ORDER BY sequence")
            .bind(organisation.as_str())
            .bind(dataset.as_str())
            .fetch_all(&self.0.readers)
            .await?;
        rows.iter().map(submission).collect()
    }

    /// What a closing of this period would read: a year covers its quarters and months.
    ///
    /// # Errors
    /// Faults only.
    pub async fn live_submissions(
        &self,
        dataset: &DatasetId,
        period: &Period,
    ) -> Result<Vec<SubmissionRow>, LedgerError> {
        let rows = sqlx::query("SELECT * FROM submissions WHERE dataset = ? AND (period = ? OR period LIKE ? || '-%') AND state = 'live' ORDER BY sequence")
            .bind(dataset.as_str())
            .bind(period.as_str())
            .bind(period.as_str())
            .fetch_all(&self.0.readers)
            .await?;
        rows.iter().map(submission).collect()
    }

    /// Every file that a live submission or an edition names: what the vault must keep (the rest is swept at start).
    ///
    /// # Errors
    /// Faults only.
    pub async fn files(&self) -> Result<BTreeSet<FileId>, LedgerError> {
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT files FROM submissions WHERE state = 'live' UNION ALL SELECT files FROM editions",
        )
        .fetch_all(&self.0.readers)
        .await?;
        let mut all = BTreeSet::new();
        for row in rows {
            all.extend(files(&row)?.into_iter().map(|file| file.id));
        }
        Ok(all)
    }

    /// Commits an edition.
    ///
    /// # Errors
    /// `Moved` if the live submissions are not those it was made of.
    pub async fn close_edition(&self, _by: &Principal, new: NewEdition) -> Result<EditionRow, LedgerError> {
        let mut step = self.begin().await?;
        let live: Vec<String> = sqlx::query_scalar("SELECT id FROM submissions WHERE dataset = ? AND (period = ? OR period LIKE ? || '-%') AND state = 'live' ORDER BY sequence")
            .bind(new.dataset.as_str())
            .bind(new.period.as_str())
            .bind(new.period.as_str())
            .fetch_all(step.db())
            .await?;
        if !live.iter().map(String::as_str).eq(new.submissions.iter().map(SubmissionId::as_str)) {
            return Err(LedgerError::Moved { period: new.period });
        }
        let number: i64 =
            sqlx::query_scalar("SELECT COALESCE(MAX(number), 0) + 1 FROM editions WHERE dataset = ? AND period = ?")
                .bind(new.dataset.as_str())
                .bind(new.period.as_str())
                .fetch_one(step.db())
                .await?;
        let number = u32::try_from(number).map_err(|_| LedgerError::Corruption("an edition's number"))?;
        let commitment = commitment(&random_bytes::<32>(), live.join("\n").as_bytes());
        let log_index = step.log(Leaf::EditionClosed {
            dataset: new.dataset.clone(),
            period: new.period.clone(),
            number,
            commitment,
        })?;
        let text = serde_json::to_string(&new.files).map_err(|_| LedgerError::Corruption("a manifest"))?;
        sqlx::query("INSERT INTO editions VALUES (?, ?, ?, ?, ?, ?, ?)")
            .bind(new.dataset.as_str())
            .bind(new.period.as_str())
            .bind(number)
            .bind(text)
            .bind(&new.coding)
            .bind(super::store::signed(log_index)?)
            .bind(self.now().timestamp())
            .execute(step.db())
            .await?;
        self.supersede(&mut step, &new.dataset, &new.period, number).await?;
        step.commit().await?;
        let edition = EditionRef { period: new.period, number };
        self.edition(&new.dataset, &edition).await
    }

    /// The newest edition of each period, in order of period.
    ///
    /// # Errors
    /// Faults only.
    pub async fn editions(&self, dataset: &DatasetId) -> Result<Vec<EditionRow>, LedgerError> {
        let rows = sqlx::query("SELECT dataset, period, MAX(number), files, coding, log_index, closed_at FROM editions WHERE dataset = ? GROUP BY period ORDER BY period")
            .bind(dataset.as_str())
            .fetch_all(&self.0.readers)
            .await?;
        rows.iter().map(edition).collect()
    }

    /// One edition.
    ///
    /// # Errors
    /// `Unknown`.
    pub async fn edition(&self, dataset: &DatasetId, wanted: &EditionRef) -> Result<EditionRow, LedgerError> {
        let row = sqlx::query("SELECT dataset, period, number, files, coding, log_index, closed_at FROM editions WHERE dataset = ? AND period = ? AND number = ?")
            .bind(dataset.as_str())
            .bind(wanted.period.as_str())
            .bind(wanted.number)
            .fetch_optional(&self.0.readers)
            .await?;
        edition(&row.ok_or(LedgerError::Unknown { what: "edition" })?)
    }
}

fn files(text: &str) -> Result<Vec<FileEntry>, LedgerError> {
    serde_json::from_str(text).map_err(|_| LedgerError::Corruption("a manifest"))
}

fn time(seconds: i64) -> Result<DateTime<chrono::Utc>, LedgerError> {
    DateTime::from_timestamp(seconds, 0).ok_or(LedgerError::Corruption("a time"))
}

fn submission(row: &SqliteRow) -> Result<SubmissionRow, LedgerError> {
    let state = match row.try_get::<String, _>("state")?.as_str() {
        "live" => SubmissionState::Live,
        "replaced" => SubmissionState::Replaced,
        _ => SubmissionState::Withdrawn,
    };
    Ok(SubmissionRow {
        receipt: serde_json::from_str(&row.try_get::<String, _>("receipt")?)
            .map_err(|_| LedgerError::Corruption("a receipt"))?,
        organisation: named(Organisation::parse(row.try_get("organisation")?))?,
        state,
        sequence: unsigned(row.try_get("sequence")?)?,
        policy: Digest::parse(row.try_get("policy")?).ok_or(LedgerError::Corruption("a digest"))?,
        files: files(row.try_get("files")?)?,
        coding: row.try_get("coding")?,
        submitted_at: time(row.try_get("submitted_at")?)?,
    })
}

fn edition(row: &SqliteRow) -> Result<EditionRow, LedgerError> {
    let number: i64 = row.try_get(2)?;
    Ok(EditionRow {
        dataset: named(DatasetId::parse(row.try_get(0)?))?,
        edition: EditionRef {
            period: named(Period::parse(row.try_get(1)?))?,
            number: u32::try_from(number).map_err(|_| LedgerError::Corruption("an edition's number"))?,
        },
        files: files(row.try_get(3)?)?,
        coding: row.try_get(4)?,
        log_index: unsigned(row.try_get(5)?)?,
        closed_at: time(row.try_get(6)?)?,
    })
}

#[expect(dead_code, reason = "kept beside its siblings")]
fn _conflict() -> LedgerError {
    conflict("", "")
}
