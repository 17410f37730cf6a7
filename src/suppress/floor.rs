//! The floor, decided on the noisy figure, never on the true one.
//!
//! # Guarantee
//! G9: the input is an estimated (noisy) table, so every decision here is post-processing. The reason given for a
//! withheld cell never says why it was withheld: that would bound the figure.

use super::Verdict;
use crate::estimate::EstimatedTable;
use crate::policy::Rules;

/// Applies the floor, and the rule about wide intervals where the policy withholds them, to every cell of a table of
/// persons; `impossible` tells declared structural zeros by their place in the table.
#[must_use]
pub fn apply(table: &EstimatedTable, rules: &Rules, impossible: impl Fn(usize) -> bool) -> Vec<Verdict> {
    let verdict = |(place, (&estimate, &width)): (usize, (&f64, &f64))| {
        let wide = rules.withhold_unreliable && width > rules.moe_relative_max * estimate;
        if impossible(place) {
            Verdict::Structural
        } else if estimate < f64::from(rules.threshold) || wide {
            Verdict::Withheld
        } else {
            Verdict::Shown
        }
    };
    table.values.iter().zip(&table.half_widths).enumerate().map(verdict).collect()
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
        Rules { threshold: 10, round_to: 1, moe_relative_max: 0.5, withhold_unreliable: false, complementary: true }
    }

    #[test]
    fn a_figure_below_the_floor_is_withheld_and_one_at_it_is_shown() {
        let verdicts = apply(&table(&[9.999, 10.0, -3.0, 0.0], 4.0), &rules(), |_| false);
        assert_eq!(verdicts, [Verdict::Withheld, Verdict::Shown, Verdict::Withheld, Verdict::Withheld]);
    }

    #[test]
    fn a_wide_interval_is_withheld_where_the_policy_says_so() {
        let wide = table(&[20.0, 21.0], 10.4);
        assert_eq!(apply(&wide, &rules(), |_| false), [Verdict::Shown; 2]);
        let strict = apply(&wide, &Rules { withhold_unreliable: true, ..rules() }, |_| false);
        assert_eq!(strict, [Verdict::Withheld, Verdict::Shown]);
    }

    #[test]
    fn a_declared_impossible_cell_is_zero_whatever_the_noise() {
        assert_eq!(apply(&table(&[40.0], 4.0), &rules(), |_| true), [Verdict::Structural]);
    }
}
