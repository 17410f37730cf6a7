//! The gate: who calls, what that role may call, and how often.
//!
//! # Guarantee
//! Deny by default: the roles of a route are those of the `OpenAPI` document, and a route not in it is not there.
//! A token that is sent must be valid, also where none is needed. The office checks roles again.

use super::limits::{Limits, origin};
use super::problem::Problem;
use super::server::Face;
use crate::identity::{Principal, Role};
use crate::office::{Office, OfficeError};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ALLOW, AUTHORIZATION, HeaderValue};
use actix_web::http::{StatusCode, header::HeaderMap};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, ResponseError as _, web};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Longest authorization header that is looked at.
const AUTHORIZATION_LONGEST: usize = 512;

/// Pages for people: public, and not part of the described interface.
pub(super) const PAGES: &[&str] =
    &["/", "/datasets/{id}", "/explore", "/releases/{id}", "/indicators", "/officer", "/log", "/assets/{file}"];

/// What it takes to call an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Whether it may be called without a token.
    pub public: bool,
    /// The roles it takes; empty: any.
    pub roles: BTreeSet<Role>,
    /// Whether it computes, and so counts against the rate of questions.
    pub question: bool,
}

/// Every operation, and what it takes: (template, method) to rule.
#[derive(Debug, Clone)]
pub struct Table(BTreeMap<String, BTreeMap<String, Rule>>);

impl Table {
    /// Reads the table from the `OpenAPI` document.
    #[must_use]
    pub fn of(document: &serde_json::Value) -> Self {
        let mut table = BTreeMap::<String, BTreeMap<String, Rule>>::new();
        let object = |value: &serde_json::Value| value.as_object().cloned().unwrap_or_default();
        for (template, item) in object(&document["paths"]) {
            for (method, operation) in object(&item) {
                let rule = Rule::of(&template, &operation);
                table.entry(template.clone()).or_default().insert(method.to_uppercase(), rule);
            }
        }
        Self(table)
    }

    /// Every (method, template, rule): the rows of the endpoint and role test.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &str, &Rule)> {
        self.0.iter().flat_map(|(t, methods)| methods.iter().map(move |(m, rule)| (m.as_str(), t.as_str(), rule)))
    }

    fn methods(&self, template: &str) -> Option<&BTreeMap<String, Rule>> {
        self.0.get(template)
    }
}

impl Rule {
    pub(super) fn of(template: &str, operation: &serde_json::Value) -> Self {
        let requirements = operation["security"].as_array().cloned().unwrap_or_default();
        let public = requirements.iter().any(|r| r.as_object().is_some_and(serde_json::Map::is_empty));
        let roles = requirements.iter().filter_map(|r| r["token"].as_array()).flatten();
        let roles = roles.filter_map(|name| Role::ALL.into_iter().find(|role| Some(role.as_str()) == name.as_str()));
        let question = matches!(template, "/v1/releases" | "/v1/quotes") && operation.get("requestBody").is_some();
        Self { public, roles: roles.collect(), question }
    }

    /// The roles that may call it, written out; none: everyone.
    pub(super) fn roles_admitted(&self) -> Vec<Role> {
        Role::ALL.into_iter().filter(|role| !self.public && self.admits(*role).is_ok()).collect()
    }

    fn admits(&self, role: Role) -> Result<(), Problem> {
        if self.roles.is_empty() || self.roles.contains(&role) {
            return Ok(());
        }
        let needed = self.roles.first().map_or("another one", |role| role.as_str());
        Err(OfficeError::ForbiddenRole { needed }.into())
    }
}

/// The template of a request's route, found once: looking for it costs more than most replies. `None`: not ours.
pub(super) struct Template(pub(super) Option<String>);

/// A route's template as the document writes it: without the patterns of its parts.
pub(super) fn template_of(pattern: &str) -> String {
    let mut template = String::with_capacity(pattern.len());
    let mut skipping = false;
    for c in pattern.chars() {
        match c {
            ':' => skipping = true,
            '}' => skipping = false,
            _ => {}
        }
        if !skipping {
            template.push(c);
        }
    }
    template
}

/// The middleware: admits a request and leaves its [`Principal`] with it, or answers with a problem.
pub(super) async fn gate(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match admit(&req).await {
        Ok(None) => {}
        Ok(Some(principal)) => {
            req.extensions_mut().insert(principal);
        }
        Err(refusal) => {
            let mut response = refusal.problem.error_response();
            if let Some(allow) = refusal.allow.and_then(|allow| HeaderValue::from_str(&allow).ok()) {
                response.headers_mut().insert(ALLOW, allow);
            }
            return Ok(req.into_response(response));
        }
    }
    next.call(req).await.map(ServiceResponse::map_into_boxed_body)
}

