//! The cells of a release: a key over all dimensions, and each figure rounded for display.
//!
//! Rounding is the last thing that happens: values to the policy's base (counts) or to a fixed number of decimals, the
//! ends of intervals outwards, so that no interval is narrower than it was computed.

use super::body::{Cell, Status};
use super::combine::Outcome;
use super::draft::{TOTAL, fixed_key, is_shown};
use super::number::Number;
use super::telling::{Column, Table, Told};
use crate::policy::{Compared, Contrast, Figure, Plan};
use std::collections::BTreeMap;

/// Every cell of a table, each with all its figures.
pub(super) fn cells(plan: &Plan, table: &Table) -> Vec<Cell> {
    let base: BTreeMap<String, String> = plan
        .dimensions
        .iter()
        .enumerate()
        .filter(|(dim, _)| is_shown(plan, *dim))
        .map(|(dim, d)| (d.name.clone(), fixed_key(plan, dim).unwrap_or_else(|| TOTAL.into())))
        .collect();
    let key = |place: usize| {
        let mut key = base.clone();
        for (dim, level) in super::keys::levels_at(&table.persons, place) {
            if let Some((name, level)) = plan.dimensions.get(dim).and_then(|d| Some((&d.name, d.levels.get(level)?))) {
                key.insert(name.clone(), level.code.clone());
            }
        }
        key
    };
    let known = super::known::Totals::new(plan, &table.persons.dims);
    let all = |place: usize| {
        let known = known.at(place);
        let told = table.columns.iter().filter_map(|column| Some((column, column.told.get(place)?)));
        let digits = |column: &Column| Digits::of(&column.figure, plan.rules.round_to);
        let cells = told.map(|(column, told)| cell(key(place), &column.name, digits(column), told));
        cells.map(|cell| super::known::beside(known, cell)).collect::<Vec<_>>()
    };
    (0..table.persons.values.len()).flat_map(all).collect()
}

fn cell(key: BTreeMap<String, String>, measure: &str, digits: Digits, told: &Told) -> Cell {
    let silent = |reason: &str| Cell {
        key,
        measure: measure.to_owned(),
        value: None,
        low: None,
        high: None,
        estimate: None,
        se: None,
        known: None,
        status: Status::Q,
        reason: Some(reason.to_owned()),
        within_noise: None,
    };
    match told {
        Told::Withheld => silent("withheld"),
        Told::Unreliable => silent("unreliable"),
        Told::Structural { additive } => {
            let zero = || additive.then(|| Number::rounded(0.0, digits.decimals));
            Cell { value: zero(), low: zero(), high: zero(), status: Status::A, ..silent("structural") }
        }
        Told::Shown(outcome, reliable) => {
            let ends = outcome.interval.map(|(low, high)| digits.outwards(low, high));
            // As a reader of the ends would find it: they stand further out than they were computed.
            let within = |alike: f64| ends.is_none_or(|(low, high)| (low..=high).contains(&alike));
            let (low, high) =
                ends.map(|ends| <[f64; 2]>::from(ends).map(|end| Number::rounded(end, digits.decimals)).into()).unzip();
            Cell {
                value: Some(digits.value(outcome)),
                low,
                high,
                within_noise: digits.alike.map(within),
                estimate: Some(digits.unrounded(outcome.value)),
                se: outcome.standard_error.map(|error| digits.unrounded(error)),
                status: if *reliable { Status::A } else { Status::U },
                reason: (!reliable).then(|| "unreliable".into()),
                ..silent("")
            }
        }
    }
}

/// How many digits of a figure are shown.
#[derive(Debug, Clone, Copy)]
struct Digits {
    /// Values are multiples of this.
    base: f64,
    /// Decimals of values and intervals.
    decimals: usize,
    /// Where the true figure must lie.
    least: f64,
    most: f64,
    /// Of a comparison: the value at which the two are the same.
    alike: Option<f64>,
}

/// Decimals of a share or a ratio: a hundredth of a per cent.
const SHARE_DECIMALS: usize = 4;
/// Decimals of a mean or a quantile beyond those of its column.
const MEAN_DECIMALS: usize = 2;
/// Decimals of an unrounded estimate beyond those shown.
const ESTIMATE_DECIMALS: usize = 4;

