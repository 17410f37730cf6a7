//! The vault: submissions, and editions in which each person is bounded; sealed, and erasable by destroying a key.
//!
//! # Guarantees
//! Nothing is ever on disk in clear: every file is encrypted under a key of its own, wrapped by a key-encryption key
//! that is kept elsewhere; without it the vault is sealed. The ledger's manifest alone says which files exist: what a
//! crash or an error leaves behind, [`Vault::sweep`] destroys. Person keys live in submissions only and never leave
//! this folder.
//!
//! All methods block; callers run them on a thread made for that.

mod chunk;
mod close;
mod durable;
mod edition;
mod error;
mod file;
mod keys;
mod recode;
mod stray;

pub use edition::{EditionCoding, EditionColumn};
pub use error::VaultError;
pub use stray::{Strays, Uncommitted};

pub(crate) use edition::{NARROW_CODES, ORDINAL, RANK, column_name};
pub(crate) use file::{Scan, Verified};

use crate::fault::{Faults, Point};
use crate::identity::{DatasetId, FileId};
use crate::ledger::{FileEntry, SubmissionRow};
use crate::policy::{IdForm, Policy};
use crate::submission::{Coding, Intake, PersonKeyer, Reading};
use crate::underway::Underway;
use keys::KeyStore;
use parquet::encryption::decrypt::FileDecryptionProperties;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where the vault lies.
#[derive(Debug, Clone)]
pub struct VaultSettings {
    /// The data: may be in backups.
    pub dir: PathBuf,
    /// The keys: must not be in the same backups, or erasure would not reach them.
    pub keys: PathBuf,
    /// Writes that fail on purpose: none, but in tests.
    pub faults: Faults,
}

/// A submission that lies sealed in the vault and is not committed yet.
#[derive(Debug)]
#[must_use = "commit it, or erase its files"]
pub struct SealedFile {
    /// What was read.
    pub reading: Reading,
    /// Its files.
    pub files: Vec<FileEntry>,
    /// Keeps them from being swept until the manifest has spoken.
    pub uncommitted: Uncommitted,
    /// How its columns are written.
    pub coding: Coding,
}

/// An edition that lies sealed in the vault and is not committed yet.
#[derive(Debug)]
#[must_use = "commit it, or erase its files"]
pub struct SealedEdition {
    /// Its segments, in order of ordinal.
    pub files: Vec<FileEntry>,
    /// Keeps them from being swept until the manifest has spoken.
    pub uncommitted: Uncommitted,
    /// How its columns are written.
    pub coding: EditionCoding,
}

/// The vault. Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    files: PathBuf,
    keys: KeyStore,
    faults: Faults,
    underway: Underway<FileId>,
    untidy: Arc<AtomicBool>,
}

impl Inner {
    fn path(&self, id: &FileId) -> PathBuf {
        self.files.join(id.as_str())
    }

    /// Keys first: from there on the bytes are noise, whatever happens to them.
    fn erase(&self, ids: &[FileId]) -> Result<(), VaultError> {
        if ids.is_empty() {
            return Ok(());
        }
        let destroyed = self.keys.destroy(ids).and_then(|()| self.remove(ids));
        if destroyed.is_err() {
            self.untidy.store(true, Ordering::Release);
        }
        destroyed
    }

    fn remove(&self, ids: &[FileId]) -> Result<(), VaultError> {
        for id in ids {
            self.faults.write(Point::FileErase, || durable::remove(&self.path(id)), durable::lost)?;
        }
        Ok(durable::sync_directory(&self.files)?)
    }
}

impl Vault {
    /// Makes directories and a key-encryption key where there are none.
    ///
    /// # Errors
    /// `Initialised` if there is a key already.
    pub fn init(settings: &VaultSettings) -> Result<(), VaultError> {
        durable::make_directory(&settings.dir.join("files"))?;
        KeyStore::init(&settings.keys)
    }

    /// Opens the vault; sealed where the key-encryption key is missing.
    ///
    /// # Errors
    /// If the key may be read by others, or is not this vault's.
    pub fn open(settings: VaultSettings) -> Result<Self, VaultError> {
        let VaultSettings { dir, keys, faults } = settings;
        let files = dir.join("files");
        durable::make_directory(&files)?;
        let keys = KeyStore::open(keys, faults.clone())?;
        // What the start before left is not known yet.
        let untidy = Arc::new(AtomicBool::new(true));
        Ok(Self(Arc::new(Inner { files, keys, faults, underway: Underway::default(), untidy })))
    }

    /// Whether the key provider has not answered: everything else is then refused.
    #[must_use]
    pub fn sealed(&self) -> bool {
        self.0.keys.provider().is_err()
    }

    /// The keyer of a dataset's persons. Its secret is made on first use.
    ///
    /// # Errors
    /// If the vault is sealed or the disk fails.
    pub fn person_keyer(&self, dataset: &DatasetId, form: IdForm) -> Result<PersonKeyer, VaultError> {
        Ok(PersonKeyer::new(*self.0.keys.dataset(dataset)?, form))
    }

    /// Reads a file at the door and seals what passes. On an error nothing of it is left.
    ///
    /// # Errors
    /// `Rejected` with the door's reasons, or the vault's own.
    pub fn receive(&self, intake: &Intake<'_>, body: impl Read) -> Result<SealedFile, VaultError> {
        chunk::receive(&self.0, intake, body)
    }

    /// Closes a period: bounds each person's rows over all these submissions, and seals the edition.
    ///
    /// # Errors
    /// `Recode` if a submission does not fit the policy in force (decided on the code lists, not on the rows).
    pub fn close(&self, policy: &Policy, submissions: &[SubmissionRow]) -> Result<SealedEdition, VaultError> {
        close::close(&self.0, policy, submissions)
    }

    /// Encrypts bytes that lie in the ledger (raw noisy draws), bound to a name.
    ///
    /// # Errors
    /// If the vault is sealed.
    pub fn seal(&self, name: &str, bytes: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.0.keys.provider()?.wrap(&format!("sealed {name}"), bytes)
    }

    /// Decrypts what [`Vault::seal`] made under the same name.
    ///
    /// # Errors
    /// If the vault is sealed, or the bytes are not what was sealed under this name.
    pub fn unseal(&self, name: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        Ok(self.0.keys.provider()?.unwrap(&format!("sealed {name}"), sealed)?.to_vec())
    }

    /// The directory of the sealed files.
    pub(crate) fn files(&self) -> &Path {
        &self.0.files
    }

    /// Checks files against the manifest, and that their keys are there, before anybody parses them.
    pub(crate) fn verify<'a>(
        &self,
        files: impl IntoIterator<Item = &'a FileEntry>,
    ) -> Result<Vec<Verified>, VaultError> {
        self.0.keys.provider()?;
        files.into_iter().map(|file| self.0.verify(file)).collect()
    }

    /// The cipher's side of reading a file that was verified.
    pub(crate) fn decryption(&self, id: &FileId) -> Result<Arc<FileDecryptionProperties>, VaultError> {
        self.0.decryption(id)
    }

    /// Reads some columns of a sealed file.
    pub(crate) fn scan(&self, file: &Verified, columns: &[&str]) -> Result<Scan, VaultError> {
        self.0.open(file)?.scan(columns, None)
    }
}

#[cfg(test)]
pub(crate) mod test_vault;
#[cfg(test)]
mod tests;
