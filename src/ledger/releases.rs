//! Draws and releases: a charge, the bytes it paid for and the leaf that says so, in one transaction.
//!
//! # Guarantee
//! G10: [`Committed`] is built here alone, after the commit. A release's bytes never change; what happens to it later
//! is a notice beside it. G11: a release digest stands once.

use super::claims::{self, Claim};
use super::row::{columns, conflict, count, digest, int, json, name, time};
use super::writing::Writing;
use super::{Committed, Drawn, Entry, Ledger, LedgerError, ReleaseRow, Settle, editions};
use crate::budget::Nanos;
use crate::fault::Point;
use crate::identity::{ClaimId, Digest, ReleaseId};
use crate::policy::{EditionRef, Form, Plan};
use crate::transparency::Leaf;
use sqlx::SqliteConnection;

/// Most draws looked at for a free answer, the newest.
const LISTED_MAX: u32 = 1000;

/// Of what a claim's commitment opens to: what was measured.
#[derive(serde::Deserialize)]
struct Opening {
    measured: Form,
}

columns! {
    ReleaseColumns {
        id: String,
        dataset: String,
        release: String,
        draw: String,
        body: Vec<u8>,
        sha256: String,
        log_index: i64,
        released_at: i64,
        notice: Option<String>,
    }
}

impl TryFrom<ReleaseColumns> for ReleaseRow {
    type Error = LedgerError;
    fn try_from(row: ReleaseColumns) -> Result<Self, LedgerError> {
        let sha256 = digest(&row.sha256)?;
        if Digest::of(&row.body) != sha256 {
            return Err(LedgerError::Corruption("the bytes of a release are not those that were committed"));
        }
        Ok(Self {
            id: name(row.id)?,
            dataset: name(row.dataset)?,
            release: digest(&row.release)?,
            draw: digest(&row.draw)?,
            body: row.body,
            sha256,
            log_index: count(row.log_index)?,
            released_at: time(row.released_at)?,
            notice: row.notice,
        })
    }
}

impl Ledger {
    /// Charges, stores the sealed draw and the draft, writes the leaves: one transaction.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] if the claim was ended elsewhere (the draft is to be destroyed), or if this release
    /// stands already (the claim is then spent). After [`LedgerError::Witness`] the release stands.
    pub async fn settle<D: Settle>(
        &self,
        claim: Drawn,
        sealed_draw: Vec<u8>,
        draft: D,
    ) -> Result<Committed<D>, LedgerError> {
        let entry = draft.entry();
        let mut writing = self.write().await?;
        let claim = self.drawn(&mut writing, &claim).await?;
        claims::spend(&mut writing, &claim).await?;
        if entry.draw != claim.draw || entry.dataset != claim.dataset {
            return Err(LedgerError::Corruption("a draft is not of the draw that was paid for"));
        }
        if stands(writing.rows(), &entry.release).await? {
            writing.commit(Point::Forfeit).await?;
            return Err(already());
        }
        store_draw(&mut writing, &claim, &sealed_draw).await?;
        let log_index = store_release(&mut writing, &entry, &claim.id, &claim.editions).await?;
        let released_at = writing.now();
        writing.commit(Point::Settle).await?;
        Ok(Committed { draft, log_index, released_at })
    }

    /// Settles a claim as spent and stores the sealed draw with nothing released: a fault behind the noise. Whoever
    /// asks for the draw again is answered from it.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] if the claim was ended elsewhere (as spent, too).
    pub async fn keep(&self, claim: Drawn, sealed_draw: &[u8]) -> Result<(), LedgerError> {
        let mut writing = self.write().await?;
        let claim = self.drawn(&mut writing, &claim).await?;
        claims::spend(&mut writing, &claim).await?;
        store_draw(&mut writing, &claim, sealed_draw).await?;
        writing.commit(Point::Forfeit).await
    }

