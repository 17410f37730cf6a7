//! The HTTP face: routes over [`Office`](crate::office::Office), problem documents, and the formats of a release.
//!
//! # Guarantees
//! G13: a reply is built from something [`Publishable`] and from nothing else. G14: no reply, header, metric or line of
//! the log carries a value of a person's record, a token, a query value or a body.
//! What a role may call is read from the `OpenAPI` document by the gate, so that a route which is not described there
//! cannot be reached, and one that is described cannot be forgotten by a test.
//!
//! The way of a request: `line` (how long a connection may be silent) → `observe` (time, log, panics) →
//! `gate` (token, role, rate) → extractors → a route → the office → [`publishable::reply`].

mod bare;
mod caller;
pub mod formats;
mod gate;
mod headers;
mod limits;
mod line;
mod logging;
mod metrics;
mod observe;
mod openapi;
mod pace;
pub mod problem;
pub mod publishable;
mod quantum;
mod ready;
mod routes;
mod schemas;
mod server;
mod serving;
mod strict;
mod upload;
mod uploads;
mod wire;

pub use gate::Table;
pub use logging::init_logging;
pub use openapi::document;
pub use problem::Problem;
pub use publishable::{Publishable, reply};
pub use routes::configure;
pub use server::{Face, HttpSettings, RateLimits};
pub use serving::{serve, serve_until};
pub(crate) use wire::spoken;
