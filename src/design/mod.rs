//! The error to expect, in closed form, before anything is measured.
//!
//! A set of measured margins determines, for every table within their span, the variance of its best linear unbiased
//! estimate (residual components of Xiao, He, Zhang and Kifer, "An Optimal and Scalable Matrix Mechanism for Noisy
//! Marginals under Convex Loss Functions", `NeurIPS` 2023). Policy and quotes use it to price a question; `estimate`
//! uses the same numbers for the intervals. Nothing here depends on data.

mod allocate;
mod candidates;
mod nesting;
mod objective;
mod precision;
mod region;
mod search;
mod tree;
mod tree_objective;

pub use allocate::{Candidate, Unallocated, allocate, allocate_with_tree};
pub use candidates::candidates;
pub use nesting::{Measurement, Nesting};
pub use objective::Target;
pub use precision::price_of;
pub use region::Region;
pub(crate) use tree::{Passes, weight as tree_weight};
pub use tree::{Tree, TreeDesign, TreeRegion, TreeTable};

use crate::budget::Nanos;
use std::collections::BTreeMap;

/// The 97.5 % quantile of the standard normal distribution.
pub const Z95: f64 = 1.959_963_984_540_054;

/// A set of dimensions as a bit mask; dimension `i` is bit `i`.
pub(crate) type Subset = u32;

/// The most dimensions one draw can have.
pub const DIMENSIONS_MAX: usize = 16;

/// Variance of discrete Gaussian noise at a price of `units` rho: `l2^2 / (2 rho)`.
#[must_use]
pub fn gaussian_variance(units: Nanos, l2_squared: u64) -> f64 {
    float(l2_squared) / (2.0 * units.at_most())
}

/// Variance of Laplace noise at a price of `units` epsilon: `2 (l1 / epsilon)^2`.
#[must_use]
pub fn laplace_variance(units: Nanos, l1: u64) -> f64 {
    2.0 * (float(l1) / units.at_most()).powi(2)
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "sizes and sensitivities far below 2^53")]
fn float(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "numbers of codes, far below 2^53")]
pub(crate) fn size_as_float(number: usize) -> f64 {
    number as f64
}

/// What a set of measured margins tells about every residual component.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    sizes: Vec<usize>,
    precision: BTreeMap<Subset, f64>,
    measured: Vec<(Subset, f64)>,
}

/// The weight with which one measured table enters an estimate, for cells that fall alike into the groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Influence {
    /// The coefficient of such a cell's noise.
    pub weight: f64,
    /// How many cells share it.
    pub cells: f64,
    /// Variance of the noise of one of them.
    pub variance: f64,
}

impl Design {
    /// A design over dimensions of these sizes; each measured table is its dimensions and the noise variance of a cell.
    #[must_use]
    pub fn new(sizes: &[usize], measured: &[(Vec<usize>, f64)]) -> Self {
        let measured: Vec<(Subset, f64)> = measured.iter().map(|(dims, variance)| (subset(dims), *variance)).collect();
        let mut precision = BTreeMap::new();
        for &(table, variance) in &measured {
            for component in subsets(table) {
                let weight = 1.0 / (variance * cells(sizes, table & !component));
                *precision.entry(component).or_insert(0.0) += weight;
            }
        }
        Self { sizes: sizes.to_vec(), precision, measured }
    }

    /// The weight `1 / (variance * cells summed out)` with which a measured table enters a component, and the
    /// component's whole precision `P_t`.
    pub(crate) fn share(&self, table: Subset, variance: f64, component: Subset) -> f64 {
        let weight = 1.0 / (variance * cells(&self.sizes, table & !component));
        self.precision.get(&component).map_or(0.0, |precision| weight / precision)
    }

