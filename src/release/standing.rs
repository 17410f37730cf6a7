//! What stands of a draw when a question is answered from it: its releases, from the first to the last.
//!
//! # Guarantee
//! A free answer is judged beside everything that was released of its draw before; the number of those releases is
//! handed to the ledger, which stores the answer only if no other has come between.

use super::answer::AnswerError;
use super::body::Body;
use super::linked::Frame;
use super::parts::Parts;
use super::table::{Link, Linked};
use crate::identity::{Digest, ReleaseId};
use crate::ledger::ReleaseRow;
use crate::policy::Plan;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Per column, the sets of levels that the cells of a table stand for.
type Axes = Vec<Vec<Vec<usize>>>;

/// The releases of one draw, as far as they were read.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    first: Option<ReleaseId>,
    seen: usize,
    last: Option<u64>,
    linked: Linked,
    known: HashSet<(Link, Axes)>,
}

impl Shelf {
    /// How many releases were read.
    pub(super) fn seen(&self) -> usize {
        self.seen
    }

    /// The place in the log of the last one read.
    pub(super) fn last(&self) -> Option<u64> {
        self.last
    }

    /// The one that paid for the draw.
    pub(super) fn first(&self) -> Option<ReleaseId> {
        self.first.clone()
    }

    /// All their tables, each once, with the draw's own estimates where they tell none.
    pub(super) fn linked(&self) -> &Linked {
        &self.linked
    }

    /// Reads further releases, in the order in which they were made.
    ///
    /// # Errors
    /// A fault if one does not read as a release of this draw.
    pub(super) fn read(&mut self, plan: &Plan, parts: &Parts<'_>, releases: &[ReleaseRow]) -> Result<(), AnswerError> {
        let frame = Frame::of_plan(plan);
        for release in releases {
            let body: Body = serde_json::from_slice(&release.body).map_err(|_| AnswerError::Fault("shelf"))?;
            for (link, mut told) in frame.tables(&body).map_err(|_| AnswerError::Fault("shelf"))? {
                if link.sum.is_some() || !self.known.insert((link.clone(), told.axes.clone())) {
                    continue;
                }
                if link.persons() {
                    told.estimates = parts.over(&told.axes, link.alone.as_deref())?;
                }
                self.linked.entry(link).or_default().push(told);
            }
            self.first.get_or_insert(body.id);
            self.seen += 1;
            self.last = Some(release.log_index);
        }
        Ok(())
    }
}

/// Draws whose shelves are kept in memory.
const KEPT_MAX: usize = 32;

/// Shelves that were read before: releases do not change, so only newer ones are read the next time.
#[derive(Clone, Default)]
pub(super) struct Shelves(Arc<Mutex<HashMap<Digest, Shelf>>>);

impl Shelves {
    /// The shelf of a draw, as far as it was read; nobody else has it until it is put back.
    pub(super) fn take(&self, draw: &Digest) -> Shelf {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(draw).unwrap_or_default()
    }

    /// Keeps a shelf for the next time.
    pub(super) fn put_back(&self, draw: Digest, read: Shelf) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(draw, read);
    }
}
