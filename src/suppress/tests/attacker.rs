//! An attacker by brute force: every figure is a sum of leaves, and the leaves are all there is.

use crate::suppress::{Told, Verdict};

const PRIME: i64 = 1_000_000_007;

/// The keys of a table in order: the levels of each dimension that a cell stands for.
pub(super) fn keys(axes: &[Vec<Vec<usize>>]) -> Vec<Vec<Vec<usize>>> {
    axes.iter().fold(vec![Vec::new()], |keys, axis| {
        keys.iter()
            .flat_map(|key| {
                axis.iter().map(move |set| {
                    let mut key = key.clone();
                    key.push(set.clone());
                    key
                })
            })
            .collect()
    })
}

/// Which leaves a cell holds.
pub(super) fn holds(sizes: &[usize], key: &[Vec<usize>]) -> Vec<bool> {
    (0..sizes.iter().product::<usize>())
        .map(|leaf| {
            let mut rest = leaf;
            sizes.iter().zip(key).rev().all(|(size, levels)| {
                let level = rest % size;
                rest /= size;
                levels.contains(&level)
            })
        })
        .collect()
}

pub(super) fn sum(sizes: &[usize], leaves: &[f64], key: &[Vec<usize>]) -> f64 {
    leaves.iter().zip(holds(sizes, key)).filter(|(_, held)| *held).map(|(leaf, _)| leaf).sum()
}

/// What everyone sees: (leaves held, figure) of the shown cells, (leaves held, standard error, floor) of the others.
pub(super) struct Seen {
    shown: Vec<(Vec<bool>, f64)>,
    impossible: Vec<bool>,
    pub(super) silent: Vec<(Vec<bool>, f64, f64)>,
}

impl Seen {
    pub(super) fn new(sizes: &[usize], tables: &[Told]) -> Self {
        let leaves = sizes.iter().product();
        let mut seen = Self { shown: Vec::new(), impossible: vec![false; leaves], silent: Vec::new() };
        for told in tables {
            for (place, key) in keys(&told.axes).iter().enumerate() {
                let held = holds(sizes, key);
                match told.verdicts[place] {
                    Verdict::Shown => seen.shown.push((held, told.estimates[place])),
                    Verdict::Structural => {
                        seen.impossible.iter_mut().zip(&held).for_each(|(leaf, held)| *leaf |= held);
                        seen.shown.push((held, 0.0));
                    }
                    Verdict::Withheld => seen.silent.push((held, told.standard_errors[place], told.floor)),
                }
            }
        }
        seen
    }

    /// Whether the cell is a combination of shown ones (and of one more cell, if someone knows it).
    pub(super) fn derives(&self, cell: &[bool], known: Option<&[bool]>) -> bool {
        let rows = || self.shown.iter().map(|(held, _)| held.as_slice()).chain(known);
        rank(rows()) == rank(rows().chain([cell]))
    }

    /// Whether two cells hold the same persons: all that tells them apart is impossible.
    pub(super) fn same(&self, one: &[bool], other: &[bool]) -> bool {
        one.iter().zip(other).zip(&self.impossible).all(|((one, other), impossible)| *impossible || one == other)
    }

    /// How wide the interval of a cell is, every silent cell being at least -6 of its errors.
    pub(super) fn width(&self, cell: &[bool]) -> f64 {
        let equal = self.shown.iter().map(|(held, figure)| (held.as_slice(), *figure));
        let least = self.silent.iter().map(|(held, error, _)| (held.as_slice(), -6.0 * error));
        let mut program = Textbook::new(cell.len(), equal.collect(), least.collect());
        program.best(cell, 1.0) + program.best(cell, -1.0)
    }
}

fn rank<'a>(rows: impl Iterator<Item = &'a [bool]>) -> usize {
    let mut rows: Vec<Vec<i64>> = rows.map(|row| row.iter().map(|&held| i64::from(held)).collect()).collect();
    let columns = rows.first().map_or(0, Vec::len);
    let mut rank = 0;
    for column in 0..columns {
        let Some(pivot) = (rank..rows.len()).find(|&row| rows[row][column] != 0) else { continue };
        rows.swap(rank, pivot);
        for row in rank + 1..rows.len() {
            let (a, b) = (rows[rank][column], rows[row][column]);
            let pivot = rows[rank].clone();
            for (x, y) in rows[row].iter_mut().zip(pivot).skip(column) {
                *x = (*x * a - y * b).rem_euclid(PRIME);
            }
        }
        rank += 1;
    }
    rank
}

/// The two-phase tableau of every textbook, with Bland's rule: slow and plain. Leaves are free: each is a difference.
struct Textbook {
    /// Right-hand side first, then the columns.
    rows: Vec<Vec<f64>>,
    basis: Vec<usize>,
    leaves: usize,
    columns: usize,
}

