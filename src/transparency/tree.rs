//! The RFC 6962 tree: growth, root and proofs.
//!
//! [`Tree`] is the frontier of a log: the roots of its perfect subtrees. It grows by one leaf at a time and says which
//! hashes to store. Proofs and tiles are asked for as [`Asked`], which first names the stored hashes it needs and then
//! builds from them, so that whoever keeps them (a database) can fetch them in between.

use crate::identity::Digest;
use std::cell::RefCell;
use std::collections::BTreeMap;
use tlog_tiles::{EMPTY_HASH, Hash, HashReader, Tile};

/// Height of a tile (C2SP tlog-tiles).
pub(super) const TILE_HEIGHT: u8 = 8;

/// Leaves beyond which no log grows: positions of hashes then still fit 64 bits, at every level.
const SIZE_MAX: u64 = 1 << 48;

/// What cannot be proved or read.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// Outside the tree.
    #[error("there is no such leaf, tree or tile")]
    Outside,
    /// Stored hashes are missing or do not fit.
    #[error("a stored hash is missing")]
    Missing,
}

/// The frontier of a tree.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    size: u64,
    /// Level and root of each perfect subtree, the largest first.
    peaks: Vec<(u8, Hash)>,
}

impl Tree {
    /// The positions of the stored hashes that make the frontier of a tree of this size, the largest subtree first.
    ///
    /// # Errors
    /// [`TreeError::Outside`] for a size that no log has.
    pub fn frontier(size: u64) -> Result<Vec<u64>, TreeError> {
        match size {
            0 => Ok(Vec::new()),
            1..=SIZE_MAX => Ok(tlog_tiles::sub_tree_index(0, size, Vec::new())),
            _ => Err(TreeError::Outside),
        }
    }

    /// A tree of this size from the hashes at [`Self::frontier`].
    ///
    /// # Errors
    /// If the number of hashes is not that of the frontier, or no log has this size.
    pub fn restore(size: u64, hashes: &[[u8; 32]]) -> Result<Self, TreeError> {
        let positions = Self::frontier(size)?;
        if positions.len() != hashes.len() {
            return Err(TreeError::Missing);
        }
        let levels = positions.iter().map(|&position| tlog_tiles::split_stored_hash_index(position).0);
        Ok(Self { size, peaks: levels.zip(hashes.iter().map(|&hash| Hash(hash))).collect() })
    }

    /// Leaves in the tree.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf; gives the position of the first hash to store, and the hashes to store from there on.
    pub fn push(&mut self, leaf: &[u8]) -> (u64, Vec<[u8; 32]>) {
        let position = tlog_tiles::stored_hash_index(0, self.size);
        let mut hash = tlog_tiles::record_hash(leaf);
        let mut stored = vec![hash.0];
        let mut level = 0;
        while let Some(&(_, left)) = self.peaks.last().filter(|(peak, _)| *peak == level) {
            self.peaks.pop();
            hash = tlog_tiles::node_hash(left, hash);
            stored.push(hash.0);
            level = level.saturating_add(1);
        }
        self.peaks.push((level, hash));
        self.size = self.size.saturating_add(1);
        (position, stored)
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Digest {
        let folded =
            self.peaks.iter().rev().map(|(_, hash)| *hash).reduce(|right, left| tlog_tiles::node_hash(left, right));
        Digest(folded.unwrap_or(EMPTY_HASH).0)
    }
}

/// Stored hashes by position.
#[derive(Debug, Clone, Default)]
pub struct Hashes(pub BTreeMap<u64, [u8; 32]>);

impl HashReader for Hashes {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let found: Option<Vec<Hash>> = indexes.iter().map(|index| self.0.get(index).map(|&hash| Hash(hash))).collect();
        found.ok_or(tlog_tiles::Error::IndexesNotInTree)
    }
}

/// Notes which hashes are wanted, and gives none.
#[derive(Default)]
struct Noting(RefCell<Vec<u64>>);

