//! From estimates of what was measured to the figures that were asked for.
//!
//! Counts and sums are linear in the estimates: exact intervals from a known variance. Means and shares are ratios of
//! two estimates with a known covariance (Fieller), quantiles come from noisy counts of declared bins. Two quantities
//! of one draw have independent noise; numerator and base of a share come from the same tables. What
//! is compared between groups: `compare`.

use super::answer::AnswerError;
use super::compare;
use super::parts::{Parts, Together};
use crate::estimate::{EstimatedTable, Joint, Ratio, quantile, quantile95, ratio};
use crate::policy::{Figure, Numbers, Plan, Quantity};

/// A figure with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outcome {
    /// The estimate, unrounded.
    pub(super) value: f64,
    /// The interval; `None` where it has no finite ends.
    pub(super) interval: Option<(f64, f64)>,
    /// The standard error of the estimate (of a ratio: to first order); quantiles have none.
    pub(super) standard_error: Option<f64>,
    /// What the interval is small or wide beside: the figure itself; of a difference, the larger of the two compared.
    pub(super) size: f64,
}

impl Outcome {
    pub(super) fn around(value: f64, half_width: f64, standard_error: f64) -> Self {
        let interval = Some((value - half_width, value + half_width));
        Self { value, interval, standard_error: Some(standard_error), size: value.abs() }
    }

    /// Whether the longer half of the interval is at most so many times what it stands beside.
    pub(super) fn reliable(&self, moe_relative_max: f64) -> bool {
        let half = self.interval.map(|(low, high)| (self.value - low).max(high - self.value));
        half.is_some_and(|half| half <= moe_relative_max * self.size)
    }
}

impl From<Ratio> for Option<Outcome> {
    fn from(ratio: Ratio) -> Self {
        let Ratio { value, standard_error, interval } = ratio;
        value.map(|value| Outcome { value, interval, standard_error, size: value.abs() })
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
            joined(&Together::apart(&bins), |joint| quantile_of(joint, &edges, q.at_most(), z))
        }
        Figure::Share { of, .. } => {
            let both = parts.within(&Quantity::Persons, &[&[], of])?;
            joined(&both, |joint| share(joint, z))
        }
        Figure::Comparison(comparison) => compare::outcomes(parts, comparison, z)?,
    })
}

/// Persons and rows as they were estimated.
pub(super) fn plain(table: &EstimatedTable) -> Vec<Option<Outcome>> {
    let errors = table.half_widths.iter().zip(&table.standard_errors);
    let around = |(&value, (&width, &error)): (&f64, (&f64, &f64))| Some(Outcome::around(value, width, error));
    table.values.iter().zip(errors).map(around).collect()
}

/// A column's sum about the middle of its bounds, and how many values it has, cell by cell.
fn pairs(
    parts: &Parts<'_>,
    numbers: &Numbers,
    outcome: impl Fn(&Joint<'_>) -> Option<Outcome>,
) -> Result<Vec<Vec<Option<Outcome>>>, AnswerError> {
    let sums = parts.quantity(&Quantity::Sum(numbers.clone()))?;
    let counts = parts.quantity(&Quantity::Valued(numbers.clone()))?;
    Ok(joined(&Together::apart(&[sums, counts]), outcome))
}

/// An outcome for each cell of each table.
fn joined(tables: &[Together], outcome: impl Fn(&Joint<'_>) -> Option<Outcome>) -> Vec<Vec<Option<Outcome>>> {
    tables.iter().map(|table| table.cells(&outcome)).collect()
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
    found.value.map(|value| Outcome { value, interval: found.interval, standard_error: None, size: value.abs() })
}

/// The second over the first.
fn share(joint: &Joint<'_>, z: f64) -> Option<Outcome> {
    ratio(joint, &[0.0, 1.0], &[1.0, 0.0], z).bounded(0.0, 1.0).into()
}

/// What one integer unit is worth.
pub(super) fn unit(numbers: &Numbers) -> f64 {
    10.0_f64.powi(-i32::try_from(numbers.scale).unwrap_or(0))
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "bounds of a column, far below 2^53")]
pub(super) fn float(number: i64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::Z95;
    use crate::policy::sample::{analyst, closed, policy, question, today};
    use crate::policy::{MeasureAsked, Question, admit};
    use crate::release::simulated::Noise;

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
    fn a_share_is_the_numerator_over_its_base() {
        let half = joint([100.0, 50.0], [8.0, 4.0], |j| share(j, Z95)).unwrap();
        assert!((half.value - 0.5).abs() < 1e-9 && half.reliable(0.5));
    }

    /// 20,000 draws of two tables over four cells; the interval of a share has to cover the truth in 95 %. Binomial
    /// standard error 0.0015: the bounds are more than five of them, false alarm below 1e-6.
    #[test]
    fn the_interval_of_a_share_covers_its_truth_within_a_filter_and_without() {
        for codes in [vec!["employed", "unemployed"], vec![]] {
            let of = [("employment".to_owned(), vec!["unemployed".to_owned()])].into();
            let mut asked = Question {
                measures: vec![MeasureAsked::Share { of }],
                margins: true,
                ..question("acs2024", &[], &["2024"], "0.02")
            };
            let codes: Vec<String> = codes.iter().map(|code| (*code).to_owned()).collect();
            if !codes.is_empty() {
                asked.filter.insert("employment".into(), codes);
            }
            let plan = admit(&policy("acs2024"), &closed(&["2024"]), &analyst(), &asked, today()).unwrap();
            let truth = [900_i64, 300, 500, 100];
            let base: i64 = if asked.filter.is_empty() { 1_800 } else { 1_200 };
            let exact = 300.0 / float(base);
            let units = |dims: &[usize]| plan.measured.iter().find(|m| m.dims == dims).map(|m| m.units.at_most());
            let (table, total) = (units(&[0]).unwrap(), units(&[]));
            let mut noise = Noise(7);
            let mut covered = 0;
            for _ in 0..20_000 {
                let mut draw = |value: i64, units: f64| value + noise.next((0.5 / units).sqrt());
                let tables = plan.measured.iter().map(|m| {
                    let variance = 0.5 / m.units.at_most();
                    let values = match m.dims.len() {
                        0 => vec![draw(1_800, total.unwrap_or(1.0))],
                        _ => truth.iter().map(|&value| draw(value, table)).collect(),
                    };
                    crate::noise::NoisyTable { dims: m.dims.clone(), values, variance }
                });
                let drawn = crate::noise::NoisyTables { accounting: plan.accounting, tables: tables.collect() };
                let parts = Parts::new(&plan, &drawn);
                let persons = parts.persons(&[]).unwrap();
                let told = outcomes(&plan, &parts, &plan.figures[0], &persons).unwrap();
                let (low, high) = told[0][0].unwrap().interval.unwrap();
                covered += u32::from((low..=high).contains(&exact));
            }
            let covered = f64::from(covered) / 20_000.0;
            assert!((0.941..0.959).contains(&covered), "{covered} with {:?}", asked.filter);
        }
    }
}
