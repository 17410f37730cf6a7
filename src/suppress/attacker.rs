//! What an attacker can make of published figures: how far a cell moves while every other stays within given limits,
//! and which equation stops it.

use super::lattice::Row;
use super::simplex::{Dictionary, End};
use std::collections::HashMap;

/// What counts as reached.
const CLOSE: f64 = 1e-6;

/// The attacker's program, where nothing has moved yet. Dense: for small systems.
#[derive(Debug, Clone)]
pub struct Attacker {
    program: Dictionary,
    cells: Vec<usize>,
    cell_of: HashMap<usize, usize>,
}

/// How far a cell came.
#[derive(Debug, Clone, PartialEq)]
pub enum Stretched {
    /// As far as was asked: nothing stopped it, so no equation holds it.
    Enough,
    /// Less far.
    Stopped {
        /// So far.
        after: f64,
        /// Its change as a sum of other cells' changes, each of which is at its limit.
        by: Vec<(usize, f64)>,
    },
}

impl Attacker {
    /// From [`super::Lattice::moves`], over so many cells.
    #[must_use]
    pub fn new(rows: &[Row], cells: usize) -> Self {
        let mut program = Dictionary::default();
        let mut terms = vec![Vec::new(); cells];
        for row in rows {
            let variable = program.variable(f64::NEG_INFINITY, f64::INFINITY, 0.0);
            for &(cell, value) in row {
                terms.get_mut(cell).into_iter().for_each(|terms: &mut Vec<_>| terms.push((variable, float(value))));
            }
        }
        let cells: Vec<usize> = terms.iter().map(|terms| program.define(terms, 0.0, 0.0)).collect();
        let cell_of = cells.iter().enumerate().map(|(cell, &variable)| (variable, cell)).collect();
        Self { program, cells, cell_of }
    }

    /// Moves times cells: what looking at all of it costs.
    #[must_use]
    pub fn size(&self) -> usize {
        self.program.size()
    }

    /// The same where each cell may change within these limits, which hold 0.
    #[must_use]
    pub fn within(&self, limits: impl Fn(usize) -> (f64, f64)) -> Self {
        let mut limited = self.clone();
        for (cell, &variable) in self.cells.iter().enumerate() {
            let (low, high) = limits(cell);
            limited.program.bound(variable, low, high);
        }
        limited
    }

    /// Moves a cell up (`way` 1) or down (-1), to `enough` at most; none if the work allowed does not tell, or nothing
    /// stops it.
    pub fn stretch(&mut self, cell: usize, way: f64, enough: f64, work: &mut u64) -> Option<Stretched> {
        let &variable = self.cells.get(cell)?;
        if self.program.maximise(Some(variable), way, enough, work) != End::Reached {
            return None;
        }
        let after = self.program.value(variable) * way;
        if after > enough - CLOSE {
            return Some(Stretched::Enough);
        }
        let form = self.program.form(variable).into_iter();
        let by = form.filter_map(|(variable, slope)| Some((*self.cell_of.get(&variable)?, slope * way))).collect();
        Some(Stretched::Stopped { after, by })
    }
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "small whole numbers")]
fn float(coefficient: i64) -> f64 {
    coefficient as f64
}
