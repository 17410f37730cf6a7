//! Records of an NDJSON file: one flat object of strings and numbers a line.
//!
//! Numbers are taken as they are written, never through a float, so that `0.1` is a tenth; this is why the object is
//! scanned here. What is accepted is JSON (RFC 8259), which a test holds against `serde_json`.
//!
//! # Guarantees
//! Memory is bounded by one line of at most 2 MiB; there is no recursion, so depth costs nothing. A key that stands
//! twice breaks its row, since readers of JSON differ in which one they believe.

use super::layout::{FIELD_BYTES_MAX, Layout, Next, RECORD_BYTES_MAX, Record};
use super::{FileRule, ReadError, RowRule};
use std::borrow::Cow;
use std::io::{BufRead as _, BufReader, Read};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads lines one after another into buffers that are used again.
pub(super) struct JsonRecords<R> {
    pub(super) body: BufReader<R>,
    line: Vec<u8>,
    row: u64,
}

impl<R: Read> JsonRecords<R> {
    pub(super) fn open(body: R) -> Self {
        Self { body: BufReader::with_capacity(1 << 16, body), line: Vec::new(), row: 0 }
    }

    /// Reads the next record. Blank lines are passed over.
    pub(super) fn next(&mut self, layout: &Layout, record: &mut Record) -> Result<Next, ReadError> {
        while self.read_line()? {
            let first = self.row == 0;
            let line = if first { self.line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.line) } else { &self.line };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            self.row = self.row.saturating_add(1);
            let Ok(text) = std::str::from_utf8(line) else { return Ok(Next::Broken(None, RowRule::NotUtf8)) };
            return fill(text, self.row, layout, record);
        }
        Ok(if self.row == 0 { return Err(FileRule::EmptyFile.into()) } else { Next::End })
    }

    /// Reads a line; `false` at the end of the file.
    fn read_line(&mut self) -> Result<bool, ReadError> {
        self.line.clear();
        let most = u64::try_from(RECORD_BYTES_MAX).unwrap_or(u64::MAX);
        let mut body = (&mut self.body).take(most);
        body.read_until(b'\n', &mut self.line).map_err(|error| ReadError::of_body(&error))?;
        if self.line.len() == RECORD_BYTES_MAX {
            return Err(FileRule::BadJson { row: self.row.saturating_add(1) }.into());
        }
        Ok(!self.line.is_empty())
    }
}

/// Puts the values of one object into their places.
fn fill(text: &str, row: u64, layout: &Layout, record: &mut Record) -> Result<Next, ReadError> {
    record.bytes.clear();
    record.fields.iter_mut().for_each(|field| *field = None);
    let (mut object, mut members, mut broken) = (Object::open(text), 0_usize, None);
    loop {
        let (name, value) = match object.member() {
            Ok(Some(member)) => member,
            Ok(None) => return Ok(broken.unwrap_or(Next::Record)),
            Err(NotFlat) => return Ok(Next::Broken(None, RowRule::BadJson)),
        };
        members = members.saturating_add(1);
        let place = layout.place(&name).ok_or(FileRule::UnknownColumn { position: members, row })?;
        let value = value.unwrap_or_default();
        let start = record.bytes.len();
        record.bytes.extend_from_slice(value.as_bytes());
        let end = record.bytes.len();
        if value.len() > FIELD_BYTES_MAX {
            broken = Some(Next::Broken(Some(place), RowRule::FieldTooLong));
        }
        if let Some(field) = record.fields.get_mut(place)
            && field.replace(start..end).is_some()
        {
            broken = Some(Next::Broken(Some(place), RowRule::DuplicateKey));
        }
    }
}

/// The line is not one flat object of strings and numbers.
#[derive(Debug, PartialEq, Eq)]
struct NotFlat;

/// One flat object, read member by member.
struct Object<'l> {
    rest: &'l str,
    begun: bool,
}

/// A name and its value; `None` is `null`.
type Member<'l> = (Cow<'l, str>, Option<Cow<'l, str>>);

impl<'l> Object<'l> {
    fn open(line: &'l str) -> Self {
        Self { rest: line, begun: false }
    }

