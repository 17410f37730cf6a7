//! Residual components: what all measured tables together say about each interaction of dimensions.
//!
//! For a subset `t` of the dimensions the component `c_t` is the `t`-margin, centred along every dimension of `t`.
//! Every measured table that contains `t` gives an unbiased estimate of it with covariance of the same shape, so the
//! best estimate is their average weighted by precision. Any covered table is the sum of its components, each spread
//! evenly over the dimensions it lacks. Linear in the number of cells for a bounded number of dimensions.
#![expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a numeric kernel: strides are computed from the very sizes the vectors were made with"
)]

use crate::design::{Design, Subset, size_as_float, subset, subsets};
use crate::noise::NoisyTables;
use std::collections::BTreeMap;

/// A noisy count as a float: exact far beyond any population.
pub(super) fn float(count: i64) -> f64 {
    count as f64
}

/// The best estimate of every component that is covered.
pub(super) struct Components<'a> {
    sizes: &'a [usize],
    centred: BTreeMap<Subset, Vec<f64>>,
}

impl<'a> Components<'a> {
    /// Averages the margins of all measured tables, component by component, and centres them.
    ///
    /// `None` if a table does not have the cells its dimensions say.
    pub(super) fn of(sizes: &'a [usize], design: &Design, noisy: &NoisyTables) -> Option<Self> {
        let mut centred: BTreeMap<Subset, Vec<f64>> = BTreeMap::new();
        for table in &noisy.tables {
            let whole = subset(&table.dims);
            if table.values.len() != count(sizes, whole) {
                return None;
            }
            let values: Vec<f64> = table.values.iter().copied().map(float).collect();
            for (component, margin) in margins(sizes, whole, values) {
                let share = design.share(whole, table.variance, component);
                let sum = centred.entry(component).or_insert_with(|| vec![0.0; margin.len()]);
                for (sum, value) in sum.iter_mut().zip(margin) {
                    *sum += share * value;
                }
            }
        }
        for (&component, values) in &mut centred {
            for dimension in members(component) {
                centre(sizes, component, dimension, values);
            }
        }
        Some(Self { sizes, centred })
    }

    /// The best estimate of a table over these dimensions, row-major; `None` if it is not covered.
    pub(super) fn rebuild(&self, dims: &[usize]) -> Option<Vec<f64>> {
        let table = subset(dims);
        let mut values = vec![0.0; count(self.sizes, table)];
        for component in subsets(table) {
            if members(component).any(|d| self.sizes[d] == 1) {
                continue; // a dimension of one code varies nowhere: its component is zero
            }
            let part = self.centred.get(&component)?;
            let spread = count(self.sizes, table & !component) as f64;
            let places = places(self.sizes, table, component);
            for (value, place) in values.iter_mut().zip(places) {
                *value += part[place] / spread;
            }
        }
        Some(values)
    }
}

fn members(of: Subset) -> impl DoubleEndedIterator<Item = usize> {
    (0..crate::design::DIMENSIONS_MAX).filter(move |d| of >> d & 1 == 1)
}

fn count(sizes: &[usize], table: Subset) -> usize {
    members(table).map(|d| sizes[d]).product()
}

/// Every margin of a table, itself included: each is summed from one with a single dimension more.
fn margins(sizes: &[usize], whole: Subset, values: Vec<f64>) -> BTreeMap<Subset, Vec<f64>> {
    let mut all = BTreeMap::from([(whole, values)]);
    for dropped in members(whole) {
        let known: Vec<Subset> = all.keys().copied().collect();
        for table in known {
            let margin = sum_out(sizes, table, dropped, &all[&table]);
            all.insert(table & !(1 << dropped), margin);
        }
    }
    all
}

/// (blocks before, levels, cells behind) of a dimension in a row-major table.
fn strides(sizes: &[usize], table: Subset, dimension: usize) -> (usize, usize, usize) {
    let before = members(table).filter(|&d| d < dimension).map(|d| sizes[d]).product();
    let behind = members(table).filter(|&d| d > dimension).map(|d| sizes[d]).product();
    (before, sizes[dimension], behind)
}

fn sum_out(sizes: &[usize], table: Subset, dimension: usize, values: &[f64]) -> Vec<f64> {
    let (before, levels, behind) = strides(sizes, table, dimension);
    let mut margin = vec![0.0; before * behind];
    for block in 0..before {
        for level in 0..levels {
            let from = (block * levels + level) * behind;
            for (sum, value) in margin[block * behind..][..behind].iter_mut().zip(&values[from..from + behind]) {
                *sum += value;
            }
        }
    }
    margin
}

fn centre(sizes: &[usize], table: Subset, dimension: usize, values: &mut [f64]) {
    let mean = sum_out(sizes, table, dimension, values);
    let (_, levels, behind) = strides(sizes, table, dimension);
    let share = 1.0 / size_as_float(levels);
    for (place, value) in values.iter_mut().enumerate() {
        let block = place / (levels * behind);
        *value -= mean[block * behind + place % behind] * share;
    }
}

