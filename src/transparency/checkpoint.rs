//! Signed tree heads: C2SP checkpoints as Ed25519 signed notes, so that existing verifiers work.

use crate::identity::random_bytes;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::SigningKey;
use signed_note::{
    Note, Signer as _, StandardSigner, StandardVerifier, VerifierList, key_id, new_ed25519_verifier_key,
};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use tlog_tiles::{Checkpoint, Hash};

/// The mark of Ed25519 in a signed note's keys.
const ED25519: u8 = 1;

/// Why a key or a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The key file cannot be read or written.
    #[error("the key file cannot be read or written: {0}")]
    File(#[from] std::io::Error),
    /// Others may read the key file.
    #[error("the key file may be read by others; run chmod 600 on it, and think of the key as known")]
    Exposed,
    /// Not a key.
    #[error("this is not a key; put back the file that `init` made")]
    Key,
    /// Not a checkpoint, or not signed by this log.
    #[error("the checkpoint is malformed or not signed by this log's key")]
    Unsigned,
}

/// The log's Ed25519 signing key and its name.
#[derive(Clone)]
pub struct LogKey {
    signer: StandardSigner,
    verifier: String,
}

/// A tree head: how many leaves, which root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree over them.
    pub root: [u8; 32],
}

impl LogKey {
    /// Makes a key file, readable by its owner alone, under a fresh name.
    ///
    /// # Errors
    /// If the file is there already or cannot be written.
    pub fn create(path: &Path) -> Result<(), CheckpointError> {
        let name = format!("halflight.log/{}", hex::encode(random_bytes::<8>()));
        let secret = SigningKey::from_bytes(&random_bytes());
        let public = [&[ED25519], secret.verifying_key().to_bytes().as_slice()].concat();
        let private = BASE64_STANDARD.encode([&[ED25519], secret.to_bytes().as_slice()].concat());
        let text = format!("PRIVATE+KEY+{name}+{:08x}+{private}\n", key_id(&name, &public));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        Ok(file.sync_all()?)
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// If it is not one, or others may read it.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        if std::fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            return Err(CheckpointError::Exposed);
        }
        let text = std::fs::read_to_string(path)?;
        let signer = StandardSigner::new(text.trim()).map_err(|_| CheckpointError::Key)?;
        let private = text.trim().splitn(5, '+').nth(4).and_then(|key| BASE64_STANDARD.decode(key).ok());
        let secret: [u8; 32] = private.and_then(|key| key.get(1..)?.try_into().ok()).ok_or(CheckpointError::Key)?;
        let verifier = new_ed25519_verifier_key(signer.name(), &SigningKey::from_bytes(&secret).verifying_key());
        Ok(Self { signer, verifier })
    }

    /// The verifier key (C2SP vkey), for auditors.
    #[must_use]
    pub fn verifier(&self) -> &str {
        &self.verifier
    }

    /// Signs a tree head.
    ///
    /// # Errors
    /// If the key's name is not fit for a note (never, for keys made by `create`).
    pub fn sign(&self, head: Head) -> Result<String, CheckpointError> {
        let checkpoint =
            Checkpoint::new(self.signer.name(), head.size, Hash(head.root), "").map_err(|_| CheckpointError::Key)?;
        let mut note = Note::new(&checkpoint.to_bytes(), &[]).map_err(|_| CheckpointError::Key)?;
        note.add_sigs(&[&self.signer]).map_err(|_| CheckpointError::Key)?;
        String::from_utf8(note.to_bytes()).map_err(|_| CheckpointError::Key)
    }
}

/// The tree head of a signed checkpoint.
///
/// # Errors
/// If it is malformed or not signed under this verifier key.
pub fn open(checkpoint: &str, verifier: &str) -> Result<Head, CheckpointError> {
    let unsigned = |_| CheckpointError::Unsigned;
    let key = StandardVerifier::new(verifier).map_err(|_| CheckpointError::Key)?;
    let name = verifier.split('+').next().unwrap_or_default();
    let note = Note::from_bytes(checkpoint.as_bytes()).map_err(|_| CheckpointError::Unsigned)?;
    note.verify(&VerifierList::new(vec![Box::new(key)])).map_err(|_| CheckpointError::Unsigned)?;
    let head = Checkpoint::from_bytes(note.text()).map_err(unsigned)?;
    if head.origin() != name {
        return Err(CheckpointError::Unsigned);
    }
    Ok(Head { size: head.size(), root: head.hash().0 })
}
