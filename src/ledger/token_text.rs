//! The text of a token: `hl_<role>_<secret><checksum>`.
//!
//! The checksum tells a typing error or a torn copy from a token without a look-up, and lets scanners find leaked
//! tokens. The secret is 256 bits from the operating system. There is no `Debug`: a token is never printed but to its
//! holder.

use crate::identity::{Digest, Role, random_bytes};

/// Hexadecimal digits of the secret.
const SECRET: usize = 64;

/// Hexadecimal digits of the checksum.
const CHECKSUM: usize = 8;

/// A token text whose checksum holds.
pub(super) struct TokenText {
    role: Role,
    text: String,
}

impl TokenText {
    /// A fresh token.
    pub(super) fn random(role: Role) -> Self {
        let body = format!("hl_{}_{}", role.as_str(), hex::encode(random_bytes::<32>()));
        Self { role, text: format!("{body}{}", checksum(&body)) }
    }

    /// Reads a token text; `None` unless it is spelled as one and its checksum holds.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (role, secret) = text.strip_prefix("hl_")?.split_once('_')?;
        let role = Role::ALL.into_iter().find(|known| known.as_str() == role)?;
        let hexadecimal = secret.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !hexadecimal || secret.len() != SECRET.checked_add(CHECKSUM)? {
            return None;
        }
        let (body, sum) = text.split_at_checked(text.len().checked_sub(CHECKSUM)?)?;
        (checksum(body) == sum).then(|| Self { role, text: text.to_owned() })
    }

    /// The role it says it has.
    pub(super) fn role(&self) -> Role {
        self.role
    }

    /// What is stored of it.
    pub(super) fn sha256(&self) -> Digest {
        Digest::of(self.text.as_bytes())
    }

    /// The text, for its holder.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

fn checksum(body: &str) -> String {
    Digest::of(body.as_bytes()).to_string().chars().take(CHECKSUM).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_character_is_seen_without_a_look_up() {
        let text = TokenText::random(Role::Analyst).into_text();
        assert!(TokenText::parse(&text).is_some_and(|token| token.role() == Role::Analyst));
        for place in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
            assert!(TokenText::parse(&String::from_utf8(changed).unwrap()).is_none(), "{place}");
        }
        for wrong in ["", "hl_", "hl_analyst_", &text[..text.len() - 1], &format!("{text}0"), &text.to_uppercase()] {
            assert!(TokenText::parse(wrong).is_none());
        }
    }
}
