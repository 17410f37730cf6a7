//! Combinations that cannot occur, as constraints on the estimate: an exact projection.
//!
//! Every covered table has cells whose persons cannot exist; their estimates are made zero by generalised least
//! squares: `c - C E' (E C E')^-1 E c`, with `C` the covariance of the components and `E c` the impossible cells.
//! Solved by preconditioned conjugate gradients to 1e-12: symmetry leaves few distinct eigenvalues, so a few dozen
//! steps, each linear in the cells. The result is still components: tables agree with each other however far the solver
//! came. Combinations count in the tables that hold all of their dimensions. Depends on the design and the policy
//! alone.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: positions were found in vectors of the same size")]

use super::components::accumulate;
use super::margin::{Parts, count, decompose, members, recompose, varying};
use super::solve::solve;
use crate::design::{Design, Region, Subset, size_as_float, subsets};
use std::collections::BTreeSet;

/// A combination that cannot occur: codes by dimension, as a plan has them.
pub type Impossible = Vec<(usize, Vec<usize>)>;

/// Kinds of codes (by which combinations name them), and how many there are of each.
pub(super) type Kinds = Vec<(Vec<bool>, usize)>;

/// The impossible cells of the covered tables.
#[derive(Debug, Clone)]
pub(super) struct Zeros {
    sizes: Vec<usize>,
    design: Design,
    /// The largest covered tables, and which of their cells are impossible.
    tables: Vec<(Subset, Vec<usize>)>,
    /// Per dimension, for each code which combinations name it: codes of one kind are alike in every variance.
    kinds: Vec<Vec<Vec<bool>>>,
}

