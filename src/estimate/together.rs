//! How several figures of one cell vary together: what it holds within several groups, as parts of one estimate.
//!
//! Known before anything is drawn: quotes and releases take the same numbers from here. Tables that do not add up have
//! noise of their own, but two cuts of the same table share it where they overlap.

use super::{NotCovered, Variation};
use crate::design::Region;
use crate::policy::{Cells, Cut, Plan, Shown};
use std::collections::BTreeMap;

/// Covariances of several figures, row by row.
pub type Covariances = Vec<Vec<f64>>;

/// Of a shown table: how the cells of a plan's quantity vary within several sets of further cuts, once for all that are
/// alike, and which of them is each cell's. `measured` is every table of the quantity, with the variance of its noise.
///
/// # Errors
/// [`NotCovered`] if the draw does not hold the cells or one of the cuts.
pub fn together(
    plan: &Plan,
    measured: &[(Vec<usize>, f64)],
    shown: &Shown,
    cuts: &[&[Cut]],
) -> Result<(Vec<Covariances>, Vec<usize>), NotCovered> {
    let sizes: Vec<usize> = plan.dimensions.iter().map(|d| d.levels.len()).collect();
    let joined = plan.additive.then(|| Variation::new(&sizes, plan.nesting(), measured, &plan.structural_zeros));
    let within = |of: &&[Cut]| {
        let cut = plan.cut_by(of);
        if let Some(joined) = &joined {
            return Within::of(&Cells::new(&plan.dimensions, &cut, &shown.dims), joined, None);
        }
        let tables: Vec<&Vec<usize>> = measured.iter().map(|(dims, _)| dims).collect();
        let cells = Cells::alone(&plan.dimensions, &cut, &shown.dims, &tables)?;
        let own = measured.iter().find(|(dims, _)| *dims == cells.source())?;
        Within::of(&cells, &alone(&sizes, own), Some(own))
    };
    let within: Vec<Within<'_>> = cuts.iter().map(within).collect::<Option<_>>().ok_or(NotCovered)?;
    let cells = within.iter().map(|of| of.kind_of.len()).min().unwrap_or(0);
    let kind = |cell: usize| within.iter().filter_map(|of| of.kind_of.get(cell).copied()).collect::<Vec<usize>>();
    let (kinds, kind_of) = distinct((0..cells).map(kind));
    let regions = kinds.iter().map(|kind| within.iter().zip(kind).map(|(of, at)| of.regions.get(*at)).collect());
    let regions: Vec<Vec<&Region>> = regions.collect::<Option<_>>().ok_or(NotCovered)?;
    let covariances = match joined {
        Some(joined) => of_one_estimate(&joined, &regions),
        None => regions.iter().map(|of_kind| of_own_tables(&sizes, &within, of_kind)).collect(),
    };
    Ok((covariances.ok_or(NotCovered)?, kind_of))
}

/// How a table varies that is joined with no other.
fn alone(sizes: &[usize], own: &(Vec<usize>, f64)) -> Variation {
    Variation::new(sizes, None, std::slice::from_ref(own), &[])
}

/// The cells within one set of cuts.
struct Within<'a> {
    /// The table that they are cut out of, where it is joined with no other.
    own: Option<&'a (Vec<usize>, f64)>,
    regions: Vec<Region>,
    kind_of: Vec<usize>,
}

impl<'a> Within<'a> {
    fn of(cells: &Cells, variation: &Variation, own: Option<&'a (Vec<usize>, f64)>) -> Option<Self> {
        let kind = |dim: usize, codes: &[usize]| variation.kind(dim, codes);
        let (regions, kind_of) = cells.alike(kind, |region| Some(region.clone()))?;
        Some(Self { own, regions, kind_of })
    }
}

/// All of them at once: so that all are told with what impossible cells tell, or none is.
fn of_one_estimate(joined: &Variation, regions: &[Vec<&Region>]) -> Option<Vec<Covariances>> {
    let of_kind = |regions: &[&Region]| -> Option<Vec<(Region, Region)>> {
        pairs(regions.len()).map(|(i, j)| Some(((*regions.get(i)?).clone(), (*regions.get(j)?).clone()))).collect()
    };
    let all = regions.iter().map(|regions| of_kind(regions)).collect::<Option<Vec<_>>>()?.concat();
    let found = joined.between(&all)?;
    let mut found = found.chunks(regions.first().map_or(1, |of_kind| pairs(of_kind.len()).count()).max(1));
    regions.iter().map(|of_kind| Some(square(of_kind.len(), found.next()?))).collect()
}

/// Cuts of different tables have nothing in common.
fn of_own_tables(sizes: &[usize], within: &[Within<'_>], regions: &[&Region]) -> Option<Covariances> {
    let pair = |(i, j): (usize, usize)| {
        let (one, other) = (within.get(i)?.own?, within.get(j)?.own?);
        if one != other {
            return Some(0.0);
        }
        let pair = ((*regions.get(i)?).clone(), (*regions.get(j)?).clone());
        alone(sizes, one).between(&[pair])?.first().copied()
    };
    let found: Vec<f64> = pairs(regions.len()).map(pair).collect::<Option<_>>()?;
    Some(square(regions.len(), &found))
}

/// Every pair of places, each once.
fn pairs(of: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..of).flat_map(move |i| (i..of).map(move |j| (i, j)))
}

/// A symmetric matrix from what stands at its [`pairs`].
fn square(size: usize, found: &[f64]) -> Covariances {
    let at: BTreeMap<(usize, usize), f64> = pairs(size).zip(found.iter().copied()).collect();
    let entry = |i: usize, j: usize| at.get(&(i.min(j), i.max(j))).copied().unwrap_or(0.0);
    (0..size).map(|i| (0..size).map(|j| entry(i, j)).collect()).collect()
}

/// Each of these once, and which of them stands at each place.
pub(crate) fn distinct<K: Ord + Clone>(all: impl Iterator<Item = K>) -> (Vec<K>, Vec<usize>) {
    let (mut known, mut found) = (BTreeMap::new(), Vec::new());
    let place = |key: K| {
        *known.entry(key).or_insert_with_key(|key| {
            found.push(key.clone());
            found.len() - 1
        })
    };
    let places = all.map(place).collect();
    (found, places)
}
