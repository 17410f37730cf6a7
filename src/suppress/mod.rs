//! Small cells are silent, and stay silent: the floor on noisy figures, the partners that make "withheld" true, and the
//! audit of both.
//!
//! [`apply`] withholds what is small. [`withhold`] adds the partners over all tables of a draw and says what that
//! proves; [`audit`] proves it again from what is published. Beneath: a [`Lattice`] of cells over shared dimensions,
//! the [`Moves`] that leave published figures as they are, the [`Problem`] of choosing partners, the attacker's
//! interval ([`Reach`]) and a small [`simplex`] method. [`tally`] tells how near to the fewest partners a pattern is,
//! by [`best`], branch and cut.
//!
//! # Guarantee
//! G9: the input is an estimated (noisy) table, so every decision here is post-processing. The reason given for a
//! withheld cell never says why it was withheld: that would bound the figure.

mod attacker;
mod audit;
mod bound;
mod centre;
mod certificate;
mod cut;
mod demands;
mod exact;
mod feasible;
mod fewest;
mod floor;
mod inspect;
mod lattice;
mod lines;
mod moves;
mod of_plan;
mod partition;
mod prime;
mod program;
mod reach;
mod remainder;
mod reorder;
mod search;
pub mod simplex;
mod spread;
mod tally;
mod told;
mod unasked;
mod unchanged;
mod verdict;
mod withhold;

pub use attacker::{Attacker, Stretched};
pub use audit::{audit, audit_sums};
pub use certificate::{Certificate, Notion, Revealed, WouldReveal};
pub use cut::{Choice, Cut};
pub use exact::{Best, Limits, Separated, best};
pub use floor::apply;
pub use inspect::known_below;
pub use lattice::{Lattice, Row};
pub use moves::Moves;
pub use reach::{Found, Need, Reach};
pub use remainder::{Remainder, leave_over};
pub use search::{Inspection, Pattern, Problem, Standing, Sum};
pub use tally::{Tally, tally, tally_beside};
pub use told::Told;
pub use unasked::{Draw, audit_unasked, unasked, unasked_beside};
pub use verdict::Verdict;
pub use withhold::{withhold, withhold_beside};

#[cfg(test)]
mod tests;