impl Zeros {
    pub(super) fn of(sizes: &[usize], design: &Design, impossible: &[Impossible]) -> Self {
        let named = |combination: &Impossible, dim: usize| -> Option<BTreeSet<usize>> {
            let codes: BTreeSet<usize> =
                combination.iter().filter(|(d, _)| *d == dim).flat_map(|(_, codes)| codes.iter().copied()).collect();
            let restricts = combination.iter().any(|(d, _)| *d == dim) && codes.len() < sizes[dim];
            restricts.then_some(codes)
        };
        let by_dim: Vec<Vec<Option<BTreeSet<usize>>>> =
            impossible.iter().map(|one| (0..sizes.len()).map(|dim| named(one, dim)).collect()).collect();
        let measured: BTreeSet<Subset> = design.tables().map(|table| varying(sizes, table)).collect();
        let largest = measured.iter().filter(|t| !measured.iter().any(|u| u != *t && **t & !u == 0));
        let tables = largest
            .map(|&table| {
                let mut cells = vec![false; count(sizes, table)];
                for combination in &by_dim {
                    let outside = (0..sizes.len()).any(|d| combination[d].is_some() && table >> d & 1 == 0);
                    let inside = if outside { Vec::new() } else { product(sizes, table, combination) };
                    for (cell, inside) in cells.iter_mut().zip(inside) {
                        *cell |= inside;
                    }
                }
                (table, (0..cells.len()).filter(|&cell| cells[cell]).collect::<Vec<_>>())
            })
            .filter(|(_, cells)| !cells.is_empty())
            .collect();
        let has = |codes: &Option<BTreeSet<usize>>, code: usize| codes.as_ref().is_some_and(|c| c.contains(&code));
        let kinds = sizes.iter().enumerate().map(|(dim, &size)| {
            (0..size).map(|code| by_dim.iter().map(|one| has(&one[dim], code)).collect()).collect()
        });
        Self { sizes: sizes.to_vec(), design: design.clone(), tables, kinds: kinds.collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// The cells of the tables with impossible ones: what one step of the solver takes.
    pub(super) fn work(&self) -> usize {
        self.tables.iter().map(|(table, _)| count(&self.sizes, *table)).sum()
    }

    /// The components whose impossible cells are zero.
    pub(super) fn project(&self, parts: &mut Parts) {
        let multipliers = self.solve(&self.read(parts));
        for (component, values) in self.spread(&multipliers) {
            accumulate(parts, component, values.into_iter().map(|value| -value).collect());
        }
    }

    /// By how much the projection lowers the covariances of these regions: one solution each. `None` if one is not
    /// covered.
    pub(super) fn gains(&self, regions: &[Region]) -> Option<Vec<Vec<f64>>> {
        let with: Vec<Vec<f64>> = regions.iter().map(|region| self.impossible_with(region)).collect::<Option<_>>()?;
        let gain = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum();
        let row = |own: &Vec<f64>| {
            let solved = self.solve(own);
            with.iter().map(|other| gain(&solved, other)).collect()
        };
        Some(with.iter().map(row).collect())
    }

    /// How many codes of each kind a region has in each dimension: two that are alike have the same variance.
    pub(super) fn likeness(&self, region: &Region) -> Vec<Kinds> {
        let codes = |dim: usize, size: usize| {
            let inside = |code: &usize| region.group(dim).is_none_or(|group| group.contains(code));
            (0..size).filter(inside).collect::<Vec<_>>()
        };
        self.sizes.iter().enumerate().map(|(dim, &size)| self.kinds(dim, &codes(dim, size))).collect()
    }

    /// How many of these codes of a dimension are of each kind; all are alike where nothing is impossible.
    pub(super) fn kinds(&self, dim: usize, codes: &[usize]) -> Kinds {
        let mut counts = std::collections::BTreeMap::new();
        for kind in codes.iter().filter_map(|&code| self.kinds.get(dim)?.get(code)) {
            *counts.entry(if self.is_empty() { Vec::new() } else { kind.clone() }).or_insert(0) += 1;
        }
        counts.into_iter().collect()
    }

    /// Covariances of a region's estimate with every impossible cell.
    fn impossible_with(&self, region: &Region) -> Option<Vec<f64>> {
        let mut parts = Parts::new();
        let restricted = (0..self.sizes.len())
            .filter(|&dim| region.group(dim).is_some_and(|group| group.len() < self.sizes[dim]))
            .fold(0, |table, dim| table | 1 << dim);
        let part_of = |dim: usize| {
            size_as_float(region.group(dim).map_or(self.sizes[dim], BTreeSet::len)) / size_as_float(self.sizes[dim])
        };
        for component in subsets(restricted) {
            let others: f64 = (0..self.sizes.len()).filter(|d| component >> d & 1 == 0).map(part_of).product();
            let mut values = vec![others / self.design.precision_of(component)?];
            for dim in members(component) {
                let inside = |code: usize| f64::from(u8::from(region.group(dim).is_some_and(|g| g.contains(&code))));
                let along: Vec<f64> = (0..self.sizes[dim]).map(|code| inside(code) - part_of(dim)).collect();
                values = values.iter().flat_map(|value| along.iter().map(move |a| value * a)).collect();
            }
            parts.insert(component, values);
        }
        Some(self.read(&parts))
    }

    /// `E c`: the impossible cells of all tables rebuilt from components; one that is missing is zero.
    fn read(&self, parts: &Parts) -> Vec<f64> {
        let mut all = Vec::new();
        for (table, cells) in &self.tables {
            let zero = |t: Subset| vec![0.0; count(&self.sizes, t)];
            let own = subsets(*table).map(|t| (t, parts.get(&t).cloned().unwrap_or_else(|| zero(t)))).collect();
            let values = recompose(&self.sizes, *table, *table, own).unwrap_or_default();
            all.extend(cells.iter().filter_map(|&cell| values.get(cell)));
        }
        all
    }

    /// `C E' m`, as components.
    fn spread(&self, multipliers: &[f64]) -> Parts {
        let mut parts = Parts::new();
        for (table, values) in self.embed(multipliers) {
            for (component, mut values) in decompose(&self.sizes, table, table, values) {
                let weight = self.eigenvalue(table, component);
                for value in &mut values {
                    *value *= weight;
                }
                accumulate(&mut parts, component, values);
            }
        }
        parts
    }

    /// `E_T C_T^-1 E_T'` for each table alone: near the inverse of what is solved.
    fn precondition(&self, multipliers: &[f64]) -> Vec<f64> {
        let mut all = Vec::new();
        for ((table, values), (_, cells)) in self.embed(multipliers).zip(&self.tables) {
            let mut parts = decompose(&self.sizes, table, table, values);
            for (component, values) in &mut parts {
                let weight = 1.0 / self.eigenvalue(table, *component);
                for value in values {
                    *value *= weight;
                }
            }
            let values = recompose(&self.sizes, table, table, parts).unwrap_or_default();
            all.extend(cells.iter().filter_map(|&cell| values.get(cell)));
        }
        all
    }

    /// `1 / (P_t prod_{i in T\t} n_i)`.
    fn eigenvalue(&self, table: Subset, component: Subset) -> f64 {
        let spread = size_as_float(count(&self.sizes, table & !component));
        self.design.precision_of(component).map_or(0.0, |precision| 1.0 / (precision * spread))
    }

    /// Each table with its multipliers in the impossible cells and zero elsewhere.
    fn embed<'a>(&'a self, multipliers: &'a [f64]) -> impl Iterator<Item = (Subset, Vec<f64>)> + 'a {
        let mut rest = multipliers;
        self.tables.iter().map(move |(table, cells)| {
            let (own, others) = rest.split_at(cells.len().min(rest.len()));
            rest = others;
            let mut values = vec![0.0; count(&self.sizes, *table)];
            for (&cell, &multiplier) in cells.iter().zip(own) {
                values[cell] = multiplier;
            }
            (*table, values)
        })
    }

    fn solve(&self, right: &[f64]) -> Vec<f64> {
        solve(right, |m| self.read(&self.spread(m)), |m| self.precondition(m))
    }
}

/// Which cells of a table lie, in every dimension, within these codes.
fn product(sizes: &[usize], table: Subset, codes: &[Option<BTreeSet<usize>>]) -> Vec<bool> {
    members(table).fold(vec![true], |cells, dim| {
        let within = |code: usize| codes[dim].as_ref().is_none_or(|codes| codes.contains(&code));
        cells.iter().flat_map(|&cell| (0..sizes[dim]).map(move |code| cell && within(code))).collect()
    })
}
