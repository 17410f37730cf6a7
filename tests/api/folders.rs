//! Folders of a service as a hand outside of it sees them: listed, copied, opened again, with a bit flipped.

use crate::support::{TestService, UNLIMITED, config};
use halflight::config::Config;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub fn now<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}

/// Every file below a folder, in order.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// A copy of all of it, as it lies there now.
pub fn copied(folder: &Path) -> TempDir {
    let elsewhere = tempfile::tempdir().unwrap();
    copy(folder, elsewhere.path());
    elsewhere
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &to) } else { assert!(fs::copy(&path, &to).is_ok()) }
    }
}

pub fn settings(folder: &Path) -> Config {
    config(folder, UNLIMITED)
}

/// Another start of a service, with the tokens of the first; says why not.
pub fn again(
    first: &TestService,
    folder: TempDir,
    config: impl FnOnce(&Path) -> Config,
) -> Result<TestService, String> {
    let config = config(folder.path());
    TestService::over(folder, config, first.clock.clone(), first.officers.clone(), first.operator.clone())
}

/// Flips one bit of a file.
pub fn flip(path: &Path, place: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[place] ^= 1 << (place % 8);
    fs::write(path, bytes).unwrap();
}
