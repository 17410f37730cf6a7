//! A place well inside all bounds, for an audit to look around from: where withheld figures are much alike.
//!
//! Any place that agrees with what is published would do for the proof. From a corner, where many cells are at their
//! bounds, hardly a cell can move by itself and each asks for a program of its own; from the middle most moves show at
//! once that there is room. Conjugate gradients on the moves, in fixed numbers of steps (Hestenes and Stiefel 1952).
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::lattice::Row;
use super::moves::Moves;

/// Times that cells below their bounds are pushed up and the others make room.
const ROUNDS: usize = 30;
/// Steps towards the nearest point, each as dear as looking at all moves once.
const STEPS: usize = 60;
/// What counts as arrived, beside the first distance.
const ARRIVED: f64 = 1e-10;

/// Moves `point` by `moves` alone: first towards the middle of each withheld cell's range, then until none is within a
/// margin of its least, as far as that goes and the work allowed.
pub(super) fn centre(moves: &Moves, point: &mut [f64], middle: &[f64], least: &[f64], work: &mut u64) {
    let cells =
        |row: &Row| row.iter().filter(|e| e.0 < point.len()).map(|&(cell, value)| (cell, float(value))).collect();
    let rows: Vec<Vec<(usize, f64)>> = moves.rows().map(cells).collect();
    let mut touched: Vec<usize> = rows.iter().flatten().map(|entry| entry.0).collect();
    touched.sort_unstable();
    touched.dedup();
    let mut wish: Vec<f64> = vec![0.0; point.len()];
    for &cell in &touched {
        wish[cell] = middle[cell] - point[cell];
    }
    for _ in 0..ROUNDS {
        nearest(&rows, &wish, point, work);
        let mut content = true;
        for &cell in &touched {
            wish[cell] = (least[cell] - point[cell]).max(0.0);
            content &= wish[cell] == 0.0;
        }
        if content || *work == 0 {
            return;
        }
    }
}

/// Adds to `point` the combination of rows that is nearest to `wish`, in steps.
fn nearest(rows: &[Vec<(usize, f64)>], wish: &[f64], point: &mut [f64], work: &mut u64) {
    let entries = u64::try_from(rows.iter().map(Vec::len).sum::<usize>()).unwrap_or(u64::MAX);
    let along = |rest: &[f64]| -> Vec<f64> {
        rows.iter().map(|row| row.iter().map(|&(cell, value)| value * rest[cell]).sum()).collect()
    };
    let mut rest = wish.to_vec();
    let mut gradient = along(&rest);
    let mut direction = gradient.clone();
    let mut size = dot(&gradient, &gradient);
    let first = size;
    for _ in 0..STEPS {
        if size <= ARRIVED * first || *work == 0 {
            return;
        }
        *work = work.saturating_sub(2 * entries);
        let mut change = vec![0.0; point.len()];
        for (row, &times) in rows.iter().zip(&direction) {
            for &(cell, value) in row {
                change[cell] += value * times;
            }
        }
        let length = size / dot(&change, &change);
        for ((point, rest), change) in point.iter_mut().zip(&mut rest).zip(&change) {
            *point += length * change;
            *rest -= length * change;
        }
        gradient = along(&rest);
        let next = dot(&gradient, &gradient);
        for (direction, gradient) in direction.iter_mut().zip(&gradient) {
            *direction = gradient + next / size * *direction;
        }
        size = next;
    }
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "small whole numbers")]
fn float(coefficient: i64) -> f64 {
    coefficient as f64
}
