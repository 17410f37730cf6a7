//! A question answered from a draw that was made for another one.
//!
//! Whatever a draw covers is answered from it at no cost: any table within the span of its measured tables, any filter
//! on its dimensions, any measure made of its quantities. The question is admitted as ever first, so every rule of the
//! policy has held; then it is laid over the draw. It is answered from there if that is at least as precise as what the
//! asker would have paid for: who wants more precision draws anew.

use super::canonical::digest;
use super::plan::{Cut, Dimension, Level, Measured, PERIOD, Plan, Shown};
use super::shape::structural_zeros;
use super::{Figure, Policy, Quantity};
use crate::budget::Nanos;
use crate::identity::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a draw measured, as the ledger keeps it: enough to answer from it later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// The dimensions, each with the codes of its levels.
    dimensions: Vec<(String, Vec<Vec<String>>)>,
    /// The tables, with what each was paid.
    measured: Vec<Measured>,
    /// Whether persons add up.
    additive: bool,
}

impl Plan {
    /// What is measured, for later questions.
    #[must_use]
    pub fn form(&self) -> Form {
        let levels = |dimension: &Dimension| dimension.levels.iter().map(|level| level.members.clone()).collect();
        Form {
            dimensions: self.dimensions.iter().map(|d| (d.name.clone(), levels(d))).collect(),
            measured: self.measured.clone(),
            additive: self.additive,
        }
    }

    /// The same question over an earlier draw of the same policy and editions; `None` where the draw does not cover it,
    /// or covers it less precisely than this plan would.
    #[must_use]
    pub fn over(&self, policy: &Policy, draw: Digest, form: &Form) -> Option<Self> {
        let laid = Laying { plan: self, form };
        // Most draws do not cover a question: known by the codes alone, before any of it is built.
        let shown: Vec<Shown> = self.shown.iter().map(|shown| laid.shown(shown)).collect::<Option<_>>()?;
        let cuts = laid.cuts(&self.cuts)?;
        let figures: Vec<Figure> = self.figures.iter().map(|figure| laid.figure(figure)).collect::<Option<_>>()?;
        let dimensions: Vec<Dimension> =
            form.dimensions.iter().map(|(name, levels)| dimension(policy, name, levels)).collect::<Option<_>>()?;
        let summed_twice = |cut: &Cut| cut.levels.len() > 1 && dimensions.get(cut.dim).is_some_and(|d| d.per_row);
        if !form.additive && figures.iter().flat_map(numerator).chain(&cuts).any(summed_twice) {
            return None;
        }
        let cost = form.measured.iter().try_fold(Nanos::ZERO, |sum, table| sum.checked_add(table.units))?;
        let over = Self {
            structural_zeros: structural_zeros(policy, &dimensions),
            release: digest("halflight/release/1", &(draw, &shown, &cuts, &figures)),
            dimensions,
            measured: form.measured.clone(),
            additive: form.additive,
            cost,
            shown,
            cuts,
            figures,
            draw,
            ..self.clone()
        };
        over.precise_as(self).then_some(over)
    }

    /// Variance to expect of a quantity in the cells of a shown table; infinite if it is not covered.
    #[must_use]
    pub fn variance_of(&self, quantity: &Quantity, of: &[Cut], shown: &Shown) -> f64 {
        let cuts = self.cut_by(of);
        let measured = self.measured.iter().filter(|measured| measured.quantity == *quantity);
        let additive = self.additive || *quantity != Quantity::Persons;
        super::Prediction::new(&self.dimensions, &cuts, measured, self.accounting, additive).variance(shown)
    }

    /// Whether every table asked for comes as precisely as from another plan, and every margin at all.
    fn precise_as(&self, other: &Self) -> bool {
        let figures = self.figures.iter().zip(&other.figures);
        let mut parts = figures.flat_map(|(mine, theirs)| {
            let needs = mine.needs().into_iter().map(|quantity| (quantity, [].as_slice(), [].as_slice()));
            let shares = numerator_cuts(mine).map(|of| (Quantity::Persons, of, numerator_cuts(theirs).unwrap_or(&[])));
            needs.chain(shares)
        });
        parts.all(|(quantity, mine, theirs)| {
            self.shown.iter().zip(&other.shown).enumerate().all(|(place, (here, there))| {
                let variance = self.variance_of(&quantity, mine, here);
                let enough = || variance <= other.variance_of(&quantity, theirs, there) * ROUNDING;
                variance.is_finite() && (place >= self.asked || enough())
            })
        })
    }
}

