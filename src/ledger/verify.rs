//! The offline verification of a data folder: log, witness and rows held against each other.
//!
//! The database is opened read-only. The tree is computed anew from the leaves, held against the signed head and every
//! head the witness has seen; the leaves are replayed; then every row that the log speaks of must say the same.

use super::{LedgerError, verify_rows, writing::stored_head};
use crate::transparency::{Head, Report, Verifier, open_checkpoint, read_witness};
use futures::TryStreamExt as _;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};
use std::collections::BTreeMap;
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
    let witnessed = match witness {
        Some(path) => witnessed(path, &vkey, &mut verifier)?,
        None => BTreeMap::new(),
    };
    leaves(&mut rows, &mut verifier, &witnessed).await?;
    let (mut report, replay) = verifier.finish(signed, &vkey);
    verify_rows::verify(&mut rows, &replay, &mut report).await?;
    Ok(report)
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

/// Tells the verifier of every head the witness has seen; gives the charges it keeps.
fn witnessed(path: &Path, vkey: &str, verifier: &mut Verifier) -> Result<BTreeMap<u64, String>, LedgerError> {
    let lines = match read_witness(path, vkey) {
        Ok(lines) => lines,
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            verifier.find(None, "witness_malformed", "the witness holds a line that is not signed by this log's key");
            return Ok(BTreeMap::new());
        }
        Err(error) => return Err(LedgerError::Witness(error)),
    };
    let mut charges = BTreeMap::new();
    let mut size = 0;
    for (head, line) in lines {
        if head.size < size || line.first > size {
            verifier.find(None, "witness_order", "the witness does not grow without gaps");
        }
        size = head.size;
        verifier.expect(head);
        charges.extend(line.charges.into_iter().map(|charge| (charge.index, charge.leaf)));
    }
    Ok(charges)
}

/// Pushes every leaf; compares the stored hashes with those of the tree.
async fn leaves(
    rows: &mut SqliteConnection,
    verifier: &mut Verifier,
    witnessed: &BTreeMap<u64, String>,
) -> Result<(), LedgerError> {
    let mut expected = Vec::new();
    let mut next: i64 = 0;
    let mut leaves = sqlx::query_as::<_, (i64, String)>("SELECT idx, body FROM leaves ORDER BY idx").fetch(&mut *rows);
    while let Some((index, body)) = leaves.try_next().await? {
        let place = u64::try_from(index).ok();
        if index != next {
            verifier.find(place, "index_gap", "the places of the leaves are not 0, 1, 2 ...");
        }
        next = index.saturating_add(1);
        if place.and_then(|place| witnessed.get(&place)).is_some_and(|leaf| *leaf != body) {
            verifier.find(place, "charge_differs", "a charge is not the one that was witnessed");
        }
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
