//! Reads a submitted file, row by row, into coded batches.
//!
//! # Guarantees
//! Memory does not grow with the file: one record, one batch and at most a thousand findings are held. The outcome is
//! all or nothing by default: one bad row refuses the file, though it is read to its end so that all is reported at
//! once. The sink may by then have taken rows; on any error they are to be discarded.

use super::body::Digesting;
use super::coder::Coder;
use super::csv::CsvRecords;
use super::layout::{Layout, Next, PERSON, Record};
use super::ndjson::JsonRecords;
use super::period::PeriodWatch;
use super::rules::{Findings, ID_PARTED_OTHERWISE, WARNINGS_MAX};
use super::spelling::Spellings;
use super::{Coding, FileRule, Format, OnError, PersonKeyer, ReadError, Rejection, RowBatch, Sink};
use crate::identity::{Digest, Organisation, Period};
use crate::ledger::RowFinding;
use crate::policy::Policy;
use crate::sensitive::Sensitive;
use std::io::Read;

/// Rows in a batch; the last one may be shorter.
pub const BATCH_ROWS: usize = 8_192;

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
    /// A digest announced by the sender over the decoded body (for one over the bytes as sent, see `announced`).
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
    /// The first of what is odd about rows that were kept.
    pub warnings: Vec<RowFinding>,
}

/// Reads a file to its end and hands its good rows to the sink, in order. Rows are counted from 1, blank lines not at
/// all.
///
/// # Errors
/// A [`Rejection`] where the file is wrong (a digest that differs comes before what was found in rows), the sink's
/// fault, or a body that breaks off. On any error the rows that the sink took are to be discarded.
pub fn read(intake: &Intake<'_>, body: impl Read, sink: &mut dyn Sink) -> Result<Reading, ReadError> {
    let layout = Layout::of(intake.policy);
    let mut door = Door::open(intake, &layout, sink)?;
    let mut record = Record::new(&layout);
    let body = Digesting::new(body);
    let sha256 = match intake.format {
        Format::Csv => {
            let mut records = CsvRecords::open(body, &layout, &mut record)?;
            while door.pass(records.next(&mut record)?, &record)? {}
            records.body.finish()
        }
        Format::Ndjson => {
            let mut records = JsonRecords::open(body);
            while door.pass(records.next(&layout, &mut record)?, &record)? {}
            records.body.into_inner().finish()
        }
    };
    if intake.announced_sha256.is_some_and(|announced| announced != sha256) {
        return Err(FileRule::DigestMismatch.into());
    }
    door.close(sha256)
}

/// What passes, and what does not.
struct Door<'a> {
    layout: &'a Layout,
    on_error: OnError,
    coding: Coding,
    coder: Coder<'a>,
    periods: PeriodWatch<'a>,
    findings: Findings,
    spellings: Spellings,
    warnings: Vec<RowFinding>,
    batch: RowBatch,
    row: u64,
    accepted: u64,
    sink: &'a mut dyn Sink,
}

impl<'a> Door<'a> {
    fn open(intake: &'a Intake<'_>, layout: &'a Layout, sink: &'a mut dyn Sink) -> Result<Self, ReadError> {
        let coding = Coding::of(intake.policy);
        Ok(Self {
            layout,
            on_error: intake.on_error,
            coder: Coder::new(intake.policy, intake.keyer),
            periods: PeriodWatch::open(intake.policy, intake.organisation, intake.period.as_ref())?,
            findings: Findings::default(),
            spellings: Spellings::default(),
            warnings: Vec::new(),
            batch: RowBatch::with_capacity(&coding, BATCH_ROWS),
            coding,
            row: 0,
            accepted: 0,
            sink,
        })
    }

    /// Lets one record pass or notes why not; `false` at the end of the file.
    fn pass(&mut self, next: Next, record: &Record) -> Result<bool, ReadError> {
        self.row = self.row.saturating_add(1);
        match next {
            Next::End => return Ok(false),
            Next::Broken(place, rule) => {
                self.findings.note(self.row, place.map_or("", |place| self.layout.name(place)), rule);
            }
            Next::Record => self.check(record)?,
        }
        Ok(true)
    }

    fn check(&mut self, record: &Record) -> Result<(), ReadError> {
        if let Some(place) = self.layout.period
            && let Err(rule) = self.periods.check(record.field(place))?
        {
            self.findings.note(self.row, self.layout.name(place), rule);
        }
        let Some(person) = self.coder.code(self.row, record, self.layout, &mut self.findings) else { return Ok(()) };
        // A file that is already refused is only read on for what else is wrong with it.
        if self.on_error == OnError::Refuse && self.findings.rows_rejected > 0 {
            return Ok(());
        }
        if self.spellings.differ(person, record.field(PERSON)) && self.warnings.len() < WARNINGS_MAX {
            let (column, rule) = (self.layout.name(PERSON).to_owned(), ID_PARTED_OTHERWISE.to_owned());
            self.warnings.push(RowFinding { row: self.row, column, rule });
        }
        self.coder.append(self.row, person, &mut self.batch);
        self.accepted = self.accepted.saturating_add(1);
        if self.batch.len() < BATCH_ROWS { Ok(()) } else { self.hand_over() }
    }

    fn hand_over(&mut self) -> Result<(), ReadError> {
        let fresh = RowBatch::with_capacity(&self.coding, BATCH_ROWS);
        let full = std::mem::replace(&mut self.batch, fresh);
        Ok(self.sink.take(Sensitive::new(full))?)
    }

    fn close(mut self, sha256: Digest) -> Result<Reading, ReadError> {
        let Findings { kept, rows_rejected, .. } = std::mem::take(&mut self.findings);
        if self.on_error == OnError::Refuse && rows_rejected > 0 {
            return Err(Rejection::Rows { rows_rejected, findings: kept }.into());
        }
        if !self.batch.is_empty() {
            self.hand_over()?;
        }
        let period = self.periods.into_period().ok_or(FileRule::NoRows)?;
        if self.accepted == 0 {
            return Err(FileRule::NoRows.into());
        }
        Ok(Reading {
            period,
            sha256,
            rows_accepted: self.accepted,
            rows_rejected,
            findings: kept,
            warnings: self.warnings,
        })
    }
}
