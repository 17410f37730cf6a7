//! Names and digests: who, what, which.
//!
//! Every identity is a type of its own, checked when it is made, so that an organisation is never taken for a dataset
//! and nothing unchecked reaches a path, a log line or a query. None of them is ever a person's.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A SHA-256 digest, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("a digest is 64 hexadecimal digits"))
    }
}

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{expected}")]
pub struct NameError {
    /// What would have been right, as a sentence without the offending text.
    pub expected: &'static str,
}

fn is_name(text: &str, extra: &[u8], longest: usize) -> bool {
    let mut bytes = text.bytes();
    matches!(bytes.next(), Some(b'a'..=b'z'))
        && text.len() <= longest
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || extra.contains(&b))
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $check:expr, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// Checks a text and takes it as this name.
            ///
            /// # Errors
            /// Says what a name of this kind looks like.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.to_owned())) } else { Err(NameError { expected: $expected }) }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::parse(&text)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A dataset: one policy file, one register.
    DatasetId,
    |t| is_name(t, b"", 63),
    "a dataset id starts with a lower-case letter and holds at most 63 lower-case letters, digits and underscores"
);
name!(
    /// A privacy account: a population whose loss is added up.
    AccountId,
    |t| is_name(t, b"-", 63),
    "an account id starts with a lower-case letter and holds at most 63 lower-case letters, digits, hyphens and underscores"
);
name!(
    /// An organisation that submits or asks.
    Organisation,
    |t| is_name(t, b"-.", 63),
    "an organisation starts with a lower-case letter and holds at most 63 lower-case letters, digits, hyphens, dots and underscores"
);
name!(
    /// What a question is for: `treaty_body`, `sdg` ...
    Purpose,
    |t| is_name(t, b"", 63),
    "a purpose starts with a lower-case letter and holds at most 63 lower-case letters, digits and underscores"
);
name!(
    /// The class of a principal: `un_reporting`, `nso`, `ministry`, `enforcement` ...
    Class,
    |t| is_name(t, b"", 63),
    "a class starts with a lower-case letter and holds at most 63 lower-case letters, digits and underscores"
);
name!(
    /// A period: a year `2026`, a quarter `2026-Q1` or a month `2026-03`.
    Period,
    is_period,
    "a period is a year (2026), a quarter (2026-Q1) or a month (2026-03)"
);

fn is_period(text: &str) -> bool {
    let (year, rest) = text.split_at_checked(4).unwrap_or(("", ""));
    let year_ok = year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit());
    let rest_ok = match rest.as_bytes() {
        [] => true,
        [b'-', b'Q', q] => (b'1'..=b'4').contains(q),
        [b'-', b'0', m] => (b'1'..=b'9').contains(m),
        [b'-', b'1', m] => (b'0'..=b'2').contains(m),
        _ => false,
    };
    year_ok && rest_ok
}

fn is_random_part(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

macro_rules! random_id {
    ($(#[$doc:meta])* $type:ident, $prefix:literal) => {
        name!(
            $(#[$doc])*
            $type,
            |t| t.strip_prefix($prefix).is_some_and(is_random_part),
            "an id is its prefix and 32 hexadecimal digits"
        );

        impl $type {
            /// A fresh random id of 128 bits.
            #[must_use]
            pub fn random() -> Self {
                Self(format!(concat!($prefix, "{}"), hex::encode(random_bytes::<16>())))
            }
        }
    };
}

random_id!(
    /// One submitted file.
    SubmissionId,
    "sub_"
);
random_id!(
    /// One released set of tables.
    ReleaseId,
    "rel_"
);
random_id!(
    /// One claim on an account's budget.
    ClaimId,
    "clm_"
);
random_id!(
    /// One access token (not its secret).
    TokenId,
    "tok_"
);
random_id!(
    /// One encrypted file of the vault.
    FileId,
    "fil_"
);

/// Random bytes from the operating system, for keys, salts and ids (never for privacy noise, which is OpenDP's).
///
/// # Panics
/// Never returns without randomness: a machine without an entropy source cannot run the service.
#[must_use]
#[expect(clippy::expect_used, reason = "no key may ever be made without entropy; stopping is the only safe answer")]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    use rand::TryRng as _;
    let mut bytes = [0; N];
    rand::rngs::SysRng.try_fill_bytes(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// What a token may do. No principal is submitter and analyst, nor officer and operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sends files of its own organisation and reads its own receipts.
    Submitter,
    /// Asks questions.
    Analyst,
    /// Proposes or approves policies, closes periods, suspends.
    Officer,
    /// Reads the log and the ledger.
    Auditor,
    /// Health, tokens, metrics; no data, no approvals.
    Operator,
}

impl Role {
    /// Every role, in a fixed order.
    pub const ALL: [Self; 5] = [Self::Submitter, Self::Analyst, Self::Officer, Self::Auditor, Self::Operator];

    /// The role as it stands in a token and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submitter => "submitter",
            Self::Analyst => "analyst",
            Self::Officer => "officer",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
        }
    }
}

/// Who is calling: what is known of the bearer of a valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The token used.
    pub token: TokenId,
    /// What it may do.
    pub role: Role,
    /// For whom it acts.
    pub organisation: Organisation,
    /// Of which class that organisation is.
    pub class: Class,
    /// The datasets it may name; `None` is all of them.
    pub datasets: Option<std::collections::BTreeSet<DatasetId>>,
}

impl Principal {
    /// The service itself: it runs what a policy schedules. No token is of it.
    #[must_use]
    pub fn service() -> Self {
        Self {
            token: TokenId(format!("tok_{}", "0".repeat(32))),
            role: Role::Officer,
            organisation: Organisation("halflight".to_owned()),
            class: Class("service".to_owned()),
            datasets: None,
        }
    }

    /// Whether this principal may know of a dataset at all.
    #[must_use]
    pub fn may_see(&self, dataset: &DatasetId) -> bool {
        self.datasets.as_ref().is_none_or(|set| set.contains(dataset))
    }
}
