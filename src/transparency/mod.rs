//! The public log: an RFC 6962 tree over canonical JSON leaves, signed checkpoints, a witness, and the offline verifier.
//!
//! # Guarantee
//! G12: the log only grows. A leaf holds no count, size or plain digest of microdata and no asker's name: the log is
//! public from the moment it is written.

/// The log's Ed25519 signing key and its name.
pub struct LogKey {}
