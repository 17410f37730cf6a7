//! The fewest partners of a small system, or how near to it a pattern is: branch and cut with the promises of the
//! service for the inspection.
//!
//! # Guarantee
//! A pattern is taken for safe only where an inspection passed it. Bounded by nodes and by work; without it, the search
//! of large systems is what there is.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::attacker::{Attacker, Stretched};
use super::cut::Cut;
use super::demands::Demands;
use super::exact::{Best, Limits, Separated, best};
use super::inspect::{Faults, faults};
use super::search::{Pattern, Standing};
use super::told::{ERRORS_BELOW_ZERO, System, Told};
use std::collections::BTreeMap;

/// Moves times cells of the largest system.
const SIZE_MAX: usize = 60_000;

/// Of the search for a pattern to release: what it gains is seldom more than one partner.
const LIMITS: Limits = Limits { nodes: 200, work: 50_000_000 };

/// A pattern with fewer partners than this one, if the system is small and one was found.
pub(super) fn fewer(system: &System, tables: &[Told], pattern: &Pattern) -> Option<Vec<bool>> {
    if size(system) > SIZE_MAX {
        return None;
    }
    let demands = Demands::new(system, tables);
    let is_withheld = |figure: &usize| {
        let names = demands.of_cell.iter().zip(&pattern.withheld);
        names.filter(|(of, _)| **of == Some(*figure)).any(|(_, withheld)| *withheld)
    };
    let is_open = |&figure: &usize| demands.figures.get(figure).is_some_and(|f| f.standing == Standing::Open);
    let start: Vec<usize> = (0..demands.figures.len()).filter(is_open).filter(is_withheld).collect();
    let best = fewest(system, &demands, start.clone(), LIMITS).filter(|best| best.partners != start)?;
    let stays = |(cell, of): (usize, &Option<usize>)| {
        let chosen = of.is_some_and(|figure| best.partners.contains(&figure));
        let standing = of.and_then(|figure| demands.figures.get(figure)).map(|figure| figure.standing);
        chosen || (standing == Some(Standing::Withheld) && pattern.withheld.get(cell) == Some(&true))
    };
    Some(demands.of_cell.iter().enumerate().map(stays).collect())
}

fn size(system: &System) -> usize {
    system.moves.rows().count().saturating_mul(system.standing.len())
}

/// The fewest partners of these figures, from some that do, as far as the work on inspections allows.
pub(super) fn fewest(system: &System, demands: &Demands, start: Vec<usize>, limits: Limits) -> Option<Best> {
    if size(system) > SIZE_MAX {
        return None;
    }
    let rows: Vec<_> = system.moves.rows().cloned().collect();
    let attacker = Attacker::new(&rows, system.standing.len());
    let standing: Vec<Standing> = demands.figures.iter().map(|figure| figure.standing).collect();
    let weights: Vec<i64> = demands.figures.iter().map(|f| i64::try_from(f.open).unwrap_or(i64::MAX)).collect();
    let mut inspector = Inspector { system, demands, attacker, work: limits.work };
    Some(best(&standing, &weights, start, limits, |chosen| inspector.separate(chosen)))
}

struct Inspector<'a> {
    system: &'a System,
    demands: &'a Demands,
    attacker: Attacker,
    work: u64,
}

