//! Extractors: who calls, and the checked parts of an address.
//!
//! # Guarantee
//! A handler that names [`Caller`] is not entered without a valid token. What stands in a path or a query reaches a
//! handler only as a checked type; what was wrong is said without repeating it.

use super::problem::Problem;
use super::wire::spoken;
use crate::identity::Principal;
use crate::office::OfficeError;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};
use serde::de::DeserializeOwned;
use std::future::{Ready, ready};

/// The bearer of a valid token.
pub(super) struct Caller(pub(super) Principal);

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let principal = req.extensions().get::<Principal>().cloned();
        ready(principal.map(Self).ok_or_else(|| OfficeError::Unauthenticated.into()))
    }
}

/// The bearer of a valid token, if one was sent.
pub(super) struct Visitor(pub(super) Option<Principal>);

impl FromRequest for Visitor {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(req.extensions().get::<Principal>().cloned())))
    }
}

/// The named parts of the path.
pub(super) struct At<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest for At<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let parts = web::Path::<T>::from_request(req, payload).into_inner();
        ready(
            parts
                .map(|parts| Self(parts.into_inner()))
                .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "name_malformed", spoken(&error.to_string()))),
        )
    }
}

/// The query.
pub(super) struct Asking<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest for Asking<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(query(req.query_string()).map(Self))
    }
}

fn query<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    web::Query::<T>::from_query(text).map(web::Query::into_inner).map_err(|error| {
        let said = match error {
            actix_web::error::QueryPayloadError::Deserialize(error) => spoken(&error.to_string()),
            _ => "the query cannot be read".to_owned(),
        };
        Problem::new(StatusCode::BAD_REQUEST, "query_malformed", said)
    })
}
