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
mod bodies;
mod comparisons;
mod flips;
mod folders;
mod free;
mod groups;
mod hostile;
mod limits;
mod load;
mod marker;
mod measures;
mod offers;
mod passed;
mod persons;
mod process;
mod races;
mod refusals;
mod required;
mod roles;
mod rollback;
mod shutdown;
mod slow;
mod support;
mod thousand;
mod unasked;
mod way;
mod wide;
mod withheld;
