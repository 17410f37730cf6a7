//! A register in which every submission owns a cell, so that a lost one shows as nothing and a doubled one as twice.

use serde_json::{Value, json};

/// Cells of a period: each holds one submission at a time, or none.
pub const CELLS: usize = 6;

/// The account that pays.
pub const ACCOUNT: &str = "crashes";

/// The policy: ministries 0 to `writers`, a budget that lasts, no partners for withheld cells.
pub fn policy(writers: usize) -> String {
    let submitters: Vec<String> = (0..writers).map(|writer| format!("ministry-{writer} = [\"*\"]")).collect();
    let codes: Vec<String> = (0..CELLS).map(|cell| format!("{:?}", code(cell))).collect();
    format!(
        r#"
id = "crash"
version = 1
title = {{ en = "Crash" }}
universe = {{ en = "Persons of the test" }}
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
submitters = {{ {} }}
[unit]
person = "person_id"
id = "raw"
rows_max = 1
periods_max = 1
[budget]
account = "{ACCOUNT}"
accounting = "zcdp"
rho = "1000000"
delta = "1e-9"
per_release_max = "10"
[purposes]
allow = ["sdg"]
[principals]
deny_classes = ["enforcement"]
[[column]]
name = "cell"
title = {{ en = "Cell" }}
role = "dimension"
per = "person"
codes = [{}]
[[column]]
name = "sex"
title = {{ en = "Sex" }}
role = "dimension"
per = "person"
codes = ["F", "M"]
[cells]
threshold = 20
round_to = 1
dims_max = 2
cells_max = 2000
moe_relative_max = "0.5"
withhold_unreliable = false
complementary = false
"#,
        submitters.join(", "),
        codes.join(", ")
    )
}

/// The code of a cell.
pub fn code(cell: usize) -> String {
    format!("c{cell}")
}

/// A file of `persons` people, all in one cell. `start` is part of every id: no two files share a person. Letters part
/// the numbers, since ids are compared without separators: with hyphens, person 5 of file 11 would be person 15 of file
/// 1.
pub fn file(start: &str, cell: usize, persons: usize) -> String {
    let row = |person: usize| format!("{start}p{person},{},{}\n", code(cell), ["F", "M"][person % 2]);
    String::from("person_id,cell,sex\n") + &(0..persons).map(row).collect::<String>()
}

/// A question about one period. Its noise has a standard deviation of about one person (`rho` is at least 0.5).
pub fn question(period: &str, kind: usize) -> Value {
    let rho = ["0.5", "0.6", "0.7", "0.8"][kind % 4];
    let mut asked = json!({ "dataset": "crash", "purpose": "sdg", "measures": [{ "kind": "persons" }],
        "by": ["cell"], "periods": [period], "spend": { "rho": rho } });
    if kind >= 4 {
        // Another cut of the same draw: free once that is paid for.
        asked["where"] = json!({ "cell": [code(0), code(1)] });
    }
    asked
}
