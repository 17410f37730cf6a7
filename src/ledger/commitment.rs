//! Keyed commitments: what the public log says of things that must not be guessable from it.
//!
//! HMAC-SHA-256 with a fresh key of 32 random bytes, the salt, kept as 64 hexadecimal digits by whoever may open the
//! commitment. Without the salt nothing can be learnt or tried from it; when the salt dies, it can be opened no more.

use super::LedgerError;
use crate::identity::{Digest, random_bytes};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// A fresh salt.
pub(super) fn salt() -> String {
    hex::encode(random_bytes::<32>())
}

/// The commitment to some bytes under a salt.
pub(super) fn under(salt: &str, bytes: &[u8]) -> Result<Digest, LedgerError> {
    let broken = LedgerError::Corruption("a salt in the ledger is malformed");
    let Some(key) = hex::decode(salt).ok().filter(|key| key.len() == 32) else { return Err(broken) };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return Err(broken) };
    mac.update(bytes);
    Ok(Digest(mac.finalize().into_bytes().into()))
}

/// A commitment to some bytes under a fresh salt: the salt and the commitment.
pub(super) fn of(bytes: &[u8]) -> Result<(String, Digest), LedgerError> {
    let salt = salt();
    let commitment = under(&salt, bytes)?;
    Ok((salt, commitment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_thing_committed_twice_looks_different_and_opens_with_its_salt() {
        let (salt, commitment) = of(b"receipt").unwrap();
        assert_ne!(of(b"receipt").unwrap().1, commitment);
        assert_eq!(under(&salt, b"receipt").unwrap(), commitment);
        assert_ne!(under(&salt, b"receipts").unwrap(), commitment);
        assert!(under("00", b"receipt").is_err());
    }
}
