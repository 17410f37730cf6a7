//! A person's id becomes a key, and is forgotten.
//!
//! # Guarantees
//! The id is never kept: a [`PersonKey`] is HMAC-SHA-256 of the normalised id under a key of the dataset alone, so the
//! same person has unlinkable keys in two datasets. The normalisation is frozen: a change would split persons in two,
//! and a person split in two is protected half as well.

use super::placeholder::is_placeholder;
use crate::policy::IdForm;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;
use unicode_normalization::{UnicodeNormalization as _, is_nfkc};
use zeroize::Zeroize as _;

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
    #[error("the person id is empty; every row needs one")]
    Empty,
    /// A word or number that stands for "not known".
    #[error("the person id is a placeholder; give each person an id of their own")]
    Placeholder,
    /// Ids of this dataset come keyed already, and this is not 64 hexadecimal digits.
    #[error("the person id is not 64 hexadecimal digits; key it as the dataset's description says")]
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
    pub fn new(mut secret: [u8; 32], form: IdForm) -> Self {
        // HMAC pads a key shorter than its block with zeros (RFC 2104, section 2).
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        for (to, from) in block.iter_mut().zip(secret) {
            *to = from;
        }
        let keyed = Hmac::new(&block);
        secret.zeroize();
        block.as_mut_slice().zeroize();
        Self { keyed, form }
    }

    /// The key of the person an id names.
    ///
    /// # Errors
    /// Refuses ids that name nobody.
    pub fn key(&self, id: &str) -> Result<PersonKey, PlaceholderId> {
        self.key_with(id, &mut String::new())
    }

    /// The same, with a buffer that the caller keeps, so that plain ids cost no allocation.
    pub(super) fn key_with(&self, id: &str, normal: &mut String) -> Result<PersonKey, PlaceholderId> {
        normalise(id, normal);
        if normal.is_empty() {
            return Err(if id.trim().is_empty() { PlaceholderId::Empty } else { PlaceholderId::Placeholder });
        }
        if is_placeholder(normal) {
            return Err(PlaceholderId::Placeholder);
        }
        match self.form {
            IdForm::Raw => {}
            IdForm::Prekeyed if normal.len() == 64 && normal.bytes().all(|b| b.is_ascii_hexdigit()) => {}
            IdForm::Prekeyed => return Err(PlaceholderId::NotPrekeyed),
        }
        let mut keyed = self.keyed.clone();
        keyed.update(normal.as_bytes());
        let mut key = [0; 16];
        for (to, from) in key.iter_mut().zip(keyed.finalize().into_bytes()) {
            *to = from;
        }
        Ok(PersonKey(key))
    }
}

/// Writes an id in the one form in which ids are compared: NFKC, lower case, without space, separators and characters
/// that cannot be seen.
///
/// # Guarantee
/// Frozen. NFKC comes again at the end, since leaving out a separator can bring a letter and its accent together.
fn normalise(id: &str, normal: &mut String) {
    normal.clear();
    if id.is_ascii() {
        let kept = id.bytes().filter(|byte| !is_ascii_separator(*byte));
        normal.extend(kept.map(|byte| char::from(byte.to_ascii_lowercase())));
        return;
    }
    normal.extend(id.nfkc().flat_map(char::to_lowercase).filter(|c| !is_separator(*c)));
    if !is_nfkc(normal) {
        *normal = normal.nfkc().collect();
    }
}

fn is_ascii_separator(byte: u8) -> bool {
    matches!(byte, 0..=b' ' | 0x7F | b'"' | b'#' | b'\'' | b'(' | b')' | b',' | b'-' | b'.' | b'/')
        || matches!(byte, b':' | b';' | b'[' | b'\\' | b']' | b'_' | b'`' | b'|')
}

pub(super) fn is_separator(c: char) -> bool {
    u8::try_from(c).is_ok_and(|byte| byte.is_ascii() && is_ascii_separator(byte))
        || c.is_whitespace()
        || c.is_control()
        // Middle dots, dashes, minus, fraction slash; quotes.
        || matches!(c, '\u{B7}' | '\u{2010}'..='\u{2015}' | '\u{2022}' | '\u{2027}')
        || matches!(c, '\u{2043}' | '\u{2044}' | '\u{2212}')
        || matches!(c, '\u{2018}'..='\u{201F}' | '\u{2032}' | '\u{2033}')
        // Soft hyphen, joiners, direction marks, byte order mark.
        || matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}')
        || matches!(c, '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keyer(secret: u8) -> PersonKeyer {
        PersonKeyer::new([secret; 32], IdForm::Raw)
    }

    #[test]
    fn the_key_is_hmac_sha256_cut_to_16_bytes() {
        // Computed with Python's hmac module: frozen, for a change would split every person in two.
        let key = keyer(0x0b).key("AB-123").unwrap();
        assert_eq!(hex::encode(key.0), "a97ef033fac8182ebe7bdedf33e40a15");
    }

    #[test]
    fn the_same_person_differently_written_has_the_same_key() {
        let keyer = keyer(1);
        let key = keyer.key("AB-123.45/x").unwrap();
        for id in [
            " ab12345x ",
            "AB 123 45 X",
            "ab_123_45_x",
            "ＡＢ１２３４５Ｘ",
            "AB\u{2013}123\u{200B}45X",
            "\u{FEFF}AB12345X",
        ] {
            assert_eq!(keyer.key(id), Ok(key), "{id}");
        }
        assert_eq!(keyer.key("JOSE\u{301} 1"), keyer.key("jos\u{e9}1"));
        assert_eq!(keyer.key("jose-\u{301}1"), keyer.key("jos\u{e9}1"));
        assert_ne!(keyer.key("AB12345Y"), Ok(key));
        assert_ne!(keyer.key("0AB12345X"), Ok(key), "zeros in front are part of an id");
    }

    #[test]
    fn two_datasets_give_one_person_different_keys() {
        assert_ne!(keyer(1).key("AB12345"), keyer(2).key("AB12345"));
    }

    #[test]
    fn prekeyed_ids_are_64_hexadecimal_digits_and_keyed_again() {
        let keyer = PersonKeyer::new([1; 32], IdForm::Prekeyed);
        let id = "0123456789abcdef".repeat(4);
        let key = keyer.key(&id).unwrap();
        assert_ne!(hex::encode(key.0), id[..32]);
        assert_eq!(keyer.key(&id.to_uppercase()), Ok(key));
        for bad in [&id[1..], "P-000001", &"g".repeat(64)] {
            assert_eq!(keyer.key(bad), Err(PlaceholderId::NotPrekeyed));
        }
        assert_eq!(keyer.key(&"0".repeat(64)), Err(PlaceholderId::Placeholder));
    }

    // G14
    #[test]
    fn neither_keys_nor_errors_print_an_id() {
        let key = keyer(1).key("AB12345").unwrap();
        assert_eq!(format!("{key:?}"), "PersonKey(..)");
        let error = keyer(1).key("unknown").unwrap_err();
        assert!(!format!("{error}{error:?}").contains("unknown"));
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(id in "\\PC{0,40}") {
            let (mut once, mut twice) = (String::new(), String::new());
            normalise(&id, &mut once);
            normalise(&once, &mut twice);
            prop_assert_eq!(once, twice);
        }

        #[test]
        fn separators_never_matter(letters in "[A-Za-z0-9]{5,20}", at in 0_usize..5, separator in "[-_ ./]") {
            let mut written = letters.clone();
            written.insert_str(at, &separator);
            prop_assert_eq!(keyer(1).key(&letters), keyer(1).key(&written));
        }
    }
}