struct Refusal {
    problem: Problem,
    allow: Option<String>,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problem, allow: None }
    }
}

async fn admit(req: &ServiceRequest) -> Result<Option<Principal>, Refusal> {
    let Some(face) = req.app_data::<web::Data<Face>>().cloned() else {
        return Err(Problem::from(OfficeError::Sealed).into());
    };
    let origin = origin_of(req, &face.settings.trusted_proxies);
    let rule = rule_of(req, &face.table)?;
    let principal = match bearer(req.headers())? {
        Some(token) => Some(authenticate(req, &face.limits, origin, token).await?),
        None => None,
    };
    match (&principal, rule) {
        (Some(principal), rule) => {
            face.limits.token(&principal.token, rule.as_ref().is_some_and(|rule| rule.question))?;
            if let Some(rule) = rule {
                rule.admits(principal.role)?;
            }
        }
        (None, Some(rule)) if !rule.public => {
            face.limits.address(origin)?;
            return Err(Problem::from(OfficeError::Unauthenticated).into());
        }
        (None, _) => face.limits.address(origin)?,
    }
    Ok(principal)
}

/// The rule of the route; `None` for pages and for addresses that lead nowhere.
fn rule_of(req: &ServiceRequest, table: &Table) -> Result<Option<Rule>, Refusal> {
    let found = req.extensions().get::<Template>().map(|found| found.0.clone());
    let found = found.unwrap_or_else(|| req.match_pattern().map(|pattern| template_of(&pattern)));
    let Some(template) = found else { return Ok(None) };
    let Some(methods) = table.methods(&template) else {
        return if PAGES.contains(&template.as_str()) { Ok(None) } else { Err(super::routes::path_unknown().into()) };
    };
    if let Some(rule) = methods.get(req.method().as_str()) {
        return Ok(Some(rule.clone()));
    }
    let allow = methods.keys().cloned().collect::<Vec<_>>().join(", ");
    let detail = format!("this address takes {allow}");
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
    Err(Refusal { problem, allow: Some(allow) })
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(AUTHORIZATION);
    let Some(value) = values.next() else { return Ok(None) };
    let token = value.to_str().ok().filter(|v| v.len() <= AUTHORIZATION_LONGEST && values.next().is_none());
    let token = token.and_then(|v| v.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    token.map(|(_, token)| Some(token.trim())).ok_or_else(|| OfficeError::Unauthenticated.into())
}

async fn authenticate(
    req: &ServiceRequest,
    limits: &Limits,
    origin: Option<IpAddr>,
    token: &str,
) -> Result<Principal, Problem> {
    let Some(office) = req.app_data::<web::Data<Office>>().cloned() else { return Err(OfficeError::Sealed.into()) };
    match office.authenticate(token).await {
        Ok(principal) => Ok(principal),
        // guessing is slowed down by address
        Err(OfficeError::Unauthenticated) => {
            Err(limits.address(origin).err().unwrap_or(OfficeError::Unauthenticated.into()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Where the request comes from, as far as it is believed.
pub(super) fn origin_of(req: &ServiceRequest, proxies: &[IpAddr]) -> Option<IpAddr> {
    let forwarded = req.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok());
    origin(req.peer_addr().map(|peer| peer.ip()), forwarded, proxies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_become_templates() {
        assert_eq!(template_of("/log/tile/{path:.*}"), "/log/tile/{path}");
        assert_eq!(template_of("/v1/releases/{id}"), "/v1/releases/{id}");
    }

    #[test]
    fn only_one_bearer_token_counts() {
        let with = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            bearer(&headers).map(|token| token.map(str::to_owned)).map_err(|problem| problem.document().status)
        };
        assert_eq!(with(&[]), Ok(None));
        assert_eq!(with(&["Bearer hl_x"]), Ok(Some("hl_x".into())));
        assert_eq!(with(&["bearer hl_x"]), Ok(Some("hl_x".into())));
        for bad in [&["Basic hl_x"][..], &["hl_x"], &["Bearer a", "Bearer b"]] {
            assert_eq!(with(bad), Err(401));
        }
        assert_eq!(with(&[&format!("Bearer {}", "x".repeat(600))]), Err(401));
    }
}
