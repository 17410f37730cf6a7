//! What was released: lists, and one release in the format that is asked for.

use super::faces::ReleaseSummary;
use super::{Office, Reply};
use crate::identity::{DatasetId, ReleaseId};
use crate::publish::caller::{Asking, At, Visitor};
use crate::publish::formats::{Format, Options, Rendered};
use crate::publish::headers;
use crate::publish::problem::Problem;
use crate::publish::publishable::{empty, reply};
use crate::release::{Body, Release};
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CACHE_CONTROL, ETAG, HeaderMap, IF_NONE_MATCH, LINK, LOCATION, VARY};
use actix_web::{HttpRequest, HttpResponse, get};
use serde::Deserialize;

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
pub(crate) async fn list(visitor: Visitor, query: Asking<ListQuery>, office: Office) -> Reply {
    let ListQuery { dataset, after } = query.0;
    let releases = office.releases(visitor.0.as_ref(), dataset.as_ref()).await?;
    let summaries: Result<Vec<_>, _> = releases.iter().map(ReleaseSummary::of).collect();
    let mut summaries = summaries.map_err(|error| Problem::fault("release_unreadable", &error))?;
    if let Some(after) = after {
        let behind = summaries.iter().position(|summary| summary.id == after).map_or(summaries.len(), |at| at + 1);
        summaries.drain(..behind);
    }
    let more = summaries.len() > PAGE;
    summaries.truncate(PAGE);
    let mut response = reply(StatusCode::OK, summaries.as_slice())?;
    if let Some(last) = summaries.last().filter(|_| more) {
        let dataset = dataset.map(|dataset| format!("dataset={dataset}&")).unwrap_or_default();
        let next = format!("</v1/releases?{dataset}after={}>; rel=\"next\"", last.id);
        headers::set(response.headers_mut(), LINK, &next);
    }
    Ok(response)
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
) -> Reply {
    let (id, suffix) = at.0.split_once('.').map_or((at.0.as_str(), None), |(id, suffix)| (id, Some(suffix)));
    let id = ReleaseId::parse(id)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "name_malformed", error.expected))?;
    let format = match suffix {
        Some(suffix) => Format::of_suffix(suffix)?,
        None => Format::of_accept(req.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()))?,
    };
    let release = office.release(visitor.0.as_ref(), &id).await?;
    let mut response = shown(StatusCode::OK, &release, format, &wish.0)?;
    if response.headers().get(ETAG).is_some_and(|etag| known(req.headers(), etag.as_bytes())) {
        let mut unchanged = empty(StatusCode::NOT_MODIFIED);
        for name in [ETAG, VARY, LINK] {
            if let Some(value) = response.headers().get(&name) {
                unchanged.headers_mut().insert(name, value.clone());
            }
        }
        response = unchanged;
    }
    if visitor.0.is_none() {
        // what a visitor without a token may read is public; it may be withdrawn, so caches ask again
        headers::set(response.headers_mut(), CACHE_CONTROL, "public, no-cache");
    }
    Ok(response)
}

/// Whether the caller has these very bytes already (weak comparison, RFC 9110, section 13.1.2).
fn known(headers: &HeaderMap, etag: &[u8]) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|candidate| candidate == "*" || candidate.strip_prefix("W/").unwrap_or(candidate).as_bytes() == etag)
}

/// The release as a reply, with its tag and the way to its proof.
pub(super) fn shown(
    status: StatusCode,
    release: &Release,
    format: Format,
    wish: &Wish,
) -> Result<HttpResponse, Problem> {
    let options = Options { bom: wish.bom == Some(1), names: wish.names.as_deref() };
    let rendered = Rendered::of(release, format, &options)?;
    let mut response = reply(status, &rendered)?;
    let headers = response.headers_mut();
    headers::set(headers, ETAG, &rendered.etag());
    headers::set(headers, VARY, "Accept, Authorization");
    let (address, leaf) = (rendered.address(), release.log_index());
    if status == StatusCode::CREATED {
        headers::set(headers, LOCATION, &address);
    }
    let link = format!(
        "<{address}>; rel=\"canonical\", </log/entries/{leaf}>; rel=\"describedby\"; title=\"leaf of the log\", \
         </log/checkpoint>; rel=\"related\"; title=\"signed head of the log\""
    );
    headers::set(headers, LINK, &link);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[actix_web::test]
    async fn a_release_leads_to_its_proof() {
        let release = crate::publish::formats::sample(None);
        let response = shown(StatusCode::OK, &release, Format::Csv, &Wish::default()).unwrap();
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