    /// Stores a free answer (another cut of a draw that is paid for) and its leaf, if no more releases of the draw
    /// stand than were `seen` when it was judged: two free answers at once cannot add up to what each withholds.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] if the draw was never paid for; [`LedgerError::Conflict`] if this release stands
    /// already; [`LedgerError::InProgress`] if another of the same draw has come between.
    pub async fn shelve<D: Settle>(&self, draft: D, seen: usize) -> Result<Committed<D>, LedgerError> {
        let entry = draft.entry();
        let mut writing = self.write().await?;
        if stands(writing.rows(), &entry.release).await? {
            return Err(already());
        }
        let standing: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM releases WHERE draw = ?")
            .bind(entry.draw.to_string())
            .fetch_one(writing.rows())
            .await?;
        if count(standing)? != u64::try_from(seen).unwrap_or(u64::MAX) {
            return Err(LedgerError::InProgress);
        }
        let paid: Option<(String, String, String)> = sqlx::query_as(
            "SELECT c.claim, c.editions, c.dataset FROM draws d JOIN claims c ON c.claim = d.claim
             WHERE d.draw = ? AND c.state = 'settled'",
        )
        .bind(entry.draw.to_string())
        .fetch_optional(writing.rows())
        .await?;
        let (claim, editions, dataset) = paid.ok_or(LedgerError::Unknown { what: "draw" })?;
        if dataset != entry.dataset.as_str() {
            return Err(LedgerError::Corruption("a draft is not of the draw that was paid for"));
        }
        let log_index =
            store_release(&mut writing, &entry, &name(claim)?, &json::<Vec<EditionRef>>(&editions)?).await?;
        let released_at = writing.now();
        writing.commit(Point::Shelve).await?;
        Ok(Committed { draft, log_index, released_at })
    }

    /// The sealed draw of that digest, if it was made.
    ///
    /// # Errors
    /// Faults only.
    pub async fn draw(&self, draw: &Digest) -> Result<Option<Vec<u8>>, LedgerError> {
        let query = sqlx::query_scalar("SELECT sealed FROM draws WHERE draw = ?").bind(draw.to_string());
        Ok(query.fetch_optional(&mut *self.reading().await?).await?)
    }

    /// Whether the draw of that digest was made.
    ///
    /// # Errors
    /// Faults only.
    pub async fn has_drawn(&self, draw: &Digest) -> Result<bool, LedgerError> {
        let query = sqlx::query_scalar("SELECT 1 FROM draws WHERE draw = ?").bind(draw.to_string());
        let found: Option<i64> = query.fetch_optional(&mut *self.reading().await?).await?;
        Ok(found.is_some())
    }

    /// The highest price already paid for this measurement (`Plan::measurement`), if it was drawn.
    ///
    /// # Errors
    /// Faults only.
    pub async fn most_precise(&self, measurement: &Digest) -> Result<Option<Nanos>, LedgerError> {
        let paid: Option<i64> = sqlx::query_scalar(
            "SELECT MAX(c.cost) FROM draws d JOIN claims c ON c.claim = d.claim WHERE d.measurement = ?",
        )
        .bind(measurement.to_string())
        .fetch_one(&mut *self.reading().await?)
        .await?;
        paid.map(super::row::amount).transpose()
    }

    /// What was drawn over the editions of a plan, under its policy: newest first, at most `LISTED_MAX`.
    ///
    /// # Errors
    /// Faults only.
    pub async fn draws_over(&self, plan: &Plan) -> Result<Vec<(Digest, Form)>, LedgerError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT d.draw, c.opening FROM draws d JOIN claims c ON c.claim = d.claim
             WHERE c.state = 'settled' AND c.dataset = ? AND c.policy = ? AND c.editions = ?
             ORDER BY c.log_index DESC LIMIT ?",
        )
        .bind(plan.dataset.as_str())
        .bind(plan.policy.to_string())
        .bind(super::row::to_json(&plan.editions)?)
        .bind(LISTED_MAX)
        .fetch_all(&mut *self.reading().await?)
        .await?;
        rows.iter().map(|(draw, opening)| Ok((digest(draw)?, json::<Opening>(opening)?.measured))).collect()
    }

    /// What a draw measured.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] if it was never paid for.
    pub async fn form(&self, draw: &Digest) -> Result<Form, LedgerError> {
        let opening: Option<String> =
            sqlx::query_scalar("SELECT c.opening FROM draws d JOIN claims c ON c.claim = d.claim WHERE d.draw = ?")
                .bind(draw.to_string())
                .fetch_optional(&mut *self.read().await?)
                .await?;
        Ok(json::<Opening>(&opening.ok_or(LedgerError::Unknown { what: "draw" })?)?.measured)
    }

    /// The releases of a draw behind a place in the log, or all; the first of all is the one that paid for it.
    ///
    /// # Errors
    /// Faults only.
    pub async fn releases_of(&self, draw: &Digest, behind: Option<u64>) -> Result<Vec<ReleaseRow>, LedgerError> {
        let query = sqlx::query_as("SELECT * FROM releases WHERE draw = ? AND log_index > ? ORDER BY log_index");
        let behind = behind.map_or(Ok(-1), int)?;
        let rows: Vec<ReleaseColumns> =
            query.bind(draw.to_string()).bind(behind).fetch_all(&mut *self.reading().await?).await?;
        rows.into_iter().map(ReleaseRow::try_from).collect()
    }

    /// The place in the log of the last release of a draw.
    ///
    /// # Errors
    /// Faults only.
    pub async fn last_release_of(&self, draw: &Digest) -> Result<Option<u64>, LedgerError> {
        let query = sqlx::query_scalar("SELECT MAX(log_index) FROM releases WHERE draw = ?").bind(draw.to_string());
        let last: Option<i64> = query.fetch_one(&mut *self.reading().await?).await?;
        last.map(count).transpose()
    }

    /// One release.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] if there is none of this id.
    pub async fn release(&self, id: &ReleaseId) -> Result<ReleaseRow, LedgerError> {
        let query = sqlx::query_as("SELECT * FROM releases WHERE id = ?").bind(id.as_str());
        let row: Option<ReleaseColumns> = query.fetch_optional(&mut *self.reading().await?).await?;
        row.ok_or(LedgerError::Unknown { what: "release" })?.try_into()
    }

    /// Whether the release of that digest stands.
    ///
    /// # Errors
    /// Faults only.
    pub async fn released(&self, release: &Digest) -> Result<bool, LedgerError> {
        stands(&mut *self.reading().await?, release).await
    }

    /// The release of that digest, if it stands.
    ///
    /// # Errors
    /// Faults only.
    pub async fn release_by_digest(&self, release: &Digest) -> Result<Option<ReleaseRow>, LedgerError> {
        let query = sqlx::query_as("SELECT * FROM releases WHERE release = ?").bind(release.to_string());
        let row: Option<ReleaseColumns> = query.fetch_optional(&mut *self.reading().await?).await?;
        row.map(ReleaseRow::try_from).transpose()
    }
}

