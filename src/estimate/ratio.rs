//! A share, a rate or a mean: one estimate divided by another that varies with it.
//!
//! The interval is Fieller's: exact for normal estimates, whatever the denominator, where the delta method is not. If
//! the denominator cannot be told from zero it has no finite bounds, and none are made up. Measured (coverage tests):
//! 95 % where the denominator is five standard errors or more; the rare intervals of denominators that only just pass
//! for a number hold the truth too seldom (76 % at under one standard error), for it was noise that let them pass.

use super::joint::Joint;

/// A ratio of two estimates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// The quotient; `None` if the denominator is not above zero.
    pub value: Option<f64>,
    /// Its standard error to first order; `None` with the value.
    pub standard_error: Option<f64>,
    /// The 95 % interval; `None`: unbounded, to be shown without bounds and with status U.
    pub interval: Option<(f64, f64)>,
}

impl Ratio {
    /// The same figure moved and stretched: `offset + scale * ratio`, for a scale above zero.
    #[must_use]
    pub fn shifted(self, offset: f64, scale: f64) -> Self {
        let moved = |x: f64| offset + scale * x;
        Self {
            value: self.value.map(moved),
            standard_error: self.standard_error.map(|error| error * scale),
            interval: self.interval.map(|(low, high)| (moved(low), moved(high))),
        }
    }

    /// The same figure, its bounds within what it can be at all: a share in `(0, 1)`, a mean in its column's range. The
    /// value stays as it is: cut off, it would be biased.
    #[must_use]
    pub fn bounded(self, least: f64, most: f64) -> Self {
        let interval = self.interval.map(|(low, high)| (low.clamp(least, most), high.clamp(least, most)));
        Self { interval, ..self }
    }
}

/// Numerator over denominator, each a weighted sum of the same estimates; `quantile` of
/// [`quantile95`](super::quantile95).
///
/// Bounds are the `r` with `(x - r y)^2 <= q^2 Var(x - r y)` (Fieller, Journal of the Royal Statistical Society B 16,
/// 1954): an interval if and only if `y^2 > q^2 Var(y)`.
#[must_use]
pub fn ratio(joint: &Joint<'_>, numerator: &[f64], denominator: &[f64], quantile: f64) -> Ratio {
    let (x, y) = (joint.value(numerator), joint.value(denominator));
    let of = |a: &[f64], b: &[f64]| joint.covariance(a, b);
    let (xx, xy, yy) = (of(numerator, numerator), of(numerator, denominator), of(denominator, denominator));
    let square = quantile * quantile;
    let (leading, half, constant) = (y * y - square * yy, x * y - square * xy, x * x - square * xx);
    let positive = y > 0.0 && x.is_finite();
    let value = positive.then(|| x / y);
    let standard_error = value.map(|r| (xx - 2.0 * r * xy + r * r * yy).max(0.0).sqrt() / y);
    // with a leading term above zero the quotient itself satisfies the inequality: the root is real but for rounding
    let root = (half * half - leading * constant).max(0.0).sqrt();
    let interval = (positive && leading > 0.0).then(|| ((half - root) / leading, (half + root) / leading));
    Ratio { value, standard_error, interval: interval.filter(|(low, high)| low.is_finite() && high.is_finite()) }
}

/// The ends of a ratio of two figures that cannot be below zero and have intervals, not necessarily symmetric.
///
/// The `r` at which the interval of `first - r * second` just holds zero, from a variance for each side of each
/// interval (Donner and Zou, Statistical Methods in Medical Research 21, 2012): Fieller's for symmetric normal ones.
/// `correlation` of the two estimates. A lower end below zero means zero. `None`: the second cannot be told from zero,
/// and no upper end exists.
#[must_use]
pub fn ratio_of(first: (f64, (f64, f64)), second: (f64, (f64, f64)), correlation: f64) -> Option<(f64, f64)> {
    let ((x, (x_low, x_high)), (y, (y_low, y_high))) = (first, second);
    let terms = |a: f64, b: f64| (y * y - b * b, x * y - correlation * a * b, x * x - a * a);
    let root = |(leading, half, constant): (f64, f64, f64)| (half * half - leading * constant).max(0.0).sqrt();
    let (below, above) = (terms(x - x_low, y_high - y), terms(x_high - x, y - y_low));
    // The smaller root in a form that holds whatever the sign of the leading term.
    let low = below.2 / (below.1 + root(below));
    let high = (above.1 + root(above)) / above.0;
    (y_low > 0.0 && above.0 > 0.0 && low.is_finite() && high.is_finite()).then_some((low, high))
}

