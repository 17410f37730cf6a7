//! The description of the interface: for programs, and as a page without scripts.

use super::Reply;
use crate::identity::Digest;
use crate::office::OfficeError;
use crate::publish::caller::At;
use crate::publish::headers;
use crate::publish::problem::CODES;
use crate::publish::publishable::{Page, reply};
use crate::publish::server::Face;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_SECURITY_POLICY;
use actix_web::{get, web};
use base64::Engine as _;
use serde_json::Value;
use std::fmt::Write as _;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
color:#1a1a1a;background:#fff}code{background:#f2f2f2;padding:.1em .3em}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;vertical-align:top;padding:.35em .6em;border-bottom:1px solid #ccc}\
h2{margin-top:2rem}a{color:#0645ad}";

/// The `OpenAPI` document.
#[utoipa::path(
    operation_id = "openapi",
    tag = "operate",
    security((), ("token" = [])),
    responses((status = 200, description = "This document", body = Object)),
)]
#[get("/openapi.json")]
pub(crate) async fn openapi(face: web::Data<Face>) -> Reply {
    reply(StatusCode::OK, &face.description)
}

/// The interface as a page.
#[utoipa::path(
    operation_id = "docs",
    tag = "operate",
    security((), ("token" = [])),
    responses((status = 200, description = "A page", body = String, content_type = "text/html")),
)]
#[get("/docs")]
pub(crate) async fn docs(face: web::Data<Face>) -> Reply {
    let document = face.description.as_value();
    let mut body = format!("<p>{}</p>", escaped(text(document.pointer("/info/description").unwrap_or(&Value::Null))));
    body.push_str("<p>The same for programs: <a href=\"/openapi.json\"><code>/openapi.json</code></a>.</p>");
    for tag in list(&document["tags"]) {
        let _ = write!(body, "<h2>{}</h2>", escaped(text(&tag["description"])));
        body.push_str("<table><thead><tr><th>Operation</th><th>For</th><th>What it does</th></tr></thead><tbody>");
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if operation.pointer("/tags/0") == tag.get("name") {
                    let _ = write!(
                        body,
                        "<tr><td><code>{} {}</code></td><td>{}</td><td>{}</td></tr>",
                        escaped(&method.to_uppercase()),
                        escaped(path),
                        escaped(&whom(operation)),
                        escaped(text(&operation["summary"]))
                    );
                }
            }
        }
        body.push_str("</tbody></table>");
    }
    body.push_str("<h2>Problems</h2><table><thead><tr><th>Code</th><th>Status</th><th>Title</th></tr></thead><tbody>");
    for (code, status, title) in CODES {
        let link = format!("<a href=\"/problems/{code}\"><code>{code}</code></a>");
        let _ = write!(body, "<tr><td>{link}</td><td>{status}</td><td>{}</td></tr>", escaped(title));
    }
    body.push_str("</tbody></table>");
    page("Interface", &body)
}

/// What a problem's `type` leads to.
#[utoipa::path(
    operation_id = "problem",
    tag = "operate",
    security((), ("token" = [])),
    params(("code" = String, Path, description = "The code of a problem")),
    responses((status = 200, description = "A page", body = String, content_type = "text/html")),
)]
#[get("/problems/{code}")]
pub(crate) async fn problem(code: At<String>) -> Reply {
    let listed = CODES.iter().find(|(listed, _, _)| *listed == code.0);
    let (code, status, title) = listed.ok_or(OfficeError::Unknown { what: "problem" })?;
    let body = format!(
        "<p><code>{code}</code>, status {status}. The problem's <code>detail</code> says what to do next.</p>\
         <p><a href=\"/docs\">All problems</a></p>"
    );
    page(title, &body)
}

fn whom(operation: &Value) -> String {
    let requirements = list(&operation["security"]);
    if requirements.iter().any(|requirement| requirement.as_object().is_some_and(serde_json::Map::is_empty)) {
        return "everyone".to_owned();
    }
    let roles: Vec<&str> = requirements.iter().flat_map(|requirement| list(&requirement["token"])).map(text).collect();
    if roles.is_empty() { "any token".to_owned() } else { roles.join(", ") }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

fn page(title: &str, body: &str) -> Reply {
    let title = escaped(title);
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} - Halflight</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    let mut response = reply(StatusCode::OK, &Page(html))?;
    let hash = base64::engine::general_purpose::STANDARD.encode(Digest::of(STYLE.as_bytes()).0);
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    );
    headers::set(response.headers_mut(), CONTENT_SECURITY_POLICY, &policy);
    Ok(response)
}