fn already() -> LedgerError {
    conflict("release_exists", "this release stands already; ask again, and it costs nothing")
}

async fn stands(rows: &mut SqliteConnection, release: &Digest) -> Result<bool, LedgerError> {
    let query = sqlx::query_scalar("SELECT 1 FROM releases WHERE release = ?").bind(release.to_string());
    let found: Option<i64> = query.fetch_optional(rows).await?;
    Ok(found.is_some())
}

async fn store_draw(writing: &mut Writing, claim: &Claim, sealed: &[u8]) -> Result<(), LedgerError> {
    sqlx::query("INSERT INTO draws (draw, claim, measurement, sealed) VALUES (?, ?, ?, ?)")
        .bind(claim.draw.to_string())
        .bind(claim.id.as_str())
        .bind(claim.measurement.to_string())
        .bind(sealed.to_vec())
        .execute(writing.rows())
        .await?;
    Ok(())
}

/// Stores a release with its leaf; one over an edition that is not the newest any more carries its notice from the
/// start.
async fn store_release(
    writing: &mut Writing,
    entry: &Entry,
    claim: &ClaimId,
    over: &[EditionRef],
) -> Result<u64, LedgerError> {
    let leaf = Leaf::Release { release: entry.id.clone(), sha256: entry.sha256, claim: claim.clone() };
    let index = writing.leaf(&leaf).await?;
    let released_at = writing.now().timestamp_millis();
    sqlx::query(
        "INSERT INTO releases (id, dataset, release, draw, body, sha256, log_index, released_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(entry.id.as_str())
    .bind(entry.dataset.as_str())
    .bind(entry.release.to_string())
    .bind(entry.draw.to_string())
    .bind(&entry.body)
    .bind(entry.sha256.to_string())
    .bind(int(index)?)
    .bind(released_at)
    .execute(writing.rows())
    .await?;
    let back: ReleaseColumns =
        sqlx::query_as("SELECT * FROM releases WHERE id = ?").bind(entry.id.as_str()).fetch_one(writing.rows()).await?;
    if ReleaseRow::try_from(back)?.body != entry.body {
        return Err(LedgerError::Corruption("a release does not read as it was written"));
    }
    for edition in over {
        if let Some(newest) = editions::newest(writing.rows(), &entry.dataset, &edition.period).await?
            && newest > edition.number
        {
            supersede(writing, &entry.id, &EditionRef { period: edition.period.clone(), number: newest }).await?;
            break;
        }
    }
    Ok(index)
}

/// Marks a release: a later edition stands beside the one it was drawn from.
pub(super) async fn supersede(writing: &mut Writing, release: &ReleaseId, by: &EditionRef) -> Result<(), LedgerError> {
    let notice = format!(
        "Superseded: edition {} of {} was closed after the one these figures describe. They stay as they were \
         released.",
        by.number, by.period
    );
    let changed = sqlx::query("UPDATE releases SET notice = ? WHERE id = ?")
        .bind(&notice)
        .bind(release.as_str())
        .execute(writing.rows())
        .await?;
    super::row::one(&changed)?;
    writing.leaf(&Leaf::ReleaseSuperseded { release: release.clone(), notice }).await.map(|_| ())
}
