//! What is told of every cell: each figure with its interval, or the reason for its silence.
//!
//! # Guarantee
//! Whether a cell is shown is decided on its noisy persons, whatever is measured: a withheld cell has no figure of any
//! measure. A share is withheld with its base, with its numerator, and where those outside the numerator are few: base
//! and share together would show them.

use super::answer::AnswerError;
use super::combine::{self, Outcome};
use super::parts::Parts;
use crate::estimate::EstimatedTable;
use crate::noise::NoisyTables;
use crate::policy::{Figure, Plan, Rules};
use crate::suppress::{self, Verdict};

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

/// One shown table.
pub(super) struct Telling {
    /// Its dimensions and levels, and the estimates of persons.
    pub(super) table: EstimatedTable,
    /// By figure of the plan, in order: what is told of each cell.
    pub(super) figures: Vec<Vec<Told>>,
}

/// Estimates everything the plan shows, and decides what of it is told.
pub(super) fn tell(plan: &Plan, noisy: &NoisyTables) -> Result<Vec<Telling>, AnswerError> {
    let parts = Parts::new(plan, noisy);
    let persons = parts.persons(&[])?;
    let verdicts: Vec<Vec<Verdict>> = persons.iter().map(|table| verdicts(plan, table)).collect();
    let mut figures: Vec<Vec<Vec<Told>>> = persons.iter().map(|_| Vec::new()).collect();
    for figure in &plan.figures {
        let outcomes = combine::outcomes(plan, &parts, figure, &persons)?;
        for ((all, verdicts), outcomes) in figures.iter_mut().zip(&verdicts).zip(outcomes) {
            let told =
                verdicts.iter().zip(outcomes).map(|(verdict, outcome)| told(&plan.rules, figure, verdict, outcome));
            all.push(told.collect());
        }
    }
    Ok(persons.into_iter().zip(figures).map(|(table, figures)| Telling { table, figures }).collect())
}

fn verdicts(plan: &Plan, table: &EstimatedTable) -> Vec<Verdict> {
    let rules = Rules { threshold: plan.floor(&table.dims), ..plan.rules.clone() };
    let zeros = super::keys::Zeros::new(plan, &table.dims);
    suppress::apply(table, &rules, |place| zeros.hold(place))
}

fn told(rules: &Rules, figure: &Figure, verdict: &Verdict, outcome: Option<Outcome>) -> Told {
    let additive = match figure {
        Figure::Persons | Figure::Rows | Figure::Sum(_) => true,
        Figure::Mean(_) | Figure::Quantile { .. } | Figure::Share { .. } => false,
    };
    match (verdict, outcome) {
        (Verdict::Withheld, _) | (Verdict::Shown, None) => Told::Withheld,
        (Verdict::Structural, _) => Told::Structural { additive },
        (Verdict::Shown, Some(outcome)) => {
            let reliable = outcome.reliable(rules.moe_relative_max);
            if rules.withhold_unreliable && !reliable { Told::Unreliable } else { Told::Shown(outcome, reliable) }
        }
    }
}
