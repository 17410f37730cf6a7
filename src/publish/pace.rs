//! A request's body, chunk by chunk, from a sender who must keep up.
//!
//! # Guarantee
//! A body that stalls, drips or passes its limit ends with a problem, so that slow senders hold neither memory nor a
//! worker. Only time spent waiting for the sender counts, never our own.

use super::problem::Problem;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use futures::StreamExt as _;
use std::time::{Duration, Instant};

/// How slow a sender may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Longest wait for the next chunk.
    pub(super) stall: Duration,
    /// Least bytes in a second on average, once a stall's time has passed.
    pub(super) bytes_per_second: u64,
    /// Most bytes in all.
    pub(super) bytes_max: u64,
}

/// A body being received.
pub(super) struct Pace {
    payload: Payload,
    patience: Patience,
    waited: Duration,
    received: u64,
}

impl Pace {
    /// Nothing received yet.
    pub(super) fn new(payload: Payload, patience: Patience) -> Self {
        Self { payload, patience, waited: Duration::ZERO, received: 0 }
    }

    /// The next chunk; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let since = Instant::now();
        let Ok(arrived) = tokio::time::timeout(self.patience.stall, self.payload.next()).await else {
            return Err(too_slow());
        };
        self.waited = self.waited.saturating_add(since.elapsed());
        let chunk = match arrived {
            None => return Ok(None),
            Some(chunk) => chunk.map_err(|error| broken(&error))?,
        };
        self.received = self.received.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if self.received > self.patience.bytes_max {
            return Err(too_large(self.patience.bytes_max));
        }
        let due = self.waited.as_secs().saturating_mul(self.patience.bytes_per_second);
        if self.waited > self.patience.stall && self.received < due { Err(too_slow()) } else { Ok(Some(chunk)) }
    }
}

/// Refuses before reading what announces itself as too large.
pub(super) fn announced(length: Option<&str>, bytes_max: u64) -> Result<(), Problem> {
    match length.and_then(|length| length.trim().parse::<u64>().ok()) {
        Some(length) if length > bytes_max => Err(too_large(bytes_max)),
        Some(_) | None => Ok(()),
    }
}

fn too_large(bytes_max: u64) -> Problem {
    let detail = format!("a body here holds at most {bytes_max} bytes; send less, or in parts");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
}

fn too_slow() -> Problem {
    let detail = "the body stopped or came too slowly, and nothing was kept; send it again";
    Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", detail)
}

fn broken(error: &PayloadError) -> Problem {
    tracing::debug!(%error, "body");
    let detail = "the body ended before it was whole, and nothing was kept; send it again";
    Problem::new(StatusCode::BAD_REQUEST, "body_broken_off", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announced_length_over_the_limit_is_refused_unread() {
        assert_eq!(announced(Some("11"), 10).unwrap_err().document().status, 413);
        assert!(announced(Some("10"), 10).is_ok() && announced(None, 10).is_ok());
    }

    #[actix_web::test]
    async fn a_body_that_stalls_or_passes_its_limit_ends_with_a_problem() {
        let patience = Patience { stall: Duration::from_millis(20), bytes_per_second: 1, bytes_max: 4 };
        let silent: Payload = Payload::Stream { payload: Box::pin(futures::stream::pending()) };
        assert_eq!(Pace::new(silent, patience).next().await.unwrap_err().document().code, "body_too_slow");
        let long = futures::stream::iter([Ok(Bytes::from_static(b"abc")), Ok(Bytes::from_static(b"de"))]);
        let mut pace = Pace::new(Payload::Stream { payload: Box::pin(long) }, patience);
        assert_eq!(pace.next().await.unwrap().unwrap(), "abc");
        assert_eq!(pace.next().await.unwrap_err().document().code, "body_too_large");
        let cut = futures::stream::iter([Err(PayloadError::Incomplete(None))]);
        let mut pace = Pace::new(Payload::Stream { payload: Box::pin(cut) }, patience);
        assert_eq!(pace.next().await.unwrap_err().document().code, "body_broken_off");
    }
}
