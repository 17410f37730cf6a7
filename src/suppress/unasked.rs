//! Small groups that nobody asked for and that figures give away: what a service must not tell and an audit looks for,
//! by one definition.
//!
//! A group is meant if some table names its levels, or if they are left over between the sets of others
//! ([`super::remainder`]): whether or not it was named in its own line. It is given away if it follows from the figures
//! that are shown, and small if it is below the floor by which these were judged.
//!
//! # Guarantee
//! What is found grows with what is shown: whoever hides all that the figures above the floor would give away leaves an
//! audit of fewer figures nothing to find.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::Verdict;
use super::audit::{ROUNDING, published};
use super::certificate::{Revealed, WouldReveal};
use super::remainder::{Group, Remainder, groups, leave_over};
use super::search::Standing;
use super::told::{System, Told};
use std::collections::{BTreeMap, BTreeSet};

/// Parts of a person that floors are told apart by.
const OF_A_PERSON: f64 = 10.0;

/// The draw that tables are of.
#[derive(Clone, Copy)]
pub struct Draw<'a> {
    /// How many levels each dimension has.
    pub sizes: &'a [usize],
    /// The dimension along which every level has a floor of its own: the periods in each of which a person may count.
    pub pooled: Option<usize>,
    /// The floor of a question for a group, by its levels: at least by this it is judged. No published file tells it.
    pub least: &'a dyn Fn(&[Vec<usize>]) -> f64,
    /// The tables of the cells within these that nobody can be counted in.
    pub impossible: &'a dyn Fn(&[Told]) -> Vec<Told>,
}

/// The small groups that what is shown of these tables gives away, each once; none if there are too many to tell. A
/// withheld estimate may be given, or be no number.
#[must_use]
pub fn unasked(draw: Draw<'_>, tables: &[Told]) -> Option<Vec<Remainder>> {
    small(draw, tables, false)
}

/// The same; if `withheld`, with those that are differences of cells, shown or not: of such a pair, either might be
/// known to a single person.
fn small(draw: Draw<'_>, tables: &[Told], withheld: bool) -> Option<Vec<Remainder>> {
    if !leave_over(draw.sizes, &tables.iter()) {
        return Some(Vec::new());
    }
    let floors: Vec<f64> = tables.iter().map(|told| draw.floor_of_one(told)).collect();
    let mut highest_first: Vec<f64> = floors.iter().copied().filter(|floor| floor.is_finite()).collect();
    highest_first.sort_by(|a, b| b.total_cmp(a));
    highest_first.dedup();
    let mut found = BTreeMap::new();
    // what follows from figures that were judged by a floor is judged by that floor
    for floor in highest_first {
        let judged = tables.iter().zip(&floors).filter(|(_, own)| **own >= floor);
        let judged: Vec<Told> = judged.map(|(told, _)| told.clone()).collect();
        for group in draw.given_away(floor, &judged, withheld)? {
            found.entry(group.levels.clone()).or_insert(group);
        }
    }
    found.retain(|levels, _| !tables.iter().any(|told| is_cell(told, levels)));
    Some(found.into_values().collect())
}

/// Whether a table that was judged by another floor asks for just this group.
fn is_cell(told: &Told, levels: &[Vec<usize>]) -> bool {
    let same = |one: &[usize], other: &[usize]| one.len() == other.len() && one.iter().all(|l| other.contains(l));
    told.axes.iter().zip(levels).all(|(axis, levels)| axis.iter().any(|set| same(set, levels)))
}

/// The small groups that a release of the `new` tables must keep unknown beside the `earlier` ones of its draw; none if
/// there are too many to tell.
///
/// # Errors
/// [`WouldReveal`] if the new tables would name a small group that the earlier figures give away, and that none named
/// before.
pub fn unasked_beside(draw: Draw<'_>, earlier: &[Told], new: &[Told]) -> Result<Option<Vec<Remainder>>, WouldReveal> {
    if !leave_over(draw.sizes, &earlier.iter().chain(new)) {
        return Ok(Some(Vec::new()));
    }
    let all = [earlier, new].concat();
    let Some(mut small) = small(draw, &all, true) else { return Ok(None) };
    let candidates = if earlier.is_empty() { Vec::new() } else { small.clone() };
    let Some(known) = draw.fixed(earlier, candidates) else { return Ok(None) };
    if known.is_empty() {
        return Ok(Some(small));
    }
    let among = |groups: &[Remainder], group: &Remainder| groups.iter().any(|other| other.levels == group.levels);
    // by the floors of the present question, and as an audit will see it
    for judged in [draw, Draw { least: &|_| 0.0, ..draw }] {
        let (Some(now), Some(before)) = (unasked(judged, &all), unasked(judged, earlier)) else { return Ok(None) };
        if known.iter().any(|group| among(&now, group) && !among(&before, group)) {
            return Err(WouldReveal);
        }
    }
    small.retain(|group| !among(&known, group));
    Ok(Some(small))
}

