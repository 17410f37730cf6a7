//! The store: one SQLite database, one writer, a few readers; and how it is opened.
//!
//! # Guarantees
//! G7: on opening, every claim whose outcome is unknown is settled as spent; nothing expires into a refund. The newest
//! opening alone changes anything: an older one that is still running is fenced off. Nothing is served from a database
//! that is behind its witness, has another log's key or a row that is not as it was written, or does not force its
//! writes to disk.

use super::glance::Glances;
use super::seal::{Noted, Seals};
use super::writing::Tip;
use super::{LedgerError, claims};
use crate::clock::Clock;
use crate::fault::{Faults, Point};
use crate::identity::{ClaimId, Digest, random_bytes};
use crate::transparency::{Head, Leaf, LogKey, Tree, Witness};
use crate::underway::Underway;
use chrono::{DateTime, Utc};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

pub(super) const SCHEMA: &str = include_str!("schema.sql");

/// The layout of the tables. A database of another is not opened.
const SCHEMA_VERSION: &str = "2";

const READERS: u32 = 4;

/// How long a writer waits for another process's.
const BUSY: Duration = Duration::from_secs(10);

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
    /// Writes that fail on purpose: none, but in tests.
    pub faults: Faults,
}

/// The ledger's store. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    pub(super) store: Arc<Store>,
}

pub(super) struct Store {
    pub(super) writer: SqlitePool,
    pub(super) reader: SqlitePool,
    pub(super) tip: Arc<tokio::sync::Mutex<Tip>>,
    pub(super) key: LogKey,
    pub(super) seals: Seals,
    pub(super) noted: Noted,
    /// Set when the head was found behind the witness: from then on nothing is read either.
    pub(super) behind: AtomicBool,
    pub(super) approvals: u32,
    pub(super) faults: Faults,
    /// This opening of the ledger. Only the newest one may change anything.
    pub(super) owner: String,
    /// The claims that somebody is behind.
    pub(super) underway: Underway<ClaimId>,
    pub(super) glances: Glances,
    clock: Arc<dyn Clock>,
    /// The latest time ever seen, in milliseconds: a clock that is set back revives nothing.
    latest: AtomicI64,
}

impl Store {
    /// The time, never before one that was seen.
    pub(super) fn now(&self) -> DateTime<Utc> {
        let now = self.clock.now().timestamp_millis();
        let latest = self.latest.fetch_max(now, Ordering::AcqRel).max(now);
        DateTime::from_timestamp_millis(latest).unwrap_or_else(|| self.clock.now())
    }
}

impl Ledger {
    /// Opens the ledger, made if there is none, and recovers what a crash left open.
    ///
    /// # Errors
    /// [`LedgerError::BehindWitness`] if the database was rolled back, [`LedgerError::Witness`] if the witness is
    /// missing, [`LedgerError::Corruption`] if the file is not this log's.
    pub async fn open(settings: LedgerSettings) -> Result<Self, LedgerError> {
        let witnessed = settings.witness.is_some();
        let ledger = Self::assemble(settings).await?;
        ledger.recover(witnessed).await?;
        Ok(ledger)
    }

    /// The store, its rows checked, and not yet held against the witness.
    pub(super) async fn assemble(settings: LedgerSettings) -> Result<Self, LedgerError> {
        let noted = Noted::default();
        let (writer, reader) = connect(&settings.database, &noted).await?;
        let seals = Seals::of_schema().await?;
        let opened = prepare(&writer, &settings.key, &seals, &noted).await?;
        let witness = match &settings.witness {
            Some(path) => {
                let witness = Witness::open(path, settings.key.verifier_key(), !opened.witnessed);
                Some(witness.map_err(LedgerError::Witness)?)
            }
            None => None,
        };
        let store = Store {
            writer,
            reader,
            tip: Arc::new(tokio::sync::Mutex::new(Tip { seen: None, witness })),
            key: settings.key,
            seals,
            noted,
            behind: AtomicBool::new(false),
            approvals: settings.approvals,
            faults: settings.faults,
            owner: hex::encode(random_bytes::<16>()),
            underway: Underway::default(),
            glances: Glances::default(),
            clock: settings.clock,
            latest: AtomicI64::new(opened.high_water),
        };
        Ok(Self { store: Arc::new(store) })
    }

    /// Takes over from the opening before, which changes nothing from here on; notes changed settings; spends the open
    /// claims, since nobody here is behind them.
    async fn recover(&self, witnessed: bool) -> Result<(), LedgerError> {
        let mut writing = self.promised().await?;
        let epoch: i64 = number(&meta(writing.rows(), "epoch").await?)?;
        set_meta(writing.rows(), "epoch", &epoch.saturating_add(1).to_string()).await?;
        set_meta(writing.rows(), "owner", &self.store.owner).await?;
        if witnessed {
            set_meta(writing.rows(), "witnessed", "1").await?;
        }
        let settings = format!("{{\"approvals\":{},\"witness\":{witnessed}}}", self.store.approvals);
        let settings_digest = Digest::of(settings.as_bytes());
        if meta(writing.rows(), "settings").await? != settings_digest.to_string() {
            set_meta(writing.rows(), "settings", &settings_digest.to_string()).await?;
            let approvals = self.store.approvals;
            writing.leaf(&Leaf::SettingsChanged { approvals, witness: witnessed, sha256: settings_digest }).await?;
        }
        claims::spend_abandoned(&mut writing, &self.store.underway).await?;
        writing.commit(Point::Recover).await
    }

