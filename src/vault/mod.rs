//! The vault: submissions and editions, sealed.
