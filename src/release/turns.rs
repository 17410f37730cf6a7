//! Two identical questions at once: one draws, the other waits for its release.
//!
//! The ledger's unique open draw is the lock that counts (across processes); this one spares the second asker a
//! refusal.

use crate::identity::Digest;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// Whose turn it is, by draw.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<HashMap<Digest, Arc<tokio::sync::Mutex<()>>>>>);

impl Turns {
    /// Waits until no other question for this draw is under way. The turn ends when the guard is dropped.
    pub(super) async fn take(&self, draw: Digest) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(turns.entry(draw).or_default())
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
