//! The tables of one draw as one system of cells: shown earlier, and to be shown now.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::Verdict;
use super::feasible::feasible;
use super::lattice::Lattice;
use super::moves::Moves;
use super::search::{Pattern, Standing};

/// Estimates may lie so many standard errors below 0: withheld ones are bounded by nothing else.
pub(super) const ERRORS_BELOW_ZERO: f64 = 6.0;

/// A table of a draw, and what is told of its cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Per dimension of the draw, the sets of levels that the cells stand for, in their order. A dimension summed out
    /// has one set, of all levels or of those that a filter selects.
    pub axes: Vec<Vec<Vec<usize>>>,
    /// Row-major over the axes. An audit needs none for withheld cells.
    pub estimates: Vec<f64>,
    /// The standard error of each of them.
    pub standard_errors: Vec<f64>,
    /// The floor on persons that holds for this table: the width that a withheld cell's interval is to have.
    pub floor: f64,
    /// What is told of each cell.
    pub verdicts: Vec<Verdict>,
}

impl Told {
    /// Withholds what is shown.
    pub fn withhold_all(&mut self) {
        let shown = self.verdicts.iter_mut().filter(|verdict| **verdict == Verdict::Shown);
        shown.for_each(|verdict| *verdict = Verdict::Withheld);
    }
}

/// All cells of some tables, each once.
pub(super) struct System {
    /// How many of them stand in tables that were or are asked for; those behind are left over between them.
    pub(super) asked: usize,
    pub(super) lattice: Lattice,
    /// Per table that is asked for, per place, the cell.
    pub(super) places: Vec<Vec<usize>>,
    pub(super) standing: Vec<Standing>,
    pub(super) estimates: Vec<f64>,
    pub(super) errors: Vec<f64>,
    pub(super) floors: Vec<f64>,
    /// Per cell whether it is 0 because no combination in it can occur: declared so, or made of such cells alone.
    pub(super) impossible: Vec<bool>,
    /// What can change in the cells: everyone knows that impossible ones stay 0.
    pub(super) moves: Moves,
    /// In how many ways the cells could change if nothing were impossible.
    pub(super) coordinates: usize,
    /// Whether figures may be far below 0.
    pub(super) signed: bool,
}

impl System {
    /// Joins the tables of earlier releases, whose verdicts stand, and those of a new one, of which only what is
    /// withheld stands. A cell that is shown in one new table and withheld in another is withheld; one that stands as
    /// published is published.
    pub(super) fn join(sizes: &[usize], earlier: &[Told], new: &[Told]) -> Self {
        Self::beside(sizes, earlier, new, &[])
    }

    /// The same, with `hidden` tables that nobody asked for and nobody is told of.
    pub(super) fn beside(sizes: &[usize], earlier: &[Told], new: &[Told], hidden: &[Told]) -> Self {
        let mut system = Self::of(sizes, earlier.iter().chain(new));
        if !hidden.is_empty() {
            system.coordinates = system.lattice.moves().len();
        }
        for told in hidden {
            system.add(told);
        }
        system.leave_out_impossible();
        for (number, told) in earlier.iter().chain(new).chain(hidden).enumerate() {
            let shown = if number < earlier.len() { Standing::Published } else { Standing::Open };
            for (place, verdict) in told.verdicts.iter().enumerate() {
                let cell = system.places[number][place];
                let standing = match verdict {
                    _ if system.impossible[cell] => Standing::Published,
                    Verdict::Shown | Verdict::Structural => shown,
                    Verdict::Withheld => Standing::Withheld,
                };
                system.standing[cell] = match (system.standing[cell], standing) {
                    (Standing::Published, _) | (_, Standing::Published) => Standing::Published,
                    (Standing::Withheld, _) | (_, Standing::Withheld) => Standing::Withheld,
                    (Standing::Open, Standing::Open) => Standing::Open,
                };
            }
        }
        system.places.truncate(earlier.len() + new.len());
        system
    }

