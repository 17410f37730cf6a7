//! OpenDP's discrete Gaussian and discrete Laplace. The only file that names OpenDP.
//!
//! # Guarantees
//! The scale of a table starts at the closed form and is raised until OpenDP's privacy map, which rounds against us, is
//! at most the units that were paid. Sensitivities reach OpenDP rounded up. Counts go in and come out as `i64`.
//! OpenDP's measurements cannot cross threads: each is built, used and dropped inside one call.

use super::{Mechanism, NoiseError, Scale};
use crate::policy::Measured;
use crate::sensitive::Sensitive;
use opendp::core::Measurement;
use opendp::domains::{AtomDomain, VectorDomain};
use opendp::error::Fallible;
use opendp::measurements::{make_gaussian, make_laplace};
use opendp::measures::{MaxDivergence, ZeroConcentratedDivergence};
use opendp::metrics::{L1Distance, L2Distance};

type Vector = VectorDomain<AtomDomain<i64>>;
type Gaussian = Measurement<Vector, L2Distance<f64>, ZeroConcentratedDivergence, Vec<i64>>;
type Laplace = Measurement<Vector, L1Distance<f64>, MaxDivergence, Vec<i64>>;

/// Steps by which a scale may be raised before the price counts as impossible; each is a few units in the last place.
const RAISES_MAX: u32 = 60;

/// Significant bits of a Gaussian scale, so that the sampler's exact fractions of it stay short: a seventh of its time.
/// What rounding up to them takes off the price is less than a billionth of it.
const SCALE_BITS: u32 = 32;

/// Cells below which one thread draws them all: some two milliseconds of work, far more than starting a thread costs.
const CELLS_PER_THREAD: usize = 256;

/// The most threads that draw one table.
const THREADS_MAX: usize = 8;

/// Discrete Gaussian noise, priced in rho (Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential
/// Privacy", 2020).
pub(super) struct DiscreteGaussian;

/// Discrete Laplace noise, priced in epsilon (Ghosh, Roughgarden and Sundararajan, 2009).
pub(super) struct DiscreteLaplace;

fn gaussian(scale: f64) -> Fallible<Gaussian> {
    make_gaussian(VectorDomain::new(AtomDomain::<i64>::default()), L2Distance::default(), scale, None)
}

fn laplace(scale: f64) -> Fallible<Laplace> {
    make_laplace(VectorDomain::new(AtomDomain::<i64>::default()), L1Distance::default(), scale, None)
}

impl Mechanism for DiscreteGaussian {
    fn calibrate(&self, table: &Measured) -> Result<Scale, NoiseError> {
        let (sensitivity, rho) = (root_up(table.l2_squared), table.units.at_most());
        raise(shortened(sensitivity / (2.0 * rho).sqrt()), |scale| Ok(gaussian(scale)?.map(&sensitivity)? <= rho))
    }

    fn draw(&self, scale: Scale, exact: &Sensitive<Vec<i64>>) -> Result<Vec<i64>, NoiseError> {
        in_parallel(exact.expose(), |part| gaussian(scale.0)?.invoke(part))
    }

    /// Sums the probability mass: below a scale of about one the discrete variance is less than the scale squared.
    fn variance(&self, scale: Scale) -> f64 {
        let squared = scale.0 * scale.0;
        if squared > 25.0 {
            return squared;
        }
        let (mass, moment) = (1..200).map(f64::from).fold((1.0, 0.0), |(mass, moment), x| {
            let p = 2.0 * (-x * x / (2.0 * squared)).exp();
            (mass + p, moment + p * x * x)
        });
        moment / mass
    }
}

impl Mechanism for DiscreteLaplace {
    fn calibrate(&self, table: &Measured) -> Result<Scale, NoiseError> {
        let (sensitivity, epsilon) = (up(table.l1), table.units.at_most());
        raise(sensitivity / epsilon, |scale| Ok(laplace(scale)?.map(&sensitivity)? <= epsilon))
    }

    fn draw(&self, scale: Scale, exact: &Sensitive<Vec<i64>>) -> Result<Vec<i64>, NoiseError> {
        in_parallel(exact.expose(), |part| laplace(scale.0)?.invoke(part))
    }

    /// `2 q / (1 - q)^2` with `q = exp(-1 / scale)`.
    fn variance(&self, scale: Scale) -> f64 {
        let q = (-1.0 / scale.0).exp();
        2.0 * q / (1.0 - q).powi(2)
    }
}

/// A positive scale rounded up to [`SCALE_BITS`].
fn shortened(scale: f64) -> f64 {
    let rest = (1_u64 << f64::MANTISSA_DIGITS.saturating_sub(SCALE_BITS)) - 1;
    f64::from_bits(scale.to_bits().saturating_add(rest) & !rest)
}

/// Raises a scale by ever larger steps until the privacy map agrees to it.
fn raise(start: f64, agrees: impl Fn(f64) -> Fallible<bool>) -> Result<Scale, NoiseError> {
    let mut scale = start;
    let mut step = f64::EPSILON;
    for _ in 0..RAISES_MAX {
        if !(scale.is_finite() && scale > 0.0) {
            break;
        }
        if agrees(scale).map_err(|_| NoiseError::Uncalibrated)? {
            return Ok(Scale(scale));
        }
        scale *= 1.0 + step;
        step *= 2.0;
    }
    Err(NoiseError::Uncalibrated)
}

