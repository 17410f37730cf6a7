//! Prices: exact sums, margins of error turned into amounts, pointless and excessive prices refused.

use crate::budget::Nanos;
use crate::design::Z95;
use crate::policy::sample::{analyst, bare_with, closed, policy, question, today};
use crate::policy::{Inadmissible, Plan, Policy, Question, Spend, admit};

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
