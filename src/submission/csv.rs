//! Records of a CSV file (RFC 4180).
//!
//! # Guarantees
//! Memory is bounded by one record of at most 2 MiB, also for a file that is one open quote. csv-core rather prefers
//! some parse over none; so that no row is swallowed by a stray quote, a line break within a field, or a quote that is
//! never closed, refuses the file.

use super::layout::{COLUMNS_MAX, FIELD_BYTES_MAX, Layout, Next, RECORD_BYTES_MAX, Record};
use super::{FileRule, ReadError, RowRule};
use csv_core::{ReadRecordResult, Reader};
use std::io::{ErrorKind, Read};

const CHUNK_BYTES: usize = 1 << 16;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads records one after another into a buffer that is used again.
pub(super) struct CsvRecords<R> {
    pub(super) body: R,
    parser: Reader,
    chunk: Vec<u8>,
    at: usize,
    filled: usize,
    ended: bool,
    /// Where the fields of the last record end.
    ends: Vec<usize>,
    fields: usize,
    /// The place of each column of the file.
    places: Vec<usize>,
    row: u64,
}

/// How a record ended.
enum Shape {
    Whole,
    TooManyFields,
    End,
}

impl<R: Read> CsvRecords<R> {
    /// Reads the header and checks it.
    pub(super) fn open(body: R, layout: &Layout, record: &mut Record) -> Result<Self, ReadError> {
        record.bytes = vec![0; RECORD_BYTES_MAX];
        let mut records = Self {
            body,
            parser: Reader::new(),
            chunk: vec![0; CHUNK_BYTES],
            at: 0,
            filled: 0,
            ended: false,
            ends: vec![0; COLUMNS_MAX + 1],
            fields: 0,
            places: Vec::new(),
            row: 0,
        };
        records.skip_byte_order_mark()?;
        match records.parse(&mut record.bytes)? {
            Shape::Whole => {}
            Shape::TooManyFields => return Err(FileRule::TooManyColumns.into()),
            Shape::End => return Err(FileRule::EmptyFile.into()),
        }
        records.places = layout.resolve(records.ranges().map(|range| record.bytes.get(range).unwrap_or_default()))?;
        Ok(records)
    }

    /// Reads the next record.
    pub(super) fn next(&mut self, record: &mut Record) -> Result<Next, ReadError> {
        self.row = self.row.saturating_add(1);
        match self.parse(&mut record.bytes)? {
            Shape::Whole => {}
            Shape::TooManyFields => return Ok(Next::Broken(None, RowRule::TooManyFields)),
            Shape::End => return Ok(Next::End),
        }
        match self.fields.cmp(&self.places.len()) {
            std::cmp::Ordering::Less => return Ok(Next::Broken(None, RowRule::TooFewFields)),
            std::cmp::Ordering::Greater => return Ok(Next::Broken(None, RowRule::TooManyFields)),
            std::cmp::Ordering::Equal => {}
        }
        let mut too_long = None;
        let mut start = 0;
        for (end, place) in self.ends.iter().zip(&self.places) {
            if end.saturating_sub(start) > FIELD_BYTES_MAX {
                too_long = Some(*place);
            }
            if let Some(field) = record.fields.get_mut(*place) {
                *field = Some(start..*end);
            }
            start = *end;
        }
        Ok(too_long.map_or(Next::Record, |place| Next::Broken(Some(place), RowRule::FieldTooLong)))
    }

    fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let ends = self.ends.iter().take(self.fields);
        let starts = std::iter::once(&0).chain(self.ends.iter());
        starts.zip(ends).map(|(start, end)| *start..*end)
    }

    /// Parses one record into `bytes` and `ends`.
    fn parse(&mut self, bytes: &mut [u8]) -> Result<Shape, ReadError> {
        let (mut written, mut fields, mut too_many) = (0_usize, 0_usize, false);
        let mut begun = false;
        loop {
            self.fill()?;
            // A line break behind the last byte ends a record that has none, but not one with an open quote.
            let input = if self.ended { b"\n" } else { self.chunk.get(self.at..self.filled).unwrap_or_default() };
            let (output, ends) = (bytes.get_mut(written..), self.ends.get_mut(fields..));
            let (result, read, wrote, ended) =
                self.parser.read_record(input, output.unwrap_or_default(), ends.unwrap_or_default());
            self.at = self.at.saturating_add(if self.ended { 0 } else { read });
            begun = begun || wrote > 0 || ended > 0;
            written = written.saturating_add(wrote);
            fields = fields.saturating_add(ended);
            match result {
                ReadRecordResult::Record if too_many || fields > COLUMNS_MAX => return Ok(Shape::TooManyFields),
                ReadRecordResult::Record => {
                    self.fields = fields;
                    let text = bytes.get(..written).unwrap_or_default();
                    let broken = text.iter().fold(false, |broken, byte| broken | matches!(byte, b'\n' | b'\r'));
                    return if broken { Err(self.malformed()) } else { Ok(Shape::Whole) };
                }
                ReadRecordResult::InputEmpty if self.ended && begun => return Err(self.malformed()),
                ReadRecordResult::InputEmpty if self.ended => return Ok(Shape::End),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => return Err(self.malformed()),
                ReadRecordResult::OutputEndsFull => (written, fields, too_many) = (0, 0, true),
                ReadRecordResult::End => return Ok(Shape::End),
            }
        }
    }

    fn malformed(&self) -> ReadError {
        FileRule::MalformedCsv { row: self.row }.into()
    }

    fn skip_byte_order_mark(&mut self) -> Result<(), ReadError> {
        while self.filled < BYTE_ORDER_MARK.len() && !self.ended {
            self.fill_from(self.filled)?;
        }
        let head = self.chunk.get(..self.filled).unwrap_or_default();
        self.at = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        self.ended = self.ended && self.at >= self.filled;
        Ok(())
    }

    fn fill(&mut self) -> Result<(), ReadError> {
        if self.at < self.filled || self.ended {
            return Ok(());
        }
        self.at = 0;
        self.filled = 0;
        self.fill_from(0)
    }

    fn fill_from(&mut self, start: usize) -> Result<(), ReadError> {
        loop {
            match self.body.read(self.chunk.get_mut(start..).unwrap_or_default()) {
                Ok(length) => {
                    self.ended = length == 0;
                    self.filled = start.saturating_add(length);
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(ReadError::of_body(&error)),
            }
        }
    }
}
