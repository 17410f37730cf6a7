//! Questions: what one would cost, and its answer.

use super::releases;
use super::{Office, Reply, to_its_end};
use crate::office::Quote;
use crate::policy::Question;
use crate::publish::caller::Caller;
use crate::publish::formats::{Format, Options, Rendered};
use crate::publish::publishable::reply;
use crate::publish::strict::Strict;
use crate::release::Body;
use actix_web::http::StatusCode;
use actix_web::post;

/// What a question would cost, and the error to expect. Touches no data.
#[utoipa::path(
    operation_id = "quote",
    tag = "ask",
    security(("token" = ["analyst"])),
    request_body = Question,
    responses((status = 200, description = "The quote", body = Quote)),
)]
#[post("/v1/quotes")]
pub(crate) async fn quote(caller: Caller, question: Strict<Question>, office: Office) -> Reply {
    reply(StatusCode::OK, &office.quote(&caller.0, &question.0).await?)
}

/// Asks. The same question again gives the same release and costs nothing.
#[utoipa::path(
    operation_id = "ask",
    tag = "ask",
    security(("token" = ["analyst"])),
    request_body = Question,
    responses(
        (status = 201, description = "Released now", body = Body),
        (status = 200, description = "Released before: the same bytes, nothing charged", body = Body),
    ),
)]
#[post("/v1/releases")]
pub(crate) async fn ask(caller: Caller, question: Strict<Question>, office: Office) -> Reply {
    let answer = to_its_end(&office, |office| async move { office.ask(&caller.0, &question.0).await }).await?;
    let status = if answer.created { StatusCode::CREATED } else { StatusCode::OK };
    releases::shown(status, &Rendered::of(&answer.release, Format::Json, &Options::default())?)
}
