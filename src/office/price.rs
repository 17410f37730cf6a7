//! What a quote says before anything is spent: the price, of what it is made up, and the error to expect.
//!
//! Computed from the plan alone (G8). What a measure brings along, such as the persons for the floor, stands here with
//! its price like what was asked for.

use super::{Cost, Difference, Moe, Part};
use crate::budget::{Accounting, Nanos};
use crate::policy::{Compared, Comparison, Contrast, Cut, Figure, Plan, Quantity, Shown};
use crate::{estimate, noise};
use std::collections::BTreeSet;

/// An amount, as it counts and as an epsilon.
pub(super) fn cost(accounting: Accounting, amount: Nanos, delta: &str) -> Cost {
    let (rho, delta) = match accounting {
        Accounting::Zcdp => (Some(amount), delta.to_owned()),
        Accounting::Pure => (None, "0".into()),
    };
    let epsilon = delta.parse().ok().and_then(|delta| noise::epsilon_at(accounting, amount, delta));
    Cost { rho, epsilon: epsilon.unwrap_or_else(|| "unbounded".into()), delta }
}

/// The error to expect of persons.
pub(super) fn moe(plan: &Plan) -> Option<Moe> {
    of_quantity(plan, &Quantity::Persons)
}

/// Everything that is measured, with its price and the error to expect of it.
pub(super) fn parts(plan: &Plan) -> Vec<Part> {
    let asked: BTreeSet<Quantity> = plan.figures.iter().flat_map(asked_for).collect();
    let part = |quantity: &Quantity| {
        let tables: Vec<Nanos> = plan.measured.iter().filter(|m| m.quantity == *quantity).map(|m| m.units).collect();
        let amount = tables.iter().try_fold(Nanos::ZERO, |sum, units| sum.checked_add(*units))?;
        Some(Part {
            measures: name(quantity),
            implied: !asked.contains(quantity),
            tables: tables.len(),
            cost: cost(plan.accounting, amount, &plan.delta),
            moe: of_quantity(plan, quantity),
        })
    };
    plan.quantities().into_iter().filter_map(part).collect()
}

/// What a figure is made of, without what it brings along.
fn asked_for(figure: &Figure) -> Vec<Quantity> {
    match figure {
        Figure::Persons | Figure::Share { .. } => vec![Quantity::Persons],
        Figure::Rows => vec![Quantity::Rows],
        Figure::Sum(numbers) | Figure::Mean(numbers) => vec![Quantity::Sum(numbers.clone())],
        Figure::Comparison(comparison) => vec![match &comparison.compared {
            Compared::Persons(_) | Compared::Shares(_) => Quantity::Persons,
            Compared::Means(numbers, _) => Quantity::Sum(numbers.clone()),
        }],
        Figure::Quantile { numbers, edges, .. } => vec![Quantity::Bins(numbers.clone(), edges.clone())],
    }
}

fn name(quantity: &Quantity) -> String {
    match quantity {
        Quantity::Persons => "persons".to_owned(),
        Quantity::Rows => "rows".to_owned(),
        Quantity::Valued(numbers) => format!("values:{}", numbers.column),
        Quantity::Sum(numbers) => format!("sum:{}", numbers.column),
        Quantity::Bins(numbers, _) => format!("bins:{}", numbers.column),
    }
}

/// The median and the worst half-width over the cells of the tables asked for (without their margins), in the unit of
/// what is measured.
fn of_quantity(plan: &Plan, quantity: &Quantity) -> Option<Moe> {
    let unit = match quantity {
        Quantity::Sum(numbers) => 10.0_f64.powi(-i32::try_from(numbers.scale).ok()?),
        Quantity::Persons | Quantity::Rows | Quantity::Valued(_) | Quantity::Bins(..) => 1.0,
    };
    let widths = estimate::expected(&plan.part(quantity, &[])).ok()?;
    over_cells(plan, widths.into_iter().map(|width| width * unit))
}

/// The error to expect of every difference of persons: like that of counts, it does not depend on them.
pub(super) fn differences(plan: &Plan) -> Vec<Difference> {
    let (prediction, quantile) = (plan.prediction(), estimate::quantile95(plan.accounting));
    let of_figure = |figure: &Figure| {
        let Figure::Comparison(Comparison { name, contrast: Contrast::Difference, compared }) = figure else {
            return None;
        };
        let Compared::Persons([one, other]) = compared else { return None };
        let width = |shown: &Shown| {
            let of = |a: &[Cut], b: &[Cut]| prediction.covariance(shown, [a, b]);
            let variance = of(one, one)? - 2.0 * of(one, other)? + of(other, other)?;
            Some(quantile * variance.max(0.0).sqrt())
        };
        let widths = plan.shown.iter().map(width).collect::<Option<Vec<f64>>>()?;
        Some(Difference { measure: name.clone(), moe: over_cells(plan, widths.into_iter())? })
    };
    plan.figures.iter().filter_map(of_figure).collect()
}

/// The median and the worst over the cells of the tables asked for, from the half-width in the cells of each table.
fn over_cells(plan: &Plan, widths: impl Iterator<Item = f64>) -> Option<Moe> {
    let mut sorted: Vec<(f64, usize)> = widths
        .zip(&plan.shown)
        .take(plan.asked)
        .map(|(width, shown)| (width, estimate::shown_cells(plan, shown)))
        .collect();
    let half = sorted.iter().map(|(_, cells)| cells).sum::<usize>().div_ceil(2);
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut below = 0;
    let typical = sorted.iter().find(|(_, cells)| {
        below += cells;
        below >= half
    })?;
    Some(Moe { typical: typical.0, worst: sorted.last()?.0 })
}
