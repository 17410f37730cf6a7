//! Seals: a digest beside each row, over all of its columns, written in the transaction that wrote the row.
//!
//! # Guarantee
//! A row that is not, to the byte, as the ledger wrote it (a flipped bit, a lost write in the middle of a page, a hand
//! in the file) is found when the ledger opens and by `verify`. A seal has no key: whoever edits a row on purpose can
//! compute it anew. That is found by the log for everything the log covers, and only for that.
//!
//! Which rows changed is told by SQLite itself, so no statement can forget its seal. Leaves and hashes have none: the
//! signed root covers them.

use super::LedgerError;
use crate::identity::Digest;
use crate::transparency::Report;
use futures::TryStreamExt as _;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows whose bytes are checked when they are read, and may be large: not read through at every opening.
const CHECKED_WHEN_READ: [&str; 2] = ["draws", "releases"];

/// Rows sealed by one statement at most.
const SEALED_AT_ONCE: usize = 64;

/// Rows changed and not sealed yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Noted(Arc<Mutex<BTreeSet<(String, i64)>>>);

impl Noted {
    fn take(&self) -> BTreeSet<(String, i64)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets what a transaction noted that was given up.
    pub(super) fn clear(&self) {
        self.take();
    }

    /// Has a connection note every row it changes.
    pub(super) async fn listen(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let noted = self.clone();
        connection.lock_handle().await?.set_update_hook(move |change| {
            let row = (change.table.to_owned(), change.rowid);
            noted.0.lock().unwrap_or_else(PoisonError::into_inner).insert(row);
        });
        Ok(())
    }
}

/// The tables that have seals, each with the SQL text that gives the canonical form of a row.
#[derive(Debug, Clone)]
pub(super) struct Seals(BTreeMap<String, String>);

impl Seals {
    /// Reads the layout of the tables from the schema itself, not from a file that may have been changed.
    pub(super) async fn of_schema() -> Result<Self, LedgerError> {
        let mut rows = schema_alone().await?;
        let tables: Vec<(String, String)> = sqlx::query_as(
            "SELECT m.name, group_concat('quote(' || p.name || ')', ' || '','' || ' ORDER BY p.cid)
             FILTER (WHERE p.name <> 'seal')
             FROM sqlite_schema m, pragma_table_info(m.name) p WHERE m.type = 'table'
             GROUP BY m.name HAVING SUM(p.name = 'seal') = 1",
        )
        .fetch_all(&mut rows)
        .await?;
        Ok(Self(tables.into_iter().collect()))
    }

    /// Seals every row that was changed. The last thing before a commit.
    pub(super) async fn write(&self, rows: &mut SqliteConnection, noted: &Noted) -> Result<(), LedgerError> {
        let changed: Vec<(String, i64)> =
            noted.take().into_iter().filter(|(table, _)| self.0.contains_key(table)).collect();
        for some in changed.chunks(SEALED_AT_ONCE) {
            self.write_some(rows, some).await?;
        }
        noted.clear();
        Ok(())
    }

    /// Two statements for all of them: each on its own costs a change of threads and back.
    async fn write_some(&self, rows: &mut SqliteConnection, changed: &[(String, i64)]) -> Result<(), LedgerError> {
        let read = changed.iter().filter_map(|(table, _)| {
            let columns = self.0.get(table)?;
            Some(format!("SELECT '{table}', rowid, CAST({columns} AS BLOB) FROM {table} WHERE rowid = ?"))
        });
        let read = read.collect::<Vec<_>>().join(" UNION ALL ");
        let mut query = sqlx::query_as::<_, (String, i64, Vec<u8>)>(AssertSqlSafe(read));
        for (_, row) in changed {
            query = query.bind(row);
        }
        // A row that is gone again was deleted in the same transaction.
        let found = query.fetch_all(&mut *rows).await?;
        if found.is_empty() {
            return Ok(());
        }
        let write = found.iter().map(|(table, _, _)| format!("UPDATE {table} SET seal = ? WHERE rowid = ?"));
        let write = write.collect::<Vec<_>>().join("; ");
        let mut query = sqlx::query(AssertSqlSafe(write));
        for (table, row, columns) in &found {
            query = query.bind(seal(table, columns)).bind(row);
        }
        query.execute(&mut *rows).await?;
        Ok(())
    }

    /// Stops if a row that decides (accounts, tokens, policies, manifests ...) is not as it was written.
    pub(super) async fn check(&self, rows: &mut SqliteConnection) -> Result<(), LedgerError> {
        for table in self.0.keys().filter(|table| !CHECKED_WHEN_READ.contains(&table.as_str())) {
            if self.broken(rows, table).await? > 0 {
                return Err(LedgerError::Corruption(
                    "a row is not as it was written; `halflight verify --data` says in which table; put a backup back",
                ));
            }
        }
        Ok(())
    }

    /// Compares every row with its seal.
    pub(super) async fn verify(&self, rows: &mut SqliteConnection, report: &mut Report) -> Result<(), LedgerError> {
        for table in self.0.keys() {
            let broken = self.broken(rows, table).await?;
            if broken > 0 {
                let what = format!("{broken} rows of {table} are not as they were written");
                report.find(None, "row_differs", what);
            }
        }
        Ok(())
    }

    async fn broken(&self, rows: &mut SqliteConnection, table: &str) -> Result<u64, LedgerError> {
        let Some(columns) = self.0.get(table) else { return Ok(0) };
        let query = format!("SELECT CAST({columns} AS BLOB), CAST(seal AS BLOB) FROM {table}");
        let mut found = sqlx::query_as::<_, (Vec<u8>, Vec<u8>)>(AssertSqlSafe(query)).fetch(rows);
        let mut broken: u64 = 0;
        while let Some((columns, written)) = found.try_next().await? {
            if seal(table, &columns).as_bytes() != written {
                broken = broken.saturating_add(1);
            }
        }
        Ok(broken)
    }
}

/// A database in memory with the tables and nothing in them.
pub(super) async fn schema_alone() -> Result<SqliteConnection, LedgerError> {
    let mut rows = SqliteConnectOptions::new().filename(":memory:").connect().await?;
    sqlx::raw_sql(super::store::SCHEMA).execute(&mut rows).await?;
    Ok(rows)
}

fn seal(table: &str, columns: &[u8]) -> String {
    Digest::of(&[table.as_bytes(), b"\n", columns].concat()).to_string()
}
