//! The store: one SQLite database, one writer, and the one way in which anything changes.
//!
//! # Guarantees
//! G12: every change appends its leaves, its tree and its signed checkpoint in the same transaction. G7: a change is on
//! disk (WAL, synchronous FULL) and acknowledged by the witness before its caller goes on.

use super::LedgerError;
use crate::clock::Clock;
use crate::identity::random_bytes;
use crate::transparency::{Head, Leaf, Line, LogKey, Tree, Witness};
use chrono::{DateTime, Utc};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row as _, Sqlite, SqliteConnection, Transaction};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Mutex, RwLock, RwLockWriteGuard};

const SCHEMA: &str = include_str!("schema.sql");

/// Readers at once.
const READERS: u32 = 4;

/// What the ledger needs to open.
pub struct LedgerSettings {
    /// The database file.
    pub database: PathBuf,
    /// The log's signing key.
    pub key: LogKey,
    /// The witness file; required outside `demo`.
    pub witness: Option<PathBuf>,
    /// Approvals a policy needs in all, the proposer's included.
    pub approvals: u32,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// The ledger's store. Cheap to clone.
#[derive(Clone)]
pub struct Ledger(pub(super) Arc<Inner>);

pub(super) struct Inner {
    writer: SqlitePool,
    pub(super) readers: SqlitePool,
    pub(super) tree: RwLock<Tree>,
    key: LogKey,
    witness: Option<Mutex<Witness>>,
    pub(super) approvals: u32,
    pub(super) clock: Arc<dyn Clock>,
    /// This opening of the ledger, for fencing: claims of an earlier one are settled, never continued.
    pub(super) owner: String,
    pub(super) epoch: i64,
    /// Set when the outcome of a commit is unknown: nothing more is written until the ledger is opened again.
    stopped: AtomicBool,
}

/// One change in the making. Dropped without [`Step::commit`], it leaves nothing behind.
pub(super) struct Step<'a> {
    inner: &'a Inner,
    transaction: Transaction<'static, Sqlite>,
    tree: RwLockWriteGuard<'a, Tree>,
    leaves: Vec<Leaf>,
}

