//! The one way in which the ledger's state changes: [`Writing`].
//!
//! A change begins by taking the writer (BEGIN IMMEDIATE), holding the head against what this process and the witness
//! have seen; then rows and leaves are written; then it is committed. The order of the durable steps, and what a crash
//! leaves behind at each, stands in [`Writing::commit`]. Dropped before that, it leaves nothing.
//!
//! # Guarantees
//! G7: what is returned from `commit` is on the disk of the database and of the witness. G12: leaves are only appended,
//! the head moves by compare-and-swap, and never from a state that is behind the witness.

use super::row::{count, digest, int, one};
use super::store::{Ledger, Store, meta};
use super::{LedgerError, claims, log};
use crate::fault::Point;
use crate::transparency::{ENTRY_BYTES_MAX, Head, Leaf, Tree, Witness, WitnessLine};
use chrono::{DateTime, Utc};
use sqlx::{Sqlite, SqliteConnection, Transaction};
use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::OwnedMutexGuard;

/// Said when the witness remembers less than it has acknowledged.
const WITNESS_CUT: &str = "the witness ends before what it has acknowledged: lines of it are gone; put the file back \
                           (if it is lost for good: `halflight restore --witness-lost`)";

/// What has been promised to the outside, whatever the database says.
pub(super) struct Tip {
    /// The newest head this process has committed or read.
    pub(super) seen: Option<Head>,
    /// The witness.
    pub(super) witness: Option<Witness>,
}

/// A change under way.
pub(super) struct Writing {
    transaction: Transaction<'static, Sqlite>,
    tip: OwnedMutexGuard<Tip>,
    store: Arc<Store>,
    tree: Tree,
    before: Head,
    /// What the witness had seen when the change began.
    witnessed: Option<Head>,
    now: DateTime<Utc>,
}

impl Ledger {
    /// Begins a change, unless a newer opening of the ledger has taken over. First in it, what was abandoned is spent.
    pub(super) async fn write(&self) -> Result<Writing, LedgerError> {
        let mut writing = self.promised().await?;
        if meta(writing.rows(), "owner").await? != self.store.owner {
            return Err(LedgerError::Fenced);
        }
        claims::spend_abandoned(&mut writing, &self.store.underway).await?;
        Ok(writing)
    }

    /// Begins a change from a head that is not behind what was promised, and that the witness knows.
    pub(super) async fn promised(&self) -> Result<Writing, LedgerError> {
        let mut writing = self.begin().await?;
        writing.refuse_cut().await?;
        for known in [writing.tip.seen, writing.witnessed].into_iter().flatten() {
            if !extends(&mut writing.transaction, writing.before, known).await? {
                self.store.behind.store(true, Ordering::Release);
                return Err(LedgerError::BehindWitness);
            }
        }
        // A change that the witness did not acknowledge is told it first. While it does not answer, nothing is
        // changed: a question that is asked again and again cannot use up an account.
        if writing.witnessed != Some(writing.before) {
            let note = log::head(&mut writing.transaction).await?.1;
            writing.tip = acknowledge(&self.store, writing.tip, writing.before, note).await?;
        }
        Ok(writing)
    }

    /// Begins a change from a head that may be behind what was promised.
    pub(super) async fn begin(&self) -> Result<Writing, LedgerError> {
        let tip = Arc::clone(&self.store.tip).lock_owned().await;
        let (tip, witnessed) = blocking(tip, |tip| match &mut tip.witness {
            Some(witness) => witness.head(),
            None => Ok(None),
        })
        .await?;
        let mut transaction = self.store.writer.begin_with("BEGIN IMMEDIATE").await?;
        self.store.noted.clear();
        let before = log::head(&mut transaction).await?.0;
        let leaves: i64 =
            sqlx::query_scalar("SELECT COALESCE(MAX(idx) + 1, 0) FROM leaves").fetch_one(&mut *transaction).await?;
        let missing = |_| LedgerError::Corruption("a hash of the log is missing");
        let positions = Tree::frontier(before.size).map_err(missing)?;
        let frontier = log::hashes(&mut transaction, &positions).await?;
        let stored: Vec<[u8; 32]> = positions.iter().filter_map(|at| frontier.0.get(at).copied()).collect();
        let tree = Tree::restore(before.size, &stored).map_err(missing)?;
        if count(leaves)? != before.size || tree.root() != before.root {
            return Err(LedgerError::Corruption("the head of the log does not fit its leaves"));
        }
        let now = self.store.now();
        Ok(Writing { transaction, tip, store: Arc::clone(&self.store), tree, before, witnessed, now })
    }
}

