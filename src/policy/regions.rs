//! The cells of a shown table as what they stand for: products of groups of the levels that a draw measured.
//!
//! A cell of a plain dimension stands for one level, one of a grouping for all levels that belong to it, one of a
//! dimension that is not broken down by for what its filter selects, or for all. Nothing here depends on data.

use super::plan::{Cut, Dimension, Finer};
use crate::design::{Nesting, Region};
use std::collections::{BTreeMap, BTreeSet};

/// The dimension that these tables measure at several levels, if there is one.
pub(super) fn nesting<'a>(dimensions: &[Dimension], tables: impl Iterator<Item = &'a Vec<usize>>) -> Option<Nesting> {
    let measured: BTreeSet<usize> = tables.flatten().copied().collect();
    let finer = |&dim: &usize| Some((dim, dimensions.get(dim)?.finer.as_ref()?));
    let coarser: Vec<(usize, &Finer)> = measured.iter().filter_map(finer).collect();
    let base = coarser.first()?.1.dim;
    let of_base = coarser.into_iter().filter(|(_, finer)| finer.dim == base);
    let groups = of_base.map(|(dim, finer)| (dim, finer.groups.clone())).collect();
    Nesting::new(base, dimensions.get(base)?.levels.len(), groups)
}

/// The cells of one shown table, row-major.
#[derive(Debug, Clone)]
pub struct Cells {
    axes: Vec<Axis>,
    /// The filters on dimensions that the table is not broken down by at any level.
    summed: Region,
}

/// A dimension that the table is broken down by.
#[derive(Debug, Clone)]
struct Axis {
    /// The table's own dimension.
    dim: usize,
    /// The dimension measured.
    base: usize,
    /// The levels shown of the table's own dimension, with the levels of `base` that each stands for.
    levels: Vec<(usize, Vec<usize>)>,
}

impl Cells {
    /// The cells of a table over these dimensions of a draw, filters applied.
    #[must_use]
    pub fn new(dimensions: &[Dimension], cuts: &[Cut], dims: &[usize]) -> Self {
        Self::with(dimensions, cuts, dims, |dimension| dimension.finer.as_ref())
    }

    /// Cells that stand for these sets of levels of some dimensions, every combination of them.
    #[must_use]
    pub fn of(sets: impl Iterator<Item = (usize, Vec<Vec<usize>>)>) -> Self {
        let axis = |(dim, sets): (usize, Vec<Vec<usize>>)| Axis { dim, base: dim, levels: (0..).zip(sets).collect() };
        Self { axes: sets.map(axis).collect(), summed: Region::default() }
    }

    /// The same, where tables do not add up: cut out of the one of these tables that was measured for it, at its own
    /// levels if one was. `None` if there is none.
    #[must_use]
    pub fn alone(dimensions: &[Dimension], cuts: &[Cut], dims: &[usize], measured: &[&Vec<usize>]) -> Option<Self> {
        let both = [Self::with(dimensions, cuts, dims, |_| None), Self::new(dimensions, cuts, dims)];
        both.into_iter().find(|cells| measured.contains(&&cells.source()))
    }

    fn with(
        dimensions: &[Dimension],
        cuts: &[Cut],
        dims: &[usize],
        finer: impl Fn(&Dimension) -> Option<&Finer>,
    ) -> Self {
        let cut = |dim: usize| {
            let cut = cuts.iter().find(|cut| cut.dim == dim);
            cut.map(|cut| cut.levels.iter().copied().collect::<BTreeSet<usize>>())
        };
        let along = |&dim: &usize| {
            let dimension = dimensions.get(dim);
            let base = dimension.and_then(&finer).map_or(dim, |finer| finer.dim);
            let own = |level: usize| match dimension.and_then(&finer) {
                Some(finer) => finer.groups.get(level).cloned().unwrap_or_default(),
                None => vec![level],
            };
            let cut = cut(base);
            let selected = |level: &usize| cut.as_ref().is_none_or(|cut| cut.contains(level));
            let held = |level| (level, own(level).into_iter().filter(selected).collect::<Vec<_>>());
            let all = 0..dimension.map_or(0, |d| d.levels.len());
            Axis { dim, base, levels: all.map(held).filter(|(_, levels)| !levels.is_empty()).collect() }
        };
        let mut axes: Vec<Axis> = dims.iter().map(along).collect();
        // In the order of what is measured: the order in which cells of one draw are compared.
        let made_of = |dim: usize| dimensions.get(dim).and_then(|d| d.finer.as_ref()).map_or(dim, |finer| finer.dim);
        axes.sort_by_key(|axis| made_of(axis.dim));
        let summed = cuts.iter().filter(|cut| axes.iter().all(|axis| axis.base != cut.dim));
        let summed = summed.fold(Region::default(), |region, cut| region.within(cut.dim, cut.levels.iter().copied()));
        Self { axes, summed }
    }

    /// The dimensions of the table, in the order of the dimensions measured that they are made of.
    #[must_use]
    pub fn dims(&self) -> Vec<usize> {
        self.axes.iter().map(|axis| axis.dim).collect()
    }

    /// By dimension of the table the levels shown.
    #[must_use]
    pub fn levels(&self) -> Vec<Vec<usize>> {
        self.axes.iter().map(|axis| axis.levels.iter().map(|(level, _)| *level).collect()).collect()
    }

