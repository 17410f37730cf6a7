//! Every rule of the door, each with its stable code: the one place where the codes are listed.
//!
//! # Guarantee
//! G14: a rule knows positions and the policy's own names, never a text of the file. Header texts are the sender's, so
//! they are not repeated either: an unknown column is told by its position.

use super::Rejection;
use crate::ledger::RowFinding;

/// Rules about the file as a whole. Breaking one refuses the file, whatever is done with bad rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileRule {
    /// The organisation is not among the policy's submitters.
    #[error("your organisation is not among the submitters of this dataset; the policy's officers can add it")]
    SubmitterNotAllowed,
    /// Neither a column nor the request names the period.
    #[error("this dataset's files have no column of the period; name it in the request, as in ?period=2026-Q1")]
    PeriodMissing,
    /// The dataset has no such periods, or the organisation may not send this one.
    #[error(
        "the file's period is not in this dataset's rhythm or not one your organisation may send; see the dataset's description"
    )]
    PeriodNotAllowed,
    /// Nothing is there.
    #[error("the file is empty; send a header row and one row a record")]
    EmptyFile,
    /// The header is not UTF-8.
    #[error("the header is not UTF-8; save the file as UTF-8, with or without a byte order mark")]
    NotUtf8,
    /// The quoting is broken.
    #[error(
        "near row {row} a field holds a line break, is never closed, or is too long: look for a quote left open. Fields hold no line breaks"
    )]
    MalformedCsv {
        /// Row of data, from 1; 0 is the header.
        row: u64,
    },
    /// A line is longer than any record can be.
    #[error("line {row} is too long for one record; send one JSON object a line")]
    BadJson {
        /// Line, from 1.
        row: u64,
    },
    /// More columns than a file may have.
    #[error("the header has more than 512 columns; send only the columns that the dataset's description declares")]
    TooManyColumns,
    /// A header text is longer than a name can be.
    #[error("the name of column {position} in the header is too long; use the names of the dataset's description")]
    HeaderTooLong {
        /// Place in the header, from 1.
        position: usize,
    },
    /// A column that the policy does not declare.
    #[error(
        "column {position} of row {row} (0 is the header) is not declared in this dataset's policy; leave it out. Names are exact, and commas stand between them"
    )]
    UnknownColumn {
        /// Place in the header or the object, from 1.
        position: usize,
        /// Row of data, from 1; 0 is the header.
        row: u64,
    },
    /// A declared column stands twice in the header.
    #[error("column {column} stands more than once in the header; send it once")]
    DuplicateColumn {
        /// The policy's name.
        column: String,
    },
    /// A declared column is not in the header.
    #[error("column {column} is missing from the header; the dataset's description lists all that are needed")]
    MissingColumn {
        /// The policy's name.
        column: String,
    },
    /// The digest announced is not that of what arrived.
    #[error("what arrived does not have the SHA-256 announced in Content-Digest; send the file again")]
    DigestMismatch,
    /// The decoded body is larger than accepted.
    #[error("the file is larger, when decompressed, than this service accepts; send it in parts")]
    BodyTooLarge,
    /// The content encoding is broken.
    #[error("the body does not decompress as its Content-Encoding says; compress and send it again")]
    BadEncoding,
    /// No row was good.
    #[error(
        "no row of the file can be accepted, so there is nothing to keep; see the findings of each row, or add rows"
    )]
    NoRows,
}

impl FileRule {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::SubmitterNotAllowed => "submitter_not_allowed",
            Self::PeriodMissing => "period_missing",
            Self::PeriodNotAllowed => "period_not_allowed",
            Self::EmptyFile => "empty_file",
            Self::NotUtf8 => "not_utf8",
            Self::MalformedCsv { .. } => "malformed_csv",
            Self::BadJson { .. } => "bad_json",
            Self::TooManyColumns => "too_many_columns",
            Self::HeaderTooLong { .. } => "header_too_long",
            Self::UnknownColumn { .. } => "unknown_column",
            Self::DuplicateColumn { .. } => "duplicate_column",
            Self::MissingColumn { .. } => "missing_column",
            Self::DigestMismatch => "digest_mismatch",
            Self::BodyTooLarge => "body_too_large",
            Self::BadEncoding => "bad_encoding",
            Self::NoRows => "no_rows",
        }
    }
}

