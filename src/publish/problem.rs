//! Problem documents (RFC 9457): one exhaustive map from all that can go wrong to a status, a code and a sentence.
//!
//! # Guarantees
//! G14: a problem carries codes, names and positions, never a value from the data; the cause of a fault goes to the log
//! under a correlation id and nowhere else. G8: what a refusal says is built from the refusal alone.
//! No match here has a wildcard arm over our enums: a new variant does not compile until it has a status.

mod codes;

pub use codes::{CODES, Code};

use self::codes::status_of_code;
use super::headers;
use super::publishable::{empty, reply};
use crate::identity::random_bytes;
use crate::ledger::{LedgerError, RowFinding};
use crate::office::{Alternative, OfficeError};
use crate::policy::{Finding, Inadmissible, Severity};
use crate::submission::Rejection;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;
use std::fmt;

/// A problem document as it is served.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// A stable URI of this kind of problem; a page of the service says more.
    #[serde(rename = "type")]
    pub kind: String,
    /// What kind of problem it is.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// A stable code.
    pub code: &'static str,
    /// What is the matter here, and what to do next.
    pub detail: String,
    /// Nearest questions that would be admitted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Alternative>,
    /// Rows of the file, or lines of the policy, that are wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<Findings>,
    /// How many rows of the file are wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_rejected: Option<u64>,
    /// Tell this to the operators: the cause stands in their log beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

/// What was found wrong in a file.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Findings {
    /// In rows of data.
    Rows(Vec<RowFinding>),
    /// In lines of a policy file.
    Lines(Vec<LineFinding>),
}

/// One thing found in a policy file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LineFinding {
    /// `error` or `warning`.
    pub severity: &'static str,
    /// Line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// Column, from 1; 0 where the file as a whole is meant.
    pub column: usize,
    /// A stable code.
    pub code: &'static str,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// Why there is no better answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    document: Box<ProblemDocument>,
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem of that status and code.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let document = Box::new(ProblemDocument {
            kind: format!("/problems/{code}"),
            title: codes::title(code, status),
            status: status.as_u16(),
            code,
            detail: detail.into(),
            alternatives: Vec::new(),
            findings: None,
            rows_rejected: None,
            correlation_id: None,
        });
        Self { document, retry_after: None }
    }

    /// Ours: the cause goes to the log, a correlation id to the caller.
    #[must_use]
    pub fn fault(code: &'static str, cause: &dyn fmt::Display) -> Self {
        Self::failed(
            status_of_code(code, StatusCode::INTERNAL_SERVER_ERROR),
            code,
            "something failed on our side; nothing was released",
            cause,
        )
    }

    fn failed(status: StatusCode, code: &'static str, detail: impl Into<String>, cause: &dyn fmt::Display) -> Self {
        let id = hex::encode(random_bytes::<8>());
        tracing::error!(correlation_id = %id, code, cause = %cause, "fault");
        let mut problem = Self::new(status, code, detail);
        problem.document.correlation_id = Some(id);
        problem.retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(5);
        problem
    }

    /// The same problem, with the seconds after which another try makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> &ProblemDocument {
        &self.document
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.document.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.document.code)
    }
}

impl actix_web::ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> actix_web::HttpResponse {
        let mut response = reply(self.status(), self.document.as_ref()).unwrap_or_else(|_| empty(self.status()));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"halflight\""));
        }
        headers::harden(response.headers_mut());
        response
    }
}