impl Inspector<'_> {
    fn separate(&mut self, chosen: &[f64]) -> Separated {
        let missed = self.demands.missed(chosen);
        if !missed.is_empty() {
            return Separated::Cuts(missed);
        }
        if chosen.iter().any(|&value| value > 1e-5 && value < 1.0 - 1e-5) {
            return Separated::Safe;
        }
        let Some((pattern, faults)) = self.inspect(chosen) else { return Separated::Undecided };
        if faults.none() {
            return Separated::Safe;
        }
        let cuts: Vec<Cut> = self.cuts(&pattern, &faults).into_iter().filter(|c| c.is_missed(|f| chosen[f])).collect();
        if cuts.is_empty() { Separated::Undecided } else { Separated::Cuts(cuts) }
    }

    /// What the promises say of a pattern; none if that was not told.
    fn inspect(&mut self, chosen: &[f64]) -> Option<(Pattern, Faults)> {
        let withheld: Vec<bool> = self
            .demands
            .of_cell
            .iter()
            .map(|figure| figure.and_then(|figure| chosen.get(figure)).is_some_and(|&value| value > 0.5))
            .collect();
        let mut moves = self.system.moves.clone();
        moves.publish_all((0..withheld.len()).filter(|&cell| withheld.get(cell) == Some(&false)).collect());
        let pattern = Pattern { lost: moves.overflowed(), withheld, moves };
        if pattern.lost {
            return None;
        }
        let slack = self.system.slack(&pattern, &mut self.system.estimates.clone(), &mut self.work)?;
        let faults = faults(self.system, &pattern, &slack, &mut self.work);
        Some((pattern, faults))
    }

    /// Equations that these faults come from.
    fn cuts(&mut self, pattern: &Pattern, faults: &Faults) -> Vec<Cut> {
        let mut cuts: Vec<Option<Cut>> = Vec::new();
        for &cell in &faults.known {
            cuts.push(self.equation(pattern, cell, None));
        }
        for (_, sum) in &faults.tied {
            for (&(one, _), &(other, _)) in sum.iter().zip(sum.iter().rev()) {
                cuts.push(self.equation(pattern, one, Some(other)));
            }
        }
        for &(cell, _) in &faults.narrow {
            cuts.push(self.width(pattern, cell));
        }
        cuts.into_iter().flatten().collect()
    }

    fn figure(&self, cell: usize) -> Option<usize> {
        self.demands.of_cell.get(cell).copied().flatten()
    }

    /// What fixes a cell once all that is published is, and `beside` too.
    fn equation(&mut self, pattern: &Pattern, cell: usize, beside: Option<usize>) -> Option<Cut> {
        let (own, beside) = (self.figure(cell)?, beside.and_then(|cell| self.figure(cell)));
        let demands = self.demands;
        let free = |other: usize| {
            let figure = demands.of_cell.get(other).copied().flatten();
            pattern.withheld.get(other) == Some(&true) && (beside.is_none() || figure != beside)
        };
        let limits = |cell| if free(cell) { (-1.0, 1.0) } else { (0.0, 0.0) };
        let stretched = self.attacker.within(limits).stretch(cell, 1.0, f64::INFINITY, &mut self.work)?;
        let Stretched::Stopped { after: ..=1e-6, by } = stretched else { return None };
        let mut equation: Vec<usize> = by.iter().filter_map(|&(cell, _)| self.figure(cell)).collect();
        equation.sort_unstable();
        equation.dedup();
        Some(demands.silence(own, equation.into_iter().filter(|&f| demands.figures[f].standing != Standing::Published)))
    }

    /// What stops a cell on both sides.
    fn width(&mut self, pattern: &Pattern, cell: usize) -> Option<Cut> {
        let own = self.figure(cell)?;
        let system = self.system;
        let room = |cell: usize| (system.estimates[cell] + ERRORS_BELOW_ZERO * system.errors[cell]).max(0.0);
        let limits = |cell: usize| match pattern.withheld.get(cell) {
            Some(true) => (-room(cell), f64::INFINITY),
            Some(false) | None => (0.0, 0.0),
        };
        let mut attacker = self.attacker.within(limits);
        let mut least = self.demands.figures[own].floor * (1.0 - 1e-5);
        let mut factors: BTreeMap<usize, f64> = BTreeMap::new();
        for way in [1.0, -1.0] {
            let stretched = attacker.stretch(cell, way, f64::INFINITY, &mut self.work)?;
            let Stretched::Stopped { by, .. } = stretched else { return None };
            for (other, slope) in by {
                let far = if slope > 0.0 { f64::INFINITY } else { -slope * room(other) };
                match self.figure(other) {
                    Some(figure) if figure == own => least -= far,
                    Some(figure) if self.demands.figures[figure].standing != Standing::Published => {
                        *factors.entry(figure).or_insert(0.0) += far;
                    }
                    Some(_) | None => {}
                }
            }
        }
        let factors = factors.into_iter().map(|(figure, far)| (figure, far.min(least))).collect();
        (least > 0.0 && least.is_finite()).then_some(Cut { of: own, least, factors })
    }
}
