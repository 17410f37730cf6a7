//! Editions: the live submissions of one moment, closed into the next number of their period.
//!
//! # Guarantee
//! An edition is committed only if it was made of exactly the submissions that are live in the same transaction;
//! numbers grow by one; releases of the edition before keep their bytes and carry a notice.

use super::row::{columns, count, int, json, name, small, time, to_json};
use super::{EditionRow, FileEntry, Ledger, LedgerError, NewEdition, commitment, releases, submissions};
use crate::fault::Point;
use crate::identity::{DatasetId, FileId, Period, Principal, ReleaseId, SubmissionId};
use crate::policy::{EditionRef, Policy};
use crate::transparency::Leaf;
use sqlx::SqliteConnection;
use std::collections::BTreeSet;

columns! {
    EditionColumns {
        dataset: String,
        period: String,
        number: i64,
        files: String,
        coding: String,
        closed_at: i64,
        log_index: i64,
    }
}

impl TryFrom<EditionColumns> for EditionRow {
    type Error = LedgerError;
    fn try_from(row: EditionColumns) -> Result<Self, LedgerError> {
        Ok(Self {
            dataset: name(row.dataset)?,
            edition: EditionRef { period: name(row.period)?, number: small(row.number)? },
            files: json(&row.files)?,
            coding: row.coding,
            log_index: count(row.log_index)?,
            closed_at: time(row.closed_at)?,
        })
    }
}

/// The lists of files that the vault must hold.
pub(super) const FILES: &str =
    "SELECT files FROM submissions WHERE state = 'live' UNION ALL SELECT files FROM editions";

/// The number of the newest edition of a period, one that was lost in a restore included.
pub(super) async fn newest(
    rows: &mut SqliteConnection,
    dataset: &DatasetId,
    period: &Period,
) -> Result<Option<u32>, LedgerError> {
    let last: Option<i64> = sqlx::query_scalar(
        "SELECT MAX(number) FROM
         (SELECT number FROM editions WHERE dataset = ?1 AND period = ?2
          UNION ALL SELECT number FROM lost_editions WHERE dataset = ?1 AND period = ?2)",
    )
    .bind(dataset.as_str())
    .bind(period.as_str())
    .fetch_one(rows)
    .await?;
    last.map(small).transpose()
}

impl Ledger {
    /// Commits a closed edition.
    ///
    /// # Errors
    /// [`LedgerError::Moved`] if the live submissions are not those it was made of.
    pub async fn close_edition(&self, _by: &Principal, new: NewEdition) -> Result<EditionRow, LedgerError> {
        let mut writing = self.write().await?;
        let live: BTreeSet<SubmissionId> =
            submissions::live(writing.rows(), &new.dataset, &new.period).await?.into_iter().collect();
        if live.is_empty() || live != new.submissions.iter().cloned().collect() {
            return Err(LedgerError::Moved { period: new.period });
        }
        let last = newest(writing.rows(), &new.dataset, &new.period).await?;
        let number = last.unwrap_or(0).checked_add(1).ok_or(LedgerError::Corruption("editions are used up"))?;
        let (salt, commitment) = commitment::of(to_json(&live)?.as_bytes())?;
        let leaf = Leaf::EditionClosed { dataset: new.dataset.clone(), period: new.period.clone(), number, commitment };
        let log_index = writing.leaf(&leaf).await?;
        let closed_at = writing.now();
        sqlx::query(
            "INSERT INTO editions (dataset, period, number, submissions, salt, commitment, files, coding, closed_at,
             log_index)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(new.dataset.as_str())
        .bind(new.period.as_str())
        .bind(number)
        .bind(to_json(&live)?)
        .bind(salt)
        .bind(commitment.to_string())
        .bind(to_json(&new.files)?)
        .bind(&new.coding)
        .bind(closed_at.timestamp_millis())
        .bind(int(log_index)?)
        .execute(writing.rows())
        .await?;
        let edition = EditionRef { period: new.period, number };
        for release in outdated(writing.rows(), &new.dataset, &edition).await? {
            releases::supersede(&mut writing, &release, &edition).await?;
        }
        writing.commit(Point::Close).await?;
        Ok(EditionRow { dataset: new.dataset, edition, files: new.files, coding: new.coding, log_index, closed_at })
    }

