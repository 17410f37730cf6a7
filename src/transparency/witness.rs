//! The witness: a file on another volume that remembers the whole log.
//!
//! After each commit one line is appended and forced to disk: the leaves since the line before, and the checkpoint over
//! them. A database that is rolled back, restored from a copy or failed over to a stale replica is then behind the
//! witness and serves nothing, until it is brought forward from it to the very same head. The file only grows; a last
//! line without its end was never acknowledged and is cut.

use super::{Head, WitnessLine, open_checkpoint};
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// Bytes read at a time, from the end backwards.
const BLOCK_BYTES: u64 = 1 << 16;

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
                "the witness file is missing; mount its volume (if it is lost for good: `halflight restore \
                 --witness-lost`)",
            ));
        }
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut witness = Self { file, vkey: vkey.to_owned(), offset: 0, head: None };
        witness.alone(|witness| {
            if witness.refresh()? > 0 {
                // The end of a line that a crash cut: its commit was never acknowledged, and is caught up by whoever
                // opens us.
                witness.file.set_len(witness.offset)?;
            }
            // Whether it was there or not: what a killed process wrote and did not sync, a power cut could still take,
            // the name of the file included.
            witness.file.sync_all()
        })?;
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

    /// Appends a checkpoint with the leaves since the last one. Returns once the line is on disk.
    ///
    /// A crash before that leaves nothing or a torn line; the database is then ahead, and catches up when it opens.
    ///
    /// # Errors
    /// If the line cannot be written and forced to disk.
    pub fn append(&mut self, line: &WitnessLine) -> Result<(), Error> {
        self.alone(|witness| {
            let torn = witness.refresh()?;
            if torn > 0 {
                // What an earlier failed write left (a full disk): never acknowledged, so it may go.
                witness.file.set_len(witness.offset)?;
            }
            // Another process may have told it of these leaves, or of the first of them, in the meantime.
            let Some(line) = line.after(witness.head.map_or(0, |head| head.size))? else { return Ok(()) };
            witness.file.write_all(line.text()?.as_bytes())?;
            witness.file.sync_all()?;
            witness.refresh().map(|_| ())
        })
    }

    /// Does something while no other process does.
    fn alone(&mut self, work: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        match self.file.lock() {
            Err(error) if error.kind() == ErrorKind::Unsupported => return work(self),
            locked => locked?,
        }
        let done = work(self);
        self.file.unlock().and(done)
    }

    /// Reads the last whole line after where it stopped; returns how many bytes of an unfinished one follow.
    fn refresh(&mut self) -> Result<u64, Error> {
        let length = self.file.metadata()?.len();
        if length < self.offset {
            return Err(Error::new(ErrorKind::InvalidData, "the witness file has shrunk; put it back"));
        }
        let Some(end) = self.line_end_before(length)? else { return Ok(length.saturating_sub(self.offset)) };
        let start = self.line_end_before(end.saturating_sub(1))?.unwrap_or(self.offset);
        self.file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        (&self.file).take(end.saturating_sub(start)).read_to_end(&mut bytes)?;
        let line = WitnessLine::parse(&bytes).ok_or_else(malformed)?;
        self.head = Some(open_checkpoint(&line.note, &self.vkey).map_err(|_| malformed())?);
        self.offset = end;
        Ok(length.saturating_sub(end))
    }

    /// Where, at or before `limit` and after what was read, the last line ends.
    fn line_end_before(&mut self, limit: u64) -> Result<Option<u64>, Error> {
        let mut limit = limit;
        while limit > self.offset {
            let start = limit.saturating_sub(BLOCK_BYTES).max(self.offset);
            self.file.seek(SeekFrom::Start(start))?;
            let mut block = Vec::new();
            (&self.file).take(limit.saturating_sub(start)).read_to_end(&mut block)?;
            if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
                return Ok(Some(start.saturating_add(u64::try_from(at).unwrap_or(u64::MAX)).saturating_add(1)));
            }
            limit = start;
        }
        Ok(None)
    }
}

pub(super) fn malformed() -> Error {
    Error::new(ErrorKind::InvalidData, "the witness file holds a line that is not of this log's witness; put it back")
}

