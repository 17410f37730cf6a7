//! What can go wrong in the vault: stable codes, and never a value from microdata.
//!
//! Parser and cipher errors are dropped where they arise: their texts may quote what they stumbled over (G14). Names in
//! these texts are policy names or random ids.

use crate::identity::FileId;
use crate::submission::Rejection;
use std::io::ErrorKind;

/// Why the vault did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key provider has not answered.
    #[error("the vault is sealed: put the key-encryption key back (keys/kek) and start again")]
    Sealed,
    /// The key file can be read by others.
    #[error("the key file may be read by its owner alone: chmod 600 it, and replace it if others had access")]
    KeyExposed,
    /// The key file holds something else, or another vault's key.
    #[error("this is not the key this vault was made with; put the right one back")]
    KeyWrong,
    /// `init` on a vault that has a key.
    #[error("there is a key already; nothing was changed")]
    Initialised,
    /// The wrapped key is gone: erased, or a key store older than the data.
    #[error("the key of {file} is gone: it was erased, or the key store is not the one that belongs to this vault")]
    Erased {
        /// The file.
        file: FileId,
    },
    /// A file is not what the manifest says.
    #[error("{file} is not the file the manifest knows; restore it from a backup")]
    Tampered {
        /// The file.
        file: FileId,
    },
    /// The file was refused at the door.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The body of a submission broke off.
    #[error("the body broke off; send the file again")]
    Body(#[source] std::io::Error),
    /// A submission cannot be read under the policy in force.
    #[error("column {column} of submission {sequence} does not fit the policy in force: {fix}")]
    Recode {
        /// The column.
        column: String,
        /// Which submission, by order of acceptance.
        sequence: u64,
        /// What to do.
        fix: String,
    },
    /// More than the vault's formats can hold.
    #[error("more {what} than an edition can hold")]
    TooMany {
        /// Of what.
        what: &'static str,
    },
    /// A stored description of a coding cannot be read.
    #[error("a coding in the ledger cannot be read; restore the database")]
    Coding,
    /// A sealed file cannot be written or read although its digest is right.
    #[error("a sealed file cannot be {0}")]
    Format(&'static str),
    /// The cipher refused; only on a broken invariant.
    #[error("the cipher failed")]
    Cipher,
    /// The disk failed.
    #[error("the disk failed")]
    Disk(#[source] std::io::Error),
}

impl VaultError {
    /// A stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::KeyExposed => "key_exposed",
            Self::KeyWrong => "key_wrong",
            Self::Initialised => "already_initialised",
            Self::Erased { .. } => "erased",
            Self::Tampered { .. } => "tampered",
            Self::Rejected(_) => "rejected",
            Self::Body(_) => "body_broke_off",
            Self::Recode { .. } => "recode",
            Self::TooMany { .. } => "too_many",
            Self::Coding => "coding",
            Self::Format(_) => "vault_format",
            Self::Cipher => "cipher",
            Self::Disk(error) if is_full(error.kind()) => "disk_full",
            Self::Disk(_) => "vault_disk",
        }
    }
}

/// Whether there is no room: on the disk, under the quota, or under the limit of one file.
fn is_full(kind: ErrorKind) -> bool {
    [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge].contains(&kind)
}

impl From<std::io::Error> for VaultError {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error)
    }
}
