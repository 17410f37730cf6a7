//! Replies that computed on data leave on a beat, so that how long the computation took is not told.
//!
//! # Guarantee
//! A held reply leaves at a whole multiple of the quantum since its request arrived, whatever its status.

use std::time::Duration;

/// Routes whose replies are held.
pub(super) const HELD: [(&str, &str); 1] = [("POST", "/v1/releases")];

/// How much longer to hold a reply that is ready `elapsed` after the arrival; a quantum of zero holds nothing.
pub(super) fn rest(elapsed: Duration, quantum: Duration) -> Duration {
    let (elapsed, quantum) = (elapsed.as_nanos(), quantum.as_nanos());
    let over = elapsed.checked_rem(quantum).unwrap_or(0);
    let rest = if over == 0 { 0 } else { quantum.saturating_sub(over) };
    Duration::from_nanos(u64::try_from(rest).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_leaves_at_the_next_multiple() {
        let ms = Duration::from_millis;
        for (elapsed, quantum, held) in [(1, 250, 249), (250, 250, 0), (251, 250, 249), (7, 0, 0), (0, 250, 0)] {
            assert_eq!(rest(ms(elapsed), ms(quantum)), ms(held), "{elapsed} of {quantum}");
        }
    }
}
