//! What was released: lists, and one release in the format that is asked for.

use super::faces::ReleaseSummary;
use super::{Office, Reply, Shared};
use crate::identity::{DatasetId, ReleaseId};
use crate::ledger::ReleaseFace;
use crate::publish::caller::{Asking, At, Caller, Visitor};
use crate::publish::formats::{Format, Options, Rendered};
use crate::publish::headers;
use crate::publish::problem::Problem;
use crate::publish::publishable::{empty, reply};
use crate::release::{Body, Loss};
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CACHE_CONTROL, ETAG, HeaderMap, IF_NONE_MATCH, LINK, LOCATION, VARY};
use actix_web::{HttpRequest, HttpResponse, get};
use serde::Deserialize;
use std::sync::Arc;

/// Releases on one page of a list.
const PAGE: usize = 100;

/// Which releases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    dataset: Option<DatasetId>,
    after: Option<ReleaseId>,
}

/// How a release is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    bom: Option<u8>,
    names: Option<String>,
}

/// Releases, a hundred at a time; `Link: rel="next"` leads on.
#[utoipa::path(
    operation_id = "list_releases",
    tag = "read",
    security((), ("token" = [])),
    params(
        ("dataset" = Option<DatasetId>, Query, description = "Only of this dataset"),
        ("after" = Option<ReleaseId>, Query, description = "Only those behind this one in the list"),
    ),
    responses((status = 200, description = "Releases", body = Vec<ReleaseSummary>)),
)]
#[get("/v1/releases")]
pub(crate) async fn list(visitor: Visitor, query: Asking<ListQuery>, office: Office, shared: Shared) -> Reply {
    let ListQuery { dataset, after } = query.0;
    let mut faces = office.release_faces(visitor.0.as_ref(), dataset.as_ref()).await?;
    if let Some(after) = after {
        let behind = faces.iter().position(|face| face.id == after).map_or(faces.len(), |at| at + 1);
        faces.drain(..behind);
    }
    let more = faces.len() > PAGE;
    faces.truncate(PAGE);
    let mut summaries = Vec::with_capacity(faces.len());
    for face in &faces {
        summaries.push(summary(&shared, &office, &visitor, face).await?);
    }
    let mut response = reply(StatusCode::OK, summaries.as_slice())?;
    if let Some(last) = summaries.last().filter(|_| more) {
        let dataset = dataset.map(|dataset| format!("dataset={dataset}&")).unwrap_or_default();
        let next = format!("</v1/releases?{dataset}after={}>; rel=\"next\"", last.id);
        headers::set(response.headers_mut(), LINK, &next);
    }
    Ok(response)
}

/// The line about a release that this caller may read.
async fn summary(
    shared: &Shared,
    office: &Office,
    visitor: &Visitor,
    face: &ReleaseFace,
) -> Result<ReleaseSummary, Problem> {
    if let Some(summary) = shared.ready.summary(face) {
        return Ok(summary);
    }
    let release = office.release(visitor.0.as_ref(), &face.id).await?;
    let summary = ReleaseSummary::of(&release).map_err(|error| Problem::fault("release_unreadable", &error))?;
    shared.ready.keep_summary(&summary);
    Ok(summary)
}

/// One release, in the format that `Accept` or the suffix (`.json`, `.csv`) asks for.
#[utoipa::path(
    operation_id = "read_release",
    tag = "read",
    security((), ("token" = [])),
    params(
        ("id" = String, Path, description = "The release, with or without a suffix",
            pattern = "^rel_[0-9a-f]{32}(\\.json|\\.csv)?$"),
        ("bom" = Option<u8>, Query, description = "1: CSV with a byte order mark, for spreadsheets"),
        ("names" = Option<String>, Query, description = "CSV with the names of codes in this language (en, fr ...)"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag that is known already"),
    ),
    responses(
        (status = 200, description = "The release", content((Body = "application/json"), (String = "text/csv"))),
        (status = 304, description = "It is the one that is known already"),
    ),
)]
#[get("/v1/releases/{id}")]
pub(crate) async fn one(
    visitor: Visitor,
    at: At<String>,
    wish: Asking<Wish>,
    req: HttpRequest,
    office: Office,
    shared: Shared,
) -> Reply {
    let (id, suffix) = at.0.split_once('.').map_or((at.0.as_str(), None), |(id, suffix)| (id, Some(suffix)));
    let id = ReleaseId::parse(id)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "name_malformed", error.expected))?;
    let format = match suffix {
        Some(suffix) => Format::of_suffix(suffix)?,
        None => Format::of_accept(req.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()))?,
    };
    let rendered = written(&shared, &office, &visitor, &id, format, &wish.0).await?;
    let mut response = if known(req.headers(), rendered.etag().as_bytes()) {
        let mut unchanged = empty(StatusCode::NOT_MODIFIED);
        describe(unchanged.headers_mut(), &rendered);
        unchanged
    } else {
        shown(StatusCode::OK, &rendered)?
    };
    if visitor.0.is_none() {
        // what a visitor without a token may read is public; it may be withdrawn, so caches ask again
        headers::set(response.headers_mut(), CACHE_CONTROL, "public, no-cache");
    }
    Ok(response)
}