/// The square root of an integer, never below it: the roots of 3, 6, 24 round down.
fn root_up(squared: u64) -> f64 {
    let root = squared.isqrt();
    if root.checked_mul(root) == Some(squared) { up(root) } else { up(squared).sqrt().next_up() }
}

/// An integer as a float that is never below it.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "exact below 2^53, rounded up above")]
fn up(number: u64) -> f64 {
    if number < 1 << 53 { number as f64 } else { (number as f64).next_up() }
}

/// Draws part by part: the noise of a vector is independent cell by cell, so the parts are one draw of the whole.
fn in_parallel(exact: &[i64], draw: impl Fn(&Vec<i64>) -> Fallible<Vec<i64>> + Sync) -> Result<Vec<i64>, NoiseError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    let part = exact.len().div_ceil(threads).max(CELLS_PER_THREAD);
    let draw = &draw;
    let parts: Vec<Result<Vec<i64>, NoiseError>> = std::thread::scope(|scope| {
        let running: Vec<_> = exact
            .chunks(part)
            .map(|cells| scope.spawn(move || draw(&cells.to_vec()).map_err(|_| NoiseError::Generator)))
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap_or(Err(NoiseError::Generator))).collect()
    });
    Ok(parts.into_iter().collect::<Result<Vec<_>, _>>()?.concat())
}

/// `(epsilon, delta)` of a total rho, by OpenDP's conversion (Canonne, Kamath and Steinke's curve), rounded up.
pub(super) fn zcdp_to_epsilon(rho: f64, delta: f64) -> Fallible<f64> {
    let distance = (2.0 * rho).sqrt().next_up();
    let profile = opendp::combinators::make_zCDP_to_approxDP(gaussian(1.0)?)?.map(&distance)?;
    profile.epsilon(delta)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Nanos;

    fn table(units: u64, l1: u64, l2_squared: u64) -> Measured {
        let (quantity, units) = (crate::policy::Quantity::Persons, Nanos::from_nanos(units));
        Measured { quantity, dims: vec![0], units, l1, l2_squared, distinct: false }
    }

    #[test]
    fn the_map_never_exceeds_the_units_paid() {
        for units in [1_000, 999_999, 7_142_857, 50_000_000, 100_000_000, 2_000_000_000] {
            for l2_squared in [1, 2, 3, 6, 16, 24, 96] {
                let table = table(units, l2_squared, l2_squared);
                let paid = Nanos::from_nanos(units);
                let sigma = DiscreteGaussian.calibrate(&table).unwrap();
                let rho = gaussian(sigma.0).unwrap().map(&root_up(l2_squared)).unwrap();
                assert!(rho <= paid.at_most(), "rho {rho} at {units}");
                assert!(rho >= paid.at_most() * (1.0 - 1e-9), "the budget is used: {rho} at {units}");
                let scale = DiscreteLaplace.calibrate(&table).unwrap();
                assert!(laplace(scale.0).unwrap().map(&up(l2_squared)).unwrap() <= paid.at_most());
            }
        }
        assert_eq!(DiscreteGaussian.calibrate(&table(0, 1, 1)), Err(NoiseError::Uncalibrated));
    }

    #[test]
    fn a_scale_is_shortened_upwards_and_by_less_than_half_a_billionth() {
        for scale in [f64::MIN_POSITIVE, 0.1, 1.0, 5_f64.sqrt(), 10.013_7, 1e9 / 3.0] {
            let short = shortened(scale);
            assert!(short >= scale && short / scale - 1.0 < 0.5e-9, "{scale}");
            assert_eq!(shortened(short).to_bits(), short.to_bits());
        }
        assert_eq!(shortened(2.5).to_bits(), 2.5_f64.to_bits());
        assert!(shortened(f64::MAX).is_infinite());
    }

    #[test]
    fn a_sensitivity_reaches_opendp_rounded_up() {
        for squared in 1_u64..2_000 {
            let root = root_up(squared);
            let exact = squared.isqrt().pow(2) == squared;
            // fused: the true square of the float, rounded once
            assert!(root.mul_add(root, -up(squared)) >= 0.0, "{squared}");
            assert!(!exact || root.fract() == 0.0);
        }
    }

    /// 40,000 draws; the sample variance of a Gaussian has a relative standard error of sqrt(2/n) = 0.7 %, of a Laplace
    /// sqrt(5/n) = 1.1 %; bounds at 5.5 standard errors: false alarm below 1e-7.
    #[test]
    fn noise_has_the_variance_that_is_stated() {
        let zeros = Sensitive::new(vec![0_i64; 40_000]);
        let gaussian = DiscreteGaussian.calibrate(&table(50_000_000, 1, 1)).unwrap();
        let small = DiscreteGaussian.calibrate(&table(1_000_000_000, 1, 1)).unwrap();
        let laplace = DiscreteLaplace.calibrate(&table(500_000_000, 1, 1)).unwrap();
        let cases: [(&dyn Mechanism, Scale, f64); 3] = [
            (&DiscreteGaussian, gaussian, 0.039),
            (&DiscreteGaussian, small, 0.06),
            (&DiscreteLaplace, laplace, 0.062),
        ];
        for (mechanism, scale, tolerance) in cases {
            let drawn = mechanism.draw(scale, &zeros).unwrap();
            let sample = drawn.iter().map(|&x| f64::from(i32::try_from(x).unwrap()).powi(2)).sum::<f64>() / 40_000.0;
            let stated = mechanism.variance(scale);
            assert!((sample / stated - 1.0).abs() < tolerance, "sample {sample}, stated {stated}");
        }
    }
}
