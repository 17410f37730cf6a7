//! How the price of a question is shared out over what it measures.
//!
//! Evenly over the quantities (persons, a sum, the values it is divided by), then evenly over the tables of each; in
//! integers that sum to the price exactly, so that the same question is always the same draw.

use super::quantity::Quantity;
use crate::budget::Nanos;
use std::collections::{BTreeMap, BTreeSet};

/// What each table is paid, in their order.
pub(super) fn over(cost: Nanos, measured: &BTreeSet<(Quantity, Vec<usize>)>) -> Vec<Nanos> {
    let mut tables: BTreeMap<&Quantity, usize> = BTreeMap::new();
    for (quantity, _) in measured {
        *tables.entry(quantity).or_default() += 1;
    }
    let shares = cost.split_evenly(tables.len());
    // The tables stand by quantity, in the order in which the map has them.
    tables.values().zip(shares).flat_map(|(tables, share)| share.split_evenly(*tables)).collect()
}
