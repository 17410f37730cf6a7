//! From estimates of what was measured to the figures that were asked for.
//!
//! Counts and sums are linear in the estimates: exact intervals from a known variance. Means and shares are ratios of
//! two estimates with a known covariance (Fieller), quantiles come from noisy counts of declared bins. Two quantities of
//! one draw have independent noise; numerator and base of a share come from the same tables.

use super::answer::AnswerError;
use super::parts::Parts;
use crate::budget::Accounting;
use crate::design::Z95;
use crate::estimate::EstimatedTable;
use crate::policy::{Cut, Figure, Numbers, Plan, Quantity};

/// A figure with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outcome {
    /// The estimate, unrounded.
    pub(super) value: f64,
    /// The interval; `None` where it has no finite ends.
    pub(super) interval: Option<(f64, f64)>,
    /// The standard error of the estimate (of a ratio: to first order).
    pub(super) standard_error: f64,
}

impl Outcome {
    fn around(value: f64, half_width: f64, standard_error: f64) -> Self {
        Self { value, interval: Some((value - half_width, value + half_width)), standard_error }
    }

    /// Whether the longer half of the interval is at most so many times the figure.
    pub(super) fn reliable(&self, moe_relative_max: f64) -> bool {
        let half = self.interval.map(|(low, high)| (self.value - low).max(high - self.value));
        half.is_some_and(|half| half <= moe_relative_max * self.value.abs())
    }

    /// Moved and stretched, as from integer units about a middle to the column's own.
    fn onto(self, middle: f64, unit: f64) -> Self {
        Self {
            value: (self.value + middle) * unit,
            interval: self.interval.map(|(low, high)| ((low + middle) * unit, (high + middle) * unit)),
            standard_error: self.standard_error * unit,
        }
    }

    /// Cut off where no true figure can lie.
    fn within(self, least: f64, most: f64) -> Self {
        let interval = self.interval.map(|(low, high)| (low.clamp(least, most), high.clamp(least, most)));
        Self { interval, ..self }
    }
}

/// Half-width of a 95 % interval in standard errors, for figures that combine several draws: no sum of Laplace draws
/// needs more than one alone, `ln(20) / sqrt(2)`.
fn quantile(accounting: Accounting) -> f64 {
    match accounting {
        Accounting::Zcdp => Z95,
        Accounting::Pure => 2.118_4,
    }
}

/// By shown table and cell: the outcome, or `None` where it must not be told.
pub(super) fn outcomes(
    plan: &Plan,
    parts: &Parts<'_>,
    figure: &Figure,
    persons: &[EstimatedTable],
) -> Result<Vec<Vec<Option<Outcome>>>, AnswerError> {
    let z = quantile(plan.accounting);
    Ok(match figure {
        Figure::Persons => persons.iter().map(|table| each(table, plain)).collect(),
        Figure::Rows => parts.quantity(&Quantity::Rows)?.iter().map(|table| each(table, plain)).collect(),
        Figure::Sum(numbers) => {
            let combined = |sum: &Estimate, count: &Estimate| Some(self::sum(sum, count, numbers, z));
            pairs(parts, numbers, combined)?
        }
        Figure::Mean(numbers) => pairs(parts, numbers, |sum, count| mean(sum, count, numbers, z))?,
        Figure::Quantile { .. } => return Err(AnswerError::Fault("quantile")),
        Figure::Share { of, .. } => {
            let numerators = parts.persons(of)?;
            let shared = if plan.additive { part_of_base(plan, of) } else { 0.0 };
            let tables = persons.iter().zip(&numerators);
            let share = |(base, numerator): (&EstimatedTable, &EstimatedTable)| {
                let floor = f64::from(plan.floor(&base.dims));
                let cells = estimates(base).zip(estimates(numerator));
                cells.map(|(base, numerator)| share(&numerator, &base, shared * base.variance, floor, z)).collect()
            };
            tables.map(share).collect()
        }
    })
}

