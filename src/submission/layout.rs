//! What each column of a file is for, and one record with its fields in that order.

use super::{FileRule, RowRule};
use crate::policy::{Column, Kind, Policy};
use std::collections::HashMap;
use std::ops::Range;

/// Columns a file may have.
pub const COLUMNS_MAX: usize = 512;

/// Bytes a name in the header or a field may have.
pub const FIELD_BYTES_MAX: usize = 4_096;

/// Bytes one record may have: as many fields as there may be, as long as they may be.
pub(super) const RECORD_BYTES_MAX: usize = COLUMNS_MAX * FIELD_BYTES_MAX;

/// The column of the person comes first, whatever the order in the file.
pub(super) const PERSON: usize = 0;

/// The columns that a policy knows, each at its place: person, period (if it has a column), the coded ones, and last
/// those that are ignored.
pub(super) struct Layout {
    places: HashMap<String, usize>,
    names: Vec<String>,
    /// The place of the period.
    pub(super) period: Option<usize>,
    /// The places of the coded columns.
    pub(super) coded: Range<usize>,
}

impl Layout {
    /// What a policy expects.
    pub(super) fn of(policy: &Policy) -> Self {
        let mut names = vec![policy.unit.person.clone()];
        let period = policy.unit.period.as_ref().map(|period| {
            names.push(period.clone());
            names.len() - 1
        });
        let start = names.len();
        let of_kind = |ignored| move |column: &&Column| (column.kind == Kind::Ignored) == ignored;
        names.extend(policy.columns.iter().filter(of_kind(false)).map(|column| column.name.clone()));
        let coded = start..names.len();
        names.extend(policy.columns.iter().filter(of_kind(true)).map(|column| column.name.clone()));
        // Were a name to stand twice, the earlier place wins, and the later one is never found: `missing_column`.
        let places = names.iter().enumerate().rev().map(|(place, name)| (name.clone(), place)).collect();
        Self { places, names, period, coded }
    }

    /// How many places there are.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The place of the column of this name, if the policy declares it.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// The policy's name of a place.
    pub(super) fn name(&self, place: usize) -> &str {
        self.names.get(place).map_or("", String::as_str)
    }

    /// Checks a header and says where each of its columns goes: every column declared, none twice, none missing that is
    /// not ignored.
    pub(super) fn resolve<'h>(&self, header: impl Iterator<Item = &'h [u8]>) -> Result<Vec<usize>, FileRule> {
        let mut places = Vec::new();
        for (index, name) in header.enumerate() {
            let position = index.saturating_add(1);
            if name.len() > FIELD_BYTES_MAX {
                return Err(FileRule::HeaderTooLong { position });
            }
            let name = std::str::from_utf8(name).map_err(|_| FileRule::NotUtf8)?;
            let place = self.place(name).ok_or(FileRule::UnknownColumn { position, row: 0 })?;
            if places.contains(&place) {
                return Err(FileRule::DuplicateColumn { column: self.name(place).to_owned() });
            }
            places.push(place);
        }
        match (0..self.coded.end).find(|place| !places.contains(place)) {
            Some(missing) => Err(FileRule::MissingColumn { column: self.name(missing).to_owned() }),
            None => Ok(places),
        }
    }
}

/// One record: its fields by place. Cannot be printed.
pub(super) struct Record {
    /// The bytes that the fields lie in.
    pub(super) bytes: Vec<u8>,
    /// Where each place's field lies; a JSON object may lack some.
    pub(super) fields: Vec<Option<Range<usize>>>,
}

impl Record {
    pub(super) fn new(layout: &Layout) -> Self {
        Self { bytes: Vec::new(), fields: vec![None; layout.len()] }
    }

    /// The field of a place; empty where there is none.
    pub(super) fn field(&self, place: usize) -> &[u8] {
        self.fields.get(place).cloned().flatten().and_then(|range| self.bytes.get(range)).unwrap_or_default()
    }
}

/// What a reader of records comes to.
#[derive(Clone, Copy)]
pub(super) enum Next {
    /// A record was read.
    Record,
    /// A record is there, but broken: which place, if one is meant, and how.
    Broken(Option<usize>, RowRule),
    /// The file ends.
    End,
}
