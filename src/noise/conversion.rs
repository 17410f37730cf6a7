//! What an amount of privacy means as an epsilon, for people who think in epsilon.
//!
//! Shown from the *total* that was spent: ten releases of rho 0.05 are converted as one of 0.5, never added up as
//! epsilons. Rounded up, to four decimals.

use super::opendp::zcdp_to_epsilon;
use crate::budget::{Accounting, Nanos};

/// The epsilon of a total, at the policy's delta; for pure differential privacy the total itself.
///
/// # Errors
/// `None` if the conversion has no answer at this delta.
#[must_use]
pub fn epsilon_at(accounting: Accounting, total: Nanos, delta: f64) -> Option<String> {
    match accounting {
        Accounting::Pure => Some(total.to_string()),
        Accounting::Zcdp if total == Nanos::ZERO => Some("0".into()),
        Accounting::Zcdp => {
            let epsilon = zcdp_to_epsilon(total.at_most().next_up().next_up(), delta).ok()?;
            epsilon.is_finite().then(|| format!("{:.4}", (epsilon * 1e4).ceil() / 1e4))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_is_converted_by_the_published_curve() {
        let epsilon = |rho: &str, delta| epsilon_at(Accounting::Zcdp, Nanos::parse(rho).unwrap(), delta).unwrap();
        assert_eq!(epsilon("0.1", 1e-7), "2.3484");
        assert!(epsilon("0.2", 1e-9).starts_with("3.9"), "the lifetime budget of the example policy");
        assert_eq!(epsilon_at(Accounting::Pure, Nanos::parse("3").unwrap(), 0.0).as_deref(), Some("3"));
    }
}
