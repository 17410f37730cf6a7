//! Whether the service lives, whether it can serve, and its metrics.

use super::faces::Health;
use super::{Office, Reply};
use crate::identity::Role;
use crate::office::OfficeError;
use crate::publish::caller::Visitor;
use crate::publish::publishable::{Exposition, reply};
use crate::publish::server::Face;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, get, web};

/// The process runs.
#[utoipa::path(
    operation_id = "live",
    tag = "operate",
    security((), ("token" = [])),
    responses((status = 200, description = "It lives", body = Health)),
)]
#[get("/health/live")]
pub(crate) async fn live() -> Reply {
    reply(StatusCode::OK, &Health { status: "live" })
}

/// The ledger answers and the vault is open.
#[utoipa::path(
    operation_id = "ready",
    tag = "operate",
    security((), ("token" = [])),
    responses((status = 200, description = "It serves", body = Health)),
)]
#[get("/health/ready")]
pub(crate) async fn ready(office: Office) -> Reply {
    office.ready().await?;
    reply(StatusCode::OK, &Health { status: "ready" })
}

/// Requests by route and status, in the Prometheus text format. For operators, and for the machine itself.
#[utoipa::path(
    operation_id = "metrics",
    tag = "operate",
    security((), ("token" = [])),
    responses((status = 200, description = "The metrics", body = String, content_type = "text/plain")),
)]
#[get("/metrics")]
pub(crate) async fn metrics(visitor: Visitor, req: HttpRequest, face: web::Data<Face>) -> Reply {
    if !is_this_machine(&req, &face) {
        match visitor.0 {
            None => return Err(OfficeError::Unauthenticated.into()),
            Some(principal) if principal.role == Role::Operator => {}
            Some(_) => return Err(OfficeError::ForbiddenRole { needed: "operator" }.into()),
        }
    }
    reply(StatusCode::OK, &Exposition(face.metrics.text()))
}

/// From loopback, and not through a proxy: behind one every caller comes from loopback.
fn is_this_machine(req: &HttpRequest, face: &Face) -> bool {
    let forwarded = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];
    face.settings.trusted_proxies.is_empty()
        && req.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback())
        && !forwarded.iter().any(|name| req.headers().contains_key(*name))
}
