//! A table taken apart into residual components and put together again: the kernels under every estimate.
//!
//! Along a dimension a table is its mean and what is left when the mean is taken away. Done along every dimension this
//! gives, for each subset `t`, the centred `t`-margin `c_t`; the table is `sum_t c_t / prod_{i not in t} n_i`. Both
//! ways take time linear in the cells, times the dimensions. Tables are row-major over their dimensions, ascending.
#![expect(
    clippy::indexing_slicing,
    reason = "a numeric kernel: strides are computed from the very sizes the vectors were made with"
)]

use crate::design::{DIMENSIONS_MAX, Subset, size_as_float};
use std::collections::BTreeMap;

/// Centred margins by their dimensions.
pub(super) type Parts = BTreeMap<Subset, Vec<f64>>;

/// The dimensions of a set, ascending.
pub(super) fn members(of: Subset) -> impl Iterator<Item = usize> {
    (0..DIMENSIONS_MAX).filter(move |d| of >> d & 1 == 1)
}

/// The cells of a table.
pub(super) fn count(sizes: &[usize], table: Subset) -> usize {
    members(table).map(|d| sizes[d]).product()
}

/// The dimensions of a table that have more than one code: only along these does anything vary. One that does not exist
/// has none.
pub(super) fn varying(sizes: &[usize], table: Subset) -> Subset {
    members(table).filter(|&d| sizes.get(d).is_some_and(|size| *size > 1)).fold(0, |kept, d| kept | 1 << d)
}

/// Takes a table apart along some of its dimensions: every margin over the others, centred along each of these it has.
pub(super) fn decompose(sizes: &[usize], table: Subset, along: Subset, values: Vec<f64>) -> Parts {
    let mut parts = Parts::from([(table, values)]);
    for dimension in members(table & along) {
        let mut margins = Parts::new();
        for (&part, values) in &mut parts {
            let margin = sum_out(sizes, part, dimension, values);
            add(sizes, part, dimension, values, &margin, -1.0 / size_as_float(sizes[dimension]));
            margins.insert(part & !(1 << dimension), margin);
        }
        parts.append(&mut margins);
    }
    parts
}

/// Puts a table together from its components; `None` if one is missing. The opposite of [`decompose`].
pub(super) fn recompose(sizes: &[usize], table: Subset, along: Subset, mut parts: Parts) -> Option<Vec<f64>> {
    for dimension in members(table & along) {
        let (mut with, without): (Parts, Parts) = parts.into_iter().partition(|(part, _)| part >> dimension & 1 == 1);
        for (&part, values) in &mut with {
            let margin = without.get(&(part & !(1 << dimension)))?;
            add(sizes, part, dimension, values, margin, 1.0 / size_as_float(sizes[dimension]));
        }
        parts = with;
    }
    parts.remove(&table)
}

/// (blocks before, levels, cells behind) of a dimension in a row-major table.
fn strides(sizes: &[usize], table: Subset, dimension: usize) -> (usize, usize, usize) {
    let before = members(table).filter(|&d| d < dimension).map(|d| sizes[d]).product();
    let behind = members(table).filter(|&d| d > dimension).map(|d| sizes[d]).product();
    (before, sizes[dimension], behind)
}

/// The margin of a table without one dimension.
pub(super) fn sum_out(sizes: &[usize], table: Subset, dimension: usize, values: &[f64]) -> Vec<f64> {
    let (before, levels, behind) = strides(sizes, table, dimension);
    if behind == 1 {
        return values.chunks_exact(levels).map(|row| row.iter().sum()).collect();
    }
    let mut margin = vec![0.0; before * behind];
    for (sums, block) in margin.chunks_exact_mut(behind).zip(values.chunks_exact(levels * behind)) {
        for row in block.chunks_exact(behind) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
        }
    }
    margin
}

/// Adds a multiple of a margin to every level of the dimension it lacks.
fn add(sizes: &[usize], table: Subset, dimension: usize, values: &mut [f64], margin: &[f64], factor: f64) {
    let (_, levels, behind) = strides(sizes, table, dimension);
    if behind == 1 {
        for (row, mean) in values.chunks_exact_mut(levels).zip(margin) {
            let step = factor * mean;
            for value in row {
                *value += step;
            }
        }
        return;
    }
    for (means, block) in margin.chunks_exact(behind).zip(values.chunks_exact_mut(levels * behind)) {
        for row in block.chunks_exact_mut(behind) {
            for (value, mean) in row.iter_mut().zip(means) {
                *value += factor * mean;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_taken_apart_and_put_together_is_the_same() {
        let sizes = [3, 1, 4, 5];
        let values: Vec<f64> = (0..60_u32).map(|i| f64::from(i * i % 37)).collect();
        for along in [0b1101, 0b0101, 0b0000] {
            let parts = decompose(&sizes, 0b1101, along, values.clone());
            assert_eq!(parts.len(), 1 << Subset::count_ones(along));
            for (&part, values) in &parts {
                assert_eq!(values.len(), count(&sizes, part));
                for dimension in members(part & along) {
                    let sums = sum_out(&sizes, part, dimension, values);
                    assert!(sums.iter().all(|sum| sum.abs() < 1e-9), "centred along {dimension}");
                }
            }
            let again = recompose(&sizes, 0b1101, along, parts).unwrap();
            assert!(again.iter().zip(&values).all(|(a, b)| (a - b).abs() < 1e-10));
        }
    }

    #[test]
    fn a_missing_component_is_not_made_up() {
        let mut parts = decompose(&[2, 3], 0b11, 0b11, vec![1.0; 6]);
        parts.remove(&0b01);
        assert_eq!(recompose(&[2, 3], 0b11, 0b11, parts), None);
    }
}