impl HashReader for Noting {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        self.0.borrow_mut().extend_from_slice(indexes);
        Err(tlog_tiles::Error::IndexesNotInTree)
    }
}

/// Something that is built from stored hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum Asked {
    /// The root of the tree of this size.
    Root { size: u64 },
    /// That leaf `index` stands in the tree of `size` leaves.
    Inclusion { index: u64, size: u64 },
    /// That the tree of `from` leaves is the beginning of the tree of `to`.
    Consistency { from: u64, to: u64 },
    /// The `width` hashes of a tile.
    Tile { level: u8, number: u64, width: u32 },
}

impl Asked {
    /// The positions of the hashes it is built from.
    ///
    /// # Errors
    /// [`TreeError::Outside`] if it lies outside every tree.
    pub fn needs(self) -> Result<Vec<u64>, TreeError> {
        self.bounded()?;
        let noting = Noting::default();
        match self.run(&noting) {
            Ok(_) | Err(tlog_tiles::Error::IndexesNotInTree) => Ok(noting.0.into_inner()),
            Err(_) => Err(TreeError::Outside),
        }
    }

    /// Builds it.
    ///
    /// # Errors
    /// [`TreeError::Missing`] if a hash it needs is not among them, [`TreeError::Outside`] as in [`Self::needs`].
    pub fn build(self, hashes: &Hashes) -> Result<Vec<[u8; 32]>, TreeError> {
        self.bounded()?;
        let built = self.run(hashes).map_err(|_| TreeError::Missing)?;
        Ok(built.into_iter().map(|hash| hash.0).collect())
    }

    /// Stops what would leave 64 bits, or panic, in the arithmetic of positions.
    fn bounded(self) -> Result<(), TreeError> {
        let last_leaf = match self {
            Self::Root { size } | Self::Inclusion { size, .. } | Self::Consistency { to: size, .. } => Some(size),
            Self::Tile { level, number, width } => {
                let in_one = (1..=1 << TILE_HEIGHT).contains(&width);
                let last = number.checked_add(1).filter(|_| in_one);
                let shift = u32::from(level).saturating_add(1).saturating_mul(u32::from(TILE_HEIGHT));
                last.and_then(|last| 1_u64.checked_shl(shift)?.checked_mul(last))
            }
        };
        if last_leaf.is_some_and(|last| last <= SIZE_MAX) { Ok(()) } else { Err(TreeError::Outside) }
    }

