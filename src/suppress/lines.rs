//! The equations that anyone can write down: the cells of a table along one dimension add up to their sum, wherever
//! some table tells it. Groupings count, and so do sums that only another table tells.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::lattice::Row;
use super::told::Told;
use std::collections::{BTreeSet, HashMap};

/// What each line hides, where that is so little that no cell of it can rise as it must (W): all that the others can
/// fall by, and it by itself, is less than its floor. `slack` is how far each cell can fall.
pub(super) fn narrow_lines(lines: &[Row], withheld: &[bool], slack: &[f64], floors: &[f64]) -> Vec<Row> {
    let is_narrow = |silent: &Row| {
        let room: f64 = silent.iter().map(|&(cell, _)| slack[cell]).sum();
        let alike = silent.windows(2).all(|pair| pair[0].1 == pair[1].1);
        alike && silent.len() > 1 && silent.iter().any(|&(cell, _)| room < floors[cell] * (1.0 - 1e-9))
    };
    let silent = |line: &Row| line.iter().copied().filter(|&(cell, _)| withheld[cell]).collect::<Row>();
    lines.iter().map(silent).filter(is_narrow).collect()
}

/// The levels that a cell stands for in each dimension.
type Key = Vec<Vec<usize>>;

/// Each equation once, as a sum of cells that is 0; `places` tells the cell at each place of each table.
pub(super) fn lines(tables: &[Told], places: &[Vec<usize>]) -> Vec<Row> {
    let keys: Vec<Vec<Key>> = tables.iter().map(|told| keys(&told.axes)).collect();
    let named = keys.iter().zip(places).flat_map(|(keys, places)| keys.iter().cloned().zip(places.iter().copied()));
    let cells: HashMap<Key, usize> = named.collect();
    let mut sets: Vec<BTreeSet<Vec<usize>>> = Vec::new();
    for told in tables {
        sets.resize(sets.len().max(told.axes.len()), BTreeSet::new());
        for (sets, axis) in sets.iter_mut().zip(&told.axes) {
            sets.extend(axis.iter().map(|set| sorted(set)));
        }
    }
    let mut lines = BTreeSet::new();
    for (told, keys) in tables.iter().zip(&keys) {
        for (dimension, (axis, sets)) in told.axes.iter().zip(&sets).enumerate() {
            let axis: Vec<Vec<usize>> = axis.iter().map(|set| sorted(set)).collect();
            for whole in sets {
                let parts = parts(whole, &axis);
                for key in keys.iter().filter(|key| key.get(dimension) == parts.first()) {
                    lines.extend(line(key, dimension, whole, &parts, &cells));
                }
            }
        }
    }
    lines.into_iter().collect()
}

/// The sets of an axis that a set is made of; none unless there are several, and nothing is left over.
fn parts(whole: &[usize], axis: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let inside = |set: &&Vec<usize>| set.iter().all(|level| whole.binary_search(level).is_ok());
    let parts: Vec<Vec<usize>> = axis.iter().filter(inside).cloned().collect();
    let levels: usize = parts.iter().map(Vec::len).sum();
    let all: BTreeSet<&usize> = parts.iter().flatten().collect();
    if parts.len() > 1 && levels == whole.len() && all.len() == levels { parts } else { Vec::new() }
}

fn line(
    key: &Key,
    dimension: usize,
    whole: &[usize],
    parts: &[Vec<usize>],
    cells: &HashMap<Key, usize>,
) -> Option<Row> {
    let at = |set: &[usize]| {
        let mut key = key.clone();
        key.get_mut(dimension)?.clone_from(&set.to_vec());
        cells.get(&key).copied()
    };
    let mut line: Row = vec![(at(whole)?, -1)];
    for part in parts {
        line.push((at(part)?, 1));
    }
    line.sort_unstable();
    Some(line)
}

fn keys(axes: &[Vec<Vec<usize>>]) -> Vec<Key> {
    axes.iter().fold(vec![Vec::new()], |keys, axis| {
        keys.iter()
            .flat_map(|key: &Key| axis.iter().map(move |set| [key.as_slice(), &[sorted(set)]].concat()))
            .collect()
    })
}

fn sorted(set: &[usize]) -> Vec<usize> {
    let mut set = set.to_vec();
    set.sort_unstable();
    set.dedup();
    set
}
