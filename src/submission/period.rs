//! The one period of a file.
//!
//! # Guarantee
//! Every accepted row is of the period the receipt names; that period is in the dataset's rhythm and one that the
//! organisation may send. A year is taken only where years are the rhythm (or there is none): in a quarterly register
//! it would stand beside its own quarters, and people would be counted twice.

use super::{FileRule, RowRule};
use crate::identity::{Organisation, Period};
use crate::policy::{Frequency, PeriodPattern, Policy};

/// Holds the period of a file once it is known.
pub(super) struct PeriodWatch<'a> {
    frequency: Frequency,
    allowed: &'a [PeriodPattern],
    period: Option<Period>,
}

impl<'a> PeriodWatch<'a> {
    /// Checks what is known before the file is read.
    pub(super) fn open(
        policy: &'a Policy,
        organisation: &Organisation,
        given: Option<&Period>,
    ) -> Result<Self, FileRule> {
        let allowed = policy.submitters.get(organisation).ok_or(FileRule::SubmitterNotAllowed)?;
        let mut watch = Self { frequency: policy.frequency, allowed, period: None };
        match given {
            Some(period) => watch.fix(period.clone())?,
            None if policy.unit.period.is_none() => return Err(FileRule::PeriodMissing),
            None => {}
        }
        Ok(watch)
    }

    /// Checks the period written in a row. The first one that is a period becomes the file's.
    pub(super) fn check(&mut self, text: &[u8]) -> Result<Result<(), RowRule>, FileRule> {
        if let Some(period) = &self.period {
            return Ok(if period.as_str().as_bytes() == text { Ok(()) } else { Err(RowRule::WrongPeriod) });
        }
        match std::str::from_utf8(text).ok().and_then(|text| Period::parse(text).ok()) {
            Some(period) => self.fix(period).map(Ok),
            None => Ok(Err(RowRule::WrongPeriod)),
        }
    }

    /// The file's period, if it is known.
    pub(super) fn into_period(self) -> Option<Period> {
        self.period
    }

    fn fix(&mut self, period: Period) -> Result<(), FileRule> {
        let is_year = period.as_str().len() == 4;
        let in_rhythm = match self.frequency {
            Frequency::Annual => is_year,
            Frequency::Quarterly | Frequency::Monthly => !is_year && self.frequency.admits(&period),
            Frequency::Irregular => true,
        };
        if !in_rhythm || !self.allowed.iter().any(|pattern| pattern.covers(&period)) {
            return Err(FileRule::PeriodNotAllowed);
        }
        self.period = Some(period);
        Ok(())
    }
}