    fn run<R: HashReader>(self, reader: &R) -> Result<Vec<Hash>, tlog_tiles::Error> {
        match self {
            Self::Root { size } => Ok(vec![tlog_tiles::tree_hash(size, reader)?]),
            Self::Inclusion { index, size } => tlog_tiles::prove_record(size, index, reader),
            Self::Consistency { from, to } => tlog_tiles::prove_tree(to, from, reader),
            Self::Tile { level, number, width } => {
                let bytes = Tile::new(TILE_HEIGHT, level, number, width, false).read_data(reader)?;
                let (hashes, _) = bytes.as_chunks::<32>();
                Ok(hashes.iter().map(|&hash| Hash(hash)).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log of `size` leaves: its tree and its stored hashes.
    fn log(size: u64) -> (Tree, Hashes) {
        let (mut tree, mut hashes) = (Tree::default(), Hashes::default());
        for leaf in 0..size {
            let (first, stored) = tree.push(format!("leaf {leaf}").as_bytes());
            hashes.0.extend((first..).zip(stored));
        }
        (tree, hashes)
    }

    fn build(asked: Asked, hashes: &Hashes) -> Vec<[u8; 32]> {
        let few = Hashes(asked.needs().unwrap().into_iter().map(|at| (at, hashes.0[&at])).collect());
        asked.build(&few).unwrap()
    }

    #[test]
    fn the_tree_is_that_of_rfc_6962() {
        assert_eq!(Tree::default().root(), Digest::of(b""));
        for size in 1..70 {
            let (tree, hashes) = log(size);
            assert_eq!(tree.root().0, tlog_tiles::tree_hash(size, &hashes).unwrap().0);
            assert_eq!(u64::try_from(hashes.0.len()).unwrap(), tlog_tiles::stored_hash_count(size));
            let frontier: Vec<[u8; 32]> = Tree::frontier(size).unwrap().iter().map(|at| hashes.0[at]).collect();
            let mut again = Tree::restore(size, &frontier).unwrap();
            again.push(b"next");
            let mut straight = tree.clone();
            straight.push(b"next");
            assert_eq!(again.root(), straight.root());
        }
    }

    #[test]
    fn every_inclusion_and_consistency_proof_holds_and_no_false_one_does() {
        let (whole, hashes) = log(67);
        let root = Hash(whole.root().0);
        for index in 0..67 {
            let proof: Vec<Hash> = build(Asked::Inclusion { index, size: 67 }, &hashes).into_iter().map(Hash).collect();
            let leaf = tlog_tiles::record_hash(format!("leaf {index}").as_bytes());
            assert!(tlog_tiles::check_record(&proof, 67, root, index, leaf).is_ok());
            assert!(tlog_tiles::check_record(&proof, 67, root, index, Hash([7; 32])).is_err());
        }
        for from in 1..=67 {
            let proof: Vec<Hash> = build(Asked::Consistency { from, to: 67 }, &hashes).into_iter().map(Hash).collect();
            let before = Hash(build(Asked::Root { size: from }, &hashes)[0]);
            assert!(tlog_tiles::check_tree(&proof, 67, root, from, before).is_ok());
            assert!(tlog_tiles::check_tree(&proof, 67, root, from, Hash([7; 32])).is_err());
        }
        assert!(Asked::Inclusion { index: 3, size: 3 }.needs().is_err());
        assert!(Asked::Consistency { from: 0, to: 3 }.needs().is_err());
        assert!(Asked::Inclusion { index: 3, size: 90 }.build(&hashes).is_err());
    }

    #[test]
    fn a_tile_holds_the_hashes_of_its_level() {
        let (_, hashes) = log(600);
        let tile = build(Asked::Tile { level: 0, number: 1, width: 256 }, &hashes);
        assert_eq!(tile[5], tlog_tiles::record_hash(b"leaf 261").0);
        let above = build(Asked::Tile { level: 1, number: 0, width: 2 }, &hashes);
        assert_eq!(above[1], Tile::subtree_hash(tile.as_flattened()).0);
    }
    #[test]
    fn no_size_number_or_level_overflows() {
        let hashes = log(3).1;
        let huge = [SIZE_MAX + 1, u64::MAX / 2, u64::MAX - 1, u64::MAX];
        for size in huge {
            assert!(Tree::frontier(size).is_err() && Tree::restore(size, &[]).is_err(), "{size}");
            let mut asked = vec![
                Asked::Root { size },
                Asked::Inclusion { index: 0, size },
                Asked::Inclusion { index: size, size: 3 },
                Asked::Inclusion { index: size, size },
                Asked::Consistency { from: 1, to: size },
                Asked::Consistency { from: size, to: 3 },
                Asked::Consistency { from: size, to: size },
            ];
            for level in [0, 7, 8, 63, 64, u8::MAX] {
                asked.extend([0, 1, 256, 257, u32::MAX].map(|width| Asked::Tile { level, number: size, width }));
            }
            for asked in asked {
                assert!(asked.needs().is_err() && asked.build(&hashes).is_err(), "{asked:?}");
            }
        }
        for level in [7, 8, 64, u8::MAX] {
            assert!(Asked::Tile { level, number: 0, width: 1 }.needs().is_err(), "{level}");
        }
        assert!(Asked::Tile { level: 0, number: 0, width: 0 }.needs().is_err());
        assert!(Asked::Tile { level: 0, number: 0, width: 257 }.needs().is_err());
        assert!(Asked::Root { size: SIZE_MAX }.needs().is_ok() && Tree::frontier(SIZE_MAX).is_ok());
    }
}
