//! What a command can end with, and the exit code it means.
//!
//! 1: the service refused, or something was found wrong. 2: the command was not understood. A refusal is printed with
//! everything the service said that helps: the sentence, the findings at the door, the nearest allowed questions.

use serde::Deserialize;
use serde_json::Value;
use std::fmt;
use std::path::PathBuf;

/// Findings printed before the rest is only counted.
const FINDINGS_SHOWN: usize = 20;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The service answered with a problem document.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// The service did not answer.
    #[error("{url} did not answer: {cause}\n  is the service running, and is --url (or HALFLIGHT_URL) right?")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// What happened.
        cause: String,
    },
    /// The service answered something this program does not understand.
    #[error("{url} answered {status}, but not as Halflight does: {what}")]
    Foreign {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What is odd about it.
        what: String,
    },
    /// A local file.
    #[error("{path}: {source}")]
    File {
        /// Its path.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// The arguments make no sense together.
    #[error("{0}")]
    Usage(String),
    /// Something was checked and found wrong.
    #[error("{0}")]
    Wrong(String),
    /// The terminal, or the pipe behind us.
    #[error("could not write: {0}")]
    Output(#[from] std::io::Error),
}

impl CliError {
    /// 1 for refused or found wrong, 2 for usage.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
            Self::Refused(_)
            | Self::Unreachable { .. }
            | Self::Foreign { .. }
            | Self::File { .. }
            | Self::Wrong(_)
            | Self::Output(_) => 1,
        }
    }

    /// A closed pipe (`halflight ask .. | head`) is no error worth a word.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.exit_code() == 0
    }
}

/// A problem document (RFC 9457), as far as a person at a terminal needs it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// A short name of the kind of problem.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// A stable code.
    pub code: String,
    /// What is the matter, and what to do.
    pub detail: String,
    /// Nearest questions that would be admitted.
    pub alternatives: Vec<Alternative>,
    /// Findings: rows of a submission, or places in a policy.
    #[serde(alias = "rejections")]
    pub findings: Vec<Value>,
    /// How many rows were refused, findings beyond the first thousand included.
    pub rows_rejected: Option<u64>,
    /// What to quote to the operator of the service.
    #[serde(alias = "correlation", alias = "instance")]
    pub correlation_id: Option<String>,
}

/// A question that would be admitted.
#[derive(Debug, Clone, Deserialize)]
pub struct Alternative {
    /// In what it differs.
    pub change: String,
    /// The whole question, ready to send.
    #[serde(default)]
    pub question: Value,
    /// What it would cost.
    #[serde(default)]
    pub cost: Value,
    /// Whether it costs nothing.
    #[serde(default)]
    pub free: bool,
}

impl Alternative {
    /// The price in brackets, if one is told.
    pub(super) fn price(&self) -> String {
        let amount = |key: &str| self.cost.get(key).and_then(Value::as_str).map(|amount| format!(" ({key} {amount})"));
        if self.free { " (free)".to_owned() } else { amount("rho").or_else(|| amount("epsilon")).unwrap_or_default() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = if self.detail.is_empty() { &self.title } else { &self.detail };
        write!(f, "refused ({}): {sentence}", self.code)?;
        for finding in self.findings.iter().take(FINDINGS_SHOWN) {
            write!(f, "\n  {}", describe(finding))?;
        }
        let total = self.rows_rejected.unwrap_or(0).max(u64::try_from(self.findings.len()).unwrap_or(u64::MAX));
        let shown = u64::try_from(FINDINGS_SHOWN).unwrap_or(0);
        if total > shown {
            write!(f, "\n  ... and {} more", total.saturating_sub(shown))?;
        }
        for alternative in &self.alternatives {
            write!(f, "\n  instead: {}{}", alternative.change, alternative.price())?;
        }
        match &self.correlation_id {
            Some(id) if self.status >= 500 => write!(f, "\n  tell the operator this id: {id}"),
            Some(_) | None => Ok(()),
        }
    }
}

/// One finding as a line: row, column and rule of a submission, or line, column and message of a policy file.
fn describe(finding: &Value) -> String {
    let text = |key: &str| match finding.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    if finding.get("row").is_some() {
        let column = if text("column").is_empty() { String::new() } else { format!(", column {}", text("column")) };
        format!("row {}{column}: {}", text("row"), text("rule"))
    } else if finding.get("line").is_some() {
        format!("{}:{}: {}[{}]: {}", text("line"), text("column"), text("severity"), text("code"), text("message"))
    } else {
        finding.as_str().map_or_else(|| finding.to_string(), str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(json: Value) -> Problem {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_refused_file_names_row_column_and_rule() {
        let shown = problem(serde_json::json!({
            "type": "https://halflight.example/problems/rows_rejected", "status": 422, "code": "rows_rejected",
            "detail": "3 rows break the rules", "rows_rejected": 3,
            "findings": [
                {"row": 12, "column": "sex", "rule": "code_not_in_list"}, {"row": 14, "column": "", "rule": "x"}
            ]
        }))
        .to_string();
        assert!(shown.contains("row 12, column sex: code_not_in_list"), "{shown}");
        assert!(shown.contains("row 14: x"), "{shown}");
    }

    #[test]
    fn a_refused_question_shows_what_would_be_allowed() {
        let shown = problem(serde_json::json!({
            "status": 422, "code": "cross_forbidden", "detail": "no",
            "alternatives": [{"change": "without adm2", "question": {}}]
        }))
        .to_string();
        assert_eq!(shown, "refused (cross_forbidden): no\n  instead: without adm2");
    }

    #[test]
    fn a_thousand_findings_do_not_flood_the_terminal() {
        let findings: Vec<Value> = (1..=1000).map(|row| serde_json::json!({"row": row, "rule": "r"})).collect();
        let shown =
            problem(serde_json::json!({"code": "c", "detail": "d", "rows_rejected": 5000, "findings": findings}));
        let shown = shown.to_string();
        assert_eq!(shown.lines().count(), FINDINGS_SHOWN + 2);
        assert!(shown.ends_with("... and 4980 more"), "{shown}");
    }

    #[test]
    fn usage_is_two_and_refusal_is_one() {
        assert_eq!(CliError::Usage(String::new()).exit_code(), 2);
        assert_eq!(CliError::Refused(Box::default()).exit_code(), 1);
        assert_eq!(CliError::Wrong(String::new()).exit_code(), 1);
    }
}
