//! The cells of a release: a key over all dimensions, and each figure rounded for display.
//!
//! Rounding is the last thing that happens: values to the policy's base (counts) or to a fixed number of decimals, the
//! ends of intervals outwards, so that no interval is narrower than it was computed.

use super::body::{Cell, Status};
use super::combine::Outcome;
use super::draft::{TOTAL, fixed_key, is_shown};
use super::number::Number;
use super::telling::{Column, Table, Told};
use crate::policy::{Figure, Plan};
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
    let all = |place: usize| {
        let key = key(place);
        let known = super::known::total(plan, &table.persons, place);
        let told = table.columns.iter().filter_map(|column| Some((column, column.told.get(place)?)));
        let digits = |column: &Column| Digits::of(&column.figure, plan.rules.round_to);
        let cells = told.map(|(column, told)| cell(key.clone(), &column.name, digits(column), told));
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
    };
    match told {
        Told::Withheld => silent("withheld"),
        Told::Unreliable => silent("unreliable"),
        Told::Structural { additive } => {
            let zero = || additive.then(|| Number::rounded(0.0, digits.decimals));
            Cell { value: zero(), low: zero(), high: zero(), status: Status::A, ..silent("structural") }
        }
        Told::Shown(outcome, reliable) => {
            let (low, high) = outcome.interval.map(|(low, high)| digits.outwards(low, high)).unzip();
            Cell {
                value: Some(digits.value(outcome)),
                low,
                high,
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
}

/// Decimals of a share: a hundredth of a per cent.
const SHARE_DECIMALS: usize = 4;
/// Decimals of a mean or a quantile beyond those of its column.
const MEAN_DECIMALS: usize = 2;
/// Decimals of an unrounded estimate beyond those shown.
const ESTIMATE_DECIMALS: usize = 4;

impl Digits {
    fn of(figure: &Figure, round_to: u32) -> Self {
        let decimals = |scale: u32| usize::try_from(scale).unwrap_or(0);
        let any = Self { base: 0.0, decimals: 0, least: f64::NEG_INFINITY, most: f64::INFINITY };
        match figure {
            Figure::Persons | Figure::Rows => Self { base: f64::from(round_to), least: 0.0, ..any },
            Figure::Sum(numbers) => Self { decimals: decimals(numbers.scale), ..any },
            Figure::Mean(numbers) | Figure::Quantile { numbers, .. } => {
                Self { decimals: decimals(numbers.scale) + MEAN_DECIMALS, ..any }
            }
            Figure::Share { .. } => Self { decimals: SHARE_DECIMALS, least: 0.0, most: 1.0, ..any },
        }
    }

    fn value(self, outcome: &Outcome) -> Number {
        let value = outcome.value.clamp(self.least, self.most);
        let value = if self.base > 0.0 { (value / self.base).round() * self.base } else { value };
        Number::rounded(value, self.decimals)
    }

    fn outwards(self, low: f64, high: f64) -> (Number, Number) {
        let unit = 10.0_f64.powi(i32::try_from(self.decimals).unwrap_or(0));
        let low = ((low * unit).floor() / unit).clamp(self.least, self.most);
        let high = ((high * unit).ceil() / unit).clamp(self.least, self.most);
        (Number::rounded(low, self.decimals), Number::rounded(high, self.decimals))
    }

    fn unrounded(self, figure: f64) -> String {
        let decimals = self.decimals + ESTIMATE_DECIMALS;
        format!("{figure:.decimals$}")
    }
}
