//! Between the columns of the database and the types of the crate.
//!
//! What was written checked is read checked: a text that is no name, an amount below zero, a digest that is none mean
//! that the file was changed behind the ledger's back, and the ledger stops ([`LedgerError::Corruption`]).

use super::LedgerError;
use crate::budget::Nanos;
use crate::identity::Digest;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) fn int(value: u64) -> Result<i64, LedgerError> {
    i64::try_from(value).map_err(|_| LedgerError::Corruption("a number is too large for the ledger"))
}

pub(super) fn count(value: i64) -> Result<u64, LedgerError> {
    u64::try_from(value).map_err(|_| LedgerError::Corruption("a number in the ledger is negative"))
}

pub(super) fn small(value: i64) -> Result<u32, LedgerError> {
    u32::try_from(value).map_err(|_| LedgerError::Corruption("a number in the ledger is out of range"))
}

pub(super) fn amount(value: i64) -> Result<Nanos, LedgerError> {
    count(value).map(Nanos::from_nanos)
}

pub(super) fn name<T: TryFrom<String>>(text: String) -> Result<T, LedgerError> {
    T::try_from(text).map_err(|_| LedgerError::Corruption("a name in the ledger is malformed"))
}

pub(super) fn digest(text: &str) -> Result<Digest, LedgerError> {
    Digest::parse(text).ok_or(LedgerError::Corruption("a digest in the ledger is malformed"))
}

pub(super) fn json<T: DeserializeOwned>(text: &str) -> Result<T, LedgerError> {
    serde_json::from_str(text).map_err(|_| LedgerError::Corruption("a document in the ledger is malformed"))
}

pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, LedgerError> {
    crate::transparency::canonical(value).map_err(|_| LedgerError::Corruption("a document cannot be written"))
}

pub(super) fn time(millis: i64) -> Result<DateTime<Utc>, LedgerError> {
    DateTime::from_timestamp_millis(millis).ok_or(LedgerError::Corruption("a time in the ledger is out of range"))
}

/// A word from a closed list, as serde writes it.
pub(super) fn word<T: DeserializeOwned>(text: String) -> Result<T, LedgerError> {
    serde_json::from_value(serde_json::Value::String(text))
        .map_err(|_| LedgerError::Corruption("a word in the ledger is unknown"))
}

/// Stops unless exactly one row was changed.
pub(super) fn one(changed: &sqlx::sqlite::SqliteQueryResult) -> Result<(), LedgerError> {
    if changed.rows_affected() == 1 {
        Ok(())
    } else {
        Err(LedgerError::Corruption("a row that must be there is not, or is there twice"))
    }
}

pub(super) fn conflict(code: &'static str, detail: impl Into<String>) -> LedgerError {
    LedgerError::Conflict { code, detail: detail.into() }
}

/// A struct of columns, read by their names.
macro_rules! columns {
    ($name:ident { $($column:ident: $type:ty,)* }) => {
        struct $name {
            $($column: $type,)*
        }

        impl sqlx::FromRow<'_, sqlx::sqlite::SqliteRow> for $name {
            fn from_row(row: &sqlx::sqlite::SqliteRow) -> Result<Self, sqlx::Error> {
                use sqlx::Row as _;
                Ok(Self { $($column: row.try_get(stringify!($column))?,)* })
            }
        }
    };
}
pub(super) use columns;
