//! What each measure makes a question measure, and what that costs.

use crate::budget::Nanos;
use crate::policy::sample::{analyst, bare_with, closed, question, today};
use crate::policy::{Figure, Inadmissible, MeasureAsked, Plan, Policy, Quantity, Question, Spend, admit};
use std::collections::BTreeMap;

const QUARTERS: [&str; 3] = ["2025-Q1", "2025-Q2", "2025-Q3"];

fn health() -> Policy {
    bare_with(
        "health",
        &[("rho = \"0.25\"", "rho = \"90\""), ("per_release_max = \"0.05\"", "per_release_max = \"50\"")],
    )
}

fn asked(by: &[&str], periods: usize, measures: Vec<MeasureAsked>) -> Question {
    Question { measures, ..question("health", by, &QUARTERS[..periods], "40") }
}

fn admitted(question: &Question) -> Result<Plan, Inadmissible> {
    admit(&health(), &closed(&QUARTERS), &analyst(), question, today())
}

fn plan(by: &[&str], periods: usize, measures: Vec<MeasureAsked>) -> Plan {
    admitted(&asked(by, periods, measures)).unwrap_or_else(|e| panic!("{e}"))
}

fn mean() -> MeasureAsked {
    MeasureAsked::Mean { column: "billed".into() }
}

fn share(column: &str, codes: &[&str]) -> MeasureAsked {
    MeasureAsked::Share { of: BTreeMap::from([(column.to_owned(), codes.iter().map(|c| (*c).to_owned()).collect())]) }
}

fn kinds(plan: &Plan) -> Vec<&'static str> {
    let kind = |quantity: &Quantity| match quantity {
        Quantity::Persons => "persons",
        Quantity::Rows => "rows",
        Quantity::Valued(_) => "valued",
        Quantity::Sum(_) => "sum",
        Quantity::Bins(..) => "bins",
    };
    plan.quantities().into_iter().map(kind).collect()
}

#[test]
fn a_mean_brings_its_count_and_the_persons_for_the_floor_and_pays_for_them() {
    let plan = plan(&["sex"], 1, vec![mean()]);
    assert_eq!(kinds(&plan), ["persons", "valued", "sum"]);
    assert_eq!(plan.figures.iter().map(Figure::name).collect::<Vec<_>>(), ["mean:billed"]);
    let units: Vec<u64> = plan.measured.iter().map(|m| m.units.as_nanos()).collect();
    assert_eq!(units.iter().sum::<u64>(), 40_000_000_000);
    assert_eq!(plan.cost.as_nanos(), 40_000_000_000);
    assert!(units.windows(2).all(|pair| pair[0].abs_diff(pair[1]) <= 1), "evenly: {units:?}");
}

#[test]
fn sensitivities_follow_rows_periods_and_bounds() {
    // Six rows a person, bills of 0 to 5,000.00: a row moves the centred sum by at most 250,000 cents.
    let of = |by: &[&str], periods: usize, measure: MeasureAsked, kind: usize| {
        let plan = plan(by, periods, vec![measure]);
        let table = plan.measured.iter().find(|m| m.quantity == *plan.quantities()[kind]).unwrap();
        (table.l1, table.l2_squared)
    };
    let sum = 6 * 250_000;
    assert_eq!(of(&["sex"], 1, mean(), 2), (sum, sum * sum));
    assert_eq!(of(&["service"], 1, mean(), 2), (sum, sum * sum), "all rows may fall into one service");
    assert_eq!(of(&["sex"], 3, mean(), 2), (3 * sum, 9 * sum * sum), "pooled");
    assert_eq!(of(&["period", "sex"], 3, mean(), 2), (3 * sum, 3 * sum * sum), "by period");
    assert_eq!(of(&["sex"], 1, mean(), 1), (6, 36));
    assert_eq!(of(&["sex"], 1, MeasureAsked::Rows {}, 1), (6, 36));
    assert_eq!(of(&["period", "sex"], 3, MeasureAsked::Rows {}, 1), (18, 108));
    let median = MeasureAsked::Median { column: "billed".into() };
    assert_eq!(of(&["sex"], 1, median, 1), (6, 36), "all rows may fall into one bin");
}

#[test]
fn rows_over_columns_of_rows_add_up_though_persons_do_not() {
    let plan =
        admitted(&Question { margins: true, ..asked(&["service", "sex"], 1, vec![MeasureAsked::Rows {}]) }).unwrap();
    assert!(!plan.additive);
    assert!(plan.part(&Quantity::Rows, &[]).additive && !plan.part(&Quantity::Persons, &[]).additive);
    assert!(plan.measured.iter().filter(|m| m.quantity == Quantity::Rows).all(|m| !m.distinct));
    assert_eq!(plan.measured.iter().filter(|m| m.distinct).count(), 2, "by service, and by service and sex");
}

#[test]
fn a_numerator_is_a_dimension_that_is_measured_and_not_shown() {
    let plan = plan(&["sex"], 1, vec![share("coverage", &["public"])]);
    assert_eq!(kinds(&plan), ["persons"]);
    assert_eq!(plan.dimensions.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["sex", "coverage"]);
    assert_eq!(plan.shown.iter().map(|s| s.dims.clone()).collect::<Vec<_>>(), [vec![0]]);
    assert!(plan.cuts.is_empty());
    let Figure::Share { name, of } = &plan.figures[0] else { panic!("a share") };
    assert_eq!((name.as_str(), of[0].dim), ("coverage=public", 1));
    let numerator = plan.part(&Quantity::Persons, of);
    assert_eq!(numerator.cuts, *of);
}

