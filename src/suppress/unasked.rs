//! The audit of what published figures leave over: no small group that nobody asked for may follow from them.
//!
//! From published figures alone. A column of which all codes are named one by one, and never shown whole, may have
//! further ones or not: what is left of it counts unless it comes to nothing, so that an audit does not tell a group of
//! exactly nobody from none.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::audit::{ROUNDING, published};
use super::certificate::Revealed;
use super::remainder::{Remainder, remainders};
use super::search::Standing;
use super::told::{System, Told};
use std::collections::BTreeSet;

/// Proves that no remainder below the floor is fixed by what is published of a draw, or says what gives one away.
///
/// # Errors
/// [`Revealed::Unasked`] with the published cells that hold it; [`Revealed::Undecided`] where there are too many to look
/// at.
pub fn audit_unasked(sizes: &[usize], pooled: Option<usize>, tables: &[Told]) -> Result<(), Revealed> {
    let found = remainders(sizes, pooled, tables.iter()).ok_or(Revealed::Undecided(Vec::new()))?;
    if found.is_empty() {
        return Ok(());
    }
    let hidden: Vec<Told> = found.iter().map(|remainder| remainder.withheld(0.0, remainder.floor)).collect();
    let system = System::beside(sizes, tables, &[], &hidden);
    let (moves, point, _) = published(&system);
    let named = named(sizes, tables);
    let mut small_ones = Vec::new();
    for (remainder, cell) in found.iter().zip(system.asked..) {
        let small = moves.untouched(cell) && point[cell] < system.floors[cell] - ROUNDING;
        let nobody = point[cell].abs() <= ROUNDING && unnamed(remainder, &named);
        if small && !nobody && !system.impossible[cell] {
            small_ones.push(cell);
        }
    }
    if small_ones.is_empty() {
        return Ok(());
    }
    let published = (0..system.asked).filter(|&cell| system.standing[cell] == Standing::Published);
    let around = published.filter(|&cell| small_ones.iter().any(|&small| system.lattice.holds(cell, small)));
    Err(Revealed::Unasked(system.at(&around.collect::<Vec<usize>>())))
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
