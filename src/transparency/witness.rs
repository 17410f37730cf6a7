//! The witness: a file on another volume that keeps every checkpoint and every charge.
//!
//! # Guarantee
//! A database restored, rolled back or failed over is behind its witness, and serves nothing. A line is acknowledged only
//! after it is on disk.

use super::checkpoint::{Head, open};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

/// One line of the witness.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The signed checkpoint after a commit.
    pub checkpoint: String,
    /// The charge leaves of that commit, with their indexes.
    pub charges: Vec<(u64, String)>,
}

/// The witness file.
pub struct Witness {
    file: File,
    head: Option<Head>,
}

impl Witness {
    /// Opens or makes the file and checks every checkpoint in it. A torn last line (a crash while it was written) was never
    /// acknowledged and is cut off.
    ///
    /// # Errors
    /// If it cannot be read, or holds a checkpoint of another log.
    pub fn open_at(path: &Path, verifier: &str) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(u64::try_from(whole).unwrap_or(0))?;
        }
        let mut head = None;
        for line in text.get(..whole).unwrap_or_default().lines() {
            let line: Line = serde_json::from_str(line).map_err(io::Error::other)?;
            head = Some(open(&line.checkpoint, verifier).map_err(io::Error::other)?);
        }
        Ok(Self { file, head })
    }

    /// The newest tree head seen.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.head
    }

    /// Writes a line; returns when it is on disk.
    ///
    /// # Errors
    /// If it cannot be written: then nothing was acknowledged.
    pub fn append(&mut self, line: &Line, head: Head) -> io::Result<()> {
        let mut text = serde_json::to_string(line).map_err(io::Error::other)?;
        text.push('\n');
        self.file.write_all(text.as_bytes())?;
        self.file.sync_data()?;
        self.head = Some(head);
        Ok(())
    }
}
