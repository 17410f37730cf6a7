//! From estimates of what was measured to the figures that were asked for.
//!
//! Counts and sums are linear in the estimates: exact intervals from a known variance. Means and shares are ratios of
//! two estimates with a known covariance (Fieller), quantiles come from noisy counts of declared bins. Two quantities of
//! one draw have independent noise; numerator and base of a share come from the same tables.

use super::answer::AnswerError;
use super::parts::Parts;
use crate::estimate::{EstimatedTable, Joint, Ratio, quantile, quantile95, ratio};
use crate::policy::{Cut, Figure, Numbers, Plan, Quantity};

/// A figure with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outcome {
    /// The estimate, unrounded.
    pub(super) value: f64,
    /// The interval; `None` where it has no finite ends.
    pub(super) interval: Option<(f64, f64)>,
    /// The standard error of the estimate (of a ratio: to first order); quantiles have none.
    pub(super) standard_error: Option<f64>,
}

impl Outcome {
    fn around(value: f64, half_width: f64, standard_error: f64) -> Self {
        let interval = Some((value - half_width, value + half_width));
        Self { value, interval, standard_error: Some(standard_error) }
    }

    /// Whether the longer half of the interval is at most so many times the figure.
    pub(super) fn reliable(&self, moe_relative_max: f64) -> bool {
        let half = self.interval.map(|(low, high)| (self.value - low).max(high - self.value));
        half.is_some_and(|half| half <= moe_relative_max * self.value.abs())
    }
}

impl From<Ratio> for Option<Outcome> {
    fn from(ratio: Ratio) -> Self {
        let Ratio { value, standard_error, interval } = ratio;
        value.map(|value| Outcome { value, interval, standard_error })
    }
}

/// By shown table and cell: the outcome, or `None` where it must not be told.
pub(super) fn outcomes(
    plan: &Plan,
    parts: &Parts<'_>,
    figure: &Figure,
    persons: &[EstimatedTable],
) -> Result<Vec<Vec<Option<Outcome>>>, AnswerError> {
    let z = quantile95(plan.accounting);
    Ok(match figure {
        Figure::Persons => persons.iter().map(plain).collect(),
        Figure::Rows => parts.quantity(&Quantity::Rows)?.iter().map(plain).collect(),
        Figure::Sum(numbers) => pairs(parts, numbers, |joint| Some(sum(joint, numbers, z)))?,
        Figure::Mean(numbers) => pairs(parts, numbers, |joint| mean(joint, numbers, z))?,
        Figure::Quantile { numbers, edges, q } => {
            let bins = parts.bins(&Quantity::Bins(numbers.clone(), edges.clone()))?;
            let edges: Vec<f64> = edges.iter().map(|&edge| float(edge) * unit(numbers)).collect();
            joined(&bins, |_| 0.0, |joint| quantile_of(joint, &edges, q.at_most(), z))
        }
        Figure::Share { of, .. } => {
            let numerators = parts.persons(of)?;
            let shared = if plan.additive { part_of_base(plan, of) } else { 0.0 };
            let tables = persons.iter().zip(numerators);
            let share = |(base, numerator): (&EstimatedTable, EstimatedTable)| {
                let floor = f64::from(plan.floor(&base.dims));
                let covariance = |base: f64| shared * base;
                let both = [vec![base.clone()], vec![numerator]];
                joined(&both, covariance, |joint| share(joint, floor, z)).into_iter().flatten().collect()
            };
            tables.map(share).collect()
        }
    })
}

/// Persons and rows: never below none.
fn plain(table: &EstimatedTable) -> Vec<Option<Outcome>> {
    let around = |&value: &f64| Some(Outcome::around(value, table.half_width, table.standard_error));
    table.values.iter().map(around).collect()
}

