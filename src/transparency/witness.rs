//! The witness: a file on another volume that remembers what the log has promised.
//!
//! After each commit one line of JSON is appended and forced to disk: the signed checkpoint, and the charges since the
//! line before. A database that is rolled back, restored from a copy or failed over to a stale replica is then behind
//! the witness, and serves nothing. The file only grows; a last line without its end was never acknowledged and is cut.

use super::{CheckpointError, Head, open_checkpoint};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// A charge that the witness keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessedCharge {
    /// Its place in the log.
    pub index: u64,
    /// The leaf, canonical.
    pub leaf: String,
}

/// One line of the witness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessLine {
    /// The signed checkpoint.
    pub note: String,
    /// The first leaf that this line covers.
    pub first: u64,
    /// The charges from there to the checkpoint.
    pub charges: Vec<WitnessedCharge>,
}

/// An open witness.
#[derive(Debug)]
pub struct Witness {
    file: File,
    vkey: String,
    /// Bytes read so far, all of them whole lines.
    offset: u64,
    head: Option<Head>,
}

impl Witness {
    /// Opens the witness of a log. A missing file is made only for a log that has none yet: a volume that is not
    /// mounted must not look like an empty witness.
    ///
    /// # Errors
    /// If the file is missing or unreadable, or its last whole line is not a checkpoint of this log.
    pub fn open(path: &Path, vkey: &str, may_create: bool) -> Result<Self, Error> {
        if !may_create && !path.exists() {
            return Err(Error::new(
                ErrorKind::NotFound,
                "the witness file is missing; mount its volume (or, if it is lost for good, make an empty file in its \
                 place)",
            ));
        }
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut witness = Self { file, vkey: vkey.to_owned(), offset: 0, head: None };
        if witness.refresh()? > 0 {
            // The end of a line that a crash cut: its commit was never acknowledged, and is caught up by whoever opens
            // us.
            witness.file.set_len(witness.offset)?;
        }
        // Whether it was there or not: what a killed process wrote and did not sync, a power cut could still take, the
        // name of the file included.
        witness.file.sync_all()?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
        Ok(witness)
    }

    /// The head it has seen; `None` for a fresh one.
    ///
    /// # Errors
    /// If what was appended since (by another process) cannot be read, or the file has shrunk.
    pub fn head(&mut self) -> Result<Option<Head>, Error> {
        self.refresh()?;
        Ok(self.head)
    }

    /// Appends a checkpoint with the charges since the last one. Returns once the line is on disk.
    ///
    /// A crash before that leaves nothing or a torn line; the database is then ahead, and catches up when it opens.
    ///
    /// # Errors
    /// If the line cannot be written and forced to disk.
    pub fn append(&mut self, line: &WitnessLine) -> Result<(), Error> {
        let torn = self.refresh()?;
        let mut bytes = Vec::new();
        if torn > 0 {
            // What an earlier failed write left (a full disk): never acknowledged, so it may go.
            self.file.set_len(self.offset)?;
        }
        serde_json::to_writer(&mut bytes, line)?;
        bytes.push(b'\n');
        self.file.write_all(&bytes)?;
        self.file.sync_all()?;
        self.refresh().map(|_| ())
    }

    /// Reads whole lines from where it stopped; returns how many bytes of an unfinished line follow.
    fn refresh(&mut self) -> Result<usize, Error> {
        if self.file.metadata()?.len() < self.offset {
            return Err(Error::new(ErrorKind::InvalidData, "the witness file has shrunk; restore it"));
        }
        self.file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end.saturating_add(1));
        let last = bytes.get(..whole.saturating_sub(1)).and_then(|lines| lines.rsplit(|byte| *byte == b'\n').next());
        if let Some(last) = last.filter(|_| whole > 0) {
            let line: WitnessLine = serde_json::from_slice(last).map_err(|_| malformed())?;
            self.head = Some(open_checkpoint(&line.note, &self.vkey).map_err(|_| malformed())?);
        }
        self.offset = self.offset.saturating_add(u64::try_from(whole).unwrap_or(u64::MAX));
        Ok(bytes.len().saturating_sub(whole))
    }
}

fn malformed() -> Error {
    Error::new(ErrorKind::InvalidData, "the witness file holds a line that is not a checkpoint of this log; restore it")
}

/// Every line of a witness with its head, for the verifier. A torn last line is left out.
///
/// # Errors
/// If the file cannot be read, or a whole line is not a checkpoint signed by this key.
pub fn read_witness(path: &Path, vkey: &str) -> Result<Vec<(Head, WitnessLine)>, Error> {
    let text = std::fs::read_to_string(path)?;
    let whole = text.rfind('\n').and_then(|end| text.get(..end)).unwrap_or("");
    let line = |line: &str| -> Result<(Head, WitnessLine), CheckpointError> {
        let line: WitnessLine = serde_json::from_str(line).map_err(|_| CheckpointError::Checkpoint)?;
        Ok((open_checkpoint(&line.note, vkey)?, line))
    };
    whole.lines().map(|text| line(text).map_err(|_| malformed())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::LogKey;
    use super::*;
    use crate::identity::Digest;

    fn line(key: &LogKey, size: u64) -> WitnessLine {
        let head = Head { size, root: Digest::of(&size.to_be_bytes()) };
        WitnessLine { note: key.sign(head).unwrap(), first: 0, charges: Vec::new() }
    }

    #[test]
    fn a_witness_remembers_its_last_acknowledged_head() {
        let folder = tempfile::tempdir().unwrap();
        let key = LogKey::create(&folder.path().join("key")).unwrap();
        let path = folder.path().join("witness");
        assert!(Witness::open(&path, key.verifier_key(), false).is_err());
        let mut witness = Witness::open(&path, key.verifier_key(), true).unwrap();
        assert_eq!(witness.head().unwrap(), None);
        witness.append(&line(&key, 1)).unwrap();
        witness.append(&line(&key, 4)).unwrap();
        assert_eq!(witness.head().unwrap().unwrap().size, 4);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"note\":\"torn").unwrap();
        let mut again = Witness::open(&path, key.verifier_key(), false).unwrap();
        assert_eq!(again.head().unwrap().unwrap().size, 4);
        again.append(&line(&key, 5)).unwrap();
        assert_eq!(witness.head().unwrap().unwrap().size, 5);
        assert_eq!(read_witness(&path, key.verifier_key()).unwrap().len(), 3);
    }

    #[test]
    fn a_witness_that_shrank_or_was_forged_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (key, path) = (LogKey::create(&folder.path().join("key")).unwrap(), folder.path().join("witness"));
        let forger = LogKey::create(&folder.path().join("forger")).unwrap();
        let mut witness = Witness::open(&path, key.verifier_key(), true).unwrap();
        witness.append(&line(&key, 1)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..10]).unwrap();
        assert!(witness.head().is_err());
        std::fs::write(&path, serde_json::to_string(&line(&forger, 9)).unwrap() + "\n").unwrap();
        assert!(Witness::open(&path, key.verifier_key(), false).is_err());
        assert!(read_witness(&path, key.verifier_key()).is_err());
    }
}
