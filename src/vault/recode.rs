//! From the codes a submission was written with to those of the policy in force.
//!
//! Whether a submission fits is decided on the two code lists alone, never on its rows, so that the answer tells an
//! officer nothing about them (G8). Numbers are clamped again: bounds tightened since then hold for old rows too.

use super::VaultError;
use crate::policy::{Kind, Policy};
use crate::submission::{Coding, ColumnValues, Content};
use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::{Int64Type, UInt16Type};

/// How one submission's columns become the edition's.
pub(super) struct Recode {
    /// By column of the edition: the column of the submission, and what becomes of its values.
    columns: Vec<(String, Change)>,
}

enum Change {
    /// The new place of each old one.
    Codes(Vec<u16>),
    /// The bounds in force.
    Numbers { min: i64, max: i64 },
}

impl Recode {
    /// Compares a submission's coding with the policy in force.
    pub(super) fn new(from: &Coding, policy: &Policy, sequence: u64) -> Result<Self, VaultError> {
        let mut columns = Vec::new();
        for wanted in &Coding::of(policy).columns {
            let refused = |fix: &str| VaultError::Recode { column: wanted.name.clone(), sequence, fix: fix.to_owned() };
            let (place, found) = from
                .columns
                .iter()
                .enumerate()
                .find(|(_, column)| column.name == wanted.name)
                .ok_or_else(|| refused("it was submitted before this column was asked for; have it sent again"))?;
            let change = match (&found.content, &wanted.content) {
                (Content::Codes { codes: old }, Content::Codes { codes: new }) => {
                    let place_of = |code: &String| {
                        new.iter().position(|c| c == code).and_then(|place| u16::try_from(place).ok()).ok_or_else(|| {
                            refused(&format!(
                                "code {code} is no longer on the list; put it back, or have the submission sent again"
                            ))
                        })
                    };
                    Change::Codes(old.iter().map(place_of).collect::<Result<_, _>>()?)
                }
                (Content::Numbers { scale: old }, Content::Numbers { scale: new }) if old == new => {
                    let Some(Kind::Measure(measure)) = policy.column(&wanted.name).map(|column| &column.kind) else {
                        return Err(refused("it is not a measure in the policy in force; have it sent again"));
                    };
                    Change::Numbers { min: measure.min, max: measure.max }
                }
                (Content::Codes { .. } | Content::Numbers { .. }, _) => {
                    return Err(refused("its kind or its decimals changed; have it sent again"));
                }
            };
            columns.push((super::column_name(place), change));
        }
        Ok(Self { columns })
    }

    /// The columns to read.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// Appends chosen rows of a batch, recoded.
    pub(super) fn append(
        &self,
        batch: &RecordBatch,
        rows: &[usize],
        to: &mut [ColumnValues],
    ) -> Result<(), VaultError> {
        let unread = || VaultError::Format("read");
        for ((name, change), to) in self.columns.iter().zip(to) {
            let array = batch.column_by_name(name).ok_or_else(unread)?;
            match (change, to) {
                (Change::Codes(map), ColumnValues::Codes(to)) => {
                    let old = array.as_primitive_opt::<UInt16Type>().ok_or_else(unread)?.values();
                    for row in rows {
                        let new = old.get(*row).and_then(|code| map.get(usize::from(*code))).ok_or_else(unread)?;
                        to.push(*new);
                    }
                }
                (Change::Numbers { min, max }, ColumnValues::Numbers(to)) => {
                    let old = array.as_primitive_opt::<Int64Type>().ok_or_else(unread)?;
                    for row in rows {
                        let number = old.values().get(*row).ok_or_else(unread)?;
                        to.push(if old.is_valid(*row) { Some((*number).max(*min).min(*max)) } else { None });
                    }
                }
                (Change::Codes(_), ColumnValues::Numbers(_)) | (Change::Numbers { .. }, ColumnValues::Codes(_)) => {
                    return Err(unread());
                }
            }
        }
        Ok(())
    }
}