impl Textbook {
    fn new(leaves: usize, equal: Vec<(&[bool], f64)>, least: Vec<(&[bool], f64)>) -> Self {
        let (known, bounds) = (equal.len(), least.len());
        let columns = 2 * leaves + bounds;
        let mut rows = Vec::new();
        for (number, (held, right)) in equal.into_iter().chain(least).enumerate() {
            let mut row = vec![0.0; 1 + columns + known + bounds];
            row[0] = right;
            for (leaf, _) in held.iter().enumerate().filter(|(_, held)| **held) {
                row[1 + leaf] = 1.0;
                row[1 + leaves + leaf] = -1.0;
            }
            if number >= known {
                row[1 + 2 * leaves + number - known] = -1.0;
            }
            if right < 0.0 {
                for x in &mut row {
                    *x = -*x;
                }
            }
            row[1 + columns + number] = 1.0;
            rows.push(row);
        }
        let basis = (0..rows.len()).map(|row| columns + row).collect();
        let mut program = Self { rows, basis, leaves, columns };
        // first the artificial variables out
        let mut price = vec![0.0; 1 + columns + known + bounds];
        price[1 + columns..].fill(-1.0);
        let left = program.run(&price, 1 + columns + known + bounds);
        assert!(left > -1e-6, "what is published contradicts itself: {left}");
        for row in 0..program.rows.len() {
            if program.basis[row] >= columns
                && let Some(column) = (0..columns).find(|&c| program.rows[row][1 + c].abs() > 1e-7)
            {
                program.pivot(row, column);
            }
        }
        program
    }

    fn best(&mut self, cell: &[bool], sign: f64) -> f64 {
        let mut price = vec![0.0; self.rows.first().map_or(1 + self.columns, Vec::len)];
        for (leaf, _) in cell.iter().enumerate().filter(|(_, held)| **held) {
            price[1 + leaf] = sign;
            price[1 + self.leaves + leaf] = -sign;
        }
        self.run(&price, 1 + self.columns)
    }

    /// Maximises, columns up to `most` allowed in.
    fn run(&mut self, price: &[f64], most: usize) -> f64 {
        for _ in 0..100_000 {
            let reduced = |column: usize| {
                price[column]
                    - self.rows.iter().zip(&self.basis).map(|(row, &b)| price[1 + b] * row[column]).sum::<f64>()
            };
            let Some(entering) = (1..most).find(|&column| reduced(column) > 1e-7) else {
                return self.rows.iter().zip(&self.basis).map(|(row, &b)| price[1 + b] * row[0]).sum();
            };
            let mut leaving: Option<(usize, f64)> = None;
            for (number, row) in self.rows.iter().enumerate() {
                // an artificial variable left at 0 goes out whichever way it would move
                let stuck =
                    self.basis[number] >= self.columns && most <= 1 + self.columns && row[entering].abs() > 1e-7;
                let ratio = if stuck { 0.0 } else { row[0] / row[entering] };
                let better = |(best, least): (usize, f64)| {
                    ratio < least - 1e-9 || (ratio < least + 1e-9 && self.basis[number] < self.basis[best])
                };
                if (row[entering] > 1e-7 || stuck) && leaving.is_none_or(better) {
                    leaving = Some((number, ratio));
                }
            }
            let Some((row, _)) = leaving else { return f64::INFINITY };
            self.pivot(row, entering - 1);
        }
        panic!("the textbook does not end");
    }

    fn pivot(&mut self, row: usize, column: usize) {
        let scale = self.rows[row][1 + column];
        for x in &mut self.rows[row] {
            *x /= scale;
        }
        let pivot = self.rows[row].clone();
        for (_, other) in self.rows.iter_mut().enumerate().filter(|(number, _)| *number != row) {
            let factor = other[1 + column];
            for (x, y) in other.iter_mut().zip(&pivot) {
                *x -= factor * y;
            }
        }
        self.basis[row] = column;
    }
}

#[test]
fn the_attacker_knows_what_everyone_can_add_up() {
    let cell = |held: [u8; 3]| held.iter().map(|&h| h == 1).collect::<Vec<_>>();
    let seen = Seen {
        impossible: vec![false; 3],
        shown: vec![(cell([1, 1, 0]), 9.0), (cell([1, 1, 1]), 30.0)],
        silent: vec![(cell([1, 0, 0]), 1.0, 10.0), (cell([0, 1, 0]), 0.5, 10.0)],
    };
    assert!(seen.derives(&cell([0, 0, 1]), None) && !seen.derives(&cell([1, 0, 0]), None));
    assert!(seen.derives(&cell([1, 0, 0]), Some(&cell([0, 1, 0]))));
    assert!((seen.width(&cell([1, 0, 0])) - (9.0 + 6.0 + 3.0)).abs() < 1e-6);
    assert!(seen.width(&cell([0, 0, 1])).abs() < 1e-6);
}
