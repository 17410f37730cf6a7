//! A release is searched for what it withholds: no estimate of a withheld cell stands anywhere in it, and it passes
//! its own audit. Other formats are written from the same body and know nothing else.

use super::body::Body;
use super::draft::{Draft, epsilon};
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
    let text = String::from_utf8(Draft::new(&plan, telling, epsilon(&plan), None).unwrap().entry().body).unwrap();
    assert!(withheld.len() > 10, "{}", withheld.len());
    for value in withheld {
        for digits in [format!("\"{value:.4}\""), format!("\"{value}\""), format!(":{value},")] {
            assert!(!text.contains(&digits), "{digits}");
        }
    }
    let body: Body = serde_json::from_str(&text).unwrap();
    assert!(body.cells.iter().any(|cell| cell.measure == "persons:employment=unemployed"));
    assert_eq!(body.certificate.notions.len(), 3);
    let audited = super::audit(&[document(&text)]).remove(0);
    assert_eq!(audited.found.map(|found| found.withheld), Ok(body.certificate.withheld));
}

/// A body as it is served, with a name.
fn document(body: &str) -> (String, Vec<u8>) {
    let mut document: serde_json::Value = serde_json::from_str(body).unwrap();
    document["sha256"] = crate::identity::Digest::of(body.as_bytes()).to_string().into();
    ("release".into(), serde_json::to_vec(&document).unwrap())
}

/// The unemployed have a sector: with or without those of none, a state's are the same figure. A partner must not be
/// told by its other name.
#[test]
fn cells_that_differ_by_an_impossible_one_are_withheld_together() {
    let policy = policy("acs2024");
    let list = |column: &str| -> Vec<String> {
        let found = policy.dimensions().find(|(c, _)| c.name == column).unwrap().1;
        found.codes.iter().map(|code| code.id.clone()).collect()
    };
    let (unemployed, sectors) = (vec!["unemployed".to_owned()], list("sector"));
    let real: Vec<String> = sectors.iter().filter(|code| *code != "not_applicable").cloned().collect();
    let mut first = Question { margins: true, ..question("acs2024", &["adm1"], &["2024"], "0.02") };
    first.filter = [("employment".to_owned(), unemployed.clone()), ("sector".to_owned(), real)].into();
    let mut second = question("acs2024", &["adm1"], &["2024"], "0.0003");
    second.filter = [("employment".to_owned(), unemployed)].into();
    let plan = admit(&policy, &closed(&["2024"]), &analyst(), &first, today()).unwrap();
    let cells = |dims: &[usize]| dims.iter().map(|&d| plan.dimensions[d].levels.len()).product::<usize>();
    // one state has no unemployed, the next some, every other one many
    let of_state = |table: &Measured, cell: usize| {
        let inner: usize = table.dims.iter().skip(1).map(|&d| plan.dimensions[d].levels.len()).product();
        let broken_down = table.dims.first().is_some_and(|&d| plan.dimensions[d].name == "adm1");
        if broken_down { [0, 30].get(cell / inner).copied().unwrap_or(40) } else { 1_900 }
    };
    let drawn = |table: &Measured| {
        let values = (0..cells(&table.dims)).map(|cell| of_state(table, cell)).collect();
        NoisyTable { dims: table.dims.clone(), values, variance: 4.0 }
    };
    let noisy = NoisyTables { accounting: Accounting::Zcdp, tables: plan.measured.iter().map(drawn).collect() };
    let parts = Parts::new(&plan, &noisy);
    let text = |plan, telling, from| {
        let body = Draft::new(plan, telling, epsilon(plan), from).unwrap().entry().body;
        String::from_utf8(body).unwrap()
    };
    let one = text(&plan, tell(&plan, &parts, &Linked::new()).unwrap(), None);
    let body: Body = serde_json::from_str(&one).unwrap();
    assert!(body.certificate.withheld >= 2, "a small one and its partner: {one}");
    assert!(!body.impossible.is_empty());
    let asked = admit(&policy, &closed(&["2024"]), &analyst(), &second, today()).unwrap();
    let over = asked.laid_over(&policy, plan.draw, &plan.form()).unwrap();
    let parts = Parts::new(&over, &noisy);
    let mut standing = Linked::new();
    for (link, mut told) in super::linked::Frame::of_plan(&over).tables(&body).unwrap() {
        told.estimates = parts.over(&told.axes, None).unwrap();
        standing.entry(link).or_default().push(told);
    }
    let telling = tell(&over, &parts, &standing).unwrap();
    let two = text(&over, telling, Some(body.id.clone()));
    let audited = super::audit(&[document(&one), document(&two)]).remove(0);
    assert!(audited.found.is_ok(), "{:?}", audited.found);
    let again: Body = serde_json::from_str(&two).unwrap();
    let silent = |body: &Body, at: usize| body.cells[at].value.is_none();
    assert!(silent(&body, 0) && silent(&body, 1), "the second state is the first one's partner");
    assert!(silent(&again, 0) && silent(&again, 1), "by either name");
}
