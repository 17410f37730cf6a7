//! Comparisons of two groups in every cell: the difference or the ratio of what is estimated of them.
//!
//! Both come from one estimate and vary together: the variance of a difference is not the sum of two variances. A
//! difference of persons is exact by its own variance, a ratio of persons Fieller's. Shares and means are ratios of the
//! same estimate: Fieller's intervals of the two, joined with their correlation.
//!
//! Where it is told is not decided here: only where every part of persons that it implies is (`silence`).

use super::answer::AnswerError;
use super::combine::{Outcome, float, unit};
use super::parts::{Parts, Together};
use crate::estimate::{Joint, Ratio, difference, difference_of, ratio, ratio_of, ratios};
use crate::policy::{Compared, Comparison, Contrast, Cut, Numbers, Quantity};

/// By shown table and cell: the outcome, or `None` where there is none. `z` is the quantile of the intervals.
pub(super) fn outcomes(
    parts: &Parts<'_>,
    comparison: &Comparison,
    z: f64,
) -> Result<Vec<Vec<Option<Outcome>>>, AnswerError> {
    let contrast = comparison.contrast;
    let tables = match &comparison.compared {
        Compared::Persons(_) | Compared::Shares(_) => parts.within(&Quantity::Persons, &comparison.parts())?,
        Compared::Means(numbers, groups) => sums_and_counts(parts, numbers, groups)?,
    };
    let outcome = |joint: &Joint<'_>| match &comparison.compared {
        Compared::Persons(_) => of_persons(contrast, joint, z),
        Compared::Shares(_) => of_shares(contrast, joint, z),
        Compared::Means(numbers, _) => of_means(contrast, joint, numbers, z),
    };
    Ok(tables.iter().map(|table| table.cells(outcome)).collect())
}

/// In each group the sum about the middle of the bounds, then in each the number of values.
fn sums_and_counts(parts: &Parts<'_>, numbers: &Numbers, groups: &[Vec<Cut>; 2]) -> Result<Vec<Together>, AnswerError> {
    let cuts = groups.each_ref().map(Vec::as_slice);
    let sums = parts.within(&Quantity::Sum(numbers.clone()), &cuts)?;
    let counts = parts.within(&Quantity::Valued(numbers.clone()), &cuts)?;
    Ok(sums.into_iter().zip(counts).map(|(sums, counts)| sums.beside(counts)).collect())
}

fn of_persons(contrast: Contrast, joint: &Joint<'_>, z: f64) -> Option<Outcome> {
    match contrast {
        Contrast::Ratio => {
            let found = ratio(joint, &[1.0, 0.0], &[0.0, 1.0], z);
            let interval = found.interval.map(|(low, high)| (low.max(0.0), high));
            Ratio { interval, ..found }.into()
        }
        Contrast::Difference => {
            let found = difference(joint, &[1.0, 0.0], &[0.0, 1.0], z);
            let size = joint.values.iter().map(|persons| persons.abs()).reduce(f64::max)?;
            let half_width = found.interval.1 - found.value;
            Some(Outcome { size, ..Outcome::around(found.value, half_width, half_width / z) })
        }
    }
}

/// From base and numerator of the first group, then of the second.
fn of_shares(contrast: Contrast, joint: &Joint<'_>, z: f64) -> Option<Outcome> {
    let (first, second) = (
        (&[0.0, 1.0, 0.0, 0.0][..], &[1.0, 0.0, 0.0, 0.0][..]),
        (&[0.0, 0.0, 0.0, 1.0][..], &[0.0, 0.0, 1.0, 0.0][..]),
    );
    set_against(contrast, ratios(joint, first, second, z), 1.0)
}

/// From sums about the middle and numbers of values, each of the first group and of the second.
fn of_means(contrast: Contrast, joint: &Joint<'_>, numbers: &Numbers, z: f64) -> Option<Outcome> {
    let (first, second) = (
        (&[1.0, 0.0, 0.0, 0.0][..], &[0.0, 0.0, 1.0, 0.0][..]),
        (&[0.0, 1.0, 0.0, 0.0][..], &[0.0, 0.0, 0.0, 1.0][..]),
    );
    let (x, y, correlation) = ratios(joint, first, second, z);
    let (unit, middle) = (unit(numbers), float(numbers.midpoint()));
    let mean = |centred: Ratio| centred.shifted(middle * unit, unit);
    set_against(contrast, (mean(x), mean(y), correlation), (float(numbers.max) - float(numbers.min)) * unit)
}

/// The difference or ratio of two figures that vary together; a difference is at most `most`.
fn set_against(contrast: Contrast, (first, second, correlation): (Ratio, Ratio, f64), most: f64) -> Option<Outcome> {
    let (x, y) = (first.value?, second.value?);
    let both = first.interval.zip(second.interval).map(|(x_ends, y_ends)| ((x, x_ends), (y, y_ends)));
    // To first order.
    let error = |weight: f64| {
        let (x, y) = (first.standard_error?, weight * second.standard_error?);
        Some((x * x - 2.0 * correlation * x * y + y * y).max(0.0).sqrt())
    };
    match contrast {
        Contrast::Difference => {
            let interval = both.map(|(first, second)| difference_of(first, second, correlation).interval);
            let interval = interval.map(|(low, high)| (low.clamp(-most, most), high.clamp(-most, most)));
            Some(Outcome { value: x - y, interval, standard_error: error(1.0), size: x.abs().max(y.abs()) })
        }
        Contrast::Ratio if y > 0.0 => {
            let value = x / y;
            let interval = both.and_then(|(first, second)| ratio_of(first, second, correlation));
            let interval = interval.map(|(low, high)| (low.max(0.0), high));
            Some(Outcome { value, interval, standard_error: error(value).map(|error| error / y), size: value.abs() })
        }
        Contrast::Ratio => None,
    }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
