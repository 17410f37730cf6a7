//! One person more or less in every cell, through the whole service: how often a cell is withheld.
//!
//! A draw is a cell: 5,000 disjoint cells of one count are as many draws of one release. A frequency has a standard
//! error of 0.006, its bounds are 5.5 of them wide: two frequencies, false alarm below 1e-6. Noise of 0.7 times the
//! scale would be 12 standard errors off.

use crate::support::TestService;
use crate::wide;
use serde_json::json;

const CELLS: usize = 5_000;
const FLOOR: usize = 10;

/// How often the cells of so many persons each are withheld, of one release at an epsilon of 1.
fn withheld(persons: usize) -> f64 {
    let service = TestService::start();
    let policy = wide::policy("wide", 1, CELLS, "epsilon = \"3\"\nper_release_max = \"1\"");
    let pure = policy.replacen("accounting = \"zcdp\"\ndelta = \"1e-9\"", "accounting = \"pure\"", 1);
    service.in_force(&pure.replacen("cells_max = 2000", "cells_max = 20000", 1));
    let mut csv = String::from("person_id,d0\n");
    for cell in 0..CELLS {
        (0..persons).for_each(|person| csv.push_str(&format!("p{cell}x{person},c{cell}\n")));
    }
    service.submit(&service.submitter(), "wide", "2026", "k1", &csv).expect(201);
    service.close("wide", "2026").expect(201);
    let asked = json!({ "dataset": "wide", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": ["d0"],
        "periods": ["2026"], "spend": { "epsilon": "1" } });
    let release = service.ask(&service.analyst(), &asked).expect(201).json();
    let cells = release["cells"].as_array().unwrap();
    assert_eq!(cells.len(), CELLS);
    cells.iter().filter(|cell| cell["status"] == "Q").count() as f64 / CELLS as f64
}

// Cases 11 and 12, R1. Of the discrete Laplace the chance of being at most 0 is 1 / (1 + q), of being below it
// q / (1 + q), with q = exp(-epsilon): exactly e^epsilon apart, both ways.
#[test]
fn a_person_at_the_floor_changes_what_is_told_by_e_to_the_epsilon_and_no_more() {
    let q = (-1.0_f64).exp();
    for (persons, expected) in [(FLOOR - 1, 1.0 / (1.0 + q)), (FLOOR, q / (1.0 + q))] {
        let (found, error) = (withheld(persons), (expected * (1.0 - expected) / CELLS as f64).sqrt());
        assert!((found - expected).abs() < 5.5 * error, "{persons}: {found}, not {expected}");
    }
}
