//! Files that are there whole or not at all, readable by their owner alone.

use crate::identity::random_bytes;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// A step that fails on purpose.
pub(super) fn lost() -> io::Error {
    io::Error::other("lost on purpose")
}

/// Names that start so were never finished.
const UNFINISHED: &str = ".new-";

/// Makes a directory, and those above it, for the owner alone; their names are on the disk when this returns.
///
/// A power cut before that takes the directories back, with everything in them, synced or not.
pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|above| !above.exists()).collect();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    missing.iter().filter_map(|made| made.parent()).try_for_each(|parent| {
        // The parent of a bare name is the working directory.
        sync_directory(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
    })
}

/// Makes a file that must not exist yet.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Makes the entries of a directory durable.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Writes a small file under a name that must not exist yet: `AlreadyExists` if somebody was faster.
///
/// A crash before the link leaves an unfinished name that nobody reads; after it, the whole file.
pub(super) fn write_new(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let unfinished = directory.join(format!("{UNFINISHED}{}", hex::encode(random_bytes::<16>())));
    let mut file = create(&unfinished)?;
    let linked = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&unfinished, directory.join(name)));
    fs::remove_file(&unfinished)?;
    linked?;
    sync_directory(directory)
}

/// Removes a file; one that is gone already is fine. The caller syncs the directory.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The names in a directory.
pub(super) fn names(directory: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// Removes what a crash left unfinished: nobody reads it. Called before anything is written.
pub(super) fn remove_unfinished(directory: &Path) -> io::Result<()> {
    names(directory)?
        .iter()
        .filter(|name| name.starts_with(UNFINISHED))
        .try_for_each(|name| remove(&directory.join(name)))
}
