//! The offline verification of a data folder: file, log, witness and rows held against each other.
//!
//! The database is opened read-only. Its pages and tables are checked; the tree is computed anew from the leaves, held
//! against the signed head and every head the witness has seen; the leaves are replayed; then every row must be as it
//! was written, and every row that the log speaks of must say the same. Only rows of a gap that a `restored` leaf tells
//! of may be missing.

use super::seal::{Seals, schema_alone};
use super::{LedgerError, log, verify_accounts, verify_governance, verify_rows, writing::stored_head};
use crate::transparency::{Head, Replay, Report, Verifier, WitnessReader, open_checkpoint};
use futures::TryStreamExt as _;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};
use std::path::Path;

/// Verifies a ledger's database, and its witness if it has one. Everything holds if the report has no findings.
///
/// The verifier key is the one in the database: compare `Report::verifier_key` with one from somebody you trust.
///
/// # Errors
/// If the database cannot be read at all, or the witness file is missing. What does not hold is a finding, not an
/// error.
pub async fn verify_database(path: &Path, witness: Option<&Path>) -> Result<Report, LedgerError> {
    let mut rows = SqliteConnectOptions::new().filename(path).read_only(true).connect().await?;
    // One snapshot, even of a ledger that is in use.
    sqlx::query("BEGIN").execute(&mut rows).await?;
    let vkey = super::store::meta(&mut rows, "verifier_key").await?;
    let mut verifier = Verifier::default();
    let signed = head(&mut rows, &vkey, &mut verifier).await?;
    if let Some(path) = witness {
        witnessed(&mut rows, path, &vkey, &mut verifier).await?;
    }
    leaves(&mut rows, &mut verifier).await?;
    let (mut report, replay) = verifier.finish(signed, &vkey);
    if let Err(error) = all_rows(&mut rows, &replay, &mut report).await {
        report.find(None, error.code(), format!("the rows cannot all be read: {error}"));
    }
    Ok(report)
}

async fn all_rows(rows: &mut SqliteConnection, replay: &Replay, report: &mut Report) -> Result<(), LedgerError> {
    pages(rows, report).await?;
    Seals::of_schema().await?.verify(rows, report).await?;
    verify_accounts::verify(rows, replay, report).await?;
    verify_rows::verify(rows, replay, report).await?;
    verify_governance::verify(rows, replay, report).await
}

/// What SQLite itself can tell of the file: pages, indexes, constraints; and that the tables are ours.
async fn pages(rows: &mut SqliteConnection, report: &mut Report) -> Result<(), LedgerError> {
    let said: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(20)").fetch_all(&mut *rows).await?;
    if said != ["ok"] {
        report.find(None, "database_damaged", format!("the database file is damaged: {}", said.join("; ")));
    }
    let strays = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut *rows).await?;
    if !strays.is_empty() {
        report.find(None, "row_stray", format!("{} rows name a row that is not there", strays.len()));
    }
    let tables = "SELECT type || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_schema ORDER BY 1";
    let ours: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut schema_alone().await?).await?;
    let found: Vec<String> = sqlx::query_scalar(tables).fetch_all(rows).await?;
    if found != ours {
        report.find(None, "tables_differ", "the tables and their constraints are not those of this release");
    }
    Ok(())
}

/// The signed head; one that does not open is a finding, and the columns are taken for it.
async fn head(rows: &mut SqliteConnection, vkey: &str, verifier: &mut Verifier) -> Result<Head, LedgerError> {
    let (size, root, note): (i64, String, String) =
        sqlx::query_as("SELECT size, root, note FROM head WHERE id = 1").fetch_one(rows).await?;
    let stored = stored_head(size, &root)?;
    match open_checkpoint(&note, vkey) {
        Ok(signed) if signed == stored => {}
        Ok(_) => verifier.find(None, "head_differs", "the head is not the one that was signed"),
        Err(_) => verifier.find(None, "head_unsigned", "the checkpoint is not signed by this log's key"),
    }
    Ok(stored)
}

/// Tells the verifier of the head the witness has seen. Those it saw before follow from it.
async fn witnessed(
    rows: &mut SqliteConnection,
    path: &Path,
    vkey: &str,
    verifier: &mut Verifier,
) -> Result<(), LedgerError> {
    let mut reader = WitnessReader::open(path, vkey).map_err(LedgerError::Witness)?;
    loop {
        match reader.next_line() {
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                verifier.find(None, "witness_malformed", "the witness is not one of this log, or was changed");
                return Ok(());
            }
            Err(error) => return Err(LedgerError::Witness(error)),
        }
    }
    if let Some(head) = reader.head() {
        verifier.expect(head);
    }
    let (size, acknowledged) = (reader.head().map_or(0, |head| head.size), log::acknowledged(rows).await?);
    if size < acknowledged {
        let what = format!("the witness ends at {size} leaves and has acknowledged {acknowledged}: lines are gone");
        verifier.find(None, "witness_cut", what);
    }
    Ok(())
}

/// Pushes every leaf; compares the stored hashes with those of the tree.
async fn leaves(rows: &mut SqliteConnection, verifier: &mut Verifier) -> Result<(), LedgerError> {
    let mut expected = Vec::new();
    let mut next: i64 = 0;
    let mut leaves = sqlx::query_as::<_, (i64, String)>("SELECT idx, body FROM leaves ORDER BY idx").fetch(&mut *rows);
    while let Some((index, body)) = leaves.try_next().await? {
        if index != next {
            verifier.find(u64::try_from(index).ok(), "index_gap", "the places of the leaves are not 0, 1, 2 ...");
        }
        next = index.saturating_add(1);
        expected.extend(verifier.push(&body));
    }
    drop(leaves);
    let mut position: usize = 0;
    let mut hashes =
        sqlx::query_as::<_, (i64, Vec<u8>)>("SELECT position, hash FROM hashes ORDER BY position").fetch(&mut *rows);
    let mut same = true;
    while let Some((at, hash)) = hashes.try_next().await? {
        same &=
            usize::try_from(at) == Ok(position) && expected.get(position).is_some_and(|known| known[..] == hash[..]);
        position = position.saturating_add(1);
    }
    if !same || position != expected.len() {
        verifier.find(None, "hashes_differ", "the stored hashes are not those of the leaves");
    }
    Ok(())
}
