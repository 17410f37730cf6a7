//! How often each code occurs, for each of a few hidden kinds of people.
//!
//! Everything here follows from the policy: the name of a column decides which of its codes are the large ones.

use crate::identity::Digest;
use crate::policy::{Bands, CodeList};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::HashSet;

/// Hidden kinds of people: what makes columns go together.
pub(super) const KINDS: usize = 6;

/// How far a kind differs from the whole, in logarithms.
const TILT: f64 = 0.7;

/// Codes that stand for "other" or "not known" are rare.
const RARE: [&str; 7] = ["other", "Other", "NS", "not_stated", "unknown", "prefer_not_say", "stateless"];

/// Weights of the codes of one column, added up, by kind.
pub(super) struct Weights(Vec<Vec<f64>>);

impl Weights {
    /// Weights for a column's codes. Codes that others belong to are never drawn.
    pub(super) fn of(name: &str, list: &CodeList, bands: Option<&Bands>) -> Self {
        let mut random = StdRng::from_seed(Digest::of(name.as_bytes()).0);
        let parents: HashSet<&str> = list.codes.iter().filter_map(|code| code.parent.as_deref()).collect();
        let sizes = match bands {
            Some(bands) => of_bands(bands, list.len()),
            None => of_codes(list.len(), &mut random),
        };
        let sizes: Vec<f64> = list
            .codes
            .iter()
            .zip(sizes)
            .map(|(code, size)| match code.id.as_str() {
                id if parents.contains(id) => 0.0,
                id if id.starts_with('_') || RARE.contains(&id) => size * 0.03,
                _ => size,
            })
            .collect();
        let kind = |_| {
            let mut sum = 0.0;
            let tilted = sizes.iter().map(|size| {
                sum += size * (TILT * normal(&mut random)).exp();
                sum
            });
            tilted.collect()
        };
        Self((0..KINDS).map(kind).collect())
    }

    /// Draws the place of a code for a person of this kind.
    pub(super) fn draw(&self, kind: usize, random: &mut StdRng) -> usize {
        let Some(sums) = self.0.get(kind) else { return 0 };
        let at = random.random_range(0.0..1.0) * sums.last().copied().unwrap_or(0.0);
        sums.partition_point(|sum| *sum <= at)
    }

    /// The places of all codes that can be drawn.
    pub(super) fn possible(&self) -> impl Iterator<Item = usize> {
        let sums = self.0.first().map_or(&[][..], Vec::as_slice);
        let before = std::iter::once(&0.0).chain(sums);
        sums.iter().zip(before).enumerate().filter(|(_, (sum, before))| sum > before).map(|(place, _)| place)
    }
}

/// A long tail (Zipf), dealt to the codes at random; short lists are near even.
fn of_codes(codes: usize, random: &mut StdRng) -> Vec<f64> {
    let exponent = if codes <= 3 { 0.25 } else { 1.1 };
    let ranks = (0..codes).zip(1_u32..).map(|(_, rank)| f64::from(rank).powf(-exponent));
    let mut sizes: Vec<f64> = ranks.collect();
    sizes.shuffle(random);
    sizes
}

/// One hump a third of the way up, as the ages of migrants have.
fn of_bands(bands: &Bands, codes: usize) -> Vec<f64> {
    const STEPS: u32 = 400;
    let mut sizes = vec![0.0; codes];
    for step in 0..STEPS {
        let part = f64::from(step) / f64::from(STEPS);
        let value = bands.min.saturating_add(part_of(bands.end.saturating_sub(bands.min), part));
        let place = bands.starts.partition_point(|start| *start <= value).saturating_sub(1);
        if let Some(size) = sizes.get_mut(place) {
            *size += (-((part - 0.3) / 0.17).powi(2) / 2.0).exp() + 0.02;
        }
    }
    // Codes behind the bands (`_U`) are as large as the average before they are made rare.
    let average = sizes.iter().sum::<f64>() / f64::from(u32::try_from(bands.starts.len().max(1)).unwrap_or(1));
    for size in sizes.iter_mut().skip(bands.starts.len()) {
        *size = average;
    }
    for size in &mut sizes {
        *size = size.max(average / 100.0);
    }
    sizes
}

/// A standard normal number (Box and Muller).
pub(super) fn normal(random: &mut StdRng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random_range(0.0..1.0_f64)).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random_range(0.0..1.0)).cos()
}

/// A part (from 0 to 1) of a span of integers.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "made-up numbers need no exactness, and `as` saturates"
)]
pub(super) fn part_of(span: i64, part: f64) -> i64 {
    (span as f64 * part.clamp(0.0, 1.0)) as i64
}
