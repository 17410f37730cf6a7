//! Signed checkpoints: C2SP tlog-checkpoint in a C2SP signed note, by Ed25519.
//!
//! The key file holds the signer key in the text form of signed notes, readable by its owner alone. The origin is the
//! name in the key, so a checkpoint of one log is never taken for one of another. The secret is never printed.

use crate::identity::{Digest, random_bytes};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use signed_note::{Note, StandardSigner, StandardVerifier, Verifier as _, VerifierList};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use tlog_tiles::{Checkpoint, Hash};

/// The mark of Ed25519 in keys of signed notes.
const ED25519: u8 = 1;

/// Why a key or a checkpoint is no good.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The key file cannot be made or read.
    #[error("the log's key file cannot be made or read: {0}")]
    File(#[from] std::io::Error),
    /// The key file is open to others.
    #[error("the log's key file may be read by others; run `chmod 600` on it, and change the key if they may have")]
    Exposed,
    /// Not a key.
    #[error("this is not the key of a log: a signer key (or verifier key) of a signed note, Ed25519")]
    Key,
    /// Not a checkpoint of this log.
    #[error("the checkpoint is malformed, or not signed by this log's key")]
    Checkpoint,
}

/// The head of a log: what a checkpoint signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Leaves.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Digest,
}

/// The log's Ed25519 signing key and its name.
#[derive(Clone)]
pub struct LogKey {
    signer: StandardSigner,
    origin: String,
    vkey: String,
}

impl LogKey {
    /// Makes a key with a name of its own and writes it to a new file that only its owner may read.
    ///
    /// # Errors
    /// If there is a file already, or it cannot be written.
    pub fn create(path: &Path) -> Result<Self, CheckpointError> {
        let name = format!("halflight/{}", hex::encode(random_bytes::<8>()));
        Self::create_named(path, &name)
    }

    /// Makes a key for a log of this name: a schema-less URL by custom, without spaces and pluses.
    ///
    /// # Errors
    /// As [`Self::create`]; or if the name cannot be one.
    pub fn create_named(path: &Path, origin: &str) -> Result<Self, CheckpointError> {
        if !signed_note::is_key_name_valid(origin) || origin.chars().any(char::is_control) {
            return Err(CheckpointError::Key);
        }
        let secret = SigningKey::from_bytes(&random_bytes());
        let public = [&[ED25519], secret.verifying_key().as_bytes().as_slice()].concat();
        let text = zeroize::Zeroizing::new(format!(
            "PRIVATE+KEY+{origin}+{:08x}+{}\n",
            signed_note::key_id(origin, &public),
            STANDARD.encode([&[ED25519], secret.as_bytes().as_slice()].concat())
        ));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // Without this a crash could leave a ledger whose log has no key.
        std::fs::File::open(folder)?.sync_all()?;
        Self::from_text(&text)
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// If it is missing, open to others, or not a key.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        if std::fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            return Err(CheckpointError::Exposed);
        }
        Self::from_text(&zeroize::Zeroizing::new(std::fs::read_to_string(path)?))
    }

    fn from_text(text: &str) -> Result<Self, CheckpointError> {
        let text = text.trim_end();
        let signer = StandardSigner::new(text).map_err(|_| CheckpointError::Key)?;
        let mut parts = text.splitn(5, '+').skip(2);
        let (Some(origin), Some(_), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(CheckpointError::Key);
        };
        let bytes = zeroize::Zeroizing::new(STANDARD.decode(encoded).map_err(|_| CheckpointError::Key)?);
        let secret = bytes.split_first().and_then(|(_, secret)| <&[u8; 32]>::try_from(secret).ok());
        let public = SigningKey::from_bytes(secret.ok_or(CheckpointError::Key)?).verifying_key();
        let vkey = signed_note::new_ed25519_verifier_key(origin, &public);
        Ok(Self { signer, origin: origin.to_owned(), vkey })
    }

    /// The key that verifies, in the text form of signed notes.
    #[must_use]
    pub fn verifier_key(&self) -> &str {
        &self.vkey
    }

    /// Signs a head: the checkpoint as a signed note.
    ///
    /// # Errors
    /// Never, for a key that was read.
    pub fn sign(&self, head: Head) -> Result<String, CheckpointError> {
        let checkpoint =
            Checkpoint::new(&self.origin, head.size, Hash(head.root.0), "").map_err(|_| CheckpointError::Checkpoint)?;
        let mut note = Note::new(&checkpoint.to_bytes(), &[]).map_err(|_| CheckpointError::Checkpoint)?;
        note.add_sigs(&[&self.signer]).map_err(|_| CheckpointError::Checkpoint)?;
        String::from_utf8(note.to_bytes()).map_err(|_| CheckpointError::Checkpoint)
    }
}

/// Opens a signed checkpoint.
///
/// # Errors
/// If the key is malformed, the note is, the signature does not hold, or it is another log's.
pub fn open_checkpoint(note: &str, vkey: &str) -> Result<Head, CheckpointError> {
    let verifier = StandardVerifier::new(vkey).map_err(|_| CheckpointError::Key)?;
    let origin = verifier.name().to_owned();
    let note = Note::from_bytes(note.as_bytes()).map_err(|_| CheckpointError::Checkpoint)?;
    note.verify(&VerifierList::new(vec![Box::new(verifier)])).map_err(|_| CheckpointError::Checkpoint)?;
    let checkpoint = Checkpoint::from_bytes(note.text()).map_err(|_| CheckpointError::Checkpoint)?;
    if checkpoint.origin() != origin {
        return Err(CheckpointError::Checkpoint);
    }
    Ok(Head { size: checkpoint.size(), root: Digest(checkpoint.hash().0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_opens_with_its_key_and_with_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let key = LogKey::create(&folder.path().join("keys/log")).unwrap();
        let other = LogKey::create(&folder.path().join("keys/other")).unwrap();
        let head = Head { size: 12, root: Digest::of(b"root") };
        let note = key.sign(head).unwrap();
        assert_eq!(open_checkpoint(&note, key.verifier_key()).unwrap(), head);
        assert!(open_checkpoint(&note, other.verifier_key()).is_err());
        assert!(open_checkpoint(&note.replacen("\n12\n", "\n11\n", 1), key.verifier_key()).is_err());
        assert!(open_checkpoint("", key.verifier_key()).is_err());
    }

    #[test]
    fn a_key_file_is_made_once_for_its_owner_and_refused_when_others_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let made = LogKey::create(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(LogKey::load(&path).unwrap().verifier_key(), made.verifier_key());
        assert!(LogKey::create(&path).is_err());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(LogKey::load(&path), Err(CheckpointError::Exposed)));
        assert!(LogKey::create_named(&folder.path().join("bad"), "a b").is_err());
    }
}
