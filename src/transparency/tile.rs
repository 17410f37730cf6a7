//! Tiles and entry bundles by their C2SP tlog-tiles paths.
//!
//! `tile/L/N[.p/W]` holds hashes, `tile/entries/N[.p/W]` the leaves themselves, each after its length in two bytes. A
//! path has one spelling; everything else is refused, so that nothing but digits reaches whatever looks a tile up.

use super::tree::Asked;
use std::fmt;

/// Leaves in a full bundle, hashes in a full tile.
pub const BUNDLE_WIDTH: u64 = 256;

/// Longest leaf: its length is written in two bytes.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// Highest level of a tile: 2^(8 * 7) leaves are more than a log will hold.
const LEVEL_MAX: u8 = 7;

/// A checked path of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TilePath {
    /// Level of the hashes; `None` for a bundle of leaves.
    pub level: Option<u8>,
    /// Which tile of its level.
    pub number: u64,
    /// How many hashes or leaves; 256 in a full one.
    pub width: u64,
}

impl TilePath {
    /// Reads a path; `None` unless it is spelled as the specification spells it.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let level = if level == "entries" { None } else { Some(level.parse().ok().filter(|l| *l <= LEVEL_MAX)?) };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok().filter(|w| (1..BUNDLE_WIDTH).contains(w))?),
            None => (rest, BUNDLE_WIDTH),
        };
        let mut parsed: u64 = 0;
        for group in number.split('/') {
            let digits: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok().filter(|d| *d < 1000)?;
            parsed = parsed.checked_mul(1000)?.checked_add(digits)?;
        }
        let tile = Self { level, number: parsed, width };
        (tile.to_string() == path && tile.end().is_some()).then_some(tile)
    }

    /// How many subtrees of its level the tree must have for this tile to be in it.
    #[must_use]
    pub fn end(self) -> Option<u64> {
        self.number.checked_mul(BUNDLE_WIDTH)?.checked_add(self.width)
    }

    /// The first leaf or hash of its level.
    #[must_use]
    pub fn start(self) -> u64 {
        self.number.saturating_mul(BUNDLE_WIDTH)
    }

    /// Whether a tree of this size has the tile.
    #[must_use]
    pub fn is_in(self, size: u64) -> bool {
        let shift = u32::from(self.level.unwrap_or(0)).saturating_mul(8);
        self.end().is_some_and(|end| end <= size.checked_shr(shift).unwrap_or(0))
    }

    /// The hashes it is built from; `None` for a bundle.
    #[must_use]
    pub fn hashes(self) -> Option<Asked> {
        Some(Asked::Tile { level: self.level?, number: self.number, width: u32::try_from(self.width).ok()? })
    }

    /// The tiles of one level of a tree of this size.
    pub(super) fn of_level(level: Option<u8>, size: u64) -> impl Iterator<Item = Self> {
        let shift = u32::from(level.unwrap_or(0)).saturating_mul(8);
        let wide = size.checked_shr(shift).unwrap_or(0);
        (0..wide.div_ceil(BUNDLE_WIDTH)).map(move |number| {
            let width = wide.saturating_sub(number.saturating_mul(BUNDLE_WIDTH)).min(BUNDLE_WIDTH);
            Self { level, number, width }
        })
    }

    /// Levels of hashes in a tree of this size.
    pub(super) fn levels(size: u64) -> impl Iterator<Item = u8> {
        (0..=LEVEL_MAX).take_while(move |level| size.checked_shr(u32::from(*level).saturating_mul(8)).unwrap_or(0) > 0)
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Some(level) => write!(f, "tile/{level}/")?,
            None => f.write_str("tile/entries/")?,
        }
        let mut groups = vec![format!("{:03}", self.number % 1000)];
        let mut rest = self.number / 1000;
        while rest > 0 {
            groups.push(format!("x{:03}", rest % 1000));
            rest /= 1000;
        }
        groups.reverse();
        f.write_str(&groups.join("/"))?;
        if self.width < BUNDLE_WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// The bytes of a bundle; `None` if a leaf is too long.
#[must_use]
pub fn bundle(leaves: &[String]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for leaf in leaves {
        bytes.extend_from_slice(&u16::try_from(leaf.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(leaf.as_bytes());
    }
    Some(bytes)
}

/// The leaves of a bundle; `None` if it is malformed.
#[must_use]
pub fn split_bundle(mut bytes: &[u8]) -> Option<Vec<String>> {
    let mut leaves = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let (leaf, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        leaves.push(std::str::from_utf8(leaf).ok()?.to_owned());
        bytes = rest;
    }
    Some(leaves)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_path_has_one_spelling() {
        for (path, level, number, width) in [
            ("tile/0/000", Some(0), 0, 256),
            ("tile/1/x001/x234/067.p/1", Some(1), 1_234_067, 1),
            ("tile/entries/x001/067", None, 1067, 256),
            ("tile/entries/000.p/255", None, 0, 255),
        ] {
            let tile = TilePath::parse(path).unwrap();
            assert_eq!((tile.level, tile.number, tile.width, tile.to_string().as_str()), (level, number, width, path));
        }
        for path in [
            "",
            "tile/0/0",
            "tile/00/000",
            "tile/0/x000/000",
            "tile/0/001/000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/8/000",
            "tile/-1/000",
            "tile/0/000.p/05",
            "tile/0/+01",
            "tile/data/000",
            "tile/0/../000",
            "tile/0/",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
            "tile/0/x018/x446/x744/x073/x709/x551/615",
        ] {
            assert_eq!(TilePath::parse(path), None, "{path}");
        }
    }

    #[test]
    fn a_tile_is_in_a_tree_that_is_large_enough() {
        let tile = TilePath::parse("tile/1/000.p/2").unwrap();
        assert!(!tile.is_in(511) && tile.is_in(512) && tile.is_in(u64::MAX));
        let sizes: Vec<String> = TilePath::of_level(None, 300).map(|tile| tile.to_string()).collect();
        assert_eq!(sizes, ["tile/entries/000", "tile/entries/001.p/44"]);
        assert_eq!(TilePath::levels(255).count(), 1);
        assert_eq!(TilePath::levels(256).count(), 2);
    }

    #[test]
    fn a_bundle_gives_back_its_leaves_or_nothing() {
        let leaves = vec!["{}".to_owned(), String::new(), "é".repeat(900)];
        let bytes = bundle(&leaves).unwrap();
        assert_eq!(split_bundle(&bytes), Some(leaves));
        assert_eq!(split_bundle(&bytes[..bytes.len() - 1]), None);
        assert_eq!(bundle(&["x".repeat(ENTRY_BYTES_MAX + 1)]), None);
    }
}
