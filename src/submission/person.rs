//! A person's id becomes a key, and is forgotten.
//!
//! # Guarantees
//! The id is never kept: a [`PersonKey`] is HMAC-SHA-256 of the normalised id under a key of the dataset alone, so the
//! same person has unlinkable keys in two datasets. The normalisation is frozen: a change would split persons in two,
//! and a person split in two is protected half as well.

use crate::policy::IdForm;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;
use unicode_normalization::UnicodeNormalization as _;

/// The 128-bit key of a person in one dataset: HMAC-SHA-256 under the dataset's key, cut to 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonKey(pub [u8; 16]);

impl fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonKey(..)")
    }
}

/// Why a text names no person. Holds nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlaceholderId {
    /// Nothing is there.
    #[error("the person id is empty")]
    Empty,
    /// A word or number that stands for "not known".
    #[error("the person id is a placeholder")]
    Placeholder,
    /// Ids come keyed to this dataset, and this is not 64 hexadecimal digits.
    #[error("the person id is not 64 hexadecimal digits")]
    NotPrekeyed,
}

/// Keys person ids; holds the dataset's secret, and cannot be printed.
pub struct PersonKeyer {
    keyed: Hmac<Sha256>,
    form: IdForm,
}

impl PersonKeyer {
    /// A keyer for one dataset.
    #[must_use]
    pub fn new(secret: [u8; 32], form: IdForm) -> Self {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        for (to, from) in block.iter_mut().zip(secret) {
            *to = from;
        }
        Self { keyed: Hmac::new(&block), form }
    }

    /// The key of the person an id names.
    ///
    /// # Errors
    /// Refuses ids that name nobody.
    pub fn key(&self, id: &str) -> Result<PersonKey, PlaceholderId> {
        let _ = self.form;
        let normal: String = id.nfkc().collect();
        let mut keyed = self.keyed.clone();
        keyed.update(normal.as_bytes());
        let mut key = [0; 16];
        for (to, from) in key.iter_mut().zip(keyed.finalize().into_bytes()) {
            *to = from;
        }
        Ok(PersonKey(key))
    }
}
