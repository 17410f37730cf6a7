//! What the promises ask of any safe pattern, told of the figures of a system: inequalities over who is withheld.
//!
//! Cells that differ by impossible ones alone are one figure by several names: withheld together or not at all. A safe
//! pattern is taken to withhold nothing that is known, since publishing it would tell nothing more.
//!
//! # Guarantee
//! Every cut holds of every pattern that an audit passes, so that a bound from them is below the fewest partners.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::cut::Cut;
use super::lattice::Row;
use super::lines::lines;
use super::search::Standing;
use super::told::{ERRORS_BELOW_ZERO, System, Told};
use std::collections::{BTreeMap, HashMap};

/// Widths are proved to within a millionth; what is asked here is a little less.
const WIDTH_ASKED: f64 = 1.0 - 1e-5;

/// A figure that is not certain, by whatever names.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    pub(super) standing: Standing,
    /// The cells that the search decides on.
    pub(super) open: usize,
    /// Whether a single person could know it (E): no other withheld figure may then follow from it.
    pub(super) knowable: bool,
    /// How far it can fall.
    pub(super) room: f64,
    /// How wide its interval must be.
    pub(super) floor: f64,
}

/// The figures of a system, and the lines between them.
pub(super) struct Demands {
    pub(super) figures: Vec<Figure>,
    /// Per cell; none where nobody can be counted.
    pub(super) of_cell: Vec<Option<usize>>,
    /// Over figures.
    lines: Vec<Row>,
}

impl Demands {
    /// Of the system that joins these tables.
    pub(super) fn new(system: &System, tables: &[Told]) -> Self {
        let cells: Vec<usize> = (0..system.standing.len()).filter(|&cell| !system.impossible[cell]).collect();
        let mut demands = Self { figures: Vec::new(), of_cell: vec![None; system.standing.len()], lines: Vec::new() };
        let mut named: HashMap<u64, usize> = HashMap::new();
        for (&cell, name) in cells.iter().zip(system.moves.ties(&cells)) {
            let figure = *named.entry(name).or_insert(demands.figures.len());
            demands.of_cell[cell] = Some(figure);
            demands.add(figure, system, cell);
        }
        let mut lines: Vec<Row> = lines(tables, &system.places)
            .iter()
            .map(|line| demands.in_figures(line))
            .filter(|l| !l.is_empty())
            .collect();
        lines.sort_unstable();
        lines.dedup();
        demands.lines = lines;
        demands
    }

    fn add(&mut self, figure: usize, system: &System, cell: usize) {
        let (error, floor) = (system.errors[cell], system.floors[cell]);
        let one = Figure {
            standing: system.standing[cell],
            open: usize::from(system.standing[cell] == Standing::Open),
            knowable: 2.0 * ERRORS_BELOW_ZERO * error < floor,
            room: (system.estimates[cell] + ERRORS_BELOW_ZERO * error).max(0.0),
            floor,
        };
        let Some(all) = self.figures.get_mut(figure) else { return self.figures.push(one) };
        all.standing = match (all.standing, one.standing) {
            (Standing::Published, _) | (_, Standing::Published) => Standing::Published,
            (Standing::Withheld, _) | (_, Standing::Withheld) => Standing::Withheld,
            (Standing::Open, Standing::Open) => Standing::Open,
        };
        all.open += one.open;
        all.knowable |= one.knowable;
        all.room = all.room.min(one.room);
        all.floor = all.floor.max(one.floor);
    }

    /// A sum of cells as a sum of figures, without those that are published anyway.
    fn in_figures(&self, line: &Row) -> Row {
        let mut sum: BTreeMap<usize, i64> = BTreeMap::new();
        for &(cell, factor) in line {
            if let Some(figure) = self.of_cell[cell].filter(|&f| self.figures[f].standing != Standing::Published) {
                *sum.entry(figure).or_insert(0) += factor;
            }
        }
        sum.into_iter().filter(|entry| entry.1 != 0).collect()
    }

    /// Open cells that are withheld for certain, being another name of a withheld one.
    pub(super) fn given(&self) -> usize {
        let withheld = self.figures.iter().filter(|figure| figure.standing == Standing::Withheld);
        withheld.map(|figure| figure.open).sum()
    }

    /// The cuts of all lines that these choices break.
    pub(super) fn missed(&self, chosen: &[f64]) -> Vec<Cut> {
        let mut missed = Vec::new();
        for line in &self.lines {
            let all: f64 = line.iter().map(|&(figure, _)| chosen[figure]).sum();
            for &(figure, own) in line {
                let asked = if self.figures[figure].knowable { 2.0 } else { 1.0 };
                if all < (1.0 + asked) * chosen[figure] - 1e-6 {
                    missed.push(self.silence(figure, line.iter().map(|entry| entry.0)));
                }
                let wide = self.width(figure, line.iter().map(|&(other, f)| (other, float(f) / float(own))));
                missed.extend(wide.filter(|cut| cut.is_missed(|figure| chosen[figure])));
            }
        }
        missed
    }

    /// A and E: of the figures of an equation, one that is withheld is not alone, nor with a single other if somebody
    /// could know it.
    pub(super) fn silence(&self, figure: usize, equation: impl Iterator<Item = usize>) -> Cut {
        let least = if self.figures[figure].knowable { 2.0 } else { 1.0 };
        let factors = equation.filter(|&other| other != figure).map(|other| (other, 1.0)).collect();
        Cut { of: figure, least, factors }
    }

    /// W: how far a figure can rise where others fall as far as they can, by an equation in which its own factor is 1.
    fn width(&self, figure: usize, equation: impl Iterator<Item = (usize, f64)>) -> Option<Cut> {
        let own = &self.figures[figure];
        let least = own.floor * WIDTH_ASKED - own.room;
        let reach = |(other, ratio): (usize, f64)| {
            let far = if ratio > 0.0 { (ratio * self.figures[other].room).min(least) } else { least };
            (other != figure).then_some((other, far))
        };
        (least > 0.0).then(|| Cut { of: figure, least, factors: equation.filter_map(reach).collect() })
    }
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "small whole numbers")]
fn float(factor: i64) -> f64 {
    factor as f64
}
