//! What no safe pattern can be below: the linear program over the lines of a system.
//!
//! Lines are added as they are found wanting, so every program that ends is a bound, and the last one the best.
//!
//! # Guarantee
//! Bounded by work and by size. Never above the fewest partners that would do.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::cut::Choice;
use super::demands::Demands;
use super::search::Standing;
use super::simplex::{Dictionary, End};

/// Rows times columns of the largest program.
const PROGRAM_MAX: usize = 8_000_000;

/// The least number of partners, before rounding up.
pub(super) fn at_least(demands: &Demands, work: &mut u64) -> f64 {
    let mut program = Dictionary::default();
    let fixed = |standing: Standing| f64::from(u8::from(standing == Standing::Withheld));
    let mut choices: Vec<Choice> = demands.figures.iter().map(|f| Choice::Fixed(fixed(f.standing))).collect();
    let given = whole(demands.given());
    let (mut bound, mut rows) = (0.0_f64, 0_usize);
    let mut terms: Vec<(usize, f64)> = Vec::new();
    loop {
        let chosen: Vec<f64> = choices.iter().map(|choice| choice.value(&program)).collect();
        let cuts = demands.missed(&chosen);
        if cuts.is_empty() {
            return given + bound;
        }
        for figure in cuts.iter().flat_map(|cut| cut.factors.iter().map(|entry| entry.0)) {
            if demands.figures[figure].standing == Standing::Open && matches!(choices[figure], Choice::Fixed(_)) {
                let variable = program.variable(0.0, 1.0, 0.0);
                choices[figure] = Choice::Free(variable);
                terms.push((variable, whole(demands.figures[figure].open)));
            }
        }
        rows += cuts.len() + 1;
        if rows.saturating_mul(terms.len()) > PROGRAM_MAX {
            return given + bound;
        }
        for cut in cuts {
            cut.add_to(&mut program, |figure| choices[figure]);
        }
        let partners = program.define(&terms, f64::NEG_INFINITY, f64::INFINITY);
        if program.maximise(Some(partners), -1.0, f64::INFINITY, work) != End::Reached {
            return given + bound;
        }
        bound = bound.max(program.value(partners));
    }
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "numbers of cells")]
fn whole(number: usize) -> f64 {
    number as f64
}