impl From<FileRule> for Rejection {
    fn from(rule: FileRule) -> Self {
        Self::File { code: rule.code(), detail: rule.to_string() }
    }
}

/// Rules about one row. Breaking one rejects the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowRule {
    /// The line is not one flat JSON object of strings and numbers.
    BadJson,
    /// A key stands twice in the object.
    DuplicateKey,
    /// Fewer fields than the header has.
    TooFewFields,
    /// More fields than the header has.
    TooManyFields,
    /// A field is longer than 4,096 bytes.
    FieldTooLong,
    /// The text is not UTF-8.
    NotUtf8,
    /// The row's period is malformed, or not that of the file.
    WrongPeriod,
    /// The person id is empty.
    EmptyId,
    /// The person id stands for "not known".
    PlaceholderId,
    /// The person id is not the 64 hexadecimal digits that this dataset takes.
    IdNotPrekeyed,
    /// A value is needed.
    MissingValue,
    /// The code is not on the declared list.
    CodeNotInList,
    /// Not a plain integer (nor one of the codes written out).
    NotAnInteger,
    /// The integer is outside the declared range.
    OutOfRange,
    /// Not a plain decimal number: digits, at most one point, no exponent.
    NotANumber,
    /// More decimals than declared.
    TooManyDecimals,
    /// The policy declares that this combination cannot exist.
    StructuralZero,
}

impl RowRule {
    /// Every rule, in the order in which a row is checked.
    pub const ALL: [Self; 17] = [
        Self::BadJson,
        Self::DuplicateKey,
        Self::TooFewFields,
        Self::TooManyFields,
        Self::FieldTooLong,
        Self::NotUtf8,
        Self::WrongPeriod,
        Self::EmptyId,
        Self::PlaceholderId,
        Self::IdNotPrekeyed,
        Self::MissingValue,
        Self::CodeNotInList,
        Self::NotAnInteger,
        Self::OutOfRange,
        Self::NotANumber,
        Self::TooManyDecimals,
        Self::StructuralZero,
    ];

    /// The stable code, as it stands in a [`RowFinding`].
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::BadJson => "bad_json",
            Self::DuplicateKey => "duplicate_column",
            Self::TooFewFields => "too_few_fields",
            Self::TooManyFields => "too_many_fields",
            Self::FieldTooLong => "field_too_long",
            Self::NotUtf8 => "not_utf8",
            Self::WrongPeriod => "wrong_period",
            Self::EmptyId => "empty_id",
            Self::PlaceholderId => "placeholder_id",
            Self::IdNotPrekeyed => "id_not_prekeyed",
            Self::MissingValue => "missing_value",
            Self::CodeNotInList => "code_not_in_list",
            Self::NotAnInteger => "not_an_integer",
            Self::OutOfRange => "out_of_range",
            Self::NotANumber => "not_a_number",
            Self::TooManyDecimals => "too_many_decimals",
            Self::StructuralZero => "structural_zero",
        }
    }
}

/// What is said of a row that was kept: its id is that of an earlier row but for where its separators stand.
pub const ID_PARTED_OTHERWISE: &str = "id_parted_otherwise";

/// Warnings kept of one file: a habit shows in a few.
pub(super) const WARNINGS_MAX: usize = 20;

/// Findings kept of one file; beyond them rows are only counted.
pub const FINDINGS_MAX: usize = 1_000;

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) kept: Vec<RowFinding>,
    pub(super) rows_rejected: u64,
    last_row: u64,
}

impl Findings {
    /// Notes a broken rule. `column` is a name of the policy, or empty where the whole row is meant.
    pub(super) fn note(&mut self, row: u64, column: &str, rule: RowRule) {
        if self.last_row != row {
            self.last_row = row;
            self.rows_rejected = self.rows_rejected.saturating_add(1);
        }
        if self.kept.len() < FINDINGS_MAX {
            self.kept.push(RowFinding { row, column: column.to_owned(), rule: rule.code().to_owned() });
        }
    }

    /// Whether anything was found in this row. Rows come in order, from 1.
    pub(super) fn in_row(&self, row: u64) -> bool {
        self.last_row == row
    }
}
