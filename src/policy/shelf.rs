//! A question answered from a draw that was made for another one.
//!
//! Whatever a draw covers is answered from it at no cost: any table within the span of its measured tables, any filter
//! on its dimensions, any measure made of its quantities. The question is admitted as ever first, so every rule of the
//! policy has held; then it is laid over the draw. It is answered from there if that is at least as precise as what the
//! asker would have paid for: who wants more precision draws anew.

use super::admit::release_digest;
use super::asked::place_of;
use super::dimension::{dimension_of, every_level, groups, period_of};
use super::plan::{Cut, Dimension, Finer, Level, Measured, PERIOD, Plan, Shown};
use super::price::variance;
use super::ruled::ruled;
use super::shape::{over_dimensions, structural_zeros};
use super::{Figure, Policy, Quantity};
use crate::budget::{Accounting, Nanos};
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

impl Form {
    /// No linear estimate of persons is more precise (1 / variance) than this: whoever comes or goes moves one cell of
    /// each table by one, so that all together tell of them what their precisions add up to (Cauchy and Schwarz).
    #[must_use]
    pub fn precision_at_most(&self, accounting: Accounting) -> f64 {
        let persons = self.measured.iter().filter(|measured| measured.quantity == Quantity::Persons);
        persons.map(|measured| variance(accounting, measured).recip()).sum::<f64>() * ROUNDING
    }
}

