//! What stands of a draw when a question is answered from it: its releases, from the first to the last.
//!
//! # Guarantee
//! A free answer is judged beside everything that was released of its draw before; the number of those releases is
//! handed to the ledger, which stores the answer only if no other has come between.

use super::answer::{AnswerError, Limits};
use super::body::Body;
use super::draft::Draft;
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

/// A table by its cells, the floor it was judged by and its errors: by a higher one, or beside sums that are known more
/// closely, the same cells count anew.
type Judged = (Link, Axes, Vec<u64>);

/// The releases of one draw, as far as they were read.
#[derive(Default)]
pub(super) struct Shelf {
    first: Option<ReleaseId>,
    seen: usize,
    last: Option<u64>,
    linked: Linked,
    known: HashSet<Judged>,
    cells: usize,
    /// By release that could be cut, what would come of it beside those that were read.
    judged: HashMap<Digest, Cut>,
    /// The last answer that was judged, to be stored if it is asked for next.
    ready: Option<Ready>,
}

/// An answer beside the releases that were read, and whose it is.
struct Ready {
    release: Digest,
    question: serde_json::Value,
    draft: Draft,
}

/// What would come of a question that is answered from a draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// An answer with figures in it.
    Tells,
    /// An answer in which all that was asked for is withheld.
    Silent,
    /// None: it would give something withheld away.
    Reveals,
    /// None: so much was answered from this draw that no more is judged beside it.
    Full,
}

/// Verdicts kept of one draw.
const JUDGED_MAX: usize = 1_024;

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

    /// All their tables, each once by what it was judged by, with the draw's own estimates where they tell none.
    pub(super) fn linked(&self) -> &Linked {
        &self.linked
    }

    /// Whether no more is answered from the draw, once so many further releases are read.
    pub(super) fn is_full(&self, newer: usize, limits: &Limits) -> bool {
        self.seen + newer >= limits.answers_per_draw || self.cells >= limits.cells_per_draw
    }

    /// The answer to a plan, if it was the last one judged and nothing else was released since.
    pub(super) fn ready(&mut self, plan: &Plan) -> Option<Draft> {
        let ready = self.ready.take_if(|ready| ready.release == plan.release && ready.question == plan.question);
        ready.map(|ready| ready.draft)
    }

    /// Reads further releases, in the order in which they were made.
    ///
    /// # Errors
    /// A fault if one does not read as a release of this draw.
    pub(super) fn read(&mut self, plan: &Plan, parts: &Parts<'_>, releases: &[ReleaseRow]) -> Result<(), AnswerError> {
        let frame = Frame::of_plan(plan);
        if !releases.is_empty() {
            self.judged.clear();
            self.ready = None;
        }
        for release in releases {
            let body: Body = serde_json::from_slice(&release.body).map_err(|_| AnswerError::Fault("shelf"))?;
            for (link, mut told) in frame.tables(&body).map_err(|_| AnswerError::Fault("shelf"))? {
                let strict = told.standard_errors.iter().chain([&told.floor]).map(|number| number.to_bits()).collect();
                let judged = (link.clone(), told.axes.clone(), strict);
                if link.sum.is_some() || !self.known.insert(judged) {
                    continue;
                }
                if link.persons() {
                    told.estimates = parts.over(&told.axes, link.alone.as_deref())?;
                }
                self.cells += told.verdicts.len();
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
        let other = kept.keys().next().copied().filter(|_| kept.len() >= KEPT_MAX);
        other.map(|other| kept.remove(&other));
        kept.insert(draw, read);
    }

    /// What was judged of a release of a draw that has this one as its last.
    pub(super) fn judged(&self, draw: &Digest, last: Option<u64>, release: &Digest) -> Option<Cut> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(draw).filter(|shelf| shelf.last == last)?.judged.get(release).copied()
    }

    /// Keeps an answer that was judged, until another one is or another release of the draw is read.
    pub(super) fn keep(&self, plan: &Plan, draft: Draft) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shelf) = kept.get_mut(&plan.draw) {
            shelf.ready = Some(Ready { release: plan.release, question: plan.question.clone(), draft });
        }
    }

    /// Keeps a verdict, until another release of the draw is read.
    pub(super) fn judge(&self, draw: &Digest, release: Digest, cut: Cut) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shelf) = kept.get_mut(draw) {
            if shelf.judged.len() >= JUDGED_MAX {
                shelf.judged.clear();
            }
            shelf.judged.insert(release, cut);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> Digest {
        Digest::of(number.to_string().as_bytes())
    }

    #[test]
    fn a_shelf_more_than_are_kept_puts_one_other_out() {
        let shelves = Shelves::default();
        for draw in 0..KEPT_MAX + 5 {
            shelves.put_back(name(draw), Shelf { seen: 1, ..Shelf::default() });
            assert_eq!(shelves.0.lock().unwrap().len(), KEPT_MAX.min(draw + 1));
        }
        assert_eq!(shelves.take(&name(KEPT_MAX + 4)).seen(), 1);
    }

    #[test]
    fn a_verdict_holds_for_as_long_as_no_other_release_stands() {
        let shelves = Shelves::default();
        shelves.put_back(name(0), Shelf { last: Some(7), ..Shelf::default() });
        shelves.judge(&name(0), name(1), Cut::Reveals);
        assert_eq!(shelves.judged(&name(0), Some(7), &name(1)), Some(Cut::Reveals));
        assert_eq!(shelves.judged(&name(0), Some(8), &name(1)), None);
        assert_eq!(shelves.judged(&name(0), Some(7), &name(2)), None);
        assert_eq!(shelves.judged(&name(3), None, &name(1)), None);
    }

    #[test]
    fn a_draw_from_which_much_was_answered_is_full() {
        let limits = Limits { memory_bytes: 0, searches: 0, answers_per_draw: 4, cells_per_draw: 50 };
        let full = |seen, cells, newer| Shelf { seen, cells, ..Shelf::default() }.is_full(newer, &limits);
        assert!(!full(2, 49, 1));
        assert!(full(3, 0, 1) && full(1, 50, 0));
    }
}