/// The estimate of one cell.
struct Estimate {
    value: f64,
    variance: f64,
    half_width: f64,
}

fn estimates(table: &EstimatedTable) -> impl Iterator<Item = Estimate> + '_ {
    let (variance, half_width) = (table.standard_error.powi(2), table.half_width);
    table.values.iter().map(move |&value| Estimate { value, variance, half_width })
}

fn each(table: &EstimatedTable, outcome: impl Fn(Estimate) -> Option<Outcome>) -> Vec<Option<Outcome>> {
    estimates(table).map(outcome).collect()
}

/// Persons and rows: never below none.
#[expect(clippy::unnecessary_wraps, reason = "one of several ways to an outcome")]
fn plain(estimate: Estimate) -> Option<Outcome> {
    let outcome = Outcome::around(estimate.value, estimate.half_width, estimate.variance.sqrt());
    Some(outcome.within(0.0, f64::INFINITY))
}

/// A column's sum about the middle of its bounds, and how many values it has, cell by cell.
fn pairs(
    parts: &Parts<'_>,
    numbers: &Numbers,
    outcome: impl Fn(&Estimate, &Estimate) -> Option<Outcome>,
) -> Result<Vec<Vec<Option<Outcome>>>, AnswerError> {
    let sums = parts.quantity(&Quantity::Sum(numbers.clone()))?;
    let counts = parts.quantity(&Quantity::Valued(numbers.clone()))?;
    let tables = sums.iter().zip(&counts);
    let cells = |(sums, counts)| estimates(sums).zip(estimates(counts)).map(|(s, c)| outcome(&s, &c)).collect();
    Ok(tables.map(cells).collect())
}

/// `sum(x) = sum(x - middle) + middle * count`; the two have independent noise.
fn sum(sum: &Estimate, count: &Estimate, numbers: &Numbers, z: f64) -> Outcome {
    let middle = float(numbers.midpoint());
    let deviation = middle.mul_add(middle * count.variance, sum.variance).sqrt();
    Outcome::around(middle.mul_add(count.value, sum.value), z * deviation, deviation).onto(0.0, unit(numbers))
}

/// `mean(x) = middle + sum(x - middle) / count`, cut off at the declared bounds. No count, no mean.
fn mean(sum: &Estimate, count: &Estimate, numbers: &Numbers, z: f64) -> Option<Outcome> {
    let ratio = ratio(sum, count, 0.0, z)?;
    let (middle, unit) = (float(numbers.midpoint()), unit(numbers));
    Some(ratio.onto(middle, unit).within(float(numbers.min) * unit, float(numbers.max) * unit))
}

/// The share of a base. Withheld with a numerator below the floor, and where those outside it are.
fn share(numerator: &Estimate, base: &Estimate, covariance: f64, floor: f64, z: f64) -> Option<Outcome> {
    let silent = numerator.value < floor || base.value - numerator.value < floor;
    ratio(numerator, base, covariance, z).filter(|_| !silent).map(|share| share.within(0.0, 1.0))
}

/// A ratio with Fieller's interval (E. C. Fieller, "Some problems in interval estimation", JRSS B 16, 1954): all
/// `t` with `(a - t b)^2 <= z^2 Var(a - t b)`. Where the base may be nothing, that has no finite ends.
fn ratio(a: &Estimate, b: &Estimate, covariance: f64, z: f64) -> Option<Outcome> {
    if b.value <= 0.0 {
        return None;
    }
    let z2 = z * z;
    let value = a.value / b.value;
    let variance = a.variance - 2.0 * value * covariance + value * value * b.variance;
    let standard_error = variance.max(0.0).sqrt() / b.value;
    let leading = b.value * b.value - z2 * b.variance;
    let middle = a.value * b.value - z2 * covariance;
    let root = (middle * middle - leading * (a.value * a.value - z2 * a.variance)).max(0.0).sqrt();
    let interval = (leading > 0.0).then(|| ((middle - root) / leading, (middle + root) / leading));
    Some(Outcome { value, interval, standard_error })
}

