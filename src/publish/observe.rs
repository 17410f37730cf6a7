//! Around every request: its name, its time, its line in the log, its place in the metrics, and the net under panics.
//!
//! # Guarantee
//! G14: the line in the log holds method, route template, status, duration, request and role: no path, query, header or
//! body. A handler that panics becomes a 500 without its text.

use super::gate::{Template, template_of};
use super::headers::{self, REQUEST_ID, harden};
use super::line::{Line, Replied};
use super::problem::Problem;
use super::publishable::PROBLEM_JSON;
use super::quantum::{HELD, rest};
use super::server::Face;
use crate::identity::{Principal, random_bytes};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, ResponseError as _, web};
use futures::FutureExt as _;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Longest path with query.
const ADDRESS_LONGEST: usize = 8 * 1024;

/// The outermost middleware.
pub(super) async fn observe(
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let arrived = Instant::now();
    let busy = req.conn_data::<Rc<Line>>().map(|line| Rc::clone(line).busy());
    let request = hex::encode(random_bytes::<8>());
    let method = req.method().clone();
    let template = req.match_pattern().map(|pattern| template_of(&pattern));
    req.extensions_mut().insert(Template(template.clone()));
    let template = template.unwrap_or_else(|| "other".to_owned());
    let face = req.app_data::<web::Data<Face>>().cloned();
    if method == Method::HEAD {
        // whoever may GET may ask for the head alone; the connection leaves the body out
        req.head_mut().method = Method::GET;
    }
    let answer = if req.uri().path_and_query().is_some_and(|address| address.as_str().len() > ADDRESS_LONGEST) {
        let problem = Problem::new(StatusCode::URI_TOO_LONG, "address_too_long", "an address is at most 8 KiB long");
        Ok(req.into_response(problem.error_response()))
    } else {
        let caught = AssertUnwindSafe(next.call(req)).catch_unwind().await;
        caught.unwrap_or_else(|_| Err(panicked(face.as_ref(), &request))).map(ServiceResponse::map_into_boxed_body)
    };
    let answer = answer.map(|answer| finished(answer, &request));
    hold(face.as_ref(), &method, &template, arrived).await;
    let (status, role) = match &answer {
        Ok(answer) => (answer.status(), answer.request().extensions().get::<Principal>().map(|p| p.role)),
        Err(error) => (error.as_response_error().status_code(), None),
    };
    let took = arrived.elapsed();
    if let Some(face) = &face {
        face.metrics.count(method.as_str(), &template, status.as_u16(), took);
    }
    let (role, millis) =
        (role.map_or("none", crate::identity::Role::as_str), u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    tracing::info!(
        method = plain_method(&method),
        route = %template,
        status = status.as_u16(),
        millis,
        request = %request,
        role,
        "request"
    );
    match (answer, busy) {
        (Ok(answer), Some(busy)) => Ok(answer.map_body(|_, body| BoxBody::new(Replied::new(body, busy)))),
        (answer, _) => answer,
    }
}

fn panicked(face: Option<&web::Data<Face>>, request: &str) -> actix_web::Error {
    if let Some(face) = face {
        face.metrics.panicked();
    }
    let problem = Problem::fault("panic", &"a handler panicked; its place stands in the log");
    let mut response = problem.error_response();
    headers::set(response.headers_mut(), HeaderName::from_static(REQUEST_ID), request);
    InternalError::from_response(problem, response).into()
}

/// A method is a word of the sender's; only those of HTTP are written down.
fn plain_method(method: &Method) -> &str {
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS];
    if known.contains(method) { method.as_str() } else { "other" }
}

async fn hold(face: Option<&web::Data<Face>>, method: &Method, template: &str, arrived: Instant) {
    if HELD.contains(&(method.as_str(), template)) {
        let quantum = Duration::from_millis(face.map_or(0, |face| face.settings.reply_quantum_ms));
        tokio::time::sleep(rest(arrived.elapsed(), quantum)).await;
    }
}

/// Adds the headers of every reply, and replaces an error that is not a problem document yet.
fn finished(answer: ServiceResponse<BoxBody>, request: &str) -> ServiceResponse<BoxBody> {
    let status = answer.status();
    let is_problem = answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM_JSON);
    let mut answer = if (status.is_client_error() || status.is_server_error()) && !is_problem {
        let problem = match status {
            StatusCode::NOT_FOUND => super::routes::path_unknown(),
            _ if status.is_server_error() => Problem::fault("panic", &"a reply that is no problem document"),
            _ => Problem::new(status, "header_malformed", "the request cannot be read"),
        };
        answer.into_response(problem.error_response())
    } else {
        answer
    };
    if let Ok(value) = HeaderValue::from_str(request) {
        answer.headers_mut().insert(HeaderName::from_static(REQUEST_ID), value);
    }
    harden(answer.headers_mut());
    answer
}
