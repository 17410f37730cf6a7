//! Ministries send files, read their receipts, and take files back.

use super::{Office, Reply, to_its_end};
use crate::identity::{DatasetId, Period, SubmissionId};
use crate::ledger::Receipt;
use crate::office::SubmissionAsked;
use crate::publish::caller::{Asking, At, Caller};
use crate::publish::pace::{Pace, Patience, announced};
use crate::publish::publishable::{empty, reply};
use crate::publish::server::Face;
use crate::publish::upload::{Heading, channel};
use crate::submission::{Encoding, OnError, decoded};
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::{HttpRequest, delete, get, post, web};
use serde::Deserialize;

/// What the query says of a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubmitQuery {
    period: Option<Period>,
    replaces: Option<SubmissionId>,
    on_error: Option<OnErrorWord>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OnErrorWord {
    Refuse,
    Skip,
}

/// Sends a file. All or nothing, unless `on_error=skip`.
#[utoipa::path(
    operation_id = "submit",
    tag = "submit",
    security(("token" = ["submitter"])),
    params(
        ("dataset" = DatasetId, Path, description = "The dataset"),
        ("period" = Option<Period>, Query, description = "The period, where the file has no column for it"),
        ("replaces" = Option<SubmissionId>, Query, description = "The submission this one replaces"),
        ("on_error" = Option<String>, Query, description = "refuse (default) or skip"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, new for each new file"),
        ("Content-Digest" = Option<String>, Header, description = "RFC 9530 sha-256 of the content, checked"),
        ("Content-Encoding" = Option<String>, Header, description = "identity, gzip or zstd"),
    ),
    request_body(
        description = "UTF-8 rows with the columns of the policy. Ids of persons are compared without case, spaces and \
                       separators: 1-15 and 11-5 are one person",
        content((String = "text/csv"), (String = "application/x-ndjson")),
    ),
    responses(
        (status = 201, description = "Accepted and durable", body = Receipt),
        (status = 200, description = "The same file was accepted before", body = Receipt),
    ),
)]
#[post("/v1/datasets/{dataset}/submissions")]
pub(crate) async fn submit(
    caller: Caller,
    dataset: At<DatasetId>,
    query: Asking<SubmitQuery>,
    req: HttpRequest,
    payload: web::Payload,
    office: Office,
    face: web::Data<Face>,
) -> Reply {
    let (settings, query) = (&face.settings, query.0);
    let heading = Heading::read(req.headers())?;
    let length = req.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    announced(length, settings.submission_bytes_max)?;
    let place = face.uploads.take(&caller.0.organisation)?;
    let asked = SubmissionAsked {
        dataset: dataset.0,
        period: query.period,
        replaces: query.replaces,
        idempotency_key: heading.idempotency_key,
        // of a packed file the digest announced is that of the packed bytes, which the pump checks
        announced_sha256: heading.content_sha256.filter(|_| heading.encoding == Encoding::Identity),
        format: heading.format,
        on_error: match query.on_error {
            None | Some(OnErrorWord::Refuse) => OnError::Refuse,
            Some(OnErrorWord::Skip) => OnError::Skip,
        },
    };
    let patience = Patience {
        stall: settings.stall,
        bytes_per_second: settings.bytes_per_second_min,
        bytes_max: settings.submission_bytes_max,
    };
    let (pump, arriving) = channel();
    let body = Box::new(decoded(heading.encoding, arriving, settings.submission_decoded_bytes_max));
    let act = to_its_end(&office, |office| async move {
        let _place = place;
        office.submit(&caller.0, asked, body).await
    });
    let pumped = pump.run(Pace::new(payload.into_inner(), patience), heading.content_sha256);
    let (outcome, pumped) = tokio::join!(act, pumped);
    // why the body did not arrive says more than what the reader made of it
    pumped?;
    let submitted = outcome?;
    reply(if submitted.created { StatusCode::CREATED } else { StatusCode::OK }, &submitted.receipt)
}

/// The caller's receipts.
#[utoipa::path(
    operation_id = "list_receipts",
    tag = "submit",
    security(("token" = ["submitter"])),
    params(("dataset" = DatasetId, Path, description = "The dataset")),
    responses((status = 200, description = "Receipts of the caller's organisation", body = Vec<Receipt>)),
)]
#[get("/v1/datasets/{dataset}/submissions")]
pub(crate) async fn receipts(caller: Caller, dataset: At<DatasetId>, office: Office) -> Reply {
    reply(StatusCode::OK, office.receipts(&caller.0, &dataset.0).await?.as_slice())
}

/// Withdraws a file and erases it.
#[utoipa::path(
    operation_id = "withdraw",
    tag = "submit",
    security(("token" = ["submitter"])),
    params(
        ("dataset" = DatasetId, Path, description = "The dataset"),
        ("id" = SubmissionId, Path, description = "The submission"),
    ),
    responses((status = 204, description = "Withdrawn and erased")),
)]
#[delete("/v1/datasets/{dataset}/submissions/{id}")]
pub(crate) async fn withdraw(caller: Caller, at: At<(DatasetId, SubmissionId)>, office: Office) -> Reply {
    to_its_end(&office, |office| async move { office.withdraw(&caller.0, &at.0.0, &at.0.1).await }).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
