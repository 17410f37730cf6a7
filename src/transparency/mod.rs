//! The public log: an RFC 6962 tree over canonical JSON leaves, signed checkpoints, a witness, and the offline
//! verifier.
//!
//! # Guarantee
//! G12: the log only grows. A leaf holds no count, size or plain digest of microdata and no asker's name: the log is
//! public from the moment it is written. Nothing here knows a database: hashes and leaves come in from outside, so the
//! same verifier reads a data folder, an HTTP service or a test's list.

mod account;
mod checkpoint;
mod leaf;
mod replay;
mod report;
#[cfg(test)]
mod tests;
mod tile;
mod told;
mod tree;
mod verify;
mod witness;
mod witness_read;

pub use account::{AccountReplay, ClaimReplay, ClaimState};
pub use checkpoint::{CheckpointError, Head, LogKey, open_checkpoint};
pub use leaf::{Leaf, canonical};
pub use replay::Replay;
pub use report::{Finding, Report};
pub use tile::{BUNDLE_WIDTH, ENTRY_BYTES_MAX, TilePath, bundle, split_bundle};
pub(crate) use told::{EditionReplay, PolicyReplay, Standing};
pub use tree::{Asked, Hashes, Tree, TreeError};
pub use verify::{Verifier, VerifyError, verify_by_tiles};
pub use witness::Witness;
pub use witness_read::{WitnessLine, WitnessReader};
