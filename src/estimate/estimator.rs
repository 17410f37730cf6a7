//! The best estimate of everything a draw covers, and how its figures vary together.
//!
//! [`Uncertainty`] knows the variances before anything is drawn; [`Estimator`] adds the noisy figures. Tables agree
//! with each other before rounding, impossible cells are zero, variances are those of the estimate as it is.

use super::NotCovered;
use super::components::Components;
use super::interval::half_width;
use super::joint::quantile95;
use super::zeros::{Impossible, Zeros};
use crate::budget::Accounting;
use crate::design::{Design, Region};
use crate::noise::NoisyTables;
use std::collections::BTreeMap;

/// The most solutions of the system of impossible cells for one list of figures, in cells times solutions: a second or
/// two. Beyond it variances are those without the projection, which are never smaller.
const SOLVED_CELLS_MAX: usize = 1 << 21;

/// Variances and covariances of the estimates of one draw, before it is drawn.
#[derive(Debug, Clone)]
pub struct Uncertainty {
    design: Design,
    zeros: Zeros,
}

/// Variances of several figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Variances {
    /// One for each region, in their order.
    pub values: Vec<f64>,
    /// Whether they are exact. If not, they are upper bounds: those of the estimate before impossible cells were made
    /// zero.
    pub exact: bool,
}

impl Uncertainty {
    /// Of a draw that measures these tables: their dimensions and the variance of the noise of a cell.
    #[must_use]
    pub fn new(sizes: &[usize], measured: &[(Vec<usize>, f64)], impossible: &[Impossible]) -> Self {
        let design = Design::new(sizes, measured);
        let zeros = Zeros::of(sizes, &design, impossible);
        Self { design, zeros }
    }

    /// Covariance of the estimates of two regions; `None` if the draw does not cover them.
    #[must_use]
    pub fn covariance(&self, first: &Region, second: &Region) -> Option<f64> {
        self.covariances(&[first.clone(), second.clone()])?.first()?.get(1).copied()
    }

    /// Covariances of the estimates of several regions: what a [`Joint`](super::Joint) needs.
    #[must_use]
    pub fn covariances(&self, regions: &[Region]) -> Option<Vec<Vec<f64>>> {
        let mut all = self.design.covariances(regions)?;
        if !self.zeros.is_empty() {
            for (row, gains) in all.iter_mut().zip(self.zeros.gains(regions)?) {
                for (covariance, gain) in row.iter_mut().zip(gains) {
                    *covariance -= gain;
                }
            }
        }
        Some(all)
    }

    fn variance(&self, region: &Region) -> Option<f64> {
        Some(self.covariances(std::slice::from_ref(region))?.first()?.first()?.max(0.0))
    }

    /// Half-width of the 95 % interval of a region's estimate, before selection.
    #[must_use]
    pub fn half_width(&self, accounting: Accounting, region: &Region) -> Option<f64> {
        Some(self.half_width_at(accounting, region, self.variance(region)?))
    }

    /// The same where the variance is known.
    ///
    /// Exact for Gaussian noise. For Laplace noise by its exact distribution; where impossible cells were made zero,
    /// the width that no sum of Laplace draws of this variance passes, and half a person for the steps of integer
    /// noise.
    pub(super) fn half_width_at(&self, accounting: Accounting, region: &Region, variance: f64) -> f64 {
        match (accounting, self.zeros.is_empty()) {
            (Accounting::Pure, false) => quantile95(accounting) * variance.sqrt() + 0.5,
            (Accounting::Zcdp, _) | (Accounting::Pure, true) => {
                half_width(accounting, variance, || self.design.influences(&self.design.group_sizes(region)))
            }
        }
    }

    /// What kinds of codes these are of a dimension: cells of the same kinds along every dimension vary alike.
    #[must_use]
    pub fn kinds(&self, dim: usize, codes: &[usize]) -> Vec<(Vec<bool>, usize)> {
        self.zeros.kinds(dim, codes)
    }

    /// Whether so many figures can be solved for, or are told as they vary without the projection.
    fn solvable(&self, figures: usize) -> bool {
        figures.saturating_mul(self.zeros.work()) <= SOLVED_CELLS_MAX
    }

    /// Variances of the estimates of several regions, each solved once for all that are alike.
    #[must_use]
    pub fn variances(&self, regions: &[Region]) -> Option<Variances> {
        let free = |region: &Region| self.design.covariance(region, region);
        if self.zeros.is_empty() {
            return Some(Variances { values: regions.iter().map(free).collect::<Option<_>>()?, exact: true });
        }
        let likenesses: Vec<_> = regions.iter().map(|region| self.zeros.likeness(region)).collect();
        let distinct: BTreeMap<_, &Region> = likenesses.iter().zip(regions).collect();
        if !self.solvable(distinct.len()) {
            return Some(Variances { values: regions.iter().map(free).collect::<Option<_>>()?, exact: false });
        }
        let solved = distinct
            .into_iter()
            .map(|(likeness, region)| Some((likeness, self.variance(region)?)))
            .collect::<Option<BTreeMap<_, f64>>>()?;
        Some(Variances { values: likenesses.iter().filter_map(|l| solved.get(l).copied()).collect(), exact: true })
    }

    /// Covariances of pairs of estimates; with the projection where [`Uncertainty::variances`] of as many takes it in.
    #[must_use]
    pub fn between(&self, pairs: &[(Region, Region)]) -> Option<Vec<f64>> {
        let exact = self.solvable(pairs.len());
        let of = |(a, b): &(Region, Region)| if exact { self.covariance(a, b) } else { self.design.covariance(a, b) };
        pairs.iter().map(of).collect()
    }
}

/// The estimates of one draw.
pub struct Estimator {
    uncertainty: Uncertainty,
    components: Components,
}

impl Estimator {
    /// From the noisy tables over dimensions of these sizes.
    ///
    /// # Errors
    /// [`NotCovered`] if a table does not have the cells its dimensions say.
    pub fn new(sizes: &[usize], noisy: &NoisyTables, impossible: &[Impossible]) -> Result<Self, NotCovered> {
        let measured: Vec<(Vec<usize>, f64)> = noisy.tables.iter().map(|t| (t.dims.clone(), t.variance)).collect();
        let uncertainty = Uncertainty::new(sizes, &measured, impossible);
        let mut components = Components::of(sizes, &uncertainty.design, noisy).ok_or(NotCovered)?;
        if !uncertainty.zeros.is_empty() {
            uncertainty.zeros.project(components.parts_mut());
        }
        Ok(Self { uncertainty, components })
    }

    /// The estimate of a table over these dimensions, row-major.
    ///
    /// # Errors
    /// [`NotCovered`] if it lies within no measured table.
    pub fn table(&self, dims: &[usize]) -> Result<Vec<f64>, NotCovered> {
        self.components.rebuild(dims).ok_or(NotCovered)
    }

    /// The estimate of one region: a cell of any covered table, or any product of groups of codes.
    ///
    /// # Errors
    /// [`NotCovered`] as for a table.
    pub fn value(&self, region: &Region) -> Result<f64, NotCovered> {
        self.components.sum(region).ok_or(NotCovered)
    }

    /// How the estimates vary.
    #[must_use]
    pub fn uncertainty(&self) -> &Uncertainty {
        &self.uncertainty
    }
}
