//! Precision first: what a half-width costs, in closed form, before anything is spent.
//!
//! With fixed shares the variance of every figure goes with `1 / rho` in zero-concentrated and with `1 / epsilon^2` in
//! pure differential privacy, so one design at the price of one unit prices every precision. Rounded up, against the
//! asker.

use crate::budget::{Accounting, Nanos};

/// The least amount at which a figure has this half-width or a smaller one.
///
/// `one_unit` is the figure's half-width where one unit of rho, or of epsilon, is shared out in the same way. `None` if
/// either is not a positive number, or the price is beyond any account.
#[must_use]
pub fn price_of(accounting: Accounting, one_unit: f64, half_width: f64) -> Option<Nanos> {
    let ratio = one_unit / half_width;
    let positive = one_unit > 0.0 && half_width > 0.0 && ratio.is_finite();
    let price = match accounting {
        Accounting::Zcdp => ratio * ratio,
        Accounting::Pure => ratio,
    };
    Nanos::at_least(price).filter(|_| positive)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::{Candidate, Design, Target, Z95, allocate, gaussian_variance, laplace_variance};

    #[test]
    fn the_price_of_a_half_width_reaches_it_and_no_more_than_that() {
        let sizes = [2, 18, 32];
        let tables = [vec![0], vec![0, 1], vec![1, 2], vec![0, 1, 2]];
        let candidates = tables.clone().map(|dims| Candidate { dims, l1: 2, l2_squared: 4 });
        let targets = tables.clone().map(|dims| Target::table(&dims, 1.0));
        for accounting in [Accounting::Zcdp, Accounting::Pure] {
            let half_width = |cost: Nanos| {
                let units = allocate(accounting, &sizes, &candidates, &targets, cost).unwrap();
                let variance = |c: &Candidate, units| match accounting {
                    Accounting::Zcdp => gaussian_variance(units, c.l2_squared),
                    Accounting::Pure => laplace_variance(units, c.l1),
                };
                let paid = candidates.iter().zip(&units).filter(|(_, units)| **units > Nanos::ZERO);
                let measured: Vec<_> = paid.map(|(c, &units)| (c.dims.clone(), variance(c, units))).collect();
                Z95 * Design::new(&sizes, &measured).variance(&[None, Some(1), Some(1)]).unwrap().sqrt()
            };
            let one_unit = half_width(Nanos::parse("1").unwrap());
            for wanted in [3.0, 25.0, 400.0] {
                let reached = half_width(price_of(accounting, one_unit, wanted).unwrap());
                assert!((reached / wanted - 1.0).abs() < 1e-4, "{wanted}: {reached}");
            }
        }
    }

    #[test]
    fn no_price_is_made_up() {
        for (one_unit, wanted) in
            [(1.0, 0.0), (0.0, 1.0), (f64::NAN, 1.0), (1.0, -1.0), (1e9, 1e-3), (f64::INFINITY, 1.0)]
        {
            assert_eq!(price_of(Accounting::Zcdp, one_unit, wanted), None, "{one_unit} {wanted}");
        }
        assert_eq!(price_of(Accounting::Zcdp, 1.0, 2.0), Some(Nanos::from_nanos(250_000_001)), "rounded up");
    }
}
