//! What a quote says before anything is spent: the price, of what it is made up, and the error to expect.
//!
//! Computed from the plan alone (G8). What a measure brings along, such as the persons for the floor, stands here with
//! its price like what was asked for.

use super::{Alternative, Cost, Difference, Moe, Part, TableMoe};
use crate::budget::{Accounting, Nanos};
use crate::policy::{Compared, Comparison, Contrast, Figure, Plan, Quantity, Question, Shown};
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

/// The error to expect of persons in every table shown, those asked for first.
pub(super) fn tables(plan: &Plan) -> Vec<TableMoe> {
    let widths = estimate::expected(&plan.part(&Quantity::Persons, &[])).unwrap_or_default();
    let table = |(shown, widths): (&crate::policy::Shown, Vec<(f64, usize)>)| {
        let names = shown.dims.iter().filter_map(|&dim| plan.dimensions.get(dim)).map(|d| d.name.clone());
        Some(TableMoe { by: names.collect(), cells: estimate::shown_cells(plan, shown), moe: spread(widths)? })
    };
    plan.shown.iter().zip(widths).filter_map(table).collect()
}

/// A question that would be answered, with its price and the error to expect.
pub(super) fn alternative(change: String, question: Question, plan: &Plan, free: bool) -> Alternative {
    let cost = cost(plan.accounting, plan.cost, &plan.delta);
    Alternative { change, question, cost, free, moe: moe(plan), tables: tables(plan) }
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
    let of_asked = widths.into_iter().take(plan.asked).flatten();
    spread(of_asked.map(|(width, cells)| (width * unit, cells)).collect())
}

/// The error to expect of every difference of persons: like that of counts, it does not depend on them.
pub(super) fn differences(plan: &Plan) -> Vec<Difference> {
    let persons = plan.part(&Quantity::Persons, &[]);
    let (noise, quantile) = (estimate::noise_expected(&persons), estimate::quantile95(plan.accounting));
    let half_width = |covariance: &estimate::Covariances| {
        let joint = estimate::Joint { values: &[0.0, 0.0], covariance };
        estimate::difference(&joint, &[1.0, 0.0], &[0.0, 1.0], quantile).interval.1
    };
    let of_figure = |figure: &Figure| {
        let Figure::Comparison(Comparison { name, contrast: Contrast::Difference, compared }) = figure else {
            return None;
        };
        let Compared::Persons([one, other]) = compared else { return None };
        let widths = |shown: &Shown| {
            let (kinds, kind_of) = estimate::together(&persons, &noise, shown, &[one, other]).ok()?;
            let cells = |kind: usize| kind_of.iter().filter(|of| **of == kind).count();
            Some(kinds.iter().enumerate().map(|(kind, all)| (half_width(all), cells(kind))).collect::<Vec<_>>())
        };
        let widths = plan.shown.iter().take(plan.asked).map(widths).collect::<Option<Vec<_>>>()?;
        Some(Difference { measure: name.clone(), moe: spread(widths.concat())? })
    };
    plan.figures.iter().filter_map(of_figure).collect()
}

/// The median and the worst of half-widths, each with the number of its cells.
fn spread(mut widths: Vec<(f64, usize)>) -> Option<Moe> {
    widths.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = widths.iter().map(|(_, cells)| cells).sum::<usize>().div_ceil(2);
    let mut below = 0;
    let typical = widths.iter().find(|(_, cells)| {
        below += cells;
        below >= half
    })?;
    Some(Moe { typical: typical.0, worst: widths.last()?.0 })
}
