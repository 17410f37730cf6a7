//! The door: a file becomes coded, clamped, keyed rows, or a [`Rejection`] that names row, column and rule.
//!
//! # Guarantee
//! G14: nothing here, and no error from here, repeats a value of the file.

mod batch;
mod intake;
mod person;

pub use batch::{CodedColumn, Coding, ColumnValues, Content, RowBatch, Sink, SinkError};
pub use intake::{Intake, Reading, read};
pub use person::{PersonKey, PersonKeyer, PlaceholderId};

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
    /// The file is wrong.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The rows could not be sealed.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The body did not arrive whole.
    #[error("the body broke off; send the file again")]
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
}
