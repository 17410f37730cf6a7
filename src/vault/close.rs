//! Closing a period: each person is bounded once, so that every question afterwards is a plain count.
//!
//! # Guarantee
//! G4: what a person's rows become depends on that person's rows alone: ranked by (order of submission, row number),
//! those beyond `rows_max` left out, per-person columns taken from rank 0. So one person more or less changes the
//! edition by that person's rows and nothing else. Ordinals say nothing: persons are shuffled within their bucket, and
//! buckets are ranges of keyed pseudonyms.

use super::chunk::{BUCKETS, KEY, ROW_NUMBER, Run, bucket};
use super::edition::{Kept, Segments, empty};
use super::file::{Opened, Unkept};
use super::recode::Recode;
use super::{EditionCoding, Inner, SealedEdition, VaultError};
use crate::identity::random_bytes;
use crate::ledger::SubmissionRow;
use crate::policy::Policy;
use crate::submission::{Coding, ColumnValues};
use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::UInt64Type;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;

/// Closes a period over these submissions.
pub(super) fn close(
    vault: &Inner,
    policy: &Policy,
    submissions: &[SubmissionRow],
) -> Result<SealedEdition, VaultError> {
    vault.keys.provider()?;
    let mut submissions: Vec<&SubmissionRow> = submissions.iter().collect();
    submissions.sort_by_key(|submission| submission.sequence);
    let sources: Vec<Source> =
        submissions.into_iter().map(|submission| Source::open(vault, policy, submission)).collect::<Result<_, _>>()?;
    let coding = EditionCoding::of(policy);
    let mut shuffle = StdRng::from_seed(random_bytes());
    let mut segments = Segments::new(Unkept::new(vault), &coding);
    for number in 0..BUCKETS {
        let mut rows = Bucket::new(&coding);
        for source in &sources {
            source.read(number, &mut rows)?;
        }
        rows.write(coding.rows_max, &mut shuffle, &mut segments)?;
    }
    let (files, uncommitted) = segments.finish()?.keep();
    Ok(SealedEdition { files, uncommitted, coding })
}

/// One submission, its files checked and their row groups known.
struct Source {
    sequence: u64,
    recode: Recode,
    files: Vec<(Opened, Vec<Run>)>,
}

impl Source {
    fn open(vault: &Inner, policy: &Policy, submission: &SubmissionRow) -> Result<Self, VaultError> {
        let coding: Coding = serde_json::from_str(&submission.coding).map_err(|_| VaultError::Coding)?;
        let recode = Recode::new(&coding, policy, submission.sequence)?;
        let mut files = Vec::new();
        for entry in &submission.files {
            let opened = vault.open(&vault.verify(entry)?)?;
            let runs = opened.note().and_then(|note| serde_json::from_str(note).ok());
            files.push((opened, runs.ok_or(VaultError::Format("read"))?));
        }
        Ok(Self { sequence: submission.sequence, recode, files })
    }

    fn read(&self, number: u8, rows: &mut Bucket) -> Result<(), VaultError> {
        let mut columns = vec![KEY, ROW_NUMBER];
        columns.extend(self.recode.names());
        for (file, runs) in &self.files {
            let groups: Vec<usize> = runs
                .iter()
                .enumerate()
                .filter(|(_, (first, last))| (*first..=*last).contains(&number))
                .map(|(group, _)| group)
                .collect();
            if groups.is_empty() {
                continue;
            }
            for batch in file.scan(&columns, Some(groups))? {
                rows.append(number, self, batch?.expose())?;
            }
        }
        Ok(())
    }
}

/// The rows of one bucket over all submissions.
struct Bucket {
    /// Person, submission, row number, and the place in `columns`.
    order: Vec<([u8; 16], u64, u64, usize)>,
    columns: Vec<ColumnValues>,
}

impl Bucket {
    fn new(coding: &EditionCoding) -> Self {
        Self { order: Vec::new(), columns: coding.columns.iter().map(|column| empty(&column.content)).collect() }
    }

    fn append(&mut self, number: u8, source: &Source, batch: &RecordBatch) -> Result<(), VaultError> {
        let unread = || VaultError::Format("read");
        let keys = batch.column_by_name(KEY).and_then(|keys| keys.as_fixed_size_binary_opt()).ok_or_else(unread)?;
        let row_numbers = batch
            .column_by_name(ROW_NUMBER)
            .and_then(|numbers| numbers.as_primitive_opt::<UInt64Type>())
            .ok_or_else(unread)?;
        let mut chosen = Vec::with_capacity(keys.len());
        for (row, row_number) in row_numbers.values().iter().enumerate() {
            let key: [u8; 16] = keys.value(row).try_into().map_err(|_| unread())?;
            if bucket(&key) == number {
                self.order.push((key, source.sequence, *row_number, self.order.len()));
                chosen.push(row);
            }
        }
        source.recode.append(batch, &chosen, &mut self.columns)
    }

    fn write(mut self, rows_max: u32, shuffle: &mut StdRng, segments: &mut Segments<'_>) -> Result<(), VaultError> {
        self.order.sort_unstable();
        let mut persons: Vec<_> = self.order.chunk_by(|a, b| a.0 == b.0).collect();
        persons.shuffle(shuffle);
        let rows_max = usize::try_from(rows_max).map_err(|_| VaultError::TooMany { what: "rows of a person" })?;
        let mut kept = Vec::new();
        for person in persons {
            kept.clear();
            let first = person.first().map_or(0, |row| row.3);
            kept.extend(person.iter().take(rows_max).map(|row| Kept { row: row.3, first }));
            segments.person(&kept, &self.columns)?;
        }
        Ok(())
    }
}
