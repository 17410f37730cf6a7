//! The difference between two figures, and whether it can be told from none.

use super::joint::Joint;
use super::ratio::{Ratio, ratio};

/// A difference of two figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The first less the second.
    pub value: f64,
    /// The 95 % interval.
    pub interval: (f64, f64),
    /// Zero lies within the interval: the figures do not differ by more than the noise.
    pub within_noise: bool,
}

impl Difference {
    fn new(value: f64, interval: (f64, f64)) -> Self {
        Self { value, interval, within_noise: interval.0 <= 0.0 && 0.0 <= interval.1 }
    }
}

/// The difference of two weighted sums of the same estimates: exact for normal noise, by its own variance.
#[must_use]
pub fn difference(joint: &Joint<'_>, first: &[f64], second: &[f64], quantile: f64) -> Difference {
    let of = |a: &[f64], b: &[f64]| joint.covariance(a, b);
    let variance = of(first, first) - 2.0 * of(first, second) + of(second, second);
    let value = joint.value(first) - joint.value(second);
    let half_width = quantile * variance.max(0.0).sqrt();
    Difference::new(value, (value - half_width, value + half_width))
}

/// The difference of two figures that have intervals, not necessarily symmetric: shares, means, medians.
///
/// Recovers a variance from each side of each interval (Zou and Donner, Statistics in Medicine 27, 2008); exact for
/// symmetric normal intervals. `correlation` of the two estimates: zero for separate draws.
#[must_use]
pub fn difference_of(first: (f64, (f64, f64)), second: (f64, (f64, f64)), correlation: f64) -> Difference {
    let ((x, (x_low, x_high)), (y, (y_low, y_high))) = (first, second);
    let reach = |a: f64, b: f64| (a * a - 2.0 * correlation * a * b + b * b).max(0.0).sqrt();
    let value = x - y;
    Difference::new(value, (value - reach(x - x_low, y_high - y), value + reach(x_high - x, y - y_low)))
}

/// Two ratios of one estimate, each (numerator, denominator), and their correlation to first order: shares, rates or
/// means of two groups.
#[must_use]
pub fn ratios(
    joint: &Joint<'_>,
    first: (&[f64], &[f64]),
    second: (&[f64], &[f64]),
    quantile: f64,
) -> (Ratio, Ratio, f64) {
    let of = |(numerator, denominator): (&[f64], &[f64])| {
        let found = ratio(joint, numerator, denominator, quantile);
        let value = found.value.unwrap_or(0.0);
        let residual: Vec<f64> = numerator.iter().zip(denominator).map(|(x, y)| x - value * y).collect();
        (found, residual)
    };
    let ((x, a), (y, b)) = (of(first), of(second));
    let scale = (joint.covariance(&a, &a) * joint.covariance(&b, &b)).sqrt();
    let correlation = if scale > 0.0 { (joint.covariance(&a, &b) / scale).clamp(-1.0, 1.0) } else { 0.0 };
    (x, y, correlation)
}

/// The difference of two ratios of one estimate: Fieller's intervals joined by [`difference_of`], with the correlation
/// of the two. `None` if either has no bounds.
#[must_use]
pub fn difference_of_ratios(
    joint: &Joint<'_>,
    first: (&[f64], &[f64]),
    second: (&[f64], &[f64]),
    quantile: f64,
) -> Option<Difference> {
    let (x, y, correlation) = ratios(joint, first, second, quantile);
    Some(difference_of((x.value?, x.interval?), (y.value?, y.interval?), correlation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::Z95;

    #[test]
    fn parts_that_vary_together_are_told_apart_sooner() {
        let values = [120.0, 100.0];
        let (alike, apart) = ([vec![100.0, 90.0], vec![90.0, 100.0]], [vec![100.0, 0.0], vec![0.0, 100.0]]);
        let of = |covariance| difference(&Joint { values: &values, covariance }, &[1.0, 0.0], &[0.0, 1.0], Z95);
        assert!(!of(&alike).within_noise);
        assert!(of(&apart).within_noise);
        assert!((of(&apart).interval.1 - 20.0 - Z95 * 200.0_f64.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn symmetric_intervals_give_the_exact_difference() {
        let (values, covariance) = ([7.0, 4.0], [vec![4.0, 1.5], vec![1.5, 9.0]]);
        let exact = difference(&Joint { values: &values, covariance: &covariance }, &[1.0, 0.0], &[0.0, 1.0], Z95);
        let interval = |x: f64, error: f64| (x, (x - Z95 * error, x + Z95 * error));
        let found = difference_of(interval(7.0, 2.0), interval(4.0, 3.0), 1.5 / 6.0);
        assert!((found.interval.0 - exact.interval.0).abs() < 1e-9 && (found.value - exact.value).abs() < 1e-12);
        assert!(found.within_noise && exact.within_noise);
    }

    #[test]
    fn shares_of_two_groups_differ_by_what_they_do_not_share() {
        // the same numerator noise in both: the difference of the shares is known better than either
        let values = [30.0, 100.0, 50.0, 100.0];
        let covariance: Vec<Vec<f64>> = vec![
            vec![16.0, 0.0, 15.0, 0.0],
            vec![0.0, 1.0, 0.0, 0.0],
            vec![15.0, 0.0, 16.0, 0.0],
            vec![0.0, 0.0, 0.0, 1.0],
        ];
        let joint = Joint { values: &values, covariance: &covariance };
        let (women, men) = ([1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]);
        let (all_women, all_men) = ([0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]);
        let found = difference_of_ratios(&joint, (&women, &all_women), (&men, &all_men), Z95).unwrap();
        assert!((found.value + 0.2).abs() < 1e-12 && !found.within_noise);
        // Var(x1 - x2) = 2, and a little from the denominators
        let expected = Z95 * (2.0_f64 + 0.09 + 0.25).sqrt() / 100.0;
        assert!((found.interval.1 - found.value - expected).abs() < 2e-3, "{found:?}");
        assert_eq!(difference_of_ratios(&joint, (&women, &all_women), (&men, &[0.0; 4]), Z95), None);
    }
}
