//! Indicators: what they are, and one asked by its code.

use super::releases;
use super::{Office, Reply, to_its_end};
use crate::office::OfficeError;
use crate::policy::{Indicator, IndicatorAsked};
use crate::publish::caller::{At, Caller};
use crate::publish::formats::{Format, Options, Rendered};
use crate::publish::problem::Problem;
use crate::publish::publishable::reply;
use crate::publish::server::Face;
use crate::publish::strict::Strict;
use crate::release::Body;
use actix_web::http::StatusCode;
use actix_web::{get, post, web};

/// Every indicator that the service knows.
#[utoipa::path(
    operation_id = "list_indicators",
    tag = "read",
    security((), ("token" = [])),
    responses((status = 200, description = "Indicators", body = Vec<Indicator>)),
)]
#[get("/v1/indicators")]
pub(crate) async fn list(face: web::Data<Face>) -> Reply {
    reply(StatusCode::OK, known(&face).await?.as_slice())
}

/// Asks an indicator by its code: a question like any other, with its rules and its price.
#[utoipa::path(
    operation_id = "ask_indicator",
    tag = "ask",
    security(("token" = ["analyst"])),
    params(("code" = String, Path, description = "The indicator")),
    request_body = IndicatorAsked,
    responses(
        (status = 201, description = "Released now", body = Body),
        (status = 200, description = "Released before: the same bytes, nothing charged", body = Body),
    ),
)]
#[post("/v1/indicators/{code}/releases")]
pub(crate) async fn ask(
    caller: Caller,
    code: At<String>,
    asked: Strict<IndicatorAsked>,
    office: Office,
    face: web::Data<Face>,
) -> Reply {
    let found = known(&face).await?.into_iter().find(|indicator| indicator.code == code.0);
    let question = found.ok_or(OfficeError::Unknown { what: "indicator" })?.question(&asked.0);
    let answer = to_its_end(&office, |office| async move { office.ask(&caller.0, &question).await }).await?;
    let status = if answer.created { StatusCode::CREATED } else { StatusCode::OK };
    releases::shown(status, &Rendered::of(&answer.release, Format::Json, &Options::default())?)
}

/// The indicators beside the policies. A file that is none is left out, and the log says why.
async fn known(face: &Face) -> Result<Vec<Indicator>, Problem> {
    let Some(folder) = face.settings.policies_dir.as_ref().map(|policies| policies.join("indicators")) else {
        return Ok(Vec::new());
    };
    let read = move || if folder.is_dir() { Indicator::read_dir(&folder) } else { Ok((Vec::new(), Vec::new())) };
    let read = web::block(read).await.map_err(|error| Problem::fault("indicators_unreadable", &error))?;
    let (indicators, wrong) = read.map_err(|error| Problem::fault("indicators_unreadable", &error))?;
    for (file, wrong) in wrong {
        tracing::warn!(file, wrong, "indicator");
    }
    Ok(indicators)
}
