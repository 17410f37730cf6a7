//! Exact counts as plain tables: the classical problem, for comparing the algorithm with the classical tools. Nothing
//! of this is in the service, which never decides on an exact count.

use halflight::suppress::{Lattice, Row, Standing};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// A table with all its groupings and totals. Cells that are the same cell by two names are one, with their number.
pub(crate) struct Raw {
    /// The count of each cell.
    pub(crate) counts: Vec<i64>,
    /// How many names it has.
    pub(crate) names: Vec<usize>,
    /// What can change.
    pub(crate) rows: Vec<Row>,
}

impl Raw {
    /// Reads a file whose last column is the count; each dimension is one column or several (its groupings).
    pub(crate) fn read(folder: &Path, file: &str, dimensions: &[&[&str]]) -> std::io::Result<Self> {
        let text = std::fs::read_to_string(folder.join(file))?;
        let mut lines =
            text.lines().map(|line| line.split(',').map(|field| field.trim_matches('"')).collect::<Vec<_>>());
        let head = lines.next().unwrap_or_default();
        let columns: Vec<Vec<usize>> = dimensions
            .iter()
            .map(|names| names.iter().filter_map(|name| head.iter().position(|column| column == name)).collect())
            .collect();
        Ok(Self::of(&lines.collect::<Vec<_>>(), &columns))
    }

    /// From rows of fields, the last of each being the count.
    pub(crate) fn of(rows: &[Vec<&str>], columns: &[Vec<usize>]) -> Self {
        let mut levels: Vec<HashMap<Vec<&str>, usize>> = vec![HashMap::new(); columns.len()];
        let at = levels_of(rows, columns, &mut levels);
        let sizes: Vec<usize> = levels.iter().map(HashMap::len).collect();
        let mut lattice = Lattice::new(&sizes);
        // per dimension, the sets of levels by every name
        let sets: Vec<Vec<Vec<usize>>> = levels
            .iter()
            .map(|levels| {
                let mut sets = vec![(0..levels.len()).collect::<Vec<usize>>()];
                for column in 0..levels.keys().next().map_or(0, Vec::len) {
                    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
                    for (names, &level) in levels {
                        groups.entry(names[column]).or_default().push(level);
                    }
                    sets.extend(groups.into_values());
                }
                sets
            })
            .collect();
        let mut raw = Self { counts: Vec::new(), names: Vec::new(), rows: Vec::new() };
        let mut keys: Vec<Vec<&Vec<usize>>> = vec![Vec::new()];
        for sets in &sets {
            keys = keys.iter().flat_map(|key| sets.iter().map(move |set| [key.as_slice(), &[set]].concat())).collect();
        }
        let mut cells: HashMap<Vec<usize>, usize> = HashMap::new();
        for key in keys {
            let sets: Vec<usize> = key.iter().enumerate().map(|(d, levels)| lattice.set(d, levels)).collect();
            let cell = lattice.cell(sets.clone());
            cells.insert(sets, cell);
            raw.counts.resize(lattice.cells(), 0);
            raw.names.resize(lattice.cells(), 0);
            raw.names[cell] += 1;
        }
        let of_level: Vec<Vec<Vec<usize>>> = sets
            .iter()
            .zip(&sizes)
            .enumerate()
            .map(|(d, (sets, &size))| {
                let mut of = vec![Vec::new(); size];
                for levels in sets {
                    let set = lattice.set(d, levels);
                    for &level in levels {
                        if !of[level].contains(&set) {
                            of[level].push(set);
                        }
                    }
                }
                of
            })
            .collect();
        for (row, at) in rows.iter().zip(&at) {
            let count: i64 = row.last().and_then(|field| field.parse().ok()).unwrap_or(0);
            let mut keys = vec![Vec::new()];
            for (of, &level) in of_level.iter().zip(at) {
                keys = keys
                    .iter()
                    .flat_map(|k: &Vec<usize>| of[level].iter().map(move |&s| [k.as_slice(), &[s]].concat()))
                    .collect();
            }
            for key in keys {
                raw.counts[cells[&key]] += count;
            }
        }
        raw.rows = lattice.moves();
        raw
    }

    /// Cells of 0 to `most` are withheld, as the reference counts them; the search decides on the others.
    pub(crate) fn standing(&self, most: i64) -> Vec<Standing> {
        self.counts.iter().map(|&count| if count <= most { Standing::Withheld } else { Standing::Open }).collect()
    }

    /// How many names these cells have together, and the sum of their counts by name.
    pub(crate) fn totals(&self, cells: impl Iterator<Item = usize>) -> (usize, i64) {
        cells.fold((0, 0), |(names, sum), cell| {
            (names + self.names[cell], sum + i64::try_from(self.names[cell]).unwrap_or(0) * self.counts[cell])
        })
    }

    /// All names of all cells.
    pub(crate) fn size(&self) -> usize {
        self.names.iter().sum()
    }
}

/// Per row its level in each dimension; new combinations of fields become levels.
fn levels_of<'a>(
    rows: &[Vec<&'a str>],
    columns: &[Vec<usize>],
    levels: &mut [HashMap<Vec<&'a str>, usize>],
) -> Vec<Vec<usize>> {
    let mut of_row = |row: &Vec<&'a str>| {
        let level = |(levels, columns): (&mut HashMap<Vec<&'a str>, usize>, &Vec<usize>)| {
            let next = levels.len();
            *levels.entry(columns.iter().map(|&column| row[column]).collect()).or_insert(next)
        };
        levels.iter_mut().zip(columns).map(level).collect()
    };
    rows.iter().map(&mut of_row).collect()
}
