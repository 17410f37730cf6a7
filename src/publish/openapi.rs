//! The description of the interface, from which the gate reads who may call what, and tests their rows.
//!
//! # Guarantee
//! Every operation says whom it is for: `security` names the roles (an empty requirement: the public). An operation
//! that is not listed here cannot be called. Problems are described once and hold for every operation.

use super::gate::Rule;
use super::problem::{CODES, ProblemDocument};
use super::publishable::PROBLEM_JSON;
use super::routes::{
    asking, datasets, docs, health, indicators, log, policies, programs, releases, submissions, tokens,
};
use crate::identity::Role;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Halflight",
        description = "Differentially private, small-cell-safe tables about migrants, and nothing else. \
                       Amounts of privacy are decimal strings."
    ),
    paths(
        submissions::submit, submissions::receipts, submissions::withdraw,
        datasets::close, datasets::list, datasets::one, datasets::suspend, datasets::budget,
        asking::quote, asking::ask, programs::run,
        indicators::list, indicators::ask,
        releases::list, releases::one, releases::loss,
        policies::propose, policies::list, policies::approve,
        tokens::issue, tokens::list, tokens::revoke,
        log::checkpoint, log::tile, log::entry, log::inclusion, log::consistency, log::key,
        health::live, health::ready, health::metrics,
        docs::openapi, docs::docs, docs::problem,
    ),
    components(schemas(ProblemDocument)),
    modifiers(&Completed),
    tags(
        (name = "submit", description = "Ministries and statistics offices send files"),
        (name = "ask", description = "Reporting teams ask for tables"),
        (name = "read", description = "Everyone reads what was released"),
        (name = "govern", description = "Privacy officers say what may be told"),
        (name = "audit", description = "Anyone checks"),
        (name = "operate", description = "The service itself"),
    )
)]
struct Interface;

/// What holds for every operation.
struct Completed;

impl Modify for Completed {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.bearer_format = Some("hl_ROLE_SECRET".to_owned());
        bearer.description = Some("A token from an operator. Never part of an address.".to_owned());
        let components = openapi.components.get_or_insert_default();
        components.security_schemes.insert("token".to_owned(), SecurityScheme::Http(bearer).into());
        for item in openapi.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch];
            for operation in operations.into_iter().flatten() {
                describe_problems(operation);
            }
        }
    }
}

fn describe_problems(operation: &mut Operation) {
    let mut codes = BTreeMap::<u16, Vec<&str>>::new();
    for (code, status, _) in CODES {
        codes.entry(*status).or_default().push(code);
    }
    for (status, codes) in codes {
        let entry = operation.responses.responses.entry(status.to_string());
        entry.or_insert_with(|| problem(&format!("A problem: {}", codes.join(", "))).into());
    }
    let entry = operation.responses.responses.entry("default".to_owned());
    entry.or_insert_with(|| problem("A problem").into());
}

fn problem(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(description).content(PROBLEM_JSON, content).build()
}

/// The document, ready to be served.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Description(Value);

impl Description {
    pub(super) fn new() -> Self {
        let mut document = serde_json::to_value(Interface::openapi()).unwrap_or_default();
        let paths = document.get_mut("paths").and_then(Value::as_object_mut);
        for (template, item) in paths.into_iter().flatten() {
            for operation in item.as_object_mut().into_iter().flat_map(|item| item.values_mut()) {
                let roles = Rule::of(template, operation).roles_admitted();
                if let Some(operation) = operation.as_object_mut() {
                    operation.insert("x-roles".to_owned(), roles.into_iter().map(Role::as_str).collect());
                }
            }
        }
        Self(document)
    }

    pub(super) fn as_value(&self) -> &Value {
        &self.0
    }
}

/// The `OpenAPI` document of the service.
#[must_use]
pub fn document() -> serde_json::Value {
    Description::new().0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::Table;

    #[test]
    fn every_operation_says_whom_it_is_for() {
        let document = document();
        let table = Table::of(&document);
        assert!(table.rows().count() >= 30, "{}", table.rows().count());
        let mut ids = std::collections::BTreeSet::new();
        for (method, template, rule) in table.rows() {
            let operation = &document["paths"][template][method.to_lowercase()];
            assert!(operation["security"].is_array(), "{method} {template} has no security");
            assert!(ids.insert(operation["operationId"].to_string()), "{method} {template} has no id of its own");
            assert!(operation["tags"][0].is_string(), "{method} {template} has no tag");
            let all = if rule.public { 0 } else { Role::ALL.len() };
            let roles = if rule.public || rule.roles.is_empty() { all } else { rule.roles.len() };
            assert_eq!(operation["x-roles"].as_array().map(Vec::len), Some(roles), "{method} {template}");
            assert!(operation["summary"].is_string(), "{method} {template} has no summary");
            for requirement in operation["security"].as_array().unwrap() {
                for name in requirement["token"].as_array().into_iter().flatten() {
                    let known = crate::identity::Role::ALL.iter().any(|role| name == role.as_str());
                    assert!(known, "{method} {template} names the role {name}");
                }
            }
            assert!(template.starts_with("/v1/") || rule.public, "{method} {template}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        for part in text.split("\"#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(document["components"]["schemas"].get(name).is_some(), "{name} is not described");
        }
    }
}
