//! From the text of a policy file to a [`Policy`], or to findings with file, line, column and what to write instead.

use super::{CodeLists, Policy};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The policy does not load.
    Error,
    /// The policy loads; an officer should look.
    Warning,
}

/// One thing found in a policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// Line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// Column, from 1; 0 where the file as a whole is meant.
    pub column: usize,
    /// A stable code.
    pub code: &'static str,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl Policy {
    /// Reads and checks a policy file.
    ///
    /// # Errors
    /// All findings, errors and warnings, if any is an error.
    pub fn parse(_text: &str, _lists: &CodeLists) -> Result<(Self, Vec<Finding>), Vec<Finding>> {
        Err(Vec::new())
    }
}
