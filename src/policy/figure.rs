//! What is told of every shown cell, and what has to be measured for it.
//!
//! A sum or a mean brings the persons it needs for the floor and the number of values it divides by; a share brings the
//! columns of its numerator, a comparison those of its groups. What is brought along is measured, priced and shown in
//! quotes like what was asked for.

use super::asked::{Chosen, Place, joined};
use super::choosing::numerator;
use super::comparing::{Comparing, averaged};
use super::comparison::{Compared, Comparison};
use super::inadmissible::Inadmissible;
use super::model::{Kind, Measure, Per, Policy};
use super::nearest::{echo, hint};
use super::plan::Cut;
use super::quantity::{Numbers, Quantity};
use super::question::{ComparedAsked, ComparisonAsked, MeasureAsked};
use super::shape::Cutting;
use crate::budget::{NANOS_PER_UNIT, Nanos};
use crate::identity::Period;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One figure told of every shown cell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Persons.
    Persons,
    /// Kept rows.
    Rows,
    /// The sum of a column.
    Sum(Numbers),
    /// The mean of a column over the rows (or persons) that have a value.
    Mean(Numbers),
    /// A quantile of a column, from the counts of its declared bins.
    Quantile {
        /// The column.
        numbers: Numbers,
        /// The ends of its bins, in integer units.
        edges: Vec<i64>,
        /// Which quantile: between 0 and 1, in nanos.
        q: Nanos,
    },
    /// The share of persons with certain codes.
    Share {
        /// The codes, as they stand in the measure's name: `column=code+code`, sorted.
        name: String,
        /// The numerator, as levels of the plan's dimensions.
        of: Vec<Cut>,
    },
    /// A figure of one group against that of another.
    Comparison(Comparison),
}

impl Figure {
    /// The name of the measure in cells: as the command line writes it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Persons => "persons".to_owned(),
            Self::Rows => "rows".to_owned(),
            Self::Sum(numbers) => format!("sum:{}", numbers.column),
            Self::Mean(numbers) => format!("mean:{}", numbers.column),
            Self::Quantile { numbers, q, .. } if *q == HALF => format!("median:{}", numbers.column),
            Self::Quantile { numbers, q, .. } => format!("quantile:{}:{q}", numbers.column),
            Self::Share { name, .. } => format!("share:{name}"),
            Self::Comparison(comparison) => comparison.name.clone(),
        }
    }

    /// Whether it is told from sums or numbers of a column's values, which add up whatever persons do.
    #[must_use]
    pub fn sums_values(&self) -> bool {
        match self {
            Self::Sum(_) | Self::Mean(_) | Self::Quantile { .. } => true,
            Self::Comparison(comparison) => matches!(comparison.compared, Compared::Means(..)),
            Self::Persons | Self::Rows | Self::Share { .. } => false,
        }
    }

    /// Every set of cuts whose persons its telling says something about, the cell itself apart: the numerator of a
    /// share; both groups of a comparison, each with its numerator where shares are compared.
    #[must_use]
    pub fn parts(&self) -> Vec<&[Cut]> {
        match self {
            Self::Share { of, .. } => vec![of],
            Self::Comparison(comparison) => comparison.parts(),
            Self::Persons | Self::Rows | Self::Sum(_) | Self::Mean(_) | Self::Quantile { .. } => vec![],
        }
    }

    /// What has to be measured for it, and within which cuts of a cell: persons for the floor among it. Where things
    /// add up, that gives the persons of every part and of the cell too.
    #[must_use]
    pub fn needs(&self) -> Vec<(Quantity, &[Cut])> {
        let whole = |own: Vec<Quantity>| own.into_iter().map(|quantity| (quantity, [].as_slice())).collect();
        match self {
            Self::Persons => whole(vec![Quantity::Persons]),
            Self::Rows => whole(vec![Quantity::Persons, Quantity::Rows]),
            Self::Sum(n) | Self::Mean(n) => {
                whole(vec![Quantity::Persons, Quantity::Valued(n.clone()), Quantity::Sum(n.clone())])
            }
            Self::Quantile { numbers, edges, .. } => {
                whole(vec![Quantity::Persons, Quantity::Bins(numbers.clone(), edges.clone())])
            }
            Self::Share { of, .. } => vec![(Quantity::Persons, of)],
            Self::Comparison(comparison) => comparison.needs(),
        }
    }
}