/// Variances that differ by less are the same.
const ROUNDING: f64 = 1.0 + 1e-9;

fn numerator_cuts(figure: &Figure) -> Option<&[Cut]> {
    match figure {
        Figure::Share { of, .. } => Some(of),
        Figure::Persons | Figure::Rows | Figure::Sum(_) | Figure::Mean(_) | Figure::Quantile { .. } => None,
    }
}

fn numerator(figure: &Figure) -> impl Iterator<Item = &Cut> {
    numerator_cuts(figure).into_iter().flatten()
}

/// A dimension of a draw, with the names that its codes have.
fn dimension(policy: &Policy, name: &str, levels: &[Vec<String>]) -> Option<Dimension> {
    if name == PERIOD {
        return Some(super::shape::period_of(levels.iter().flatten().map(String::as_str)));
    }
    let (column, list) = policy.dimensions().find(|(column, _)| column.name == name)?;
    let level = |members: &Vec<String>| {
        let names = match members.as_slice() {
            [one] => list.position(one).and_then(|place| list.code(place)).map(|code| code.names.clone()),
            _ => None,
        };
        Level { code: members.join("+"), names: names.unwrap_or_default(), members: members.clone() }
    };
    Some(Dimension {
        name: column.name.clone(),
        title: column.title.clone(),
        concept: column.concept.clone(),
        per_row: column.per == super::Per::Row,
        levels: levels.iter().map(level).collect(),
    })
}

/// The place of a dimension in the draw, the codes of its levels there, and its levels in the question.
type Laid<'a> = (usize, &'a [Vec<String>], &'a [Level]);

/// A question's dimensions and levels, as those of a draw.
struct Laying<'a> {
    plan: &'a Plan,
    form: &'a Form,
}

impl Laying<'_> {
    /// The place and levels of a dimension of the question in the draw.
    fn dimension(&self, dim: usize) -> Option<Laid<'_>> {
        let asked = self.plan.dimensions.get(dim)?;
        let place = self.form.dimensions.iter().position(|(name, _)| *name == asked.name)?;
        Some((place, &self.form.dimensions.get(place)?.1, &asked.levels))
    }

    /// A table: every level it shows has to be one of the draw's.
    fn shown(&self, shown: &Shown) -> Option<Shown> {
        let lay = |dim: &usize| {
            let (place, there, here) = self.dimension(*dim)?;
            let selected = self.plan.cuts.iter().find(|cut| cut.dim == *dim);
            let one_to_one = match selected {
                Some(cut) => {
                    cut.levels.iter().all(|&level| here.get(level).is_some_and(|l| there.contains(&l.members)))
                }
                None => here.len() == there.len() && here.iter().zip(there).all(|(here, there)| here.members == *there),
            };
            one_to_one.then_some(place)
        };
        let mut dims: Vec<usize> = shown.dims.iter().map(lay).collect::<Option<_>>()?;
        dims.sort_unstable();
        Some(Shown { dims })
    }

    /// Filters: what each selects has to be made of whole levels of the draw.
    fn cuts(&self, cuts: &[Cut]) -> Option<Vec<Cut>> {
        let lay = |cut: &Cut| {
            let (dim, there, here) = self.dimension(cut.dim)?;
            let wanted: BTreeSet<&String> =
                cut.levels.iter().filter_map(|&level| here.get(level)).flat_map(|level| &level.members).collect();
            let inside = |members: &&Vec<String>| members.iter().all(|code| wanted.contains(code));
            let levels: Vec<usize> =
                there.iter().enumerate().filter(|(_, members)| inside(members)).map(|(i, _)| i).collect();
            let covered: usize = there.iter().filter(inside).map(Vec::len).sum();
            (covered == wanted.len()).then_some(Cut { dim, levels })
        };
        let mut laid: Vec<Cut> = cuts.iter().map(lay).collect::<Option<_>>()?;
        laid.sort();
        Some(laid)
    }

    fn figure(&self, figure: &Figure) -> Option<Figure> {
        match figure {
            Figure::Share { name, of } => Some(Figure::Share { name: name.clone(), of: self.cuts(of)? }),
            Figure::Persons | Figure::Rows | Figure::Sum(_) | Figure::Mean(_) | Figure::Quantile { .. } => {
                Some(figure.clone())
            }
        }
    }
}
