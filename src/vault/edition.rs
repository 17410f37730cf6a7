//! The form of an edition: coded columns, a person's ordinal and the rank of each of the person's rows.
//!
//! # Guarantees
//! No person key is in it, and no column name: columns are numbered. Rows are sorted by (ordinal, rank) over all
//! segments together, and no person is cut by the end of a segment. A person has at most `rows_max` rows, ranked from
//! 0.

use super::VaultError;
use super::file::Unkept;
use crate::policy::{Kind, Per, Policy};
use crate::submission::{CodedColumn, Coding, ColumnValues, Content};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, UInt8Array, UInt16Array, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Rows of a segment.
const SEGMENT_ROWS: usize = 1 << 19;
/// Codes that fit one byte.
pub(crate) const NARROW_CODES: usize = 256;
/// The column of a person's ordinal.
pub(crate) const ORDINAL: &str = "ordinal";
/// The column of a row's rank among its person's.
pub(crate) const RANK: &str = "rank";

/// How an edition is written: all that is needed to read it, and to know how far one person reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EditionCoding {
    /// Rows of one person: at most so many were kept.
    pub rows_max: u32,
    /// The columns; the i-th is called `ci` in the segments.
    pub columns: Vec<EditionColumn>,
}

/// One column of an edition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EditionColumn {
    /// Its name in the policy.
    pub name: String,
    /// Whether its value may differ between the rows of a person.
    pub per_row: bool,
    /// What its values stand for.
    pub content: Content,
    /// Numbers were clamped to these bounds (inclusive, in integer units).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<(i64, i64)>,
}

impl EditionCoding {
    /// The coding of editions closed under a policy.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        let column = |coded: CodedColumn| {
            let found = policy.column(&coded.name);
            let bounds = match found.map(|c| &c.kind) {
                Some(Kind::Measure(measure)) => Some((measure.min, measure.max)),
                Some(Kind::Dimension { .. } | Kind::Ignored) | None => None,
            };
            let per_row = found.is_none_or(|c| c.per == Per::Row);
            EditionColumn { name: coded.name, per_row, content: coded.content, bounds }
        };
        Self { rows_max: policy.unit.rows_max, columns: Coding::of(policy).columns.into_iter().map(column).collect() }
    }

    /// Reads what the ledger keeps of an edition.
    ///
    /// # Errors
    /// If the text is not such a description.
    pub fn parse(text: &str) -> Result<Self, VaultError> {
        serde_json::from_str(text).map_err(|_| VaultError::Coding)
    }

    /// The text the ledger keeps.
    ///
    /// # Errors
    /// Never for a coding made by the vault.
    pub fn text(&self) -> Result<String, VaultError> {
        serde_json::to_string(self).map_err(|_| VaultError::Coding)
    }

    /// The schema of the segments.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        let mut fields = vec![Field::new(ORDINAL, DataType::UInt32, false), Field::new(RANK, DataType::UInt16, false)];
        for (place, column) in self.columns.iter().enumerate() {
            fields.push(match &column.content {
                Content::Codes { codes } if codes.len() <= NARROW_CODES => {
                    Field::new(column_name(place), DataType::UInt8, false)
                }
                Content::Codes { .. } => Field::new(column_name(place), DataType::UInt16, false),
                Content::Numbers { .. } => Field::new(column_name(place), DataType::Int64, true),
            });
        }
        Arc::new(Schema::new(fields))
    }
}

/// The name of the column in that place: policy names do not reach the files.
#[must_use]
pub(crate) fn column_name(place: usize) -> String {
    format!("c{place}")
}

/// A row that was kept: where it stands in its bucket, and where its person's first row does.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    /// The row.
    pub(super) row: usize,
    /// The person's row of rank 0.
    pub(super) first: usize,
}

/// Writes the segments of an edition, person by person.
pub(super) struct Segments<'a> {
    files: Unkept<'a>,
    coding: &'a EditionCoding,
    schema: SchemaRef,
    next_ordinal: u32,
    ordinals: Vec<u32>,
    ranks: Vec<u16>,
    columns: Vec<ColumnValues>,
}

