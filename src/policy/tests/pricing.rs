//! Prices: exact sums, margins of error turned into amounts, pointless and excessive prices refused.

use crate::budget::Nanos;
use crate::design::Z95;
use crate::policy::sample::{analyst, bare_with, closed, policy, question, today};
use crate::policy::{Inadmissible, Plan, Policy, Question, Spend, admit, admit_program};

fn admitted(policy: &Policy, question: &Question) -> Result<Plan, Inadmissible> {
    admit(policy, &closed(&["2024", "2026"]), &analyst(), question, today())
}

fn half_width(plan: &Plan) -> f64 {
    let prediction = plan.prediction();
    plan.shown.iter().take(plan.asked).map(|s| Z95 * prediction.variance(s).sqrt()).fold(0.0, f64::max)
}

#[test]
fn one_table_alone_has_the_error_of_its_noise() {
    let plan = admitted(&policy("acs2024"), &question("acs2024", &["sex"], &["2024"], "0.02")).unwrap();
    assert!((plan.predicted_variance(&plan.shown[0]) - 25.0).abs() < 1e-3, "1 / (2 x 0.02)");
}

#[test]
fn codes_summed_in_a_cut_add_their_noise_up() {
    let mut asked = question("acs2024", &["sex"], &["2024"], "0.02");
    asked.filter.insert("adm1".into(), vec!["US-NY".into(), "US-NJ".into(), "US-CT".into()]);
    let plan = admitted(&policy("acs2024"), &asked).unwrap();
    assert!((plan.predicted_variance(&plan.shown[0]) - 75.0).abs() < 1e-3);
    let mut asked = question("health", &["coverage"], &["2026"], "0.05");
    asked.filter.insert("sex".into(), vec!["F".into()]);
    let plan = admitted(&policy("health"), &asked).unwrap();
    let alone = 6.0 / (2.0 * 0.05);
    assert!((plan.predicted_variance(&plan.shown[0]) - alone).abs() < 1e-3, "four coverages x four sexes, six rows");
}

#[test]
fn a_margin_of_error_is_reached_at_the_least_price() {
    for margins in [false, true] {
        for moe in [15.0, 25.0, 40.0, 33.3] {
            let asked = Question {
                margins,
                spend: Spend::Moe(moe),
                ..question("acs2024", &["adm1", "sex", "age"], &["2024"], "0.01")
            };
            let plan = admitted(&policy("acs2024"), &asked).unwrap_or_else(|e| panic!("{moe} {margins}: {e}"));
            assert!(half_width(&plan) <= moe);
            let tables = u64::try_from(plan.measured.len()).unwrap();
            let cheaper = Nanos::from_nanos(plan.cost.as_nanos() - 20 * tables);
            let cheaper = admitted(&policy("acs2024"), &Question { spend: Spend::Rho(cheaper), ..asked }).unwrap();
            assert!(half_width(&cheaper) > moe, "{moe} {margins}: a little less does not reach it");
        }
    }
}

const FIVE: &str = r#"[["adm1", "sex", "age"], ["adm1", "citizenship", "health_coverage"],
    ["sector", "sex", "citizenship"], ["age", "disability", "health_coverage"], ["adm1", "domestic_worker", "sex"]]"#;

/// The five tables as a program at 0.1.
fn program(weights: &str) -> Plan {
    let text = crate::policy::sample::text("acs2024");
    let head = text.split("tables = [").next().unwrap();
    let text = format!("{head}tables = {FIVE}\nweights = {weights}\nrho = \"0.1\"\n");
    let policy = Policy::parse(&text, &crate::policy::sample::lists()).unwrap_or_else(|f| panic!("{f:#?}")).0;
    let periods = vec![crate::identity::Period::parse("2024").unwrap()];
    admit_program(&policy, &closed(&["2024"]), &analyst(), "annual", periods, today()).unwrap()
}

#[test]
fn a_program_pays_for_the_tables_it_lists_and_their_margins_come_with_them() {
    let plan = program("[1, 1, 1, 1, 1]");
    let errors: Vec<f64> = plan.shown.iter().take(5).map(|shown| plan.predicted_variance(shown).sqrt()).collect();
    let independent = (5.0_f64 / 0.2).sqrt();
    assert!(errors.iter().all(|error| *error < independent), "{errors:?}");
    let root = (errors.iter().map(|error| error * error).sum::<f64>() / 5.0).sqrt();
    assert!((root - 4.955).abs() < 0.005, "{root}");
    assert_eq!(plan.shown.len(), 28);
    assert!(plan.shown.iter().all(|shown| plan.predicted_variance(shown).sqrt() < 14.0), "margins too");
    let first = |plan: &Plan| plan.predicted_variance(&plan.shown[0]);
    assert!(first(&program("[9, 1, 1, 1, 1]")) < first(&plan), "what is weighed more is told better");
}

