//! A release is searched for what it withholds: no estimate of a withheld cell stands anywhere in it, and it passes
//! its own audit. Other formats are written from the same body and know nothing else.

use super::body::Body;
use super::draft::Draft;
use super::parts::Parts;
use super::table::Linked;
use super::telling::{Told, tell};
use crate::budget::Accounting;
use crate::ledger::Settle as _;
use crate::noise::{NoisyTable, NoisyTables};
use crate::policy::sample::{analyst, closed, policy, question, today};
use crate::policy::{MeasureAsked, Measured, Question, admit};

fn asked() -> Question {
    let of = [("employment".to_owned(), vec!["unemployed".to_owned()])].into();
    Question {
        measures: vec![MeasureAsked::Persons {}, MeasureAsked::Share { of }],
        margins: true,
        ..question("acs2024", &["age", "sex", "citizenship"], &["2024"], "0.02")
    }
}

#[test]
fn no_estimate_of_a_withheld_cell_stands_in_a_release() {
    let plan = admit(&policy("acs2024"), &closed(&["2024"]), &analyst(), &asked(), today()).unwrap();
    let drawn = |table: &Measured| {
        let cells: usize = table.dims.iter().map(|&d| plan.dimensions[d].levels.len()).product();
        // sums of about the same population, most of it thin
        let each = 600 / cells;
        let values = (0..cells).map(|cell| i64::try_from(each + cell * 7_919 % 13).unwrap() - 6).collect();
        NoisyTable { dims: table.dims.clone(), values, variance: 9.0 }
    };
    let noisy = NoisyTables { accounting: Accounting::Zcdp, tables: plan.measured.iter().map(drawn).collect() };
    let parts = Parts::new(&plan, &noisy);
    let telling = tell(&plan, &parts, &Linked::new()).unwrap();
    let mut withheld = Vec::new();
    for table in &telling.tables {
        let told = &table.columns.iter().find(|column| column.name == "persons").unwrap().told;
        let silent = told.iter().zip(&table.persons.values).filter(|(told, _)| **told == Told::Withheld);
        withheld.extend(silent.map(|(_, value)| *value));
    }
    let text = String::from_utf8(Draft::new(&plan, telling, None).unwrap().entry().body).unwrap();
    assert!(withheld.len() > 10, "{}", withheld.len());
    for value in withheld {
        for digits in [format!("\"{value:.4}\""), format!("\"{value}\""), format!(":{value},")] {
            assert!(!text.contains(&digits), "{digits}");
        }
    }
    let body: Body = serde_json::from_str(&text).unwrap();
    assert!(body.cells.iter().any(|cell| cell.measure == "persons:employment=unemployed"));
    assert_eq!(body.certificate.notions.len(), 3);
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    document["sha256"] = crate::identity::Digest::of(text.as_bytes()).to_string().into();
    let audited = super::audit(&[("release".into(), serde_json::to_vec(&document).unwrap())]).remove(0);
    assert_eq!(audited.found.map(|found| found.withheld), Ok(body.certificate.withheld));
}
