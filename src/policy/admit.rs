//! May this be asked? A question and a policy become a [`Plan`], or an [`Inadmissible`] that says what would be allowed.

use super::{EditionRef, Plan, Policy, Question};
use crate::identity::Principal;
use chrono::NaiveDate;

/// What is known of the dataset besides its policy.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Whether an officer has suspended it.
    pub suspended: bool,
    /// The newest closed edition of each period.
    pub editions: Vec<EditionRef>,
}

/// Why a question may not be asked. Variants stand in the order of precedence: one question always gets one answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Inadmissible {
    /// No such dataset, or one the asker may not see.
    #[error("there is no dataset of this name that you may see; GET /v1/datasets lists those you may")]
    DatasetUnknown,
}

/// Admits a question, or says why not.
///
/// # Errors
/// The first reason in order of precedence. Decided without data (G8).
pub fn admit(
    _policy: &Policy,
    _standing: &Standing,
    _asker: &Principal,
    _question: &Question,
    _today: NaiveDate,
) -> Result<Plan, Inadmissible> {
    Err(Inadmissible::DatasetUnknown)
}
