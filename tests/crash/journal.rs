//! What clients remember: the model against which a service is held after it was killed.
//!
//! A writer writes down what was acknowledged, and for an edition what it must show. The test process is not killed,
//! so memory is durable enough.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;

/// A submission that was acknowledged and neither replaced nor withdrawn.
#[derive(Debug, Clone)]
pub struct Live {
    pub id: String,
    pub persons: usize,
}

/// What one writer knows of its period. Nobody else submits to it or closes it.
#[derive(Debug, Default)]
pub struct Journal {
    /// By cell.
    pub live: BTreeMap<usize, Live>,
    /// The receipt of every submission that was acknowledged.
    pub receipts: BTreeMap<String, Value>,
    /// Submissions that were withdrawn: their receipts are wiped.
    pub withdrawn: BTreeSet<String>,
    /// By number of the edition: the persons of each cell.
    pub editions: BTreeMap<u64, BTreeMap<usize, usize>>,
    /// Names given so far to files and keys.
    pub named: u32,
}

impl Journal {
    /// Notes a closing. Editions before it that nobody was told of come from attempts that failed: the period did not
    /// move between them, so they hold the same.
    pub fn closed(&mut self, number: u64) {
        let held: BTreeMap<usize, usize> = self.live.iter().map(|(cell, live)| (*cell, live.persons)).collect();
        let last = self.editions.keys().next_back().copied().unwrap_or(0);
        assert!(number > last, "edition {number} was acknowledged after edition {last}");
        for number in last + 1..=number {
            self.editions.insert(number, held.clone());
        }
    }
}

/// What the writers know together.
#[derive(Debug, Default)]
pub struct Board {
    /// Every release that was acknowledged, as it was first served.
    pub releases: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Periods with an edition.
    pub periods: Mutex<BTreeSet<String>>,
    /// Questions that were sent and not answered: each may have cost once.
    pub doubts: Mutex<u32>,
    /// Acts that came to their end, of all writers.
    pub acts: AtomicU32,
}

impl Board {
    /// Notes a release that was served, or holds it against what was served before: the same bytes.
    pub fn served(&self, document: &[u8]) {
        let read: Value = serde_json::from_slice(document).unwrap();
        let id = read["id"].as_str().unwrap().to_owned();
        let mut releases = self.releases.lock().unwrap();
        match releases.get(&id) {
            None => drop(releases.insert(id, document.to_vec())),
            // The only thing that may come to stand beside a release is a notice that it is superseded.
            Some(before) if read.get("notice").is_none() => {
                assert!(before == document || has_notice(before), "release {id} changed");
            }
            Some(before) => {
                let plain = |document: &[u8]| -> Value {
                    let mut read: Value = serde_json::from_slice(document).unwrap();
                    read.as_object_mut().unwrap().remove("notice");
                    read
                };
                assert_eq!(plain(before), plain(document), "release {id} changed");
            }
        }
    }

    pub fn doubt(&self) {
        *self.doubts.lock().unwrap() += 1;
    }
}

fn has_notice(document: &[u8]) -> bool {
    serde_json::from_slice::<Value>(document).unwrap().get("notice").is_some()
}
