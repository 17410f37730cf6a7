//! Questions and measures by throws of dice, about the register of `made_up`, and their tables without noise.

use super::made_up::{Count, Dice, Holds, MANY, Register, codes_of, whole};
use super::simulated::drawn;
use crate::noise::NoisyTables;
use crate::policy::sample::{analyst, closed, today};
use crate::policy::{ComparedAsked, MeasureAsked, Measured, Numbers, Plan, Policy, Quantity, Question, admit};
use std::collections::BTreeMap;

/// The register in the tables that a plan measures.
pub(super) fn exact(plan: &Plan, register: &Register) -> NoisyTables {
    let count = Count { register };
    drawn(plan, |measured: &Measured, place| {
        let width = measured.quantity.width();
        let (mut rest, bin) = (place / width, place % width);
        let mut cell: Holds =
            vec![("period".to_owned(), plan.editions.iter().map(|edition| edition.period.to_string()).collect())];
        for &dim in measured.dims.iter().rev() {
            let dimension = &plan.dimensions[dim];
            let level = &dimension.levels[rest % dimension.levels.len()];
            rest /= dimension.levels.len();
            cell.push((dimension.column.clone(), level.members.iter().cloned().collect()));
        }
        let units = |n: &Numbers| -> Vec<i64> {
            let unit = if n.column == "wage" { 10.0 } else { 1.0 };
            count.values(&n.column, &cell).iter().map(|v| whole(v * unit)).collect()
        };
        MANY * match &measured.quantity {
            Quantity::Persons => whole(count.persons(&cell)),
            Quantity::Rows => whole(count.rows(&cell)),
            Quantity::Valued(n) => i64::try_from(units(n).len()).unwrap(),
            Quantity::Sum(n) => units(n).iter().map(|value| value - n.midpoint()).sum(),
            Quantity::Bins(n, edges) => {
                let last = bin + 2 == edges.len();
                let inside = |v: &&i64| edges[bin] <= **v && (**v < edges[bin + 1] || last);
                i64::try_from(units(n).iter().filter(inside).count()).unwrap()
            }
        }
    })
}

const DIMENSIONS: [&str; 12] =
    ["period", "sex", "area", "age", "state", "service", "outcome", "region", "part", "young", "child", "care"];

fn chosen(policy: &Policy, dice: &mut Dice, columns: usize) -> BTreeMap<String, Vec<String>> {
    (0..columns)
        .map(|_| {
            let name = dice.of(&DIMENSIONS[1..]);
            ((*name).to_owned(), dice.some(&codes_of(policy, name)))
        })
        .collect()
}

fn measure(policy: &Policy, dice: &mut Dice) -> MeasureAsked {
    let column = (*dice.of(&["wage", "bill"])).to_owned();
    let mut group = || {
        let name = dice.of(&DIMENSIONS);
        let mut codes = codes_of(policy, name);
        let other = codes.split_off(1 + dice.throw(codes.len() - 1));
        let (mut of, mut against) = (chosen(policy, dice, 0), chosen(policy, dice, 0));
        of.insert((*name).to_owned(), dice.some(&codes));
        against.insert((*name).to_owned(), dice.some(&other));
        if dice.once_in(3) {
            of.extend(chosen(policy, dice, 1));
        }
        (of, against)
    };
    let (of, against) = group();
    let share = ComparedAsked::Share { of: chosen(policy, dice, 1) };
    let mean = ComparedAsked::Mean { column: column.clone() };
    let what = dice.of(&[None, Some(share), Some(mean)]).clone();
    match dice.throw(9) {
        0 => MeasureAsked::Persons {},
        1 => MeasureAsked::Rows {},
        2 => MeasureAsked::Sum { column },
        3 => MeasureAsked::Mean { column },
        4 => MeasureAsked::Quantile { column, q: (*dice.of(&["0.1", "0.25", "0.5", "0.999"])).to_owned() },
        5 | 6 => {
            let columns = 1 + dice.throw(2);
            MeasureAsked::Share { of: chosen(policy, dice, columns) }
        }
        7 => MeasureAsked::Difference { of, against, what },
        _ => MeasureAsked::Ratio { of, against, what },
    }
}

pub(super) fn question(policy: &Policy, dice: &mut Dice) -> Question {
    let table =
        |dice: &mut Dice| -> Vec<String> { (0..dice.throw(4)).map(|_| (*dice.of(&DIMENSIONS)).to_owned()).collect() };
    let tables: Vec<Vec<String>> = (0..=dice.throw(3) / 2).map(|_| table(dice)).collect();
    let filters = dice.throw(5) / 2;
    let measures = (0..=dice.throw(2)).map(|_| measure(policy, dice)).collect();
    let periods = dice.some(&["2025", "2026"]);
    Question {
        measures,
        by: None,
        tables: Some(tables),
        filter: chosen(policy, dice, filters),
        margins: dice.once_in(2),
        purpose: crate::identity::Purpose::parse("sdg").unwrap(),
        ..crate::policy::sample::question("made", &[], &periods, "400")
    }
}

/// Draws of many tables, over one period and over two.
pub(super) fn rich(policy: &Policy, register: &Register) -> Vec<(Plan, NoisyTables)> {
    let measures: Vec<MeasureAsked> = serde_json::from_value(serde_json::json!([
        { "kind": "persons" }, { "kind": "rows" }, { "kind": "mean", "column": "wage" },
        { "kind": "median", "column": "bill" }
    ]))
    .unwrap();
    let tables: [&[&[&str]]; 6] = [
        &[&["sex", "area", "age"], &["state", "age", "sex"], &["region", "state"]],
        &[&["period", "area", "young"], &["period", "child", "state"]],
        &[&["part", "age"], &["region", "sex", "child"]],
        &[&["sex", "service", "outcome"]],
        &[&["care", "area"]],
        &[&["period", "service", "state"]],
    ];
    let mut all = Vec::new();
    for (tables, periods) in
        tables.iter().flat_map(|t| [vec!["2025"], vec!["2026"], vec!["2025", "2026"]].map(|p| (t, p)))
    {
        let tables: Vec<Vec<String>> = tables.iter().map(|t| t.iter().map(|&c| c.to_owned()).collect()).collect();
        let asked = Question {
            measures: measures.clone(),
            by: None,
            tables: Some(tables),
            purpose: crate::identity::Purpose::parse("sdg").unwrap(),
            ..crate::policy::sample::question("made", &[], &periods, "400")
        };
        let plan = admit(policy, &closed(&["2025", "2026"]), &analyst(), &asked, today()).unwrap();
        let noisy = exact(&plan, register);
        all.push((plan, noisy));
    }
    all
}
