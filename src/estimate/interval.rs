//! Half-widths of 95 % intervals, before selection.
//!
//! Gaussian noise: 1.96 standard errors, exactly. Laplace noise: an estimate is a sum of many independent Laplace
//! variables with known coefficients, not normal (one draw at 1.96 standard deviations covers 93.7 %), so its
//! distribution is inverted from its characteristic function (Gil-Pelaez, Biometrika 38, 1951).

use crate::budget::Accounting;
use crate::design::{Influence, Z95};

/// Steps of the numerical inversion.
const STEPS: u32 = 4_000;

/// Where the integral is cut, in inverse standard deviations: a Laplace characteristic function has fallen to 1e-4.
const REACH: f64 = 150.0;

/// Half-width of a symmetric 95 % interval of an estimate of this variance.
pub(super) fn half_width(accounting: Accounting, variance: f64, influences: impl FnOnce() -> Vec<Influence>) -> f64 {
    let deviation = variance.sqrt();
    match accounting {
        Accounting::Zcdp => Z95 * deviation,
        Accounting::Pure => deviation * laplace_quantile(&influences(), variance),
    }
}

/// The half-width in standard deviations, by bisection between 1.9 and 2.4 (a single Laplace variable needs 2.12).
fn laplace_quantile(influences: &[Influence], variance: f64) -> f64 {
    // In units of the standard deviation: b^2 = a^2 * var / 2 for each, with its multiplicity.
    let terms: Vec<(f64, f64)> =
        influences.iter().map(|i| (i.weight.powi(2) * i.variance / (2.0 * variance), i.cells)).collect();
    let step = REACH / f64::from(STEPS);
    let curve: Vec<(f64, f64)> = (0..STEPS)
        .map(|k| (f64::from(k) + 0.5) * step)
        .map(|u| (u, terms.iter().map(|(b2, cells)| -cells * (b2 * u * u).ln_1p()).sum::<f64>().exp()))
        .take_while(|(_, phi)| *phi > 1e-12)
        .collect();
    let covered =
        |h: f64| curve.iter().map(|(u, phi)| phi * (u * h).sin() / u).sum::<f64>() * step * std::f64::consts::FRAC_2_PI;
    let (mut low, mut high) = (1.9, 2.4);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if covered(middle) < 0.95 { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_laplace_draw_needs_more_than_two_standard_deviations() {
        let one = [Influence { weight: 1.0, cells: 1.0, variance: 8.0 }];
        // ln(20) / sqrt(2) = 2.1183
        assert!(
            (half_width(Accounting::Pure, 8.0, || one.to_vec()) / 8.0_f64.sqrt() - 20.0_f64.ln() / 2.0_f64.sqrt())
                .abs()
                < 2e-3
        );
        assert!((half_width(Accounting::Zcdp, 8.0, Vec::new) / 8.0_f64.sqrt() - 1.96).abs() < 1e-4);
    }

    #[test]
    fn many_laplace_draws_are_nearly_normal() {
        let many = [Influence { weight: 1.0, cells: 400.0, variance: 2.0 }];
        assert!((half_width(Accounting::Pure, 800.0, || many.to_vec()) / 800.0_f64.sqrt() - Z95).abs() < 2e-3);
    }
}
