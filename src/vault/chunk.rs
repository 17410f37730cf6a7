//! From the door to the disk: rows are gathered into chunks, put in order of bucket, and sealed.
//!
//! A bucket is a range of person keys. Each chunk becomes one file whose row groups are runs of buckets, so that
//! closing a period reads one bucket of every file at a time. Memory holds one chunk, however long the submission is.

use super::file::Unkept;
use super::{Inner, SealedFile, VaultError, column_name, edition};
use crate::sensitive::Sensitive;
use crate::submission::{self, Coding, ColumnValues, Content, Intake, PersonKey, ReadError, RowBatch, Sink, SinkError};
use arrow::array::{ArrayRef, FixedSizeBinaryArray, Int64Array, RecordBatch, UInt16Array, UInt64Array};
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use std::io::Read;
use std::sync::Arc;

/// Rows of a chunk.
const CHUNK_ROWS: usize = 1 << 18;
/// Buckets the persons of a dataset fall into. Closing holds one in memory.
pub(super) const BUCKETS: u8 = 64;
/// Neighbouring buckets share a row group until it has so many rows: small files stay small.
const GROUP_ROWS_MIN: usize = 1 << 10;
/// Bytes of a person key.
const KEY_BYTES: i32 = 16;
/// The column of person keys.
pub(super) const KEY: &str = "key";
/// The column of row numbers.
pub(super) const ROW_NUMBER: &str = "row_number";

/// The bucket of a person.
pub(super) fn bucket(key: &[u8]) -> u8 {
    key.first().map_or(0, |first| first / (u8::MAX / BUCKETS + 1))
}

/// Reads a file at the door and seals what passes.
pub(super) fn receive(vault: &Inner, intake: &Intake<'_>, body: impl Read) -> Result<SealedFile, VaultError> {
    let coding = Coding::of(intake.policy);
    let mut sink = Chunks::new(vault, &coding)?;
    let reading = submission::read(intake, body, &mut sink);
    // Dropping the sink on the way out removes what it has written.
    let reading = reading.map_err(|error| match error {
        ReadError::Rejected(rejection) => VaultError::Rejected(rejection),
        ReadError::Sink(_) => sink.failed.take().unwrap_or(VaultError::Format("written")),
        ReadError::Body(kind) => VaultError::Body(kind.into()),
    })?;
    let (files, uncommitted) = sink.finish()?.keep();
    Ok(SealedFile { reading, files, uncommitted, coding })
}

/// Gathers rows and writes them chunk by chunk.
pub(super) struct Chunks<'a> {
    files: Unkept<'a>,
    coding: &'a Coding,
    schema: SchemaRef,
    rows: RowBatch,
    failed: Option<VaultError>,
}

impl<'a> Chunks<'a> {
    /// Starts a submission.
    pub(super) fn new(vault: &'a Inner, coding: &'a Coding) -> Result<Self, VaultError> {
        vault.keys.provider()?;
        Ok(Self {
            files: Unkept::new(vault),
            coding,
            schema: schema(coding),
            rows: RowBatch::with_capacity(coding, 0),
            failed: None,
        })
    }

    /// Writes what is left.
    pub(super) fn finish(mut self) -> Result<Unkept<'a>, VaultError> {
        self.cut()?;
        Ok(self.files)
    }

    fn append(&mut self, batch: &RowBatch) -> Result<(), VaultError> {
        self.rows.persons.extend_from_slice(&batch.persons);
        self.rows.row_numbers.extend_from_slice(&batch.row_numbers);
        for (to, from) in self.rows.columns.iter_mut().zip(&batch.columns) {
            edition::copy(to, from, 0..batch.persons.len())?;
        }
        if self.rows.persons.len() >= CHUNK_ROWS { self.cut() } else { Ok(()) }
    }

    fn cut(&mut self) -> Result<(), VaultError> {
        let chunk = std::mem::replace(&mut self.rows, RowBatch::with_capacity(self.coding, 0));
        if chunk.persons.is_empty() {
            return Ok(());
        }
        let mut order: Vec<(u8, usize)> =
            chunk.persons.iter().enumerate().map(|(row, person)| (bucket(&person.0), row)).collect();
        order.sort_unstable();
        let groups = groups(&order);
        let runs: Vec<Run> = groups.iter().filter_map(|group| Some((group.first()?.0, group.last()?.0))).collect();
        let note = serde_json::to_string(&runs).map_err(|_| VaultError::Format("written"))?;
        let batches = groups.iter().map(|group| gather(&chunk, group, &self.schema));
        self.files.write(&self.schema, &[ROW_NUMBER], &note, batches)
    }
}

impl Sink for Chunks<'_> {
    fn take(&mut self, batch: Sensitive<RowBatch>) -> Result<(), SinkError> {
        self.append(batch.expose()).map_err(|error| {
            let code = error.code();
            self.failed = Some(error);
            SinkError { code }
        })
    }
}

/// The first and the last bucket of a row group. A file's note lists those of its row groups.
pub(super) type Run = (u8, u8);

/// Cuts rows in order of bucket into row groups, never within a bucket.
fn groups(order: &[(u8, usize)]) -> Vec<&[(u8, usize)]> {
    let mut groups = Vec::new();
    let mut rest = order;
    while !rest.is_empty() {
        let mut end = 0;
        for bucket in rest.chunk_by(|a, b| a.0 == b.0) {
            end += bucket.len();
            if end >= GROUP_ROWS_MIN {
                break;
            }
        }
        let (group, behind) = rest.split_at(end);
        groups.push(group);
        rest = behind;
    }
    groups
}

fn schema(coding: &Coding) -> SchemaRef {
    let mut fields = vec![
        Field::new(KEY, DataType::FixedSizeBinary(KEY_BYTES), false),
        Field::new(ROW_NUMBER, DataType::UInt64, false),
    ];
    for (place, column) in coding.columns.iter().enumerate() {
        fields.push(match column.content {
            Content::Codes { .. } => Field::new(column_name(place), DataType::UInt16, false),
            Content::Numbers { .. } => Field::new(column_name(place), DataType::Int64, true),
        });
    }
    Arc::new(Schema::new(fields))
}

fn gather(chunk: &RowBatch, group: &[(u8, usize)], schema: &SchemaRef) -> Result<RecordBatch, VaultError> {
    let unwritten = || VaultError::Format("written");
    let keys: Vec<u8> = rows(&chunk.persons, group)?.into_iter().flat_map(|PersonKey(key)| key).collect();
    let keys = FixedSizeBinaryArray::try_new(KEY_BYTES, Buffer::from_vec(keys), None).map_err(|_| unwritten())?;
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(keys), Arc::new(UInt64Array::from(rows(&chunk.row_numbers, group)?))];
    for column in &chunk.columns {
        arrays.push(match column {
            ColumnValues::Codes(codes) => Arc::new(UInt16Array::from(rows(codes, group)?)),
            ColumnValues::Numbers(numbers) => Arc::new(Int64Array::from(rows(numbers, group)?)),
        });
    }
    RecordBatch::try_new(Arc::clone(schema), arrays).map_err(|_| unwritten())
}

fn rows<T: Copy>(values: &[T], group: &[(u8, usize)]) -> Result<Vec<T>, VaultError> {
    group.iter().map(|(_, row)| values.get(*row).copied().ok_or(VaultError::Format("written"))).collect()
}