/// A mean of a column in `[lo, hi]`: the midpoint plus the sum of what is above it over the count of values there are.
///
/// `numerator` weighs the centred sum, in units of `1 / scale` of the column's; `denominator` the non-missing count.
/// Both are measured with noise of their own, so their covariance is zero unless the caller says otherwise.
#[must_use]
pub fn mean(
    joint: &Joint<'_>,
    numerator: &[f64],
    denominator: &[f64],
    quantile: f64,
    (least, most): (f64, f64),
    scale: f64,
) -> Ratio {
    let about_middle = ratio(joint, numerator, denominator, quantile);
    about_middle.shifted(f64::midpoint(least, most), 1.0 / scale).bounded(least, most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::Z95;

    fn of(values: [f64; 2], covariance: [[f64; 2]; 2]) -> Ratio {
        let covariance = covariance.map(|row| row.to_vec());
        ratio(&Joint { values: &values, covariance: &covariance }, &[1.0, 0.0], &[0.0, 1.0], Z95)
    }

    #[test]
    fn bounds_are_where_the_test_just_rejects() {
        let (values, covariance) = ([40.0, 100.0], [[25.0, 9.0], [9.0, 64.0]]);
        let found = of(values, covariance);
        let (low, high) = found.interval.unwrap();
        for r in [low, high] {
            let variance = covariance[0][0] - 2.0 * r * covariance[0][1] + r * r * covariance[1][1];
            assert!(((values[0] - r * values[1]).abs() / variance.sqrt() - Z95).abs() < 1e-9);
        }
        assert!(low < 0.4 && 0.4 < high && found.value == Some(0.4));
        // far from zero the delta method agrees
        let sure = of([40_000.0, 100_000.0], covariance);
        let (low, high) = sure.interval.unwrap();
        assert!(((high - low) / 2.0 / (Z95 * sure.standard_error.unwrap()) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn a_denominator_like_zero_has_no_bounds() {
        let found = of([5.0, 10.0], [[25.0, 0.0], [0.0, 100.0]]);
        assert_eq!((found.value, found.interval), (Some(0.5), None));
        for below in [0.0, -30.0, f64::NAN] {
            let found = of([5.0, below], [[1.0, 0.0], [0.0, 1.0]]);
            assert_eq!(found, Ratio { value: None, standard_error: None, interval: None }, "{below}");
        }
        // just on either side of where the bounds run away
        assert!(of([5.0, Z95 * 10.0 + 1e-6], [[25.0, 0.0], [0.0, 100.0]]).interval.is_some());
        assert!(of([5.0, Z95 * 10.0 - 1e-6], [[25.0, 0.0], [0.0, 100.0]]).interval.is_none());
    }

    #[test]
    fn a_part_that_is_the_whole_has_no_error() {
        let found = of([50.0, 50.0], [[9.0, 9.0], [9.0, 9.0]]);
        assert_eq!(found.value, Some(1.0));
        let (low, high) = found.interval.unwrap();
        assert!((low - 1.0).abs() < 1e-9 && (high - 1.0).abs() < 1e-9);
    }

    #[test]
    fn symmetric_normal_intervals_give_fiellers_ratio() {
        let (values, covariance) = ([40.0, 100.0], [[25.0, 9.0], [9.0, 64.0]]);
        let exact = of(values, covariance).interval.unwrap();
        let interval = |x: f64, error: f64| (x, (x - Z95 * error, x + Z95 * error));
        let found = ratio_of(interval(40.0, 5.0), interval(100.0, 8.0), 9.0 / 40.0).unwrap();
        assert!((found.0 - exact.0).abs() < 1e-12 && (found.1 - exact.1).abs() < 1e-12, "{found:?} {exact:?}");
        assert_eq!(ratio_of(interval(40.0, 5.0), interval(10.0, 8.0), 0.0), None, "a base like zero has no upper end");
        // An upper end far away makes the lower one small, and no less than nothing.
        let (low, high) = ratio_of((0.3, (0.2, 0.4)), (0.1, (0.05, 0.9)), 0.0).unwrap();
        assert!((0.0..0.3 / 0.9 + 0.2).contains(&low) && high > 0.4 / 0.1, "{low} {high}");
    }

    #[test]
    fn a_mean_lies_about_its_midpoint() {
        let (values, covariance) = ([-3_000.0, 60.0], [vec![1e4, 0.0], vec![0.0, 4.0]]);
        let joint = Joint { values: &values, covariance: &covariance };
        // half years: a centred sum of -3000 half years over 60 persons is 25 years below the middle of 0..120
        let found = mean(&joint, &[1.0, 0.0], &[0.0, 1.0], Z95, (0.0, 120.0), 2.0);
        assert_eq!(found.value, Some(35.0));
        let (low, high) = found.interval.unwrap();
        assert!(0.0 < low && low < 35.0 && 35.0 < high && high < 40.0);
        let wide = mean(&joint, &[100.0, 0.0], &[0.0, 1.0], Z95, (0.0, 120.0), 2.0);
        assert_eq!(wide.interval, Some((0.0, 0.0)), "bounds stay within what the column can be");
    }
}
