//! Files that no manifest names: still being worked on, or strays.
//!
//! # Guarantees
//! A sweep destroys a file only if nobody worked on it when the vault was looked through, and a manifest that was read
//! after that does not name it. So whatever became of the work (an error, a panic, a commit of which nobody knows
//! whether it landed), what rows name stays and the rest goes, and a sweep may run at any time.

use super::{Inner, Vault, VaultError, durable};
use crate::identity::FileId;
use crate::ledger::FileEntry;
use crate::underway::Hold;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Sealed files whose commit is under way. Dropped before it has ended, they are left to a sweep.
#[derive(Debug)]
#[must_use = "end it when the manifest has spoken"]
pub struct Uncommitted {
    holds: Vec<Hold<FileId>>,
    untidy: Arc<AtomicBool>,
}

impl Uncommitted {
    pub(super) fn new(vault: &Inner, holds: Vec<Hold<FileId>>) -> Self {
        Self { holds, untidy: Arc::clone(&vault.untidy) }
    }

    /// The files are named by a row, or erased.
    pub fn end(mut self) {
        self.holds.clear();
    }
}

impl Drop for Uncommitted {
    fn drop(&mut self) {
        if !self.holds.is_empty() {
            self.untidy.store(true, Ordering::Release);
        }
    }
}

/// Files, or keys of files, on which nobody worked when the vault was looked through. Dropped before they were held
/// against the manifest, they are left to another sweep.
#[derive(Debug)]
#[must_use = "sweep them"]
pub struct Strays {
    ids: BTreeSet<FileId>,
    untidy: Arc<AtomicBool>,
}

impl Drop for Strays {
    fn drop(&mut self) {
        if !self.ids.is_empty() {
            self.untidy.store(true, Ordering::Release);
        }
    }
}

impl Vault {
    /// Whether something may lie here that no manifest names.
    #[must_use]
    pub fn untidy(&self) -> bool {
        self.0.untidy.load(Ordering::Acquire)
    }

    /// Looks for files that nobody is working on. Read the manifest only after this, then [`Vault::sweep`].
    ///
    /// # Errors
    /// If the vault is sealed or the disk fails.
    pub fn strays(&self) -> Result<Strays, VaultError> {
        self.0.keys.provider()?;
        // Cleared first: what becomes a stray from here on is found by the next sweep.
        self.0.untidy.store(false, Ordering::Release);
        let mut names = durable::names(&self.0.files)?;
        names.extend(self.0.keys.names()?);
        let ids = names.iter().filter_map(|name| FileId::parse(name).ok());
        let ids = ids.filter(|id| !self.0.underway.holds(id)).collect();
        Ok(Strays { ids, untidy: Arc::clone(&self.0.untidy) })
    }

    /// Destroys the strays that the manifest of a ledger, not behind its witness, does not know.
    ///
    /// # Errors
    /// If the vault is sealed or the disk fails; sweep again then.
    pub fn sweep(&self, mut strays: Strays, known: &BTreeSet<FileId>) -> Result<(), VaultError> {
        self.0.keys.provider()?;
        let unknown: Vec<FileId> = strays.ids.difference(known).cloned().collect();
        self.0.erase(&unknown)?;
        strays.ids.clear();
        Ok(())
    }

    /// Erases files for good: keys first, then the bytes. What is gone already is fine.
    ///
    /// # Errors
    /// If the vault is sealed or the disk fails; a sweep does it then, for no row names them.
    pub fn erase(&self, files: &[FileEntry]) -> Result<(), VaultError> {
        self.0.keys.provider()?;
        let ids: Vec<FileId> = files.iter().map(|file| file.id.clone()).collect();
        self.0.erase(&ids)
    }
}