#[cfg(test)]
mod tests {
    use super::super::{LogKey, WitnessReader};
    use super::*;
    use crate::identity::Digest;
    use crate::transparency::Tree;

    fn line(key: &LogKey, first: u64, size: u64) -> WitnessLine {
        let mut tree = Tree::default();
        let leaves: Vec<String> = (0..size).map(|leaf| format!("leaf {leaf} {}", "x".repeat(70_000))).collect();
        for leaf in &leaves {
            tree.push(leaf.as_bytes());
        }
        let note = key.sign(Head { size, root: tree.root() }).unwrap();
        WitnessLine { first, leaves: leaves[usize::try_from(first).unwrap()..].to_vec(), note }
    }

    fn read(path: &Path, key: &LogKey) -> Result<Vec<u64>, Error> {
        let mut reader = WitnessReader::open(path, key.verifier_key())?;
        let mut sizes = Vec::new();
        while let Some(line) = reader.next_line()? {
            sizes.push(line.first + u64::try_from(line.leaves.len()).unwrap());
        }
        assert_eq!(reader.head().map(|head| head.size), sizes.last().copied());
        Ok(sizes)
    }

    #[test]
    fn a_witness_remembers_its_last_acknowledged_head_and_every_leaf() {
        let folder = tempfile::tempdir().unwrap();
        let key = LogKey::create(&folder.path().join("key")).unwrap();
        let path = folder.path().join("witness");
        assert!(Witness::open(&path, key.verifier_key(), false).is_err());
        let mut witness = Witness::open(&path, key.verifier_key(), true).unwrap();
        assert_eq!(witness.head().unwrap(), None);
        witness.append(&line(&key, 0, 1)).unwrap();
        witness.append(&line(&key, 1, 4)).unwrap();
        assert_eq!(witness.head().unwrap().unwrap().size, 4);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"0123 {\"first\":4,\"torn").unwrap();
        assert_eq!(read(&path, &key).unwrap(), [1, 4]);
        let mut again = Witness::open(&path, key.verifier_key(), false).unwrap();
        assert_eq!(again.head().unwrap().unwrap().size, 4);
        again.append(&line(&key, 4, 5)).unwrap();
        assert_eq!(witness.head().unwrap().unwrap().size, 5);
        assert_eq!(read(&path, &key).unwrap(), [1, 4, 5]);
    }

    #[test]
    fn a_witness_that_shrank_or_was_forged_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (key, path) = (LogKey::create(&folder.path().join("key")).unwrap(), folder.path().join("witness"));
        let forger = LogKey::create(&folder.path().join("forger")).unwrap();
        let mut witness = Witness::open(&path, key.verifier_key(), true).unwrap();
        witness.append(&line(&key, 0, 1)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..10]).unwrap();
        assert!(witness.head().is_err());
        std::fs::write(&path, line(&forger, 0, 9).text().unwrap()).unwrap();
        assert!(Witness::open(&path, key.verifier_key(), false).is_err());
        assert!(read(&path, &key).is_err());
    }

    #[test]
    fn a_gap_a_repetition_and_a_false_root_in_the_middle_of_a_witness_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let (key, path) = (LogKey::create(&folder.path().join("key")).unwrap(), folder.path().join("witness"));
        let lines = [line(&key, 0, 1), line(&key, 1, 3), line(&key, 3, 4)];
        let written = |lines: &[&WitnessLine]| {
            let text: String = lines.iter().map(|line| line.text().unwrap()).collect();
            std::fs::write(&path, text).unwrap();
            read(&path, &key)
        };
        assert_eq!(written(&[&lines[0], &lines[1], &lines[2]]).unwrap(), [1, 3, 4]);
        assert!(written(&[&lines[0], &lines[2]]).is_err());
        assert!(written(&[&lines[1], &lines[2]]).is_err());
        assert!(written(&[&lines[0], &lines[0], &lines[1]]).is_err());
        let mut other = lines[1].clone();
        other.leaves[0].push('!');
        assert!(written(&[&lines[0], &other, &lines[2]]).is_err());
        let unsigned = Digest::of(b"note").to_string();
        let last = WitnessLine { note: lines[2].note.replace("\n\n", &format!("\n\n{unsigned}")), ..lines[2].clone() };
        assert!(written(&[&lines[0], &lines[1], &last]).is_err());
    }
}
