//! A disk that loses what was not synced, and the power cut that makes it do so.
//!
//! `unsynced.c`, preloaded into the service, notes how each change is undone and which changes a sync has made safe.
//! A cut takes back every other one, or a random part of them: contents in any combination, names up to some moment.
//! What a plain kill leaves in the kernel stays unsafe until somebody syncs it, so notes outlive a kill.

use rand::RngExt as _;
use rand::rngs::StdRng;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

/// How much of what is not safe is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    All,
    Some,
}

/// The watched folders and the notes about them.
pub struct Disk {
    shim: PathBuf,
    notes: PathBuf,
    roots: Vec<PathBuf>,
    lies: AtomicBool,
}

impl Disk {
    /// Builds the shim; `None`, with a word, where there is no C compiler. `notes` lies beside the roots.
    pub fn new(notes: &Path, roots: &[PathBuf]) -> Option<Self> {
        fs::create_dir_all(notes).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/unsynced.c");
        let shim = notes.with_extension("so");
        let built = Command::new("cc").args(["-O1", "-shared", "-fPIC", "-o"]).arg(&shim).arg(source).status();
        match built {
            Ok(status) => assert!(status.success(), "unsynced.c does not compile"),
            Err(error) => {
                println!("skipped: no C compiler for the disk that loses unsynced writes ({error})");
                return None;
            }
        }
        let roots = roots.iter().map(|root| root.canonicalize().unwrap()).collect();
        Some(Self { shim, notes: notes.canonicalize().unwrap(), roots, lies: AtomicBool::new(false) })
    }

    /// Puts a process on this disk.
    pub fn under<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let roots: Vec<&str> = self.roots.iter().map(|root| root.to_str().unwrap()).collect();
        command
            .env("LD_PRELOAD", &self.shim)
            .env("UNSYNCED_ROOTS", roots.join(":"))
            .env("UNSYNCED_NOTES", &self.notes)
            .env("UNSYNCED_LIES", if self.lies.load(Ordering::Relaxed) { "1" } else { "" })
    }

    /// From the next start on, syncs make nothing safe.
    pub fn lie(&self, lies: bool) {
        self.lies.store(lies, Ordering::Relaxed);
    }

    /// The power fails: changes that no sync has made safe are lost. Tells how many were. Nothing may be running.
    pub fn cut(&self, loss: Loss, chance: &mut StdRng) -> usize {
        let log = fs::read(self.notes.join("log")).unwrap_or_default();
        let unsafe_yet = unsafe_yet(&log);
        let (names, contents): (Vec<&Note>, Vec<&Note>) = unsafe_yet.iter().partition(|note| note.is_of_a_name());
        let mut gone = 0;
        let places = self.places();
        let mut by_file: BTreeMap<u64, Vec<&Note>> = BTreeMap::new();
        for note in contents {
            by_file.entry(note.inode).or_default().push(note);
        }
        for (inode, notes) in by_file {
            if let Some(path) = places.get(&inode) {
                gone += take_back(path, &notes, |_| loss == Loss::Some && chance.random_bool(0.5));
            }
        }
        let standing = if loss == Loss::All { 0 } else { chance.random_range(0..=names.len()) };
        for note in names[standing..].iter().rev() {
            note.unname(&self.notes);
            gone += 1;
        }
        self.forget();
        gone
    }

    /// After a cut everything that is there is safe. What shares memory is no file.
    fn forget(&self) {
        for (_, path) in self.places() {
            if path.starts_with(&self.notes) || path.to_string_lossy().ends_with("-shm") {
                fs::remove_file(path).unwrap();
            }
        }
    }

    /// Every file by its inode.
    fn places(&self) -> BTreeMap<u64, PathBuf> {
        let mut found = BTreeMap::new();
        let mut open: Vec<PathBuf> = self.roots.iter().cloned().chain([self.notes.clone()]).collect();
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    found.insert(entry.metadata().unwrap().ino(), path);
                }
            }
        }
        found
    }
}

/// A note of `unsynced.c`: the same eight numbers, names and bytes.
struct Note {
    kind: u8,
    inode: u64,
    offset: u64,
    length: u64,
    size: u64,
    paths: Vec<PathBuf>,
    old: Vec<u8>,
}

impl Note {
    /// The first note of some, and the rest; `None` where a kill cut it off (its change was not begun).
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (numbers, rest) = bytes.split_at_checked(64)?;
        let number = |at: usize| u64::from_ne_bytes(numbers[at * 8..at * 8 + 8].try_into().unwrap());
        let (paths, rest) = rest.split_at_checked(usize::try_from(number(6)).unwrap())?;
        let (old, rest) = rest.split_at_checked(usize::try_from(number(7)).unwrap())?;
        let paths = paths.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        let note = Self {
            kind: u8::try_from(number(0)).unwrap(),
            inode: number(1),
            offset: number(2),
            length: number(3),
            size: number(4),
            paths: paths.map(|path| PathBuf::from(std::str::from_utf8(path).unwrap())).collect(),
            old: old.to_vec(),
        };
        Some((note, rest))
    }

    fn is_of_a_name(&self) -> bool {
        !matches!(self.kind, b'W' | b'T')
    }

    /// Takes a change of a name back. One that did not happen is left alone.
    fn unname(&self, notes: &Path) {
        let kept = notes.join(self.offset.to_string());
        match (self.kind, self.paths.as_slice()) {
            (b'C', [path]) => drop(fs::remove_file(path)),
            (b'M', [path]) => drop(fs::remove_dir_all(path)),
            (b'U', [path]) => drop(fs::hard_link(kept, path)),
            (b'R', [old, new]) => {
                if fs::symlink_metadata(old).is_err() {
                    drop(fs::rename(new, old));
                    drop(fs::hard_link(kept, new));
                }
            }
            (kind, paths) => panic!("a note of kind {kind} with {} names", paths.len()),
        }
    }
}

/// The changes that no later sync has made safe.
fn unsafe_yet(mut log: &[u8]) -> Vec<Note> {
    let mut changes: Vec<Note> = Vec::new();
    while let Some((note, rest)) = Note::read(log) {
        log = rest;
        match note.kind {
            b'S' => changes.retain(|change| change.inode != note.inode),
            b'X' => drop(changes.pop()),
            _ => changes.push(note),
        }
    }
    changes
}

/// Takes the changes of a file back, but for those that stand; tells how many are lost.
fn take_back(path: &Path, notes: &[&Note], mut stands: impl FnMut(&Note) -> bool) -> usize {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut done: Vec<Vec<u8>> = Vec::new();
    for note in notes.iter().rev() {
        done.push(if note.kind == b'W' { read_range(&file, note.offset, note.length) } else { Vec::new() });
        file.set_len(note.size).unwrap();
        file.write_all_at(&note.old, note.offset).unwrap();
    }
    let mut lost = notes.len();
    for (note, bytes) in notes.iter().zip(done.into_iter().rev()) {
        if stands(note) {
            lost -= 1;
            match note.kind {
                b'W' => file.write_all_at(&bytes, note.offset).unwrap(),
                _ => file.set_len(note.offset).unwrap(),
            }
        }
    }
    lost
}

fn read_range(file: &File, offset: u64, length: u64) -> Vec<u8> {
    let end = file.metadata().unwrap().len().min(offset + length);
    let mut bytes = vec![0; usize::try_from(end.saturating_sub(offset)).unwrap()];
    file.read_exact_at(&mut bytes, offset).unwrap();
    bytes
}
