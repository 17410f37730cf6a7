//! What is found in a policy file, with line and column.
//!
//! Errors and warnings are collected, not thrown: an officer mends a file in one round. Findings quote the policy file,
//! never data (a policy holds none).

use crate::budget::Nanos;
use std::ops::Range;
use toml::Spanned;

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

/// A place in the text, in bytes; `None` is the file as a whole.
pub(super) type Place = Option<Range<usize>>;

/// The place of a value in the file.
#[expect(clippy::unnecessary_wraps, reason = "a place may also be the file as a whole")]
pub(super) fn at<T>(value: &Spanned<T>) -> Place {
    Some(value.span())
}

/// The findings so far.
pub(super) struct Findings<'t> {
    text: &'t str,
    list: Vec<Finding>,
}

impl<'t> Findings<'t> {
    pub(super) fn over(text: &'t str) -> Self {
        Self { text, list: Vec::new() }
    }

    pub(super) fn error(&mut self, place: Place, code: &'static str, message: impl Into<String>) {
        self.add(Severity::Error, place, code, message.into());
    }

    pub(super) fn warning(&mut self, place: Place, code: &'static str, message: impl Into<String>) {
        self.add(Severity::Warning, place, code, message.into());
    }

    /// Whether any finding is an error.
    pub(super) fn failed(&self) -> bool {
        self.list.iter().any(|f| f.severity == Severity::Error)
    }

    /// All findings, in the order of the file.
    pub(super) fn into_list(mut self) -> Vec<Finding> {
        self.list.sort_by_key(|f| (f.line, f.column));
        self.list
    }

    /// Notes an error unless the value is of its kind.
    pub(super) fn take<T, E: std::fmt::Display>(
        &mut self,
        place: Place,
        code: &'static str,
        parsed: Result<T, E>,
    ) -> Option<T> {
        parsed.map_err(|why| self.error(place, code, why.to_string())).ok()
    }

    /// Reads an amount of privacy.
    pub(super) fn amount(&mut self, text: &Spanned<String>) -> Option<Nanos> {
        self.take(at(text), "amount_wrong", Nanos::parse(text.get_ref()))
    }

    fn add(&mut self, severity: Severity, place: Place, code: &'static str, message: String) {
        let (line, column) = place.map_or((0, 0), |range| self.position(range.start));
        self.list.push(Finding { severity, line, column, code, message });
    }

    fn position(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte).unwrap_or(self.text);
        let line = before.rsplit('\n').next().unwrap_or("");
        (before.split('\n').count(), line.chars().count().saturating_add(1))
    }
}
