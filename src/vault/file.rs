//! One sealed file: Parquet with modular encryption, written once, checked before it is read.
//!
//! # Guarantees
//! Every module of a file, its footer included, is encrypted under a key of its own, bound to the file's id; nothing is
//! ever written in clear. Files carry no statistics, indexes or filters, so reading one cannot depend on its values.
//! No parser sees a byte before size and SHA-256 of the whole ciphertext are those of the manifest, and parsers run
//! behind `catch_unwind`: a length prefix changed by hand would make the decrypting reader panic.

use super::{Inner, Uncommitted, VaultError, durable};
use crate::fault::Point;
use crate::identity::{Digest, FileId};
use crate::ledger::FileEntry;
use crate::sensitive::Sensitive;
use crate::underway::Hold;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Encoding;
use parquet::encryption::decrypt::FileDecryptionProperties;
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// Bytes hashed at a time.
const BLOCK_BYTES: usize = 1 << 18;
/// Rows decoded at a time.
const BATCH_ROWS: usize = 1 << 14;

/// A file on its way to the disk, digesting what passes.
struct Hashing {
    file: File,
    sha256: Sha256,
    size: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.sha256.update(bytes.get(..written).unwrap_or_default());
        self.size = self.size.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Files just made. Unless kept, they and their keys go when this is dropped.
pub(super) struct Unkept<'a> {
    vault: &'a Inner,
    holds: Vec<Hold<FileId>>,
    entries: Vec<FileEntry>,
}

impl<'a> Unkept<'a> {
    /// None yet.
    pub(super) fn new(vault: &'a Inner) -> Self {
        Self { vault, holds: Vec::new(), entries: Vec::new() }
    }

    /// Writes one file: its batches become its row groups.
    ///
    /// A crash in here leaves a key and a file that no manifest knows: a sweep destroys both.
    pub(super) fn write(
        &mut self,
        schema: &SchemaRef,
        ascending: &[&str],
        note: &str,
        groups: impl Iterator<Item = Result<RecordBatch, VaultError>>,
    ) -> Result<(), VaultError> {
        let id = FileId::random();
        self.holds.push(self.vault.underway.hold(id.clone()));
        let key = self.vault.keys.create(&id)?;
        let properties = properties(&id, &key, ascending, note)?;
        let path = self.vault.path(&id);
        let faults = &self.vault.faults;
        let done =
            faults.write(Point::FileWrite, || write(&path, schema, properties, groups), || durable::lost().into())?;
        faults.write(Point::FileRename, || durable::sync_directory(&self.vault.files), durable::lost)?;
        let sha256 = Digest(done.sha256.finalize().into());
        self.entries.push(FileEntry { id, size: done.size, sha256 });
        Ok(())
    }

    /// Keeps them: from here on the caller's manifest answers for them.
    pub(super) fn keep(mut self) -> (Vec<FileEntry>, Uncommitted) {
        (std::mem::take(&mut self.entries), Uncommitted::new(self.vault, std::mem::take(&mut self.holds)))
    }
}

impl Drop for Unkept<'_> {
    fn drop(&mut self) {
        // What cannot be removed now is a stray for `sweep`; its rows are known to no manifest either way.
        let ids: Vec<FileId> = self.holds.iter().map(|hold| hold.id().clone()).collect();
        let _ = self.vault.erase(&ids);
    }
}

/// Encrypts batches into a new file and forces its bytes to disk.
fn write(
    path: &Path,
    schema: &SchemaRef,
    properties: WriterProperties,
    groups: impl Iterator<Item = Result<RecordBatch, VaultError>>,
) -> Result<Hashing, VaultError> {
    let sink = Hashing { file: durable::create(path)?, sha256: Sha256::new(), size: 0 };
    let mut writer = ArrowWriter::try_new(sink, Arc::clone(schema), Some(properties)).map_err(unwritten)?;
    for group in groups {
        writer.write(&group?).map_err(unwritten)?;
        writer.flush().map_err(unwritten)?;
    }
    let done = writer.into_inner().map_err(unwritten)?;
    done.file.sync_all()?;
    Ok(done)
}

fn properties(id: &FileId, key: &[u8], ascending: &[&str], note: &str) -> Result<WriterProperties, VaultError> {
    let encryption = FileEncryptionProperties::builder(key.to_vec())
        .with_aad_prefix(id.as_str().as_bytes().to_vec())
        .with_aad_prefix_storage(false)
        .build()
        .map_err(|_| VaultError::Format("encrypted"))?;
    let plain = WriterProperties::builder()
        .with_file_encryption_properties(encryption)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_bloom_filter_enabled(false)
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(None)
        .set_key_value_metadata(Some(vec![KeyValue::new(NOTE.to_owned(), note.to_owned())]));
    // Columns that only grow are stored as differences; codes as bit-packed places in a dictionary.
    let delta = |properties: WriterPropertiesBuilder, column: &&str| {
        let path = ColumnPath::from(*column);
        properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
    };
    Ok(ascending.iter().fold(plain, delta).build())
}