    /// One edition.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] if it was not closed.
    pub async fn edition(&self, dataset: &DatasetId, edition: &EditionRef) -> Result<EditionRow, LedgerError> {
        let row: Option<EditionColumns> =
            sqlx::query_as("SELECT * FROM editions WHERE dataset = ? AND period = ? AND number = ?")
                .bind(dataset.as_str())
                .bind(edition.period.as_str())
                .bind(edition.number)
                .fetch_optional(&mut *self.reading().await?)
                .await?;
        row.ok_or(LedgerError::Unknown { what: "edition" })?.try_into()
    }

    /// The submissions that the newest edition of a period was made of; none if it was never closed.
    ///
    /// # Errors
    /// Faults only.
    pub async fn submissions_closed(
        &self,
        dataset: &DatasetId,
        period: &Period,
    ) -> Result<BTreeSet<SubmissionId>, LedgerError> {
        let newest: Option<String> = sqlx::query_scalar(
            "SELECT submissions FROM editions WHERE dataset = ? AND period = ? ORDER BY number DESC LIMIT 1",
        )
        .bind(dataset.as_str())
        .bind(period.as_str())
        .fetch_optional(&mut *self.reading().await?)
        .await?;
        newest.map_or(Ok(BTreeSet::new()), |ids| json(&ids))
    }

    /// The periods whose newest edition was closed while this policy was in force, in order.
    ///
    /// # Errors
    /// Faults only.
    pub async fn closed_under(&self, policy: &Policy) -> Result<Vec<Period>, LedgerError> {
        let periods: Vec<String> = sqlx::query_scalar(
            "SELECT period FROM editions WHERE dataset = ?1 GROUP BY period HAVING MAX(log_index) >
             (SELECT MAX(p.log_index, COALESCE((SELECT MAX(a.log_index) FROM approvals a WHERE a.policy = p.sha256), 0))
              FROM policies p WHERE p.sha256 = ?2 AND p.state = 'in_force')
             ORDER BY period",
        )
        .bind(policy.id.as_str())
        .bind(policy.sha256.to_string())
        .fetch_all(&mut *self.read().await?)
        .await?;
        periods.into_iter().map(name).collect()
    }

    /// Every file that a live submission or an edition names: what the vault must keep; the rest is swept. Read as a
    /// change would read it: not from a ledger that is behind its witness, nor by an opening that another has fenced
    /// off, whose files in the making this one does not know.
    ///
    /// # Errors
    /// As those of a change.
    pub async fn files(&self) -> Result<BTreeSet<FileId>, LedgerError> {
        let lists: Vec<String> = sqlx::query_scalar(FILES).fetch_all(self.write().await?.rows()).await?;
        let mut kept = BTreeSet::new();
        for list in lists {
            kept.extend(json::<Vec<FileEntry>>(&list)?.into_iter().map(|file| file.id));
        }
        Ok(kept)
    }
}

/// Releases, not yet marked, that were drawn from an edition before this one.
async fn outdated(
    rows: &mut SqliteConnection,
    dataset: &DatasetId,
    closed: &EditionRef,
) -> Result<Vec<ReleaseId>, LedgerError> {
    let unmarked: Vec<(String, String)> = sqlx::query_as(
        "SELECT r.id, c.editions FROM releases r JOIN draws d ON d.draw = r.draw JOIN claims c ON c.claim = d.claim
         WHERE r.dataset = ? AND r.notice IS NULL ORDER BY r.log_index",
    )
    .bind(dataset.as_str())
    .fetch_all(rows)
    .await?;
    let mut found = Vec::new();
    for (id, editions) in unmarked {
        let over: Vec<EditionRef> = json(&editions)?;
        if over.iter().any(|edition| edition.period == closed.period && edition.number < closed.number) {
            found.push(name(id)?);
        }
    }
    Ok(found)
}
