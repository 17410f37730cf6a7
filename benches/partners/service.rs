//! The service's own way, on tables as they are released: how long [`withhold`] takes, and how much it withholds.

use crate::population::{self, Design, Dice, falling, made_up};
use halflight::suppress::{Told, Verdict, audit, tally, withhold};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::time::Instant;

/// Draws of each design.
const DRAWS: u64 = 5;
/// Where a band of ages ends and the next begins.
const AGES: [usize; 10] = [5, 15, 18, 25, 35, 45, 55, 65, 75, 85];

/// State, sex, age, citizenship, health coverage, sector, disability, domestic worker: five tables of them.
fn linked(persons: Vec<Vec<usize>>, error: f64) -> Design {
    let tables = vec![vec![0, 1, 2], vec![0, 3, 4], vec![1, 3, 5], vec![2, 4, 6], vec![0, 1, 7]];
    Design { sizes: vec![49, 2, 11, 2, 2, 15, 2, 3], tables, persons, error }
}

fn like_it(persons: usize) -> Vec<Vec<usize>> {
    let shares = [
        falling(49, 0.9),
        vec![0.51, 0.49],
        vec![0.04, 0.08, 0.12, 0.16, 0.17, 0.15, 0.12, 0.08, 0.05, 0.02, 0.01],
        vec![0.52, 0.48],
        vec![0.8, 0.2],
        falling(15, 0.75),
        vec![0.9, 0.1],
        vec![0.4, 0.585, 0.015],
    ];
    made_up(persons, &shares)
}

/// The persons of the example's data, if it lies beside the instances: numbered codes, ages in eleven bands.
fn recorded(folder: &Path) -> Option<Vec<Vec<usize>>> {
    let file = std::fs::File::open(folder.join("../acs2024_migrants.csv.gz")).ok()?;
    let mut lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines().map_while(Result::ok);
    let head = lines.next()?;
    let names = ["adm1", "sex", "age", "citizenship", "health_coverage", "sector", "disability", "domestic_worker"];
    let places: Vec<usize> =
        names.iter().map(|name| head.split(',').position(|column| column == *name)).collect::<Option<_>>()?;
    let mut known = vec![BTreeMap::new(); names.len()];
    let mut code = |(dimension, field): (usize, &str)| {
        let banded =
            field.parse().map_or(field.to_owned(), |age: usize| AGES.partition_point(|&a| a <= age).to_string());
        let next = known[dimension].len();
        *known[dimension].entry(banded).or_insert(next)
    };
    Some(
        lines
            .map(|line| {
                let fields: Vec<&str> = line.split(',').collect();
                places.iter().map(|&place| fields[place]).enumerate().map(&mut code).collect()
            })
            .collect(),
    )
}

/// One table of 1,152 cells with its margins.
fn wide(persons: usize) -> Design {
    let shares = [vec![0.5, 0.5], vec![1.0; 18], falling(32, 0.95)];
    Design { sizes: vec![2, 18, 32], tables: vec![vec![0, 1, 2]], persons: made_up(persons, &shares), error: 3.0 }
}

pub(crate) fn service(folder: &Path) {
    println!(
        "release | tables | cells | small | partners | at least | share of small | ms (worst of {DRAWS}) | audit, ms"
    );
    match recorded(folder) {
        Some(persons) => line("acs2024, five linked tables", &linked(persons, 3.0)),
        None => println!("skipped: there is no acs2024_migrants.csv.gz above {}", folder.display()),
    }
    line("made up like it", &linked(like_it(276_000), 3.0));
    line("with little noise: error 0.5", &linked(like_it(276_000), 0.5));
    line("30,000 persons", &linked(like_it(30_000), 3.0));
    line("2 x 18 x 32, 1,000,000 persons", &wide(1_000_000));
    line("2 x 18 x 32, 30,000 persons", &wide(30_000));
    free();
}

/// Free answers over what stands: the tables again, which follow from it, and pairs of their codes, which may not.
fn free() {
    let design = linked(like_it(276_000), 3.0);
    let sizes = design.sizes.clone();
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

/// Numbers of the first draw; times, the worst of all.
fn line(name: &str, design: &Design) {
    let (mut told_of_first, mut worst, mut audited) = (String::new(), 0.0_f64, 0.0_f64);
    for draw in 0..DRAWS {
        let told = design.tables(&mut Dice(draw));
        let small = silent(told.iter().map(|t| t.verdicts.clone()));
        let clock = Instant::now();
        let Ok((verdicts, certificate)) = withhold(&design.sizes, &[], &told) else { continue };
        worst = worst.max(clock.elapsed().as_secs_f64() * 1e3);
        let partners = silent(verdicts.iter().cloned()) - small;
        if draw == 0 {
            let clock = Instant::now();
            let least = tally(&design.sizes, &[], &told, &verdicts).at_least;
            let bounded = clock.elapsed().as_secs_f64() * 1e3;
            let share = 100.0 * partners as f64 / small.max(1) as f64;
            let cells = certificate.cells;
            told_of_first =
                format!("{} | {cells} | {small} | {partners} | {least} in {bounded:.0} ms | {share:.0} %", told.len());
        }
        let after: Vec<Told> = told.into_iter().zip(verdicts).map(|(t, verdicts)| Told { verdicts, ..t }).collect();
        let clock = Instant::now();
        assert_eq!(audit(&design.sizes, &after), Ok(certificate));
        audited = audited.max(clock.elapsed().as_secs_f64() * 1e3);
    }
    println!("{name} | {told_of_first} | {worst:.1} | {audited:.1}");
}