    /// The measured tables.
    pub(crate) fn tables(&self) -> impl Iterator<Item = Subset> + '_ {
        self.measured.iter().map(|(table, _)| *table)
    }

    /// `P_t`: the whole precision of a component; `None` if it is not covered.
    pub(crate) fn precision_of(&self, component: Subset) -> Option<f64> {
        self.precision.get(&component).copied()
    }

    /// Variance of the estimate of the number of persons in a group of cells.
    ///
    /// Per dimension, `Some(g)` holds `g` levels fixed (1: a single code), `None` sums the dimension out. `None` as a
    /// result: the measured tables do not cover this table.
    #[must_use]
    pub fn variance(&self, groups: &[Option<usize>]) -> Option<f64> {
        let table = self.table_of(groups);
        let mut sum = 0.0;
        for component in subsets(table) {
            let factor = self.factor(groups, component);
            if factor > 0.0 {
                sum += factor / self.precision.get(&component)?;
            }
        }
        Some(sum)
    }

    /// How the noise of every measured table enters that estimate: for intervals where noise is not normal.
    #[must_use]
    pub fn influences(&self, groups: &[Option<usize>]) -> Vec<Influence> {
        let target = self.table_of(groups);
        let mut all = Vec::new();
        for &(table, variance) in &self.measured {
            let common = table & target;
            for (inside, weight) in subsets(common).zip(self.weights(groups, table, variance, target)) {
                let alike: f64 = self
                    .each(common)
                    .map(|(i, n)| if inside >> i & 1 == 1 { group(groups, i, n) } else { n - group(groups, i, n) })
                    .product();
                let cells = alike * cells(&self.sizes, table & !target);
                if cells > 0.0 {
                    all.push(Influence { weight, cells, variance });
                }
            }
        }
        all
    }

    fn table_of(&self, groups: &[Option<usize>]) -> Subset {
        let fixed: Vec<usize> = groups.iter().enumerate().filter(|(_, g)| g.is_some()).map(|(i, _)| i).collect();
        self.each(subset(&fixed)).fold(0, |table, (i, _)| table | 1 << i)
    }

    /// `prod_{i in t} (g - g^2/n) * prod_{i in T\t} (g/n)^2`.
    fn factor(&self, groups: &[Option<usize>], component: Subset) -> f64 {
        self.each(self.table_of(groups))
            .map(|(i, n)| {
                let g = group(groups, i, n);
                if component >> i & 1 == 1 { g - g * g / n } else { (g / n).powi(2) }
            })
            .product()
    }

    /// For every subset of the dimensions that a measured table and the target have in common, in the order of
    /// [`subsets`], the weight of cells inside the groups along these dimensions and outside along the others:
    /// `sum_t share_t prod_{i in t} (1[inside] - g/n) * prod_{i in T\t} g/n`, one dimension at a time.
    fn weights(&self, groups: &[Option<usize>], table: Subset, variance: f64, target: Subset) -> Vec<f64> {
        let common = table & target;
        let part = |(i, n): (usize, f64)| group(groups, i, n) / n;
        let elsewhere: f64 = self.each(target & !table).map(part).product();
        let mut weights: Vec<f64> =
            subsets(common).map(|component| self.share(table, variance, component) * elsewhere).collect();
        for (position, part) in self.each(common).map(part).enumerate() {
            for block in weights.chunks_mut(2 << position) {
                let (without, with) = block.split_at_mut(1 << position);
                for (without, with) in without.iter_mut().zip(with) {
                    *without = part * (*without - *with);
                    *with += *without;
                }
            }
        }
        weights
    }

    fn each(&self, table: Subset) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.sizes.iter().enumerate().filter(move |(i, _)| table >> i & 1 == 1).map(|(i, &n)| (i, size_as_float(n)))
    }
}

fn group(groups: &[Option<usize>], dimension: usize, all: f64) -> f64 {
    groups.get(dimension).copied().flatten().map_or(all, size_as_float)
}

/// The dimensions as a bit mask; positions beyond [`DIMENSIONS_MAX`] never pass `admit`.
pub(crate) fn subset(dims: &[usize]) -> Subset {
    dims.iter().filter(|&&i| i < DIMENSIONS_MAX).fold(0, |mask, &i| mask | 1 << i)
}

/// Every subset of a set, the empty one first.
pub(crate) fn subsets(of: Subset) -> impl Iterator<Item = Subset> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let current: Subset = next?;
        next = (current != of).then(|| current.wrapping_sub(of) & of);
        Some(current)
    })
}

fn cells(sizes: &[usize], table: Subset) -> f64 {
    sizes.iter().enumerate().filter(|(i, _)| table >> i & 1 == 1).map(|(_, &n)| size_as_float(n)).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn margins_up_to(sizes: &[usize], order: u32, rho: f64) -> (Vec<Vec<usize>>, Design) {
        let tables: Vec<Vec<usize>> = subsets(subset(&(0..sizes.len()).collect::<Vec<_>>()))
            .filter(|t| (1..=order).contains(&t.count_ones()))
            .map(|t| (0..sizes.len()).filter(|i| t >> i & 1 == 1).collect())
            .collect();
        let variance = size_as_float(tables.len()) / (2.0 * rho);
        let measured: Vec<_> = tables.iter().map(|t| (t.clone(), variance)).collect();
        (tables, Design::new(sizes, &measured))
    }

    #[test]
    fn an_even_split_of_fourteen_margins_has_the_published_error() {
        let sizes = [2, 18, 32, 4];
        let (tables, design) = margins_up_to(&sizes, 3, 0.1);
        assert_eq!(tables.len(), 14);
        assert!(((14.0_f64 / 0.2).sqrt() - 8.37).abs() < 0.005, "independent noise");
        let mean: f64 = tables
            .iter()
            .map(|t| design.variance(&(0..4).map(|i| t.contains(&i).then_some(1)).collect::<Vec<_>>()).unwrap())
            .sum::<f64>()
            / 14.0;
        assert!((mean.sqrt() - 6.10).abs() < 0.005, "least squares: {}", mean.sqrt());
    }

    #[test]
    fn influences_add_up_to_the_variance() {
        let sizes = [3, 1, 5];
        let design = Design::new(&sizes, &[(vec![0, 1, 2], 4.0), (vec![0], 2.0), (vec![2], 3.0), (vec![], 1.0)]);
        for groups in [[Some(1), Some(1), Some(1)], [None, None, Some(2)], [Some(2), None, Some(3)], [None, None, None]]
        {
            let by_influence: f64 =
                design.influences(&groups).iter().map(|i| i.weight.powi(2) * i.cells * i.variance).sum();
            assert!((by_influence - design.variance(&groups).unwrap()).abs() < 1e-9, "{groups:?}");
        }
    }

    #[test]
    fn one_table_alone_has_its_own_variance_and_covers_nothing_else() {
        let design = Design::new(&[4, 6], &[(vec![0], 7.0)]);
        assert!((design.variance(&[Some(1), None]).unwrap() - 7.0).abs() < 1e-12);
        assert!((design.variance(&[Some(3), None]).unwrap() - 21.0).abs() < 1e-12);
        assert!((design.variance(&[None, None]).unwrap() - 28.0).abs() < 1e-12);
        assert_eq!(design.variance(&[Some(1), Some(1)]), None);
    }
}