impl Figure {
    /// Everything that its telling takes out of an estimate: what is measured, persons of every part and of the cell.
    pub(super) fn measured_in(&self) -> Vec<(Quantity, &[Cut])> {
        let persons = self.parts().into_iter().chain([[].as_slice()]).map(|of| (Quantity::Persons, of));
        self.needs().into_iter().chain(persons).collect()
    }
}

const HALF: Nanos = Nanos::from_nanos(NANOS_PER_UNIT / 2);

/// The most measures of one question.
const MEASURES_MAX: usize = 16;

/// One measure in canonical form; what it chooses of columns by place and position.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asking {
    Figure(Figure),
    Share(Chosen),
    Comparison(Comparing),
}

impl Asking {
    /// As of the figure.
    pub(super) fn sums_values(&self) -> bool {
        match self {
            Self::Figure(figure) => figure.sums_values(),
            Self::Comparison(comparing) => comparing.sums_values(),
            Self::Share(_) => false,
        }
    }

    /// What it selects of columns.
    pub(super) fn chosen(&self) -> Vec<&Chosen> {
        match self {
            Self::Figure(_) => Vec::new(),
            Self::Share(of) => vec![of],
            Self::Comparison(comparing) => comparing.chosen().collect(),
        }
    }

    /// The figure, once the dimensions of the draw are known.
    pub(super) fn figure(&self, policy: &Policy, periods: &[Period], cutting: &Cutting<'_>) -> Figure {
        match self {
            Self::Figure(figure) => figure.clone(),
            Self::Share(of) => Figure::Share { name: joined(policy, periods, of), of: cutting.cuts(of) },
            Self::Comparison(comparing) => Figure::Comparison(comparing.figure(policy, periods, cutting)),
        }
    }

    /// The measure as it stands in the canonical question.
    pub(super) fn asked(&self, policy: &Policy, periods: &[Period]) -> MeasureAsked {
        let column = |numbers: &Numbers| numbers.column.clone();
        match self {
            Self::Figure(Figure::Rows) => MeasureAsked::Rows {},
            Self::Figure(Figure::Sum(numbers)) => MeasureAsked::Sum { column: column(numbers) },
            Self::Figure(Figure::Mean(numbers)) => MeasureAsked::Mean { column: column(numbers) },
            Self::Figure(Figure::Quantile { numbers, q, .. }) if *q == HALF => {
                MeasureAsked::Median { column: column(numbers) }
            }
            Self::Figure(Figure::Quantile { numbers, q, .. }) => {
                MeasureAsked::Quantile { column: column(numbers), q: q.to_string() }
            }
            Self::Share(of) => MeasureAsked::Share { of: super::asked::spelt(policy, periods, of) },
            Self::Comparison(comparing) => comparing.asked(policy, periods),
            Self::Figure(Figure::Persons | Figure::Share { .. } | Figure::Comparison(_)) => MeasureAsked::Persons {},
        }
    }
}

