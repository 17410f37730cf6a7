//! Random questions about a small register, with exact counts in place of noise: every figure has to be that of the
//! register, every standard error that of brute force, and no person may move a table further than is paid for.
//!
//! What a question measures of its own is checked, and what is told of it from draws that were made for others.

use super::cells::cells;
use super::combine::{Outcome, outcomes};
use super::made_up::{Count, Dice, Holds, MANY, Register, Row, on_column, policy, register, truth};
use super::parts::Parts;
use super::random::{exact, question, rich};
use super::telling::{Column, Table, Told};
use crate::noise::NoisyTables;
use crate::policy::sample::{analyst, closed, today};
use crate::policy::{Figure, MeasureAsked, Plan, Policy, Question, admit};
use crate::release::Cell;
use std::collections::BTreeMap;

/// Every cell with every figure that a plan asks for, from this draw; none if the draw does not hold it.
fn told(plan: &Plan, noisy: &NoisyTables) -> Option<Vec<Cell>> {
    let parts = Parts::new(plan, noisy);
    let persons = parts.persons(&[]).ok()?;
    let mut tables: Vec<Table> =
        persons.iter().map(|table| Table { persons: table.clone(), columns: Vec::new() }).collect();
    for figure in &plan.figures {
        for (table, outcomes) in tables.iter_mut().zip(outcomes(plan, &parts, figure, &persons).ok()?) {
            let told = outcomes.into_iter().map(|outcome| outcome.map_or(Told::Withheld, |o| Told::Shown(o, true)));
            table.columns.push(Column { name: figure.name(), figure: figure.clone(), told: told.collect() });
        }
    }
    Some(tables.iter().flat_map(|table| cells(plan, table)).collect())
}

/// Compares what is told with the register; how many figures were compared.
fn check(
    (policy, register): (&Policy, &Register),
    asked: &Question,
    plan: &Plan,
    told: &[Cell],
    wrong: &mut Vec<String>,
) -> usize {
    let count = Count { register };
    let names: BTreeMap<String, MeasureAsked> = {
        let canonical: Question = {
            let mut question = plan.question.clone();
            question["purpose"] = "sdg".into();
            serde_json::from_value(question).unwrap()
        };
        plan.figures.iter().map(crate::policy::Figure::name).zip(canonical.measures).collect()
    };
    let mut compared = 0;
    for cell in told {
        let mut within: Holds = asked.filter.iter().map(|(name, codes)| on_column(policy, name, codes)).collect();
        let periods = asked.periods.iter().map(ToString::to_string).collect();
        within.push(("period".to_owned(), periods));
        for (name, code) in cell.key.iter().filter(|(_, code)| *code != "_T") {
            let codes: Vec<String> = code.split('+').map(str::to_owned).collect();
            within.push(on_column(policy, name, &codes));
        }
        let Some(estimate) = cell.estimate.as_ref() else { continue };
        let (estimate, exactly): (f64, f64) =
            (estimate.parse().unwrap(), truth(policy, &count, &names[&cell.measure], &within));
        if count.persons(&within) == 0.0 || !exactly.is_finite() {
            continue;
        }
        let room = 1e-4 + 1e-6 * exactly.abs();
        // What is no number is wrong too.
        if (estimate - exactly).abs().partial_cmp(&room) != Some(std::cmp::Ordering::Less) {
            wrong.push(format!("{} at {:?}: {estimate}, truly {exactly}\n{asked:?}", cell.measure, cell.key));
        }
        compared += 1;
    }
    compared
}

/// Every outcome of every figure.
fn every(plan: &Plan, noisy: &NoisyTables) -> Vec<(String, Option<Outcome>)> {
    let parts = Parts::new(plan, noisy);
    let persons = parts.persons(&[]).unwrap();
    let of_figure = |figure: &Figure| {
        let outcomes = outcomes(plan, &parts, figure, &persons).unwrap();
        outcomes.into_iter().flatten().map(|outcome| (figure.name(), outcome)).collect::<Vec<_>>()
    };
    plan.figures.iter().flat_map(of_figure).collect()
}

/// Standard errors against what a step of noise in each measured cell does to every figure; how many were compared.
fn check_errors(plan: &Plan, noisy: &mut NoisyTables, wrong: &mut Vec<String>) -> usize {
    const STEP: i64 = 1_000;
    let before = every(plan, noisy);
    let mut squares = vec![0.0; before.len()];
    for table in 0..noisy.tables.len() {
        for cell in 0..noisy.tables[table].values.len() {
            noisy.tables[table].values[cell] += STEP;
            for ((sum, (_, before)), (_, after)) in squares.iter_mut().zip(&before).zip(every(plan, noisy)) {
                if let (Some(before), Some(after)) = (before, after) {
                    let slope = (after.value - before.value) / 1e3;
                    *sum += slope * slope * noisy.tables[table].variance;
                }
            }
            noisy.tables[table].values[cell] -= STEP;
        }
    }
    let mut compared = 0;
    for (square, (name, outcome)) in squares.iter().zip(&before) {
        let Some(error) = outcome.and_then(|outcome| outcome.standard_error) else { continue };
        // Nobody is no denominator, but for rounding.
        if outcome.is_some_and(|outcome| outcome.interval.is_none()) || error == 0.0 {
            continue;
        }
        let room = 0.01 * square.sqrt() + 1e-6;
        if (error - square.sqrt()).abs().partial_cmp(&room) != Some(std::cmp::Ordering::Less) {
            wrong.push(format!("{name}: {error}, by force {} {}", square.sqrt(), plan.question));
        }
        compared += 1;
    }
    compared
}

