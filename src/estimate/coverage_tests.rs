//! What the 95 % intervals really cover, over all cells before selection, by size of the group behind a figure.
//!
//! 5,000 runs of exact discrete Gaussian noise on one made-up register: sex x region x age bin, three tables measured,
//! and a column's sums. A coverage over 5,000 independent runs has a standard error of at most 0.31 points, so the
//! bounds of 93 and 97 % are 6.5 of them from 95: a false alarm in fewer than one of 1e9 checks. Where an interval is
//! not exact, the test says so and holds it to what was found.

use super::*;
use crate::design::{Region, Z95};
use crate::noise::NoisyTable;
use rand::{Rng, SeedableRng, rngs::StdRng};

const RUNS: usize = 5_000;
const SIZES: [usize; 3] = [2, 5, 6];
const EDGES: [f64; 7] = [0.0, 5.0, 15.0, 18.0, 25.0, 65.0, 100.0];
/// Persons of each region; sexes and bins are uneven within.
const REGIONS: [i64; 5] = [4, 30, 120, 900, 20_000];
const TABLES: [(&[usize], f64); 3] = [(&[0, 1, 2], 3.0), (&[1, 2], 2.5), (&[0], 6.0)];
/// Standard deviation of the noise of the sums: values are clamped to within 50 of their middle.
const SUM_SCALE: f64 = 120.0;

/// Exact discrete Gaussian noise by inverting its distribution function.
pub(super) struct Noise(Vec<f64>, i64);

impl Noise {
    pub(super) fn new(scale: f64) -> Self {
        let reach: i32 = format!("{:.0}", scale * 9.0).parse().unwrap();
        let mass = |x: i32| (-f64::from(x).powi(2) / (2.0 * scale * scale)).exp();
        let whole: f64 = (-reach..=reach).map(mass).sum();
        let sums = (-reach..=reach).scan(0.0, |sum, x| {
            *sum += mass(x) / whole;
            Some(*sum)
        });
        Self(sums.collect(), i64::from(reach))
    }

    pub(super) fn draw(&self, random: &mut StdRng) -> i64 {
        let uniform = f64::from(u32::try_from(random.next_u64() >> 32).unwrap()) / 4_294_967_296.0;
        i64::try_from(self.0.partition_point(|&sum| sum < uniform)).unwrap() - self.1
    }
}

/// How often an interval held the truth, and how often it had bounds at all.
#[derive(Default, Clone, Copy)]
struct Tally {
    held: usize,
    bounded: usize,
    asked: usize,
}

impl Tally {
    fn add(&mut self, truth: f64, interval: Option<(f64, f64)>) {
        self.asked += 1;
        self.bounded += usize::from(interval.is_some());
        self.held += usize::from(interval.is_some_and(|(low, high)| low - 1e-9 <= truth && truth <= high + 1e-9));
    }

    fn of_bounded(self) -> f64 {
        f64::from(u32::try_from(self.held).unwrap()) / f64::from(u32::try_from(self.bounded.max(1)).unwrap())
    }

    fn bounded(self) -> f64 {
        f64::from(u32::try_from(self.bounded).unwrap()) / f64::from(u32::try_from(self.asked).unwrap())
    }
}

fn as_float(count: i64) -> f64 {
    f64::from(i32::try_from(count).unwrap())
}

/// The exact counts, row-major over sex, region, bin.
fn register() -> Vec<i64> {
    let part = |total: i64, weights: &[i64], at: usize| total * weights[at] / weights.iter().sum::<i64>();
    let mut counts = Vec::new();
    for sex in 0..2 {
        for persons in REGIONS {
            let of_sex = part(persons, &[9, 11], sex);
            counts.extend((0..6).map(|bin| part(of_sex, &[3, 9, 4, 20, 50, 14], bin)));
        }
    }
    counts
}

fn margin(counts: &[i64], dims: &[usize]) -> Vec<i64> {
    let count = dims.iter().map(|&d| SIZES[d]).product();
    let mut sums = vec![0; count];
    for (cell, &persons) in counts.iter().enumerate() {
        let codes = [cell / 30, cell / 6 % 5, cell % 6];
        sums[dims.iter().fold(0, |place, &d| place * SIZES[d] + codes[d])] += persons;
    }
    sums
}

/// A figure's interval against the truth, for each region.
type ByRegion = [Tally; 5];

#[derive(Default)]
struct Found {
    counts: ByRegion,
    shares: ByRegion,
    means: ByRegion,
    medians: ByRegion,
    differences: ByRegion,
    /// Women to men.
    ratios: ByRegion,
    /// Of the share of a region and that of the next larger one.
    share_differences: ByRegion,
    share_ratios: ByRegion,
}

