//! What must be true of a service after a list of operations: a dozen lines, and what follows from them.

use super::operation::Asked;
use super::service::{CUTS, PRICES};
use crate::identity::{Digest, ReleaseId, SubmissionId};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// The model. A submission owns the cell of its number, so the cells that count in an edition are the live ones then.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// Files sent so far.
    pub(super) sent: usize,
    /// Cell to the submission that owns it.
    pub(super) live: BTreeMap<usize, SubmissionId>,
    /// The cells of each edition, from number 1.
    pub(super) editions: Vec<BTreeSet<usize>>,
    /// The newest policy proposed and not yet in force.
    pub(super) proposed: Option<(Digest, DateTime<Utc>)>,
    /// Versions proposed so far, and the one in force.
    pub(super) versions: u32,
    pub(super) version: u32,
    pub(super) suspended: bool,
    /// The time.
    pub(super) now: DateTime<Utc>,
    /// Nanos used, at least and at most.
    pub(super) used: (u64, u64),
    /// The prices paid for the table of an edition under a version: a draw each.
    pub(super) paid: BTreeMap<(u32, usize), BTreeSet<u64>>,
    /// Releases by version, edition, price and cut.
    pub(super) answers: BTreeMap<(u32, usize, u64, usize), ReleaseId>,
    /// The bytes of every release seen.
    pub(super) seen: BTreeMap<ReleaseId, Vec<u8>>,
}

/// The budget of the account, in nanos.
pub(super) const CAP: u64 = 1_000_000_000;

impl Model {
    /// The draws of the newest edition, by their prices.
    fn draws(&self) -> BTreeSet<u64> {
        self.paid.get(&(self.version, self.editions.len())).cloned().unwrap_or_default()
    }

    /// The price at which a question is answered: its own if it was, else that of the most precise draw that is
    /// precise enough and that has answered it or has something to tell of it, else its own.
    pub(super) fn price(&self, asked: Asked) -> u64 {
        let own = PRICES[asked.price].1;
        let answered = |price| self.answers.contains_key(&(self.version, self.editions.len(), price, asked.cut));
        if answered(own) {
            return own;
        }
        let tells = self.expected(asked.cut).into_iter().any(|(_, counts)| counts);
        self.draws().range(own..).rev().copied().find(|&price| tells || answered(price)).unwrap_or(own)
    }

    /// What a question costs now.
    pub(super) fn cost(&self, asked: Asked) -> u64 {
        let price = self.price(asked);
        if self.draws().contains(&price) { 0 } else { price }
    }

    /// The one place of an answer.
    pub(super) fn key(&self, asked: Asked) -> (u32, usize, u64, usize) {
        (self.version, self.editions.len(), self.price(asked), asked.cut)
    }

    /// Whether the proposal has waited too long.
    pub(super) fn expired(&self) -> bool {
        self.proposed.is_some_and(|(_, at)| self.now - at > TimeDelta::days(7))
    }

    /// Whether a cost is refused for want of budget: surely, or perhaps.
    pub(super) fn refused(&self, cost: u64) -> (bool, bool) {
        (self.used.0 + cost > CAP, self.used.1 + cost > CAP)
    }

    /// Something may have been paid for of which nothing was seen.
    pub(super) fn doubt(&mut self, cost: u64) {
        self.used.1 += cost;
    }

    /// Something was paid for.
    pub(super) fn pay(&mut self, cost: u64) {
        self.used.0 += cost;
        self.used.1 += cost;
    }

    /// The cells that the newest edition tells of a cut, with whether they count.
    pub(super) fn expected(&self, cut: usize) -> Vec<(usize, bool)> {
        let cells = self.editions.last().cloned().unwrap_or_default();
        CUTS[cut].iter().map(|cell| (*cell, cells.contains(cell))).collect()
    }
}