impl Ledger {
    /// Opens or makes the ledger, checks it against its log and its witness, and settles what a crash left open.
    ///
    /// # Errors
    /// `BehindWitness` if the database was rolled back; `Corruption` if it contradicts its log.
    pub async fn open(settings: LedgerSettings) -> Result<Self, LedgerError> {
        let options = SqliteConnectOptions::new()
            .filename(&settings.database)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        sqlx::raw_sql(SCHEMA).execute(&writer).await?;
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&writer).await?;
        let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&writer).await?;
        if mode != "wal" || synchronous != 2 {
            return Err(LedgerError::Corruption("the database does not keep its promise of durability"));
        }
        let readers = SqlitePoolOptions::new().max_connections(READERS).connect_with(options.read_only(true)).await?;
        let tree = read_tree(&writer, settings.key.verifier()).await?;
        let witness = match &settings.witness {
            Some(path) => Some(Witness::open_at(path, settings.key.verifier()).map_err(LedgerError::Witness)?),
            None => None,
        };
        if let Some(head) = witness.as_ref().and_then(Witness::head) {
            check_head(&tree, head)?;
        }
        let epoch: i64 = sqlx::query_scalar(
            "INSERT INTO meta VALUES ('epoch', '1') ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1
             RETURNING CAST(value AS INTEGER)",
        )
        .fetch_one(&writer)
        .await?;
        let ledger = Self(Arc::new(Inner {
            writer,
            readers,
            tree: RwLock::new(tree),
            key: settings.key,
            witness: witness.map(Mutex::new),
            approvals: settings.approvals,
            clock: settings.clock,
            owner: hex::encode(random_bytes::<16>()),
            epoch,
            stopped: AtomicBool::new(false),
        }));
        ledger.catch_witness_up().await?;
        ledger.recover().await?;
        Ok(ledger)
    }

    /// Begins a change: takes the one writer and the tree.
    pub(super) async fn begin(&self) -> Result<Step<'_>, LedgerError> {
        if self.0.stopped.load(Ordering::SeqCst) {
            return Err(LedgerError::Corruption("the outcome of a write is unknown; open the ledger again"));
        }
        let tree = self.0.tree.write().await;
        if let Some(witness) = &self.0.witness
            && let Some(head) = witness.lock().await.head()
        {
            check_head(&tree, head)?;
        }
        let transaction = self.0.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Step { inner: &self.0, transaction, tree, leaves: Vec::new() })
    }

    /// The newest signed checkpoint that the witness has not seen (a crash between commit and witness), written to it.
    async fn catch_witness_up(&self) -> Result<(), LedgerError> {
        let Some(witness) = &self.0.witness else { return Ok(()) };
        let mut witness = witness.lock().await;
        let tree = self.0.tree.read().await;
        let seen = witness.head().map_or(0, |head| head.size);
        if tree.size() == seen {
            return Ok(());
        }
        let rows = sqlx::query("SELECT idx, body FROM leaves WHERE idx >= ? ORDER BY idx").bind(signed(seen)?);
        let mut charges = Vec::new();
        for row in rows.fetch_all(&self.0.readers).await? {
            let (index, body): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
            if leaf(&body)?.is_charge() {
                charges.push((unsigned(index)?, body));
            }
        }
        let head = head(&tree)?;
        let checkpoint = self.0.key.sign(head).map_err(|_| LedgerError::Corruption("a checkpoint cannot be signed"))?;
        witness.append(&Line { checkpoint, charges }, head).map_err(LedgerError::Witness)
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// The log's verifier key (C2SP vkey), for auditors.
    #[must_use]
    pub fn verifier_key(&self) -> String {
        self.0.key.verifier().to_owned()
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// What the database said.
    pub async fn ready(&self) -> Result<(), LedgerError> {
        sqlx::query("SELECT 1").execute(&self.0.readers).await?;
        Ok(())
    }
}

impl Step<'_> {
    /// The connection on which rows are written.
    pub(super) fn db(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    /// Adds a leaf; its index is final if the step commits.
    pub(super) fn log(&mut self, leaf: Leaf) -> Result<u64, LedgerError> {
        let place = u64::try_from(self.leaves.len()).map_err(|_| LedgerError::Corruption("too many leaves"))?;
        self.leaves.push(leaf);
        self.tree.size().checked_add(place).ok_or(LedgerError::Corruption("too many leaves"))
    }

    /// Leaves, tree head and rows in one transaction; then the witness. Returns when all of it is durable.
    pub(super) async fn commit(mut self) -> Result<(), LedgerError> {
        let mark = self.tree.mark();
        match self.write_log().await {
            Ok((line, head)) => {
                // A crash here leaves nothing: the transaction was never committed.
                if let Err(error) = self.transaction.commit().await {
                    // Landed or lost, unknown: stop, and let the next opening read what is there.
                    self.tree.back_to(mark);
                    self.inner.stopped.store(true, Ordering::SeqCst);
                    return Err(error.into());
                }
                // A crash here leaves a commit that the witness has not seen: the next opening shows it to it.
                match &self.inner.witness {
                    Some(witness) => witness.lock().await.append(&line, head).map_err(LedgerError::Witness),
                    None => Ok(()),
                }
            }
            Err(error) => {
                self.tree.back_to(mark);
                Err(error)
            }
        }
    }

    async fn write_log(&mut self) -> Result<(Line, Head), LedgerError> {
        let mut charges = Vec::new();
        for leaf in std::mem::take(&mut self.leaves) {
            let body = leaf.canonical().map_err(|_| LedgerError::Corruption("a leaf is not JSON"))?;
            let index = self.tree.size();
            sqlx::query("INSERT INTO leaves VALUES (?, ?)").bind(signed(index)?).bind(&body).execute(self.db()).await?;
            self.tree.append(body.as_bytes()).map_err(|_| LedgerError::Corruption("the tree"))?;
            if leaf.is_charge() {
                charges.push((index, body));
            }
        }
        let head = head(&self.tree)?;
        let checkpoint =
            self.inner.key.sign(head).map_err(|_| LedgerError::Corruption("a checkpoint cannot be signed"))?;
        let insert = sqlx::query("INSERT OR REPLACE INTO checkpoints VALUES (?, ?)");
        insert.bind(signed(head.size)?).bind(&checkpoint).execute(self.db()).await?;
        Ok((Line { checkpoint, charges }, head))
    }
}

async fn read_tree(writer: &SqlitePool, verifier: &str) -> Result<Tree, LedgerError> {
    let mut tree = Tree::default();
    let rows = sqlx::query("SELECT idx, body FROM leaves ORDER BY idx").fetch_all(writer).await?;
    for row in rows {
        let (index, body): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        if unsigned(index)? != tree.size() {
            return Err(LedgerError::Corruption("a leaf is missing"));
        }
        tree.append(body.as_bytes()).map_err(|_| LedgerError::Corruption("the tree"))?;
    }
    let note: Option<String> =
        sqlx::query_scalar("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1").fetch_optional(writer).await?;
    let signed = match note {
        Some(note) => {
            crate::transparency::open(&note, verifier).map_err(|_| LedgerError::Corruption("the checkpoint"))?
        }
        None => return if tree.size() == 0 { Ok(tree) } else { Err(LedgerError::Corruption("no checkpoint")) },
    };
    if signed == head(&tree)? { Ok(tree) } else { Err(LedgerError::Corruption("the log is not what was signed")) }
}

fn head(tree: &Tree) -> Result<Head, LedgerError> {
    let root = tree.root(tree.size()).map_err(|_| LedgerError::Corruption("the tree"))?;
    Ok(Head { size: tree.size(), root })
}

/// The tree must hold everything the witness has seen.
fn check_head(tree: &Tree, seen: Head) -> Result<(), LedgerError> {
    if seen.size > tree.size() || tree.root(seen.size).ok() != Some(seen.root) {
        return Err(LedgerError::BehindWitness);
    }
    Ok(())
}

pub(super) fn leaf(body: &str) -> Result<Leaf, LedgerError> {
    serde_json::from_str(body).map_err(|_| LedgerError::Corruption("a leaf cannot be read"))
}

/// An amount or index as SQLite holds it.
pub(super) fn signed(number: u64) -> Result<i64, LedgerError> {
    i64::try_from(number).map_err(|_| LedgerError::Corruption("a number is too large"))
}

/// And back.
pub(super) fn unsigned(number: i64) -> Result<u64, LedgerError> {
    u64::try_from(number).map_err(|_| LedgerError::Corruption("a number is negative"))
}
