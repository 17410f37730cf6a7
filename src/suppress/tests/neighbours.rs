//! One person more or less, through real noise and the floor: what the flags say of it.
//!
//! A draw is a cell: 100,000 disjoint cells of one count are as many draws. A frequency of 100,000 has a standard error
//! of at most 0.0016; its bounds are 5.5 standard errors wide, at most 8 of them in a test: false alarm below 1e-6.
#![expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "small numbers"
)]

use crate::budget::{Accounting, Nanos};
use crate::estimate::EstimatedTable;
use crate::noise::{epsilon_at, noisy};
use crate::policy::{Measured, Quantity, Rules};
use crate::suppress::{Verdict, apply};

const DRAWS: usize = 100_000;
const FLOOR: i64 = 10;
const ERRORS: f64 = 5.5;

/// Estimates and verdicts of cells of these counts, at that many thousandths of epsilon or rho.
fn told(accounting: Accounting, thousandths: u64, exact: Vec<i64>) -> (Vec<f64>, Vec<Verdict>) {
    let units = Nanos::from_nanos(thousandths * 1_000_000);
    let paid = Measured { quantity: Quantity::Persons, dims: vec![0], units, l1: 1, l2_squared: 1, distinct: false };
    let drawn = noisy(accounting, &paid, exact).unwrap();
    let values: Vec<f64> = drawn.values.iter().map(|&value| value as f64).collect();
    let standard_errors = vec![drawn.variance.sqrt(); values.len()];
    let half_widths = standard_errors.iter().map(|error| 1.96 * error).collect();
    let levels = vec![(0..values.len()).collect()];
    let table = EstimatedTable { dims: vec![0], levels, values, standard_errors, half_widths };
    let rules =
        Rules { threshold: 10, round_to: 1, moe_relative_max: 0.5, withhold_unreliable: false, complementary: true };
    let verdicts = apply(&table, &rules, |_| false);
    (table.values, verdicts)
}

fn withheld(verdicts: &[Verdict]) -> f64 {
    verdicts.iter().filter(|verdict| **verdict == Verdict::Withheld).count() as f64 / verdicts.len() as f64
}

fn frequency(accounting: Accounting, thousandths: u64, count: i64) -> f64 {
    withheld(&told(accounting, thousandths, vec![count; DRAWS]).1)
}

fn error(frequency: f64) -> f64 {
    (frequency * (1.0 - frequency) / DRAWS as f64).sqrt()
}

// Cases 11 and 12, R1. Of the discrete Laplace the chance of being at most 0 is 1 / (1 + q), of being below it
// q / (1 + q), with q = exp(-epsilon): exactly e^epsilon apart, both ways.
#[test]
fn a_person_at_the_floor_changes_how_often_a_cell_is_withheld_by_e_to_the_epsilon() {
    for thousandths in [200, 1_000] {
        let q = (-(thousandths as f64) / 1_000.0).exp();
        for (count, expected) in [(FLOOR - 1, 1.0 / (1.0 + q)), (FLOOR, q / (1.0 + q))] {
            let found = frequency(Accounting::Pure, thousandths, count);
            assert!((found - expected).abs() < ERRORS * error(expected), "{thousandths}: {found}, not {expected}");
        }
    }
}

/// The chance that discrete Gaussian noise of this variance is below a whole number: its mass, added up.
fn below(number: i64, variance: f64) -> f64 {
    let mass = |x: i64| (-(x * x) as f64 / (2.0 * variance)).exp();
    let reach = (12.0 * variance.sqrt()) as i64;
    (-reach..number).map(mass).sum::<f64>() / (-reach..=reach).map(mass).sum::<f64>()
}

/// What zCDP pays for says little of a flag: the frequencies themselves, by the variance that rho stands for.
#[test]
fn a_person_near_the_floor_changes_how_often_a_cell_is_withheld_as_the_noise_paid_for_does() {
    for thousandths in [50, 500] {
        let variance = 0.5 / (thousandths as f64 / 1_000.0);
        for count in FLOOR - 1..=FLOOR + 1 {
            let expected = below(FLOOR - count, variance);
            let found = frequency(Accounting::Zcdp, thousandths, count);
            assert!((found - expected).abs() < ERRORS * error(expected), "{thousandths}: {found}, not {expected}");
        }
    }
}

/// Both ways, the flag and its opposite: P[A] <= e^epsilon P'[A] + delta.
#[test]
fn a_person_anywhere_near_the_floor_tells_no_more_than_was_paid_for() {
    let delta = 1e-6;
    let paid = epsilon_at(Accounting::Zcdp, Nanos::from_nanos(50_000_000), delta).unwrap();
    let times = paid.parse::<f64>().unwrap().exp();
    let found: Vec<f64> = (FLOOR - 1..=FLOOR + 1).map(|count| frequency(Accounting::Zcdp, 50, count)).collect();
    for pair in found.windows(2) {
        let (one, other) = (pair[0], pair[1]);
        for (one, other) in [(one, other), (other, one), (1.0 - one, 1.0 - other), (1.0 - other, 1.0 - one)] {
            assert!(one > 0.0 && one < 1.0, "neither flag is certain");
            let slip = ERRORS * (error(one).powi(2) + (times * error(other)).powi(2)).sqrt();
            assert!(one <= times * other + delta + slip, "{one} {other} at {paid}");
        }
    }
}

// case 14: many slices of one count, asked to see on which side of the floor it is
#[test]
fn the_flags_of_many_slices_follow_their_noisy_figures_and_never_the_count() {
    for count in [FLOOR - 1, FLOOR] {
        let (estimates, verdicts) = told(Accounting::Zcdp, 50, vec![count; 20_000]);
        for (estimate, verdict) in estimates.iter().zip(&verdicts) {
            assert_eq!(*verdict == Verdict::Withheld, *estimate < 10.0);
        }
        let flags = withheld(&verdicts);
        assert!((0.3..0.7).contains(&flags), "{flags}: many on either side");
    }
}

// case 15, R3: the cells of a code that nobody has, among others' or alone, at a price that shows some of them
#[test]
fn a_code_that_never_occurs_is_told_like_any_empty_cell() {
    let alone = frequency(Accounting::Pure, 100, 0);
    let row = [vec![0; DRAWS], vec![40; DRAWS / 10]].concat();
    let (_, verdicts) = told(Accounting::Pure, 100, row);
    let q = (-0.1_f64).exp();
    let expected = 1.0 - q.powi(10) / (1.0 + q);
    for found in [alone, withheld(&verdicts[..DRAWS])] {
        assert!((found - expected).abs() < ERRORS * error(expected), "{found}, not {expected}");
    }
}