/// So many random questions that are admitted, over the same register, after the draws of [`rich`].
fn questions(
    (zeros, seed, runs): (bool, u64, usize),
    mut each: impl FnMut((&Policy, &Register), &[(Plan, NoisyTables)], &Question, Plan, &mut Dice),
) {
    let mut dice = Dice(seed);
    let policy = policy(zeros);
    let register = register(&policy, zeros, &mut dice);
    let rich = rich(&policy, &register);
    let mut done = 0;
    while done < runs {
        let asked = question(&policy, &mut dice);
        if let Ok(plan) = admit(&policy, &closed(&["2025", "2026"]), &analyst(), &asked, today()) {
            done += 1;
            each((&policy, &register), &rich, &asked, plan, &mut dice);
        }
    }
}

/// A few of what went wrong.
fn none(wrong: &[String]) {
    let few: Vec<&String> = wrong.iter().step_by(1 + wrong.len() / 12).collect();
    assert!(wrong.is_empty(), "{}: {few:#?}", wrong.len());
}

#[test]
fn every_figure_of_a_random_question_is_that_of_the_register() {
    let (mut own, mut free, mut wrong) = (0, 0, Vec::new());
    for zeros in [false, true] {
        questions((zeros, SEED, RUNS), |(policy, register), rich, asked, plan, _| {
            for (other, noisy) in rich.iter().filter(|(other, _)| other.editions == plan.editions) {
                let Some(over) = plan.laid_over(policy, other.draw, &other.form()) else { continue };
                let Some(told) = told(&over, noisy) else { continue };
                free += check((policy, register), asked, &over, &told, &mut wrong);
            }
            let told = told(&plan, &exact(&plan, register)).unwrap();
            own += check((policy, register), asked, &plan, &told, &mut wrong);
        });
    }
    none(&wrong);
    assert!(own > 400 && free > 100, "{own} {free}");
}

#[test]
fn every_standard_error_of_a_random_question_is_that_of_brute_force() {
    let (mut compared, mut wrong) = (0, Vec::new());
    let cells = |plan: &Plan| plan.measured.iter().map(|m| plan.cells(&m.dims) * m.quantity.width()).sum::<usize>();
    for zeros in [false, true] {
        questions((zeros, SEED, RUNS), |(policy, register), rich, _, plan, dice| {
            let small = |plan: &Plan| cells(plan) < 150 && plan.shown.len() < 10;
            let mut over = rich.iter().filter(|(other, _)| other.editions == plan.editions && cells(other) < 400);
            let over = over.find_map(|(other, _)| plan.over(policy, other.draw, &other.form()));
            for plan in over.into_iter().filter(|_| dice.once_in(4)).chain(Some(plan).filter(small)) {
                compared += check_errors(&plan, &mut exact(&plan, register), &mut wrong);
            }
        });
    }
    none(&wrong);
    assert!(compared > 300, "{compared}");
}

// G4
#[test]
fn no_random_person_moves_a_table_of_a_random_question_further_than_is_paid_for() {
    let (mut reached, mut tables) = (0, 0);
    questions((false, SEED, RUNS), |(policy, _), _, asked, plan, dice| {
        for _ in 0..20 {
            let own = register(policy, false, dice).swap_remove(0);
            let moved = exact(&plan, &in_every_period(&own, dice));
            for (table, measured) in moved.tables.iter().zip(&plan.measured) {
                let steps: Vec<u64> = table.values.iter().map(|value| (value / MANY).unsigned_abs()).collect();
                let (l1, l2) = (steps.iter().sum::<u64>(), steps.iter().map(|step| step * step).sum::<u64>());
                assert!(l1 <= measured.l1 && l2 <= measured.l2_squared, "{l1} {l2} {measured:?} {asked:?}");
                (reached, tables) = (reached + usize::from(l1 == measured.l1), tables + 1);
            }
        }
    });
    assert!(reached > tables / 20, "the bounds are no wider than they have to be: {reached} of {tables}");
}

/// G11: as it is printed, and laid over its own draw, a question is the same question.
#[test]
fn a_random_question_that_is_asked_again_is_the_same() {
    for zeros in [false, true] {
        questions((zeros, SEED, 2 * RUNS), |(policy, _), _, asked, plan, _| {
            let mut printed = plan.question.clone();
            printed["purpose"] = "sdg".into();
            let printed: Question = serde_json::from_value(printed).unwrap();
            let again = admit(policy, &closed(&["2025", "2026"]), &analyst(), &printed, today()).unwrap();
            assert_eq!((again.release, again.draw, again.cost), (plan.release, plan.draw, plan.cost), "{asked:?}");
            let over = plan.over(policy, plan.draw, &plan.form()).unwrap_or_else(|| panic!("{asked:?}"));
            assert_eq!((over.release, over.shown, over.cuts), (plan.release, plan.shown, plan.cuts), "{asked:?}");
        });
    }
}

/// One person with the same rows in both periods, the numbers as far out as they go.
fn in_every_period(own: &[Row], dice: &mut Dice) -> Register {
    let far = |column: &str, dice: &mut Dice| {
        let ends = if column == "wage" { [-30, 98] } else { [0, 7] };
        Some(*dice.of(&ends))
    };
    let wage = far("wage", dice);
    let of_period = |period: &str, dice: &mut Dice| {
        let mut rows = own.to_vec();
        for row in &mut rows {
            row.codes.insert("period".into(), period.into());
            row.numbers = [("wage".to_owned(), wage), ("bill".to_owned(), far("bill", dice))].into();
        }
        rows
    };
    ["2025", "2026"].map(|period| of_period(period, dice)).to_vec()
}

/// The same questions in every run.
const SEED: u64 = 1;
const RUNS: usize = 25;
