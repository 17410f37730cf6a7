//! What no pattern can be below, by the lines of the tables alone: a line never hides exactly one cell.
//!
//! That holds of every pattern in which no withheld cell is known and no partner is superfluous, so the linear program
//! over all lines is a bound on the number of partners. Lines are added as they are found wanting.

use halflight::suppress::simplex::{Dictionary, End};
use halflight::suppress::{Told, Verdict};
use std::collections::{BTreeMap, HashMap};

const WORK_MAX: u64 = 4_000_000_000;
const CLOSE: f64 = 1e-6;

/// The levels that a cell stands for in each dimension.
type Key = Vec<Vec<usize>>;

/// The least number of partners of these tables, before rounding up; none where the work allowed did not tell.
pub(crate) fn at_least(tables: &[Told]) -> Option<f64> {
    let mut cells: HashMap<Key, usize> = HashMap::new();
    let mut withheld = Vec::new();
    let keys: Vec<Vec<Key>> = tables.iter().map(|told| keys(&told.axes)).collect();
    for (told, keys) in tables.iter().zip(&keys) {
        for (key, verdict) in keys.iter().zip(&told.verdicts) {
            if cells.insert(key.clone(), withheld.len()).is_none() {
                withheld.push(*verdict == Verdict::Withheld);
            }
        }
    }
    let mut lines: BTreeMap<(usize, usize, Key), Vec<usize>> = BTreeMap::new();
    for (table, (told, keys)) in tables.iter().zip(&keys).enumerate() {
        for dimension in (0..told.axes.len()).filter(|&dimension| told.axes[dimension].len() > 1) {
            let whole = told.axes[dimension].concat();
            for key in keys {
                let mut sum = key.clone();
                sum[dimension].clone_from(&whole);
                if let Some(&total) = cells.get(&sum) {
                    lines.entry((table, dimension, sum)).or_insert_with(|| vec![total]).push(cells[key]);
                }
            }
        }
    }
    bound(&lines.into_values().collect::<Vec<_>>(), &withheld)
}

fn keys(axes: &[Vec<Vec<usize>>]) -> Vec<Key> {
    axes.iter().fold(vec![Vec::new()], |keys, axis| {
        keys.iter()
            .flat_map(|key| axis.iter().map(move |set| [key.as_slice(), std::slice::from_ref(set)].concat()))
            .collect()
    })
}

fn bound(lines: &[Vec<usize>], withheld: &[bool]) -> Option<f64> {
    let mut program = Dictionary::default();
    let hides = |line: &&Vec<usize>| line.iter().filter(|&&cell| withheld[cell]).count();
    let lines: Vec<&Vec<usize>> = lines.iter().filter(|line| hides(line) < 2).collect();
    let variables: Vec<Option<usize>> =
        withheld.iter().map(|&withheld| (!withheld).then(|| program.variable(0.0, 1.0, 0.0))).collect();
    let terms: Vec<(usize, f64)> = variables.iter().flatten().map(|&variable| (variable, 1.0)).collect();
    let partners = program.define(&terms, 0.0, f64::INFINITY);
    loop {
        let hidden = |cell: usize| variables[cell].map_or(1.0, |variable| program.value(variable));
        let mut wanting = Vec::new();
        for line in &lines {
            let all: f64 = line.iter().map(|&cell| hidden(cell)).sum();
            wanting.extend(line.iter().filter(|&&cell| all < 2.0 * hidden(cell) - CLOSE).map(|&cell| (line, cell)));
        }
        if wanting.is_empty() {
            return Some(program.value(partners).max(0.0));
        }
        for (line, alone) in wanting {
            let sign = |cell: usize| if cell == alone { -1.0 } else { 1.0 };
            let terms: Vec<_> = line.iter().filter_map(|&cell| Some((variables[cell]?, sign(cell)))).collect();
            program.define(&terms, if withheld[alone] { 1.0 } else { 0.0 }, f64::INFINITY);
        }
        if program.maximise(Some(partners), -1.0, f64::INFINITY, &mut { WORK_MAX }) != End::Reached {
            return None;
        }
    }
}