impl From<OfficeError> for Problem {
    fn from(error: OfficeError) -> Self {
        let said = error.to_string();
        match error {
            OfficeError::Unauthenticated => Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", said),
            OfficeError::ForbiddenRole { .. } => Self::new(StatusCode::FORBIDDEN, "forbidden_role", said),
            OfficeError::Refused { reason, alternatives } => {
                let mut problem = Self::new(status_of_refusal(&reason), reason.code(), said);
                problem.document.alternatives = alternatives;
                problem
            }
            OfficeError::Short { refusal, alternatives } => {
                let mut problem = Self::from(refusal);
                problem.document.alternatives = alternatives;
                problem
            }
            OfficeError::WouldReveal { alternatives } => {
                let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "would_reveal_withheld", said);
                problem.document.alternatives = alternatives;
                problem
            }
            OfficeError::Ledger(error) => error.into(),
            OfficeError::Rejected(rejection) => rejection.into(),
            OfficeError::PolicyInvalid(findings) => {
                let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "policy_invalid", said);
                problem.document.findings =
                    Some(Findings::Lines(findings.into_iter().map(LineFinding::from).collect()));
                problem
            }
            OfficeError::Unknown { .. } => Self::new(StatusCode::NOT_FOUND, "unknown", said),
            OfficeError::Sealed => Self::new(StatusCode::SERVICE_UNAVAILABLE, "sealed", said).retry_after(10),
            OfficeError::Fault { code, cause } => Self::fault(code, &cause),
        }
    }
}

/// 403 where no question of this asker would be answered, 409 where the policy's state is in the way, 400 for what
/// cannot be read, 422 for what another question would cure.
fn status_of_refusal(reason: &Inadmissible) -> StatusCode {
    match reason {
        Inadmissible::DatasetUnknown => StatusCode::NOT_FOUND,
        Inadmissible::PrincipalDenied | Inadmissible::PurposeDenied { .. } => StatusCode::FORBIDDEN,
        Inadmissible::PolicyExpired { .. } | Inadmissible::DatasetSuspended => StatusCode::CONFLICT,
        Inadmissible::QuestionMalformed { .. } => StatusCode::BAD_REQUEST,
        Inadmissible::DimensionUnknown { .. }
        | Inadmissible::CodeUnknown { .. }
        | Inadmissible::CrossForbidden { .. }
        | Inadmissible::GeoTooFine { .. }
        | Inadmissible::TooManyDimensions { .. }
        | Inadmissible::TooManyCells { .. }
        | Inadmissible::TooManyPeriods { .. }
        | Inadmissible::PeriodNotClosed { .. }
        | Inadmissible::SpendPointless { .. }
        | Inadmissible::SpendOverMaximum { .. } => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        let (code, said) = (error.code(), error.to_string());
        match &error {
            LedgerError::QuotaExhausted { .. } | LedgerError::BudgetExhausted { .. } => {
                Self::new(StatusCode::CONFLICT, code, said)
            }
            LedgerError::InProgress | LedgerError::Moved { .. } => {
                Self::new(StatusCode::CONFLICT, code, said).retry_after(1)
            }
            LedgerError::Unknown { .. } => Self::new(StatusCode::NOT_FOUND, code, said),
            LedgerError::Conflict { code, .. } => Self::new(status_of_code(code, StatusCode::CONFLICT), code, said),
            LedgerError::BehindWitness | LedgerError::Fenced => {
                Self::failed(StatusCode::SERVICE_UNAVAILABLE, code, said, &error)
            }
            // which invariant broke is for the operators
            LedgerError::Corruption(_) => {
                Self::failed(StatusCode::SERVICE_UNAVAILABLE, code, "the ledger has stopped; nothing is served", &error)
            }
            LedgerError::Database(cause) => Self::failed(StatusCode::SERVICE_UNAVAILABLE, code, said, cause),
            // what the disk said is for the operators
            LedgerError::Witness(cause) => {
                let said = "the witness did not acknowledge; try again in a few seconds";
                Self::failed(StatusCode::SERVICE_UNAVAILABLE, code, said, cause)
            }
        }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let said = rejection.to_string();
        match rejection {
            Rejection::File { code, .. } => {
                Self::new(status_of_code(code, StatusCode::UNPROCESSABLE_ENTITY), code, said)
            }
            Rejection::Rows { rows_rejected, findings } => {
                let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "rows_rejected", said);
                problem.document.rows_rejected = Some(rows_rejected);
                problem.document.findings = Some(Findings::Rows(findings));
                problem
            }
        }
    }
}

impl From<Finding> for LineFinding {
    fn from(finding: Finding) -> Self {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let Finding { line, column, code, message, .. } = finding;
        Self { severity, line, column, code, message }
    }
}

#[cfg(test)]
mod tests;
