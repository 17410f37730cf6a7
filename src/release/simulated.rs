//! Draws of made-up registers, for tests of what is told of them.
//!
//! Noise is normal, rounded to integers, and the same in every run: a test that fails fails again.

use crate::design::gaussian_variance;
use crate::noise::{NoisyTable, NoisyTables};
use crate::policy::{Measured, Plan};

/// Normal noise rounded to integers, the same in every run (splitmix64, Box and Muller).
pub(super) struct Noise(pub(super) u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from(u32::try_from((z ^ (z >> 31)) >> 32).unwrap()) / f64::from(u32::MAX)
    }

    pub(super) fn next(&mut self, deviation: f64) -> i64 {
        let radius = (-2.0 * self.uniform().max(1e-12).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.uniform()).cos();
        #[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "noise of a test")]
        let noise = (normal * deviation).round() as i64;
        noise
    }
}

/// The variance of the noise of a measured table, in zero-concentrated differential privacy.
pub(super) fn variance(measured: &Measured) -> f64 {
    gaussian_variance(measured.units, measured.l2_squared)
}

/// A draw of which `value` says what stands in the cell of a measured table at a row-major place.
pub(super) fn drawn(plan: &Plan, mut value: impl FnMut(&Measured, usize) -> i64) -> NoisyTables {
    let table = |measured: &Measured| {
        let cells = plan.cells(&measured.dims) * measured.quantity.width();
        let values = (0..cells).map(|cell| value(measured, cell)).collect();
        NoisyTable { dims: measured.dims.clone(), values, variance: variance(measured) }
    };
    NoisyTables { accounting: plan.accounting, tables: plan.measured.iter().map(table).collect() }
}

/// The cell of a margin at a place: the sum over all cells of the whole that fall into it, `of` the codes of each.
pub(super) fn margin(plan: &Plan, dims: &[usize], place: usize, of: impl Fn(&[usize]) -> i64) -> i64 {
    let sizes: Vec<usize> = plan.dimensions.iter().map(|dimension| dimension.levels.len()).collect();
    let cells: usize = sizes.iter().product();
    let codes = |cell: usize| {
        let mut rest = cell;
        let mut codes: Vec<usize> = sizes
            .iter()
            .rev()
            .map(|size| {
                let code = rest % size;
                rest /= size;
                code
            })
            .collect();
        codes.reverse();
        codes
    };
    let here = |codes: &Vec<usize>| dims.iter().fold(0, |at, &dim| at * sizes[dim] + codes[dim]) == place;
    (0..cells).map(codes).filter(here).map(|codes| of(&codes)).sum()
}
