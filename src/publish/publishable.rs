//! The list of what may leave over HTTP, and the only door through which it does.
//!
//! # Guarantee
//! G13: [`reply`] takes only what is [`Publishable`]; the trait is sealed and implemented here alone, so that widening
//! what may leave is a change to this file. It must never be implemented for a type that holds exact figures of persons
//! (a receipt does, of its own submitter, and goes to that submitter only).
//!
//! A release's receipt may be replied with:
//! ```
//! use actix_web::http::StatusCode;
//! fn send(receipt: &halflight::ledger::Receipt) { let _ = halflight::publish::reply(StatusCode::OK, receipt); }
//! ```
//! An exact table may not, wrapped or not, and neither may anything that merely serialises:
//! ```compile_fail
//! use actix_web::http::StatusCode;
//! use halflight::sensitive::Sensitive;
//! fn send(exact: &Sensitive<Vec<i64>>) { let _ = halflight::publish::reply(StatusCode::OK, exact); }
//! ```
//! ```compile_fail
//! use actix_web::http::StatusCode;
//! fn send(rows: &Vec<i64>) { let _ = halflight::publish::reply(StatusCode::OK, rows); }
//! ```
//! ```compile_fail
//! use actix_web::http::StatusCode;
//! fn send(any: &serde_json::Value) { let _ = halflight::publish::reply(StatusCode::OK, any); }
//! ```
//! Nor can the list be made longer from outside:
//! ```compile_fail
//! struct Rows(Vec<i64>);
//! impl halflight::publish::Publishable for Rows {
//!     fn written(&self) -> Result<halflight::publish::publishable::Written, halflight::publish::Problem> { loop {} }
//! }
//! ```

use super::formats::Rendered;
use super::openapi::Description;
use super::problem::{Problem, ProblemDocument};
use super::routes::faces::{Health, LogKeyFace, Proof, ReleaseSummary, TokenIssued};
use crate::ledger::{Receipt, TokenRow};
use crate::office::{BudgetFace, DatasetFace, EditionClosed, PolicyRecord, Quote};
use crate::policy::Indicator;
use crate::release::Loss;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::web::Bytes;
use serde::Serialize;

/// JSON as it is served.
pub const JSON: &str = "application/json";
/// Problem documents (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";
/// Plain text.
pub const TEXT: &str = "text/plain; charset=utf-8";
/// A page.
pub const HTML: &str = "text/html; charset=utf-8";
/// Tiles of the log.
pub const OCTETS: &str = "application/octet-stream";

mod sealed {
    pub trait Sealed {}
}

/// Bytes ready to leave.
#[derive(Debug, Clone)]
pub struct Written {
    media_type: &'static str,
    bytes: Bytes,
}

/// What may be replied with. Sealed: the implementations are those of this file.
pub trait Publishable: sealed::Sealed {
    /// The bytes and their media type.
    ///
    /// # Errors
    /// A fault if a stored document cannot be read back.
    fn written(&self) -> Result<Written, Problem>;
}

/// The one way to build a reply with a body.
///
/// # Errors
/// A fault if what is to be sent cannot be written.
pub fn reply(status: StatusCode, what: &(impl Publishable + ?Sized)) -> Result<HttpResponse, Problem> {
    let Written { media_type, bytes } = what.written()?;
    let mut response = HttpResponse::with_body(status, actix_web::body::BoxBody::new(bytes));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    Ok(response)
}

/// A reply without a body: 204, 304.
#[must_use]
pub(super) fn empty(status: StatusCode) -> HttpResponse {
    HttpResponse::with_body(status, actix_web::body::BoxBody::new(()))
}

fn json(what: &impl Serialize, media_type: &'static str) -> Result<Written, Problem> {
    match serde_json::to_vec(what) {
        Ok(bytes) => Ok(Written { media_type, bytes: bytes.into() }),
        Err(error) => Err(Problem::fault("not_writable", &error)),
    }
}

macro_rules! publishable_as_json {
    ($($type:ty),* $(,)?) => {$(
        impl sealed::Sealed for $type {}
        impl Publishable for $type {
            fn written(&self) -> Result<Written, Problem> {
                json(self, JSON)
            }
        }
        impl sealed::Sealed for [$type] {}
        impl Publishable for [$type] {
            fn written(&self) -> Result<Written, Problem> {
                json(&self, JSON)
            }
        }
    )*};
}

publishable_as_json!(
    // for the submitter alone
    Receipt,
    // officers
    Loss,
    EditionClosed,
    PolicyRecord,
    // askers
    Quote,
    BudgetFace,
    // everyone
    DatasetFace,
    Indicator,
    ReleaseSummary,
    Proof,
    LogKeyFace,
    Health,
    // operators
    TokenRow,
    TokenIssued,
    Description,
);

impl sealed::Sealed for ProblemDocument {}
impl Publishable for ProblemDocument {
    fn written(&self) -> Result<Written, Problem> {
        json(self, PROBLEM_JSON)
    }
}

macro_rules! publishable_as_it_is {
    ($($(#[$doc:meta])* $type:ident($inner:ty) as $media_type:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub(super) struct $type(pub(super) $inner);
        impl sealed::Sealed for $type {}
        impl Publishable for $type {
            fn written(&self) -> Result<Written, Problem> {
                Ok(Written { media_type: $media_type, bytes: self.0.clone().into() })
            }
        }
    )*};
}

publishable_as_it_is!(
    /// The signed head of the log.
    Checkpoint(String) as TEXT;
    /// A tile of the log.
    Tile(Vec<u8>) as OCTETS;
    /// A leaf of the log, in its canonical JSON.
    Leaf(String) as JSON;
    /// A page of ours: documentation, never data.
    Page(String) as HTML;
    /// Metrics in the Prometheus text format: counts of requests, never of persons.
    Exposition(String) as "text/plain; version=0.0.4; charset=utf-8";
);

impl sealed::Sealed for Rendered {}
impl Publishable for Rendered {
    fn written(&self) -> Result<Written, Problem> {
        Ok(Written { media_type: self.format().media_type(), bytes: self.bytes().clone() })
    }
}

#[cfg(test)]
mod tests {
    /// G13: no other file of this folder builds a response with a body.
    #[test]
    fn replies_are_built_in_one_file() {
        fn visit(folder: &std::path::Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    visit(&path, found);
                } else if !path.ends_with("publishable.rs") && !path.ends_with("tests.rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let code = text.split("#[cfg(test)]").next().unwrap_or("");
                    for way in ["HttpResponse::", "HttpResponseBuilder", "Response::build", "set_body("] {
                        if code.contains(way) {
                            found.push(format!("{}: {way}", path.display()));
                        }
                    }
                }
            }
        }
        let mut found = Vec::new();
        visit(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/publish"), &mut found);
        assert_eq!(found, Vec::<String>::new());
    }
}
