//! Half-widths of 95 % intervals, before selection.
//!
//! Gaussian noise: 1.96 standard errors; exact but for the steps of integer noise, which count below some five persons
//! of standard error and for which bounds rounded outward make good. Laplace noise: an estimate is a weighted sum of
//! many independent discrete Laplace variables, not normal (one draw at 1.96 standard deviations covers 93.7 %) and, at
//! small scales, on a coarse lattice. Its distribution is inverted from the exact characteristic function (Gil-Pelaez,
//! Biometrika 38, 1951) after smoothing over one lattice step, and half a step is added: the interval never covers less
//! than 95 %.

use crate::budget::Accounting;
use crate::design::{Influence, Z95};

/// Steps of the numerical inversion, and their length in inverse standard deviations. What lies further than
/// `2 pi / STEP` standard deviations out would be counted wrongly: below 1e-30.
const STEPS: u32 = 4_000;
const STEP: f64 = 0.1;

/// Half-width of a symmetric 95 % interval of an estimate of this variance.
pub(super) fn half_width(accounting: Accounting, variance: f64, influences: impl FnOnce() -> Vec<Influence>) -> f64 {
    match accounting {
        Accounting::Zcdp => Z95 * variance.sqrt(),
        Accounting::Pure => laplace_half_width(&influences(), variance),
    }
}

/// With `U` symmetric in `[-w/2, w/2]`, `w` the largest weight: `P(|Y| <= h + w/2) >= P(|Y + U| <= h) = 0.95`.
fn laplace_half_width(influences: &[Influence], variance: f64) -> f64 {
    let deviation = variance.sqrt();
    let widest = influences.iter().map(|i| i.weight.abs()).fold(0.0, f64::max);
    // on a coarse lattice the function comes back after it has died out: where steps are fine against the spread, or
    // many kinds of them interfere, it does not
    let fine = deviation > 20.0 * widest || influences.len() > 16;
    let curve: Vec<(f64, f64)> = (0..STEPS)
        .map(|k| (f64::from(k) + 0.5) * STEP)
        .map(|u| (u, characteristic(influences, u / deviation) * triangle(widest * u / deviation)))
        .take_while(|(_, phi)| !fine || *phi > 1e-12)
        .collect();
    let covered =
        |h: f64| curve.iter().map(|(u, phi)| phi * (u * h).sin() / u).sum::<f64>() * STEP * std::f64::consts::FRAC_2_PI;
    // a single Laplace variable of large scale needs 2.12; one that is nearly always zero, many more of its deviations
    let (mut low, mut high) = (0.0, 2.5 + widest / deviation);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if covered(middle) < 0.95 { low = middle } else { high = middle }
    }
    let reach = high * deviation + widest / 2.0;
    // all weights alike: nothing lies between two steps
    let steps = influences.iter().all(|i| i.weight == 0.0 || (i.weight.abs() - widest).abs() < 1e-12 * widest);
    if steps && widest > 0.0 { (reach / widest + 1e-9).floor() * widest } else { reach }
}

/// Of the whole estimate: a discrete Laplace variable of variance `v` has `1 / (1 + v (1 - cos u))`.
fn characteristic(influences: &[Influence], u: f64) -> f64 {
    influences.iter().map(|i| -i.cells * (i.variance * (1.0 - (i.weight * u).cos())).ln_1p()).sum::<f64>().exp()
}

