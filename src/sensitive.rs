//! The wrapper around everything that was computed from a person's record and has not been made private.
//!
//! # Guarantee
//! G1: outside the vault, personal values exist only inside [`Sensitive`]. It has no `Debug`, `Display`, `Serialize` or
//! `Clone`, so it cannot be printed, sent or copied; `tests/tidy.rs` lists the callers of `Sensitive::expose`.
//!
//! ```compile_fail
//! let exact = halflight::sensitive::Sensitive::new(vec![3_i64]);
//! println!("{exact:?}");
//! ```
//! The twin that compiles: a sensitive value may be held and dropped.
//! ```
//! let exact = halflight::sensitive::Sensitive::new(vec![3_i64]);
//! drop(exact);
//! ```
//! Nor can it be cloned:
//! ```compile_fail
//! let exact = halflight::sensitive::Sensitive::new(vec![3_i64]);
//! let copy = exact.clone();
//! ```

/// A value derived from microdata, before noise.
#[must_use = "a sensitive value is either handed to the next stage or dropped"]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Wraps a value as soon as it exists.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Only the callers listed in `tests/tidy.rs` may do this.
    pub(crate) fn expose(&self) -> &T {
        &self.0
    }
}