/// Everything that does not depend on the draw.
struct Figures {
    exact: Vec<i64>,
    cell: f64,
    bins: Vec<Vec<f64>>,
    women: Vec<Vec<f64>>,
    two_regions: Vec<Vec<f64>>,
}

fn figures() -> Figures {
    let measured: Vec<_> = TABLES.iter().map(|(dims, scale)| (dims.to_vec(), scale * scale)).collect();
    let uncertainty = Uncertainty::new(&SIZES, &measured, &[]);
    let cell = Region::cell(&[(0, 0), (1, 0), (2, 0)]);
    let bins: Vec<Region> = (0..6).map(|bin| Region::cell(&[(1, 0), (2, bin)])).collect();
    let of_two: Vec<Region> = (0..12).map(|at| Region::cell(&[(1, at / 6), (2, at % 6)])).collect();
    // women, men
    let sexes: Vec<Region> = (0..2).map(|sex| Region::cell(&[(0, sex), (1, 0)])).collect();
    Figures {
        exact: register(),
        cell: uncertainty.covariance(&cell, &cell).unwrap(),
        bins: uncertainty.covariances(&bins).unwrap(),
        women: uncertainty.covariances(&sexes).unwrap(),
        two_regions: uncertainty.covariances(&of_two).unwrap(),
    }
}

fn one_run(figures: &Figures, noise: &[Noise], random: &mut StdRng, found: &mut Found) {
    let exact = &figures.exact;
    let mut drawn = NoisyTables { accounting: Accounting::Zcdp, tables: Vec::new() };
    for ((dims, scale), noise) in TABLES.iter().zip(noise) {
        let values = margin(exact, dims).iter().map(|x| x + noise.draw(random)).collect();
        drawn.tables.push(NoisyTable { dims: dims.to_vec(), values, variance: scale * scale });
    }
    let estimator = Estimator::new(&SIZES, &drawn, &[]).unwrap();
    let (cells, bins, sexes) =
        (estimator.table(&[0, 1, 2]).unwrap(), estimator.table(&[1, 2]).unwrap(), estimator.table(&[0, 1]).unwrap());
    let (true_bins, true_sexes) = (margin(exact, &[1, 2]), margin(exact, &[0, 1]));
    let half_width = Z95 * figures.cell.sqrt();
    for (at, (value, &truth)) in cells.iter().zip(exact).enumerate() {
        found.counts[at / 6 % 5].add(as_float(truth), Some((value - half_width, value + half_width)));
    }
    for region in 0..5 {
        let own = &bins[region * 6..][..6];
        let joint = Joint { values: own, covariance: &figures.bins };
        let truth: Vec<f64> = true_bins[region * 6..][..6].iter().map(|&x| as_float(x)).collect();
        let (adults, all) = ([0.0, 0.0, 0.0, 1.0, 1.0, 1.0], [1.0; 6]);
        let share = ratio(&joint, &adults, &all, Z95);
        let persons: f64 = truth.iter().sum();
        found.shares[region].add(truth[3..].iter().sum::<f64>() / persons, share.interval);

        let exactly = vec![vec![0.0; 6]; 6];
        let median = quantile(&Joint { values: &truth, covariance: &exactly }, &EDGES, 0.5, Z95).value.unwrap();
        found.medians[region].add(median, quantile(&joint, &EDGES, 0.5, Z95).interval);

        let pair = [sexes[region], sexes[5 + region]];
        let between = difference(&Joint { values: &pair, covariance: &figures.women }, &[1.0, 0.0], &[0.0, 1.0], Z95);
        let difference = as_float(true_sexes[region] - true_sexes[5 + region]);
        found.differences[region].add(difference, Some(between.interval));
        assert_eq!(between.within_noise, between.interval.0 <= 0.0 && 0.0 <= between.interval.1);
        let to_men = ratio(&Joint { values: &pair, covariance: &figures.women }, &[1.0, 0.0], &[0.0, 1.0], Z95);
        found.ratios[region].add(as_float(true_sexes[region]) / as_float(true_sexes[5 + region]), to_men.interval);

        if region < 4 {
            let joint = Joint { values: &bins[region * 6..][..12], covariance: &figures.two_regions };
            let weights = |from: usize, to: usize| -> Vec<f64> {
                (0..12).map(|at| if (from..to).contains(&at) { 1.0 } else { 0.0 }).collect()
            };
            let (one, other) = ((weights(3, 6), weights(0, 6)), (weights(9, 12), weights(6, 12)));
            let next: Vec<f64> = true_bins[(region + 1) * 6..][..6].iter().map(|&x| as_float(x)).collect();
            let (here, there) =
                (truth[3..].iter().sum::<f64>() / persons, next[3..].iter().sum::<f64>() / next.iter().sum::<f64>());
            let (one, other) = ((one.0.as_slice(), one.1.as_slice()), (other.0.as_slice(), other.1.as_slice()));
            let between = difference_of_ratios(&joint, one, other, Z95);
            found.share_differences[region].add(here - there, between.map(|b| b.interval));
            let (x, y, correlation) = ratios(&joint, one, other, Z95);
            let both = x.value.zip(x.interval).zip(y.value.zip(y.interval));
            found.share_ratios[region].add(here / there, both.and_then(|(x, y)| ratio_of(x, y, correlation)));
        }

        // on average eight units above the middle of the column
        let sum = 8.0 * persons + as_float(noise[TABLES.len()].draw(random));
        let count: f64 = own.iter().sum();
        let count_variance: f64 = figures.bins.iter().flatten().sum();
        let covariance = [vec![SUM_SCALE * SUM_SCALE, 0.0], vec![0.0, count_variance]];
        let about = Joint { values: &[sum, count], covariance: &covariance };
        let mean = mean(&about, &[1.0, 0.0], &[0.0, 1.0], Z95, (0.0, 100.0), 1.0);
        found.means[region].add(58.0, mean.interval);
    }
}

