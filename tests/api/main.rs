//! Black-box tests over HTTP: what users do, what they must not be able to do, and what must never come out.

#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::format_push_string,
    clippy::unnecessary_debug_formatting,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::too_many_lines,
    clippy::type_complexity,
    reason = "a test ends at the first thing that is not as it should be, and a story is told in one piece"
)]

mod accounts;
mod acs;
mod attack;
mod beside;
mod bodies;
mod comparisons;
mod flips;
mod floors;
mod folders;
mod free;
mod groups;
mod hostile;
mod limits;
mod load;
mod marker;
mod measures;
mod neighbours;
mod offers;
mod passed;
mod persons;
mod process;
mod races;
mod refusals;
mod required;
mod roles;
mod rollback;
mod rows;
mod shutdown;
mod slow;
mod solver;
mod support;
mod suppress;
mod tampered;
#[path = "../../src/suppress/tests/attacker.rs"]
#[expect(dead_code, reason = "the unit tests try more")]
mod textbook;
mod thousand;
mod unasked;
mod way;
mod wide;
mod withheld;
mod zeros;