impl Plan {
    /// The precision (1 / variance) to expect of persons in the most precise of the tables asked for.
    #[must_use]
    pub fn precision(&self) -> f64 {
        let asked = self.shown.iter().take(self.asked);
        asked.map(|shown| self.variance_of(&Quantity::Persons, &[], shown).recip()).fold(0.0, f64::max)
    }

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
        self.laid_over(policy, draw, form).filter(|over| over.precise_as(self))
    }

    /// The same question over an earlier draw, however precise; `None` where the draw does not have its dimensions.
    #[must_use]
    pub fn laid_over(&self, policy: &Policy, draw: Digest, form: &Form) -> Option<Self> {
        let mut laid = Laying { plan: self, additive: form.additive, dimensions: form.dimensions(policy)? };
        let shown: Vec<Shown> = self.shown.iter().map(|shown| laid.shown(shown)).collect::<Option<_>>()?;
        let cuts = laid.cuts(&self.cuts)?;
        let figures: Vec<Figure> = self.figures.iter().map(|figure| laid.figure(figure)).collect::<Option<_>>()?;
        let dimensions = laid.dimensions;
        // Persons who have several of the codes would count once for each, unless every table tells the codes apart.
        let several = |cut: &&Cut| cut.levels.len() > 1 && dimensions.get(cut.dim).is_some_and(|d| d.per_row);
        let summed = |cut: &&Cut| shown.iter().any(|table| !table.dims.contains(&cut.dim));
        let mut together = figures.iter().flat_map(Figure::parts).flatten().chain(cuts.iter().filter(summed));
        if !form.additive && together.any(|cut| several(&cut)) {
            return None;
        }
        let cost = form.measured.iter().try_fold(Nanos::ZERO, |sum, table| sum.checked_add(table.units))?;
        Some(Self {
            structural_zeros: structural_zeros(policy, &dimensions),
            vulnerable: over_dimensions(&policy.vulnerable, &dimensions),
            ruled: ruled(policy, &dimensions),
            release: release_digest(draw, &dimensions, &shown, &cuts, &figures),
            dimensions,
            measured: form.measured.clone(),
            additive: form.additive,
            cost,
            shown,
            cuts,
            figures,
            draw,
            ..self.clone()
        })
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
        let mut parts = figures.flat_map(|(mine, theirs)| mine.measured_in().into_iter().zip(theirs.measured_in()));
        parts.all(|((quantity, mine), (_, theirs))| {
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

impl Form {
    /// The dimensions of the draw, with the names that their codes have.
    fn dimensions(&self, policy: &Policy) -> Option<Vec<Dimension>> {
        let mut all: Vec<Dimension> =
            self.dimensions.iter().map(|(name, levels)| dimension(policy, name, levels)).collect::<Option<_>>()?;
        for at in 0..all.len() {
            let (before, rest) = all.split_at_mut(at);
            let Some(here) = rest.first_mut() else { continue };
            let base = before.iter().position(|d| d.column == here.column && d.finer.is_none());
            here.finer =
                base.and_then(|dim| Some(Finer { dim, groups: groups(&here.levels, &before.get(dim)?.levels)? }));
        }
        Some(all)
    }
}

/// A dimension of a draw, with the names that its codes have.
fn dimension(policy: &Policy, name: &str, levels: &[Vec<String>]) -> Option<Dimension> {
    if name == PERIOD {
        return Some(period_of(levels.iter().flatten().map(String::as_str)));
    }
    let column = policy.dimensions().find(|(column, _)| column.name == name)?.0;
    let codes = every_level(policy, place_of(policy, name).ok()?);
    let level = |members: &Vec<String>| {
        let whole = codes.iter().find(|code| code.members == *members).cloned();
        whole.unwrap_or_else(|| {
            let inside = codes.iter().filter(|code| code.members.iter().all(|member| members.contains(member)));
            let code = inside.map(|code| code.code.as_str()).collect::<Vec<_>>().join("+");
            Level { code, names: super::Text::new(), members: members.clone() }
        })
    };
    Some(dimension_of(policy, column, levels.iter().map(level).collect()))
}

/// A question's dimensions and levels, as those of a draw.
struct Laying<'a> {
    plan: &'a Plan,
    additive: bool,
    /// The draw's, and the groupings of them that the question shows.
    dimensions: Vec<Dimension>,
}

impl Laying<'_> {
    /// The place of a dimension that has these levels; made of a finer one, where persons add up along it.
    fn place(&mut self, asked: &Dimension, levels: &[&Level]) -> Option<usize> {
        let all = levels.len() == asked.levels.len();
        let there = |d: &Dimension, level: &Level| d.levels.iter().any(|other| other.members == level.members);
        let same = |d: &Dimension| {
            let as_many = !all || d.levels.len() == levels.len();
            d.name == asked.name && as_many && levels.iter().all(|level| there(d, level))
        };
        if let Some(place) = self.dimensions.iter().position(same) {
            return Some(place);
        }
        let finer = |(dim, fine): (usize, &Dimension)| {
            let base = fine.column == asked.column && fine.finer.is_none() && (self.additive || !fine.per_row);
            let groups = base.then(|| groups(levels.iter().copied(), &fine.levels))??;
            let whole = groups.iter().map(Vec::len).sum::<usize>() == fine.levels.len();
            (whole || !all).then_some(Finer { dim, groups })
        };
        let finer = self.dimensions.iter().enumerate().find_map(finer)?;
        let levels = levels.iter().map(|level| (*level).clone()).collect();
        self.dimensions.push(Dimension { levels, finer: Some(finer), ..asked.clone() });
        Some(self.dimensions.len() - 1)
    }

    /// A table: every level it shows has to be one of the draw's, or made of them.
    fn shown(&mut self, shown: &Shown) -> Option<Shown> {
        let plan = self.plan;
        let mut dims: Vec<usize> = Vec::new();
        for &dim in &shown.dims {
            let asked = plan.dimensions.get(dim)?;
            let cut = plan.cuts.iter().find(|cut| cut.dim == dim);
            let selected = (0..asked.levels.len()).filter(|level| cut.is_none_or(|cut| cut.levels.contains(level)));
            let levels: Vec<&Level> = selected.filter_map(|level| asked.levels.get(level)).collect();
            dims.push(self.place(asked, &levels)?);
        }
        dims.sort_unstable();
        Some(Shown { dims })
    }

    /// Filters: what each selects has to be made of whole levels of the draw.
    fn cuts(&self, cuts: &[Cut]) -> Option<Vec<Cut>> {
        let lay = |cut: &Cut| {
            let asked = self.plan.dimensions.get(cut.dim)?;
            let here = |d: &Dimension| d.column == asked.column && d.finer.is_none();
            let dim = self.dimensions.iter().position(here)?;
            let there = &self.dimensions.get(dim)?.levels;
            let wanted: BTreeSet<&String> = cut
                .levels
                .iter()
                .filter_map(|&level| asked.levels.get(level))
                .flat_map(|level| &level.members)
                .collect();
            let inside = |level: &&Level| level.members.iter().all(|code| wanted.contains(code));
            let levels: Vec<usize> =
                there.iter().enumerate().filter(|(_, level)| inside(level)).map(|(i, _)| i).collect();
            let covered: usize = there.iter().filter(inside).map(|level| level.members.len()).sum();
            (covered == wanted.len()).then_some(Cut { dim, levels })
        };
        let mut laid: Vec<Cut> = cuts.iter().map(lay).collect::<Option<_>>()?;
        laid.sort();
        Some(laid)
    }

    fn figure(&self, figure: &Figure) -> Option<Figure> {
        match figure {
            Figure::Share { name, of } => Some(Figure::Share { name: name.clone(), of: self.cuts(of)? }),
            Figure::Comparison(comparison) => Some(Figure::Comparison(comparison.laid(|cuts| self.cuts(cuts))?)),
            Figure::Persons | Figure::Rows | Figure::Sum(_) | Figure::Mean(_) | Figure::Quantile { .. } => {
                Some(figure.clone())
            }
        }
    }
}
