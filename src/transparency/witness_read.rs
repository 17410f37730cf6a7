//! The lines of a witness: how one is written, and how all of them are read and held against each other.
//!
//! A line is the SHA-256 of what follows it, a space, and canonical JSON. Lines follow each other without a gap, and
//! all leaves together must give the root that the newest checkpoint signs: so whoever reads a witness to its end has
//! the log itself, and knows that it is. (The checkpoints before follow from it: a tree has one beginning of each size.)

use super::witness::malformed;
use super::{Head, Tree, canonical, open_checkpoint};
use crate::identity::Digest;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Error};
use std::path::Path;

/// One line of the witness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessLine {
    /// The first leaf that this line holds.
    pub first: u64,
    /// The leaves from there to the checkpoint, canonical.
    pub leaves: Vec<String>,
    /// The signed checkpoint.
    pub note: String,
}

impl WitnessLine {
    /// The line with its end.
    ///
    /// # Errors
    /// Never for a line.
    pub fn text(&self) -> Result<String, Error> {
        let json = canonical(self)?;
        Ok(format!("{} {json}\n", Digest::of(json.as_bytes())))
    }

    /// What of the line a witness of `known` leaves has not seen; `None` if it has seen all.
    pub(super) fn after(&self, known: u64) -> Result<Option<Self>, Error> {
        let seen = known.checked_sub(self.first).ok_or_else(malformed)?;
        let seen = usize::try_from(seen).unwrap_or(usize::MAX);
        let leaves = self.leaves.get(seen..).filter(|leaves| !leaves.is_empty());
        Ok(leaves.map(|leaves| Self { first: known, leaves: leaves.to_vec(), note: self.note.clone() }))
    }

    /// Reads a line with its end; `None` unless every byte is as it was written.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes.strip_suffix(b"\n")?).ok()?;
        let (sha256, json) = text.split_once(' ')?;
        if Digest::of(json.as_bytes()).to_string() != sha256 {
            return None;
        }
        serde_json::from_str(json).ok()
    }
}

/// Reads a witness line by line, without holding more than one.
#[derive(Debug)]
pub struct WitnessReader {
    lines: BufReader<File>,
    vkey: String,
    tree: Tree,
    /// The checkpoint of the last line read.
    newest: Option<String>,
    /// What it signs; known at the end.
    head: Option<Head>,
}

impl WitnessReader {
    /// Opens a witness to read it.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn open(path: &Path, vkey: &str) -> Result<Self, Error> {
        let lines = BufReader::new(File::open(path)?);
        Ok(Self { lines, vkey: vkey.to_owned(), tree: Tree::default(), newest: None, head: None })
    }

    /// The next line; `None` at the end. A torn last line is left out.
    ///
    /// # Errors
    /// If the file cannot be read, a line is not as it was written, or at the end, if the newest checkpoint is not that
    /// of the leaves, signed by this log's key.
    pub fn next_line(&mut self) -> Result<Option<WitnessLine>, Error> {
        let mut bytes = Vec::new();
        self.lines.read_until(b'\n', &mut bytes)?;
        if bytes.last() != Some(&b'\n') {
            self.head = self.newest.take().map(|note| self.signed(&note)).transpose()?;
            return Ok(None);
        }
        let line = WitnessLine::parse(&bytes).filter(|line| line.first == self.tree.size()).ok_or_else(malformed)?;
        for leaf in &line.leaves {
            self.tree.push(leaf.as_bytes());
        }
        self.newest = Some(line.note.clone());
        Ok(Some(line))
    }

    /// The newest head, once the end was reached; `None` for an empty witness.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.head
    }

    fn signed(&self, note: &str) -> Result<Head, Error> {
        let read = Head { size: self.tree.size(), root: self.tree.root() };
        let signed = open_checkpoint(note, &self.vkey).map_err(|_| malformed())?;
        if signed == read { Ok(read) } else { Err(malformed()) }
    }
}