    /// The next member; `None` behind the last, once nothing but space follows the object.
    fn member(&mut self) -> Result<Option<Member<'l>>, NotFlat> {
        let begun = std::mem::replace(&mut self.begun, true);
        if !begun {
            self.token("{")?;
        }
        if self.token("}").is_ok() {
            return if self.rest.is_empty() { Ok(None) } else { Err(NotFlat) };
        }
        if begun {
            self.token(",")?;
        }
        let name = self.string()?;
        self.token(":")?;
        let value = match self.rest.as_bytes().first() {
            Some(b'"') => Some(self.string()?),
            Some(b'n') => self.token("null").map(|()| None)?,
            _ => Some(Cow::Borrowed(self.number()?)),
        };
        self.skip_space();
        Ok(Some((name, value)))
    }

    /// Takes one token and the space around it.
    fn token(&mut self, token: &str) -> Result<(), NotFlat> {
        self.skip_space();
        self.rest = self.rest.strip_prefix(token).ok_or(NotFlat)?;
        self.skip_space();
        Ok(())
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    fn string(&mut self) -> Result<Cow<'l, str>, NotFlat> {
        let text = self.rest.strip_prefix('"').ok_or(NotFlat)?;
        let stop = text.bytes().position(|b| b == b'"' || b == b'\\' || b < b' ').ok_or(NotFlat)?;
        let (plain, rest) = text.split_at_checked(stop).ok_or(NotFlat)?;
        if let Some(rest) = rest.strip_prefix('"') {
            self.rest = rest;
            return Ok(Cow::Borrowed(plain));
        }
        let mut strings = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
        let unescaped = strings.next().and_then(Result::ok).ok_or(NotFlat)?;
        self.rest = self.rest.get(strings.byte_offset()..).ok_or(NotFlat)?;
        Ok(Cow::Owned(unescaped))
    }

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`, as it is written.
    fn number(&mut self) -> Result<&'l str, NotFlat> {
        let is_part = |b: u8| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E');
        let end = self.rest.bytes().position(|b| !is_part(b)).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at_checked(end).ok_or(NotFlat)?;
        let (mantissa, exponent) = number.split_once(['e', 'E']).map_or((number, None), |(m, e)| (m, Some(e)));
        let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(w, f)| (w, Some(f)));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let good = digits(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && fraction.is_none_or(digits)
            && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)));
        self.rest = rest;
        if good { Ok(number) } else { Err(NotFlat) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    /// All members of a line, or `None` where it is not a flat object.
    fn members(line: &str) -> Option<Vec<(String, Option<String>)>> {
        let mut object = Object::open(line);
        let mut all = Vec::new();
        while let Some((name, value)) = object.member().ok()? {
            all.push((name.into_owned(), value.map(Cow::into_owned)));
        }
        Some(all)
    }

    #[test]
    fn numbers_are_taken_as_written() {
        let line = r#" { "a" : 0.10 , "b":-0, "c": 1e2,"d":9007199254740993, "e": null, "f": "x\u00e9\n" } "#;
        let values: Vec<_> = members(line).unwrap().into_iter().map(|(_, value)| value).collect();
        let wanted = [Some("0.10"), Some("-0"), Some("1e2"), Some("9007199254740993"), None, Some("xé\n")];
        assert_eq!(values, wanted.map(|value| value.map(str::to_owned)));
    }

    #[test]
    fn what_is_not_a_flat_object_is_refused() {
        for line in [
            "",
            "[]",
            "1",
            "{",
            "{}}",
            "{} {}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{,"a":1}"#,
            r#"{"a":1 "b":2}"#,
            r#"{"a":true}"#,
            r#"{"a":{}}"#,
            r#"{"a":[1]}"#,
            r#"{"a":01}"#,
            r#"{"a":+1}"#,
            r#"{"a":.5}"#,
            r#"{"a":5.}"#,
            r#"{"a":1e}"#,
            r#"{"a":NaN}"#,
            r#"{"a":nul}"#,
            r"{'a':1}",
            r"{a:1}",
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"x}"#,
            "{\"a\":\"\u{1}\"}",
        ] {
            assert_eq!(members(line), None, "{line}");
        }
        assert_eq!(members(" {\t} \r"), Some(Vec::new()));
        assert_eq!(members(&format!("{{\"a\":{}", "[".repeat(10_000))), None);
        assert_eq!(members(&"{\"a\":".repeat(10_000)), None);
    }

    /// Whether `serde_json` takes a line as a flat object of strings, numbers and nulls.
    fn is_flat(line: &str) -> bool {
        let Ok(Value::Object(map)) = serde_json::from_str::<Value>(line) else { return false };
        map.values().all(|value| value.is_string() || value.is_number() || value.is_null())
    }

    proptest! {
        #[test]
        fn the_scanner_takes_what_serde_json_takes(line in r#"[{}\[\]":,a0-9.eE+\-\\nul t]{0,24}"#) {
            // serde_json also refuses numbers beyond a float's range; they cannot be written in 24 characters.
            if !line.contains(['e', 'E']) {
                prop_assert_eq!(members(&line).is_some(), is_flat(&line));
            }
        }

        #[test]
        fn what_serde_json_writes_is_read_back(texts in proptest::collection::vec(any::<String>(), 0..6)) {
            let line: serde_json::Map<_, _> =
                texts.iter().enumerate().map(|(i, text)| (format!("{i}{text}"), Value::from(text.as_str()))).collect();
            let wanted: Vec<_> =
                line.iter().map(|(name, value)| (name.clone(), value.as_str().map(str::to_owned))).collect();
            prop_assert_eq!(members(&Value::Object(line).to_string()), Some(wanted));
        }
    }
}
