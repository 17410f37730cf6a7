//! One record becomes one coded row: codes to places on their lists, integers to bands, numbers clamped.
//!
//! # Guarantees
//! Codes, bands and bounds are the policy's alone. What is not needed is not kept: of a banded age only the band, of an
//! ignored column nothing. A row is kept whole or not at all. Plain rows are coded without allocating.

use super::layout::{Layout, PERSON, Record};
use super::number::{decimal, integer};
use super::rules::Findings;
use super::{ColumnValues, PersonKey, PersonKeyer, PlaceholderId, RowBatch, RowRule};
use crate::policy::{Bands, CodeList, Kind, Measure, Policy, Selection};
use std::collections::HashMap;

/// Codes the records of one file.
pub(super) struct Coder<'a> {
    keyer: &'a PersonKeyer,
    columns: Vec<Codes>,
    impossible: Vec<Impossible>,
    /// The row being coded.
    values: Vec<Value>,
    /// The id being keyed, normalised.
    normal: String,
}

/// A coded value.
#[derive(Clone, Copy)]
enum Value {
    Code(u16),
    Number(Option<i64>),
}

/// How the values of one column are read.
enum Codes {
    Listed(HashMap<Box<[u8]>, u16>),
    Banded { bands: Bands, written_out: HashMap<Box<[u8]>, u16> },
    Measured { scale: u32, min: i64, max: i64, missing_allowed: bool },
}

/// A structural zero: on each of these columns, whether a code is among the selected.
struct Impossible(Vec<(usize, Vec<bool>)>);

impl<'a> Coder<'a> {
    pub(super) fn new(policy: &Policy, keyer: &'a PersonKeyer) -> Self {
        let columns = policy.columns.iter().filter_map(|column| match &column.kind {
            Kind::Dimension { codes, bands } => Some(Codes::of_dimension(codes, bands.as_ref())),
            Kind::Measure(measure) => Some(Codes::of_measure(measure)),
            Kind::Ignored => None,
        });
        Self {
            keyer,
            columns: columns.collect(),
            impossible: policy.structural_zeros.iter().map(|zero| Impossible::of(policy, zero)).collect(),
            values: Vec::new(),
            normal: String::new(),
        }
    }

    /// Codes a record, or notes everything that is wrong with it. A good row waits for [`Coder::append`].
    pub(super) fn code(
        &mut self,
        row: u64,
        record: &Record,
        layout: &Layout,
        findings: &mut Findings,
    ) -> Option<PersonKey> {
        let id = record.field(PERSON);
        let person = std::str::from_utf8(id)
            .map_err(|_| RowRule::NotUtf8)
            .and_then(|id| self.keyer.key_with(id, &mut self.normal).map_err(RowRule::from))
            .map_err(|rule| findings.note(row, layout.name(PERSON), rule))
            .ok();
        self.values.clear();
        for (place, column) in layout.coded.clone().zip(&self.columns) {
            match column.read(record.field(place)) {
                Ok(value) => self.values.push(value),
                Err(rule) => findings.note(row, layout.name(place), rule),
            }
        }
        if findings.in_row(row) {
            return None;
        }
        if self.impossible.iter().any(|zero| zero.holds(&self.values)) {
            findings.note(row, "", RowRule::StructuralZero);
            return None;
        }
        person
    }

    /// Appends the row coded last.
    pub(super) fn append(&self, row: u64, person: PersonKey, batch: &mut RowBatch) {
        batch.persons.push(person);
        batch.row_numbers.push(row);
        for (column, value) in batch.columns.iter_mut().zip(&self.values) {
            match (column, value) {
                (ColumnValues::Codes(codes), Value::Code(code)) => codes.push(*code),
                (ColumnValues::Numbers(numbers), Value::Number(number)) => numbers.push(*number),
                // Both sides follow the policy's columns in order.
                (ColumnValues::Codes(_), Value::Number(_)) | (ColumnValues::Numbers(_), Value::Code(_)) => {}
            }
        }
    }
}

impl From<PlaceholderId> for RowRule {
    fn from(error: PlaceholderId) -> Self {
        match error {
            PlaceholderId::Empty => Self::EmptyId,
            PlaceholderId::Placeholder => Self::PlaceholderId,
            PlaceholderId::NotPrekeyed => Self::IdNotPrekeyed,
        }
    }
}

impl Codes {
    fn of_dimension(list: &CodeList, bands: Option<&Bands>) -> Self {
        let from = bands.map_or(0, |bands| bands.starts.len());
        let places = list.codes.iter().zip(0_u16..).skip(from);
        let places = places.map(|(code, place)| (code.id.as_bytes().into(), place)).collect();
        match bands {
            None => Self::Listed(places),
            Some(bands) => Self::Banded { bands: bands.clone(), written_out: places },
        }
    }

    fn of_measure(measure: &Measure) -> Self {
        Self::Measured {
            scale: measure.scale,
            min: measure.min,
            max: measure.max,
            missing_allowed: measure.missing_allowed,
        }
    }

    fn read(&self, text: &[u8]) -> Result<Value, RowRule> {
        match self {
            Self::Measured { missing_allowed: true, .. } if text.is_empty() => Ok(Value::Number(None)),
            _ if text.is_empty() => Err(RowRule::MissingValue),
            Self::Listed(places) => places.get(text).copied().map(Value::Code).ok_or_else(|| {
                // Worth telling apart: a file saved in another encoding fails on every accent.
                if std::str::from_utf8(text).is_err() { RowRule::NotUtf8 } else { RowRule::CodeNotInList }
            }),
            Self::Banded { bands, written_out } => match integer(text) {
                Ok(value) => band(bands, value).map(Value::Code).ok_or(RowRule::OutOfRange),
                Err(rule) => written_out.get(text).copied().map(Value::Code).ok_or(rule),
            },
            Self::Measured { scale, min, max, .. } => {
                decimal(text, *scale).map(|units| Value::Number(Some(units.max(*min).min(*max))))
            }
        }
    }
}

/// The place of the band an integer falls in.
fn band(bands: &Bands, value: i64) -> Option<u16> {
    if !(bands.min..=bands.max).contains(&value) || value > bands.end {
        return None;
    }
    let behind = bands.starts.partition_point(|start| *start <= value);
    u16::try_from(behind.checked_sub(1)?).ok()
}

impl Impossible {
    fn of(policy: &Policy, zero: &Selection) -> Self {
        let coded = policy.columns.iter().filter(|column| column.kind != Kind::Ignored).enumerate();
        let parts = coded.filter_map(|(index, column)| {
            let Kind::Dimension { codes, .. } = &column.kind else { return None };
            let selected = zero.get(&column.name)?;
            Some((index, codes.codes.iter().map(|code| selected.contains(&code.id)).collect()))
        });
        Self(parts.collect())
    }

    fn holds(&self, values: &[Value]) -> bool {
        self.0.iter().all(|(index, selected)| match values.get(*index) {
            Some(Value::Code(code)) => selected.get(usize::from(*code)).copied().unwrap_or(true),
            Some(Value::Number(_)) | None => true,
        })
    }
}
