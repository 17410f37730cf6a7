//! Programs: a policy's set of tables, run by an officer.

use super::faces::ProgramAsked;
use super::releases;
use super::{Office, Reply, to_its_end};
use crate::identity::DatasetId;
use crate::publish::caller::{At, Caller};
use crate::publish::formats::{Format, Options, Rendered};
use crate::publish::strict::Strict;
use crate::release::Body;
use actix_web::http::StatusCode;
use actix_web::post;

/// Runs a program of the dataset's policy over closed periods. Its release answers later questions at no cost.
#[utoipa::path(
    operation_id = "run_program",
    tag = "govern",
    security(("token" = ["officer"])),
    params(
        ("dataset" = DatasetId, Path, description = "The dataset"),
        ("program" = String, Path, description = "The program, as the policy names it"),
    ),
    request_body = ProgramAsked,
    responses(
        (status = 201, description = "Released now", body = Body),
        (status = 200, description = "Released before: the same bytes, nothing charged", body = Body),
    ),
)]
#[post("/v1/datasets/{dataset}/programs/{program}")]
pub(crate) async fn run(
    caller: Caller,
    at: At<(DatasetId, String)>,
    asked: Strict<ProgramAsked>,
    office: Office,
) -> Reply {
    let (dataset, program) = at.0;
    let run = async move |office: crate::office::Office| {
        office.run_program(&caller.0, &dataset, &program, asked.0.periods).await
    };
    let answer = to_its_end(&office, run).await?;
    let status = if answer.created { StatusCode::CREATED } else { StatusCode::OK };
    releases::shown(status, &Rendered::of(&answer.release, Format::Json, &Options::default())?)
}