/// What the writer failed at: the disk, which may be full, or something of its own, whose text goes nowhere.
fn unwritten(error: ParquetError) -> VaultError {
    let ParquetError::External(cause) = error else { return VaultError::Format("written") };
    cause.downcast::<io::Error>().map_or(VaultError::Format("written"), |error| VaultError::Disk(*error))
}

/// The key of a file's note in its (encrypted) footer.
const NOTE: &str = "halflight";

impl Inner {
    /// The cipher's side of reading a file.
    pub(super) fn decryption(&self, id: &FileId) -> Result<Arc<FileDecryptionProperties>, VaultError> {
        FileDecryptionProperties::builder(self.keys.of(id)?.to_vec())
            .with_aad_prefix(id.as_str().as_bytes().to_vec())
            .build()
            .map_err(|_| VaultError::Format("decrypted"))
    }

    /// Checks that a file's key is there, and size and SHA-256 against the manifest.
    pub(super) fn verify(&self, entry: &FileEntry) -> Result<Verified, VaultError> {
        self.keys.of(&entry.id)?;
        let tampered = || VaultError::Tampered { file: entry.id.clone() };
        let mut file = match File::open(self.path(&entry.id)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(tampered()),
            opened => opened?,
        };
        if file.metadata()?.len() != entry.size {
            return Err(tampered());
        }
        let mut sha256 = Sha256::new();
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            let read = file.read(&mut block)?;
            if read == 0 {
                break;
            }
            sha256.update(block.get(..read).unwrap_or_default());
        }
        if Digest(sha256.finalize().into()) == entry.sha256 { Ok(Verified(entry.clone())) } else { Err(tampered()) }
    }

    /// Opens a file that was checked.
    pub(super) fn open(&self, Verified(entry): &Verified) -> Result<Opened, VaultError> {
        let options = ArrowReaderOptions::new().with_file_decryption_properties(self.decryption(&entry.id)?);
        let path = self.path(&entry.id);
        let file = File::open(&path)?;
        let metadata = guarded(|| ArrowReaderMetadata::load(&file, options).map_err(|_| VaultError::Format("read")))?;
        Ok(Opened { path, metadata })
    }
}

/// A file that is what the manifest says, by size and SHA-256, and whose key is there: nothing else is ever parsed.
pub(crate) struct Verified(FileEntry);

impl Verified {
    /// Its row in the manifest.
    pub(crate) fn entry(&self) -> &FileEntry {
        &self.0
    }
}

/// A verified file, its footer read. Holds no descriptor, so that any number may be open.
pub(super) struct Opened {
    path: std::path::PathBuf,
    metadata: ArrowReaderMetadata,
}

impl Opened {
    /// What the writer noted.
    pub(super) fn note(&self) -> Option<&str> {
        let pairs = self.metadata.metadata().file_metadata().key_value_metadata()?;
        pairs.iter().find(|pair| pair.key == NOTE)?.value.as_deref()
    }

    /// Reads some columns of some row groups (`None`: all), in order.
    pub(super) fn scan(&self, columns: &[&str], groups: Option<Vec<usize>>) -> Result<Scan, VaultError> {
        let file = File::open(&self.path)?;
        guarded(|| {
            let mask = ProjectionMask::columns(self.metadata.parquet_schema(), columns.iter().copied());
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
                .with_batch_size(BATCH_ROWS)
                .with_projection(mask);
            let builder = match groups {
                Some(groups) => builder.with_row_groups(groups),
                None => builder,
            };
            builder.build().map(Scan).map_err(|_| VaultError::Format("read"))
        })
    }
}

/// The batches of a file. A panic of the reader ends it with an error.
pub(crate) struct Scan(ParquetRecordBatchReader);

impl Iterator for Scan {
    type Item = Result<Sensitive<RecordBatch>, VaultError>;

    fn next(&mut self) -> Option<Self::Item> {
        guarded(|| self.0.next().transpose().map_err(|_| VaultError::Format("read")))
            .map(|batch| batch.map(Sensitive::new))
            .transpose()
    }
}

/// Runs a parser; its panic becomes an error without a text.
fn guarded<T>(parse: impl FnOnce() -> Result<T, VaultError>) -> Result<T, VaultError> {
    catch_unwind(AssertUnwindSafe(parse)).unwrap_or(Err(VaultError::Format("read")))
}
