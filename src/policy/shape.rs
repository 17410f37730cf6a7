//! What is measured and what is shown: the dimensions of a draw, its tables, the tables cut out.
//!
//! Filters are dimensions: measured over the whole list and cut out. Where that would pass `cells_max` they are grouped
//! into the selected codes and the rest.

use super::asked::{Asked, Chosen, Place, column_at};
use super::dimension::{Together, dimension, finer, nested, together};
use super::figure::Figure;
use super::inadmissible::Inadmissible;
use super::levels;
use super::model::{Per, Policy};
use super::plan::{Cut, Dimension, Level, Shown};
use super::quantity::Quantity;
use crate::design::{Nesting, Target};
use std::collections::{BTreeMap, BTreeSet};

/// What a margin of a program's tables counts beside a table that it lists. Without any weight the largest sums, such
/// as the total, would be added up from noise; this halves their error and leaves the tables below independent noise.
const MARGIN: f64 = 0.01;

/// The most tables one draw can measure.
const MEASURED_MAX: usize = 4_096;

/// The shape of a draw and of what is shown of it.
pub(super) struct Shape {
    pub(super) dimensions: Vec<Dimension>,
    pub(super) cuts: Vec<Cut>,
    /// Whether persons add up; everything else always does.
    pub(super) additive: bool,
    /// What is told of each cell.
    pub(super) figures: Vec<Figure>,
    /// What is measured, and over which positions in `dimensions`, in canonical order.
    pub(super) measured: BTreeSet<(Quantity, Vec<usize>)>,
    /// The tables that matter, each at its own levels: what is measured has to tell them well.
    wanted: BTreeSet<(Quantity, Vec<usize>)>,
    /// The groupings of one dimension that may be measured beside it.
    nested: BTreeSet<usize>,
    /// The tables asked for, then their margins.
    pub(super) shown: Vec<Shown>,
    /// The tables asked for, alone and with every filter and numerator, and how much each matters.
    weights: Vec<(Vec<usize>, Vec<usize>, u32)>,
    /// Whether somebody weighed them: a program.
    weighed: bool,
    /// How many of `shown` were asked for.
    pub(super) asked: usize,
}

/// The shape of a question, filters grouped where their lists are too long.
pub(super) fn shape(policy: &Policy, asked: &Asked) -> Result<Shape, Inadmissible> {
    let most = policy.cells.cells_max;
    let whole = build(policy, asked, false);
    if whole.cells().is_some_and(|cells| cells <= most) {
        return Ok(whole);
    }
    let grouped = build(policy, asked, true);
    let fits = grouped.cells().is_some_and(|cells| cells <= most);
    if fits { Ok(grouped) } else { Err(Inadmissible::TooManyCells { most }) }
}

/// The dimensions of a draw with their places, where codes are taken together, and whether persons add up.
fn dimensions(policy: &Policy, asked: &Asked, group: bool) -> (Vec<Place>, Together, Vec<Dimension>, bool) {
    let families: Vec<BTreeSet<Place>> =
        levels::families(policy, asked.measured(policy).into_iter()).into_values().collect();
    let base = |family: &BTreeSet<Place>| levels::finest(policy, family);
    // What is measured first: a grouping beside something finer does not change what a draw is.
    let bases: BTreeSet<Place> = families.iter().filter_map(base).collect();
    let coarser: BTreeSet<Place> = families.iter().flatten().copied().filter(|place| !bases.contains(place)).collect();
    let per_row = |place: &Place| column_at(policy, *place).is_some_and(|c| c.per == Per::Row);
    let additive = !bases.iter().any(per_row);
    let broken_down: BTreeSet<Place> =
        asked.broken_down().into_iter().map(|place| levels::column_of(policy, place)).collect();
    let grouped = |place: &Place| {
        let several = asked.selections(*place).iter().any(|codes| codes.len() > 1);
        let shown = broken_down.contains(&levels::column_of(policy, *place));
        !shown && asked.chosen_apart(*place) && (group || (!additive && several))
    };
    let grouped = bases.iter().copied().filter(grouped).map(|place| (place, together(policy, asked, place)));
    let grouped: Together = grouped.filter(|(_, groups)| !groups.is_empty()).collect();
    let places: Vec<Place> = bases.into_iter().chain(coarser).collect();
    let mut dimensions: Vec<Dimension> = places.iter().map(|&p| dimension(policy, asked, p, grouped.get(&p))).collect();
    for family in &families {
        let Some(fine) = base(family).and_then(|base| places.iter().position(|place| *place == base)) else { continue };
        for at in (0..places.len()).filter(|at| *at != fine && places.get(*at).is_some_and(|p| family.contains(p))) {
            finer(&mut dimensions, at, fine);
        }
    }
    (places, grouped, dimensions, additive)
}