    /// The cells of some tables, of which nothing is decided.
    pub(super) fn of<'a>(sizes: &[usize], tables: impl Iterator<Item = &'a Told>) -> Self {
        let mut system = Self {
            asked: 0,
            lattice: Lattice::new(sizes),
            places: Vec::new(),
            standing: Vec::new(),
            estimates: Vec::new(),
            errors: Vec::new(),
            floors: Vec::new(),
            impossible: Vec::new(),
            moves: Moves::new(0, Vec::new()),
            coordinates: 0,
            signed: false,
        };
        for told in tables {
            system.add(told);
        }
        system.asked = system.standing.len();
        system
    }

    fn add(&mut self, told: &Told) {
        let mut keys = vec![Vec::new()];
        for (dimension, axis) in told.axes.iter().enumerate() {
            let sets: Vec<usize> = axis.iter().map(|levels| self.lattice.set(dimension, levels)).collect();
            keys = keys.iter().flat_map(|key| sets.iter().map(move |&set| [key.as_slice(), &[set]].concat())).collect();
        }
        let mut places = Vec::with_capacity(keys.len());
        let figures = told.estimates.iter().zip(&told.standard_errors);
        for (key, (verdict, (&estimate, &error))) in keys.into_iter().zip(told.verdicts.iter().zip(figures)) {
            let cell = self.lattice.cell(key);
            if cell == self.standing.len() {
                self.standing.push(Standing::Open);
                self.estimates.push(estimate);
                self.errors.push(error);
                self.floors.push(told.floor);
                self.impossible.push(false);
            }
            // told twice, it counts by the higher floor and the smaller error
            self.floors[cell] = self.floors[cell].max(told.floor);
            self.errors[cell] = self.errors[cell].min(error);
            self.impossible[cell] |= *verdict == Verdict::Structural;
            places.push(cell);
        }
        self.places.push(places);
    }

    /// A cell made of impossible ones alone is impossible too, whatever was declared of it by name.
    fn leave_out_impossible(&mut self) {
        let rows = self.lattice.moves();
        if self.coordinates == 0 {
            self.coordinates = rows.len();
        }
        self.moves = Moves::new(self.standing.len(), rows);
        self.moves.publish_all((0..self.impossible.len()).filter(|&cell| self.impossible[cell]).collect());
        for cell in 0..self.impossible.len() {
            self.impossible[cell] |= self.moves.untouched(cell);
            if self.impossible[cell] {
                self.estimates[cell] = 0.0;
            }
        }
    }

    /// The open cells, the most useful first: a small relative error is useful, and what is made of other cells is at
    /// least as useful as they are.
    pub(super) fn order(&self) -> Vec<usize> {
        let precision: Vec<f64> = self.estimates.iter().zip(&self.errors).map(|(x, e)| x / e.max(1e-9)).collect();
        let use_of = self.lattice.raised_to_parts(&precision);
        let mut order: Vec<usize> = (0..self.standing.len()).filter(|&c| self.standing[c] == Standing::Open).collect();
        order.sort_by(|&a, &b| use_of[b].total_cmp(&use_of[a]).then(a.cmp(&b)));
        order
    }

    /// How far each cell can fall. An estimate that lies below its bound (once in a thousand million with Gaussian
    /// noise, once in ten thousand with Laplace noise) is outside what the figures promise: `point` is first moved to
    /// where every withheld cell is within its bound, as an outside audit would. None where that was not done within
    /// the `work` allowed.
    pub(super) fn slack(&self, pattern: &Pattern, point: &mut [f64], work: &mut u64) -> Option<Vec<f64>> {
        if self.signed {
            return Some(vec![f64::INFINITY; point.len()]);
        }
        let room = |point: &[f64]| -> Vec<f64> {
            point.iter().zip(&self.errors).map(|(x, error)| x + ERRORS_BELOW_ZERO * error).collect()
        };
        feasible(pattern, point, room, work).then(|| room(point).into_iter().map(|slack| slack.max(0.0)).collect())
    }

    /// Where a small cell is likely to be, and a little above its bound: for looking around from well inside.
    pub(super) fn ranges(&self) -> (Vec<f64>, Vec<f64>) {
        let least = self.errors.iter().map(|error| (1.0 - ERRORS_BELOW_ZERO) * error).collect();
        (self.floors.iter().map(|floor| floor / 2.0).collect(), least)
    }

    /// Where these cells stand, as (table, place), once each.
    pub(super) fn at(&self, cells: &[usize]) -> Vec<(usize, usize)> {
        let first = |&cell: &usize| {
            self.places
                .iter()
                .enumerate()
                .find_map(|(table, places)| places.iter().position(|&other| other == cell).map(|place| (table, place)))
        };
        cells.iter().filter_map(first).collect()
    }
}
