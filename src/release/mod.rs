//! From a question to an answer that may be read by anyone.
//!
//! [`answer`](Answering::answer) is the page to show a visitor: admit, reserve, tabulate, perturb, estimate, suppress, draft, settle,
//! release.

mod body;

pub use body::{Body, Cell, CodeName, DimensionFace, EditionFace, PolicyFace, Privacy, Release, Status};
