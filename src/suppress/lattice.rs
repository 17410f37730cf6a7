//! Cells of linked tables as linear forms over shared coordinates.
//!
//! A cell stands for a set of levels in every dimension; a dimension summed out is the set of all of them. Levels that
//! no set tells apart are one. The coordinates are moves: "one more at these levels of the dimensions in t, one less
//! at the first level of each", for every set t of dimensions that some table breaks down together, so their number is
//! that of the residual components and not the product of all codes. Groupings need not be nested.
//!
//! # Guarantee
//! Everything that can change in the figures of these tables at all is a combination of the rows that
//! [`Lattice::moves`] gives: no relation between tables is missed, whether or not the margin they share is shown.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use std::collections::{BTreeMap, HashMap};

/// A sparse row: (cell, whole coefficient), ascending by cell, no zeros.
pub type Row = Vec<(usize, i64)>;

/// Cells over shared dimensions, each once.
#[derive(Debug, Clone)]
pub struct Lattice {
    sizes: Vec<usize>,
    /// Per dimension the sets of levels in use; the first is the whole.
    sets: Vec<Vec<Vec<usize>>>,
    known: Vec<HashMap<Vec<usize>, usize>>,
    places: HashMap<Vec<usize>, usize>,
    cells: Vec<Vec<usize>>,
}

impl Lattice {
    /// No cells yet, over dimensions of these sizes.
    #[must_use]
    pub fn new(sizes: &[usize]) -> Self {
        let wholes: Vec<Vec<usize>> = sizes.iter().map(|&size| (0..size).collect()).collect();
        Self {
            sizes: sizes.to_vec(),
            known: wholes.iter().map(|whole| HashMap::from([(whole.clone(), 0)])).collect(),
            sets: wholes.into_iter().map(|whole| vec![whole]).collect(),
            places: HashMap::new(),
            cells: Vec::new(),
        }
    }

    /// The number of a set of levels of a dimension.
    pub fn set(&mut self, dimension: usize, levels: &[usize]) -> usize {
        let mut levels = levels.to_vec();
        levels.sort_unstable();
        levels.dedup();
        let (known, sets) = (&mut self.known[dimension], &mut self.sets[dimension]);
        *known.entry(levels).or_insert_with_key(|levels| {
            sets.push(levels.clone());
            sets.len() - 1
        })
    }

    /// The cell that stands for one set in every dimension: a new one, or the one that stands for the same already.
    pub fn cell(&mut self, sets: Vec<usize>) -> usize {
        let cells = &mut self.cells;
        *self.places.entry(sets).or_insert_with_key(|sets| {
            cells.push(sets.clone());
            cells.len() - 1
        })
    }

    /// The cell that stands for these sets, if there is one.
    #[must_use]
    pub(super) fn find(&self, sets: &[usize]) -> Option<usize> {
        self.places.get(sets).copied()
    }

    /// The sets that a cell stands for, by dimension.
    pub(super) fn key(&self, cell: usize) -> &[usize] {
        &self.cells[cell]
    }

    /// The levels of a set.
    pub(super) fn levels(&self, dimension: usize, set: usize) -> &[usize] {
        &self.sets[dimension][set]
    }

    /// Whether a cell holds all levels of another.
    pub(super) fn holds(&self, cell: usize, other: usize) -> bool {
        let keys = self.cells[cell].iter().zip(&self.cells[other]).zip(&self.sets);
        keys.into_iter()
            .all(|((&outer, &inner), sets)| sets[inner].iter().all(|l| sets[outer].binary_search(l).is_ok()))
    }

    /// How many dimensions there are.
    pub(super) fn dimensions(&self) -> usize {
        self.sizes.len()
    }

