//! Keys: one for each file, one secret for each dataset, all wrapped by a key-encryption key that is not kept with
//! them.
//!
//! The key store lies outside the data directory and outside the data backups, so that destroying a wrapped key erases
//! its file wherever copies of it lie. Without the key-encryption key every operation is refused: the vault is sealed.
//! Our copies of secrets are wiped from memory when they are dropped, and none is ever printed.

use super::{VaultError, durable};
use crate::fault::{Faults, Point};
use crate::identity::{DatasetId, FileId, random_bytes};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The name of the key-encryption key in the key store.
const KEK: &str = "kek";
/// A known text, wrapped: tells the right key-encryption key from another.
const CHECK: &str = "check";
const CHECK_TEXT: &[u8] = b"halflight vault 1";
/// Permission bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// Whoever holds the key-encryption key.
pub(super) trait KeyProvider: Send + Sync {
    /// Encrypts a secret for storage, bound to a label.
    fn wrap(&self, label: &str, secret: &[u8]) -> Result<Vec<u8>, VaultError>;
    /// Decrypts what was wrapped under the same label.
    fn unwrap(&self, label: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError>;
}

/// A key-encryption key in a file: 32 random bytes in hexadecimal, readable by its owner alone.
pub(super) struct FileKey {
    kek: hmac::Key,
}

impl FileKey {
    /// Makes a key that did not exist.
    fn make(store: &Path) -> Result<(), VaultError> {
        let text = Zeroizing::new(hex::encode(*Zeroizing::new(random_bytes::<32>())));
        match durable::write_new(store, KEK, text.as_bytes()) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(VaultError::Initialised),
            written => Ok(written?),
        }
    }

    /// The key, or `None` where there is none.
    fn load(store: &Path) -> Result<Option<Self>, VaultError> {
        let path = store.join(KEK);
        let metadata = match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            found => found?,
        };
        if metadata.permissions().mode() & OTHERS != 0 {
            return Err(VaultError::KeyExposed);
        }
        let text = Zeroizing::new(fs::read_to_string(&path)?);
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim_end(), &mut bytes[..]).map_err(|_| VaultError::KeyWrong)?;
        Ok(Some(Self { kek: hmac::Key::new(hmac::HMAC_SHA256, &bytes[..]) }))
    }

    /// A cipher for one label. No label shares a key with another, so random nonces never come near their limit.
    fn cipher(&self, label: &str) -> Result<LessSafeKey, VaultError> {
        let key = hmac::sign(&self.kek, label.as_bytes());
        UnboundKey::new(&AES_256_GCM, key.as_ref()).map(LessSafeKey::new).map_err(|_| VaultError::Cipher)
    }
}

impl KeyProvider for FileKey {
    fn wrap(&self, label: &str, secret: &[u8]) -> Result<Vec<u8>, VaultError> {
        let nonce = random_bytes::<NONCE_LEN>();
        let mut sealed = secret.to_vec();
        self.cipher(label)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(label), &mut sealed)
            .map_err(|_| VaultError::Cipher)?;
        Ok([&nonce[..], &sealed].concat())
    }

    fn unwrap(&self, label: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::KeyWrong)?;
        let mut secret = Zeroizing::new(sealed.to_vec());
        let length = self
            .cipher(label)?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(label), &mut secret)
            .map_err(|_| VaultError::KeyWrong)?
            .len();
        secret.truncate(length);
        Ok(secret)
    }
}

/// The wrapped keys, and the provider that opens them.
pub(super) struct KeyStore {
    store: PathBuf,
    provider: Option<Box<dyn KeyProvider>>,
    faults: Faults,
}

impl KeyStore {
    /// Makes the store and its key-encryption key.
    pub(super) fn init(store: &Path) -> Result<(), VaultError> {
        durable::make_directory(&store.join("files"))?;
        durable::make_directory(&store.join("datasets"))?;
        FileKey::make(store)?;
        let key = FileKey::load(store)?.ok_or(VaultError::Sealed)?;
        // A crash before the next line leaves a key without a check; it is checked from the first start that finds one.
        Ok(durable::write_new(store, CHECK, &key.wrap(CHECK, CHECK_TEXT)?)?)
    }