/// With how much of its noise a base enters the estimate of a numerator: of every dimension of the numerator, the part
/// of the levels that it takes. What the base says is spread evenly over them, and what tells them apart is independent
/// of it (the residual components of `estimate`).
fn part_of_base(plan: &Plan, of: &[Cut]) -> f64 {
    let part = |cut: &Cut| {
        let all = plan.dimensions.get(cut.dim).map_or(0, |dimension| dimension.levels.len());
        size(cut.levels.len()) / size(all.max(1))
    };
    of.iter().map(part).product()
}

/// What one integer unit is worth.
fn unit(numbers: &Numbers) -> f64 {
    10.0_f64.powi(-i32::try_from(numbers.scale).unwrap_or(0))
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "bounds of a column, far below 2^53")]
fn float(number: i64) -> f64 {
    number as f64
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "numbers of levels, far below 2^53")]
fn size(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(value: f64, variance: f64) -> Estimate {
        Estimate { value, variance, half_width: Z95 * variance.sqrt() }
    }

    fn numbers() -> Numbers {
        Numbers { column: "wage".into(), per_row: false, scale: 2, min: 0, max: 20_000 }
    }

    #[test]
    fn a_sum_is_told_about_nought_and_its_error_grows_with_the_middle() {
        // 50 values of 60.00 each, measured about 100.00: a centred sum of 50 x -4,000 cents.
        let told = sum(&estimate(-200_000.0, 9e6), &estimate(50.0, 4.0), &numbers(), Z95);
        assert!((told.value - 3_000.0).abs() < 1e-9);
        let deviation = (9e6_f64 + 1e8 * 4.0).sqrt() / 100.0;
        assert!((told.standard_error - deviation).abs() < 1e-9);
        let (low, high) = told.interval.unwrap();
        assert!(((high - low) / 2.0 - Z95 * deviation).abs() < 1e-9);
    }

    #[test]
    fn a_mean_is_the_middle_and_the_centred_ratio_within_the_bounds() {
        let told = mean(&estimate(-200_000.0, 9e6), &estimate(50.0, 4.0), &numbers(), Z95).unwrap();
        assert!((told.value - 60.0).abs() < 1e-9);
        let (low, high) = told.interval.unwrap();
        assert!(0.0 <= low && low < 60.0 && 60.0 < high && high <= 200.0);
        assert_eq!(mean(&estimate(5.0, 1.0), &estimate(-0.5, 4.0), &numbers(), Z95), None, "no values, no mean");
    }

    /// At each finite end `t` of the interval, `(a - t b)^2` is `z^2 Var(a - t b)`.
    #[test]
    fn the_ends_of_fieller_solve_its_equation_and_may_not_exist() {
        let (a, b, covariance) = (estimate(300.0, 80.0), estimate(1_000.0, 120.0), 30.0);
        let told = ratio(&a, &b, covariance, Z95).unwrap();
        let (low, high) = told.interval.unwrap();
        assert!(low < 0.3 && 0.3 < high);
        for end in [low, high] {
            let square = (a.value - end * b.value).powi(2);
            let variance = a.variance - 2.0 * end * covariance + end * end * b.variance;
            assert!((square - Z95 * Z95 * variance).abs() < 1e-6 * square, "{end}");
        }
        assert_eq!(ratio(&a, &estimate(10.0, 120.0), 0.0, Z95).unwrap().interval, None, "the base may be nothing");
        assert_eq!(ratio(&a, &estimate(0.0, 120.0), 0.0, Z95), None);
    }

    #[test]
    fn a_share_needs_enough_persons_on_both_sides() {
        let told = |numerator| share(&estimate(numerator, 4.0), &estimate(100.0, 8.0), 2.0, 10.0, Z95);
        assert_eq!(told(9.9), None);
        assert_eq!(told(90.1), None);
        let half = told(50.0).unwrap();
        assert!((half.value - 0.5).abs() < 1e-9 && half.reliable(0.5));
    }
}
