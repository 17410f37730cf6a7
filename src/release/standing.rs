//! What stands of a draw when a question is answered from it: its releases, from the first to the last.
//!
//! # Guarantee
//! A free answer is judged beside everything that was released of its draw before; the number of those releases is
//! handed to the ledger, which stores the answer only if no other has come between.

use super::answer::AnswerError;
use super::body::Body;
use super::linked::Frame;
use super::parts::Parts;
use super::table::Linked;
use crate::identity::ReleaseId;
use crate::ledger::ReleaseRow;
use crate::policy::Plan;
use std::collections::HashSet;

/// The releases of one draw.
#[derive(Debug, Clone, Default)]
pub(super) struct Shelf {
    bodies: Vec<Body>,
}

impl Shelf {
    /// Reads the releases of a draw, in the order in which they were made.
    ///
    /// # Errors
    /// A fault if one does not read as a release.
    pub(super) fn of(releases: &[ReleaseRow]) -> Result<Self, AnswerError> {
        let read = |row: &ReleaseRow| serde_json::from_slice(&row.body).map_err(|_| AnswerError::Fault("shelf"));
        Ok(Self { bodies: releases.iter().map(read).collect::<Result<_, _>>()? })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.bodies.len()
    }

    /// The one that paid for the draw.
    pub(super) fn first(&self) -> Option<ReleaseId> {
        self.bodies.first().map(|body| body.id.clone())
    }

    /// All their tables, each once, with the draw's own estimates where they tell none.
    pub(super) fn linked(&self, plan: &Plan, parts: &Parts<'_>) -> Result<Linked, AnswerError> {
        let frame = Frame::of_plan(plan);
        let mut seen = HashSet::new();
        let mut linked = Linked::new();
        for body in &self.bodies {
            for (link, mut told) in frame.tables(body).map_err(|_| AnswerError::Fault("shelf"))? {
                if !seen.insert((link.clone(), told.axes.clone())) {
                    continue;
                }
                if !link.rows {
                    told.estimates = parts.over(&told.axes, link.alone.as_deref())?;
                }
                linked.entry(link).or_default().push(told);
            }
        }
        Ok(linked)
    }
}
