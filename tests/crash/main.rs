//! Killing the real service: at random, at named points, with the power, and gently.
//!
//! Eight clients with journals work while the service dies under them and is started again; then everything they were
//! told is held against what is there. `HALFLIGHT_KILLS` sets the number of random kills (default 100).

#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::unnecessary_debug_formatting,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test ends at the first thing that is not as it should be, and says what it did"
)]

mod audit;
mod disk;
mod journal;
mod points;
mod power;
mod register;
mod service;
mod siege;
mod stopping;
mod writer;

use siege::Siege;

/// Kills of the test that everybody runs.
const KILLS: usize = 100;

fn kills() -> usize {
    std::env::var("HALFLIGHT_KILLS").map_or(KILLS, |text| text.parse().unwrap())
}

#[test]
fn nothing_acknowledged_is_lost_when_the_service_is_killed_at_random() {
    let mut siege = Siege::new(|_| None);
    let kills = kills();
    for round in 0..kills.div_ceil(25) {
        siege.round(25.min(kills - round * 25), |siege| {
            siege.some_acts();
            siege.service.kill();
        });
    }
    siege.report();
}
