//! The RFC 6962 Merkle tree over the leaves, and its C2SP tlog-tiles.
//!
//! The tree is a function of the leaves: its hashes live in memory and are computed anew when the log is opened. Hashing
//! and proofs are `tlog_tiles`'; the paths are ours (C2SP's).

use tlog_tiles::{
    Error, Hash, HashReader, prove_record, prove_tree, record_hash, stored_hash_index, stored_hashes_for_record_hash,
    tree_hash,
};

/// Entries in a full tile.
pub const TILE_WIDTH: u64 = 256;

/// A Merkle tree, appended to and never changed.
#[derive(Default)]
pub struct Tree {
    hashes: Vec<Hash>,
    size: u64,
}

struct Stored<'a>(&'a [Hash]);

impl HashReader for Stored<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let at = |index: &u64| usize::try_from(*index).ok().and_then(|index| self.0.get(index)).copied();
        indexes.iter().map(|index| at(index).ok_or(Error::IndexesNotInTree)).collect()
    }
}

/// Where a tree stood, for taking an append back whose transaction did not commit.
#[derive(Clone, Copy)]
pub struct Mark(usize, u64);

impl Tree {
    /// How many leaves there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    ///
    /// # Errors
    /// Only if the stored hashes are not a tree's.
    pub fn append(&mut self, leaf: &[u8]) -> Result<(), Error> {
        let new = stored_hashes_for_record_hash(self.size, record_hash(leaf), &Stored(&self.hashes))?;
        self.hashes.extend(new);
        self.size += 1;
        Ok(())
    }

    /// Where the tree stands.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark(self.hashes.len(), self.size)
    }

    /// Takes everything back that was appended since.
    pub fn back_to(&mut self, mark: Mark) {
        self.hashes.truncate(mark.0);
        self.size = mark.1;
    }

    /// The root of the first `size` leaves.
    ///
    /// # Errors
    /// If there are not that many.
    pub fn root(&self, size: u64) -> Result<[u8; 32], Error> {
        Ok(tree_hash(size, &Stored(&self.hashes))?.0)
    }

    /// Hashes that prove leaf `index` in the tree of `size` leaves.
    ///
    /// # Errors
    /// If there is no such leaf.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<[u8; 32]>, Error> {
        Ok(prove_record(size, index, &Stored(&self.hashes))?.into_iter().map(|hash| hash.0).collect())
    }

    /// Hashes that prove that the tree of `from` leaves is a prefix of the tree of `to`.
    ///
    /// # Errors
    /// If there are not that many leaves.
    pub fn consistency(&self, from: u64, to: u64) -> Result<Vec<[u8; 32]>, Error> {
        Ok(prove_tree(to, from, &Stored(&self.hashes))?.into_iter().map(|hash| hash.0).collect())
    }

    /// The hashes of a tile: `width` hashes of level `8 * level` from `256 * number` on.
    #[must_use]
    pub fn tile(&self, level: u8, number: u64, width: u64) -> Option<Vec<u8>> {
        let unit = 1_u64.checked_shl(u32::from(level) * 8)?;
        let first = number.checked_mul(TILE_WIDTH)?;
        let end = first.checked_add(width)?.checked_mul(unit)?;
        if width == 0 || end > self.size {
            return None;
        }
        let stored = Stored(&self.hashes);
        let indexes: Vec<u64> = (first..first + width).map(|n| stored_hash_index(level * 8, n)).collect();
        Some(stored.read_hashes(&indexes).ok()?.iter().flat_map(|hash| hash.0).collect())
    }
}
