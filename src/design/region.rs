//! Any product of groups of codes, and how the estimates of two of them vary together.
//!
//! Groups need not be nested nor cover a list: a filter, a broad age, a region of countries, "all but this code".
//! Nothing here depends on data.

use super::{Design, Subset, size_as_float, subsets};
use std::collections::BTreeSet;

/// The cells whose code lies, in every dimension, in a set of codes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Region {
    groups: Vec<Option<BTreeSet<usize>>>,
}

/// Two groups of codes of one dimension: how many each has, how many they share, of how many in all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Overlap {
    pub(crate) first: f64,
    pub(crate) second: f64,
    pub(crate) common: f64,
    pub(crate) all: f64,
}

impl Overlap {
    /// Covariance of two group sums of a centred component of unit variance: `|A and B| - |A||B| / n`.
    pub(crate) fn inside(self) -> f64 {
        self.common - self.first * self.second / self.all
    }

    /// What is left of it where the component does not have the dimension: `|A||B| / n^2`.
    pub(crate) fn outside(self) -> f64 {
        self.first * self.second / (self.all * self.all)
    }
}

impl Region {
    /// Per dimension the positions of the codes inside; `None` sums the dimension out. Dimensions left off at the end
    /// are summed out.
    #[must_use]
    pub fn new(groups: Vec<Option<BTreeSet<usize>>>) -> Self {
        Self { groups }
    }

    /// One cell: of each of these dimensions a single code.
    #[must_use]
    pub fn cell(codes: &[(usize, usize)]) -> Self {
        codes.iter().fold(Self::default(), |region, &(dim, code)| region.within(dim, [code]))
    }

    /// The same region, within these codes of a dimension alone: replaces what was there.
    #[must_use]
    pub fn within(mut self, dim: usize, codes: impl IntoIterator<Item = usize>) -> Self {
        if self.groups.len() <= dim && dim < super::DIMENSIONS_MAX {
            self.groups.resize(dim + 1, None);
        }
        if let Some(group) = self.groups.get_mut(dim) {
            *group = Some(codes.into_iter().collect());
        }
        self
    }

    /// The codes inside of a dimension; `None` if it is summed out.
    #[must_use]
    pub fn group(&self, dim: usize) -> Option<&BTreeSet<usize>> {
        self.groups.get(dim)?.as_ref()
    }

    pub(crate) fn overlap(&self, other: &Self, dim: usize, size: usize) -> Overlap {
        let (mine, theirs) = (self.group(dim), other.group(dim));
        let count = |group: Option<&BTreeSet<usize>>| size_as_float(group.map_or(size, BTreeSet::len));
        let common = match (mine, theirs) {
            (Some(a), Some(b)) => size_as_float(a.intersection(b).count()),
            (Some(one), None) | (None, Some(one)) => size_as_float(one.len()),
            (None, None) => size_as_float(size),
        };
        Overlap { first: count(mine), second: count(theirs), common, all: size_as_float(size) }
    }
}

impl Design {
    /// Covariance of the estimates of the numbers of persons in two regions; their variance if they are the same.
    ///
    /// `sum_t 1/P_t * prod_{i in t} (|A_i and B_i| - |A_i||B_i|/n_i) * prod_{i not in t} |A_i||B_i|/n_i^2`. `None`: the
    /// measured tables do not cover them.
    #[must_use]
    pub fn covariance(&self, first: &Region, second: &Region) -> Option<f64> {
        let overlaps: Vec<Overlap> =
            self.sizes.iter().enumerate().map(|(dim, &size)| first.overlap(second, dim, size)).collect();
        let varying: Vec<(usize, &Overlap)> = overlaps.iter().enumerate().filter(|(_, o)| o.inside() != 0.0).collect();
        let table: Subset = varying.iter().fold(0, |table, (dim, _)| table | 1 << dim);
        let mut sum = 0.0;
        for component in subsets(table) {
            let factor: f64 = overlaps
                .iter()
                .enumerate()
                .map(|(dim, o)| if component >> dim & 1 == 1 { o.inside() } else { o.outside() })
                .product();
            sum += factor / self.precision.get(&component)?;
        }
        Some(sum)
    }

    /// How many codes a region holds of each dimension, as [`Design::variance`] takes them.
    pub(crate) fn group_sizes(&self, region: &Region) -> Vec<Option<usize>> {
        (0..self.sizes.len()).map(|dim| region.group(dim).map(BTreeSet::len)).collect()
    }

    /// Covariances of the estimates of several regions, in their order.
    #[must_use]
    pub fn covariances(&self, regions: &[Region]) -> Option<Vec<Vec<f64>>> {
        regions.iter().map(|a| regions.iter().map(|b| self.covariance(a, b)).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_varies_with_itself_as_its_group_sizes_say() {
        let design = Design::new(&[5, 1, 7], &[(vec![0, 1, 2], 4.0), (vec![0], 2.0), (vec![2], 3.0)]);
        for (region, groups) in [
            (Region::cell(&[(0, 3), (2, 6)]), [Some(1), None, Some(1)]),
            (Region::cell(&[(1, 0)]), [None, Some(1), None]),
            (Region::default().within(0, [0, 2, 4]).within(2, [1, 5]), [Some(3), None, Some(2)]),
            (Region::default().within(0, 0..5), [None, None, None]),
        ] {
            let (own, by_size) = (design.covariance(&region, &region).unwrap(), design.variance(&groups).unwrap());
            assert!((own - by_size).abs() < 1e-12 * by_size, "{region:?}: {own} {by_size}");
        }
    }

    #[test]
    fn covariances_are_bilinear_and_symmetric() {
        let design = Design::new(&[6, 4], &[(vec![0, 1], 5.0), (vec![0], 1.0), (vec![], 2.0)]);
        let (a, b, c) = (Region::default().within(0, [0, 1]), Region::cell(&[(0, 4)]), Region::cell(&[(0, 1), (1, 3)]));
        let both = Region::default().within(0, [0, 1, 4]);
        let of = |x: &Region, y: &Region| design.covariance(x, y).unwrap();
        assert!((of(&both, &c) - of(&a, &c) - of(&b, &c)).abs() < 1e-12);
        assert!((of(&a, &c) - of(&c, &a)).abs() < 1e-12);
        let whole: f64 = (0..6).map(|code| of(&Region::cell(&[(0, code)]), &c)).sum();
        assert!((whole - of(&Region::default(), &c)).abs() < 1e-12, "codes add up to the total");
    }

    #[test]
    fn what_is_not_covered_has_no_covariance() {
        let design = Design::new(&[3, 3], &[(vec![0], 1.0), (vec![1], 1.0)]);
        let cell = Region::cell(&[(0, 1), (1, 1)]);
        assert_eq!(design.covariance(&cell, &cell), None);
        assert!(design.covariance(&cell, &Region::cell(&[(0, 1)])).is_some(), "with a covered one it is known");
        assert_eq!(design.covariances(&[Region::cell(&[(0, 1)]), cell]), None);
    }
}
