//! The proof again, from published figures alone: what a third party runs.
//!
//! Withheld estimates are not needed: any values that agree with the published figures and the bounds will do as a
//! place to start from, since the interval of a cell does not depend on where in it one stands.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::Verdict;
use super::centre::centre;
use super::certificate::{Certificate, Revealed};
use super::inspect::faults;
use super::moves::Moves;
use super::search::{Pattern, Standing};
use super::told::{System, Told};
use super::withhold::{as_published, certificate};

/// Work of one audit, all told, in entries of moves looked at: several times that of a search's last inspection.
const WORK_MAX: u64 = 12_000_000_000;
/// Published estimates are written with four decimals; sums of many of them may miss each other by so much.
pub(super) const ROUNDING: f64 = 0.05;

/// Proves A, E and W of everything that is published of a draw, or says what fails.
///
/// # Errors
/// [`Revealed`], with the cells concerned.
pub fn audit(sizes: &[usize], tables: &[Told]) -> Result<Certificate, Revealed> {
    prove(&System::join(sizes, tables, &[]), tables)
}

/// The same of sums of values, counted in the furthest that one value reaches: they may have either sign, so that
/// nothing bounds them (no W).
///
/// # Errors
/// [`Revealed`], with the cells concerned.
pub fn audit_sums(sizes: &[usize], tables: &[Told]) -> Result<Certificate, Revealed> {
    prove(&System { signed: true, ..System::join(sizes, tables, &[]) }, tables)
}

fn prove(system: &System, tables: &[Told]) -> Result<Certificate, Revealed> {
    let (told_twice, apart) = contradictions(system, tables);
    if !told_twice.is_empty() {
        return Err(Revealed::Known(told_twice));
    }
    if !apart.is_empty() {
        return Err(Revealed::DoesNotAddUp(apart));
    }
    let (moves, mut point, wrong) = published(system);
    if !wrong.is_empty() {
        return Err(Revealed::DoesNotAddUp(system.at(&wrong)));
    }
    let withheld: Vec<bool> = system.standing.iter().map(|&s| s == Standing::Withheld).collect();
    let pattern = Pattern { withheld, moves, lost: false };
    let silent: Vec<usize> = (0..point.len()).filter(|&cell| pattern.withheld[cell]).collect();
    if pattern.moves.overflowed() {
        return Err(Revealed::Undecided(system.at(&silent)));
    }
    let known: Vec<usize> = silent.iter().copied().filter(|&cell| pattern.moves.known(cell)).collect();
    if !known.is_empty() {
        return Err(Revealed::Known(system.at(&known)));
    }
    let (middle, least) = system.ranges();
    let mut work = WORK_MAX;
    centre(&pattern.moves, &mut point, &middle, &least, &mut work);
    let Some(slack) = system.slack(&pattern, &mut point, &mut work) else {
        return Err(Revealed::Undecided(system.at(&silent)));
    };
    let faults = faults(system, &pattern, &slack, &mut work);
    if !faults.tied.is_empty() {
        return Err(Revealed::Tied(system.at(&faults.tied.iter().map(|tie| tie.0).collect::<Vec<_>>())));
    }
    if !faults.narrow.is_empty() {
        return Err(Revealed::Narrow(system.at(&faults.narrow.iter().map(|narrow| narrow.0).collect::<Vec<_>>())));
    }
    if !faults.undecided.is_empty() {
        return Err(Revealed::Undecided(system.at(&faults.undecided)));
    }
    Ok(certificate(system, &pattern.withheld))
}

/// What is left when all that is told is published: the moves, a place that agrees with the figures, and the cells
/// whose figures contradict others.
pub(super) fn published(system: &System) -> (Moves, Vec<f64>, Vec<usize>) {
    let mut moves = system.moves.clone();
    let mut point = vec![0.0; system.standing.len()];
    let mut wrong = Vec::new();
    let told = (0..system.asked).filter(|&cell| as_published(system.standing[cell]) == Standing::Published).collect();
    for cell in moves.cheapest_first(told) {
        let figure = system.estimates[cell];
        let move_given = moves.publish(cell);
        match move_given.iter().find(|entry| entry.0 == cell) {
            Some(&(_, coefficient)) => {
                let length = (figure - point[cell]) / float(coefficient);
                shift(&mut point, &move_given, length);
            }
            None if (figure - point[cell]).abs() > ROUNDING => wrong.push(cell),
            None => {}
        }
    }
    (moves, point, wrong)
}

/// Cells as (table, place).
type Places = Vec<(usize, usize)>;

/// Cells that one table withholds and another shows, and cells that two tables show with different figures.
fn contradictions(system: &System, tables: &[Told]) -> (Places, Places) {
    let (mut told_twice, mut apart) = (Vec::new(), Vec::new());
    for (table, (told, places)) in tables.iter().zip(&system.places).enumerate() {
        for (place, (&cell, verdict)) in places.iter().zip(&told.verdicts).enumerate() {
            let published = system.standing[cell] == Standing::Published && !system.impossible[cell];
            match verdict {
                Verdict::Withheld if published => told_twice.push((table, place)),
                Verdict::Shown if (told.estimates[place] - system.estimates[cell]).abs() > ROUNDING => {
                    apart.push((table, place));
                }
                Verdict::Shown | Verdict::Withheld | Verdict::Structural => {}
            }
        }
    }
    (told_twice, apart)
}

fn shift(point: &mut [f64], along: &[(usize, i64)], length: f64) {
    for &(cell, coefficient) in along {
        point[cell] += float(coefficient) * length;
    }
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "small whole numbers")]
fn float(coefficient: i64) -> f64 {
    coefficient as f64
}
