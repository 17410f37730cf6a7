//! What the door lets in, and what not.
