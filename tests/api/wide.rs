//! A register with many dimensions: enough different questions for a race, and for one too large to be asked.

use crate::support::TestService;
use serde_json::{Value, json};

/// A policy over `dims` dimensions `d0`, `d1` ... of `codes` codes each; `budget` is the table of that name.
pub fn policy(id: &str, dims: usize, codes: usize, budget: &str) -> String {
    let list = (0..codes).map(|code| format!("\"c{code}\"")).collect::<Vec<_>>().join(", ");
    let column = |d| {
        format!(
            "[[column]]\nname = \"d{d}\"\ntitle = {{ en = \"D{d}\" }}\nrole = \"dimension\"\nper = \"person\"\ncodes = [{list}]\n"
        )
    };
    let columns = (0..dims).map(column).collect::<Vec<_>>().concat();
    format!(
        r#"id = "{id}"
version = 1
title = {{ en = "Wide" }}
universe = {{ en = "Persons of a test" }}
source = {{ en = "Test register" }}
controller = "Ministry of Tests"
legal_basis = "Test Act, art. 1"
licence = "CC-BY-4.0"
contact = "dpo@example.org"
effective = 2026-01-01
expires = 2028-12-31
retention_days = 730
consulted = ["nobody (a test)"]
frequency = "A"
editions = "closed"
releases = "public"
submitters = {{ ministry-interior = ["*"] }}
[unit]
person = "person_id"
id = "raw"
rows_max = 1
periods_max = 4
[budget]
account = "{id}"
accounting = "zcdp"
delta = "1e-9"
{budget}
[purposes]
allow = ["sdg"]
[principals]
deny_classes = ["enforcement"]
{columns}
[cells]
threshold = 10
round_to = 1
dims_max = 3
cells_max = 2000
moe_relative_max = "0.5"
withhold_unreliable = false
complementary = true
"#
    )
}

/// A file of that register.
pub fn file(dims: usize, persons: usize) -> String {
    let names = (0..dims).map(|d| format!("d{d}")).collect::<Vec<_>>().join(",");
    let row = |person: usize| {
        let codes = (0..dims).map(|d| format!(",c{}", person >> d & 1)).collect::<Vec<_>>().concat();
        format!("p{person}{codes}\n")
    };
    format!("person_id,{names}\n{}", (0..persons).map(row).collect::<Vec<_>>().concat())
}

/// Puts the policy in force and closes a period of 200 persons.
pub fn closed(service: &TestService, id: &str, dims: usize, budget: &str) {
    service.in_force(&policy(id, dims, 2, budget));
    service.submit(&service.submitter(), id, "2026", "k", &file(dims, 200)).expect(201);
    service.close(id, "2026").expect(201);
}

/// The question over these dimensions, at this price.
pub fn question(id: &str, by: &[usize], rho: &str) -> Value {
    let by: Vec<String> = by.iter().map(|d| format!("d{d}")).collect();
    json!({ "dataset": id, "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": by, "periods": ["2026"],
        "spend": { "rho": rho } })
}

/// Different questions over up to three of the dimensions: no two of them share a draw.
pub fn questions(id: &str, dims: usize, rho: &str) -> Vec<Value> {
    let mut sets: Vec<Vec<usize>> = (0..dims).map(|a| vec![a]).collect();
    sets.extend((0..dims).flat_map(|a| (a + 1..dims).map(move |b| vec![a, b])));
    sets.extend((0..dims).flat_map(|a| (a + 1..dims).flat_map(move |b| (b + 1..dims).map(move |c| vec![a, b, c]))));
    sets.iter().map(|by| question(id, by, rho)).collect()
}