/// For every cell of `table` in order, its place in the margin `component`.
fn places(sizes: &[usize], table: Subset, component: Subset) -> Vec<usize> {
    let mut places = vec![0];
    for dimension in members(table) {
        let levels = sizes[dimension];
        let kept = component >> dimension & 1 == 1;
        places = places
            .iter()
            .flat_map(|&place| (0..levels).map(move |level| if kept { place * levels + level } else { place }))
            .collect();
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Accounting;
    use crate::noise::NoisyTable;

    fn noisy(tables: Vec<(Vec<usize>, Vec<i64>, f64)>) -> NoisyTables {
        let tables = tables.into_iter().map(|(dims, values, variance)| NoisyTable { dims, values, variance }).collect();
        NoisyTables { accounting: Accounting::Zcdp, tables }
    }

    /// A dense weighted least squares by the normal equations, solved by Gaussian elimination: shares no code with the
    /// closed form.
    fn dense(sizes: &[usize], noisy: &NoisyTables) -> (Vec<f64>, Vec<Vec<f64>>) {
        let cells: usize = sizes.iter().product();
        let (mut normal, mut right) = (vec![vec![0.0; cells]; cells], vec![0.0; cells]);
        let full = subset(&(0..sizes.len()).collect::<Vec<_>>());
        for table in &noisy.tables {
            let place = places(sizes, full, subset(&table.dims));
            for i in 0..cells {
                right[i] += table.values[place[i]] as f64 / table.variance;
                for j in 0..cells {
                    normal[i][j] += if place[i] == place[j] { 1.0 / table.variance } else { 0.0 };
                }
            }
        }
        let mut inverse: Vec<Vec<f64>> =
            (0..cells).map(|i| (0..cells).map(|j| f64::from(u8::from(i == j))).collect()).collect();
        for pivot in 0..cells {
            let best =
                (pivot..cells).max_by(|&a, &b| normal[a][pivot].abs().total_cmp(&normal[b][pivot].abs())).unwrap();
            normal.swap(pivot, best);
            inverse.swap(pivot, best);
            let scale = normal[pivot][pivot];
            for row in (0..cells).filter(|&row| row != pivot) {
                let factor = normal[row][pivot] / scale;
                for column in 0..cells {
                    let (a, b) = (normal[pivot][column], inverse[pivot][column]);
                    normal[row][column] -= factor * a;
                    inverse[row][column] -= factor * b;
                }
            }
            for column in 0..cells {
                normal[pivot][column] /= scale;
                inverse[pivot][column] /= scale;
            }
        }
        let solution = inverse.iter().map(|row| row.iter().zip(&right).map(|(a, b)| a * b).sum()).collect();
        (solution, inverse)
    }

    #[test]
    fn the_closed_form_is_the_dense_least_squares() {
        let sizes = [2, 3, 1, 4];
        let table = |dims: &[usize], seed: i64, variance| {
            let cells: usize = dims.iter().map(|&d| sizes[d]).product();
            (dims.to_vec(), (0..i64::try_from(cells).unwrap()).map(|i| (i * 7919 + seed) % 101 - 9).collect(), variance)
        };
        let all = [0, 1, 2, 3];
        let noisy = noisy(vec![
            table(&all, 3, 4.0),
            table(&[0, 1], 11, 1.5),
            table(&[1, 3], 5, 2.0),
            table(&[], 50, 0.5),
            table(&[2], 8, 3.0),
        ]);
        let measured: Vec<_> = noisy.tables.iter().map(|t| (t.dims.clone(), t.variance)).collect();
        let design = Design::new(&sizes, &measured);
        let components = Components::of(&sizes, &design, &noisy).unwrap();
        let (reference, covariance) = dense(&sizes, &noisy);
        for (mine, other) in components.rebuild(&all).unwrap().iter().zip(&reference) {
            assert!((mine - other).abs() < 1e-9, "{mine} {other}");
        }
        let variance = design.variance(&[Some(1); 4]).unwrap();
        assert!(covariance.iter().enumerate().all(|(i, row)| (row[i] - variance).abs() < 1e-9));
    }

    #[test]
    fn every_table_is_the_margin_of_every_larger_one() {
        let sizes = [3, 4, 5];
        let noisy = noisy(vec![
            (vec![0, 1, 2], (0..60).map(|i| (i * i) % 37).collect(), 3.0),
            (vec![0, 2], (0..15).map(|i| i * 9).collect(), 1.0),
            (vec![], vec![1_000], 1.0),
        ]);
        let measured: Vec<_> = noisy.tables.iter().map(|t| (t.dims.clone(), t.variance)).collect();
        let components = Components::of(&sizes, &Design::new(&sizes, &measured), &noisy).unwrap();
        let whole = components.rebuild(&[0, 1, 2]).unwrap();
        for (margin, table) in
            margins(&sizes, 0b111, whole).into_iter().map(|(t, m)| (m, members(t).collect::<Vec<_>>()))
        {
            let own = components.rebuild(&table).unwrap();
            assert!(own.iter().zip(&margin).all(|(a, b)| (a - b).abs() < 1e-9), "{table:?}");
        }
    }

    #[test]
    fn what_was_not_measured_is_not_made_up() {
        let noisy = noisy(vec![(vec![0], vec![1, 2], 1.0), (vec![1], vec![3, 4, 5], 1.0)]);
        let measured: Vec<_> = noisy.tables.iter().map(|t| (t.dims.clone(), t.variance)).collect();
        let components = Components::of(&[2, 3], &Design::new(&[2, 3], &measured), &noisy).unwrap();
        assert!(components.rebuild(&[0]).is_some());
        assert_eq!(components.rebuild(&[0, 1]), None);
    }
}