impl Digits {
    fn of(figure: &Figure, round_to: u32) -> Self {
        let decimals = |scale: u32| usize::try_from(scale).unwrap_or(0);
        let any = Self { base: 0.0, decimals: 0, least: f64::NEG_INFINITY, most: f64::INFINITY, alike: None };
        match figure {
            Figure::Persons | Figure::Rows => Self { base: f64::from(round_to), least: 0.0, ..any },
            Figure::Sum(numbers) => Self { decimals: decimals(numbers.scale), ..any },
            Figure::Mean(numbers) | Figure::Quantile { numbers, .. } => {
                Self { decimals: decimals(numbers.scale) + MEAN_DECIMALS, ..any }
            }
            Figure::Share { .. } => Self { decimals: SHARE_DECIMALS, least: 0.0, most: 1.0, ..any },
            Figure::Comparison(comparison) => {
                let alike = Some(comparison.contrast.alike());
                match (comparison.contrast, &comparison.compared) {
                    (Contrast::Ratio, _) => Self { decimals: SHARE_DECIMALS, least: 0.0, alike, ..any },
                    (Contrast::Difference, Compared::Persons(_)) => Self { base: f64::from(round_to), alike, ..any },
                    (Contrast::Difference, Compared::Shares(_)) => {
                        Self { decimals: SHARE_DECIMALS, least: -1.0, most: 1.0, alike, ..any }
                    }
                    (Contrast::Difference, Compared::Means(numbers, _)) => {
                        Self { decimals: decimals(numbers.scale) + MEAN_DECIMALS, alike, ..any }
                    }
                }
            }
        }
    }

    fn value(self, outcome: &Outcome) -> Number {
        let value = outcome.value.clamp(self.least, self.most);
        let value = if self.base > 0.0 { (value / self.base).round() * self.base } else { value };
        Number::rounded(value, self.decimals)
    }

    fn outwards(self, low: f64, high: f64) -> (f64, f64) {
        let unit = 10.0_f64.powi(i32::try_from(self.decimals).unwrap_or(0));
        let low = ((low * unit).floor() / unit).clamp(self.least, self.most);
        let high = ((high * unit).ceil() / unit).clamp(self.least, self.most);
        (low, high)
    }

    fn unrounded(self, figure: f64) -> String {
        let decimals = self.decimals + ESTIMATE_DECIMALS;
        format!("{figure:.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Comparison;

    fn compared(contrast: Contrast, value: f64, interval: Option<(f64, f64)>) -> Cell {
        let comparison =
            Comparison { name: "women and men".into(), contrast, compared: Compared::Persons([vec![], vec![]]) };
        let outcome = Outcome { value, interval, standard_error: Some(1.0), size: 100.0 };
        let digits = Digits::of(&Figure::Comparison(comparison), 1);
        cell(BTreeMap::new(), "women and men", digits, &Told::Shown(outcome, interval.is_some()))
    }

    #[test]
    fn two_groups_are_within_the_noise_where_the_ends_that_are_shown_hold_no_difference() {
        let difference = |low, high| compared(Contrast::Difference, f64::midpoint(low, high), Some((low, high)));
        assert_eq!(difference(-3.0, 20.0).within_noise, Some(true));
        assert_eq!(difference(1.2, 20.0).within_noise, Some(false));
        assert_eq!(difference(-20.0, -1.2).within_noise, Some(false));
        let close = difference(0.2, 20.0);
        assert_eq!((close.low, close.within_noise), (Some(Number::Whole(0)), Some(true)), "as a reader would find it");
        let ratio = |low, high| compared(Contrast::Ratio, f64::midpoint(low, high), Some((low, high)));
        assert_eq!(ratio(0.9, 1.2).within_noise, Some(true));
        assert_eq!(ratio(1.01, 1.2).within_noise, Some(false));
        assert_eq!(ratio(0.2, 0.99).within_noise, Some(false));
    }

    #[test]
    fn without_ends_everything_is_within_the_noise_and_without_a_comparison_nothing_is_said_of_it() {
        let unbounded = compared(Contrast::Ratio, 3.0, None);
        assert_eq!((unbounded.within_noise, unbounded.status), (Some(true), Status::U));
        assert!(unbounded.low.is_none() && unbounded.high.is_none());
        let outcome = Outcome { value: 30.0, interval: Some((20.0, 40.0)), standard_error: Some(5.0), size: 30.0 };
        let shown = |told: &Told| cell(BTreeMap::new(), "persons", Digits::of(&Figure::Persons, 1), told).within_noise;
        assert_eq!(shown(&Told::Shown(outcome, true)), None);
        assert_eq!(shown(&Told::Withheld), None);
    }

    #[test]
    fn a_difference_may_be_below_nought_and_a_ratio_may_not() {
        let difference = compared(Contrast::Difference, -12.4, Some((-20.5, -3.5)));
        assert_eq!((difference.value, difference.low), (Some(Number::Whole(-12)), Some(Number::Whole(-21))));
        let ratio = compared(Contrast::Ratio, 0.01, Some((-0.2, 0.3)));
        assert_eq!(ratio.low, Some(Number::rounded(0.0, 4)));
    }
}