/// Of the triangular distribution on `[-w/2, w/2]`, at `wu`: `(sin(wu/4) / (wu/4))^2`.
fn triangle(wu: f64) -> f64 {
    let quarter = wu / 4.0;
    if quarter.abs() < 1e-6 { 1.0 } else { (quarter.sin() / quarter).powi(2) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::size_as_float;

    fn pure(influences: &[Influence]) -> f64 {
        let variance = influences.iter().map(|i| i.weight.powi(2) * i.cells * i.variance).sum();
        half_width(Accounting::Pure, variance, || influences.to_vec())
    }

    fn variance_of(scale: f64) -> f64 {
        let q = (-1.0 / scale).exp();
        2.0 * q / (1.0 - q).powi(2)
    }

    /// The distribution of a weighted sum, weights whole numbers, by exact convolution over a range that holds all but
    /// 1e-8 of it.
    fn convolved(terms: &[(i32, f64)]) -> Vec<f64> {
        let reach = 4_000_usize;
        let mut sum = vec![0.0; 2 * reach + 1];
        sum[reach] = 1.0;
        for &(weight, scale) in terms {
            let q = (-1.0 / scale).exp();
            let mut next = vec![0.0; sum.len()];
            for (place, mass) in sum.iter().enumerate().filter(|(_, mass)| **mass > 1e-18) {
                for x in -400_i32..=400 {
                    let at = i64::try_from(place).unwrap() + i64::from(weight * x);
                    if let Some(cell) = usize::try_from(at).ok().and_then(|at| next.get_mut(at)) {
                        *cell += mass * (1.0 - q) / (1.0 + q) * q.powi(x.abs());
                    }
                }
            }
            sum = next;
        }
        assert!((sum.iter().sum::<f64>() - 1.0).abs() < 1e-8);
        sum
    }

    fn covered(distribution: &[f64], half_width: f64) -> f64 {
        let reach = distribution.len() / 2;
        let distance = |place: usize| size_as_float(place.abs_diff(reach));
        distribution.iter().enumerate().filter(|(place, _)| distance(*place) <= half_width).map(|(_, mass)| mass).sum()
    }

    #[test]
    fn gaussian_noise_has_the_normal_interval() {
        assert!((half_width(Accounting::Zcdp, 8.0, Vec::new) / 8.0_f64.sqrt() - 1.96).abs() < 1e-4);
    }

    #[test]
    fn rounded_outward_a_gaussian_interval_covers_at_every_scale() {
        for scale in [0.3, 0.5, 0.7, 1.0, 1.3, 1.7, 2.0, 2.236, 2.5, 3.0, 4.0, 5.5, 8.0, 13.0, 30.0] {
            let mass = |x: usize| (-size_as_float(x).powi(2) / (2.0 * scale * scale)).exp();
            let whole = mass(0) + 2.0 * (1..400).map(mass).sum::<f64>();
            let variance = 2.0 * (1..400).map(|x| size_as_float(x).powi(2) * mass(x)).sum::<f64>() / whole;
            let half_width = half_width(Accounting::Zcdp, variance, Vec::new).ceil();
            let inside = (1..400).filter(|x| size_as_float(*x) <= half_width);
            let covered = (mass(0) + 2.0 * inside.map(mass).sum::<f64>()) / whole;
            assert!(covered >= 0.95, "{scale}: {covered}");
        }
    }

    #[test]
    fn a_laplace_interval_covers_what_it_says_at_every_scale() {
        for scale in [0.2, 0.35, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0] {
            let found = pure(&[Influence { weight: 1.0, cells: 1.0, variance: variance_of(scale) }]);
            let distribution = convolved(&[(1, scale)]);
            let probability = covered(&distribution, found);
            assert!(probability >= 0.95, "{scale}: {probability}");
            assert!((found - found.round()).abs() < 1e-9, "a whole number of persons: {found}");
            let one_less = covered(&distribution, found - 1.0);
            assert!(one_less < 0.95, "no step too wide at {scale}: {one_less}");
        }
    }

    #[test]
    fn weighted_sums_of_laplace_draws_cover_what_they_say() {
        for terms in [
            vec![(1, 0.5), (1, 0.5), (1, 2.0)],
            vec![(3, 1.0), (-2, 1.0), (1, 4.0)],
            vec![(5, 0.4), (1, 3.0), (1, 3.0), (-1, 3.0)],
            vec![(1, 8.0), (-1, 8.0)],
        ] {
            let influences: Vec<Influence> = terms
                .iter()
                .map(|&(w, scale)| Influence { weight: f64::from(w), cells: 1.0, variance: variance_of(scale) })
                .collect();
            let (found, distribution) = (pure(&influences), convolved(&terms));
            let widest = f64::from(terms.iter().map(|(w, _)| w.abs()).max().unwrap());
            assert!(covered(&distribution, found) >= 0.95, "{terms:?}");
            assert!(covered(&distribution, found - widest - 1e-9) < 0.95, "{terms:?}: no lattice step too wide");
        }
    }

    #[test]
    fn no_sum_of_laplace_draws_is_wider_than_one() {
        let most = super::super::quantile95(Accounting::Pure);
        for (others, weight) in [(1.0, 0.1), (1.0, 0.3), (1.0, 0.6), (1.0, 1.0), (3.0, 0.2), (3.0, 0.7), (50.0, 0.1)] {
            let terms =
                [(1.0, 1.0), (weight, others)].map(|(weight, cells)| Influence { weight, cells, variance: 2e8 });
            let deviation = (2e8_f64 * (1.0 + weight * weight * others)).sqrt();
            assert!(pure(&terms) <= most * deviation, "{others} of {weight}");
        }
    }

    #[test]
    fn large_scales_are_the_continuous_laplace_and_many_draws_are_nearly_normal() {
        let one = [Influence { weight: 1.0, cells: 1.0, variance: 2e6 }];
        assert!((pure(&one) / 2e6_f64.sqrt() - 20.0_f64.ln() / 2.0_f64.sqrt()).abs() < 2e-3);
        let many = [Influence { weight: 1.0, cells: 400.0, variance: 200.0 }];
        assert!((pure(&many) / 80_000.0_f64.sqrt() - Z95).abs() < 4e-3);
    }
}
