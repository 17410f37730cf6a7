//! A submitted file, from the wire to the door: headers checked, bytes streamed through a small channel.
//!
//! # Guarantees
//! Memory does not grow with the file: at most [`CHUNKS_AHEAD`] chunks wait between the network and the reader, and a
//! slow reader slows the sender down. A sender who goes away in the middle leaves the reader with an error, never with
//! an end: nothing of half a file is kept.

use super::pace::Pace;
use super::problem::Problem;
use super::strict::media_type;
use crate::identity::Digest;
use crate::submission::{Encoding, Format};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, HeaderMap};
use actix_web::web::Bytes;
use base64::Engine as _;
use sha2::{Digest as _, Sha256};
use std::io::{Error, ErrorKind, Read};
use tokio::sync::mpsc;

/// Chunks of the network (at most 64 KiB each) that may wait for the reader.
const CHUNKS_AHEAD: usize = 16;
/// Longest idempotency key.
const KEY_LONGEST: usize = 255;

/// What the headers say of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    /// CSV or NDJSON.
    pub(super) format: Format,
    /// How it is packed.
    pub(super) encoding: Encoding,
    /// The sender's idempotency key.
    pub(super) idempotency_key: String,
    /// SHA-256 of the content as it travels, if announced.
    pub(super) content_sha256: Option<Digest>,
}

impl Heading {
    /// Reads the headers.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        Ok(Self {
            format: format(headers)?,
            encoding: encoding(headers)?,
            idempotency_key: idempotency_key(headers)?,
            content_sha256: content_digest(headers)?,
        })
    }
}

fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name);
    let Some(first) = values.next() else { return Ok(None) };
    let text = first.to_str().ok().filter(|_| values.next().is_none());
    text.map(Some).ok_or_else(|| malformed(format!("send the header {name} once, in plain ASCII")))
}

fn malformed(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "header_malformed", detail)
}

fn unsupported(detail: &str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type_unsupported", detail)
}

fn format(headers: &HeaderMap) -> Result<Format, Problem> {
    match media_type(headers).as_deref() {
        Some("text/csv") => Ok(Format::Csv),
        Some("application/x-ndjson") => Ok(Format::Ndjson),
        Some("application/vnd.apache.parquet") => {
            Err(unsupported("Parquet is not taken yet; send the same rows as text/csv or application/x-ndjson"))
        }
        Some(_) | None => {
            Err(unsupported("send the file as text/csv or application/x-ndjson, and say so in Content-Type"))
        }
    }
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    match one(headers, CONTENT_ENCODING.as_str())?.map(|coding| coding.trim().to_ascii_lowercase()).as_deref() {
        None | Some("identity" | "") => Ok(Encoding::Identity),
        Some("gzip" | "x-gzip") => Ok(Encoding::Gzip),
        Some("zstd") => Ok(Encoding::Zstd),
        Some(_) => Err(unsupported("pack the file with gzip or zstd (once), or not at all")),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    let detail = "send a header Idempotency-Key of 1 to 255 visible ASCII characters, a new one for each new file: \
                  the same key again gets the same receipt";
    let key = one(headers, "idempotency-key")?.map(str::trim).unwrap_or_default();
    let fits = (1..=KEY_LONGEST).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(key.to_owned()) } else { Err(malformed(detail)) }
}

/// RFC 9530: a dictionary of digests; those by other algorithms are passed over.
fn content_digest(headers: &HeaderMap) -> Result<Option<Digest>, Problem> {
    let Some(value) = one(headers, "content-digest")? else { return Ok(None) };
    for member in value.split(',') {
        let Some(("sha-256", value)) = member.trim().split_once('=') else { continue };
        let base64 = value.strip_prefix(':').and_then(|v| v.strip_suffix(':'));
        let bytes = base64.and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
        let digest = bytes.and_then(|bytes| bytes.try_into().ok()).map(Digest);
        let expected = || malformed("Content-Digest is written sha-256=:BASE64: with the 32 bytes of the digest");
        return digest.map(Some).ok_or_else(expected);
    }
    Ok(None)
}

enum Part {
    Chunk(Bytes),
    End,
}

/// The reader's side: blocks, so it belongs on a blocking thread.
pub(super) struct Arriving {
    parts: mpsc::Receiver<Part>,
    chunk: Bytes,
    ended: bool,
}

impl Read for Arriving {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.chunk.is_empty() && !self.ended {
            match self.parts.blocking_recv() {
                Some(Part::Chunk(chunk)) => self.chunk = chunk,
                Some(Part::End) => self.ended = true,
                // the sender's side was dropped without an end: the file is not whole
                None => return Err(Error::from(ErrorKind::UnexpectedEof)),
            }
        }
        let taken = self.chunk.split_to(self.chunk.len().min(into.len()));
        for (to, from) in into.iter_mut().zip(taken.iter()) {
            *to = *from;
        }
        Ok(taken.len())
    }
}

/// The network's side.
pub(super) struct Pump {
    parts: mpsc::Sender<Part>,
}

/// A channel for one file.
pub(super) fn channel() -> (Pump, Arriving) {
    let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
    (Pump { parts: sender }, Arriving { parts: receiver, chunk: Bytes::new(), ended: false })
}

impl Pump {
    /// Sends a whole body on. Ends early, without a problem, when nobody reads any more.
    ///
    /// A crash or an error here leaves the reader with an error, since the end is sent last.
    pub(super) async fn run(self, mut pace: Pace, announced: Option<Digest>) -> Result<(), Problem> {
        let mut hash = Sha256::new();
        loop {
            let arrived = tokio::select! {
                arrived = pace.next() => arrived?,
                // whoever has answered already does not wait for a sender who may be waiting for the answer
                () = self.parts.closed() => return Ok(()),
            };
            let Some(chunk) = arrived else { break };
            hash.update(&chunk);
            if self.parts.send(Part::Chunk(chunk)).await.is_err() {
                return Ok(());
            }
        }
        if announced.is_some_and(|announced| announced != Digest(hash.finalize().into())) {
            let detail = "the content is not what Content-Digest says, and nothing was kept; send it again";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "digest_mismatch", detail));
        }
        // a reader that is gone has answered already
        let _ = self.parts.send(Part::End).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
