//! Sums of a column beside persons: told where persons are, with as much silence as their own errors ask for.
//!
//! A sum is withheld exactly where its persons are, so no more of them is published than of persons, and what cannot be
//! worked out of persons (A) cannot be of sums. Who knows the one value in a cell knows its sum to within its error,
//! though: where that is more precise than persons, counted in the furthest that one value reaches, the persons' lines
//! hide as if they were known as well (E). There is no W of sums, since values may have either sign.
//!
//! # Guarantee
//! G9: errors depend on the plan alone.

use super::answer::AnswerError;
use super::body::Body;
use super::combine::{float, outcomes, unit};
use super::parts::Parts;
use super::table::TableFace;
use crate::estimate::EstimatedTable;
use crate::policy::{Figure, Numbers, Plan, Quantity};
use crate::suppress::{Certificate, Notion, known_below};
use std::collections::BTreeMap;

/// The faces of the tables of each sum that a plan tells; none where the tables of persons do not add up, of which a
/// release tells one.
pub(super) fn faces(plan: &Plan, parts: &Parts<'_>, persons: &[EstimatedTable]) -> Result<Vec<TableFace>, AnswerError> {
    let mut faces = Vec::new();
    for figure in plan.figures.iter().filter(|_| plan.additive) {
        let Figure::Sum(numbers) = figure else { continue };
        for (table, told) in persons.iter().zip(outcomes(plan, parts, figure, persons)?) {
            let standard_errors = told.iter().flatten().filter_map(|outcome| outcome.standard_error).collect();
            let face = TableFace::of(plan, &figure.name(), &EstimatedTable { standard_errors, ..table.clone() });
            faces.push(TableFace { reach: Some(reach(numbers).to_string()), ..face });
        }
    }
    Ok(faces)
}

fn reach(numbers: &Numbers) -> f64 {
    numbers.reach().try_into().map_or(f64::INFINITY, float) * unit(numbers)
}

/// By shown table and cell, the smallest error of the sums and numbers of values that a plan tells something of, in
/// persons; nothing where it tells of none.
pub(super) fn errors(plan: &Plan, parts: &Parts<'_>) -> Result<Vec<Vec<f64>>, AnswerError> {
    let mut least: Vec<Vec<f64>> = Vec::new();
    for figure in plan.figures.iter().filter(|_| plan.additive) {
        let (Figure::Sum(numbers) | Figure::Mean(numbers)) = figure else { continue };
        let counted = [
            (Quantity::Valued(numbers.clone()), 1.0),
            (Quantity::Sum(numbers.clone()), numbers.reach().try_into().map_or(f64::INFINITY, float)),
        ];
        for (quantity, one) in counted {
            let errors = parts.quantity(&quantity)?.into_iter().map(|table| table.standard_errors);
            let errors: Vec<Vec<f64>> = errors.map(|errors| errors.iter().map(|error| error / one).collect()).collect();
            if least.is_empty() {
                least = errors;
                continue;
            }
            for (least, error) in least.iter_mut().flatten().zip(errors.iter().flatten()) {
                *least = least.min(*error);
            }
        }
    }
    Ok(least)
}

/// The errors of persons, no larger than it takes to hide what others beside them would tell.
pub(super) fn beside<'a>(own: &mut [f64], floor: f64, others: impl Iterator<Item = &'a f64>) {
    for (own, other) in own.iter_mut().zip(others) {
        let known = known_below(floor);
        if *other < known {
            *own = own.min(known * (1.0 - 1e-6));
        }
    }
}

/// The same of a table of persons that was published, by the faces of the sums beside it.
pub(super) fn beside_published(body: &Body, table: &TableFace, own: &mut [f64], floor: f64) {
    let of_it = |face: &&TableFace| face.reach.is_some() && face.by == table.by && face.filter == table.filter;
    for face in body.tables.iter().filter(of_it).filter(|_| table.measure == Figure::Persons.name()) {
        if let (Some(unit), Some(errors)) = (face.unit(), face.standard_errors(own.len())) {
            let errors: Vec<f64> = errors.iter().map(|error| error / unit).collect();
            beside(own, floor, errors.iter());
        }
    }
}

