//! What the door lets in, and what not: whole files, against one small policy.

mod files;
mod hostile;
mod markers;
mod rows;

use super::{
    ColumnValues, Format, Intake, OnError, PersonKey, PersonKeyer, ReadError, Reading, Rejection, RowBatch, Sink,
    SinkError, read,
};
use crate::identity::{Digest, Organisation, Period};
use crate::ledger::RowFinding;
use crate::policy::{Bands, CodeList, Column, IdForm, Kind, Measure, Policy};
use crate::sensitive::Sensitive;
use std::collections::{BTreeMap, BTreeSet};

/// Two dimensions, a banded age, a measure with two decimals and an ignored column.
pub(crate) fn policy() -> Policy {
    let listed = |codes: &[&str]| Kind::Dimension { codes: CodeList::for_door_test(codes), bands: None };
    let bands = Bands { min: 0, max: 120, starts: vec![0, 15, 65], end: 120 };
    let ages = CodeList::for_door_test(&["Y0T14", "Y15T64", "Y_GE65", "_U"]);
    let wage = Measure {
        scale: 2,
        unit: "USD".to_owned(),
        min: 0,
        max: 100_000,
        missing_allowed: true,
        bins: vec![0, 50_000, 100_000],
    };
    let mut policy = Policy::for_door_test(vec![
        Column::for_door_test("sex", listed(&["F", "M", "_U"])),
        Column::for_door_test("age", Kind::Dimension { codes: ages, bands: Some(bands) }),
        Column::for_door_test("note", Kind::Ignored),
        Column::for_door_test("status", listed(&["employed", "unemployed", "inactive"])),
        Column::for_door_test("wage", Kind::Measure(wage)),
    ]);
    let codes = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect::<BTreeSet<_>>();
    policy.structural_zeros =
        vec![BTreeMap::from([("age".to_owned(), codes(&["Y0T14"])), ("status".to_owned(), codes(&["employed"]))])];
    policy
}

pub(crate) const HEADER: &str = "person_id,period,sex,age,note,status,wage\n";

/// Rows as the sink saw them: person, row number, values (`None` is missing).
pub(crate) type Rows = Vec<(PersonKey, u64, Vec<Option<i64>>)>;

#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) rows: Rows,
    pub(crate) batches: usize,
    pub(crate) fails_at: Option<usize>,
}

impl Sink for Kept {
    fn take(&mut self, batch: Sensitive<RowBatch>) -> Result<(), SinkError> {
        if self.fails_at == Some(self.batches) {
            return Err(SinkError { code: "disk_full" });
        }
        self.batches += 1;
        let batch = batch.expose();
        assert!(!batch.is_empty() && batch.len() == batch.row_numbers.len());
        for row in 0..batch.len() {
            let value = |column: &ColumnValues| match column {
                ColumnValues::Codes(codes) => Some(i64::from(codes[row])),
                ColumnValues::Numbers(numbers) => numbers[row],
            };
            self.rows.push((batch.persons[row], batch.row_numbers[row], batch.columns.iter().map(value).collect()));
        }
        Ok(())
    }
}

/// A file on its way in, with everything at its default.
pub(crate) struct Sent<'a> {
    pub(crate) policy: Policy,
    pub(crate) body: &'a [u8],
    pub(crate) format: Format,
    pub(crate) on_error: OnError,
    pub(crate) period: Option<&'a str>,
    pub(crate) announced: Option<Digest>,
    pub(crate) organisation: &'a str,
}

pub(crate) fn csv(body: &[u8]) -> Sent<'_> {
    Sent {
        policy: policy(),
        body,
        format: Format::Csv,
        on_error: OnError::Refuse,
        period: None,
        announced: None,
        organisation: "ministry",
    }
}

pub(crate) fn ndjson(body: &[u8]) -> Sent<'_> {
    Sent { format: Format::Ndjson, ..csv(body) }
}

impl Sent<'_> {
    pub(crate) fn skipping(self) -> Self {
        Self { on_error: OnError::Skip, ..self }
    }

    pub(crate) fn read_into(&self, kept: &mut Kept) -> Result<Reading, ReadError> {
        let intake = Intake {
            policy: &self.policy,
            keyer: &PersonKeyer::new([7; 32], IdForm::Raw),
            period: self.period.map(|period| Period::parse(period).unwrap()),
            format: self.format,
            on_error: self.on_error,
            announced_sha256: self.announced,
            organisation: &Organisation::parse(self.organisation).unwrap(),
        };
        read(&intake, self.body, kept)
    }

    pub(crate) fn read(&self) -> Result<(Reading, Rows), ReadError> {
        let mut kept = Kept::default();
        let reading = self.read_into(&mut kept)?;
        assert_eq!(reading.rows_accepted, u64::try_from(kept.rows.len()).unwrap());
        Ok((reading, kept.rows))
    }

    /// The code with which the file is refused.
    pub(crate) fn refused(&self) -> &'static str {
        self.read().expect_err("the file is refused").code()
    }

    /// The findings as `row column rule`, whether the file was refused or the rows were skipped.
    pub(crate) fn findings(&self) -> Vec<String> {
        let findings = match self.read() {
            Ok((reading, _)) => reading.findings,
            Err(ReadError::Rejected(Rejection::Rows { findings, .. })) => findings,
            Err(error) => panic!("refused as a whole: {error}"),
        };
        let line = |finding: RowFinding| format!("{} {} {}", finding.row, finding.column, finding.rule);
        findings.into_iter().map(line).collect()
    }
}
