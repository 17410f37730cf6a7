//! New tables of which nothing need be decided, because they follow from what stands of the draw already.
//!
//! # Guarantee
//! True only if inspecting all tables together would change no verdict and prove what was proved before: no new cell is
//! withheld but those that were already, under no higher floor and known no more closely, and every other new cell is
//! fixed by what was published. Exactly: by elimination, not by its fingerprint.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::moves::Moves;
use super::search::Standing;
use super::told::{System, Told};

/// Whether the new tables say nothing that the `earlier` ones do not. Publishes in `moves`, which are those of all
/// tables, what the earlier ones show, if that is needed to tell.
pub(super) fn unchanged(system: &System, earlier: &[Told], moves: &mut Moves) -> bool {
    let (before, new) = system.places.split_at(earlier.len());
    let cells = before.iter().flatten().max().map_or(0, |last| last + 1);
    let (mut floors, mut errors) = (vec![0.0_f64; cells], vec![f64::INFINITY; cells]);
    for (told, places) in earlier.iter().zip(before) {
        for (&cell, &error) in places.iter().zip(&told.standard_errors) {
            floors[cell] = floors[cell].max(told.floor);
            errors[cell] = errors[cell].min(error);
        }
    }
    let stands = |&cell: &usize| match system.standing[cell] {
        Standing::Withheld => {
            cell < cells && system.floors[cell] <= floors[cell] && system.errors[cell] >= errors[cell]
        }
        Standing::Published | Standing::Open => true,
    };
    if earlier.is_empty() || !new.iter().flatten().all(stands) {
        return false;
    }
    let more: Vec<usize> = new.iter().flatten().copied().filter(|&cell| cell >= cells).collect();
    if !more.is_empty() {
        let shown = |&cell: &usize| system.standing[cell] == Standing::Published;
        moves.publish_all((0..cells).filter(shown).collect());
    }
    more.iter().all(|&cell| moves.untouched(cell))
}
