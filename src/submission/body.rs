//! The body of a submission: decompressed, measured, digested on the way.
//!
//! # Guarantees
//! Whatever arrives, memory stays flat: nothing here keeps more than a decoder's window (8 MiB for zstd, RFC 9659). A
//! body that unpacks beyond its limit ends with [`BodyFault::TooLarge`], however small it was on the wire.

use crate::identity::Digest;
use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};
use std::io::{self, BufReader, ErrorKind, Read};

/// The largest decoded body that is ever read: 64 GiB.
pub const BODY_BYTES_MAX: u64 = 64 << 30;

/// The largest window of a zstd frame, as a power of two: 8 MiB, the bound of RFC 9659.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Identity,
    /// gzip, any number of members.
    Gzip,
    /// Zstandard, any number of frames.
    Zstd,
}

/// Why a body did not arrive whole. Carried inside [`io::Error`] by [`decoded`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// It passes the limit once decoded.
    #[error("the body is larger, when decompressed, than is accepted")]
    TooLarge,
    /// It is not compressed as announced, or damaged.
    #[error("the body does not decompress")]
    BadEncoding,
    /// What arrived is not what was announced.
    #[error("the body does not have the digest announced")]
    DigestMismatch,
    /// It broke off.
    #[error("the body broke off")]
    Broken(ErrorKind),
}

impl BodyFault {
    /// What an error of a body's reader stands for.
    pub(super) fn of(error: &io::Error) -> Self {
        Self::within(error).unwrap_or(Self::Broken(error.kind()))
    }

    fn within(error: &io::Error) -> Option<Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()).copied()
    }

    /// Lets faults pass, and turns any other error into this one.
    fn instead_of(self, error: io::Error) -> io::Error {
        let passes = Self::within(&error).is_some() || error.kind() == ErrorKind::Interrupted;
        if passes { error } else { self.into() }
    }
}

impl From<BodyFault> for io::Error {
    fn from(fault: BodyFault) -> Self {
        let kind = match fault {
            BodyFault::TooLarge => ErrorKind::FileTooLarge,
            BodyFault::BadEncoding | BodyFault::DigestMismatch => ErrorKind::InvalidData,
            BodyFault::Broken(kind) => kind,
        };
        Self::new(kind, fault)
    }
}

/// Checks a body, as it arrives, against the `Content-Digest` announced with it (RFC 9530: the bytes as sent, before
/// [`decoded`] unpacks them). The fault comes at its end.
pub fn announced(sha256: Digest, body: impl Read) -> impl Read {
    Announced { body, digest: Sha256::new(), sha256 }
}

struct Announced<R> {
    body: R,
    digest: Sha256,
    sha256: Digest,
}

impl<R: Read> Read for Announced<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.body.read(buffer)?;
        self.digest.update(buffer.get(..length).unwrap_or_default());
        let differs = || self.sha256 != Digest(self.digest.clone().finalize().into());
        if length == 0 && !buffer.is_empty() && differs() {
            return Err(BodyFault::DigestMismatch.into());
        }
        Ok(length)
    }
}

/// Unpacks a body, up to `max_decoded` bytes.
///
/// Errors of the reader carry a [`BodyFault`].
pub fn decoded<'a>(encoding: Encoding, body: impl Read + Send + 'a, max_decoded: u64) -> impl Read + Send + 'a {
    let arriving = Arriving(body);
    let begin = move || -> Box<dyn Read + Send + 'a> {
        match encoding {
            Encoding::Identity => Box::new(arriving),
            Encoding::Gzip => Box::new(Unpacking(MultiGzDecoder::new(BufReader::new(arriving)))),
            Encoding::Zstd => match zstd_decoder(arriving) {
                Ok(decoder) => Box::new(Unpacking(decoder)),
                Err(_) => Box::new(Failed(BodyFault::Broken(ErrorKind::OutOfMemory))),
            },
        }
    };
    let plain = Begun { begin: Some(begin), body: Box::new(io::empty()) };
    Limited { body: plain, left: max_decoded.min(BODY_BYTES_MAX) }
}

fn zstd_decoder<R: Read>(body: R) -> io::Result<zstd::stream::read::Decoder<'static, BufReader<R>>> {
    let mut decoder = zstd::stream::read::Decoder::new(body)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    Ok(decoder)
}

/// A body begun at the first read: a decoder waits for the stream's first bytes when it is made, and waiting is for the
/// thread that reads, not for the one that accepts.
struct Begun<'a, B> {
    begin: Option<B>,
    body: Box<dyn Read + Send + 'a>,
}

impl<'a, B: FnOnce() -> Box<dyn Read + Send + 'a>> Read for Begun<'a, B> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(begin) = self.begin.take() {
            self.body = begin();
        }
        self.body.read(buffer)
    }
}

/// Marks the errors of the connection, so that a decoder's own can be told from them.
struct Arriving<R>(R);

impl<R: Read> Read for Arriving<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| BodyFault::Broken(error.kind()).instead_of(error))
    }
}

/// Turns a decoder's own errors into a fault without text.
struct Unpacking<R>(R);

impl<R: Read> Read for Unpacking<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| BodyFault::BadEncoding.instead_of(error))
    }
}

/// A body that could not even be begun.
struct Failed(BodyFault);

