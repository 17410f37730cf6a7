//! What a comparison makes a question measure, what it implies, and what it may not be.

use crate::policy::sample::{analyst, bare_with, closed, policy, question, today};
use crate::policy::{
    Codes, ComparedAsked, Figure, Inadmissible, MeasureAsked, Plan, Policy, Quantity, Question, admit,
};
use crate::policy::{Measured, PERIOD, Shown};

const QUARTERS: [&str; 3] = ["2025-Q1", "2025-Q2", "2025-Q3"];

/// Prices that no test has to think of.
const RICH: [(&str, &str); 2] =
    [("\nrho = \"0.2", "\nrho = \"90.2"), ("per_release_max = \"0.", "per_release_max = \"9.")];

fn rich(id: &str) -> Policy {
    bare_with(id, &RICH)
}

fn codes(chosen: &[(&str, &[&str])]) -> Codes {
    chosen.iter().map(|(column, codes)| ((*column).into(), codes.iter().map(|c| (*c).into()).collect())).collect()
}

type Group<'a> = &'a [(&'a str, &'a [&'a str])];

fn difference(of: Group<'_>, against: Group<'_>, what: Option<ComparedAsked>) -> MeasureAsked {
    MeasureAsked::Difference { of: codes(of), against: codes(against), what }
}

fn asked(dataset: &str, by: &[&str], periods: usize, measures: Vec<MeasureAsked>) -> Question {
    Question { measures, ..question(dataset, by, &QUARTERS[..periods], "0.05") }
}

fn admitted(policy: &Policy, question: &Question) -> Result<Plan, Inadmissible> {
    admit(policy, &closed(&QUARTERS), &analyst(), question, today())
}

fn plan(policy: &Policy, question: &Question) -> Plan {
    admitted(policy, question).unwrap_or_else(|e| panic!("{e}"))
}

fn measured(plan: &Plan) -> Vec<Vec<&str>> {
    let names = |table: &Measured| table.dims.iter().map(|&dim| plan.dimensions[dim].name.as_str()).collect();
    plan.measured.iter().filter(|m| m.quantity == Quantity::Persons).map(names).collect()
}

#[test]
fn two_groups_come_from_one_table_whichever_way_they_are_compared() {
    let residence = rich("residence");
    let (women, men): (Group<'_>, Group<'_>) = (&[("sex", &["F"])], &[("sex", &["M"])]);
    let ask = |measure| plan(&residence, &asked("residence", &["disability"], 1, vec![measure]));
    let one = ask(difference(women, men, None));
    assert_eq!(measured(&one), [["sex", "disability"]]);
    let Figure::Comparison(comparison) = &one.figures[0] else { panic!("a comparison") };
    assert_eq!(comparison.name, "difference:sex=F/sex=M");
    assert_eq!(one.figures[0].parts().len(), 2);
    let other = ask(MeasureAsked::Ratio { of: codes(men), against: codes(women), what: None });
    assert_eq!(one.draw, other.draw);
    assert_ne!(one.release, other.release);
    let persons = ask(difference(women, men, Some(ComparedAsked::Persons {})));
    assert_eq!((persons.release, &persons.question), (one.release, &one.question), "persons are what is compared");
}

#[test]
fn what_is_printed_can_be_asked_again_and_every_part_is_named_twice_alike() {
    let residence = rich("residence");
    let share = Some(ComparedAsked::Share { of: codes(&[("urban", &["U"])]) });
    let list = residence.dimensions().find(|(c, _)| c.name == "cit_group").unwrap().1;
    let of: Group<'_> = &[("sex", &["M", "F"]), ("period", &["2025-Q2"])];
    let against: Group<'_> = &[("period", &["2025-Q1"]), ("cit_group", &[&list.codes[0].id])];
    let measures = vec![difference(of, against, share), difference(&[("sex", &["F"])], &[("sex", &["M"])], None)];
    let asked = asked("residence", &[], 2, measures);
    let first = plan(&residence, &asked);
    let mut again = first.question.clone();
    again["purpose"] = "sdg".into();
    let again: Question = serde_json::from_value(again).unwrap();
    assert_eq!(plan(&residence, &again).release, first.release);
    assert_eq!(again.measures.len(), first.figures.len());
    for (measure, figure) in again.measures.iter().zip(&first.figures) {
        let spelt = |part: &[crate::policy::Cut]| -> Codes {
            let codes = |cut: &crate::policy::Cut| {
                let dimension = &first.dimensions[cut.dim];
                (dimension.name.clone(), cut.levels.iter().map(|&l| dimension.levels[l].code.clone()).collect())
            };
            part.iter().map(codes).collect()
        };
        let parts: Vec<Codes> = figure.parts().into_iter().map(spelt).collect();
        assert_eq!(parts, measure.parts());
    }
}

#[test]
fn periods_are_compared_as_a_dimension_of_the_draw_with_a_floor_of_their_own() {
    let residence = rich("residence");
    let (now, then): (Group<'_>, Group<'_>) = (&[("period", &["2025-Q2"])], &[("period", &["2025-Q1"])]);
    let plan = plan(&residence, &asked("residence", &["sex"], 2, vec![difference(now, then, None)]));
    assert_eq!(measured(&plan), [[PERIOD, "sex"]]);
    assert_eq!((plan.measured[0].l1, plan.measured[0].l2_squared), (2, 2), "one cell in each of two periods");
    assert_eq!(plan.shown, [Shown { dims: vec![1] }], "and not shown");
    let floor = plan.rules.threshold;
    let parts = plan.figures[0].parts();
    assert_eq!(plan.floor(&[1]), 2 * floor);
    assert!(parts.iter().all(|of| plan.part(&Quantity::Persons, of).floor(&[1]) == floor));
}

#[test]
fn groups_of_several_codes_that_a_person_can_have_at_once_are_measured_as_one_each() {
    let health = rich("health");
    let (some, others): (Group<'_>, Group<'_>) =
        (&[("service", &["primary", "emergency"])], &[("service", &["antenatal"])]);
    let asked = asked("health", &["sex"], 1, vec![difference(some, others, None)]);
    let plan = plan(&health, &asked);
    assert!(!plan.additive);
    let service = plan.dimensions.iter().find(|d| d.name == "service").unwrap();
    let levels: Vec<&str> = service.levels.iter().map(|level| level.code.as_str()).collect();
    assert_eq!(levels, ["primary+emergency", "antenatal", "_O"]);
    assert!(plan.figures[0].parts().iter().all(|cuts| cuts[0].levels.len() == 1));
    assert_eq!(measured(&plan), [vec!["sex"], vec!["sex", "service"]], "the cell itself, for its floor");
    // Cut out of such a selection there is no group that could be added up to it.
    let mut within = asked.clone();
    within.filter.insert("service".into(), ["primary", "emergency", "antenatal"].map(str::to_owned).to_vec());
    assert!(admitted(&health, &within).unwrap_err().to_string().contains("one by one"));
}

#[test]
fn a_mean_is_compared_over_the_rows_of_both_groups() {
    let health = rich("health");
    let what = || Some(ComparedAsked::Mean { column: "billed".into() });
    let (some, others): (Group<'_>, Group<'_>) = (&[("service", &["primary"])], &[("service", &["antenatal"])]);
    let one = plan(&health, &asked("health", &["sex"], 1, vec![difference(some, others, what())]));
    assert_eq!(one.quantities().len(), 3);
    assert!(one.measured.iter().filter(|m| m.quantity != Quantity::Persons).all(|m| m.dims.len() == 2));
    let ratio = MeasureAsked::Ratio { of: codes(some), against: codes(others), what: what() };
    assert!(admitted(&health, &asked("health", &["sex"], 1, vec![ratio.clone()])).is_ok());
    let below =
        bare_with("health", &[RICH[0], RICH[1], ("min = \"0\"", "min = \"-5\""), ("bins = [\"0\"", "bins = [\"-5\"")]);
    let why = admitted(&below, &asked("health", &["sex"], 1, vec![ratio])).unwrap_err();
    assert!(why.to_string().contains("below 0"), "{why}");
}

#[test]
fn groups_count_as_filters_for_every_rule() {
    let health = rich("health");
    let code = |question: &Question| admitted(&health, question).map_or_else(|e| e.code(), |_| "admitted");
    let base = asked("health", &["adm1", "age"], 1, vec![MeasureAsked::Persons {}]);
    let mut filter = base.clone();
    filter.filter.insert("service".into(), vec!["primary".into()]);
    let (some, others): (Group<'_>, Group<'_>) = (&[("service", &["primary"])], &[("service", &["antenatal"])]);
    let compared = Question { measures: vec![difference(some, others, None)], ..base.clone() };
    assert_eq!((code(&compared), code(&filter)), ("cross_forbidden", "cross_forbidden"));
    // All but the codes of a rule on both sides together: the total would show those.
    let list = health.dimensions().find(|(c, _)| c.name == "service").unwrap().1;
    let rule = &health.requires.iter().find(|r| r.when.contains_key("service")).unwrap().when["service"];
    let rest: Vec<&str> = list.codes.iter().map(|c| c.id.as_str()).filter(|c| !rule.contains(*c)).collect();
    let (one, other) = rest.split_at(1);
    let all_but = asked("health", &["sex"], 1, vec![difference(&[("service", one)], &[("service", other)], None)]);
    let strict = plan(&health, &all_but).rules;
    let lax = plan(
        &health,
        &asked("health", &["sex"], 1, vec![difference(&[("service", one)], &[("service", &other[..1])], None)]),
    )
    .rules;
    let mut left_out = asked("health", &["sex"], 1, vec![MeasureAsked::Persons {}]);
    left_out.filter.insert("service".into(), rest.iter().map(|c| (*c).to_owned()).collect());
    assert_eq!(strict, plan(&health, &left_out).rules);
    assert!(lax.threshold <= strict.threshold);
}

/// Two shares, or the filter and a group: where together they leave out a rule's codes alone, the total shows those.
#[test]
fn what_all_measures_of_a_question_leave_out_together_counts_for_every_rule() {
    let health = rich("health");
    let list = health.dimensions().find(|(c, _)| c.name == "service").unwrap().1;
    let rule = &health.requires.iter().find(|r| r.when.contains_key("service")).unwrap().when["service"];
    let rest: Vec<&str> = list.codes.iter().map(|c| c.id.as_str()).filter(|c| !rule.contains(*c)).collect();
    let (one, other) = rest.split_at(2);
    let share = |codes: &[&str]| MeasureAsked::Share { of: self::codes(&[("service", codes)]) };
    let floor = |measures| plan(&health, &asked("health", &["sex"], 1, measures)).rules.threshold;
    assert_eq!(floor(vec![share(one)]), 10, "more is left out than the rule names");
    assert_eq!(floor(vec![share(&rest)]), 20);
    assert_eq!(floor(vec![share(one), share(other)]), 20);
    let compared = difference(&[("service", &other[..1])], &[("service", &other[1..])], None);
    assert_eq!(floor(vec![share(one), compared]), 20);
}

#[test]
fn what_cannot_be_compared_is_refused_with_what_to_write() {
    let residence = rich("residence");
    let told = |alter: &dyn Fn(&mut Question), of: Group<'_>, against: Group<'_>, advice: &str| {
        let mut asked = asked("residence", &["disability"], 1, vec![difference(of, against, None)]);
        alter(&mut asked);
        let why = admitted(&residence, &asked).unwrap_err();
        assert_eq!(why.code(), "question_malformed", "{why}");
        assert!(why.to_string().contains(advice), "{why}");
    };
    let same = |_: &mut Question| {};
    let women: Group<'_> = &[("sex", &["F"])];
    told(&same, women, women, "must not overlap");
    told(&same, women, &[("sex", &["M", "F"])], "must not overlap");
    told(&same, women, &[("urban", &["U"])], "must not overlap");
    told(&same, women, &[("sex", &["F"]), ("urban", &["U"])], "must not overlap");
    told(&same, &[], &[("sex", &["M"])], "needs both groups");
    told(&same, women, &[("sex", &[])], "needs both groups");
    told(&same, &[("disability", &["none"])], &[("disability", &["severe"])], "cannot be in `of` or `against`");
    told(&same, &[("period", &["2025-Q1"])], &[("period", &["2025-Q2"])], "has to be one of `periods`");
    let filtered = |q: &mut Question| drop(q.filter.insert("sex".into(), vec!["F".into()]));
    told(&filtered, women, &[("sex", &["M"])], "that `where` selects");
    let share = |of: Group<'_>| {
        let what = Some(ComparedAsked::Share { of: codes(of) });
        move |q: &mut Question| q.measures = vec![difference(&[("sex", &["F"])], &[("sex", &["M"])], what.clone())]
    };
    told(&share(&[("sex", &["F"])]), women, &[], "tell the groups apart");
    told(&share(&[("disability", &["none"])]), women, &[], "cannot be in `of`");
    told(&share(&[("period", &["2025-Q1"])]), women, &[], "the period cannot be in `of`");
    told(&share(&[]), women, &[], "codes of its numerator");
    let mean = |q: &mut Question| {
        let what = Some(ComparedAsked::Mean { column: "wait_dais".into() });
        q.measures = vec![difference(&[("sex", &["F"])], &[("sex", &["M"])], what)];
    };
    told(&mean, women, &[], "did you mean `wait_days`");
    for (column, code) in [("shoe_size", "dimension_unknown"), ("sex", "code_unknown")] {
        let measure = difference(&[(column, &["X9"])], &[(column, &["M"])], None);
        let why = admitted(&residence, &asked("residence", &["disability"], 1, vec![measure])).unwrap_err();
        assert_eq!(why.code(), code);
    }
    let json = r#"{ "kind": "difference", "of": {"sex": ["F"]}, "against": {"sex": ["M"]}, "what": {"kind": "rows"} }"#;
    assert!(serde_json::from_str::<MeasureAsked>(json).is_err(), "rows are not compared");
}

#[test]
fn a_column_of_which_a_group_names_every_code_tells_nothing() {
    let residence = rich("residence");
    let list = residence.dimensions().find(|(c, _)| c.name == "urban").unwrap().1;
    let all: Vec<&str> = list.codes.iter().map(|code| code.id.as_str()).collect();
    let ask = |of: Group<'_>, against: Group<'_>| {
        plan(&residence, &asked("residence", &["disability"], 1, vec![difference(of, against, None)]))
    };
    let plain = ask(&[("sex", &["F"])], &[("sex", &["M"])]);
    let wordy = ask(&[("sex", &["F", "F"]), ("urban", &all)], &[("urban", &all), ("sex", &["M"])]);
    assert_eq!((plain.release, plain.question), (wordy.release, wordy.question));
}

#[test]
fn comparisons_within_a_program_are_answered_from_it() {
    let policy = policy("acs2024");
    let periods = vec![crate::identity::Period::parse("2024").unwrap()];
    let standing = closed(&["2024"]);
    let program = crate::policy::admit_program(&policy, &standing, &analyst(), "annual", periods, today()).unwrap();
    let over = |by: &[&str], measure: MeasureAsked| {
        let asked = Question { measures: vec![measure], ..question("acs2024", by, &["2024"], "0.002") };
        let own = admit(&policy, &standing, &analyst(), &asked, today()).unwrap_or_else(|e| panic!("{e}"));
        own.over(&policy, program.draw, &program.form())
    };
    let (women, men): (Group<'_>, Group<'_>) = (&[("sex", &["F"])], &[("sex", &["M"])]);
    let free = over(&["age"], difference(women, men, None)).unwrap();
    assert_eq!((free.draw, free.figures[0].name()), (program.draw, "difference:sex=F/sex=M".to_owned()));
    let sex = free.dimensions.iter().position(|d| d.name == "sex").unwrap();
    assert!(free.figures[0].parts().iter().all(|cuts| cuts.len() == 1 && cuts[0].dim == sex));
    let share = |column, code| Some(ComparedAsked::Share { of: codes(&[(column, &[code])]) });
    assert!(over(&["age"], difference(women, men, share("citizenship", "non_citizen"))).is_some());
    let unemployed = || difference(women, men, share("employment", "unemployed"));
    assert!(over(&["age"], unemployed()).is_none(), "age and employment were not crossed");
    assert!(over(&[], unemployed()).is_none(), "the sum of many sectors is less precise than what this would pay for");
    let wages = Some(ComparedAsked::Mean { column: "wage_year".into() });
    assert!(over(&[], difference(women, men, wages)).is_none(), "no wages were measured");
}

#[test]
fn groups_of_a_grouping_are_compared_at_the_finest_level_named() {
    let residence = rich("residence");
    let ask = |of: Group<'_>, against: Group<'_>| asked("residence", &["sex"], 1, vec![difference(of, against, None)]);
    let north: Group<'_> = &[("region", &["XA-N"])];
    let regions = plan(&residence, &ask(north, &[("region", &["XA-S"])]));
    assert_eq!(measured(&regions), [["sex", "region"]], "no finer than what is compared");
    assert_eq!(regions.figures[0].name(), "difference:region=XA-N/region=XA-S");
    let mixed = plan(&residence, &ask(north, &[("adm1", &["XA-04"])]));
    let plain = plan(&residence, &ask(&[("adm1", &["XA-01", "XA-02", "XA-10"])], &[("adm1", &["XA-04"])]));
    assert_eq!((mixed.release, &mixed.question), (plain.release, &plain.question));
    let mut within = ask(&[("adm1", &["XA-01"])], &[("adm1", &["XA-02"])]);
    within.filter.insert("region".into(), vec!["XA-N".into()]);
    assert!(admitted(&residence, &within).is_ok(), "provinces of a region");
    let share = Some(ComparedAsked::Share { of: codes(&[("adm1", &["XA-01"])]) });
    for (wrong, advice) in [
        (ask(north, &[("adm1", &["XA-01"])]), "must not overlap"),
        (ask(&[("region", &["XA-N"]), ("adm1", &["XA-04"])], north), "no code in common"),
        (asked("residence", &["adm1"], 1, ask(north, &[("region", &["XA-S"])]).measures), "levels of one column"),
        (asked("residence", &["region"], 1, plain_measures()), "levels of one column"),
        (
            asked("residence", &["sex"], 1, vec![difference(north, &[("region", &["XA-S"])], share)]),
            "tell the groups apart",
        ),
    ] {
        let why = admitted(&residence, &wrong).unwrap_err();
        assert_eq!((why.code(), why.to_string().contains(advice)), ("question_malformed", true), "{why}");
    }
}

fn plain_measures() -> Vec<MeasureAsked> {
    vec![difference(&[("adm1", &["XA-01"])], &[("adm1", &["XA-04"])], None)]
}

#[test]
fn a_rule_for_a_column_holds_for_groups_compared_of_its_groupings() {
    let residence = rich("residence");
    let (north, south): (Group<'_>, Group<'_>) = (&[("region", &["XA-N"])], &[("region", &["XA-S"])]);
    let code = |by: &[&str]| {
        let asked = asked("residence", by, 1, vec![difference(north, south, None)]);
        admitted(&residence, &asked).map_or_else(|e| e.code(), |_| "admitted")
    };
    assert_eq!(code(&["cit_group", "broad_age"]), "cross_forbidden");
    assert_eq!(code(&["continent", "broad_age"]), "admitted", "continents are spared");
    assert_eq!(code(&["mig_status"]), "geo_too_fine");
}

#[test]
fn regions_are_compared_from_a_draw_by_province() {
    let residence = rich("residence");
    let paid = plan(
        &residence,
        &Question { margins: true, ..asked("residence", &["adm1", "sex"], 1, vec![MeasureAsked::Persons {}]) },
    );
    let mut cheap =
        asked("residence", &["sex"], 1, vec![difference(&[("region", &["XA-N"])], &[("region", &["XA-S"])], None)]);
    cheap.spend = crate::policy::Spend::Moe(97.0);
    let free = plan(&residence, &cheap).over(&residence, paid.draw, &paid.form()).unwrap();
    let adm1 = free.dimensions.iter().position(|d| d.name == "adm1").unwrap();
    let parts = free.figures[0].parts();
    assert!(parts.iter().all(|cuts| cuts.len() == 1 && cuts[0].dim == adm1));
    assert_eq!(parts.iter().map(|cuts| cuts[0].levels.len()).collect::<Vec<_>>(), [3, 5]);
}
