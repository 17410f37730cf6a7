//! The yardsticks, one line each.

use crate::cone;
use crate::exact::{self, Best};
use crate::raw::Raw;
use halflight::suppress::{Found, Inspection, Need, Pattern, Problem, Reach, Standing};
use std::path::Path;
use std::time::Instant;

/// Searches from different orders on the large instance, the plain one first; the best is kept.
const STARTS: [u64; 4] = [0, 3, 5, 7];

struct Yardstick {
    file: &'static str,
    dimensions: &'static [&'static [&'static str]],
    most: i64,
    reference: &'static str,
    known: &'static str,
}

const SMALL: [Yardstick; 5] = [
    Yardstick {
        file: "z1.csv",
        dimensions: &[&["region"], &["hovedint"]],
        most: 3,
        reference: "3 (29), 0.07 s",
        known: "3 (29)",
    },
    Yardstick {
        file: "z1.csv",
        dimensions: &[&["region"], &["hovedint"]],
        most: 4,
        reference: "4 (35), 0.08 s",
        known: "4 (35)",
    },
    Yardstick {
        file: "mun_accidents.csv",
        dimensions: &[&["mun"], &["inj"]],
        most: 3,
        reference: "2 (10), 0.07 s",
        known: "5 (26)",
    },
    Yardstick {
        file: "example1.csv",
        dimensions: &[&["age"], &["geo", "eu"], &["year"]],
        most: 1,
        reference: "18 (123), 0.12 s",
        known: "24 (148)",
    },
    Yardstick {
        file: "example1.csv",
        dimensions: &[&["age"], &["geo", "eu"], &["year"]],
        most: 3,
        reference: "24 (205), 0.06 s",
        known: "23 (212), 24 (206)",
    },
];

/// Notion C: one more, and one less where there is one.
fn need(count: i64) -> Need {
    Need { up: 1.0, down: count.min(1) as f64, width: 0.0 }
}

fn by_count(raw: &Raw) -> Vec<usize> {
    let mut order: Vec<usize> = (0..raw.counts.len()).collect();
    order.sort_by_key(|&cell| std::cmp::Reverse(raw.counts[cell]));
    order
}

fn open(order: Vec<usize>, standing: &[Standing]) -> Vec<usize> {
    order.into_iter().filter(|&cell| standing[cell] == Standing::Open).collect()
}

fn partners(pattern: &Pattern, standing: &[Standing]) -> Vec<usize> {
    (0..standing.len()).filter(|&cell| pattern.withheld[cell] && standing[cell] == Standing::Open).collect()
}

/// The same search as in the service, with notion C for the inspection.
fn search_at_c(raw: &Raw, standing: &[Standing], protected: &[(usize, Need)]) -> Option<Vec<usize>> {
    let slack: Vec<f64> = raw.counts.iter().map(|&count| count as f64).collect();
    let order = open(by_count(raw), standing);
    let problem = Problem { rows: &raw.rows, standing, order: &order };
    let inspect = |pattern: &Pattern| {
        let mut reach = Reach::new(pattern, &slack);
        let mut sums = Vec::new();
        for &(cell, need) in protected {
            match reach.look(cell, need) {
                Found::Enough => {}
                Found::Narrow(more) => sums.extend(more),
                Found::Undecided => return Inspection::Stuck,
            }
        }
        if sums.is_empty() { Inspection::Safe } else { Inspection::Widen(sums, Vec::new()) }
    };
    problem.solve(inspect).map(|pattern| partners(&pattern, standing))
}

pub(crate) fn small(folder: &Path) -> std::io::Result<()> {
    println!(
        "instance | cells | primary | reference | best known at C | search at C | proved by count | proved by value"
    );
    for yardstick in &SMALL {
        let raw = Raw::read(folder, yardstick.file, yardstick.dimensions)?;
        let standing = raw.standing(yardstick.most);
        let primary: Vec<usize> = (0..standing.len()).filter(|&c| standing[c] == Standing::Withheld).collect();
        let protected: Vec<(usize, Need)> = primary.iter().map(|&cell| (cell, need(raw.counts[cell]))).collect();
        let clock = Instant::now();
        let found = search_at_c(&raw, &standing, &protected);
        let told = |cells: &[usize]| {
            let (names, sum) = raw.totals(cells.iter().copied());
            format!("{names} ({sum})")
        };
        let search = found.as_ref().map_or("none".into(), |cells| told(cells));
        let seconds = clock.elapsed().as_secs_f64();
        let names = |cell: usize| i64::try_from(raw.names[cell]).unwrap_or(1);
        let prove = |weights: Vec<i64>| {
            let clock = Instant::now();
            let all = (0..standing.len()).filter(|&c| standing[c] == Standing::Open).collect();
            let best: Best = exact::best(&raw, &standing, &protected, &weights, found.clone().unwrap_or(all));
            let proof = if best.bound == best.cost {
                "optimal".into()
            } else {
                format!("bound {} of {}", best.bound, best.cost)
            };
            format!("{}, {proof}, {} nodes, {:.2} s", told(&best.partners), best.nodes, clock.elapsed().as_secs_f64())
        };
        let count = prove((0..raw.counts.len()).map(|c| names(c) * (10_000 + raw.counts[c])).collect());
        let value = prove((0..raw.counts.len()).map(|c| names(c) * (10_000 * raw.counts[c] + 1)).collect());
        println!(
            "{} {} | {} | {} | {} | {} | {search}, {seconds:.4} s | {count} | {value}",
            yardstick.file,
            yardstick.most,
            raw.size(),
            raw.totals(primary.iter().copied()).0,
            yardstick.reference,
            yardstick.known
        );
    }
    Ok(())
}

pub(crate) fn large(folder: &Path) -> std::io::Result<()> {
    let clock = Instant::now();
    let raw =
        Raw::read(folder, "sosialFiktiv.csv", &[&["region", "fylke", "kostragr"], &["hovedint"], &["mnd", "mnd2"]])?;
    let standing = raw.standing(3);
    println!(
        "sosialFiktiv.csv 3 | {} cells, {} primary | reference 1190 (8506), 68.9 s, notion A",
        raw.size(),
        raw.totals((0..standing.len()).filter(|&c| standing[c] == Standing::Withheld)).0
    );
    let solve = |start: u64| {
        let clock = Instant::now();
        let use_of = |cell: usize| {
            let scatter = (u64::try_from(cell).unwrap_or(0) + 1)
                .wrapping_mul(start.wrapping_mul(2) | 1)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let shake = if start == 0 { 0.0 } else { (scatter >> 40) as f64 / (1u64 << 24) as f64 };
            raw.counts[cell] as f64 * (1.0 + 0.3 * shake)
        };
        let mut order: Vec<usize> = (0..raw.counts.len()).collect();
        order.sort_by(|&a, &b| use_of(b).total_cmp(&use_of(a)));
        let order = open(order, &standing);
        let problem = Problem { rows: &raw.rows, standing: &standing, order: &order };
        let found = problem.solve(|pattern| cone::inspect(&raw.counts, pattern));
        (found, clock.elapsed())
    };
    let solve = &solve;
    let found: Vec<_> = std::thread::scope(|scope| {
        let halves: Vec<_> = STARTS
            .chunks(STARTS.len().div_ceil(2))
            .map(|half| scope.spawn(move || half.iter().map(|&s| (s, solve(s))).collect::<Vec<_>>()))
            .collect();
        halves.into_iter().flat_map(|half| half.join().unwrap_or_default()).collect()
    });
    let mut best: Option<(usize, i64)> = None;
    for (start, (pattern, time)) in found {
        let Some(pattern) = pattern else {
            println!("  start {start}: none");
            continue;
        };
        assert!(cone::fixed(&raw.counts, &pattern).is_empty());
        assert!((0..standing.len()).all(|cell| !pattern.withheld[cell] || !pattern.moves.known(cell)));
        let totals = raw.totals(partners(&pattern, &standing).into_iter());
        println!("  start {start}: {} ({}) at B, {:.2} s", totals.0, totals.1, time.as_secs_f64());
        best = Some(best.map_or(totals, |best| best.min(totals)));
    }
    if let Some((names, sum)) = best {
        println!(
            "  best: {names} ({sum}), every primary at B; {:.2} s in all, with reading",
            clock.elapsed().as_secs_f64()
        );
    }
    Ok(())
}