fn build(policy: &Policy, asked: &Asked, group: bool) -> Shape {
    let (places, grouped, dimensions, additive) = dimensions(policy, asked, group);
    let cutting = Cutting { places: &places, grouped: &grouped };
    let tables: BTreeSet<Vec<usize>> = asked.tables.iter().map(|table| cutting.positions(table)).collect();
    let cuts = cutting.cuts(&asked.filters);
    let figures = asked.figures.iter().map(|figure| figure.figure(policy, &asked.periods, &cutting)).collect();
    let shown = shown(&tables, asked.margins);
    let nested = nested(policy, &dimensions, additive);
    let mut shape = Shape {
        dimensions,
        nested,
        cuts,
        additive,
        figures,
        measured: BTreeSet::new(),
        wanted: BTreeSet::new(),
        shown,
        weights: cutting.weights(asked),
        weighed: !asked.weights.is_empty(),
        asked: tables.len(),
    };
    shape.wanted = shape.tables_wanted(asked.margins);
    shape.measured =
        shape.wanted.iter().map(|(quantity, dims)| (quantity.clone(), shape.measured_for(quantity, dims))).collect();
    shape
}

/// A table without groupings of what it is broken down by or filtered on anyway.
fn without_coarser(dimensions: &[Dimension], dims: &[usize]) -> Vec<usize> {
    let finer = |dim: usize| dimensions.get(dim).and_then(|d| d.finer.as_ref()).map(|finer| finer.dim);
    dims.iter().copied().filter(|&dim| finer(dim).is_none_or(|finer| !dims.contains(&finer))).collect()
}

/// How places and codes of a question become dimensions and levels of the draw.
pub(super) struct Cutting<'a> {
    /// The place of each dimension.
    places: &'a [Place],
    /// Those whose codes are taken together.
    grouped: &'a Together,
}

impl Cutting<'_> {
    fn positions(&self, table: &BTreeSet<Place>) -> Vec<usize> {
        self.places.iter().enumerate().filter(|(_, place)| table.contains(place)).map(|(i, _)| i).collect()
    }

    /// The tables asked for, alone and with every filter and numerator, and how much each matters.
    fn weights(&self, asked: &Asked) -> Vec<(Vec<usize>, Vec<usize>, u32)> {
        let weight = |table| {
            let whole = self.positions(&asked.with_filters(table));
            (self.positions(table), whole, asked.weights.get(table).copied().unwrap_or(1))
        };
        asked.tables.iter().map(weight).collect()
    }

    /// The levels that hold the selected codes.
    pub(super) fn cuts(&self, selected: &Chosen) -> Vec<Cut> {
        let cut = |(place, codes): (&Place, &BTreeSet<u16>)| {
            let levels = match self.grouped.get(place) {
                Some(groups) => (0..).zip(groups).filter(|(_, g)| g.is_subset(codes)).map(|(level, _)| level).collect(),
                None => codes.iter().map(|&c| usize::from(c)).collect(),
            };
            Some(Cut { dim: self.places.iter().position(|other| other == place)?, levels })
        };
        let mut cuts: Vec<Cut> = selected.iter().filter_map(cut).collect();
        cuts.sort();
        cuts
    }
}

