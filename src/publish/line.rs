//! A connection, and how long it may be silent.
//!
//! # Guarantee
//! A connection with no request in flight ends after [`Patience::waiting`], however it drips its next head. One that
//! does not take its reply ends after [`Patience::stall`] of silence, or once it falls behind the least pace; so
//! nobody holds a place, a buffer or a reply for ever. While a request is worked on, nothing here counts: the body has
//! a pace of its own, and time that we take is not the sender's fault.

use super::bare;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::rt::net::TcpStream;
use actix_web::web::Bytes;
use std::cell::Cell;
use std::io::{Error, ErrorKind, Result};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How slow the other side may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// From one request's end to the next one's whole head.
    pub(super) waiting: Duration,
    /// Longest time in which nothing of a reply is taken.
    pub(super) stall: Duration,
    /// Least bytes of a reply in a second, once a stall's time has passed; 0: none.
    pub(super) bytes_per_second: u64,
}

/// What requests say to their connection: whether one is in flight.
pub(super) struct Line {
    waiting_since: Cell<Option<Instant>>,
}

impl Line {
    /// A request is in flight until the guard is dropped, with the last of its reply.
    pub(super) fn busy(self: Rc<Self>) -> Busy {
        self.waiting_since.set(None);
        Busy(self)
    }
}

/// A request in flight.
pub(super) struct Busy(Rc<Line>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.waiting_since.set(Some(Instant::now()));
    }
}

/// The body of a reply, until whose end its request is in flight.
pub(super) struct Replied {
    body: BoxBody,
    _busy: Busy,
}

impl Replied {
    /// A body that holds the guard.
    pub(super) fn new(body: BoxBody, busy: Busy) -> Self {
        Self { body, _busy: busy }
    }
}

impl MessageBody for Replied {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<std::result::Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(cx)
    }
}

/// A reply that the other side does not take as fast as it could be sent.
struct Blocked {
    since: Instant,
    last: Instant,
    taken: u64,
}

/// A reply of the library that a problem document is sent for.
struct Instead {
    document: Vec<u8>,
    sent: usize,
    stands_for: usize,
}

/// A stream that ends when patience does.
pub(super) struct Watched<T = TcpStream> {
    stream: T,
    line: Rc<Line>,
    patience: Patience,
    blocked: Option<Blocked>,
    instead: Option<Instead>,
    alarm: Pin<Box<Sleep>>,
}

impl<T> Watched<T> {
    /// Watches from now on.
    pub(super) fn new(stream: T, patience: Patience) -> Self {
        let now = Instant::now();
        let line = Rc::new(Line { waiting_since: Cell::new(Some(now)) });
        let alarm = Box::pin(sleep_until(now + patience.waiting));
        Self { stream, line, patience, blocked: None, instead: None, alarm }
    }

    /// Where its requests say that they are in flight.
    pub(super) fn line(&self) -> Rc<Line> {
        Rc::clone(&self.line)
    }

    fn deadline(&self) -> Option<Instant> {
        let Patience { waiting, stall, bytes_per_second } = self.patience;
        let waiting = self.line.waiting_since.get().map(|since| since + waiting);
        let taking = self.blocked.as_ref().map(|blocked| {
            let paid = blocked.taken.checked_div(bytes_per_second).map_or(Duration::MAX, Duration::from_secs);
            let behind = blocked.since.checked_add(paid.max(stall));
            (blocked.last + stall).min(behind.unwrap_or(blocked.last + stall))
        });
        waiting.into_iter().chain(taking).min()
    }

    /// Fails once patience is at its end, and sees to it that the connection is looked at when it will be. Asked only
    /// when the other side has nothing for us: what lies there already has come in time, however late we look.
    fn patient(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let Some(deadline) = self.deadline() else { return Ok(()) };
        if self.alarm.deadline() != deadline {
            self.alarm.as_mut().reset(deadline);
        }
        if self.alarm.as_mut().poll(cx).is_ready() { Err(Error::from(ErrorKind::TimedOut)) } else { Ok(()) }
    }

    /// Pending ends with patience.
    fn unless_pending<R>(&mut self, cx: &mut Context<'_>, outcome: Poll<Result<R>>) -> Poll<Result<R>> {
        if outcome.is_pending() {
            self.patient(cx)?;
        }
        outcome
    }
}

impl<T: AsyncWrite + Unpin> Watched<T> {
    /// Writes, and notes how much of it was taken.
    fn send(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let outcome = pin!(&mut self.stream).poll_write(cx, bytes);
        let now = Instant::now();
        match (&outcome, &mut self.blocked) {
            (Poll::Pending, None) => self.blocked = Some(Blocked { since: now, last: now, taken: 0 }),
            (Poll::Ready(Ok(taken)), Some(blocked)) => {
                blocked.last = now;
                blocked.taken = blocked.taken.saturating_add(u64::try_from(*taken).unwrap_or(u64::MAX));
            }
            _ => {}
        }
        self.unless_pending(cx, outcome)
    }

