//! `restore`: a backup is put back, or a database that was rolled back is left in place, and brought forward to the
//! witness.
//!
//! # Guarantees
//! No budget comes back, and nothing that was erased: the witnessed leaves are replayed, then every file that the
//! ledger no longer names is destroyed, keys first, before anything is served.

use super::parts::{DATABASE, MANIFEST, Manifest, Progress, SEALED, empty_folder, read, sync};
use super::{AppError, ledger_settings, log_key, open, vault_files};
use crate::clock::Clock;
use crate::config::Config;
use crate::fault::Faults;
use crate::ledger::{Ledger, Restored};
use crate::transparency::LogKey;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// Puts a backup into an empty data folder; the ledger last, so that a folder filled by half is no service.
///
/// Nothing is served from it until [`bring_forward`] was run.
///
/// # Errors
/// If the backup is not what its manifest says, the keys are another service's, the witness is missing, or the folder
/// is not empty.
pub fn put_back(config: &Config, from: &Path, progress: Progress<'_>) -> Result<Manifest, AppError> {
    if config.witness().is_some_and(|witness| !witness.exists()) {
        return Err(AppError::Backup("the witness is missing, and says what was spent since; mount its volume".into()));
    }
    let manifest = manifest(from)?;
    let key = LogKey::load(&log_key(config)).map_err(|error| AppError::Key(error.to_string()))?;
    if key.verifier_key() != manifest.verifier_key {
        return Err(AppError::Backup("the keys are not those of this backup; give --keys of the same service".into()));
    }
    let data = config.data_dir();
    empty_folder(data)?;
    let mut ledger = None;
    for (name, part) in &manifest.files {
        let is_ledger = name == DATABASE;
        let to = if is_ledger { data.join("ledger.unfinished") } else { data.join(name) };
        if read(&from.join(name), Some(&to), progress)? != *part {
            return Err(differs(name));
        }
        ledger = if is_ledger { Some(to) } else { ledger };
    }
    sync(data)?;
    // A crash before this leaves sealed files without a ledger: empty the folder and put the backup back again.
    std::fs::rename(ledger.ok_or_else(|| differs(DATABASE))?, config.database())?;
    sync(data)?;
    Ok(manifest)
}

/// The manifest of a backup, whose names lead nowhere else.
fn manifest(from: &Path) -> Result<Manifest, AppError> {
    let text = match std::fs::read(from.join(MANIFEST)) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(AppError::Backup(
                "there is no manifest in this folder: it is no backup, or an unfinished one".into(),
            ));
        }
        read => read?,
    };
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|_| differs(MANIFEST))?;
    if manifest.text()? != text {
        return Err(differs(MANIFEST));
    }
    let sealed = |name: &str| {
        name.strip_prefix(SEALED)
            .and_then(|name| name.strip_prefix('/'))
            .is_some_and(|name| crate::identity::FileId::parse(name).is_ok())
    };
    if manifest.files.keys().all(|name| name == DATABASE || sealed(name)) {
        Ok(manifest)
    } else {
        Err(differs(MANIFEST))
    }
}

fn differs(name: &str) -> AppError {
    AppError::Backup(format!("{name} is not what the manifest of the backup says; take another backup"))
}

/// Brings the ledger forward to its witness, and destroys what it no longer names. `None` if it was not behind.
///
/// # Errors
/// As [`Ledger::restore`] and [`open`].
pub async fn bring_forward(config: &Config, clock: Arc<dyn Clock>) -> Result<Option<Restored>, AppError> {
    if !config.database().exists() {
        return Err(AppError::NotThere);
    }
    let restored = Ledger::restore(ledger_settings(config, Arc::clone(&clock), Faults::default())?).await?;
    if restored.is_some() {
        // A crash here leaves the erasures to the next start, which does the same before it serves.
        drop(open(config, clock).await?);
    }
    Ok(restored)
}

/// Begins a new witness where the old one is lost for good; gives the leaves of the log. The log says so.
///
/// # Errors
/// As [`Ledger::begin_witness`].
pub async fn begin_witness(config: &Config, clock: Arc<dyn Clock>) -> Result<u64, AppError> {
    if !config.database().exists() {
        return Err(AppError::NotThere);
    }
    Ok(Ledger::begin_witness(ledger_settings(config, clock, Faults::default())?).await?)
}

/// How many bytes lie in a data folder, for a progress bar.
#[must_use]
pub fn bytes_in(data: &Path) -> u64 {
    let length = |path: &Path| path.metadata().map_or(0, |metadata| metadata.len());
    let sealed = std::fs::read_dir(vault_files(data)).into_iter().flatten().flatten();
    sealed.fold(length(&data.join(DATABASE)), |sum, file| sum.saturating_add(length(&file.path())))
}