#[test]
fn a_numerator_counts_as_a_filter_for_every_rule() {
    let code = |question: &Question| admitted(question).map_or_else(|e| e.code(), |_| "admitted");
    let by = asked(&["adm1", "service", "sex"], 1, vec![MeasureAsked::Persons {}]);
    let filtered = Question { by: Some(vec!["adm1".into(), "sex".into()]), ..by.clone() };
    for policy_refuses in [("service", "mental"), ("service", "delivery")] {
        let mut filter = filtered.clone();
        filter.filter.insert(policy_refuses.0.into(), vec![policy_refuses.1.into()]);
        let share = Question { measures: vec![share(policy_refuses.0, &[policy_refuses.1])], ..filtered.clone() };
        assert_eq!(code(&share), code(&filter), "{policy_refuses:?}");
    }
    let unknown = Question { measures: vec![share("servise", &["x"])], ..filtered.clone() };
    assert_eq!(code(&unknown), "dimension_unknown");
    let unknown = Question { measures: vec![share("coverage", &["x"])], ..filtered };
    assert_eq!(code(&unknown), "code_unknown");
}

// G11
#[test]
fn the_same_measures_in_any_order_and_spelling_are_one_release() {
    let ask = |measures: Vec<MeasureAsked>| plan(&["sex"], 1, measures);
    let median = |q: &str| MeasureAsked::Quantile { column: "billed".into(), q: q.into() };
    let one = ask(vec![MeasureAsked::Persons {}, mean(), MeasureAsked::Median { column: "billed".into() }]);
    let other = ask(vec![median("0.500"), mean(), MeasureAsked::Persons {}, mean()]);
    assert_eq!((one.draw, one.release, &one.question), (other.draw, other.release, &other.question));
    let sum = ask(vec![MeasureAsked::Sum { column: "billed".into() }]);
    let mean = ask(vec![mean()]);
    assert_eq!(sum.draw, mean.draw, "a sum and a mean are told from the same draw");
    assert_ne!(sum.release, mean.release);
    assert_ne!(one.draw, mean.draw);
    let again: Question = serde_json::from_value({
        let mut question = one.question.clone();
        question["purpose"] = "sdg".into();
        question
    })
    .unwrap();
    assert_eq!(admitted(&again).unwrap().release, one.release, "what is printed can be asked again");
}

#[test]
fn a_margin_of_error_is_one_of_persons_whatever_else_is_measured() {
    let spend = Spend::Moe(30.0);
    let alone = Question { spend: spend.clone(), ..asked(&["sex"], 1, vec![MeasureAsked::Persons {}]) };
    let both = Question { spend, ..asked(&["sex"], 1, vec![MeasureAsked::Persons {}, mean()]) };
    let (alone, both) = (admitted(&alone).unwrap(), admitted(&both).unwrap());
    let half = |plan: &Plan| 1.96 * plan.predicted_variance(&plan.shown[0]).sqrt();
    assert!((half(&alone) - half(&both)).abs() < 1e-3 && half(&both) <= 30.001);
    assert!(both.cost > Nanos::from_nanos(2 * alone.cost.as_nanos()), "the others are paid for as well");
}

// Persons of a service and of all services have noise of their own; sums would add up, and tell of a withheld service.
#[test]
fn sums_over_a_column_that_a_person_has_several_codes_of_come_one_table_at_a_time() {
    let median = || MeasureAsked::Median { column: "billed".into() };
    let sum = || MeasureAsked::Sum { column: "billed".into() };
    for measure in [sum, mean, median] {
        assert!(admitted(&asked(&["service"], 1, vec![measure()])).is_ok());
        let margins = Question { margins: true, ..asked(&["service"], 1, vec![measure()]) };
        let refused = admitted(&margins).unwrap_err();
        assert!(refused.code() == "question_malformed" && refused.to_string().contains("one table at a time"));
        let tables = Some(vec![vec!["service".to_owned()], vec!["sex".to_owned()]]);
        let several = Question { by: None, tables, ..asked(&[], 1, vec![measure()]) };
        assert_eq!(admitted(&several).unwrap_err().code(), "question_malformed");
        let adding_up = Question { margins: true, ..asked(&["sex"], 1, vec![measure()]) };
        assert!(admitted(&adding_up).is_ok(), "persons add up over sex");
    }
    let persons = Question { margins: true, ..asked(&["service"], 1, vec![MeasureAsked::Persons {}]) };
    assert!(admitted(&persons).is_ok());
}

#[test]
fn means_that_are_compared_over_what_does_not_add_up_come_one_table_at_a_time() {
    let compared = || MeasureAsked::Difference {
        of: BTreeMap::from([("interpreter".to_owned(), vec!["yes".to_owned()])]),
        against: BTreeMap::from([("interpreter".to_owned(), vec!["no".to_owned()])]),
        what: Some(crate::policy::ComparedAsked::Mean { column: "billed".into() }),
    };
    let code = |measure: MeasureAsked, margins| {
        let question = Question { margins, ..asked(&["outcome"], 1, vec![measure]) };
        admitted(&question).map_or_else(|e| e.to_string(), |_| "admitted".to_owned())
    };
    assert_eq!(code(mean(), false), "admitted");
    assert!(code(mean(), true).contains("one table at a time"));
    assert_eq!(code(compared(), false), "admitted");
    assert!(code(compared(), true).contains("one table at a time"));
}