/// What makes measures senseless: a column that holds no numbers, or no bins for a quantile.
pub(super) fn check_form(policy: &Policy, measures: &[MeasureAsked]) -> Result<(), Inadmissible> {
    if measures.is_empty() || measures.len() > MEASURES_MAX {
        let advice = format!("ask for 1 to {MEASURES_MAX} measures, such as \"measures\": [{{\"kind\": \"persons\"}}]");
        return Err(Inadmissible::malformed(advice));
    }
    for measure in measures {
        match measure {
            MeasureAsked::Quantile { q, .. } if quantile(q).is_none() => {
                let advice =
                    "`q` lies between 0 and 1, both left out, in quotes and with at most nine decimals: \"0.25\"";
                return Err(Inadmissible::malformed(advice));
            }
            MeasureAsked::Sum { column } | MeasureAsked::Mean { column } => drop(numbers(policy, column)?),
            MeasureAsked::Median { column } | MeasureAsked::Quantile { column, .. } => {
                binned(policy, column, HALF)?;
            }
            MeasureAsked::Difference { .. } | MeasureAsked::Ratio { .. } => {
                if let Some((contrast, ComparisonAsked { what: Some(ComparedAsked::Mean { column }), .. })) =
                    measure.comparison()
                {
                    averaged(policy, contrast, column)?;
                }
            }
            MeasureAsked::Share { .. } | MeasureAsked::Persons {} | MeasureAsked::Rows {} => {}
        }
    }
    Ok(())
}

fn quantile(q: &str) -> Option<Nanos> {
    let q = Nanos::parse(q).ok()?;
    (q > Nanos::ZERO && q.as_nanos() < NANOS_PER_UNIT).then_some(q)
}

/// The measures in canonical form: each once, in one order.
pub(super) fn resolve(
    policy: &Policy,
    periods: &[Period],
    filters: &BTreeMap<Place, BTreeSet<u16>>,
    measures: &[MeasureAsked],
) -> Result<BTreeSet<Asking>, Inadmissible> {
    let one = |measure| match Comparing::of(policy, periods, filters, measure)? {
        Some(comparing) => Ok(Asking::Comparison(comparing)),
        None => alone(policy, measure),
    };
    measures.iter().map(one).collect()
}

/// A measure of one group.
fn alone(policy: &Policy, measure: &MeasureAsked) -> Result<Asking, Inadmissible> {
    let figure = match measure {
        MeasureAsked::Persons {} | MeasureAsked::Difference { .. } | MeasureAsked::Ratio { .. } => Figure::Persons,
        MeasureAsked::Rows {} => Figure::Rows,
        MeasureAsked::Sum { column } => Figure::Sum(numbers(policy, column)?.0),
        MeasureAsked::Mean { column } => Figure::Mean(numbers(policy, column)?.0),
        MeasureAsked::Median { column } => binned(policy, column, HALF)?,
        MeasureAsked::Quantile { column, q } => binned(policy, column, quantile(q).unwrap_or(HALF))?,
        MeasureAsked::Share { of } => return Ok(Asking::Share(numerator(policy, of)?)),
    };
    Ok(Asking::Figure(figure))
}

pub(super) fn numbers<'a>(policy: &'a Policy, column: &str) -> Result<(Numbers, &'a Measure), Inadmissible> {
    let measures = || policy.columns.iter().filter(|c| matches!(c.kind, Kind::Measure(_))).map(|c| c.name.as_str());
    let unknown = || {
        Inadmissible::malformed(format!(
            "`{}` is not a column of numbers{}; GET /v1/datasets/ID lists them",
            echo(column),
            hint(column, measures())
        ))
    };
    let found = policy.column(column).ok_or_else(unknown)?;
    let Kind::Measure(measure) = &found.kind else { return Err(unknown()) };
    let numbers = Numbers {
        column: found.name.clone(),
        per_row: found.per == Per::Row,
        scale: measure.scale,
        min: measure.min,
        max: measure.max,
    };
    Ok((numbers, measure))
}

fn binned(policy: &Policy, column: &str, q: Nanos) -> Result<Figure, Inadmissible> {
    let (numbers, measure) = numbers(policy, column)?;
    if measure.bins.len() < 2 {
        let advice = format!("`{}` has no declared bins, so it has no quantiles; ask for its mean", numbers.column);
        return Err(Inadmissible::malformed(advice));
    }
    Ok(Figure::Quantile { numbers, edges: measure.bins.clone(), q })
}