impl Read for Failed {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        Err(self.0.into())
    }
}

/// Ends with a fault once more than the limit has come out.
struct Limited<R> {
    body: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.body.read(buffer)?;
        let read = u64::try_from(length).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(read).ok_or(BodyFault::TooLarge)?;
        Ok(length)
    }
}

/// Digests what is read, and never reads more than [`BODY_BYTES_MAX`].
pub(super) struct Digesting<R> {
    body: Limited<R>,
    digest: Sha256,
}

impl<R: Read> Digesting<R> {
    pub(super) fn new(body: R) -> Self {
        Self { body: Limited { body, left: BODY_BYTES_MAX }, digest: Sha256::new() }
    }

    /// The digest of everything read so far.
    pub(super) fn finish(self) -> Digest {
        Digest(self.digest.finalize().into())
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.body.read(buffer)?;
        self.digest.update(buffer.get(..length).unwrap_or_default());
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write as _;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(encoding: Encoding, body: &[u8], limit: u64) -> Result<Vec<u8>, BodyFault> {
        let mut plain = Vec::new();
        decoded(encoding, body, limit).read_to_end(&mut plain).map_err(|error| BodyFault::of(&error))?;
        Ok(plain)
    }

    #[test]
    fn members_and_frames_follow_one_another() {
        let members = [gzip(b"one,"), gzip(b"two")].concat();
        assert_eq!(unpack(Encoding::Gzip, &members, 100).unwrap(), b"one,two");
        let frames = [zstd::encode_all(&b"one,"[..], 1).unwrap(), zstd::encode_all(&b"two"[..], 1).unwrap()].concat();
        assert_eq!(unpack(Encoding::Zstd, &frames, 100).unwrap(), b"one,two");
        assert_eq!(unpack(Encoding::Identity, b"one,two", 7).unwrap(), b"one,two");
    }

    #[test]
    fn a_body_that_unpacks_beyond_its_limit_is_stopped() {
        let zeros = vec![0; 1 << 20];
        let limit = (1 << 20) - 1;
        assert_eq!(unpack(Encoding::Gzip, &gzip(&zeros), limit), Err(BodyFault::TooLarge));
        assert_eq!(unpack(Encoding::Zstd, &zstd::encode_all(&zeros[..], 1).unwrap(), limit), Err(BodyFault::TooLarge));
        assert_eq!(unpack(Encoding::Identity, &zeros, limit), Err(BodyFault::TooLarge));
        assert_eq!(unpack(Encoding::Gzip, &gzip(&zeros), limit + 1).unwrap(), zeros);
    }

    #[test]
    fn a_damaged_or_cut_body_is_no_body() {
        let plain: Vec<u8> = (0..20_000_u32).flat_map(u32::to_le_bytes).collect();
        for (encoding, whole) in
            [(Encoding::Gzip, gzip(&plain)), (Encoding::Zstd, zstd::encode_all(&plain[..], 1).unwrap())]
        {
            let cut = &whole[..whole.len() / 2];
            assert_eq!(unpack(encoding, cut, 1 << 20), Err(BodyFault::BadEncoding), "{encoding:?} cut");
            assert_eq!(
                unpack(encoding, b"person_id,sex\n", 1 << 20),
                Err(BodyFault::BadEncoding),
                "{encoding:?} plain"
            );
        }
        let mut damaged = gzip(&plain);
        let last = damaged.len() - 6;
        damaged[last] ^= 1;
        assert_eq!(unpack(Encoding::Gzip, &damaged, 1 << 20), Err(BodyFault::BadEncoding), "checksum");
    }

    #[test]
    fn the_digest_announced_is_that_of_the_bytes_as_sent() {
        let plain = vec![7; 100_000];
        let zstd = zstd::encode_all(&plain[..], 1).unwrap();
        for (encoding, sent) in
            [(Encoding::Identity, plain.clone()), (Encoding::Gzip, gzip(&plain)), (Encoding::Zstd, zstd)]
        {
            let read = |digest| {
                let mut unpacked = Vec::new();
                let body = decoded(encoding, announced(digest, &sent[..]), 1 << 20).read_to_end(&mut unpacked);
                body.map(|_| unpacked).map_err(|error| BodyFault::of(&error))
            };
            assert_eq!(read(Digest::of(&sent)).as_ref(), Ok(&plain), "{encoding:?}");
            assert_eq!(read(Digest::of(b"other")), Err(BodyFault::DigestMismatch), "{encoding:?}");
        }
    }

    #[test]
    fn a_zstd_window_above_8_mib_is_refused() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(24).unwrap();
        encoder.write_all(&[7; 64]).unwrap();
        let frame = encoder.finish().unwrap();
        assert_eq!(unpack(Encoding::Zstd, &frame, 1 << 20), Err(BodyFault::BadEncoding));
    }

    #[test]
    fn a_broken_connection_is_told_from_a_broken_encoding() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
                Err(ErrorKind::ConnectionReset.into())
            }
        }
        for encoding in [Encoding::Identity, Encoding::Gzip, Encoding::Zstd] {
            let error = decoded(encoding, Broken, 10).read(&mut [0; 8]).unwrap_err();
            assert_eq!(BodyFault::of(&error), BodyFault::Broken(ErrorKind::ConnectionReset), "{encoding:?}");
        }
    }
}