/// What suppression costs each vulnerable group in the tables of a release: in cells, in noisy persons, and which
/// coarser table would show it. And how many cells are withheld for the sake of others, beside how few it could be.
#[utoipa::path(
    operation_id = "read_loss",
    tag = "govern",
    security(("token" = ["officer"])),
    params(("id" = ReleaseId, Path, description = "The release")),
    responses((status = 200, description = "By group and table, and the partners", body = Loss)),
)]
#[get("/v1/releases/{id}/loss")]
pub(crate) async fn loss(caller: Caller, at: At<ReleaseId>, office: Office) -> Reply {
    reply(StatusCode::OK, &office.loss(&caller.0, &at.0).await?)
}

/// Whether the caller has these very bytes already (weak comparison, RFC 9110, section 13.1.2).
fn known(headers: &HeaderMap, etag: &[u8]) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|candidate| candidate == "*" || candidate.strip_prefix("W/").unwrap_or(candidate).as_bytes() == etag)
}

/// The release in the form that is wished for. Whether this caller may read it is asked each time; its bytes may be at
/// hand from the last time.
async fn written(
    shared: &Shared,
    office: &Office,
    visitor: &Visitor,
    id: &ReleaseId,
    format: Format,
    wish: &Wish,
) -> Result<Arc<Rendered>, Problem> {
    let face = office.release_face(visitor.0.as_ref(), id).await?;
    let options = Options { bom: wish.bom == Some(1), names: wish.names.as_deref() };
    let plain = !options.bom && options.names.is_none();
    if let Some(rendered) = shared.ready.document(&face, format).filter(|_| plain) {
        return Ok(rendered);
    }
    let release = office.release(visitor.0.as_ref(), id).await?;
    let rendered = Arc::new(Rendered::of(&release, format, &options)?);
    if plain {
        shared.ready.keep(&release, &rendered);
    }
    Ok(rendered)
}

/// The release as a reply, with its tag and the way to its proof.
pub(super) fn shown(status: StatusCode, rendered: &Rendered) -> Result<HttpResponse, Problem> {
    let mut response = reply(status, rendered)?;
    if status == StatusCode::CREATED {
        headers::set(response.headers_mut(), LOCATION, &rendered.address());
    }
    describe(response.headers_mut(), rendered);
    Ok(response)
}

/// What a reply says of a release in its headers, with the body or without.
fn describe(headers: &mut HeaderMap, rendered: &Rendered) {
    headers::set(headers, ETAG, rendered.etag());
    headers::set(headers, VARY, "Accept, Authorization");
    let (address, leaf) = (rendered.address(), rendered.log_index());
    let link = format!(
        "<{address}>; rel=\"canonical\", </log/entries/{leaf}>; rel=\"describedby\"; title=\"leaf of the log\", \
         </log/checkpoint>; rel=\"related\"; title=\"signed head of the log\""
    );
    headers::set(headers, LINK, &link);
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[actix_web::test]
    async fn a_release_leads_to_its_proof() {
        let release = crate::publish::formats::sample(None);
        let rendered = Rendered::of(&release, Format::Csv, &Options::default()).unwrap();
        let response = shown(StatusCode::OK, &rendered).unwrap();
        let link = response.headers().get(LINK).unwrap().to_str().unwrap();
        assert!(link.starts_with("</v1/releases/rel_00112233445566778899aabbccddeeff>; rel=\"canonical\""), "{link}");
        assert!(link.contains("</log/entries/17>; rel=\"describedby\""));
        assert_eq!(response.headers().get("content-type").unwrap(), "text/csv; charset=utf-8; header=present");
        let bytes = actix_web::body::to_bytes(response.into_body()).await.unwrap();
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(text.contains("M,_T,persons,,,,,,Q,withheld,"), "{text}");
    }

    #[test]
    fn a_tag_is_known_among_others_weak_or_strong() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_str(value).unwrap());
            known(&headers, b"\"abc\"")
        };
        assert!(with("\"abc\"") && with("\"x\", W/\"abc\"") && with("*"));
        assert!(!with("\"abcd\"") && !with("abc"));
        assert!(!known(&HeaderMap::new(), b"\"abc\""));
    }
}