#[test]
fn intervals_cover_what_they_say() {
    let figures = figures();
    let scales = TABLES.iter().map(|(_, scale)| *scale).chain([SUM_SCALE]);
    let noise: Vec<Noise> = scales.map(Noise::new).collect();
    let (mut random, mut found) = (StdRng::seed_from_u64(20_261_124), Found::default());
    for _ in 0..RUNS {
        one_run(&figures, &noise, &mut random, &mut found);
    }
    for (name, tallies) in [
        ("counts", found.counts),
        ("shares", found.shares),
        ("means", found.means),
        ("medians", found.medians),
        ("differences", found.differences),
        ("ratios", found.ratios),
        ("differences of shares", found.share_differences),
        ("ratios of shares", found.share_ratios),
    ] {
        for (persons, tally) in REGIONS.iter().zip(tallies).filter(|(_, tally)| tally.asked > 0) {
            println!("{name} {persons}: bounded {:.4}, of these {:.4}", tally.bounded(), tally.of_bounded());
        }
    }
    // a region of four persons under noise of 5.9: its denominator can hardly ever be told from zero
    let held = [&found.counts[..], &found.differences, &found.shares[1..], &found.means[1..], &found.medians[1..]];
    let of_groups = [&found.ratios[2..], &found.share_differences[1..4], &found.share_ratios[1..4]];
    for tally in held.into_iter().chain(of_groups).flatten() {
        assert!((0.93..=0.97).contains(&tally.of_bounded()), "{}", tally.of_bounded());
    }
    // Where it fails: the few runs in which such a denominator passes for a number are those with much noise in it, and
    // what is shown then holds the truth too seldom (shares 76 %, medians 85 %, means 91 % here). Over all runs, those
    // without bounds among them, the statement holds.
    for tally in [found.shares[0], found.means[0], found.medians[0], found.ratios[0], found.share_ratios[0]] {
        assert!(tally.bounded() < 0.06 && tally.of_bounded() < 0.93, "{} {}", tally.bounded(), tally.of_bounded());
        assert!(tally.bounded() * (1.0 - tally.of_bounded()) <= 0.06);
    }
}

/// Where nobody is about the median every point of the gap is one: the interval holds all of it and is too wide, never
/// too narrow. The same 5,000 runs and false-alarm rate.
#[test]
fn a_median_in_an_empty_stretch_is_covered_too_often() {
    let (noise, mut random, mut tally) = (Noise::new(4.0), StdRng::seed_from_u64(7), Tally::default());
    let covariance: Vec<Vec<f64>> = (0..4).map(|i| (0..4).map(|j| if i == j { 16.0 } else { 0.0 }).collect()).collect();
    for _ in 0..RUNS {
        let values: Vec<f64> = [150, 0, 0, 150].map(|x| as_float(x + noise.draw(&mut random))).to_vec();
        let joint = Joint { values: &values, covariance: &covariance };
        tally.add(20.0, quantile(&joint, &[0.0, 10.0, 20.0, 30.0, 40.0], 0.5, Z95).interval);
    }
    println!("a median in a gap: {:.4}", tally.of_bounded());
    assert!(tally.of_bounded() > 0.97 && tally.bounded() > 0.999);
}