impl Draw<'_> {
    /// The floor on persons in a single level along the pooled dimension; for tables of nobody, no bound.
    fn floor_of_one(&self, told: &Told) -> f64 {
        if told.verdicts.iter().all(|&verdict| verdict == Verdict::Structural) {
            return f64::INFINITY;
        }
        let sets = self.pooled.and_then(|dimension| told.axes.get(dimension)).into_iter().flatten();
        let levels = sets.map(|set| count(set.len())).reduce(f64::min).unwrap_or(1.0);
        (told.floor / levels.max(1.0) * OF_A_PERSON).floor() / OF_A_PERSON
    }

    /// The groups below this floor on single levels that the figures shown give away.
    fn given_away(&self, floor: f64, tables: &[Told], withheld: bool) -> Option<Vec<Remainder>> {
        let group = |(levels, estimate, difference): Group| {
            let pooled = self.pooled.and_then(|dimension| levels.get(dimension)).map_or(1, Vec::len);
            let floor = (floor * count(pooled.max(1))).max((self.least)(&levels));
            (Remainder { levels, estimate, floor }, difference)
        };
        let mut found: Vec<(Remainder, bool)> = groups(self.sizes, tables.iter())?.into_iter().map(group).collect();
        // one that withheld figures add up to may be small
        found.retain(|(group, _)| group.estimate.is_nan() || group.estimate < group.floor);
        let is_apart = |(group, difference): &(Remainder, bool)| withheld && *difference && !group.estimate.is_nan();
        let (apart, found): (Vec<_>, Vec<_>) = found.into_iter().partition(is_apart);
        let mut small = self.fixed(tables, found.into_iter().map(|found| found.0).collect())?;
        small.retain(|group| group.estimate < group.floor);
        small.extend(apart.into_iter().map(|apart| apart.0));
        Some(small)
    }

    /// Those of some groups that the figures shown fix, with the figures that these give them; none if the numbers are
    /// too large to tell.
    fn fixed(&self, tables: &[Told], mut groups: Vec<Remainder>) -> Option<Vec<Remainder>> {
        if groups.is_empty() {
            return Some(groups);
        }
        let mut hidden: Vec<Told> = groups.iter().map(|group| group.withheld(0.0)).collect();
        hidden.extend((self.impossible)(&hidden));
        let system = System::beside(self.sizes, tables, &[], &hidden);
        let (moves, point, _) = published(&system);
        let mut cells = system.asked..system.standing.len();
        groups.retain_mut(|group| {
            let Some(cell) = cells.next() else { return false };
            group.estimate = point[cell];
            moves.untouched(cell) && !system.impossible[cell]
        });
        (!moves.overflowed()).then_some(groups)
    }
}

fn count(levels: usize) -> f64 {
    f64::from(u32::try_from(levels).unwrap_or(u32::MAX))
}

/// Proves that no such group is given away by what is published of a draw, or says what gives one away.
///
/// From published figures alone. A column of which all codes are named one by one, and never shown whole, may have
/// further ones or not: what is left of it counts unless it comes to nothing, so that an audit does not tell a group of
/// exactly nobody from none.
///
/// # Errors
/// [`Revealed::Unasked`] with the published cells that hold it; [`Revealed::Undecided`] where there are too many.
pub fn audit_unasked(draw: Draw<'_>, tables: &[Told]) -> Result<(), Revealed> {
    let mut found = unasked(draw, &unknown(tables)).ok_or(Revealed::Undecided(Vec::new()))?;
    let named = named(draw.sizes, tables);
    let nobody = |group: &Remainder| group.estimate.abs() <= ROUNDING && unnamed(group, &named);
    found.retain(|group| group.estimate < group.floor - ROUNDING && !nobody(group));
    if found.is_empty() {
        return Ok(());
    }
    let hidden: Vec<Told> = found.iter().map(|group| group.withheld(0.0)).collect();
    let system = System::beside(draw.sizes, tables, &[], &hidden);
    let published = (0..system.asked).filter(|&cell| system.standing[cell] == Standing::Published);
    let small_ones = system.asked..system.standing.len();
    let around = published.filter(|&cell| small_ones.clone().any(|small| system.lattice.holds(cell, small)));
    Err(Revealed::Unasked(system.at(&around.collect::<Vec<usize>>())))
}

/// Without the figures of what is withheld.
fn unknown(tables: &[Told]) -> Vec<Told> {
    let figure = |(&estimate, verdict): (&f64, &Verdict)| match verdict {
        Verdict::Shown | Verdict::Structural => estimate,
        Verdict::Withheld => f64::NAN,
    };
    let unknown = |told: &Told| told.estimates.iter().zip(&told.verdicts).map(figure).collect();
    tables.iter().map(|told| Told { estimates: unknown(told), ..told.clone() }).collect()
}

/// Per dimension the levels that some set names without all others.
fn named(sizes: &[usize], tables: &[Told]) -> Vec<BTreeSet<usize>> {
    let of = |(dimension, &size): (usize, &usize)| {
        let sets = tables.iter().flat_map(|told| &told.axes[dimension]).filter(|set| set.len() < size);
        sets.flatten().copied().collect()
    };
    sizes.iter().enumerate().map(of).collect()
}

/// Whether it stands for levels alone that no set names.
fn unnamed(remainder: &Remainder, named: &[BTreeSet<usize>]) -> bool {
    let none_of = |(levels, named): (&Vec<usize>, &BTreeSet<usize>)| {
        !named.is_empty() && levels.iter().all(|level| !named.contains(level))
    };
    remainder.levels.iter().zip(named).any(none_of)
}
