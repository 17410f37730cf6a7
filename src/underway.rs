//! What is being worked on at this moment: ids that have somebody behind them.
//!
//! Work can end early: by an error, a panic, an asker who went away. Whatever it began (a claim that is open, a file
//! that no manifest names) is then held by nobody, and can be told from work in progress by that alone. So the ledger
//! knows which claims to end, and the vault which files to destroy, without asking how the work ended.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The ids under work in this process. Clones share one list.
#[derive(Debug)]
pub struct Underway<T: Ord>(Arc<Mutex<BTreeSet<T>>>);

impl<T: Ord> Default for Underway<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Ord + Clone> Underway<T> {
    /// Begins work on an id.
    pub fn hold(&self, id: T) -> Hold<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        Hold { held: Arc::clone(&self.0), id }
    }

    /// Whether somebody works on it.
    #[must_use]
    pub fn holds(&self, id: &T) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }
}

/// Somebody works on an id until this is dropped.
#[derive(Debug)]
#[must_use = "the work has ended when this is dropped"]
pub struct Hold<T: Ord> {
    held: Arc<Mutex<BTreeSet<T>>>,
    id: T,
}

impl<T: Ord> Hold<T> {
    /// The id.
    pub fn id(&self) -> &T {
        &self.id
    }
}

impl<T: Ord> Drop for Hold<T> {
    fn drop(&mut self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_ends_early_holds_nothing() {
        let underway = Underway::default();
        let hold = underway.hold(1);
        assert!(underway.holds(&1) && !underway.holds(&2) && *hold.id() == 1);
        let ended = std::thread::spawn(move || {
            let _hold = hold;
            std::panic::resume_unwind(Box::new("early"));
        });
        assert!(ended.join().is_err() && !underway.holds(&1));
    }
}
