//! What the promises say, tried by an attacker who shares no code with what keeps them.

mod attacker;
mod boxes;
mod cases;
mod fewest;
mod neighbours;
mod random;
mod sparse;
mod unasked;
mod unchanged;

use super::{Told, Verdict};

/// Errors of this size make E silent at a floor of 10, and are small beside the figures of these tests.
const ERROR: f64 = 2.0;

/// A table over these axes of a population by leaves (row-major over `sizes`).
fn told(sizes: &[usize], leaves: &[f64], axes: &[Vec<Vec<usize>>], standard_error: f64) -> Told {
    let keys = attacker::keys(axes);
    let estimates: Vec<f64> = keys.iter().map(|key| attacker::sum(sizes, leaves, key)).collect();
    let verdicts =
        estimates.iter().map(|&estimate| if estimate < 10.0 { Verdict::Withheld } else { Verdict::Shown }).collect();
    let standard_errors = vec![standard_error; estimates.len()];
    Told { axes: axes.to_vec(), estimates, standard_errors, floor: 10.0, verdicts }
}

/// Every level, one by one.
fn each(size: usize) -> Vec<Vec<usize>> {
    (0..size).map(|level| vec![level]).collect()
}

/// All levels as one.
fn whole(size: usize) -> Vec<Vec<usize>> {
    vec![(0..size).collect()]
}

/// A table over two dimensions with all its margins.
fn with_margins(rows: usize, columns: usize, leaves: &[f64], standard_error: f64) -> Vec<Told> {
    let mut tables = Vec::new();
    for by_row in [each(rows), whole(rows)] {
        for by_column in [each(columns), whole(columns)] {
            tables.push(told(&[rows, columns], leaves, &[by_row.clone(), by_column], standard_error));
        }
    }
    tables
}
