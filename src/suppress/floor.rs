//! The floor and the reliability rule, decided on the noisy figure, never on the true one.
//!
//! # Guarantee
//! G9: the input is an estimated (noisy) table, so every decision here is post-processing. The reason given for a
//! withheld cell never says why it was withheld: that would bound the figure.

use super::Verdict;
use crate::estimate::EstimatedTable;
use crate::policy::Rules;

/// Applies the floor and the reliability rule to every cell of a table; `impossible` tells declared structural zeros by
/// their place in the table.
#[must_use]
pub fn apply(table: &EstimatedTable, rules: &Rules, impossible: impl Fn(usize) -> bool) -> Vec<Verdict> {
    table
        .values
        .iter()
        .enumerate()
        .zip(table.standard_errors.iter().zip(&table.half_widths))
        .map(|((place, &estimate), (&error, &width))| match impossible(place) {
            true => Verdict::Structural,
            false => verdict(rules, estimate, error, width),
        })
        .collect()
}

fn verdict(rules: &Rules, estimate: f64, standard_error: f64, half_width: f64) -> Verdict {
    let reliable = half_width <= rules.moe_relative_max * estimate;
    if estimate < f64::from(rules.threshold) || (rules.withhold_unreliable && !reliable) {
        return Verdict::Withheld;
    }
    let base = f64::from(rules.round_to);
    Verdict::Shown {
        value: whole((estimate / base).round() * base),
        low: whole((estimate - half_width).floor()),
        high: whole((estimate + half_width).ceil()),
        estimate,
        standard_error,
        reliable,
    }
}

/// A figure for display: persons are whole and not negative.
#[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "saturates far beyond any population")]
fn whole(figure: f64) -> i64 {
    figure.max(0.0) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(values: &[f64], half_width: f64) -> EstimatedTable {
        EstimatedTable {
            dims: vec![0],
            levels: vec![(0..values.len()).collect()],
            values: values.to_vec(),
            standard_errors: vec![half_width / 1.96; values.len()],
            half_widths: vec![half_width; values.len()],
        }
    }

    fn rules() -> Rules {
        Rules { threshold: 10, round_to: 1, moe_relative_max: 0.5, withhold_unreliable: false }
    }

    #[test]
    fn a_figure_below_the_floor_is_withheld_and_one_at_it_is_shown() {
        let verdicts = apply(&table(&[9.999, 10.0, -3.0, 0.0], 4.0), &rules(), |_| false);
        assert_eq!(verdicts[0], Verdict::Withheld);
        assert!(matches!(verdicts[1], Verdict::Shown { value: 10, low: 6, high: 14, reliable: true, .. }));
        assert_eq!(verdicts[2..], [Verdict::Withheld, Verdict::Withheld]);
    }

    #[test]
    fn a_wide_interval_is_flagged_or_withheld_as_the_policy_says() {
        let wide = table(&[20.0, 21.0], 10.4);
        let flagged = apply(&wide, &rules(), |_| false);
        assert!(matches!(flagged[0], Verdict::Shown { reliable: false, .. }));
        assert!(matches!(flagged[1], Verdict::Shown { reliable: true, .. }));
        let strict = apply(&wide, &Rules { withhold_unreliable: true, ..rules() }, |_| false);
        assert_eq!(strict[0], Verdict::Withheld);
    }

    #[test]
    fn rounding_and_ends_never_show_a_negative_person() {
        let verdicts = apply(&table(&[12.6], 20.0), &Rules { round_to: 5, ..rules() }, |_| false);
        assert!(matches!(verdicts[0], Verdict::Shown { value: 15, low: 0, high: 33, .. }));
    }

    #[test]
    fn a_declared_impossible_cell_is_zero_whatever_the_noise() {
        assert_eq!(apply(&table(&[40.0], 4.0), &rules(), |_| true), [Verdict::Structural]);
    }
}
