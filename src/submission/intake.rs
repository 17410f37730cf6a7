//! Reads a submitted file, row by row, into coded batches.

use super::{Format, OnError, PersonKeyer, ReadError, Sink, SinkError};
use crate::identity::{Digest, Organisation, Period};
use crate::ledger::RowFinding;
use crate::policy::Policy;
use std::io::Read;

/// What is known of a file before it is read.
pub struct Intake<'a> {
    /// The rules it is checked against.
    pub policy: &'a Policy,
    /// Keys the person ids.
    pub keyer: &'a PersonKeyer,
    /// The period given with the submission; needed where the policy names no column of the period.
    pub period: Option<Period>,
    /// How it is written.
    pub format: Format,
    /// What a bad row does.
    pub on_error: OnError,
    /// The digest announced by the sender, over the decoded body.
    pub announced_sha256: Option<Digest>,
    /// Who sends it.
    pub organisation: &'a Organisation,
}

/// What came of a file that was accepted. For the submitter only: it holds exact row counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The period of every accepted row.
    pub period: Period,
    /// SHA-256 of the decoded body.
    pub sha256: Digest,
    /// Rows handed to the sink.
    pub rows_accepted: u64,
    /// Rows left out.
    pub rows_rejected: u64,
    /// The first findings about rows left out.
    pub findings: Vec<RowFinding>,
}

/// Reads a file to its end and hands its good rows to the sink.
///
/// # Errors
/// On any error the sink's rows are to be discarded.
pub fn read(intake: &Intake<'_>, body: impl Read, sink: &mut dyn Sink) -> Result<Reading, ReadError> {
    let _ = (intake, body, sink);
    Err(ReadError::Sink(SinkError { code: "not_written_yet" }))
}