/// The asked tables in canonical order, then the margins of any of them, those that drop fewer dimensions first.
fn shown(tables: &BTreeSet<Vec<usize>>, margins: bool) -> Vec<Shown> {
    let mut others: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    if margins {
        for table in tables {
            for subset in subsets(table).into_iter().filter(|s| !tables.contains(s)) {
                let dropped = table.len() - subset.len();
                others.entry(subset).and_modify(|d| *d = dropped.min(*d)).or_insert(dropped);
            }
        }
    }
    let mut others: Vec<(usize, Vec<usize>)> = others.into_iter().map(|(dims, dropped)| (dropped, dims)).collect();
    others.sort();
    tables.iter().cloned().chain(others.into_iter().map(|(_, dims)| dims)).map(|dims| Shown { dims }).collect()
}

/// The dimensions of a table and of every filter.
fn with_cuts<'a>(dims: &[usize], cuts: impl Iterator<Item = &'a Cut>) -> Vec<usize> {
    let all: BTreeSet<usize> = dims.iter().copied().chain(cuts.map(|c| c.dim)).collect();
    all.into_iter().collect()
}

fn subsets(of: &[usize]) -> Vec<Vec<usize>> {
    of.iter().fold(vec![Vec::new()], |all, &dim| {
        let with = all.iter().map(|s| s.iter().copied().chain([dim]).collect()).collect::<Vec<Vec<usize>>>();
        all.into_iter().chain(with).collect()
    })
}

impl Shape {
    /// Cells of a table; `None` if they pass what can be counted.
    pub(super) fn cells_of(&self, dims: &[usize]) -> Option<u64> {
        dims.iter()
            .filter_map(|&d| self.dimensions.get(d))
            .try_fold(1_u64, |cells, dimension| cells.checked_mul(u64::try_from(dimension.levels.len()).ok()?))
    }

    /// The tables that matter: each that was asked for, over every filter and what measures choose, with margins all
    /// subsets too. What does not add up matters just as it is shown, the cell itself and every part of it.
    fn tables_wanted(&self, margins: bool) -> BTreeSet<(Quantity, Vec<usize>)> {
        let mut needs: BTreeMap<Quantity, BTreeSet<&[Cut]>> = BTreeMap::new();
        for (quantity, of) in self.figures.iter().flat_map(Figure::needs) {
            needs.entry(quantity).or_default().insert(of);
        }
        let mut wanted = BTreeSet::new();
        for (quantity, mut within) in needs {
            let alone = quantity == Quantity::Persons && !self.additive;
            if alone {
                within.extend(self.figures.iter().flat_map(Figure::parts).chain([[].as_slice()]));
            } else if within.len() > 1 {
                // The cell is the sum of the cuts that are measured in it.
                within.remove([].as_slice());
            }
            let tables = self.shown.iter().take(if alone { self.shown.len() } else { self.asked });
            for of in within {
                let whole = tables.clone().map(|table| with_cuts(&table.dims, self.cuts.iter().chain(of)));
                let over = whole.flat_map(|dims| if margins && !alone { subsets(&dims) } else { vec![dims] });
                wanted.extend(over.map(|dims| (quantity.clone(), without_coarser(&self.dimensions, &dims))));
            }
        }
        wanted
    }

    /// The table that is measured for one that matters. Tables that add up are measured at the finest level named, but
    /// for one dimension, which is measured at each.
    fn measured_for(&self, quantity: &Quantity, dims: &[usize]) -> Vec<usize> {
        if *quantity == Quantity::Persons && !self.additive {
            return dims.to_vec();
        }
        let finest = |&dim: &usize| {
            let finer = self.dimensions.get(dim).and_then(|d| d.finer.as_ref());
            finer.filter(|_| !self.nested.contains(&dim)).map_or(dim, |finer| finer.dim)
        };
        dims.iter().map(finest).collect::<BTreeSet<usize>>().into_iter().collect()
    }

    /// The dimension that may be measured at several levels.
    pub(super) fn nesting(&self) -> Option<Nesting> {
        super::regions::nesting(&self.dimensions, self.measured.iter().map(|(_, dims)| dims))
    }

    /// The tables of a quantity that matter, each over the flat dimensions and at a level of the one that is nested.
    pub(super) fn nested_targets(&self, quantity: &Quantity, nesting: &Nesting) -> Vec<(Target, usize)> {
        let of_table = |dims: &[usize]| {
            let level = nesting.table(&self.measured_for(quantity, dims)).level;
            let mut target = self.target(dims);
            target.groups.retain(|(dim, _)| *dim != nesting.dimension());
            (target, level)
        };
        self.wanted.iter().filter(|(wanted, _)| wanted == quantity).map(|(_, dims)| of_table(dims)).collect()
    }

