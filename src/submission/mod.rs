//! The door: a file becomes coded, clamped, keyed rows, or a [`Rejection`] that names row, column and rule.
//!
//! A body is unpacked (`body`), cut into records (`csv`, `ndjson`), and each record is checked against the policy and
//! coded (`coder`); persons become keys (`person`). [`read`] tells the whole; every rule stands in `rules`.
//!
//! # Guarantees
//! G14: nothing here, and no error from here, repeats a value of the file. Coded rows leave only inside `Sensitive`
//! (G1), and memory does not grow with the file.

mod batch;
mod body;
mod coder;
mod csv;
mod intake;
mod layout;
mod ndjson;
mod number;
mod period;
mod person;
mod placeholder;
mod rules;
mod spelling;
#[cfg(test)]
pub(crate) mod tests;

pub use batch::{CodedColumn, Coding, ColumnValues, Content, RowBatch, Sink, SinkError};
pub use body::{BODY_BYTES_MAX, BodyFault, Encoding, announced, decoded};
pub use intake::{BATCH_ROWS, Intake, Reading, read};
pub use layout::{COLUMNS_MAX, FIELD_BYTES_MAX};
pub use person::{PersonKey, PersonKeyer, PlaceholderId};
pub use rules::{FINDINGS_MAX, FileRule, ID_PARTED_OTHERWISE, RowRule};

use crate::ledger::RowFinding;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180 with a header row.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

/// What a bad row does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// Refuses the file.
    Refuse,
    /// Is left out.
    Skip,
}

/// Why a file was refused.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// The file as a whole is wrong: a stable code and what to do.
    #[error("{detail}")]
    File {
        /// A stable code.
        code: &'static str,
        /// What is the matter, and what to do.
        detail: String,
    },
    /// Rows are wrong; nothing was kept.
    #[error(
        "{rows_rejected} rows break the policy's rules and nothing was kept; mend them, or send the file with on_error=skip"
    )]
    Rows {
        /// How many rows are wrong.
        rows_rejected: u64,
        /// The first thousand findings.
        findings: Vec<RowFinding>,
    },
}

impl Rejection {
    /// A stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { code, .. } => code,
            Self::Rows { .. } => "rows_rejected",
        }
    }
}

/// Why a file was not read to a good end. Nothing of it is to be kept.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file is wrong: its sender can mend it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The rows could not be sealed: a fault of ours.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The body broke off.
    #[error("the body broke off before its end and nothing was kept; send the file again")]
    Body(std::io::ErrorKind),
}

impl ReadError {
    /// A stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rejected(rejection) => rejection.code(),
            Self::Sink(fault) => fault.code,
            Self::Body(_) => "body_broken",
        }
    }

    /// What an error of the body's reader means for the file. Its text goes nowhere.
    fn of_body(error: &std::io::Error) -> Self {
        match BodyFault::of(error) {
            BodyFault::TooLarge => FileRule::BodyTooLarge.into(),
            BodyFault::BadEncoding => FileRule::BadEncoding.into(),
            BodyFault::DigestMismatch => FileRule::DigestMismatch.into(),
            BodyFault::Broken(kind) => Self::Body(kind),
        }
    }
}

impl From<FileRule> for ReadError {
    fn from(rule: FileRule) -> Self {
        Self::Rejected(rule.into())
    }
}
