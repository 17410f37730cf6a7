//! The public log (provisional).
mod checkpoint;
mod leaf;
mod tree;
mod witness;
pub use checkpoint::{CheckpointError, Head, LogKey, open};
pub use leaf::Leaf;
pub use tree::Tree;
pub use witness::{Line, Witness};
