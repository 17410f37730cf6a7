//! Totals published elsewhere, beside ours.
//!
//! An officer has entered them in the policy with a citation. They are about one cell and one period; they are shown
//! beside the figure of persons of that very cell and change nothing in it. A withheld cell says nothing of the
//! difference.

use super::body::{Cell, Known};
use super::number::Number;
use crate::policy::{Cells, Figure, KnownTotal, Plan, Selection};

/// The known totals of a policy, over the cells of one table.
pub(super) struct Totals<'a> {
    plan: &'a Plan,
    cells: Cells,
}

impl<'a> Totals<'a> {
    /// Over the cells of a table with these dimensions.
    pub(super) fn new(plan: &'a Plan, dims: &[usize]) -> Self {
        Self { plan, cells: Cells::new(&plan.dimensions, &plan.cuts, dims) }
    }

    /// The known total of the cell at a place, if there is one.
    pub(super) fn at(&self, place: usize) -> Option<&'a KnownTotal> {
        let plan = self.plan;
        let [edition] = plan.editions.as_slice() else { return None };
        if plan.known_totals.is_empty() {
            return None;
        }
        let here = self.cells.at(place);
        let mut selection = Selection::new();
        for (dim, dimension) in plan.measured_dimensions().filter(|(_, d)| d.name != crate::policy::PERIOD) {
            let cut = plan.cuts.iter().find(|cut| cut.dim == dim).map(|cut| cut.levels.as_slice());
            let held = here.get(&dim).copied().or(cut);
            for level in held.into_iter().flatten().filter_map(|&level| dimension.levels.get(level)) {
                selection.entry(dimension.column.clone()).or_default().extend(level.members.iter().cloned());
            }
        }
        let here = |total: &&KnownTotal| total.period.as_ref().is_none_or(|period| *period == edition.period);
        plan.known_totals.iter().filter(here).find(|total| total.selection == selection)
    }
}

/// The cell, with the known total beside it where it shows persons.
pub(super) fn beside(known: Option<&KnownTotal>, cell: Cell) -> Cell {
    let number = |number: &Option<Number>| number.as_ref().and_then(Number::whole);
    let figures = (number(&cell.value), number(&cell.low), number(&cell.high));
    let (Some(known), (Some(value), Some(low), Some(high))) = (known, figures) else { return cell };
    if cell.measure != Figure::Persons.name() {
        return cell;
    }
    let persons = i64::try_from(known.persons).unwrap_or(i64::MAX);
    let known = Known {
        persons: known.persons,
        difference: Number::Whole(value.saturating_sub(persons)),
        within_noise: (low..=high).contains(&persons),
        citation: known.citation.clone(),
    };
    Cell { known: Some(known), ..cell }
}