impl Writing {
    /// The rows, inside the transaction.
    pub(super) fn rows(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    /// The time of this change; never before that of an earlier one.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The head as it is with the leaves appended so far.
    pub(super) fn head(&self) -> Head {
        Head { size: self.tree.size(), root: self.tree.root() }
    }

    /// What the witness had seen when the change began.
    pub(super) fn witnessed(&self) -> Option<Head> {
        self.witnessed
    }

    /// Stops if the witness remembers less than it has acknowledged.
    pub(super) async fn refuse_cut(&mut self) -> Result<(), LedgerError> {
        let seen = self.witnessed.map_or(0, |head| head.size);
        if self.tip.witness.is_some() && seen < log::acknowledged(&mut self.transaction).await? {
            return Err(LedgerError::Witness(Error::new(ErrorKind::InvalidData, WITNESS_CUT)));
        }
        Ok(())
    }

    /// Appends a leaf; gives its place.
    pub(super) async fn leaf(&mut self, leaf: &Leaf) -> Result<u64, LedgerError> {
        let body = leaf.canonical().map_err(|_| LedgerError::Corruption("a leaf cannot be written"))?;
        self.leaf_text(&body).await
    }

    /// Appends a leaf as it stands, canonical; gives its place.
    pub(super) async fn leaf_text(&mut self, body: &str) -> Result<u64, LedgerError> {
        if body.len() > ENTRY_BYTES_MAX {
            return Err(LedgerError::Corruption("a leaf is longer than the log can hold"));
        }
        let index = self.tree.size();
        let (position, hashes) = self.tree.push(body.as_bytes());
        let insert = sqlx::query("INSERT INTO leaves (idx, body) VALUES (?, ?)").bind(int(index)?).bind(body);
        let insert = insert.execute(&mut *self.transaction);
        self.store.faults.write_async(Point::LeafAppend, insert, lost).await?;
        for (position, hash) in (position..).zip(hashes) {
            sqlx::query("INSERT INTO hashes (position, hash) VALUES (?, ?)")
                .bind(int(position)?)
                .bind(hash.to_vec())
                .execute(&mut *self.transaction)
                .await?;
        }
        Ok(index)
    }

    /// Makes the change durable: in the database, then at the witness.
    ///
    /// # Errors
    /// [`LedgerError::Witness`] means: committed, but not acknowledged. Every other error means: nothing has changed,
    /// or the database cannot say. Either way the next change starts from what is there.
    pub(super) async fn commit(mut self, point: Point) -> Result<(), LedgerError> {
        let head = self.head();
        let note = if head == self.before {
            log::head(&mut self.transaction).await?.1
        } else {
            self.store.key.sign(head).map_err(|_| LedgerError::Corruption("the checkpoint cannot be signed"))?
        };
        // A crash up to here leaves nothing: SQLite rolls the transaction back when the file is next opened.
        let moved = sqlx::query(
            "UPDATE head SET size = ?, root = ?, note = ?, acknowledged = MAX(acknowledged, ?)
             WHERE id = 1 AND size = ? AND root = ?",
        )
        .bind(int(head.size)?)
        .bind(head.root.to_string())
        .bind(&note)
        .bind(int(self.witnessed.map_or(0, |head| head.size))?)
        .bind(int(self.before.size)?)
        .bind(self.before.root.to_string())
        .execute(&mut *self.transaction)
        .await?;
        one(&moved)?;
        sqlx::query("UPDATE meta SET value = ? WHERE key = 'high_water'")
            .bind(self.now.timestamp_millis().to_string())
            .execute(&mut *self.transaction)
            .await?;
        self.store.seals.write(&mut self.transaction, &self.store.noted).await?;
        let Self { transaction, mut tip, store, before, .. } = self;
        let committed = store.faults.write_async(point, transaction.commit(), lost).await;
        store.glances.outdate();
        if let Err(error) = committed {
            // Landed but unreported: if the log has passed through the head we signed, the change stands, and saying
            // that it does not would make the caller destroy files that rows name.
            if head == before || !landed(&store, head).await.unwrap_or(false) {
                return Err(error.into());
            }
        }
        // A crash here leaves the change committed and the witness behind; no one has been told. The next change (the
        // next opening makes one) catches the witness up and spends a claim in it.
        tip.seen = Some(head);
        acknowledge(&store, tip, head, note).await.map(|_| ())
        // A crash here leaves the change committed, witnessed, and unreported: the caller's retry finds it.
    }
}

/// Whether a head of ours is in the database, though another process may have gone on from it.
async fn landed(store: &Store, head: Head) -> Result<bool, LedgerError> {
    let mut rows = store.reader.begin().await?;
    let now = log::head(&mut rows).await?.0;
    Ok(now.size >= head.size && extends(&mut rows, now, head).await?)
}

/// Appends to the witness whatever it has not seen. All failures are the witness's: the change is committed.
async fn acknowledge(
    store: &Store,
    tip: OwnedMutexGuard<Tip>,
    head: Head,
    note: String,
) -> Result<OwnedMutexGuard<Tip>, LedgerError> {
    let (tip, witnessed) = blocking(tip, |tip| match &mut tip.witness {
        Some(witness) => witness.head().map(|head| Some(head.map_or(0, |head| head.size))),
        None => Ok(None),
    })
    .await?;
    let Some(first) = witnessed.filter(|first| *first < head.size) else { return Ok(tip) };
    let read = async { log::leaves(&mut *store.reader.acquire().await?, first, head.size).await };
    let leaves = read.await.map_err(|error| LedgerError::Witness(Error::other(error)))?;
    let line = WitnessLine { first, leaves, note };
    let faults = store.faults.clone();
    let append = move |tip: &mut Tip| tip.witness.as_mut().map_or(Ok(()), |witness| witness.append(&line));
    let lost = || Error::other("lost on purpose");
    blocking(tip, move |tip| faults.write(Point::WitnessAppend, || append(tip), lost)).await.map(|(tip, ())| tip)
}

/// Whether the log, whose head this is, has passed through a head that was seen before.
async fn extends(rows: &mut SqliteConnection, head: Head, known: Head) -> Result<bool, LedgerError> {
    if known.size >= head.size {
        return Ok(known == head);
    }
    Ok(log::root_at(rows, known.size).await? == known.root)
}

/// Runs what touches the witness's disk where it may block, and to its end even if the caller goes away.
async fn blocking<T: Send + 'static>(
    mut tip: OwnedMutexGuard<Tip>,
    work: impl FnOnce(&mut Tip) -> Result<T, Error> + Send + 'static,
) -> Result<(OwnedMutexGuard<Tip>, T), LedgerError> {
    let done = tokio::task::spawn_blocking(move || {
        let result = work(&mut tip);
        (tip, result)
    });
    let (tip, result) = done.await.map_err(|error| LedgerError::Witness(Error::other(error)))?;
    Ok((tip, result.map_err(LedgerError::Witness)?))
}

/// A step that fails on purpose.
fn lost() -> sqlx::Error {
    sqlx::Error::Io(Error::other("lost on purpose"))
}

/// The head as stored.
pub(super) fn stored_head(size: i64, root: &str) -> Result<Head, LedgerError> {
    Ok(Head { size: count(size)?, root: digest(root)? })
}