    /// Waits for what is under way and closes the database. Dropping without it loses nothing: a crash is a way to
    /// stop.
    pub async fn close(&self) {
        // The writer last: only it may bring what lies in the write-ahead log into the file itself.
        self.store.reader.close().await;
        self.store.writer.close().await;
    }

    /// One snapshot to read from; none once the database was found rolled back.
    pub(super) async fn read(&self) -> Result<Transaction<'static, Sqlite>, LedgerError> {
        self.refuse_behind()?;
        Ok(self.store.reader.begin().await?)
    }

    /// A connection for one statement, on the same terms.
    pub(super) async fn reading(&self) -> Result<PoolConnection<Sqlite>, LedgerError> {
        self.refuse_behind()?;
        Ok(self.store.reader.acquire().await?)
    }

    /// Stops if the database was found rolled back: from then on nothing is served, from memory either.
    pub(super) fn refuse_behind(&self) -> Result<(), LedgerError> {
        if self.store.behind.load(Ordering::Acquire) { Err(LedgerError::BehindWitness) } else { Ok(()) }
    }

    /// Whether the store answers, with a head that is not behind what was promised.
    ///
    /// # Errors
    /// [`LedgerError::BehindWitness`], or faults.
    pub async fn ready(&self) -> Result<(), LedgerError> {
        // Begun and dropped: everything a change checks is checked, and nothing is changed.
        self.write().await.map(|_| ())
    }
}

struct Opened {
    high_water: i64,
    witnessed: bool,
}

/// Opens the file for its owner alone; with WAL and full synchronisation, asserted.
async fn connect(path: &Path, noted: &Noted) -> Result<(SqlitePool, SqlitePool), LedgerError> {
    let made = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    made.map_err(|error| LedgerError::Database(sqlx::Error::Io(error)))?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY);
    let pool = |most| {
        let pool = SqlitePoolOptions::new().max_connections(most).idle_timeout(None).max_lifetime(None);
        // No ping before each use: it is a file, and a connection to it that broke says so when it is used.
        let pool = pool.test_before_acquire(false);
        // A disk that was full ends a transaction without the library's knowing; such a connection is replaced.
        pool.before_acquire(|rows, _| Box::pin(async { Ok(!rows.is_in_transaction()) }))
    };
    let noted = noted.clone();
    let writer = pool(1).after_connect(move |connection, _| {
        let noted = noted.clone();
        Box::pin(async move { noted.listen(connection).await })
    });
    let writer = writer.connect_with(options).await?;
    let mut rows = writer.acquire().await?;
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *rows).await?;
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *rows).await?;
    let foreign_keys: i64 = sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&mut *rows).await?;
    if (journal.as_str(), synchronous, foreign_keys) != ("wal", 2, 1) {
        return Err(LedgerError::Corruption("the database does not force its writes to disk"));
    }
    drop(rows);
    let reading = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY);
    Ok((writer, pool(READERS).connect_with(reading).await?))
}

/// Makes the tables and the empty log where there are none; checks whose log it is.
async fn prepare(writer: &SqlitePool, key: &LogKey, seals: &Seals, noted: &Noted) -> Result<Opened, LedgerError> {
    noted.clear();
    let mut rows = writer.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::raw_sql(SCHEMA).execute(&mut *rows).await?;
    let empty = Head { size: 0, root: Tree::default().root() };
    let note = key.sign(empty).map_err(|_| LedgerError::Corruption("the checkpoint cannot be signed"))?;
    sqlx::query("INSERT INTO head (id, size, root, note) VALUES (1, 0, ?, ?) ON CONFLICT DO NOTHING")
        .bind(empty.root.to_string())
        .bind(note)
        .execute(&mut *rows)
        .await?;
    let first = [
        ("schema", SCHEMA_VERSION),
        ("verifier_key", key.verifier_key()),
        ("epoch", "0"),
        ("owner", ""),
        ("high_water", "0"),
        ("witnessed", "0"),
        ("settings", ""),
    ];
    for (key, value) in first {
        sqlx::query("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(key)
            .bind(value)
            .execute(&mut *rows)
            .await?;
    }
    seals.write(&mut rows, noted).await?;
    if meta(&mut rows, "schema").await? != SCHEMA_VERSION {
        return Err(LedgerError::Corruption("the database has the layout of another release of Halflight"));
    }
    if meta(&mut rows, "verifier_key").await? != key.verifier_key() {
        return Err(LedgerError::Corruption("the log's key is not the one this ledger was made with"));
    }
    seals.check(&mut rows).await?;
    let opened = Opened {
        high_water: number(&meta(&mut rows, "high_water").await?)?,
        witnessed: meta(&mut rows, "witnessed").await? == "1",
    };
    rows.commit().await?;
    Ok(opened)
}

fn number(text: &str) -> Result<i64, LedgerError> {
    text.parse().map_err(|_| LedgerError::Corruption("a number in the ledger is malformed"))
}

pub(super) async fn meta(rows: &mut SqliteConnection, key: &str) -> Result<String, LedgerError> {
    Ok(sqlx::query_scalar("SELECT value FROM meta WHERE key = ?").bind(key).fetch_one(rows).await?)
}

pub(super) async fn set_meta(rows: &mut SqliteConnection, key: &str, value: &str) -> Result<(), LedgerError> {
    let changed = sqlx::query("UPDATE meta SET value = ? WHERE key = ?").bind(value).bind(key).execute(rows).await?;
    super::row::one(&changed)
}
