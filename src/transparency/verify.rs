//! The offline verifier: recomputes the tree from the leaves, holds it against signed checkpoints, and replays.
//!
//! It trusts nothing but a verifier key. Every edit, deletion, insertion, reordering and truncation of leaves changes
//! the root or the size that the checkpoint signs; a rollback of leaves and checkpoint together is found by the
//! witness, or by whoever kept an older checkpoint (`expect`).

use super::tile::{TilePath, split_bundle};
use super::{Head, Leaf, Replay, Report, Tree, open_checkpoint};
use crate::identity::Digest;
use std::collections::BTreeMap;

/// Largest tile or bundle that is read.
const TILE_BYTES_MAX: usize = 256 * (super::ENTRY_BYTES_MAX + 2);

/// Why a verification cannot be carried out at all.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The checkpoint does not open.
    #[error(transparent)]
    Checkpoint(#[from] super::CheckpointError),
    /// Something cannot be read.
    #[error("{what} cannot be read: {cause}")]
    Unreadable {
        /// What.
        what: String,
        /// Why.
        cause: String,
    },
}

/// A verification under way: leaves are pushed in order, then it is finished with the checkpoint.
#[derive(Debug, Default)]
pub struct Verifier {
    tree: Tree,
    replay: Replay,
    report: Report,
    /// Heads that the log must have passed through.
    expected: BTreeMap<u64, Vec<Digest>>,
}

impl Verifier {
    /// Demands that the log has passed through this head (one that a witness or an earlier reader kept).
    pub fn expect(&mut self, head: Head) {
        self.expected.entry(head.size).or_default().push(head.root);
    }

    /// Takes the next leaf; gives the hashes that a log stores for it.
    pub fn push(&mut self, text: &str) -> Vec<[u8; 32]> {
        self.check_expected();
        let index = self.tree.size();
        match Leaf::parse(text) {
            Some(leaf) => {
                let head = if let Leaf::Restored { sha256, .. } = &leaf { Some(*sha256) } else { None };
                if head.is_some_and(|head| head != self.tree.root()) {
                    self.report.find(Some(index), "restored", "a database was brought forward to another head");
                }
                self.replay.apply(index, leaf, &mut self.report);
            }
            None => self.report.find(Some(index), "leaf_malformed", "this is not a leaf in canonical form"),
        }
        let (_, hashes) = self.tree.push(text.as_bytes());
        hashes
    }

    /// Notes something that does not hold.
    pub fn find(&mut self, index: Option<u64>, code: &'static str, what: impl Into<String>) {
        self.report.find(index, code, what);
    }

    /// Holds the tree against the signed head, and says what was found.
    #[must_use]
    pub fn finish(mut self, signed: Head, vkey: &str) -> (Report, Replay) {
        self.check_expected();
        for size in self.expected.keys() {
            self.report.find(None, "rolled_back", format!("the log once had {size} leaves, and has fewer now"));
        }
        let (size, root) = (self.tree.size(), self.tree.root());
        if size != signed.size {
            let what = format!("the checkpoint signs {} leaves, there are {size}", signed.size);
            self.report.find(None, "size_differs", what);
        } else if root != signed.root {
            self.report.find(None, "root_differs", "the leaves are not those that the checkpoint signs");
        }
        self.report.leaves = size;
        self.report.root = Some(root);
        vkey.clone_into(&mut self.report.verifier_key);
        self.report.accounts = self.replay.accounts.clone();
        self.report.releases = self.replay.releases.iter().map(|(id, release)| (id.clone(), release.sha256)).collect();
        (self.report, self.replay)
    }

    fn check_expected(&mut self) {
        let size = self.tree.size();
        while let Some(entry) = self.expected.first_entry().filter(|entry| *entry.key() <= size) {
            let (at, roots) = entry.remove_entry();
            if at != size || roots.iter().any(|root| *root != self.tree.root()) {
                let what = format!("the first {at} leaves are not those that were witnessed");
                self.report.find(None, "history_differs", what);
            }
        }
    }
}

/// Verifies a whole log that is served as C2SP tiles. `fetch` is given paths such as `tile/entries/000.p/5`.
///
/// Besides the leaves, every tile of hashes is compared with the tree, so that proofs others build from them hold too.
///
/// # Errors
/// If the checkpoint does not open with the key, or something cannot be fetched.
pub fn verify_by_tiles<E: std::fmt::Display>(
    checkpoint: &str,
    vkey: &str,
    mut fetch: impl FnMut(&str) -> Result<Vec<u8>, E>,
) -> Result<Report, VerifyError> {
    let signed = open_checkpoint(checkpoint, vkey)?;
    let mut read = |path: TilePath| {
        let what = path.to_string();
        let bytes =
            fetch(&what).map_err(|error| VerifyError::Unreadable { what: what.clone(), cause: error.to_string() })?;
        if bytes.len() > TILE_BYTES_MAX {
            return Err(VerifyError::Unreadable { what, cause: "it is too large".into() });
        }
        Ok(bytes)
    };
    let mut verifier = Verifier::default();
    // Hashes of each level that the leaves give.
    let mut levels: Vec<Vec<[u8; 32]>> = TilePath::levels(signed.size).map(|_| Vec::new()).collect();
    for path in TilePath::of_level(None, signed.size) {
        let leaves = split_bundle(&read(path)?).unwrap_or_default();
        if u64::try_from(leaves.len()) != Ok(path.width) {
            verifier.find(None, "bundle_malformed", format!("{path} does not hold {} leaves", path.width));
        }
        for leaf in &leaves {
            let hashes = verifier.push(leaf);
            if let Some(bottom) = levels.first_mut() {
                bottom.extend(hashes.first());
            }
        }
    }
    for level in TilePath::levels(signed.size) {
        let hashes = levels.get(usize::from(level)).cloned().unwrap_or_default();
        let mut above = Vec::new();
        for (path, expected) in TilePath::of_level(Some(level), signed.size).zip(hashes.chunks(256)) {
            if read(path)? != expected.as_flattened() {
                verifier.find(None, "tile_differs", format!("{path} does not follow from the leaves"));
            }
            if expected.len() == 256 {
                above.push(tlog_tiles::Tile::subtree_hash(expected.as_flattened()).0);
            }
        }
        if let Some(next) = levels.get_mut(usize::from(level).saturating_add(1)) {
            *next = above;
        }
    }
    Ok(verifier.finish(signed, vkey).0)
}
