//! The parts of a backup: how one is copied, and how it is known again.

use super::AppError;
use crate::identity::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Error, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The name of the manifest in a backup. It is written last: a folder without it is no backup.
pub(super) const MANIFEST: &str = "manifest.json";

/// The name of the database in a backup.
pub(super) const DATABASE: &str = "ledger.sqlite";

/// Where sealed files lie, in a backup as in a data folder.
pub(super) const SEALED: &str = "vault/files";

/// Bytes copied at a time.
const BLOCK_BYTES: usize = 1 << 18;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The release that made it.
    pub halflight: String,
    /// Whose log it is.
    pub verifier_key: String,
    /// Leaves of the log at that moment.
    pub leaves: u64,
    /// Every file, by its path in the backup.
    pub files: BTreeMap<String, Part>,
}

/// What a file is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of them.
    pub sha256: Digest,
}

impl Manifest {
    /// The manifest as it stands in a backup: one spelling.
    pub(super) fn text(&self) -> Result<Vec<u8>, Error> {
        Ok(serde_json::to_vec_pretty(self)?)
    }

    /// Bytes of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.values().fold(0, |sum, part| sum.saturating_add(part.size))
    }
}

/// Says how many more bytes are done.
pub type Progress<'a> = &'a dyn Fn(u64);

/// Reads a file, and copies what is read if there is where to; gives what it is known by.
///
/// A copy is on disk when this returns. A crash on the way leaves a part of it that no manifest names.
pub(super) fn read(from: &Path, to: Option<&Path>, progress: Progress<'_>) -> Result<Part, Error> {
    let mut source = File::open(from)?;
    let make = |path| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut copy = to.map(make).transpose()?;
    let (mut sha256, mut size, mut block) = (Sha256::new(), 0_u64, vec![0; BLOCK_BYTES]);
    loop {
        let length = source.read(&mut block)?;
        let bytes = block.get(..length).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        sha256.update(bytes);
        if let Some(copy) = &mut copy {
            copy.write_all(bytes)?;
        }
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        size = size.saturating_add(length);
        progress(length);
    }
    if let Some(copy) = copy {
        copy.sync_all()?;
    }
    Ok(Part { size, sha256: Digest(sha256.finalize().into()) })
}

/// Makes an empty folder for the owner alone, or takes one that is empty.
pub(super) fn empty_folder(path: &Path) -> Result<(), AppError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    if fs::read_dir(path)?.next().is_some() {
        return Err(AppError::Occupied(path.to_owned()));
    }
    Ok(DirBuilder::new().recursive(true).mode(0o700).create(path.join(SEALED))?)
}

/// Makes the entries of a folder of parts durable.
pub(super) fn sync(folder: &Path) -> Result<(), Error> {
    for folder in [folder.join(SEALED), folder.join("vault"), folder.to_owned()] {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
