//! Reading the public log: head, leaves, tiles, proofs.

use super::row::{count, int, to_json};
use super::writing::stored_head;
use super::{Ledger, LedgerError};
use crate::identity::Digest;
use crate::transparency::{Asked, Hashes, Head, TilePath, bundle};
use sqlx::SqliteConnection;

/// The head and its signed note.
pub(super) async fn head(rows: &mut SqliteConnection) -> Result<(Head, String), LedgerError> {
    let (size, root, note): (i64, String, String) =
        sqlx::query_as("SELECT size, root, note FROM head WHERE id = 1").fetch_one(rows).await?;
    Ok((stored_head(size, &root)?, note))
}

/// How many leaves the witness has acknowledged, as far as the database knows.
pub(super) async fn acknowledged(rows: &mut SqliteConnection) -> Result<u64, LedgerError> {
    super::row::count(sqlx::query_scalar("SELECT acknowledged FROM head WHERE id = 1").fetch_one(rows).await?)
}

/// Stored hashes at some positions; those that are missing are left out.
pub(super) async fn hashes(rows: &mut SqliteConnection, positions: &[u64]) -> Result<Hashes, LedgerError> {
    let mut found = Hashes::default();
    // One statement for all of them: this stands at the beginning of every change.
    let stored: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT position, hash FROM hashes WHERE position IN (SELECT value FROM json_each(?))")
            .bind(to_json(&positions)?)
            .fetch_all(rows)
            .await?;
    for (position, hash) in stored {
        if let Ok(hash) = <[u8; 32]>::try_from(hash) {
            found.0.insert(count(position)?, hash);
        }
    }
    Ok(found)
}

/// The root of the tree of the first `size` leaves.
pub(super) async fn root_at(rows: &mut SqliteConnection, size: u64) -> Result<Digest, LedgerError> {
    let built = prove(rows, Asked::Root { size }).await?;
    built.first().copied().map(Digest).ok_or(LedgerError::Corruption("a hash of the log is missing"))
}

/// The leaves `from..to`, canonical.
pub(super) async fn leaves(rows: &mut SqliteConnection, from: u64, to: u64) -> Result<Vec<String>, LedgerError> {
    let query = "SELECT body FROM leaves WHERE idx >= ? AND idx < ? ORDER BY idx";
    Ok(sqlx::query_scalar(query).bind(int(from)?).bind(int(to)?).fetch_all(rows).await?)
}

async fn prove(rows: &mut SqliteConnection, asked: Asked) -> Result<Vec<[u8; 32]>, LedgerError> {
    let needs = asked.needs().map_err(|_| LedgerError::Unknown { what: "leaf or tree" })?;
    let hashes = hashes(rows, &needs).await?;
    asked.build(&hashes).map_err(|_| LedgerError::Corruption("a hash of the log is missing"))
}

impl Ledger {
    /// The newest signed checkpoint, as a C2SP signed note.
    ///
    /// # Errors
    /// Faults only.
    pub async fn checkpoint(&self) -> Result<String, LedgerError> {
        Ok(head(&mut *self.reading().await?).await?.1)
    }

    /// The canonical JSON of a leaf.
    ///
    /// # Errors
    /// Faults only.
    pub async fn leaf(&self, index: u64) -> Result<Option<String>, LedgerError> {
        let Ok(index) = i64::try_from(index) else { return Ok(None) };
        let mut rows = self.read().await?;
        Ok(sqlx::query_scalar("SELECT body FROM leaves WHERE idx = ?").bind(index).fetch_optional(&mut *rows).await?)
    }

    /// A tile by its C2SP path (`tile/0/000`, `tile/entries/000.p/5`); `None` where there is none.
    ///
    /// # Errors
    /// Faults only.
    pub async fn tile(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        let mut rows = self.read().await?;
        let size = head(&mut rows).await?.0.size;
        let Some(tile) = TilePath::parse(path).filter(|tile| tile.is_in(size)) else { return Ok(None) };
        if let Some(asked) = tile.hashes() {
            return Ok(Some(prove(&mut rows, asked).await?.as_flattened().to_vec()));
        }
        let leaves: Vec<String> = sqlx::query_scalar("SELECT body FROM leaves WHERE idx >= ? ORDER BY idx LIMIT ?")
            .bind(int(tile.start())?)
            .bind(int(tile.width)?)
            .fetch_all(&mut *rows)
            .await?;
        bundle(&leaves).map(Some).ok_or(LedgerError::Corruption("a leaf is longer than the log can hold"))
    }

    /// Hashes that prove leaf `index` in the tree of `size` leaves.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] outside the log.
    pub async fn inclusion(&self, index: u64, size: u64) -> Result<Vec<[u8; 32]>, LedgerError> {
        self.prove_within(size, Asked::Inclusion { index, size }).await
    }

    /// Hashes that prove that the tree of `from` leaves is a prefix of the tree of `to` leaves.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] outside the log.
    pub async fn consistency(&self, from: u64, to: u64) -> Result<Vec<[u8; 32]>, LedgerError> {
        self.prove_within(to, Asked::Consistency { from, to }).await
    }

    async fn prove_within(&self, size: u64, asked: Asked) -> Result<Vec<[u8; 32]>, LedgerError> {
        let mut rows = self.read().await?;
        if size > head(&mut rows).await?.0.size {
            return Err(LedgerError::Unknown { what: "leaf or tree" });
        }
        prove(&mut rows, asked).await
    }

    /// The log's verifier key (C2SP vkey), for auditors.
    #[must_use]
    pub fn verifier_key(&self) -> String {
        self.store.key.verifier_key().to_owned()
    }
}
