//! The routes, by what people do. A handler checks nothing but the form: it calls the office and replies.

pub(super) mod asking;
pub(super) mod datasets;
pub(super) mod docs;
pub(super) mod faces;
pub(super) mod health;
pub(super) mod indicators;
pub(super) mod log;
pub(super) mod policies;
pub(super) mod programs;
pub(super) mod releases;
pub(super) mod submissions;
pub(super) mod tokens;

use super::problem::Problem;
use crate::office::OfficeError;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

/// What a handler gives back.
pub(super) type Reply = Result<HttpResponse, Problem>;

/// The service.
pub(super) type Office = web::Data<crate::office::Office>;

/// What all workers share.
pub(super) type Shared = web::Data<super::server::Face>;

/// Registers every route. They are tried in this order: what is read most comes first.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.service(releases::one).service(releases::list).service(releases::loss);
    cfg.service(submissions::submit).service(submissions::receipts).service(submissions::withdraw);
    cfg.service(datasets::close).service(datasets::list).service(datasets::one);
    cfg.service(datasets::suspend).service(datasets::budget);
    cfg.service(asking::quote).service(asking::ask).service(programs::run);
    cfg.service(indicators::list).service(indicators::ask);
    cfg.service(policies::propose).service(policies::list).service(policies::approve);
    cfg.service(tokens::issue).service(tokens::list).service(tokens::revoke);
    cfg.service(log::checkpoint).service(log::tile).service(log::entry);
    cfg.service(log::inclusion).service(log::consistency).service(log::key);
    cfg.service(health::live).service(health::ready).service(health::metrics);
    cfg.service(docs::openapi).service(docs::docs).service(docs::problem);
    cfg.default_service(web::to(|| async { Err::<HttpResponse, Problem>(path_unknown()) }));
}

/// 404 for an address that leads nowhere.
pub(super) fn path_unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "path_unknown", "there is nothing at this address; /docs lists what there is")
}

/// Runs an act to its end, also when the caller goes away.
pub(super) async fn to_its_end<T: Send + 'static, F>(
    office: &Office,
    act: impl FnOnce(crate::office::Office) -> F,
) -> Result<T, Problem>
where
    F: Future<Output = Result<T, OfficeError>> + Send + 'static,
{
    Ok(office.to_its_end(act(office.as_ref().clone())).await?)
}

#[cfg(test)]
mod tests;