    /// Opens the store; sealed where the key-encryption key is missing.
    pub(super) fn open(store: PathBuf, faults: Faults) -> Result<Self, VaultError> {
        let Some(key) = FileKey::load(&store)? else {
            return Ok(Self { store, provider: None, faults });
        };
        match fs::read(store.join(CHECK)) {
            Ok(check) if key.unwrap(CHECK, &check)?.as_slice() == CHECK_TEXT => {}
            Ok(_) => return Err(VaultError::KeyWrong),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                durable::write_new(&store, CHECK, &key.wrap(CHECK, CHECK_TEXT)?)?;
            }
            Err(error) => return Err(error.into()),
        }
        durable::remove_unfinished(&store.join("files"))?;
        durable::remove_unfinished(&store.join("datasets"))?;
        Ok(Self { store, provider: Some(Box::new(key)), faults })
    }

    /// The provider, unless the vault is sealed.
    pub(super) fn provider(&self) -> Result<&dyn KeyProvider, VaultError> {
        self.provider.as_deref().ok_or(VaultError::Sealed)
    }

    /// Makes the key of a new file, durable before the file holds a byte.
    pub(super) fn create(&self, file: &FileId) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let key = Zeroizing::new(random_bytes::<32>().to_vec());
        let wrapped = self.provider()?.wrap(&format!("file {file}"), &key)?;
        self.write(&self.files(), file.as_str(), &wrapped)?;
        Ok(key)
    }

    /// The key of a file.
    pub(super) fn of(&self, file: &FileId) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let provider = self.provider()?;
        match fs::read(self.files().join(file.as_str())) {
            Err(error) if error.kind() == ErrorKind::NotFound => Err(VaultError::Erased { file: file.clone() }),
            read => provider.unwrap(&format!("file {file}"), &read?),
        }
    }

    /// Destroys keys: overwritten, unlinked, durable. A key that is gone already is fine.
    pub(super) fn destroy(&self, files: &[FileId]) -> Result<(), VaultError> {
        for file in files {
            self.faults.write(Point::KeyErase, || wipe(&self.files().join(file.as_str())), durable::lost)?;
        }
        Ok(durable::sync_directory(&self.files())?)
    }

    /// The names of the keys of files.
    pub(super) fn names(&self) -> std::io::Result<Vec<String>> {
        durable::names(&self.files())
    }

    /// The secret under which a dataset's person ids become keys; made on first use, the same for all who race for it.
    pub(super) fn dataset(&self, dataset: &DatasetId) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        let provider = self.provider()?;
        let directory = self.datasets();
        let label = format!("dataset {dataset}");
        let path = directory.join(dataset.as_str());
        if !path.exists() {
            let secret = Zeroizing::new(random_bytes::<32>());
            match self.write(&directory, dataset.as_str(), &provider.wrap(&label, &secret[..])?) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.into()),
                Ok(()) | Err(_) => {}
            }
        }
        // Whoever made it may have died, or be waiting, before its name was on disk; from here on rows depend on it.
        durable::sync_directory(&directory)?;
        let secret = provider.unwrap(&label, &fs::read(path)?)?;
        Ok(Zeroizing::new(secret.as_slice().try_into().map_err(|_| VaultError::KeyWrong)?))
    }

    fn write(&self, directory: &Path, name: &str, wrapped: &[u8]) -> std::io::Result<()> {
        self.faults.write(Point::KeyWrite, || durable::write_new(directory, name, wrapped), durable::lost)
    }

    fn files(&self) -> PathBuf {
        self.store.join("files")
    }

    fn datasets(&self) -> PathBuf {
        self.store.join("datasets")
    }
}

/// Overwrites a key and unlinks it.
fn wipe(path: &Path) -> std::io::Result<()> {
    if let Ok(mut key) = fs::OpenOptions::new().write(true).open(path) {
        // Best effort: on media that write elsewhere, unlinking is what counts.
        let length = usize::try_from(key.metadata()?.len()).unwrap_or_default();
        key.write_all(&vec![0; length])?;
        key.sync_all()?;
    }
    durable::remove(path)
}
