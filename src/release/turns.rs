//! Two identical requests at once: one works, the other waits and finds what it made.
//!
//! The ledger's unique rows are the locks that count (across processes); this one spares the second asker a refusal.

use crate::identity::Digest;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// Whose turn it is, by what identifies the work.
#[derive(Clone, Default)]
pub struct Turns(Arc<Mutex<HashMap<Digest, Arc<tokio::sync::Mutex<()>>>>>);

impl Turns {
    /// Waits until nobody else is at this work. The turn ends when the guard is dropped.
    pub async fn take(&self, work: Digest) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(turns.entry(work).or_default())
        };
        turn.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_draw_at_a_time_and_no_turn_is_kept_for_ever() {
        let turns = Turns::default();
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        let first = turns.take(a).await;
        let other = turns.take(b).await;
        let second = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take(a).await }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        drop(second.await.unwrap());
        drop(other);
        drop(turns.take(Digest::of(b"c")).await);
        assert_eq!(turns.0.lock().unwrap().len(), 1);
    }
}
