//! Releases, draws and the log, as read and written.

use super::claim::{Committed, Entry, Settle};
use super::claims::named;
use super::store::{Ledger, Step, signed, unsigned};
use super::{LedgerError, ReleaseRow};
use crate::budget::Nanos;
use crate::identity::{ClaimId, DatasetId, Digest, Period, ReleaseId};
use crate::transparency::Leaf;
use chrono::{DateTime, SubsecRound as _, Utc};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

const RELEASES_LISTED: i64 = 1_000;

impl Ledger {
    /// Stores a free answer (another cut of a draw that is paid for) and its leaf.
    ///
    /// # Errors
    /// `Unknown` if there is no such draw.
    pub async fn shelve<D: Settle>(&self, draft: D) -> Result<Committed<D>, LedgerError> {
        let entry = draft.entry();
        let mut step = self.begin().await?;
        let claim: Option<String> = sqlx::query_scalar("SELECT claim FROM draws WHERE digest = ?")
            .bind(entry.draw.to_string())
            .fetch_optional(step.db())
            .await?;
        let claim = named(ClaimId::parse(&claim.ok_or(LedgerError::Unknown { what: "draw" })?))?;
        let (log_index, released_at) = self.write_release(&mut step, &entry, claim).await?;
        step.commit().await?;
        Ok(Committed { draft, log_index, released_at })
    }

    pub(super) async fn write_release(
        &self,
        step: &mut Step<'_>,
        entry: &Entry,
        claim: ClaimId,
    ) -> Result<(u64, DateTime<Utc>), LedgerError> {
        let released_at = self.now().trunc_subsecs(0);
        let log_index = step.log(Leaf::Release { release: entry.id.clone(), sha256: entry.sha256, claim })?;
        sqlx::query("INSERT INTO releases VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)")
            .bind(entry.id.as_str())
            .bind(entry.dataset.as_str())
            .bind(entry.release.to_string())
            .bind(entry.draw.to_string())
            .bind(&entry.body)
            .bind(entry.sha256.to_string())
            .bind(signed(log_index)?)
            .bind(released_at.timestamp())
            .execute(step.db())
            .await?;
        Ok((log_index, released_at))
    }

    /// Marks the releases of earlier editions of a period.
    pub(super) async fn supersede(
        &self,
        step: &mut Step<'_>,
        dataset: &DatasetId,
        period: &Period,
        number: u32,
    ) -> Result<(), LedgerError> {
        let notice = format!("Superseded: edition {number} of {period} corrects the edition this was computed from.");
        let old: Vec<String> = sqlx::query_scalar(
            "SELECT releases.id FROM releases JOIN draw_editions USING (draw)
             WHERE draw_editions.dataset = ? AND period = ? AND number < ? AND notice IS NULL ORDER BY releases.log_index",
        )
        .bind(dataset.as_str())
        .bind(period.as_str())
        .bind(number)
        .fetch_all(step.db())
        .await?;
        for id in old {
            sqlx::query("UPDATE releases SET notice = ? WHERE id = ?")
                .bind(&notice)
                .bind(&id)
                .execute(step.db())
                .await?;
            step.log(Leaf::ReleaseSuperseded { release: named(ReleaseId::parse(&id))?, notice: notice.clone() })?;
        }
        Ok(())
    }

    /// The sealed draw of that digest, if it was made.
    ///
    /// # Errors
    /// Faults only.
    pub async fn draw(&self, draw: &Digest) -> Result<Option<Vec<u8>>, LedgerError> {
        let query = sqlx::query_scalar("SELECT sealed FROM draws WHERE digest = ?").bind(draw.to_string());
        Ok(query.fetch_optional(&self.0.readers).await?)
    }

    /// The highest price already paid for this measurement, if it was drawn.
    ///
    /// # Errors
    /// Faults only.
    pub async fn most_precise(&self, measurement: &Digest) -> Result<Option<Nanos>, LedgerError> {
        let query =
            sqlx::query_scalar("SELECT MAX(nanos) FROM draws WHERE measurement = ?").bind(measurement.to_string());
        let nanos: Option<i64> = query.fetch_one(&self.0.readers).await?;
        nanos.map(|nanos| Ok(Nanos::from_nanos(unsigned(nanos)?))).transpose()
    }

