//! A made-up population for timing: persons with skewed codes, counted in linked tables with all their margins, and
//! noise that keeps the tables additive, as the service's estimates are.

use halflight::suppress::{Told, Verdict};
use std::collections::BTreeMap;

const FLOOR: f64 = 10.0;

/// Numbers without pattern, the same on every machine (`splitmix64`).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// Evenly from 0 to 1.
    pub(crate) fn even(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Box and Muller.
    fn gaussian(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.even()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.even()).cos()
    }

    fn of(&mut self, shares: &[f64]) -> usize {
        let mut left = self.even() * shares.iter().sum::<f64>();
        shares
            .iter()
            .position(|share| {
                left -= share;
                left < 0.0
            })
            .unwrap_or(shares.len() - 1)
    }
}

/// Persons, and the tables in which they are counted.
pub(crate) struct Design {
    /// Codes of each dimension.
    pub(crate) sizes: Vec<usize>,
    /// Sets of dimensions that a table breaks down together, ascending.
    pub(crate) tables: Vec<Vec<usize>>,
    /// Per person the code in each dimension.
    pub(crate) persons: Vec<Vec<usize>>,
    /// Standard error of every cell.
    pub(crate) error: f64,
}

/// Persons whose codes have these shares.
pub(crate) fn made_up(persons: usize, shares: &[Vec<f64>]) -> Vec<Vec<usize>> {
    let mut dice = Dice(0);
    (0..persons).map(|_| shares.iter().map(|shares| dice.of(shares)).collect()).collect()
}

/// `size` codes, each a fixed part rarer than the one before.
pub(crate) fn falling(size: usize, ratio: f64) -> Vec<f64> {
    std::iter::successors(Some(1.0), |share| Some(share * ratio)).take(size).collect()
}

impl Design {
    /// Every set of dimensions of which some table holds a margin, the empty one too.
    fn margins(&self) -> Vec<Vec<usize>> {
        let mut margins: Vec<Vec<usize>> = self
            .tables
            .iter()
            .flat_map(|table| {
                (0..1_usize << table.len()).map(move |choice| {
                    let chosen = table.iter().enumerate().filter(|(bit, _)| choice >> bit & 1 == 1);
                    chosen.map(|(_, &dimension)| dimension).collect()
                })
            })
            .collect();
        margins.sort();
        margins.dedup();
        margins
    }

    /// The tables with all their margins after noise and floor.
    pub(crate) fn tables(&self, dice: &mut Dice) -> Vec<Told> {
        let margins = self.margins();
        let mut counts: Vec<Vec<f64>> = margins.iter().map(|dims| vec![0.0; self.cells(dims)]).collect();
        for codes in &self.persons {
            for (dims, counts) in margins.iter().zip(&mut counts) {
                counts[self.place(dims, |dimension| codes[dimension])] += 1.0;
            }
        }
        let residuals: BTreeMap<&Vec<usize>, Vec<f64>> =
            margins.iter().map(|dims| (dims, self.residual(dims, dice))).collect();
        margins
            .iter()
            .zip(counts)
            .map(|(dims, counts)| {
                let noise = |place: usize| -> f64 {
                    let codes = self.codes(dims, place);
                    let inside = residuals.iter().filter(|(inner, _)| inner.iter().all(|d| dims.contains(d)));
                    inside
                        .map(|(inner, residual)| {
                            let share = self.cells(inner) as f64 / self.cells(dims) as f64;
                            residual[self.place(inner, |dimension| codes[&dimension])] * share
                        })
                        .sum()
                };
                let estimates = counts.iter().enumerate().map(|(place, count)| count + noise(place)).collect();
                self.told(dims, estimates)
            })
            .collect()
    }

    fn cells(&self, dims: &[usize]) -> usize {
        dims.iter().map(|&dimension| self.sizes[dimension]).product()
    }

    fn place(&self, dims: &[usize], code: impl Fn(usize) -> usize) -> usize {
        dims.iter().fold(0, |place, &dimension| place * self.sizes[dimension] + code(dimension))
    }

    fn codes(&self, dims: &[usize], mut place: usize) -> BTreeMap<usize, usize> {
        let mut codes = BTreeMap::new();
        for &dimension in dims.iter().rev() {
            codes.insert(dimension, place % self.sizes[dimension]);
            place /= self.sizes[dimension];
        }
        codes
    }

    /// Noise that adds up to nothing along every dimension.
    fn residual(&self, dims: &[usize], dice: &mut Dice) -> Vec<f64> {
        let mut noise: Vec<f64> = (0..self.cells(dims)).map(|_| dice.gaussian() * self.error).collect();
        let mut inner = noise.len();
        for &dimension in dims {
            let size = self.sizes[dimension];
            inner /= size;
            for start in (0..noise.len()).filter(|place| (place / inner).is_multiple_of(size)) {
                let line: Vec<usize> = (0..size).map(|code| start + code * inner).collect();
                let mean = line.iter().map(|&place| noise[place]).sum::<f64>() / size as f64;
                for place in line {
                    noise[place] -= mean;
                }
            }
        }
        noise
    }

    fn told(&self, dims: &[usize], estimates: Vec<f64>) -> Told {
        let axis = |(dimension, &size): (usize, &usize)| -> Vec<Vec<usize>> {
            if dims.contains(&dimension) {
                (0..size).map(|code| vec![code]).collect()
            } else {
                vec![(0..size).collect()]
            }
        };
        Told {
            axes: self.sizes.iter().enumerate().map(axis).collect(),
            verdicts: estimates.iter().map(|&estimate| verdict(estimate)).collect(),
            standard_errors: vec![self.error; estimates.len()],
            estimates,
            floor: FLOOR,
        }
    }
}

/// By the floor alone.
pub(crate) fn verdict(estimate: f64) -> Verdict {
    if estimate < FLOOR { Verdict::Withheld } else { Verdict::Shown }
}
