//! Places far apart that agree with all that is published: each shows of many cells at once how far they can go, where
//! a program of their own would be dear for each.
//!
//! An interior-point method: from the middle, each step weighs all cells by their room and is pulled towards some of
//! those whose interval is not seen to be wide enough (Dikin 1967; the middle is that of the logarithms). Its direction
//! comes from conjugate gradients on the moves, so that work is counted in entries of moves looked at.
//!
//! # Guarantee
//! Every place is a sum of moves within all bounds, however good the direction. What is not reached is not decided.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::reach::{Need, Reach};

/// Steps to the middle at most, and what counts as no step, beside the room of a cell.
const TO_MIDDLE: usize = 30;
const STILL: f64 = 0.3;
/// Steps from there to a place far off.
const OUTWARDS: usize = 8;
/// Of the way to the first bound that a step meets.
const SHORT_OF: f64 = 0.9;
/// Steps to a direction, each as dear as looking at all moves twice, and what counts as arrived beside the first.
const DIRECTION_STEPS: usize = 100;
const ARRIVED: f64 = 1e-2;
/// How strongly cells are pulled, beside what keeps others from their bounds.
const PULL: f64 = 1e3;
/// One in so many of the cells in doubt is pulled at once.
const APART: usize = 16;
/// Room that is told from none.
const TINY: f64 = 1e-6;

type Moves = [Vec<(usize, f64)>];

/// The room of each cell well inside all bounds, from its `room` now.
pub(super) fn middle(moves: &Moves, room: &[f64], work: &mut u64) -> Vec<f64> {
    let mut place = room.to_vec();
    for _ in 0..TO_MIDDLE {
        let direction = direction(moves, &place, &[], work);
        step(&mut place, &direction);
        let still = |(room, change): (&f64, &f64)| change.abs() <= STILL * room;
        if place.iter().zip(&direction).all(still) {
            break;
        }
    }
    place
}

impl Reach<'_> {
    /// Looks from far places at the cells whose interval is not seen to be wide enough, until each of those left was
    /// pulled in vain.
    pub(super) fn spread(&mut self, cells: &[usize], need: impl Fn(usize) -> Need, work: &mut u64) {
        let mut left: Vec<usize> = cells.iter().copied().filter(|&cell| !self.enough(cell, need(cell))).collect();
        let (mut fruitless, mut round) = (0, 0);
        while *work > 0 {
            let apart = APART.min(left.len());
            if fruitless == apart {
                return;
            }
            let pulled: Vec<usize> = left.iter().copied().skip(round % apart).step_by(apart).collect();
            self.outwards(pulled, &need, work);
            let before = left.len();
            left.retain(|&cell| !self.enough(cell, need(cell)));
            fruitless = if left.len() < before { 0 } else { fruitless + 1 };
            round += 1;
        }
    }

    fn outwards(&mut self, mut pulled: Vec<usize>, need: impl Fn(usize) -> Need, work: &mut u64) {
        let mut place = self.slack.to_vec();
        for _ in 0..OUTWARDS {
            pulled.retain(|&cell| !self.enough(cell, need(cell)));
            if pulled.is_empty() {
                return;
            }
            let direction = direction(&self.moves, &place, &pulled, work);
            step(&mut place, &direction);
            for (cell, room) in place.iter().enumerate() {
                self.saw(cell, room - self.slack[cell]);
            }
        }
    }
}

/// Newton's step towards the most room for all cells and, above all, upwards for those that are pulled.
fn direction(moves: &Moves, place: &[f64], pulled: &[usize], work: &mut u64) -> Vec<f64> {
    let weights: Vec<f64> = place.iter().map(|room| room.max(TINY).powi(-2)).collect();
    let mut wish: Vec<f64> = place.iter().map(|room| room.max(TINY).recip()).collect();
    for &cell in pulled {
        wish[cell] += PULL;
    }
    let one = |row: &Vec<(usize, f64)>| row.iter().map(|&(cell, c)| c * c * weights[cell]).sum::<f64>().recip();
    let diagonal: Vec<f64> = moves.iter().map(one).collect();
    let entries = u64::try_from(moves.iter().map(Vec::len).sum::<usize>()).unwrap_or(u64::MAX);
    *work = work.saturating_sub(4 * entries);
    let mut rest = along(moves, &wish);
    let mut lengths = vec![0.0; moves.len()];
    let mut scaled: Vec<f64> = rest.iter().zip(&diagonal).map(|(rest, one)| rest * one).collect();
    let mut towards = scaled.clone();
    let first = dot(&rest, &scaled);
    let mut size = first;
    for _ in 0..DIRECTION_STEPS {
        if size <= ARRIVED * first || *work == 0 {
            break;
        }
        *work = work.saturating_sub(2 * entries);
        let mut change = sum(moves, &towards, place.len());
        change.iter_mut().zip(&weights).for_each(|(change, weight)| *change *= weight);
        let back = along(moves, &change);
        let length = size / dot(&towards, &back);
        for (number, lengths) in lengths.iter_mut().enumerate() {
            *lengths += length * towards[number];
            rest[number] -= length * back[number];
            scaled[number] = rest[number] * diagonal[number];
        }
        let next = dot(&rest, &scaled);
        towards.iter_mut().zip(&scaled).for_each(|(towards, scaled)| *towards = scaled + next / size * *towards);
        size = next;
    }
    sum(moves, &lengths, place.len())
}

/// Goes that way, short of the first bound.
fn step(place: &mut [f64], direction: &[f64]) {
    let falls = place.iter().zip(direction).filter(|(_, change)| **change < 0.0);
    let length = falls.map(|(room, change)| SHORT_OF * room.max(0.0) / -change).fold(1.0, f64::min);
    place.iter_mut().zip(direction).for_each(|(room, change)| *room += length * change);
}

/// What a change of all cells is along each move.
fn along(moves: &Moves, change: &[f64]) -> Vec<f64> {
    moves.iter().map(|row| row.iter().map(|&(cell, value)| value * change[cell]).sum()).collect()
}

/// All moves together, each by its length.
fn sum(moves: &Moves, lengths: &[f64], cells: usize) -> Vec<f64> {
    let mut change = vec![0.0; cells];
    for (row, &length) in moves.iter().zip(lengths) {
        for &(cell, value) in row {
            change[cell] += value * length;
        }
    }
    change
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}
