//! Why a question may not be asked: one reason, in a fixed order of precedence, with what to do instead.
//!
//! # Guarantee
//! G8: a reason is built from the policy, the question, the closed periods and the day; never from data.

use crate::budget::Nanos;
use crate::identity::{Period, Purpose};
use chrono::NaiveDate;

/// Why a question may not be asked. Variants stand in the order of precedence: one question always gets one answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Inadmissible {
    /// No such dataset, or one the asker may not see.
    #[error("there is no dataset of this name that you may see; GET /v1/datasets lists those you may")]
    DatasetUnknown,
    /// The asker is of a class that is always refused.
    #[error("this dataset does not answer organisations of your class; no token of that class can ask")]
    PrincipalDenied,
    /// The policy is not in force on this day.
    #[error("the policy of this dataset holds from {effective} to {expires}; ask its controller for a new one")]
    PolicyExpired {
        /// Its first day.
        effective: NaiveDate,
        /// Its last day.
        expires: NaiveDate,
    },
    /// An officer has suspended the dataset.
    #[error("this dataset is suspended; nothing is answered until its officers resume it")]
    DatasetSuspended,
    /// The purpose is not on the list.
    #[error("this purpose is not allowed; ask for one of: {}", list(allowed))]
    PurposeDenied {
        /// The purposes that are.
        allowed: Vec<Purpose>,
    },
    /// The question does not make sense.
    #[error("{advice}")]
    QuestionMalformed {
        /// What to write instead.
        advice: String,
    },
    /// No dimension of that name.
    #[error("there is no dimension `{name}`{hint}; GET /v1/datasets/ID lists them")]
    DimensionUnknown {
        /// The name as asked, made safe to repeat.
        name: String,
        /// The nearest one.
        hint: String,
    },
    /// No such code.
    #[error("`{code}` is not a code of {column}{hint}; GET /v1/datasets/ID lists them")]
    CodeUnknown {
        /// The column.
        column: String,
        /// The code as asked, made safe to repeat.
        code: String,
        /// The nearest one.
        hint: String,
    },
    /// Columns that may not stand together.
    #[error("{} may not stand together in one table, as filters neither: {reason}; drop one of them", cross.join(" and "))]
    CrossForbidden {
        /// The columns.
        cross: Vec<String>,
        /// The policy's reason.
        reason: String,
    },
    /// Too fine a geography for these codes.
    #[error(
        "with these codes of {column}, `{geography}` is too fine; use geography of level {level_max} or none (0 is national)"
    )]
    GeoTooFine {
        /// The column whose codes ask for it.
        column: String,
        /// The geography asked for.
        geography: String,
        /// The finest level allowed.
        level_max: u8,
    },
    /// Too many dimensions in one table.
    #[error("a table of {asked} dimensions (filters count) is too deep; at most {most} are allowed here")]
    TooManyDimensions {
        /// As asked.
        asked: usize,
        /// As allowed.
        most: usize,
    },
    /// Too many cells.
    #[error("this takes more than {most} cells; ask for fewer or coarser dimensions, or without margins")]
    TooManyCells {
        /// As allowed.
        most: u64,
    },
    /// Too many periods.
    #[error("{asked} periods are too many; at most {most} can be asked about at once")]
    TooManyPeriods {
        /// As asked.
        asked: usize,
        /// As allowed.
        most: u32,
    },
    /// A period that is not closed.
    #[error("{period} is not closed yet; ask about a closed period (GET /v1/datasets/ID lists them)")]
    PeriodNotClosed {
        /// The period.
        period: Period,
    },
    /// So little that the answer would be noise.
    #[error(
        "at this price the answer would be noise (a standard error above five times the floor); spend at least \"{needed}\", or ask for less"
    )]
    SpendPointless {
        /// The least price that is not pointless.
        needed: Nanos,
    },
    /// More than one question may cost.
    #[error("one question may cost at most \"{most}\"; ask for less precision or fewer tables")]
    SpendOverMaximum {
        /// As allowed.
        most: Nanos,
    },
}

impl Inadmissible {
    /// The stable code of the refusal.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::DatasetUnknown => "dataset_unknown",
            Self::PrincipalDenied => "principal_denied",
            Self::PolicyExpired { .. } => "policy_expired",
            Self::DatasetSuspended => "dataset_suspended",
            Self::PurposeDenied { .. } => "purpose_denied",
            Self::QuestionMalformed { .. } => "question_malformed",
            Self::DimensionUnknown { .. } => "dimension_unknown",
            Self::CodeUnknown { .. } => "code_unknown",
            Self::CrossForbidden { .. } => "cross_forbidden",
            Self::GeoTooFine { .. } => "geo_too_fine",
            Self::TooManyDimensions { .. } => "too_many_dimensions",
            Self::TooManyCells { .. } => "too_many_cells",
            Self::TooManyPeriods { .. } => "too_many_periods",
            Self::PeriodNotClosed { .. } => "period_not_closed",
            Self::SpendPointless { .. } => "spend_pointless",
            Self::SpendOverMaximum { .. } => "spend_over_maximum",
        }
    }

    /// A malformed question, with what to write instead.
    pub(super) fn malformed(advice: impl Into<String>) -> Self {
        Self::QuestionMalformed { advice: advice.into() }
    }
}

fn list(purposes: &[Purpose]) -> String {
    purposes.iter().map(Purpose::as_str).collect::<Vec<_>>().join(", ")
}
