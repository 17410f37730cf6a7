//! From an admitted question to an answer that may be read by anyone.
//!
//! [`Answering::answer`] is the page to show a visitor: admit, reserve, tabulate, perturb, estimate, suppress, draft,
//! settle, release.
//!
//! # Guarantees
//! G10: a [`Release`] is built only from what the ledger has committed. G11: the same question gets the same bytes and
//! costs nothing the second time.

mod answer;
mod audit;
mod body;
mod cells;
mod combine;
mod compare;
mod draft;
mod keys;
mod known;
mod linked;
mod loss;
#[cfg(test)]
mod made_up;
mod number;
mod partners;
mod parts;
#[cfg(test)]
mod random;
#[cfg(test)]
mod random_tests;
#[cfg(test)]
mod scan_tests;
mod silence;
#[cfg(test)]
mod simulated;
mod standing;
mod table;
mod telling;
mod turns;
mod values;

pub use answer::{AnswerError, Answering, Limits};
pub use audit::{Audited, Flaw, audit};
pub use body::{Body, Cell, CodeName, DimensionFace, EditionFace, Known, PolicyFace, Privacy, Release, Status};
pub use draft::{Draft, TOTAL};
pub use loss::{Counts, GroupCells, GroupLoss, Loss, LossFace};
pub use number::Number;
pub use partners::PartnersFace;
pub use standing::Cut;
pub use table::TableFace;
pub use turns::Turns;