/// A column's sum about the middle of its bounds, and how many values it has, cell by cell.
fn pairs(
    parts: &Parts<'_>,
    numbers: &Numbers,
    outcome: impl Fn(&Joint<'_>) -> Option<Outcome>,
) -> Result<Vec<Vec<Option<Outcome>>>, AnswerError> {
    let sums = parts.quantity(&Quantity::Sum(numbers.clone()))?;
    let counts = parts.quantity(&Quantity::Valued(numbers.clone()))?;
    Ok(joined(&[sums, counts], |_| 0.0, outcome))
}

/// An outcome for each cell of each table, from the estimates of several quantities over the same tables. `covariance`
/// is that of each other quantity with the first one, by the variance of the first one.
fn joined(
    quantities: &[Vec<EstimatedTable>],
    covariance: impl Fn(f64) -> f64,
    outcome: impl Fn(&Joint<'_>) -> Option<Outcome>,
) -> Vec<Vec<Option<Outcome>>> {
    let tables = quantities.first().map_or(0, Vec::len);
    let of_table = |place: usize| {
        let all: Vec<&EstimatedTable> = quantities.iter().filter_map(|tables| tables.get(place)).collect();
        let variances: Vec<f64> = all.iter().map(|table| table.standard_error.powi(2)).collect();
        let shared = covariance(variances.first().copied().unwrap_or(0.0));
        let matrix = |i: usize, j: usize, own: f64| match (i == j, i.min(j)) {
            (true, _) => own,
            (false, 0) => shared,
            (false, _) => 0.0,
        };
        let row = |(i, own): (usize, &f64)| (0..variances.len()).map(|j| matrix(i, j, *own)).collect();
        let covariance: Vec<Vec<f64>> = variances.iter().enumerate().map(row).collect();
        let cells = all.iter().map(|table| table.values.len()).min().unwrap_or(0);
        let of_cell = |cell: usize| {
            let values: Vec<f64> = all.iter().filter_map(|table| table.values.get(cell)).copied().collect();
            outcome(&Joint { values: &values, covariance: &covariance })
        };
        (0..cells).map(of_cell).collect()
    };
    (0..tables).map(of_table).collect()
}

/// `sum(x) = sum(x - middle) + middle * count`.
fn sum(joint: &Joint<'_>, numbers: &Numbers, z: f64) -> Outcome {
    let unit = unit(numbers);
    let weights = [unit, unit * float(numbers.midpoint())];
    let deviation = joint.covariance(&weights, &weights).sqrt();
    Outcome::around(joint.value(&weights), z * deviation, deviation)
}

/// `mean(x) = middle + sum(x - middle) / count`, cut off at the declared bounds. No count, no mean.
fn mean(joint: &Joint<'_>, numbers: &Numbers, z: f64) -> Option<Outcome> {
    let unit = unit(numbers);
    let ratio = ratio(joint, &[1.0, 0.0], &[0.0, 1.0], z).shifted(float(numbers.midpoint()) * unit, unit);
    ratio.bounded(float(numbers.min) * unit, float(numbers.max) * unit).into()
}

fn quantile_of(joint: &Joint<'_>, edges: &[f64], q: f64, z: f64) -> Option<Outcome> {
    let found = quantile(joint, edges, q, z);
    found.value.map(|value| Outcome { value, interval: found.interval, standard_error: None })
}

/// The second over the first. Withheld with a numerator below the floor, and where those outside it are.
fn share(joint: &Joint<'_>, floor: f64, z: f64) -> Option<Outcome> {
    let silent = joint.value(&[0.0, 1.0]) < floor || joint.value(&[1.0, -1.0]) < floor;
    let share: Option<Outcome> = ratio(joint, &[0.0, 1.0], &[1.0, 0.0], z).bounded(0.0, 1.0).into();
    share.filter(|_| !silent)
}

/// With how much of its noise a base enters the estimate of a numerator: of every dimension of the numerator, the part
/// of the levels that it takes. What the base says is spread evenly over them, and what tells them apart is independent
/// of it (the residual components of `estimate`; a test compares with `Design::covariance`).
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
    use crate::design::{Design, Region, Z95};
    use crate::policy::sample::{analyst, closed, policy, question, today};
    use crate::policy::{MeasureAsked, Question, admit};

    fn joint(values: [f64; 2], variances: [f64; 2], told: impl Fn(&Joint<'_>) -> Option<Outcome>) -> Option<Outcome> {
        let covariance = [vec![variances[0], 0.0], vec![0.0, variances[1]]];
        told(&Joint { values: &values, covariance: &covariance })
    }

    fn numbers() -> Numbers {
        Numbers { column: "wage".into(), per_row: false, scale: 2, min: 0, max: 20_001 }
    }

    #[test]
    fn a_sum_is_told_about_nought_and_its_error_grows_with_the_middle() {
        // 50 values of 60.00 each, measured about 100.00: a centred sum of 50 x -4,000 cents.
        let told = joint([-200_000.0, 50.0], [9e6, 4.0], |j| Some(sum(j, &numbers(), Z95))).unwrap();
        assert!((told.value - 3_000.0).abs() < 1e-9);
        let deviation = (9e6_f64 + 1e8 * 4.0).sqrt() / 100.0;
        assert!((told.standard_error.unwrap() - deviation).abs() < 1e-9);
        let (low, high) = told.interval.unwrap();
        assert!(((high - low) / 2.0 - Z95 * deviation).abs() < 1e-9);
    }

    #[test]
    fn a_mean_is_the_whole_middle_and_the_centred_ratio_within_the_bounds() {
        let told = joint([-200_000.0, 50.0], [9e6, 4.0], |j| mean(j, &numbers(), Z95)).unwrap();
        assert!((told.value - 60.0).abs() < 1e-9, "about 100.00, not 100.005");
        let (low, high) = told.interval.unwrap();
        assert!((0.0..60.0).contains(&low) && (60.0..200.02).contains(&high));
        assert_eq!(joint([5.0, -0.5], [1.0, 4.0], |j| mean(j, &numbers(), Z95)), None, "no values, no mean");
        let unbounded = joint([5.0, 1.0], [1.0, 4.0], |j| mean(j, &numbers(), Z95)).unwrap();
        assert!(unbounded.interval.is_none() && !unbounded.reliable(10.0));
    }

    #[test]
    fn a_share_needs_enough_persons_on_both_sides() {
        let told = |numerator| joint([100.0, numerator], [8.0, 4.0], |j| share(j, 10.0, Z95));
        assert_eq!(told(9.9), None);
        assert_eq!(told(90.1), None);
        let half = told(50.0).unwrap();
        assert!((half.value - 0.5).abs() < 1e-9 && half.reliable(0.5));
    }

    #[test]
    fn base_and_numerator_vary_together_as_least_squares_says() {
        let of = [("age".to_owned(), vec!["Y0T4".to_owned(), "Y18T24".to_owned()])].into();
        let measures = vec![MeasureAsked::Share { of }];
        let asked = Question { measures, margins: true, ..question("acs2024", &["sex"], &["2024"], "0.05") };
        let plan = admit(&policy("acs2024"), &closed(&["2024"]), &analyst(), &asked, today()).unwrap();
        let sizes: Vec<usize> = plan.dimensions.iter().map(|d| d.levels.len()).collect();
        let paid: Vec<(Vec<usize>, f64)> =
            plan.measured.iter().zip([3.0, 1.0, 2.0, 5.0]).map(|(m, v)| (m.dims.clone(), v)).collect();
        assert!(paid.iter().any(|(dims, _)| *dims == [0, 1]));
        let design = Design::new(&sizes, &paid);
        let Figure::Share { of, .. } = &plan.figures[0] else { panic!("a share") };
        let base = Region::cell(&[(0, 1)]);
        let numerator = base.clone().within(1, of[0].levels.iter().copied());
        let exact = design.covariance(&base, &numerator).unwrap();
        let told = part_of_base(&plan, of) * design.covariance(&base, &base).unwrap();
        assert!(plan.additive && (exact - told).abs() < 1e-12 * exact, "{exact} {told}");
    }
}
