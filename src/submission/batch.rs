//! Coded rows, on their way from the door to the vault.
//!
//! A batch holds no text of the file: persons are keys, dimensions are places on declared code lists, numbers are
//! clamped integers. [`Coding`] says what the columns mean and is kept beside the sealed file, so that a file coded
//! under an older policy can still be read.
//!
//! # Guarantee
//! G1: a [`RowBatch`] travels only inside [`Sensitive`] and cannot be printed.

use super::PersonKey;
use crate::policy::{Kind, Per, Policy};
use crate::sensitive::Sensitive;
use serde::{Deserialize, Serialize};

/// How the columns of a sealed file are coded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coding {
    /// The columns, in the order of the policy; ignored ones are not among them.
    pub columns: Vec<CodedColumn>,
}

/// One column of a sealed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodedColumn {
    /// Its name in the policy.
    pub name: String,
    /// Whether it describes a row; else it describes the person, once a period.
    pub per_row: bool,
    /// What its values stand for.
    pub content: Content,
}

/// What the values of a column stand for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Content {
    /// Places on this list.
    Codes {
        /// The declared codes, in order.
        codes: Vec<String>,
    },
    /// Integers in units of `10^-scale`.
    Numbers {
        /// Decimals kept.
        scale: u32,
    },
}

impl Coding {
    /// The coding of files checked against a policy.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        let columns = policy.columns.iter().filter_map(|column| {
            let content = match &column.kind {
                Kind::Dimension { codes, .. } => {
                    Content::Codes { codes: codes.codes.iter().map(|code| code.id.clone()).collect() }
                }
                Kind::Measure(measure) => Content::Numbers { scale: measure.scale },
                Kind::Ignored => return None,
            };
            Some(CodedColumn { name: column.name.clone(), per_row: column.per == Per::Row, content })
        });
        Self { columns: columns.collect() }
    }
}

/// Some coded rows: every part is as long as `persons`.
pub struct RowBatch {
    /// Whose row it is.
    pub persons: Vec<PersonKey>,
    /// The row of the file, from 1 (the header is row 0). Ascending; rejected rows leave gaps.
    pub row_numbers: Vec<u64>,
    /// The values, in the order of [`Coding`].
    pub columns: Vec<ColumnValues>,
}

/// The values of one column in a batch.
pub enum ColumnValues {
    /// Places on the column's code list.
    Codes(Vec<u16>),
    /// Clamped integers; `None` where the value is missing.
    Numbers(Vec<Option<i64>>),
}

impl RowBatch {
    /// An empty batch with room for `rows`.
    #[must_use]
    pub fn with_capacity(coding: &Coding, rows: usize) -> Self {
        let columns = coding.columns.iter().map(|column| match column.content {
            Content::Codes { .. } => ColumnValues::Codes(Vec::with_capacity(rows)),
            Content::Numbers { .. } => ColumnValues::Numbers(Vec::with_capacity(rows)),
        });
        Self { persons: Vec::with_capacity(rows), row_numbers: Vec::with_capacity(rows), columns: columns.collect() }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.persons.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.persons.is_empty()
    }
}

/// Where batches go.
pub trait Sink {
    /// Takes the next rows of the file.
    ///
    /// # Errors
    /// An error stops the reading; whatever was taken before is then to be discarded.
    fn take(&mut self, batch: Sensitive<RowBatch>) -> Result<(), SinkError>;
}

/// Why a sink takes no more: a fault of ours, whose cause is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the rows could not be sealed ({code}); nothing was kept, send the file again later")]
pub struct SinkError {
    /// A stable code.
    pub code: &'static str,
}
