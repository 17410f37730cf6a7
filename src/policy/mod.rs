//! What may be told: a policy file becomes a [`Policy`] that cannot be wrong, a question becomes an admitted [`Plan`].
//!
//! # Guarantee
//! G2: only an admitted [`Plan`] reaches data; it is made by [`admit`] and nowhere else.
//! G8: a refusal, its text and its order depend on policy, question and closed periods, never on data.

mod admit;
mod codelist;
#[cfg(test)]
mod for_vault_test;
mod model;
mod parse;
mod plan;
mod question;

pub use admit::{Inadmissible, Standing, admit};
pub use codelist::{Code, CodeList, CodeLists};
pub use model::{
    Bands, Budget, CellRules, Column, CombinationRule, EditionRule, Forbid, Frequency, IdForm, Kind, KnownTotal,
    Measure, Per, PeriodPattern, Policy, Program, ReleaseRule, Require, Selection, Text, Unit,
};
pub use parse::{Finding, Severity};
pub use plan::{Cut, Dimension, EditionRef, Level, Measured, PERIOD, Plan, Rules, Shown};
pub use question::{MeasureAsked, Question, Spend};
