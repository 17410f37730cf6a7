//! A copy of the database, taken while the service runs.

use super::row::json;
use super::{FileEntry, LedgerError};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

/// How long a copy waits for a writer.
const BUSY: Duration = Duration::from_secs(10);

/// Copies a database that may be in use into a new file for its owner alone: one moment of it, whole, on disk.
///
/// A crash on the way leaves a file that is no copy: whoever makes copies notes the finished ones.
///
/// # Errors
/// If either file cannot be read or written; if there is something in the new file already.
pub async fn copy_database(from: &Path, to: &Path) -> Result<(), LedgerError> {
    let failed = |error| LedgerError::Database(sqlx::Error::Io(error));
    let name = to.to_str().ok_or(LedgerError::Corruption("the path of a copy must be UTF-8"))?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(failed)?;
    let mut rows = reading(from).await?;
    sqlx::query("VACUUM INTO ?").bind(name).execute(&mut rows).await?;
    rows.close().await?;
    File::open(to).and_then(|file| file.sync_all()).map_err(failed)
}

/// Every file that live submissions and editions name: what a vault must hold for this database.
///
/// # Errors
/// If the database cannot be read.
pub async fn files_named(database: &Path) -> Result<Vec<FileEntry>, LedgerError> {
    let mut rows = reading(database).await?;
    let lists: Vec<String> = sqlx::query_scalar(super::editions::FILES).fetch_all(&mut rows).await?;
    let mut files = Vec::new();
    for list in lists {
        files.extend(json::<Vec<FileEntry>>(&list)?);
    }
    rows.close().await?;
    Ok(files)
}

async fn reading(path: &Path) -> Result<SqliteConnection, LedgerError> {
    Ok(SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY).connect().await?)
}