#[test]
fn a_table_nobody_asked_for_is_measured_where_it_helps_and_the_policy_allows_it() {
    let asked = |tables: [[&str; 2]; 3]| Question {
        by: None,
        tables: Some(tables.iter().map(|t| t.iter().map(|c| (*c).to_owned()).collect()).collect()),
        ..question("acs2024", &[], &["2024"], "0.02")
    };
    let pairs = [["sex", "citizenship"], ["sex", "disability"], ["citizenship", "disability"]];
    let free = admitted(&policy("acs2024"), &asked(pairs)).unwrap();
    assert!(free.measured.iter().any(|table| table.dims == [0, 1, 2]), "one table of eight cells tells all three");
    assert_eq!(free.shown.len(), 3, "and is not shown");
    let forbidden = "[[forbid]]\ncross = [\"sex\", \"citizenship\", \"disability\"]\nreason = \"a test\"\n[[require]]";
    let policy = bare_with("acs2024", &[("[[require]]", forbidden)]);
    let bound = admitted(&policy, &asked(pairs)).unwrap();
    assert!(bound.measured.iter().all(|table| table.dims.len() < 3));
    let error = |plan: &Plan| half_width(plan);
    assert!(error(&free) < error(&bound) && free.cost == bound.cost);
}

#[test]
fn a_margin_of_error_counts_wider_tails_in_pure_accounting() {
    let pure = bare_with(
        "acs2024",
        &[
            ("accounting = \"zcdp\"", "accounting = \"pure\""),
            ("rho = \"0.2\" ", "epsilon = \"3\" "),
            ("per_release_max = \"0.1\"", "per_release_max = \"2\""),
        ],
    );
    let asked = Question { spend: Spend::Moe(30.0), ..question("acs2024", &["sex"], &["2024"], "1") };
    let plan = admitted(&pure, &asked).unwrap();
    // One Laplace draw of scale 1/epsilon is within ln(20)/epsilon with probability 0.95.
    let epsilon = plan.cost.at_most();
    assert!(20.0_f64.ln() / epsilon <= 30.0 && 20.0_f64.ln() / epsilon > 29.9, "{epsilon}");
}

#[test]
fn a_price_at_which_the_answer_is_noise_is_refused_with_the_least_that_is_not() {
    let policy = policy("acs2024");
    let asked = question("acs2024", &["adm1", "sex"], &["2024"], "0.000199");
    // 1 / (2 rho) > 50^2 exactly where rho < 0.0002.
    let Err(Inadmissible::SpendPointless { needed }) = admitted(&policy, &asked) else { panic!("pointless") };
    assert!(needed >= Nanos::parse("0.0002").unwrap() && needed <= Nanos::parse("0.0002001").unwrap(), "{needed}");
    let enough = Question { spend: Spend::Rho(needed), ..asked.clone() };
    assert!(admitted(&policy, &enough).is_ok());
    let nothing_each = Question { margins: true, spend: Spend::Rho(Nanos::from_nanos(3)), ..asked };
    assert_eq!(admitted(&policy, &nothing_each).unwrap_err().code(), "spend_pointless");
}

#[test]
fn a_question_may_not_cost_more_than_the_policy_says() {
    let policy = policy("acs2024");
    let asked = question("acs2024", &["sex"], &["2024"], "0.1000001");
    assert_eq!(
        admitted(&policy, &asked).map(|_| ()),
        Err(Inadmissible::SpendOverMaximum { most: Nanos::parse("0.1").unwrap() })
    );
    let precise = Question { spend: Spend::Moe(0.000_001), ..asked };
    assert_eq!(admitted(&policy, &precise).unwrap_err().code(), "spend_over_maximum");
}

// G6
#[test]
fn a_table_and_its_margins_cost_together_what_was_asked() {
    let asked = crate::policy::Question {
        margins: true,
        ..crate::policy::sample::question("acs2024", &["adm1", "sex", "age"], &["2024"], "0.05")
    };
    let (policy, standing) = (crate::policy::sample::policy("acs2024"), crate::policy::sample::closed(&["2024"]));
    let (team, today) = (crate::policy::sample::analyst(), crate::policy::sample::today());
    let plan = crate::policy::admit(&policy, &standing, &team, &asked, today).unwrap();
    let units: Vec<u64> = plan.measured.iter().map(|table| table.units.as_nanos()).collect();
    assert_eq!((units.len(), units.iter().sum::<u64>()), (8, 50_000_000), "{units:?}");
    assert_eq!(plan.cost.as_nanos(), 50_000_000);
}