    /// The tables of a quantity that matter, over the dimensions measured, with how much each does.
    pub(super) fn targets(&self, quantity: &Quantity) -> Vec<Target> {
        self.wanted.iter().filter(|(wanted, _)| wanted == quantity).map(|(_, dims)| self.target(dims)).collect()
    }

    fn target(&self, dims: &[usize]) -> Target {
        let along = |&dim: &usize| match self.dimensions.get(dim).and_then(|d| d.finer.as_ref()) {
            Some(finer) => (finer.dim, finer.groups.iter().map(Vec::len).collect()),
            None => (dim, vec![1]),
        };
        Target { groups: dims.iter().map(along).collect(), weight: self.matters(dims) }
    }

    /// How much a table matters: in a program what it lists, and a little its margins ([`MARGIN`]); else margins matter
    /// like what was asked for.
    fn matters(&self, dims: &[usize]) -> f64 {
        let own = f64::from(self.weight(dims));
        if !self.weighed {
            return own;
        }
        let lies = |own: &[usize], whole: &[usize]| {
            own.iter().all(|dim| dims.contains(dim)) && dims.iter().all(|dim| whole.contains(dim))
        };
        let listed = self.weights.iter().filter(|(own, whole, _)| lies(own, whole)).map(|(_, _, weight)| *weight);
        listed.max().map_or(own * MARGIN, f64::from)
    }

    /// Figures of all measured tables; `None` if they, or the tables, are too many to count.
    pub(super) fn cells(&self) -> Option<u64> {
        let few = self.measured.len() <= MEASURED_MAX;
        let cells = |(quantity, dims): &(Quantity, Vec<usize>)| {
            self.cells_of(dims)?.checked_mul(u64::try_from(quantity.width()).ok()?)
        };
        let sum = || self.measured.iter().try_fold(0_u64, |sum, table| sum.checked_add(cells(table)?));
        few.then(sum)?
    }

    /// How much a measured table matters: as much as the weightiest table asked for that it is a margin of. That does
    /// not depend on the codes a filter selects, for another cut is the same draw.
    pub(super) fn weight(&self, dims: &[usize]) -> u32 {
        let within = |table: &[usize]| dims.iter().all(|dim| table.contains(dim));
        self.weights.iter().filter(|(_, table, _)| within(table)).map(|(_, _, weight)| *weight).max().unwrap_or(1)
    }
}

/// Combinations that cannot occur, over the dimensions of a draw.
pub(super) fn structural_zeros(policy: &Policy, dimensions: &[Dimension]) -> Vec<Vec<(usize, Vec<usize>)>> {
    over_dimensions(&policy.structural_zeros, dimensions)
}

/// Those of some selections whose columns are all dimensions of a draw, as levels of these.
pub(super) fn over_dimensions(
    selections: &[super::Selection],
    dimensions: &[Dimension],
) -> Vec<Vec<(usize, Vec<usize>)>> {
    selections.iter().filter_map(|selection| over_each(selection, dimensions)).collect()
}

/// A selection as levels of a draw; none if a column is no dimension of it, or none of its levels lies within.
pub(super) fn over_each(selection: &super::Selection, dimensions: &[Dimension]) -> Option<Vec<(usize, Vec<usize>)>> {
    let over = |column: &String, codes: &BTreeSet<String>| {
        let (position, dimension) =
            dimensions.iter().enumerate().find(|(_, d)| d.column == *column && d.finer.is_none())?;
        let inside = |level: &Level| level.members.iter().all(|m| codes.contains(m));
        let levels: Vec<usize> =
            dimension.levels.iter().enumerate().filter(|(_, l)| inside(l)).map(|(i, _)| i).collect();
        (!levels.is_empty()).then_some((position, levels))
    };
    let mut parts: Vec<_> = selection.iter().map(|(column, codes)| over(column, codes)).collect::<Option<_>>()?;
    parts.sort();
    Some(parts)
}