    /// The sets of levels that the cells stand for along a measured dimension, in their order; `None` where the table
    /// is not broken down by it at any level.
    #[must_use]
    pub fn along(&self, base: usize) -> Option<Vec<Vec<usize>>> {
        let axis = self.axes.iter().find(|axis| axis.base == base)?;
        Some(axis.levels.iter().map(|(_, held)| held.clone()).collect())
    }

    /// The sets of levels that the cells stand for along a measured dimension, summed or not; none where they stand for
    /// all of it.
    #[must_use]
    pub fn sets(&self, base: usize) -> Vec<Vec<usize>> {
        let summed = || self.summed.group(base).map(|group| vec![group.iter().copied().collect()]);
        self.along(base).or_else(summed).unwrap_or_default()
    }

    /// The same cells with other levels along a measured dimension: nodes in place of the levels that make them up.
    pub fn at_nodes(&self, base: usize, nodes: impl Fn(&[usize]) -> Option<Vec<usize>>) -> Option<Self> {
        let mut other = self.clone();
        for (_, held) in other.axes.iter_mut().filter(|axis| axis.base == base).flat_map(|axis| &mut axis.levels) {
            *held = nodes(held)?;
        }
        if let Some(group) = self.summed.group(base) {
            let held: Vec<usize> = group.iter().copied().collect();
            other.summed = self.summed.clone().within(base, nodes(&held)?);
        }
        Some(other)
    }

    /// The levels that the cell at a place stands for, by measured dimension that the table is broken down by.
    #[must_use]
    pub fn at(&self, place: usize) -> BTreeMap<usize, &[usize]> {
        let mut rest = place;
        let mut held = BTreeMap::new();
        for axis in self.axes.iter().rev() {
            let at = rest.checked_rem(axis.levels.len()).unwrap_or(0);
            rest = rest.checked_div(axis.levels.len()).unwrap_or(0);
            held.insert(axis.base, axis.levels.get(at).map_or(&[][..], |(_, held)| held));
        }
        held
    }

    /// The table that the cells are cut out of: every measured dimension that they are broken down by or filtered on.
    #[must_use]
    pub fn source(&self) -> Vec<usize> {
        let summed = (0..crate::design::DIMENSIONS_MAX).filter(|&dim| self.summed.group(dim).is_some());
        self.axes.iter().map(|axis| axis.base).chain(summed).collect::<BTreeSet<usize>>().into_iter().collect()
    }

    /// From the cells of the source, row-major over dimensions of these sizes, the sums that the cells stand for.
    #[must_use]
    pub fn sums(&self, sizes: &[usize], source: &[f64]) -> Vec<f64> {
        let mut stride = 1;
        let mut strides: BTreeMap<usize, (usize, &Axis)> = BTreeMap::new();
        for axis in self.axes.iter().rev() {
            strides.insert(axis.base, (stride, axis));
            stride *= axis.levels.len();
        }
        // Where each cell of the source goes; nowhere if a filter leaves it out.
        let mut places: Vec<Option<usize>> = vec![Some(0)];
        for dim in self.source() {
            let mut steps: Vec<Option<usize>> = vec![None; sizes.get(dim).copied().unwrap_or(0)];
            let mut lead = |level: usize, step: usize| {
                if let Some(place) = steps.get_mut(level) {
                    *place = Some(step);
                }
            };
            match strides.get(&dim) {
                Some((stride, axis)) => {
                    for (at, (_, held)) in axis.levels.iter().enumerate() {
                        for &level in held {
                            lead(level, at * stride);
                        }
                    }
                }
                None => {
                    for &level in self.summed.group(dim).into_iter().flatten() {
                        lead(level, 0);
                    }
                }
            }
            let moved = |place: &Option<usize>, step: &Option<usize>| Some((*place)? + (*step)?);
            places = places.iter().flat_map(|place| steps.iter().map(move |step| moved(place, step))).collect();
        }
        let mut sums = vec![0.0; stride];
        for (value, place) in source.iter().zip(places) {
            if let Some(sum) = place.and_then(|place| sums.get_mut(place)) {
                *sum += value;
            }
        }
        sums
    }

    /// Something that depends on the kind of levels that a cell stands for along each measured dimension: worked out
    /// once for all cells that are alike. The values, and which of them is each cell's. `kind` takes the dimension and
    /// the levels; where nothing tells levels apart it is their number.
    pub fn alike<K: PartialEq, T>(
        &self,
        kind: impl Fn(usize, &[usize]) -> K,
        mut of: impl FnMut(&Region) -> Option<T>,
    ) -> Option<(Vec<T>, Vec<usize>)> {
        let mut kinds = vec![self.summed.clone()];
        let mut cells = vec![0];
        for axis in &self.axes {
            let mut distinct: Vec<(K, &Vec<usize>)> = Vec::new();
            let mut kind_of = Vec::with_capacity(axis.levels.len());
            for (_, held) in &axis.levels {
                let own = kind(axis.base, held);
                let known = distinct.iter().position(|(other, _)| *other == own);
                kind_of.push(known.unwrap_or(distinct.len()));
                if known.is_none() {
                    distinct.push((own, held));
                }
            }
            let within = |kind: &Region, held: &Vec<usize>| kind.clone().within(axis.base, held.iter().copied());
            kinds = kinds.iter().flat_map(|kind| distinct.iter().map(|(_, held)| within(kind, held))).collect();
            let (count, kind_of) = (distinct.len(), &kind_of);
            cells = cells.iter().flat_map(|cell| kind_of.iter().map(move |kind| cell * count + kind)).collect();
        }
        Some((kinds.iter().map(&mut of).collect::<Option<_>>()?, cells))
    }
}
