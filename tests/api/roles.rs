//! Every endpoint x every role, from the service's own OpenAPI document: a new endpoint cannot be forgotten.

use crate::support::{POLICY, TestService};
use serde_json::Value;

const ROLES: [&str; 5] = ["submitter", "analyst", "officer", "auditor", "operator"];

/// The roles an operation says it takes; empty: public.
fn roles_of(operation: &Value) -> Vec<String> {
    let named = operation["x-roles"].as_array().unwrap_or_else(|| panic!("an operation without x-roles: {operation}"));
    named.iter().map(|role| role.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_endpoint_is_open_to_the_roles_it_names_and_to_no_other() {
    let service = TestService::start();
    service.in_force(POLICY);
    let tokens: Vec<(&str, String)> = ROLES
        .iter()
        .map(|role| match *role {
            "officer" => (*role, service.officers[2].clone()),
            "operator" => (*role, service.operator.clone()),
            "submitter" => (*role, service.submitter()),
            _ => (*role, service.token(role, "ohchr", "un_reporting")),
        })
        .collect();
    let document = service.get("/openapi.json", None).expect(200).json();
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let concrete = path
            .replace("{dataset}", "visits")
            .replace("{sha256}", &"0".repeat(64))
            .replace("{account}", "visitors")
            .replace("{index}", "0")
            .replace("{id}", "visits")
            .replace("{path}", "0/000")
            .replace("{program}", "annual")
            .replace("{code}", "unauthenticated");
        for (method, operation) in methods.as_object().unwrap().iter().filter(|(method, _)| *method != "parameters") {
            operations += 1;
            let allowed = roles_of(operation);
            let method = method.to_uppercase();
            let json_type = [("content-type", "application/json"), ("idempotency-key", "x")];
            let nobody = service.request(&method, &concrete, None, &json_type, b"{}");
            // The metrics hold no data; a caller on loopback reads them without a token.
            if allowed.is_empty() || path == "/metrics" {
                assert!(![401, 403].contains(&nobody.status), "{method} {path} is public: {}", nobody.text());
            } else {
                assert_eq!(nobody.status, 401, "{method} {path} without a token: {}", nobody.text());
            }
            for (role, token) in &tokens {
                let reply = service.request(&method, &concrete, Some(token), &json_type, b"{}");
                assert!(reply.status < 500, "{method} {path} as {role}: {}", reply.text());
                if allowed.is_empty() || allowed.iter().any(|a| a == role) {
                    assert!(![401, 403].contains(&reply.status), "{method} {path} as {role}: {}", reply.text());
                } else {
                    // A body that does not parse may be told first (400), but nothing is ever done for another role.
                    assert!(
                        [400, 403, 404, 415, 422].contains(&reply.status),
                        "{method} {path} as {role}: {}",
                        reply.text()
                    );
                    assert!(reply.status != 200 && reply.status != 201);
                }
            }
        }
    }
    assert!(operations >= 25, "{operations} operations");
    assert_eq!(service.spent("visitors"), "0");
}
