//! Residual components: what all measured tables together say about each interaction of dimensions.
//!
//! For a subset `t` of the dimensions the component `c_t` is the `t`-margin, centred along every dimension of `t`.
//! Every measured table that contains `t` gives an unbiased estimate of it with covariance of the same shape, so the
//! best estimate is their average weighted by precision. Any covered table is the sum of its components, each spread
//! evenly over the dimensions it lacks. Linear in the number of cells for a bounded number of dimensions.

use super::margin::{Parts, count, decompose, recompose, varying};
use crate::design::{Design, Region, Subset, size_as_float, subset, subsets};
use crate::noise::NoisyTables;

/// A noisy count as a float: exact far beyond any population.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "counts below 2^53 are exact")]
pub(super) fn float(count: i64) -> f64 {
    count as f64
}

/// The best estimate of every component that is covered.
pub(super) struct Components {
    sizes: Vec<usize>,
    /// Without dimensions of one code, along which nothing varies.
    centred: Parts,
}

impl Components {
    /// Averages the components of all measured tables.
    ///
    /// `None` if a table does not have the cells its dimensions say.
    pub(super) fn of(sizes: &[usize], design: &Design, noisy: &NoisyTables) -> Option<Self> {
        let mut centred = Parts::new();
        for table in &noisy.tables {
            let whole = subset(&table.dims);
            let flat = varying(sizes, whole);
            if table.values.len() != count(sizes, flat) {
                return None;
            }
            let values: Vec<f64> = table.values.iter().copied().map(float).collect();
            for (component, mut values) in decompose(sizes, flat, flat, values) {
                let share = design.share(whole, table.variance, component);
                for value in &mut values {
                    *value *= share;
                }
                accumulate(&mut centred, component, values);
            }
        }
        Some(Self { sizes: sizes.to_vec(), centred })
    }

    pub(super) fn parts_mut(&mut self) -> &mut Parts {
        &mut self.centred
    }

    /// The best estimate of a table over these dimensions, row-major; `None` if it is not covered.
    pub(super) fn rebuild(&self, dims: &[usize]) -> Option<Vec<f64>> {
        let table = varying(&self.sizes, subset(dims));
        let parts = subsets(table).map(|t| Some((t, self.centred.get(&t)?.clone()))).collect::<Option<Parts>>()?;
        recompose(&self.sizes, table, table, parts)
    }

    /// The best estimate of a region; `None` if it is not covered.
    ///
    /// A component adds, over the codes inside along its dimensions, what it holds there, times the part of the codes
    /// that are inside along the others. Where all codes of its own are inside it adds nothing.
    pub(super) fn sum(&self, region: &Region) -> Option<f64> {
        let restricts = |dim: usize, size: usize| region.group(dim).is_some_and(|group| group.len() < size);
        let restricted: Vec<usize> =
            self.sizes.iter().enumerate().filter(|&(dim, &size)| restricts(dim, size)).map(|(dim, _)| dim).collect();
        let mut sum = 0.0;
        for component in subsets(subset(&restricted)) {
            let mut cells = vec![0];
            let mut part = 1.0;
            for &dim in &restricted {
                let (group, size) = (region.group(dim)?, *self.sizes.get(dim)?);
                if component >> dim & 1 == 1 {
                    cells = cells.iter().flat_map(|cell| group.iter().map(move |code| cell * size + code)).collect();
                } else {
                    part *= size_as_float(group.len()) / size_as_float(size);
                }
            }
            let values = self.centred.get(&component)?;
            let inside = cells.iter().map(|&cell| values.get(cell).copied()).sum::<Option<f64>>()?;
            sum += part * inside;
        }
        Some(sum)
    }
}

/// Adds a component to what is known of it.
pub(super) fn accumulate(parts: &mut Parts, component: Subset, values: Vec<f64>) {
    match parts.get_mut(&component) {
        None => {
            parts.insert(component, values);
        }
        Some(sum) => {
            for (sum, value) in sum.iter_mut().zip(values) {
                *sum += value;
            }
        }
    }
}
