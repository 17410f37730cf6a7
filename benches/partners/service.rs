//! The service's own way, on tables as they are released: how long [`withhold`] takes, and how much it withholds.

use crate::population::{self, Design, Dice, falling};
use halflight::suppress::{Told, Verdict, audit, withhold};
use std::time::Instant;

/// Draws of each design.
const DRAWS: u64 = 5;

/// Five linked tables: state, sex, age, citizenship, health coverage, sector, disability, domestic worker.
fn linked(persons: usize, error: f64) -> Design {
    let shares = vec![
        falling(49, 0.9),
        vec![0.51, 0.49],
        vec![0.04, 0.08, 0.12, 0.16, 0.17, 0.15, 0.12, 0.08, 0.05, 0.02, 0.01],
        vec![0.52, 0.48],
        vec![0.8, 0.2],
        falling(15, 0.75),
        vec![0.9, 0.1],
        vec![0.4, 0.585, 0.015],
    ];
    let tables = vec![vec![0, 1, 2], vec![0, 3, 4], vec![1, 3, 5], vec![2, 4, 6], vec![0, 1, 7]];
    Design { shares, tables, persons, error }
}

/// One table of 1,152 cells with its margins.
fn wide(persons: usize) -> Design {
    let shares = vec![vec![0.5, 0.5], vec![1.0; 18], falling(32, 0.95)];
    Design { shares, tables: vec![vec![0, 1, 2]], persons, error: 3.0 }
}

pub(crate) fn service() {
    println!("release | tables | cells | small | partners | share of small | ms (worst of {DRAWS}) | audit, ms");
    line("five linked tables, error 3", &linked(276_000, 3.0));
    line("five linked tables, error 0.5", &linked(276_000, 0.5));
    line("five linked tables, 30,000 persons", &linked(30_000, 3.0));
    line("2 x 18 x 32, 1,000,000 persons", &wide(1_000_000));
    line("2 x 18 x 32, 30,000 persons", &wide(30_000));
    free();
}

/// Free answers over what stands: the tables again, which follow from it, and pairs of their codes, which may not.
fn free() {
    let design = linked(276_000, 3.0);
    let sizes = design.sizes();
    let mut standing = design.tables(&mut Dice(0));
    let Ok((verdicts, _)) = withhold(&sizes, &[], &standing) else { return };
    for (told, verdicts) in standing.iter_mut().zip(verdicts) {
        told.verdicts = verdicts;
    }
    println!("free answer over {} tables | cells | ms", standing.len());
    for (name, new) in [("the tables again", standing.clone()), ("pairs", standing.iter().map(pairs).collect())] {
        let (mut worst, mut mean, mut refused) = (0.0_f64, 0.0, 0);
        for one in &new {
            let clock = Instant::now();
            refused += usize::from(withhold(&sizes, &standing, std::slice::from_ref(one)).is_err());
            let time = clock.elapsed().as_secs_f64() * 1e3;
            (worst, mean) = (worst.max(time), mean + time / new.len() as f64);
        }
        let cells: usize = new.iter().map(|told| told.verdicts.len()).sum();
        println!("{name}, one by one | {cells} | {mean:.1} (worst {worst:.1}), {refused} refused");
    }
}

/// The table with the codes of its longest dimension in pairs.
fn pairs(told: &Told) -> Told {
    let longest = (0..told.axes.len()).max_by_key(|&dimension| told.axes[dimension].len()).unwrap_or(0);
    let size = told.axes[longest].len();
    let inner: usize = told.axes[longest + 1..].iter().map(Vec::len).product();
    let mut axes = told.axes.clone();
    axes[longest] = told.axes[longest].chunks(2).map(<[_]>::concat).collect();
    let mut estimates = vec![0.0; told.estimates.len() / size * axes[longest].len()];
    for (place, estimate) in told.estimates.iter().enumerate() {
        let (outer, code, rest) = (place / inner / size, place / inner % size, place % inner);
        estimates[(outer * axes[longest].len() + code / 2) * inner + rest] += estimate;
    }
    Told { axes, verdicts: estimates.iter().map(|&x| population::verdict(x)).collect(), estimates, ..told.clone() }
}

fn silent(tables: impl Iterator<Item = Vec<Verdict>>) -> usize {
    tables.flatten().filter(|verdict| *verdict == Verdict::Withheld).count()
}

fn line(name: &str, design: &Design) {
    let (mut small, mut partners, mut worst, mut audited, mut cells, mut tables) = (0, 0, 0.0_f64, 0.0_f64, 0, 0);
    for draw in 0..DRAWS {
        let told = design.tables(&mut Dice(draw));
        (tables, cells) = (told.len(), told.iter().map(|t| t.verdicts.len()).sum());
        let before = silent(told.iter().map(|t| t.verdicts.clone()));
        let clock = Instant::now();
        let Ok((verdicts, certificate)) = withhold(&design.sizes(), &[], &told) else { continue };
        worst = worst.max(clock.elapsed().as_secs_f64() * 1e3);
        small += before;
        partners += silent(verdicts.iter().cloned()) - before;
        let after: Vec<Told> = told.into_iter().zip(verdicts).map(|(t, verdicts)| Told { verdicts, ..t }).collect();
        let clock = Instant::now();
        assert_eq!(audit(&design.sizes(), &after), Ok(certificate));
        audited = audited.max(clock.elapsed().as_secs_f64() * 1e3);
    }
    let share = 100.0 * partners as f64 / small.max(1) as f64;
    let (small, partners) = (small as f64 / DRAWS as f64, partners as f64 / DRAWS as f64);
    println!("{name} | {tables} | {cells} | {small} | {partners} | {share:.1} % | {worst:.1} | {audited:.1}");
}
