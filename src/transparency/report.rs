//! What a verification found.

use super::AccountReplay;
use crate::identity::{AccountId, Digest, ReleaseId};
use std::collections::BTreeMap;
use std::fmt;

/// Findings kept; the first ones say what is wrong.
const FINDINGS_MAX: usize = 1000;

/// One thing that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The leaf it is about, if it is about one.
    pub index: Option<u64>,
    /// A stable code.
    pub code: &'static str,
    /// What does not hold.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "leaf {index}: {} ({})", self.what, self.code),
            None => write!(f, "{} ({})", self.what, self.code),
        }
    }
}

/// What a verification found: everything holds if there are no findings.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Leaves read.
    pub leaves: u64,
    /// Root of the tree over them.
    pub root: Option<Digest>,
    /// The key the checkpoint was verified with: compare it with one from somebody you trust.
    pub verifier_key: String,
    /// The fewest approvals a policy needed at any time; below two only in a demonstration.
    pub approvals_least: Option<u32>,
    /// What each account may lose and has lost.
    pub accounts: BTreeMap<AccountId, AccountReplay>,
    /// Releases and the digests of their bodies.
    pub releases: BTreeMap<ReleaseId, Digest>,
    /// Databases put back: the leaves each had, and the leaf that says so. Rows of what began in between are lost.
    pub restored: Vec<(u64, u64)>,
    /// What does not hold.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Notes something that does not hold.
    pub fn find(&mut self, index: Option<u64>, code: &'static str, what: impl Into<String>) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { index, code, what: what.into() });
        }
    }
}