    /// One release.
    ///
    /// # Errors
    /// `Unknown`.
    pub async fn release(&self, id: &ReleaseId) -> Result<ReleaseRow, LedgerError> {
        let row = sqlx::query("SELECT * FROM releases WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(&self.0.readers)
            .await?;
        release(&row.ok_or(LedgerError::Unknown { what: "release" })?)
    }

    /// The release of that digest, if it was made.
    ///
    /// # Errors
    /// Faults only.
    pub async fn release_by_digest(&self, digest: &Digest) -> Result<Option<ReleaseRow>, LedgerError> {
        let query = sqlx::query("SELECT * FROM releases WHERE digest = ?").bind(digest.to_string());
        query.fetch_optional(&self.0.readers).await?.as_ref().map(release).transpose()
    }

    /// The releases of a dataset (or of all), newest first.
    ///
    /// # Errors
    /// Faults only.
    pub async fn releases(&self, dataset: Option<&DatasetId>) -> Result<Vec<ReleaseRow>, LedgerError> {
        let rows = sqlx::query("SELECT * FROM releases WHERE ? IS NULL OR dataset = ? ORDER BY log_index DESC LIMIT ?")
            .bind(dataset.map(DatasetId::as_str))
            .bind(dataset.map(DatasetId::as_str))
            .bind(RELEASES_LISTED)
            .fetch_all(&self.0.readers)
            .await?;
        rows.iter().map(release).collect()
    }

    /// The newest signed checkpoint.
    ///
    /// # Errors
    /// `Unknown` on an empty log.
    pub async fn checkpoint(&self) -> Result<String, LedgerError> {
        let query = sqlx::query_scalar("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1");
        query.fetch_optional(&self.0.readers).await?.ok_or(LedgerError::Unknown { what: "checkpoint" })
    }

    /// The canonical JSON of a leaf.
    ///
    /// # Errors
    /// Faults only.
    pub async fn leaf(&self, index: u64) -> Result<Option<String>, LedgerError> {
        let query =
            sqlx::query_scalar("SELECT body FROM leaves WHERE idx = ?").bind(i64::try_from(index).unwrap_or(i64::MAX));
        Ok(query.fetch_optional(&self.0.readers).await?)
    }

    /// A tile by its C2SP path.
    ///
    /// # Errors
    /// Faults only.
    pub async fn tile(&self, _path: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(None)
    }

    /// Hashes that prove leaf `index` in the tree of `size` leaves.
    ///
    /// # Errors
    /// `Unknown` if there is no such leaf.
    pub async fn inclusion(&self, index: u64, size: u64) -> Result<Vec<[u8; 32]>, LedgerError> {
        self.0
            .tree
            .read()
            .await
            .inclusion(index, size)
            .map_err(|_| LedgerError::Unknown { what: "leaf in a tree of this size" })
    }

    /// Hashes that prove that the tree of `from` leaves is a prefix of the tree of `to` leaves.
    ///
    /// # Errors
    /// `Unknown` if there are not that many.
    pub async fn consistency(&self, from: u64, to: u64) -> Result<Vec<[u8; 32]>, LedgerError> {
        self.0.tree.read().await.consistency(from, to).map_err(|_| LedgerError::Unknown { what: "tree of this size" })
    }
}

fn release(row: &SqliteRow) -> Result<ReleaseRow, LedgerError> {
    let digest = |name: &str| -> Result<Digest, LedgerError> {
        Digest::parse(row.try_get(name)?).ok_or(LedgerError::Corruption("a digest"))
    };
    let stored = ReleaseRow {
        id: named(ReleaseId::parse(row.try_get("id")?))?,
        dataset: named(DatasetId::parse(row.try_get("dataset")?))?,
        release: digest("digest")?,
        draw: digest("draw")?,
        body: row.try_get("body")?,
        sha256: digest("sha256")?,
        log_index: unsigned(row.try_get("log_index")?)?,
        released_at: DateTime::from_timestamp(row.try_get("released_at")?, 0)
            .ok_or(LedgerError::Corruption("a time"))?,
        notice: row.try_get("notice")?,
    };
    if Digest::of(&stored.body) == stored.sha256 {
        Ok(stored)
    } else {
        Err(LedgerError::Corruption("a release is not what was committed"))
    }
}