    /// How many cells there are.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.cells.len()
    }

    /// The cells that differ from this one in a single dimension.
    pub fn beside(&self, cell: usize) -> impl Iterator<Item = usize> {
        let key = &self.cells[cell];
        let sets =
            self.sets.iter().enumerate().flat_map(|(dimension, sets)| (0..sets.len()).map(move |s| (dimension, s)));
        sets.filter_map(move |(dimension, set)| {
            let mut beside = key.clone();
            beside[dimension] = set;
            self.places.get(&beside).copied()
        })
        .filter(move |&other| other != cell)
    }

    /// For each cell the largest of these values among itself and every cell that lies inside it: what is made of
    /// others never counts for less than they do.
    #[must_use]
    pub fn raised_to_parts(&self, values: &[f64]) -> Vec<f64> {
        let mut raised = values.to_vec();
        for dimension in 0..self.sizes.len() {
            let inside = self.inside(dimension);
            let mut lines: HashMap<Vec<usize>, Vec<(usize, usize)>> = HashMap::new();
            for (cell, key) in self.cells.iter().enumerate() {
                let mut line = key.clone();
                let set = std::mem::replace(&mut line[dimension], 0);
                lines.entry(line).or_default().push((set, cell));
            }
            for line in lines.values() {
                let before: Vec<f64> = line.iter().map(|&(_, cell)| raised[cell]).collect();
                for &(outer, cell) in line {
                    let parts = line.iter().zip(&before).filter(|((inner, _), _)| inside[outer][*inner]);
                    raised[cell] = parts.map(|(_, &value)| value).fold(raised[cell], f64::max);
                }
            }
        }
        raised
    }

    /// Per set of a dimension, which sets lie inside it.
    fn inside(&self, dimension: usize) -> Vec<Vec<bool>> {
        let sets = &self.sets[dimension];
        let within = |inner: &[usize], outer: &[usize]| inner.iter().all(|level| outer.binary_search(level).is_ok());
        sets.iter().map(|outer| sets.iter().map(|inner| within(inner, outer)).collect()).collect()
    }

    /// Per dimension the level whose cells have the smallest sum of these values.
    #[must_use]
    pub fn least(&self, values: &[f64]) -> Vec<usize> {
        let mut sums: Vec<Vec<f64>> = self.sets.iter().map(|sets| vec![0.0; sets.len()]).collect();
        for (key, value) in self.cells.iter().zip(values) {
            for (sums, &set) in sums.iter_mut().zip(key) {
                sums[set] += value;
            }
        }
        let least = |((&size, sets), sums): ((&usize, &Vec<Vec<usize>>), &Vec<f64>)| {
            let mut of_level = vec![0.0; size];
            // the whole holds every level
            for (levels, sum) in sets.iter().zip(sums).skip(1) {
                for &level in levels {
                    of_level[level] += sum;
                }
            }
            (0..size).min_by(|&a, &b| of_level[a].total_cmp(&of_level[b])).unwrap_or(0)
        };
        self.sizes.iter().zip(&self.sets).zip(&sums).map(least).collect()
    }

    /// The rows: what each coordinate does to each cell.
    #[must_use]
    pub fn moves(&self) -> Vec<Row> {
        self.moves_from(&vec![0; self.sizes.len()])
    }

    /// The same, where a move has one less at these levels of the dimensions instead of the first ones. The cells of
    /// other levels are then touched by few rows each: publishing them first is cheap.
    #[must_use]
    pub fn moves_from(&self, levels: &[usize]) -> Vec<Row> {
        let forms: Vec<Vec<Vec<(usize, i64)>>> = levels.iter().enumerate().map(|(d, &l)| self.forms(d, l)).collect();
        // a coordinate is named by the one it extends, the dimension and the level it moves there; 0 moves nothing
        let mut names: HashMap<(usize, usize, usize), usize> = HashMap::new();
        let mut rows: Vec<Row> = vec![Row::new()];
        for (cell, key) in self.cells.iter().enumerate() {
            let mut form: Vec<(usize, i64)> = vec![(0, 1)];
            for (dimension, &set) in key.iter().enumerate() {
                let terms = form.iter().flat_map(|&(at, value)| {
                    forms[dimension][set].iter().map(move |&(level, sign)| (at, level, value * sign))
                });
                form = terms
                    .map(|(at, level, value)| {
                        if level == 0 {
                            return (at, value);
                        }
                        let further = *names.entry((at, dimension, level)).or_insert_with(|| {
                            rows.push(Row::new());
                            rows.len() - 1
                        });
                        (further, value)
                    })
                    .collect();
            }
            for (coordinate, value) in form {
                rows[coordinate].push((cell, value));
            }
        }
        rows.retain(|row| !row.is_empty());
        rows
    }

    /// Each set of a dimension over (0: not moved from the level given; l: moved to level l), of the levels that the
    /// sets tell apart.
    fn forms(&self, dimension: usize, from: usize) -> Vec<Vec<(usize, i64)>> {
        let mut signatures = vec![Vec::new(); self.sizes[dimension]];
        for (number, set) in self.sets[dimension].iter().enumerate() {
            for &level in set {
                signatures[level].push(number);
            }
        }
        let mut classes: BTreeMap<&[usize], usize> =
            signatures.get(from).map(|s| (s.as_slice(), 0)).into_iter().collect();
        let class: Vec<usize> = signatures
            .iter()
            .map(|signature| {
                let next = classes.len();
                *classes.entry(signature).or_insert(next)
            })
            .collect();
        let form = |set: &Vec<usize>| {
            let mut holds = vec![false; classes.len()];
            for &level in set {
                holds[class[level]] = true;
            }
            let first = i64::from(holds.first().copied().unwrap_or(false));
            let moved = (1..holds.len()).map(|level| (level, i64::from(holds[level]) - first));
            std::iter::once((0, first)).chain(moved).filter(|&(_, value)| value != 0).collect()
        };
        self.sets[dimension].iter().map(form).collect()
    }
}
