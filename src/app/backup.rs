//! `backup`: one moment of a service, copied while it runs, with a manifest that knows every byte.
//!
//! # Guarantees
//! The keys are not in it (neither the log's, nor the key-encryption key, nor a wrapped one): a stolen backup tells
//! nothing, and erasing a file's key reaches it too. Every file is read back and compared before the manifest is
//! written; a folder without a manifest is no backup.

use super::parts::{DATABASE, MANIFEST, Manifest, Part, Progress, SEALED, empty_folder, read, sync};
use super::{AppError, check, vault_files};
use crate::config::Config;
use crate::ledger::{copy_database, files_named};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

/// Copies the ledger and the sealed files it names into an empty folder, and verifies the copy.
///
/// # Errors
/// If there is no service, the folder is not empty, or what was copied does not verify.
pub async fn backup(config: &Config, to: &Path, progress: Progress<'_>) -> Result<Manifest, AppError> {
    if !config.database().exists() {
        return Err(AppError::NotThere);
    }
    empty_folder(to)?;
    let database = to.join(DATABASE);
    copy_database(&config.database(), &database).await?;
    let mut files = BTreeMap::from([(DATABASE.to_owned(), read(&database, None, progress)?)]);
    for entry in files_named(&database).await? {
        let name = format!("{SEALED}/{}", entry.id);
        let (from, copy) = (vault_files(config.data_dir()).join(entry.id.as_str()), to.join(&name));
        match read(&from, Some(&copy), progress) {
            Ok(part) if part == (Part { size: entry.size, sha256: entry.sha256 }) => files.insert(name, part),
            Err(error) if error.kind() == ErrorKind::NotFound && !named(config, &entry.id).await? => {
                // Withdrawn since the ledger was copied. The log says so, and a restore withdraws it again.
                continue;
            }
            Ok(_) => {
                return Err(AppError::Backup(format!("{name} is not what the ledger knows; nothing was backed up")));
            }
            Err(error) => return Err(error.into()),
        };
    }
    sync(to)?;
    for (name, part) in &files {
        if read(&to.join(name), None, &|_| {})? != *part {
            return Err(AppError::Backup(format!("{name} does not read as it was written; use another disk")));
        }
    }
    let report = check::verify(to, None).await?;
    let erased = |code: &str| code == check::FILE_MISSING;
    if let Some(finding) = report.findings.iter().find(|finding| !erased(finding.code)) {
        return Err(AppError::Backup(format!("the copy does not verify: {finding}")));
    }
    let (verifier_key, leaves) = (report.verifier_key, report.leaves);
    let manifest = Manifest { halflight: env!("CARGO_PKG_VERSION").to_owned(), verifier_key, leaves, files };
    // A crash before this leaves a folder that `restore` refuses.
    std::fs::write(to.join(MANIFEST), manifest.text()?)?;
    std::fs::File::open(to.join(MANIFEST))?.sync_all()?;
    sync(to)?;
    Ok(manifest)
}

/// Whether the service still names a file.
async fn named(config: &Config, file: &crate::identity::FileId) -> Result<bool, AppError> {
    Ok(files_named(&config.database()).await?.iter().any(|entry| entry.id == *file))
}
