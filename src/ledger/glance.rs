//! What is read at every request: a few small columns.
//!
//! A policy's text, an edition's coding and a release's bytes may be large, and never change; the layers above keep
//! them in memory under their digests. What does change, and what decides who may read what (the policy in force, a
//! suspension, a notice), is small, and read here.
//!
//! # Guarantee
//! What was read of a release is used again only until this process changes anything at all in the ledger: a notice, a
//! restriction or a withdrawal holds from the moment it is committed. What another process on the same files commits
//! (only the newest opening may) holds within [`GLANCE`].

use super::row::{columns, count, digest, name, small, time};
use super::{Ledger, LedgerError, ReleaseFace};
use crate::identity::{DatasetId, Digest, ReleaseId};
use crate::policy::{EditionRef, Standing};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Most releases listed at once, the newest.
const LISTED_MAX: u32 = 1000;

/// How long what was read is used again, if nothing changes here.
const GLANCE: Duration = Duration::from_secs(1);
/// Most releases of which it is kept.
const GLANCES_MAX: usize = 4_096;

/// What was read of releases lately.
#[derive(Default)]
pub(super) struct Glances {
    /// Grows with every change of the ledger by this process.
    changes: AtomicU64,
    faces: Mutex<HashMap<ReleaseId, Glance>>,
}

struct Glance {
    /// Of `changes`, from before it was read.
    at_change: u64,
    read: Instant,
    face: Arc<ReleaseFace>,
}

impl Glances {
    /// Called behind every commit, before anyone is told of it: what was read earlier is out of date.
    pub(super) fn outdate(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    fn still(&self, id: &ReleaseId) -> Option<Arc<ReleaseFace>> {
        let changes = self.changes.load(Ordering::Acquire);
        let faces = self.locked();
        let found = faces.get(id).filter(|found| found.at_change == changes && found.read.elapsed() < GLANCE)?;
        Some(Arc::clone(&found.face))
    }

    fn keep(&self, glance: Glance) {
        let mut faces = self.locked();
        if faces.len() >= GLANCES_MAX {
            faces.clear();
        }
        faces.insert(glance.face.id.clone(), glance);
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<ReleaseId, Glance>> {
        self.faces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

columns! {
    FaceColumns {
        id: String,
        dataset: String,
        sha256: String,
        log_index: i64,
        released_at: i64,
        notice: Option<String>,
        policy: Option<String>,
    }
}

impl TryFrom<FaceColumns> for ReleaseFace {
    type Error = LedgerError;
    fn try_from(row: FaceColumns) -> Result<Self, LedgerError> {
        Ok(Self {
            id: name(row.id)?,
            dataset: name(row.dataset)?,
            sha256: digest(&row.sha256)?,
            log_index: count(row.log_index)?,
            released_at: time(row.released_at)?,
            notice: row.notice,
            policy: row.policy.as_deref().map(digest).transpose()?,
        })
    }
}

impl Ledger {
    /// What stands beside the bytes of a release now.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] if there is none of this id.
    pub async fn release_face(&self, id: &ReleaseId) -> Result<Arc<ReleaseFace>, LedgerError> {
        let glances = &self.store.glances;
        self.refuse_behind()?;
        if let Some(face) = glances.still(id) {
            return Ok(face);
        }
        // Counted before reading: a change that comes in between makes this old at once, never new.
        let (at_change, read) = (glances.changes.load(Ordering::Acquire), Instant::now());
        let found: Option<FaceColumns> = sqlx::query_as(
            "SELECT r.id, r.dataset, r.sha256, r.log_index, r.released_at, r.notice, p.sha256 AS policy
             FROM releases r LEFT JOIN policies p ON p.dataset = r.dataset AND p.state = 'in_force' WHERE r.id = ?",
        )
        .bind(id.as_str())
        .fetch_optional(&mut *self.reading().await?)
        .await?;
        let face: Arc<ReleaseFace> = Arc::new(found.ok_or(LedgerError::Unknown { what: "release" })?.try_into()?);
        glances.keep(Glance { at_change, read, face: Arc::clone(&face) });
        Ok(face)
    }

    /// The same of the newest thousand releases, newest first.
    ///
    /// # Errors
    /// Faults only.
    pub async fn release_faces(&self, dataset: Option<&DatasetId>) -> Result<Vec<ReleaseFace>, LedgerError> {
        let found: Vec<FaceColumns> = sqlx::query_as(
            "SELECT r.id, r.dataset, r.sha256, r.log_index, r.released_at, r.notice, p.sha256 AS policy
             FROM releases r LEFT JOIN policies p ON p.dataset = r.dataset AND p.state = 'in_force'
             WHERE r.dataset = ?1 OR ?1 IS NULL ORDER BY r.log_index DESC LIMIT ?2",
        )
        .bind(dataset.map(DatasetId::as_str))
        .bind(LISTED_MAX)
        .fetch_all(&mut *self.reading().await?)
        .await?;
        found.into_iter().map(ReleaseFace::try_from).collect()
    }

    /// Digest of the policy in force for a dataset.
    ///
    /// # Errors
    /// Faults only.
    pub async fn digest_in_force(&self, dataset: &DatasetId) -> Result<Option<Digest>, LedgerError> {
        let found: Option<String> =
            sqlx::query_scalar("SELECT sha256 FROM policies WHERE dataset = ? AND state = 'in_force'")
                .bind(dataset.as_str())
                .fetch_optional(&mut *self.reading().await?)
                .await?;
        found.as_deref().map(digest).transpose()
    }

    /// Whether a dataset is suspended, and the newest edition of each of its periods, in order of period.
    ///
    /// # Errors
    /// Faults only.
    pub async fn standing(&self, dataset: &DatasetId) -> Result<Standing, LedgerError> {
        let mut rows = self.read().await?;
        let suspended: Option<i64> = sqlx::query_scalar("SELECT suspended FROM datasets WHERE dataset = ?")
            .bind(dataset.as_str())
            .fetch_optional(&mut *rows)
            .await?;
        let newest: Vec<(String, i64)> = sqlx::query_as(
            "SELECT period, MAX(number) FROM editions WHERE dataset = ? GROUP BY period ORDER BY period",
        )
        .bind(dataset.as_str())
        .fetch_all(&mut *rows)
        .await?;
        let edition = |(period, number)| Ok(EditionRef { period: name(period)?, number: small(number)? });
        let editions = newest.into_iter().map(edition).collect::<Result<_, LedgerError>>()?;
        Ok(Standing { suspended: suspended.is_some_and(|suspended| suspended != 0), editions })
    }
}