/// Says of every measure in which senses its withheld figures are safe, by the faces of all tables and the names of all
/// measures that are told.
pub(super) fn covered<'a>(
    certificate: &mut Certificate,
    faces: impl Iterator<Item = &'a TableFace>,
    measures: impl Iterator<Item = String>,
) {
    let all = certificate.notions.clone();
    let of_face = |face: &TableFace| {
        let holds = |notion: &&Notion| face.reach.is_none() || **notion != Notion::W;
        (face.measure.clone(), all.iter().filter(holds).copied().collect())
    };
    // what does not add up is told of no cell but its own
    let mut measures: BTreeMap<String, Vec<Notion>> = measures.map(|measure| (measure, Vec::new())).collect();
    measures.extend(faces.map(of_face));
    certificate.measures.append(&mut measures);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Accounting;
    use crate::identity::Digest;
    use crate::ledger::Settle as _;
    use crate::noise::{NoisyTable, NoisyTables};
    use crate::policy::sample::{analyst, closed, policy, question, today};
    use crate::policy::{MeasureAsked, Measured, Question, admit};
    use crate::release::draft::{Draft, epsilon};
    use crate::release::table::Linked;
    use crate::release::telling::tell;
    use crate::release::{Flaw, audit};

    /// A state of five persons beside others of a thousand, whose persons are known to within 2 each, and their wages
    /// to within so many of the largest.
    fn released(measures: Vec<MeasureAsked>, error: f64) -> String {
        let asked = Question { measures, margins: true, ..question("acs2024", &["adm1"], &["2024"], "0.02") };
        let plan = admit(&policy("acs2024"), &closed(&["2024"]), &analyst(), &asked, today()).unwrap();
        let drawn = |table: &Measured| {
            let states: usize = table.dims.iter().map(|&d| plan.dimensions[d].levels.len()).product();
            let of_state = |state: usize| if state == 3 { 5 } else { 1_000 + 7 * i64::try_from(state).unwrap() };
            let values: Vec<i64> = if states > 1 {
                (0..states).map(of_state).collect()
            } else {
                vec![(0..plan.dimensions[0].levels.len()).map(of_state).sum()]
            };
            let one = match &table.quantity {
                Quantity::Sum(numbers) => error * float(i64::try_from(numbers.reach()).unwrap()),
                Quantity::Persons | Quantity::Rows | Quantity::Valued(_) | Quantity::Bins(..) => 2.0,
            };
            NoisyTable { dims: table.dims.clone(), values, variance: one * one }
        };
        let noisy = NoisyTables { accounting: Accounting::Zcdp, tables: plan.measured.iter().map(drawn).collect() };
        let parts = Parts::new(&plan, &noisy);
        let telling = tell(&plan, &parts, &Linked::new()).unwrap();
        String::from_utf8(Draft::new(&plan, telling, epsilon(&plan), None).unwrap().entry().body).unwrap()
    }

    fn sum() -> Vec<MeasureAsked> {
        vec![MeasureAsked::Persons {}, MeasureAsked::Sum { column: "wage_year".into() }]
    }

    fn found(body: &serde_json::Value) -> Result<Certificate, Flaw> {
        let mut document = body.clone();
        document["sha256"] = Digest::of(body.to_string().as_bytes()).to_string().into();
        audit(&[("release".into(), serde_json::to_vec(&document).unwrap())]).remove(0).found
    }

    fn silent(body: &serde_json::Value, measure: &str) -> Vec<String> {
        let cells = body["cells"].as_array().unwrap().iter();
        let of = cells.filter(|cell| cell["measure"] == measure && cell["reason"] == "withheld");
        of.map(|cell| cell["key"].to_string()).collect()
    }

    #[test]
    fn a_line_hides_three_where_a_sum_beside_persons_is_known_more_closely() {
        for (error, hidden) in [(0.95, 2), (0.3, 3)] {
            let body: serde_json::Value = serde_json::from_str(&released(sum(), error)).unwrap();
            assert_eq!(silent(&body, "persons").len(), hidden, "{error}");
            assert_eq!(silent(&body, "persons"), silent(&body, "sum:wage_year"), "{error}");
            let certificate: Certificate = serde_json::from_value(body["certificate"].clone()).unwrap();
            let found = found(&body).unwrap_or_else(|flaw| panic!("{error}: {flaw}"));
            assert_eq!((found.withheld, found.measures), (hidden, certificate.measures), "{error}");
        }
    }

    #[test]
    fn an_audit_holds_sums_against_each_other_with_errors_of_their_own() {
        let body: serde_json::Value = serde_json::from_str(&released(sum(), 0.95)).unwrap();
        // as precise as a third of that, two in a line are too few
        let mut close = body.clone();
        for table in close["tables"].as_array_mut().unwrap() {
            if table["measure"] == "sum:wage_year" {
                table["se"] = serde_json::json!(["20000.0000"]);
            }
        }
        assert!(matches!(found(&close), Err(Flaw::Revealed { what: "withheld figures follow from one another", .. })));
        // a sum told where its persons are silent follows from the others
        let mut told = body.clone();
        let cells = told["cells"].as_array_mut().unwrap();
        let hidden = cells.iter().position(|c| c["measure"] == "sum:wage_year" && c["reason"] == "withheld").unwrap();
        let shown = cells.iter().find(|c| c["measure"] == "sum:wage_year" && c["status"] != "Q").unwrap().clone();
        let key = cells[hidden]["key"].clone();
        cells[hidden] = shown;
        cells[hidden]["key"] = key;
        assert!(matches!(
            found(&told),
            Err(Flaw::Revealed { what: "withheld figures follow from published ones", .. })
        ));
    }

    #[test]
    fn a_certificate_says_of_every_measure_what_holds() {
        let column = || "wage_year".to_owned();
        let measures = vec![
            MeasureAsked::Persons {},
            MeasureAsked::Rows {},
            MeasureAsked::Sum { column: column() },
            MeasureAsked::Mean { column: column() },
        ];
        let body: serde_json::Value = serde_json::from_str(&released(measures, 0.95)).unwrap();
        let all = serde_json::json!(["A", "E", "W"]);
        let said = &body["certificate"]["measures"];
        assert_eq!(said["persons"], all, "{said}");
        assert_eq!(said["rows"], all, "{said}");
        assert_eq!(said["sum:wage_year"], serde_json::json!(["A", "E"]), "{said}");
        assert_eq!(said["mean:wage_year"], serde_json::json!([]), "{said}");
        assert_eq!(found(&body).map(|found| found.measures.len()), Ok(4));
    }
}