impl<'a> Segments<'a> {
    /// Starts an edition.
    pub(super) fn new(files: Unkept<'a>, coding: &'a EditionCoding) -> Self {
        let columns = coding.columns.iter().map(|column| empty(&column.content)).collect();
        let schema = coding.schema();
        Self { files, coding, schema, next_ordinal: 0, ordinals: Vec::new(), ranks: Vec::new(), columns }
    }

    /// Adds the next person: the rows kept, by rank.
    pub(super) fn person(&mut self, kept: &[Kept], bucket: &[ColumnValues]) -> Result<(), VaultError> {
        if self.ordinals.len().saturating_add(kept.len()) > SEGMENT_ROWS {
            self.cut()?;
        }
        let ordinal = self.next_ordinal;
        self.next_ordinal = ordinal.checked_add(1).ok_or(VaultError::TooMany { what: "persons" })?;
        for rank in 0..kept.len() {
            self.ordinals.push(ordinal);
            self.ranks.push(u16::try_from(rank).map_err(|_| VaultError::TooMany { what: "rows of a person" })?);
        }
        for ((to, from), column) in self.columns.iter_mut().zip(bucket).zip(&self.coding.columns) {
            let rows = kept.iter().map(|kept| if column.per_row { kept.row } else { kept.first });
            copy(to, from, rows)?;
        }
        Ok(())
    }

    /// Ends the edition.
    pub(super) fn finish(mut self) -> Result<Unkept<'a>, VaultError> {
        if !self.ordinals.is_empty() {
            self.cut()?;
        }
        Ok(self.files)
    }

    fn cut(&mut self) -> Result<(), VaultError> {
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(UInt32Array::from(std::mem::take(&mut self.ordinals))),
            Arc::new(UInt16Array::from(std::mem::take(&mut self.ranks))),
        ];
        for (values, column) in self.columns.iter_mut().zip(&self.coding.columns) {
            arrays.push(match std::mem::replace(values, empty(&column.content)) {
                ColumnValues::Numbers(numbers) => Arc::new(Int64Array::from(numbers)),
                ColumnValues::Codes(codes) => codes_array(codes, &column.content)?,
            });
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(|_| VaultError::Format("written"));
        self.files.write(&self.schema, &[ORDINAL], "edition 1", std::iter::once(batch))
    }
}

fn codes_array(codes: Vec<u16>, content: &Content) -> Result<ArrayRef, VaultError> {
    match content {
        Content::Codes { codes: list } if list.len() <= NARROW_CODES => {
            let narrow: Result<Vec<u8>, _> = codes.into_iter().map(u8::try_from).collect();
            Ok(Arc::new(UInt8Array::from(narrow.map_err(|_| VaultError::Format("written"))?)))
        }
        Content::Codes { .. } | Content::Numbers { .. } => Ok(Arc::new(UInt16Array::from(codes))),
    }
}

/// An empty column of that kind.
pub(super) fn empty(content: &Content) -> ColumnValues {
    match content {
        Content::Codes { .. } => ColumnValues::Codes(Vec::new()),
        Content::Numbers { .. } => ColumnValues::Numbers(Vec::new()),
    }
}

/// Appends chosen rows of one column to another of the same kind.
pub(super) fn copy(
    to: &mut ColumnValues,
    from: &ColumnValues,
    mut rows: impl Iterator<Item = usize>,
) -> Result<(), VaultError> {
    let missing = || VaultError::Format("read");
    match (to, from) {
        (ColumnValues::Codes(to), ColumnValues::Codes(from)) => {
            rows.try_for_each(|row| from.get(row).map(|value| to.push(*value))).ok_or_else(missing)
        }
        (ColumnValues::Numbers(to), ColumnValues::Numbers(from)) => {
            rows.try_for_each(|row| from.get(row).map(|value| to.push(*value))).ok_or_else(missing)
        }
        (ColumnValues::Codes(_), ColumnValues::Numbers(_)) | (ColumnValues::Numbers(_), ColumnValues::Codes(_)) => {
            Err(missing())
        }
    }
}
