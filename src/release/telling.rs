//! What is told of every cell: each figure with its interval, or the reason for its silence.
//!
//! # Guarantee
//! Whether a cell is shown is decided on its noisy persons, whatever is measured: a withheld cell has no figure of any
//! measure. Persons are stated beside every other figure, and so is each part of them that a figure implies; a share is
//! told where its base and its numerator are, a comparison where both its groups are.

use super::answer::AnswerError;
use super::combine::{self, Outcome};
use super::loss::{LossFace, loss};
use super::parts::Parts;
use super::silence::{Layer, Silence, silence};
use super::table::{Linked, TableFace};
use crate::estimate::EstimatedTable;
use crate::policy::{Figure, Plan, Rules};
use crate::suppress::{Certificate, Verdict};

/// What is told of one figure of one cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Told {
    /// Nothing.
    Withheld,
    /// Nothing, since its interval is too wide and the policy withholds such figures.
    Unreliable,
    /// The cell cannot exist: counts and sums are 0, anything else has no meaning.
    Structural {
        /// Whether the figure is a count or a sum.
        additive: bool,
    },
    /// The figure.
    Shown(Outcome, Reliable),
}

/// Whether the interval is small enough beside the figure.
pub(super) type Reliable = bool;

/// One measure in every cell of a table.
pub(super) struct Column {
    /// The measure's name.
    pub(super) name: String,
    /// What it is.
    pub(super) figure: Figure,
    /// What is told, by cell.
    pub(super) told: Vec<Told>,
}

/// One shown table.
pub(super) struct Table {
    /// Its dimensions and levels, and the estimates of persons.
    pub(super) persons: EstimatedTable,
    /// What is told of it.
    pub(super) columns: Vec<Column>,
}

/// Everything a release tells.
pub(super) struct Telling {
    /// The tables, in the plan's order.
    pub(super) tables: Vec<Table>,
    /// What an audit needs of each of them.
    pub(super) faces: Vec<TableFace>,
    /// What was proved of what is withheld.
    pub(super) certificate: Certificate,
    /// Whom it hides.
    pub(super) loss: Option<LossFace>,
}

/// Estimates everything the plan shows, and decides what of it is told beside what stands of the draw.
pub(super) fn tell(plan: &Plan, parts: &Parts<'_>, earlier: &Linked) -> Result<Telling, AnswerError> {
    // Persons of these tables say nothing of each other; sums do, so that no second table of them comes from a draw.
    if !plan.additive && !earlier.is_empty() && plan.figures.iter().any(Figure::sums_values) {
        return Err(AnswerError::WouldReveal);
    }
    let silence = silence(plan, parts, earlier)?;
    let Some(persons) = silence.layers.first() else { return Err(AnswerError::Fault("estimate")) };
    let mut tables: Vec<Table> =
        persons.tables.iter().map(|table| Table { persons: table.clone(), columns: Vec::new() }).collect();
    let stated = std::iter::once(&Figure::Persons).filter(|persons| !plan.figures.contains(persons));
    for figure in stated.chain(&plan.figures) {
        let outcomes = combine::outcomes(plan, parts, figure, &persons.tables)?;
        for (place, (table, outcomes)) in tables.iter_mut().zip(outcomes).enumerate() {
            let verdicts = verdicts(&silence, figure, place);
            table.columns.push(column(&plan.rules, figure.name(), figure, verdicts.into_iter().zip(outcomes)));
        }
    }
    for layer in silence.layers.iter().skip(1) {
        for (table, (part, verdicts)) in tables.iter_mut().zip(layer.tables.iter().zip(&layer.verdicts)) {
            let told = verdicts.iter().copied().zip(combine::plain(part));
            table.columns.push(column(&plan.rules, layer.name.clone(), &Figure::Persons, told));
        }
    }
    let loss = loss(plan, &persons.tables, &persons.verdicts);
    Ok(Telling { tables, faces: silence.faces, certificate: silence.certificate, loss })
}

/// What becomes of a figure's cells in a table: told only where all persons it implies are.
fn verdicts(silence: &Silence, figure: &Figure, place: usize) -> Vec<Verdict> {
    let of = |layer: &Layer| layer.verdicts.get(place).cloned().unwrap_or_default();
    let implied = |layer: &&Layer| layer.of.is_empty() || figure.parts().contains(&layer.of.as_slice());
    let all = silence.layers.iter().filter(implied).map(of).reduce(|all, part| {
        all.into_iter().zip(part).map(|(all, part)| if all == Verdict::Shown { part } else { all }).collect()
    });
    let all = all.unwrap_or_default();
    let silent = *figure == Figure::Rows && !silence.rows;
    let unless = |verdict| if silent && verdict == Verdict::Shown { Verdict::Withheld } else { verdict };
    all.into_iter().map(unless).collect()
}

fn column(
    rules: &Rules,
    name: String,
    figure: &Figure,
    cells: impl Iterator<Item = (Verdict, Option<Outcome>)>,
) -> Column {
    let told = cells.map(|(verdict, outcome)| told(rules, figure, verdict, outcome)).collect();
    Column { name, figure: figure.clone(), told }
}

fn told(rules: &Rules, figure: &Figure, verdict: Verdict, outcome: Option<Outcome>) -> Told {
    let additive = match figure {
        Figure::Persons | Figure::Rows | Figure::Sum(_) => true,
        Figure::Mean(_) | Figure::Quantile { .. } | Figure::Share { .. } | Figure::Comparison(_) => false,
    };
    match (verdict, outcome) {
        (Verdict::Withheld, _) | (Verdict::Shown, None) => Told::Withheld,
        (Verdict::Structural, _) => Told::Structural { additive },
        (Verdict::Shown, Some(outcome)) => {
            let reliable = outcome.reliable(rules.moe_relative_max);
            // what adds up could be worked out from its neighbours again: it is flagged, and silent with its persons
            let silent = rules.withhold_unreliable && !reliable && !additive;
            if silent { Told::Unreliable } else { Told::Shown(outcome, reliable) }
        }
    }
}
