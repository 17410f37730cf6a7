//! Notion B for cells of count 0: whether the published figures and x >= 0 leave them any room.
//!
//! One program for all of them: the move with the largest support that lowers none. What it cannot raise is fixed by
//! the published figures, and its dual is the sum of withheld zeros that fixes it. Once no zero is fixed, a cell above
//! 0 has room on both sides as soon as it is no linear combination (notion A): a small step along any move will do.

use halflight::suppress::simplex::Dictionary;
use halflight::suppress::{Inspection, Pattern, Row, Sum};
use std::collections::{BTreeMap, BTreeSet};

const WORK_MAX: u64 = 20_000_000_000;

/// Notion B of a pattern over these counts.
pub(crate) fn inspect(counts: &[i64], pattern: &Pattern) -> Inspection {
    let fixed = fixed(counts, pattern);
    if fixed.is_empty() { Inspection::Safe } else { Inspection::Widen(sums(&fixed, pattern), Vec::new()) }
}

/// The dual over the fixed zeros: each at least 1. Empty if no zero is fixed.
pub(crate) fn fixed(counts: &[i64], pattern: &Pattern) -> BTreeMap<usize, f64> {
    let zero = |cell: usize| counts.get(cell) == Some(&0);
    let mut raised: BTreeSet<usize> = BTreeSet::new();
    loop {
        let before = raised.len();
        for row in pattern.moves.rows() {
            let open: Vec<&(usize, i64)> = row.iter().filter(|e| zero(e.0) && !raised.contains(&e.0)).collect();
            if open.iter().all(|e| e.1 > 0) || open.iter().all(|e| e.1 < 0) {
                raised.extend(open.iter().map(|e| e.0));
            }
        }
        if raised.len() == before {
            break;
        }
    }
    let open = |cell: usize| zero(cell) && !raised.contains(&cell);
    let rows: Vec<&Row> = pattern.moves.rows().filter(|row| row.iter().any(|e| open(e.0))).collect();
    let mut program = Dictionary::default();
    let variables: Vec<usize> = rows.iter().map(|_| program.variable(f64::NEG_INFINITY, f64::INFINITY, 0.0)).collect();
    let mut terms: BTreeMap<usize, Vec<(usize, f64)>> = BTreeMap::new();
    for (row, &variable) in rows.iter().zip(&variables) {
        for &(cell, value) in row.iter().filter(|e| open(e.0)) {
            terms.entry(cell).or_default().push((variable, value as f64));
        }
    }
    let raise: Vec<usize> = terms.keys().map(|_| program.variable(0.0, 1.0, 0.0)).collect();
    let mut left = BTreeMap::new();
    for ((&cell, terms), &raise) in terms.iter_mut().zip(&raise) {
        terms.push((raise, -1.0));
        left.insert(program.define(terms, 0.0, f64::INFINITY), cell);
    }
    let goal: Vec<(usize, f64)> = raise.iter().map(|&variable| (variable, 1.0)).collect();
    let goal = program.define(&goal, f64::NEG_INFINITY, f64::INFINITY);
    program.maximise(Some(goal), 1.0, f64::INFINITY, &mut { WORK_MAX });
    program
        .form(goal)
        .into_iter()
        .filter_map(|(variable, factor)| Some((*left.get(&variable)?, -factor)).filter(|e| e.1 > 0.5))
        .collect()
}

/// The dual apart by the moves that link its cells, in whole numbers.
fn sums(fixed: &BTreeMap<usize, f64>, pattern: &Pattern) -> Vec<Sum> {
    let mut parts: Vec<BTreeSet<usize>> = Vec::new();
    for row in pattern.moves.rows() {
        let mut part: BTreeSet<usize> = row.iter().map(|e| e.0).filter(|cell| fixed.contains_key(cell)).collect();
        if part.is_empty() {
            continue;
        }
        parts.retain(|other| {
            let apart = other.is_disjoint(&part);
            if !apart {
                part.extend(other);
            }
            apart
        });
        parts.push(part);
    }
    let whole = |part: &BTreeSet<usize>| {
        [1.0, 2.0, 3.0, 4.0, 6.0, 12.0, 60.0].into_iter().find_map(|scale| {
            let near = |cell: &usize| {
                let factor = fixed[cell] * scale;
                ((factor - factor.round()).abs() < 1e-6).then_some((*cell, factor.round() as i64))
            };
            part.iter().map(near).collect::<Option<Sum>>()
        })
    };
    parts.iter().filter_map(whole).collect()
}
