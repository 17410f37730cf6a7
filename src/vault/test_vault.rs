//! A vault in a temporary directory, for the tests of this stage and the next.

use super::chunk::Chunks;
use super::{Scan, SealedEdition, Vault, VaultError, VaultSettings, column_name};
use crate::identity::{DatasetId, Digest, Organisation, Period, SubmissionId};
use crate::ledger::{EditionRow, FileEntry, Receipt, SubmissionRow, SubmissionState};
use crate::policy::{EditionRef, IdForm, Policy};
use crate::sensitive::Sensitive;
use crate::submission::{Coding, ColumnValues, Format, Intake, OnError, PersonKey, RowBatch, Sink as _};
use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::{Int64Type, UInt8Type, UInt16Type, UInt32Type};
use chrono::DateTime;
use std::path::Path;

/// One row of the test policy: a person's number, the codes by column, the cost.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) person: u32,
    pub(crate) codes: Vec<u16>,
    pub(crate) cost: Option<i64>,
}

pub(crate) fn row(person: u32, codes: &[u16], cost: Option<i64>) -> Row {
    Row { person, codes: codes.to_vec(), cost }
}

/// A row of an edition as it lies in the segments.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kept {
    pub(crate) ordinal: u32,
    pub(crate) rank: u16,
    pub(crate) codes: Vec<u16>,
    pub(crate) cost: Option<i64>,
}

pub(crate) struct TestVault {
    directory: tempfile::TempDir,
    pub(crate) vault: Vault,
}

impl Vault {
    /// Checks one file and reads some of its columns.
    pub(crate) fn look(&self, file: &FileEntry, columns: &[&str]) -> Result<Scan, VaultError> {
        self.verify([file]).and_then(|verified| self.scan(&verified[0], columns))
    }
}

impl TestVault {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let settings = Self::settings_in(directory.path());
        Vault::init(&settings).unwrap();
        Self { vault: Vault::open(settings).unwrap(), directory }
    }

    pub(crate) fn settings_in(path: &Path) -> VaultSettings {
        VaultSettings { dir: path.join("data"), keys: path.join("keys"), faults: crate::fault::Faults::default() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn settings(&self) -> VaultSettings {
        Self::settings_in(self.path())
    }

    /// The bytes of every file below a directory, with their paths.
    pub(crate) fn files_below(path: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(Self::files_below(&path));
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.push((path, bytes));
            }
        }
        found
    }

    /// Sends CSV text through the door.
    pub(crate) fn send(&self, policy: &Policy, csv: &str) -> Result<super::SealedFile, super::VaultError> {
        let keyer = self.vault.person_keyer(&policy.id, IdForm::Raw)?;
        let organisation = Organisation::parse("ministry").unwrap();
        let intake = Intake {
            policy,
            keyer: &keyer,
            period: Some(Period::parse("2026").unwrap()),
            format: Format::Csv,
            on_error: OnError::Refuse,
            announced_sha256: None,
            organisation: &organisation,
        };
        self.vault.receive(&intake, csv.as_bytes())
    }

    /// Seals rows that passed the door.
    pub(crate) fn submit(&self, policy: &Policy, sequence: u64, rows: &[Row]) -> SubmissionRow {
        let coding = Coding::of(policy);
        let mut chunks = Chunks::new(&self.vault.0, &coding).unwrap();
        for (batch, rows) in rows.chunks(8192).enumerate() {
            let first = u64::try_from(batch).unwrap() * 8192 + 1;
            let mut columns: Vec<ColumnValues> = (0..coding.columns.len() - 1)
                .map(|column| ColumnValues::Codes(rows.iter().map(|row| row.codes[column]).collect()))
                .collect();
            columns.push(ColumnValues::Numbers(rows.iter().map(|row| row.cost).collect()));
            let batch = RowBatch {
                persons: rows.iter().map(|row| key(row.person)).collect(),
                row_numbers: (first..).take(rows.len()).collect(),
                columns,
            };
            chunks.take(Sensitive::new(batch)).unwrap();
        }
        let files = chunks.finish().unwrap().keep().0;
        submission(sequence, files, &coding)
    }

    /// Closes 2026 or another period, and takes it as committed.
    pub(crate) fn close(&self, policy: &Policy, period: &str, submissions: &[SubmissionRow]) -> EditionRow {
        let sealed = self.vault.close(policy, submissions).unwrap();
        edition(&policy.id, period, &sealed)
    }

    /// Every row of an edition.
    pub(crate) fn rows(&self, edition: &EditionRow) -> Vec<Kept> {
        let coding = super::EditionCoding::parse(&edition.coding).unwrap();
        let last = coding.columns.len() - 1;
        let names: Vec<String> = (0..=last).map(column_name).collect();
        let mut columns = vec![super::ORDINAL, super::RANK];
        columns.extend(names.iter().map(String::as_str));
        let mut kept = Vec::new();
        for file in &edition.files {
            for batch in self.vault.look(file, &columns).unwrap() {
                let batch = batch.unwrap();
                let batch = batch.expose();
                let costs = batch.column(last + 2).as_primitive::<Int64Type>();
                for row in 0..batch.num_rows() {
                    let code = |column: usize| {
                        let column = batch.column(column + 2);
                        column.as_primitive_opt::<UInt8Type>().map_or_else(
                            || column.as_primitive::<UInt16Type>().value(row),
                            |narrow| u16::from(narrow.value(row)),
                        )
                    };
                    kept.push(Kept {
                        ordinal: batch.column(0).as_primitive::<UInt32Type>().value(row),
                        rank: batch.column(1).as_primitive::<UInt16Type>().value(row),
                        codes: (0..last).map(code).collect(),
                        cost: costs.is_valid(row).then(|| costs.value(row)),
                    });
                }
            }
        }
        kept
    }
}

/// A person's key, spread over the buckets.
fn key(person: u32) -> PersonKey {
    let digest = Digest::of(&person.to_le_bytes());
    PersonKey(*digest.0.first_chunk().unwrap())
}

pub(crate) fn submission(sequence: u64, files: Vec<FileEntry>, coding: &Coding) -> SubmissionRow {
    SubmissionRow {
        receipt: Receipt {
            submission: SubmissionId::random(),
            dataset: DatasetId::parse("visits").unwrap(),
            period: Period::parse("2026").unwrap(),
            sha256: Digest([0; 32]),
            rows_accepted: 0,
            rows_rejected: 0,
            rejections: Vec::new(),
            warnings: Vec::new(),
            salt: String::new(),
            commitment: Digest([0; 32]),
            log_index: 0,
        },
        organisation: Organisation::parse("ministry").unwrap(),
        state: SubmissionState::Live,
        sequence,
        policy: Digest([0; 32]),
        files,
        coding: serde_json::to_string(coding).unwrap(),
        submitted_at: DateTime::UNIX_EPOCH,
    }
}

pub(crate) fn edition(dataset: &DatasetId, period: &str, sealed: &SealedEdition) -> EditionRow {
    EditionRow {
        dataset: dataset.clone(),
        edition: EditionRef { period: Period::parse(period).unwrap(), number: 1 },
        files: sealed.files.clone(),
        coding: sealed.coding.text().unwrap(),
        log_index: 0,
        closed_at: DateTime::UNIX_EPOCH,
    }
}