    fn send_instead(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize>> {
        while let Some(mut instead) = self.instead.take() {
            let rest = instead.document.get(instead.sent..).unwrap_or_default();
            if rest.is_empty() {
                return Poll::Ready(Ok(instead.stands_for));
            }
            let outcome = self.send(cx, rest);
            if let Poll::Ready(Ok(sent)) = &outcome {
                instead.sent = instead.sent.saturating_add(*sent);
            }
            self.instead = Some(instead);
            ready!(outcome)?;
        }
        Poll::Ready(Ok(0))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        let outcome = pin!(&mut this.stream).poll_read(cx, into);
        this.unless_pending(cx, outcome)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let this = self.get_mut();
        // what is written while no request is in flight was said by the library alone
        if this.instead.is_none() && this.line.waiting_since.get().is_some() {
            let document = bare::problem_for(bytes);
            this.instead = document.map(|document| Instead { document, sent: 0, stands_for: bytes.len() });
        }
        if this.instead.is_some() { this.send_instead(cx) } else { this.send(cx, bytes) }
    }

    /// Called when everything was written.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        this.blocked = None;
        if this.patient(cx).is_err() {
            // the next look is at what has come
            cx.waker().wake_by_ref();
        }
        pin!(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        pin!(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    /// A patience that ends soon with the waiting, and with a reply only where a test says so.
    fn watched(waiting: u64, stall: u64, bytes_per_second: u64) -> (Watched<DuplexStream>, DuplexStream) {
        let (ours, theirs) = duplex(64);
        let (waiting, stall) = (Duration::from_millis(waiting), Duration::from_millis(stall));
        (Watched::new(ours, Patience { waiting, stall, bytes_per_second }), theirs)
    }

    #[tokio::test]
    async fn a_head_that_drips_ends_the_connection() {
        let (mut watched, mut theirs) = watched(200, 60_000, 0);
        let dripping = tokio::spawn(async move {
            while theirs.write_all(b"G").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        let (mut byte, began) = ([0], Instant::now());
        let ended = loop {
            if let Err(error) = watched.read_exact(&mut byte).await {
                break error;
            }
        };
        assert_eq!(ended.kind(), ErrorKind::TimedOut);
        assert!(began.elapsed() >= Duration::from_millis(150), "{:?}", began.elapsed());
        drop(watched);
        dripping.await.unwrap();
    }

    #[tokio::test]
    async fn a_request_in_flight_may_take_its_time_and_then_the_next_one_is_waited_for() {
        let (mut watched, mut theirs) = watched(100, 60_000, 0);
        let mut byte = [0];
        let busy = watched.line().busy();
        tokio::time::sleep(Duration::from_millis(300)).await;
        theirs.write_all(b"1").await.unwrap();
        watched.read_exact(&mut byte).await.unwrap();
        drop(busy);
        assert_eq!(watched.read(&mut byte).await.unwrap_err().kind(), ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_reply_that_nobody_takes_ends_the_connection() {
        let (mut watched, theirs) = watched(60_000, 100, 0);
        let _busy = watched.line().busy();
        assert_eq!(watched.write_all(&[b'x'; 1_000]).await.unwrap_err().kind(), ErrorKind::TimedOut);
        drop(theirs);
    }

    #[tokio::test]
    async fn a_reply_may_be_taken_in_small_parts_but_not_below_the_least_pace() {
        for (stall, pace, arrives) in [(60_000, 10, true), (100, 1_000_000, false)] {
            let (mut watched, mut theirs) = watched(60_000, stall, pace);
            let _busy = watched.line().busy();
            let reader = tokio::spawn(async move {
                let mut part = [0; 64];
                while theirs.read_exact(&mut part).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            });
            assert_eq!(watched.write_all(&vec![b'x'; 64 * 500]).await.is_ok(), arrives, "{pace}");
            drop(watched);
            reader.await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_bare_reply_becomes_a_problem_document_and_the_words_of_requests_stay() {
        let bare = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        for busy in [false, true] {
            let (mut watched, mut theirs) = watched(60_000, 60_000, 0);
            let reader = tokio::spawn(async move {
                let mut text = String::new();
                theirs.read_to_string(&mut text).await.unwrap();
                text
            });
            let _busy = busy.then(|| watched.line().busy());
            watched.write_all(bare).await.unwrap();
            drop(watched);
            let text = reader.await.unwrap();
            assert_eq!(text.contains("request_malformed"), !busy, "{text}");
            assert_eq!(text.as_bytes() == bare, busy);
        }
    }
}
