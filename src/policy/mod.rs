//! What may be told: a policy file becomes a [`Policy`] that cannot be wrong, a question becomes an admitted [`Plan`].
//!
//! # Guarantee
//! G2: only an admitted [`Plan`] reaches data; it is made by [`admit`] and nowhere else.
//! G8: a refusal, its text and its order depend on policy, question and closed periods, never on data.

mod admit;
mod alternatives;
mod asked;
mod bands;
mod canonical;
mod choosing;
mod codelist;
mod columns;
mod comparing;
mod comparison;
mod dimension;
mod figure;
mod file;
mod findings;
#[cfg(test)]
mod for_door_test;
#[cfg(test)]
mod for_vault_test;
mod further;
mod grouping;
mod identifying;
mod inadmissible;
mod indicator;
mod levels;
mod lint;
mod loosens;
mod model;
mod nearest;
mod parse;
mod plan;
mod price;
mod program;
mod quantity;
mod question;
mod regions;
mod restrict;
mod ruled;
mod rules;
#[cfg(test)]
pub(crate) mod sample;
mod shape;
mod shelf;
mod spending;
mod split;
mod variants;
mod wire;

#[cfg(test)]
mod tests;

pub use admit::{Standing, admit, admit_program, readmit};
pub use alternatives::{Offer, alternatives};
pub use codelist::{Code, CodeList, CodeLists};
pub use comparison::{Compared, Comparison, Contrast, Fraction};
pub use figure::Figure;
pub use findings::{Finding, Severity};
pub use inadmissible::Inadmissible;
pub use indicator::{Between, Indicator, IndicatorAsked, IndicatorKind, Misread};
pub use loosens::loosens;
pub use model::{
    Bands, Budget, CellRules, Column, CombinationRule, EditionRule, Forbid, Frequency, Grouped, IdForm, Kind,
    KnownTotal, Measure, Per, PeriodPattern, Policy, ReleaseRule, Require, Selection, Text, Unit,
};
pub use plan::{Cut, Dimension, EditionRef, Finer, Level, Measured, PERIOD, Plan, Rules, Shown};
pub use price::Prediction;
pub use program::{Expected, Program, RunRule};
pub use quantity::{Numbers, Quantity, Reach};
pub use question::{Codes, ComparedAsked, MeasureAsked, Question, Spend};
pub use regions::Cells;
pub use ruled::Ruled;
pub use shelf::Form;
