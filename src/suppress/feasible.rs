//! A place within all bounds that agrees with the published figures.

use super::program::Program;
use super::reach::Reach;
use super::search::Pattern;
use super::simplex::End;

/// Moves the withheld cells of `point` until none is below its bound; `room` tells how far above it each is. False if
/// that was not done within the `work` allowed, from which it is taken.
pub(super) fn feasible(
    pattern: &Pattern,
    point: &mut [f64],
    room: impl Fn(&[f64]) -> Vec<f64>,
    work: &mut u64,
) -> bool {
    loop {
        let slack = room(point);
        let below = |&cell: &usize| {
            pattern.withheld.get(cell) == Some(&true) && slack.get(cell).is_some_and(|&slack| slack < -1e-6)
        };
        let Some(cell) = (0..slack.len()).find(below) else { return true };
        let reach = Reach::new(pattern, &slack);
        *work = work.saturating_sub(reach.size());
        let Some(mut program) = reach.block(cell).and_then(|block| Program::new(block.into_iter(), &slack)) else {
            return false;
        };
        if program.settle(work) != End::Reached {
            return false;
        }
        for (cell, change) in program.values() {
            if let Some(value) = point.get_mut(cell) {
                *value += change;
            }
        }
    }
}
