//! The offline check of a whole data folder: the ledger, and the sealed files it names.
//!
//! It needs no key, so it tells whether a file is the one that was sealed, not what is in it.

use super::parts::{Part, read};
use super::{AppError, vault_files};
use crate::config::Config;
use crate::ledger::{files_named, verify_database};
use crate::transparency::Report;
use std::io::ErrorKind;
use std::path::Path;

/// The code of a finding: a file is not there.
pub(super) const FILE_MISSING: &str = "file_missing";

/// Verifies a data folder (or a backup); everything holds if the report has no findings.
///
/// # Errors
/// If the ledger cannot be read at all, or the witness is missing.
pub async fn verify(data: &Path, witness: Option<&Path>) -> Result<Report, AppError> {
    let database = Config::database_in(data);
    let mut report = verify_database(&database, witness).await?;
    let files = match files_named(&database).await {
        Ok(files) => files,
        Err(error) => {
            report.find(None, error.code(), format!("the names of the sealed files cannot be read: {error}"));
            Vec::new()
        }
    };
    for entry in files {
        match read(&vault_files(data).join(entry.id.as_str()), None, &|_| {}) {
            Ok(part) if part == (Part { size: entry.size, sha256: entry.sha256 }) => {}
            Ok(_) => report.find(None, "file_differs", format!("{} is not the file that was sealed", entry.id)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                report.find(None, FILE_MISSING, format!("{} is missing", entry.id));
            }
            Err(error) => report.find(None, "file_unreadable", format!("{} cannot be read: {error}", entry.id)),
        }
    }
    Ok(report)
}
