//! Who plays: two officers and an operator from `init`, and those the operator makes tokens for.

use crate::cli::client::Client;
use crate::cli::error::CliError;
use crate::identity::Role;
use crate::ledger::TokenRow;
use serde_json::{Value, json};

/// The tokens of everybody in the story.
pub(super) struct Cast {
    /// Proposes.
    pub(super) officer: String,
    /// Approves.
    pub(super) second_officer: String,
    /// Sends the residence register.
    pub(super) residence_ministry: String,
    /// Sends the health register.
    pub(super) health_ministry: String,
    /// Asks, for a report to a treaty body.
    pub(super) reporter: String,
    /// May never ask.
    pub(super) enforcement: String,
}

/// The organisations that submit, as the policies name them.
pub(super) const RESIDENCE_MINISTRY: &str = "ministry-interior";
/// See [`RESIDENCE_MINISTRY`].
pub(super) const HEALTH_MINISTRY: &str = "ministry-health";

pub(super) fn gather(public: &Client, first: &[(TokenRow, String)]) -> Result<Cast, CliError> {
    let of = |role: Role| first.iter().filter(move |(row, _)| row.role == role).map(|(_, text)| text.clone());
    let missing = || CliError::Wrong("init made too few tokens".to_owned());
    let mut officers = of(Role::Officer);
    let (officer, second_officer) = officers.next().zip(officers.next()).ok_or_else(missing)?;
    let operator = public.with_token(&of(Role::Operator).next().ok_or_else(missing)?);
    let make = |role: Role, organisation: &str, class: &str| -> Result<String, CliError> {
        let new = json!({ "role": role.as_str(), "organisation": organisation, "class": class, "days": 1 });
        let made = operator.post("/v1/tokens", &new)?.value()?;
        made.get("token").and_then(Value::as_str).map(str::to_owned).ok_or_else(missing)
    };
    Ok(Cast {
        officer,
        second_officer,
        residence_ministry: make(Role::Submitter, RESIDENCE_MINISTRY, "ministry")?,
        health_ministry: make(Role::Submitter, HEALTH_MINISTRY, "ministry")?,
        reporter: make(Role::Analyst, "reporting-team", "un_reporting")?,
        enforcement: make(Role::Analyst, "border-police", "enforcement")?,
    })
}
