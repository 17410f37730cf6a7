//! Medians and other quantiles, from the noisy counts of a column's declared bins.
//!
//! Within a bin persons are taken as spread evenly (the grouped quantile of every statistics office). The interval
//! inverts the distribution (Woodruff, Journal of the American Statistical Association 47, 1952): it holds every point
//! at which the hypothesis "this is the quantile" is not rejected by the exact variance of the share below it. No
//! bounds are made up where the number of persons itself cannot be told from zero. What the bins hide, where within one
//! the persons really are, is in no interval.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: one edge more than bins, checked on entry")]

use super::joint::Joint;

/// A quantile of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantile {
    /// The estimate; `None` if no number of persons above zero is estimated.
    pub value: Option<f64>,
    /// The 95 % interval; `None`: unbounded, to be shown without bounds and with status U.
    pub interval: Option<(f64, f64)>,
}

const UNKNOWN: Quantile = Quantile { value: None, interval: None };

/// The quantile `q` in `(0, 1)` of a column with one estimate for each bin between two `edges`, ascending.
///
/// `factor` of [`quantile95`](super::quantile95). At each point the estimate of `persons below - q * persons` is linear
/// in the bins, with exact variance: pointwise the test is exact for normal noise. The hull of the points that pass is
/// reported, which can only be wider: it is wider where the bins about the quantile are empty or nearly so.
#[must_use]
pub fn quantile(joint: &Joint<'_>, edges: &[f64], q: f64, factor: f64) -> Quantile {
    let bins = joint.values.len();
    let persons: f64 = joint.values.iter().sum();
    if edges.len() != bins + 1 || !(persons > 0.0 && 0.0 < q && q < 1.0) {
        return UNKNOWN;
    }
    let every = vec![1.0; bins];
    let known = persons > factor * joint.covariance(&every, &every).max(0.0).sqrt();
    let mut crossings = Ends::default();
    let mut passing = Ends::default();
    let mut weights = vec![-q; bins];
    for bin in 0..bins {
        let at = |part: f64| edges[bin] + part * (edges[bin + 1] - edges[bin]);
        let below = Line::new(joint, &weights, bin);
        for root in below.zeros().into_iter().flatten() {
            crossings.add(at(root));
        }
        for root in below.passing(factor).into_iter().flatten() {
            passing.add(at(root));
        }
        weights[bin] += 1.0;
    }
    Quantile { value: crossings.middle(), interval: passing.ends().filter(|_| known) }
}

/// The first and the last of some points.
#[derive(Default)]
struct Ends(Option<(f64, f64)>);

impl Ends {
    fn add(&mut self, x: f64) {
        self.0 = Some(self.0.map_or((x, x), |(first, last)| (first.min(x), last.max(x))));
    }

    fn ends(&self) -> Option<(f64, f64)> {
        self.0
    }

    fn middle(&self) -> Option<f64> {
        self.0.map(|(first, last)| f64::midpoint(first, last))
    }
}

/// Persons below a point less `q` times all persons, along one bin: `value + part * slope`, with its variance
/// `own + 2 part * with + part^2 * bin`.
struct Line {
    value: f64,
    slope: f64,
    own: f64,
    with: f64,
    bin: f64,
}

impl Line {
    fn new(joint: &Joint<'_>, weights: &[f64], bin: usize) -> Self {
        let mut one = vec![0.0; weights.len()];
        one[bin] = 1.0;
        Self {
            value: joint.value(weights),
            slope: joint.values[bin],
            own: joint.covariance(weights, weights),
            with: joint.covariance(&one, weights),
            bin: joint.covariance[bin][bin],
        }
    }

    /// Where it is zero within the bin: one point, or all of the bin where that is flat.
    fn zeros(&self) -> [Option<f64>; 2] {
        if self.slope == 0.0 {
            return if self.value == 0.0 { [Some(0.0), Some(1.0)] } else { [None, None] };
        }
        let root = -self.value / self.slope;
        [Some(root).filter(|root| (0.0..=1.0).contains(root)), None]
    }

    /// The first and last points of the bin at which it is within `factor` standard errors of zero.
    fn passing(&self, factor: f64) -> [Option<f64>; 4] {
        let square = factor * factor;
        let excess = |x: f64| {
            let value = self.value + x * self.slope;
            value * value - square * (self.own + 2.0 * x * self.with + x * x * self.bin)
        };
        let a = self.slope * self.slope - square * self.bin;
        let b = self.value * self.slope - square * self.with;
        let c = self.value * self.value - square * self.own;
        let discriminant = b * b - a * c;
        let root = |sign: f64| {
            let x = (sign * discriminant.sqrt() - b) / a;
            Some(x).filter(|x| discriminant >= 0.0 && (0.0..=1.0).contains(x))
        };
        let end = |x: f64| Some(x).filter(|&x| excess(x) <= 0.0);
        [end(0.0), end(1.0), root(-1.0), root(1.0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::Z95;

    fn of(values: &[f64], variance: f64, edges: &[f64], q: f64) -> Quantile {
        let covariance: Vec<Vec<f64>> = (0..values.len())
            .map(|i| (0..values.len()).map(|j| if i == j { variance } else { 0.0 }).collect())
            .collect();
        quantile(&Joint { values, covariance: &covariance }, edges, q, Z95)
    }

    #[test]
    fn a_median_is_where_half_lies_below() {
        let found = of(&[100.0, 200.0, 100.0], 0.0, &[0.0, 10.0, 20.0, 80.0], 0.5);
        assert_eq!(found, Quantile { value: Some(15.0), interval: Some((15.0, 15.0)) });
        let quarter = of(&[100.0, 200.0, 100.0], 0.0, &[0.0, 10.0, 20.0, 80.0], 0.25);
        assert_eq!(quarter.value, Some(10.0));
    }

    #[test]
    fn bounds_are_where_the_test_just_rejects() {
        let (values, edges, variance) = ([50.0, 90.0, 70.0, 40.0], [0.0, 1.0, 3.0, 4.0, 9.0], 30.0);
        let (low, high) = of(&values, variance, &edges, 0.5).interval.unwrap();
        for x in [low, high] {
            // by hand: the share of each bin that lies below x
            let below = |i: usize| ((x - edges[i]) / (edges[i + 1] - edges[i])).clamp(0.0, 1.0);
            let value: f64 = (0..4).map(|i| (below(i) - 0.5) * values[i]).sum();
            let error = (0..4).map(|i| (below(i) - 0.5).powi(2) * variance).sum::<f64>().sqrt();
            assert!((value.abs() / error - Z95).abs() < 1e-9, "{x}");
        }
        assert!(low < high);
    }

    #[test]
    fn an_empty_stretch_widens_the_interval_and_centres_the_value() {
        let found = of(&[100.0, 0.0, 100.0], 1e-6, &[0.0, 10.0, 20.0, 30.0], 0.5);
        let (low, high) = found.interval.unwrap();
        assert!(low < 10.0 && high > 20.0, "{low} {high}");
        assert_eq!(found.value, Some(15.0));
    }

    #[test]
    fn nobody_has_no_median() {
        let edges = [0.0, 1.0, 2.0];
        assert_eq!(of(&[-3.0, 2.0], 1.0, &edges, 0.5), UNKNOWN);
        assert_eq!(of(&[3.0, 2.0], 1.0, &edges[..2], 0.5), UNKNOWN);
        let few = of(&[3.0, 2.0], 100.0, &edges, 0.5);
        assert!(few.value.is_some() && few.interval.is_none(), "five persons, give or take twenty-eight");
    }
}
