//! Groupings: how they are read, what rules hold for them, what is measured for them, what they cost.

use crate::budget::Nanos;
use crate::policy::sample::{analyst, bare_with, closed, lists, policy, policy_with, question, text, today};
use crate::policy::{Inadmissible, MeasureAsked, Plan, Policy, Question, Severity, admit, alternatives, loosens};
use std::collections::BTreeMap;
use std::sync::LazyLock;

static POLICY: LazyLock<Policy> = LazyLock::new(|| policy("residence"));
const QUARTERS: [&str; 2] = ["2026-Q1", "2026"];

fn asked(by: &[&str], filter: &[(&str, &[&str])]) -> Question {
    let codes = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
    let filter = filter.iter().map(|(column, of)| ((*column).to_owned(), codes(of))).collect();
    Question { filter, ..question("residence", by, &["2026-Q1"], "0.02") }
}

fn in_tables(tables: &[&[&str]]) -> Question {
    let table = |table: &&[&str]| table.iter().map(|column| (*column).to_owned()).collect();
    Question { by: None, tables: Some(tables.iter().map(table).collect()), ..asked(&[], &[]) }
}

fn admitted(policy: &Policy, question: &Question) -> Result<Plan, Inadmissible> {
    admit(policy, &closed(&QUARTERS), &analyst(), question, today())
}

fn plan(question: &Question) -> Plan {
    admitted(&POLICY, question).unwrap_or_else(|e| panic!("{e}"))
}

fn refused(question: &Question) -> &'static str {
    admitted(&POLICY, question).unwrap_err().code()
}

#[test]
fn what_is_wrong_with_a_grouping_is_refused_where_it_stands() {
    for (from, to, code, advice) in [
        ("name = \"region\"", "name = \"Adm1\"", "name_wrong", "two columns"),
        ("column = \"adm1\"", "column = \"adm2\"", "reference_unknown", "did you mean `adm1`?"),
        ("column = \"adm1\"", "column = \"wait_days\"", "reference_unknown", "no dimension column"),
        ("level = 1\nconcept", "level = 0\nconcept", "value_wrong", "count from 1"),
        ("level = 1\nconcept", "level = 2\nconcept", "contradiction", "stands for itself"),
        ("level = 1\nconcept", "bands = [\"Y0T17\"]\nconcept", "key_missing", "depth of its groups"),
        ("bands = [\"Y0T17\", \"Y18T64\"", "level = 1\nbands = [\"Y0T17\", \"Y18T64\"", "key_missing", "wider bands"),
        ("bands = [\"Y0T17\", \"Y18T64\"", "bands = [\"Y0T16\", \"Y17T64\"", "bands_wrong", "within a band"),
        ("bands = [\"Y0T17\", \"Y18T64\", \"Y_GE65\"]", "bands = [\"Y_GE0\"]", "contradiction", "that is the total"),
        ("geo_level = 1     ", "geo_level = 2     ", "contradiction", "at most the column's"),
        ("geo_level = 1     ", "# geo_level = 1     ", "key_missing", "add geo_level, at most 1"),
        ("spares = [\"continent\"]", "spares = [\"continents\"]", "reference_unknown", "did you mean `continent`?"),
        ("spares = [\"continent\"]", "spares = [\"cit_group\"]", "reference_unknown", "column itself is not spared"),
        (
            "cross = [\"adm1\", \"cit_group\", \"age\"]",
            "cross = [\"adm1\", \"region\"]",
            "contradiction",
            "one level of it",
        ),
        ("[[grouping]]", "[[groupings]]", "key_unknown", "did you mean `grouping`?"),
    ] {
        let whole = text("residence");
        assert!(whole.contains(from), "{from}");
        let wrong = whole.replacen(from, to, 1);
        let found = Policy::parse(&wrong, &lists()).unwrap_err();
        let near = wrong.find(to).map_or(1, |byte| wrong[..byte].lines().count().max(1));
        let hit = found.iter().any(|f| {
            let at = f.line.abs_diff(near) <= 6 && f.column > 0;
            f.severity == Severity::Error && f.code == code && f.message.contains(advice) && (at || f.line == 0)
        });
        assert!(hit, "{to}: {found:#?}");
    }
}

#[test]
fn a_new_grouping_and_a_new_exception_are_said_to_be_looser_and_change_the_digest() {
    let without = policy_with("residence", &[("\nspares = [\"continent\"]", "")]);
    assert_ne!(without.sha256, POLICY.sha256);
    let looser = loosens(&without, &POLICY);
    assert!(looser.iter().any(|l| l.contains("adm1 x age x cit_group is no longer forbidden")), "{looser:?}");
    assert_eq!(loosens(&POLICY, &without), Vec::<String>::new());
    let bands = "[\"Y0T17\", \"Y18T64\", \"Y_GE65\"]";
    let other = policy_with("residence", &[(bands, "[\"Y0T17\", \"Y18T54\", \"Y_GE55\"]")]);
    assert!(loosens(&POLICY, &other).iter().any(|l| l.contains("broad_age")), "{:?}", loosens(&POLICY, &other));
    let renamed = policy_with("residence", &[("name = \"region\"", "name = \"part\"")]);
    assert!(loosens(&POLICY, &renamed).contains(&"a new grouping: part".to_owned()));
}

#[test]
fn a_question_that_names_a_grouping_alone_measures_its_groups_and_no_finer_cells() {
    let plan = plan(&asked(&["region", "sex"], &[]));
    let region = &plan.dimensions[1];
    assert_eq!((region.name.as_str(), region.column.as_str(), region.levels.len()), ("region", "adm1", 3));
    assert_eq!(region.levels[0].members, ["XA-01", "XA-02", "XA-10"]);
    assert!(region.finer.is_none() && region.levels[0].names.contains_key("fr"));
    assert!((plan.predicted_variance(&plan.shown[0]) - 25.0).abs() < 1e-3, "the noise of one table");
}

#[test]
fn filters_on_any_level_of_a_column_are_one_question() {
    let north: &[&str] = &["XA-01", "XA-02", "XA-10"];
    let one = plan(&asked(&["adm1", "sex"], &[("region", &["XA-N"])]));
    let other = plan(&asked(&["adm1", "sex"], &[("adm1", north)]));
    assert_eq!((one.release, &one.question), (other.release, &other.question));
    let both = plan(&asked(&["adm1"], &[("region", &["XA-N", "XA-C"]), ("adm1", &["XA-01", "XA-04"])]));
    assert_eq!(both.question["where"]["adm1"], serde_json::json!(["XA-01"]));
    assert_eq!(refused(&asked(&["sex"], &[("region", &["XA-N"]), ("adm1", &["XA-04"])])), "question_malformed");
    assert_eq!(refused(&asked(&["region", "adm1"], &[])), "question_malformed", "two levels in one table");
    assert_eq!(refused(&asked(&["adm1"], &[("region", &["XA-X"])])), "code_unknown");
    let of = BTreeMap::from([("region".to_owned(), vec!["XA-N".to_owned()])]);
    let share = |by: &[&str]| Question { measures: vec![MeasureAsked::Share { of: of.clone() }], ..asked(by, &[]) };
    assert!(admitted(&POLICY, &share(&["sex"])).is_ok());
    assert_eq!(refused(&share(&["adm1"])), "question_malformed", "a numerator of what the cells are broken down by");
}

#[test]
fn a_rule_for_a_column_holds_for_its_groupings_unless_it_spares_them() {
    assert_eq!(refused(&asked(&["adm1", "cit_group", "age"], &[])), "cross_forbidden");
    assert_eq!(refused(&asked(&["region", "cit_group", "broad_age"], &[])), "cross_forbidden");
    assert!(admitted(&POLICY, &asked(&["region", "continent", "broad_age"], &[])).is_ok(), "continents are spared");
    assert_eq!(refused(&asked(&["region"], &[("mig_status", &["irregular"])])), "geo_too_fine");
    let by_region = [(
        "cross = [\"adm1\", \"cit_group\", \"age\"]\nspares = [\"continent\"]",
        "cross = [\"region\", \"cit_group\", \"age\"]",
    )];
    let policy = policy_with("residence", &by_region);
    assert!(admitted(&policy, &asked(&["adm1", "continent", "age"], &[])).is_err(), "finer than what is forbidden");
}

#[test]
fn a_rule_about_codes_holds_for_a_group_of_nothing_but_such_codes() {
    let list = "code,parent\nunsure,\nsure,\nirregular,unsure\npending,unsure\nstateless,\n_N,\n\
        regular_permanent,sure\nregular_temporary,sure\nasylum_seeker,sure\nrefugee_or_protected,sure\n";
    let mut lists = lists();
    lists.0.insert("CL_MIG_STATUS".into(), list.into());
    let grouping = "[[grouping]]\nname = \"footing\"\ncolumn = \"mig_status\"\nlevel = 1\n\n[cells]\n";
    let whole = text("residence").replacen("[cells]\n", grouping, 1);
    let policy = Policy::parse(&whole, &lists).unwrap_or_else(|f| panic!("{f:#?}")).0;
    let code = |question: &Question| admitted(&policy, question).err().map(|e| e.code());
    assert_eq!(code(&asked(&["footing", "sex", "age"], &[])), Some("too_many_dimensions"), "`unsure` is such a group");
    assert_eq!(admitted(&policy, &asked(&["footing"], &[])).unwrap().rules.threshold, 20);
    let sure = asked(&["sex", "age"], &[("footing", &["sure", "stateless", "_N"])]);
    assert_eq!(code(&sure), Some("too_many_dimensions"), "what is left out is such a group alone");
    assert_eq!(code(&asked(&["sex", "age"], &[("footing", &["sure"])])), None);
    let strict =
        whole.replacen("when = { mig_status = [\"irregular\", \"pending\"] }", "when = { footing = [\"sure\"] }", 1);
    let policy = Policy::parse(&strict, &lists).unwrap_or_else(|f| panic!("{f:#?}")).0;
    let one = asked(&["sex", "age"], &[("mig_status", &["regular_permanent"])]);
    assert_eq!(admitted(&policy, &one).err().map(|e| e.code()), Some("too_many_dimensions"), "a code of a named group");
}

#[test]
fn a_column_and_its_grouping_are_one_dimension_of_the_draw_shown_at_two_levels() {
    let both = plan(&in_tables(&[&["adm1", "sex"], &["region", "sex"]]));
    let adm1 = both.dimensions.iter().position(|d| d.name == "adm1").unwrap();
    let region = both.dimensions.iter().find(|d| d.name == "region").unwrap();
    let finer = region.finer.as_ref().unwrap();
    assert_eq!((finer.dim, finer.groups.iter().map(Vec::len).sum::<usize>()), (adm1, 12));
    assert_eq!(both.measured_dimensions().count(), 2);
    let names = |dims: &[usize]| dims.iter().map(|&dim| both.dimensions[dim].name.clone()).collect::<Vec<_>>();
    let measured: Vec<Vec<String>> = both.measured.iter().map(|table| names(&table.dims)).collect();
    for table in [["adm1", "sex"], ["sex", "region"]] {
        assert!(measured.iter().any(|measured| *measured == table), "measured at both levels: {measured:?}");
    }
    let flat = 25.0;
    let (fine, coarse) = (both.predicted_variance(&both.shown[0]), both.predicted_variance(&both.shown[1]));
    assert!(fine + coarse < (flat + 5.0 * flat) * 0.75, "{fine} {coarse}: better than sums of one table");
}

#[test]
fn a_level_is_measured_by_itself_only_where_it_is_nested_and_nothing_is_impossible() {
    let by_names = |plan: &Plan| -> Vec<Vec<String>> {
        let names = |dims: &[usize]| dims.iter().map(|&dim| plan.dimensions[dim].name.clone()).collect();
        plan.measured.iter().map(|table| names(&table.dims)).collect()
    };
    let two = plan(&in_tables(&[&["adm1", "age"], &["region", "broad_age"]]));
    let two = by_names(&two);
    assert!([["adm1", "age"], ["age", "region"]].iter().all(|table| two.iter().any(|t| t == table)), "{two:?}");
    assert!(two.iter().flatten().all(|name| name != "broad_age"), "one tree a plan, the geography: {two:?}");
    let mut zeros = question("acs2024", &[], &["2024"], "0.02");
    let table = |by: &[&str]| by.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>();
    (zeros.by, zeros.tables) = (None, Some(vec![table(&["age", "employment"]), table(&["broad_age", "employment"])]));
    let zeros = admit(&policy("acs2024"), &closed(&["2024"]), &analyst(), &zeros, today()).unwrap();
    let zeros = by_names(&zeros);
    assert!(zeros.iter().any(|table| *table == ["age", "employment"]), "{zeros:?}");
    assert!(zeros.iter().flatten().all(|name| name != "broad_age"), "{zeros:?}");
}

#[test]
fn a_grouping_of_what_a_draw_covers_is_answered_from_it_at_its_exact_error() {
    let paid = plan(&Question { margins: true, ..asked(&["adm1", "age"], &[]) });
    let cheap = |by: &[&str], filter: &[(&str, &[&str])]| {
        let mut question = asked(by, filter);
        question.spend = crate::policy::Spend::Moe(97.0);
        plan(&question)
    };
    for (by, filter) in [
        (&["region"][..], &[][..]),
        (&["region", "broad_age"], &[]),
        (&["broad_age"], &[("region", &["XA-N"][..])]),
        (&[], &[("broad_age", &["Y0T17"][..]), ("region", &["XA-N"])]),
    ] {
        let free = cheap(by, filter).over(&POLICY, paid.draw, &paid.form());
        let free = free.unwrap_or_else(|| panic!("{by:?}"));
        assert_eq!(free.draw, paid.draw);
        let names: Vec<&str> = free.shown[0].dims.iter().map(|&dim| free.dimensions[dim].name.as_str()).collect();
        assert!(by.iter().all(|name| names.contains(name)) && names.len() == by.len(), "{names:?}");
    }
    let region = cheap(&["region"], &[]);
    let free = region.over(&POLICY, paid.draw, &paid.form()).unwrap();
    let sizes: Vec<usize> = paid.dimensions.iter().map(|d| d.levels.len()).collect();
    let measured: Vec<(Vec<usize>, f64)> = paid
        .measured
        .iter()
        .map(|m| (m.dims.clone(), crate::design::gaussian_variance(m.units, m.l2_squared)))
        .collect();
    let worst = crate::design::Design::new(&sizes, &measured).variance(&[Some(5), None]).unwrap();
    assert!((free.predicted_variance(&free.shown[0]) - worst).abs() < 1e-9 * worst, "five provinces are the most");
    let crossed = cheap(&["region", "urban"], &[]).over(&POLICY, paid.draw, &paid.form());
    assert!(crossed.is_none(), "what was not measured together is not answered");
    let nested = plan(&in_tables(&[&["adm1", "sex"], &["region", "age"]]));
    let over = |by: &[&str]| cheap(by, &[]).over(&POLICY, nested.draw, &nested.form());
    assert!(over(&["region", "age"]).is_some() && over(&["region", "sex"]).is_some() && over(&["adm1"]).is_some());
    assert!(over(&["adm1", "age"]).is_none(), "ages were measured by region alone");
}

#[test]
fn persons_of_several_rows_are_counted_once_in_a_group_and_never_summed_over_it() {
    let list = "code,parent\nbirth,\nprimary,\nemergency,\nantenatal,birth\ndelivery,birth\n\
        immunisation,\nmental,\nchronic,\nother,\n";
    let mut lists = lists();
    lists.0.insert("CL_SERVICE".into(), list.into());
    let grouping = "[[grouping]]\nname = \"kind_of_service\"\ncolumn = \"service\"\nlevel = 1\n\n[cells]\n";
    let whole = crate::policy::sample::bare("health").replacen("[cells]\n", grouping, 1);
    let policy = Policy::parse(&whole, &lists).unwrap_or_else(|f| panic!("{f:#?}")).0;
    let asked = |tables: &[&[&str]]| Question {
        dataset: policy.id.clone(),
        periods: vec![crate::identity::Period::parse("2026").unwrap()],
        ..in_tables(tables)
    };
    let fine = admitted(&policy, &asked(&[&["service"]])).unwrap();
    let coarse = admitted(&policy, &asked(&[&["kind_of_service"]])).unwrap();
    assert!(!coarse.additive && coarse.dimensions[0].per_row);
    assert!(coarse.over(&policy, fine.draw, &fine.form()).is_none(), "services do not add up to their kind");
    let both = admitted(&policy, &asked(&[&["service"], &["kind_of_service"]])).unwrap();
    assert_eq!(both.measured.iter().map(|m| m.dims.clone()).collect::<Vec<_>>(), [vec![0], vec![1]], "each by itself");
}

#[test]
fn broader_groups_are_offered_first_and_the_year_where_it_is_closed() {
    let offered = |question: &Question| -> Vec<String> {
        let all = alternatives(&POLICY, &closed(&QUARTERS), &analyst(), question, today(), Nanos::MAX);
        all.into_iter().map(|offer| offer.change).collect()
    };
    let forbidden = asked(&["adm1", "cit_group", "age"], &[]);
    assert_eq!(offered(&forbidden)[0], "`continent` instead of `cit_group`", "{:?}", offered(&forbidden));
    let mut open = asked(&["sex"], &[]);
    open.periods = vec![crate::identity::Period::parse("2026-Q2").unwrap()];
    assert_eq!(offered(&open)[1], "over the year 2026", "{:?}", offered(&open));
    let many = bare_with("residence", &[("cells_max = 20000", "cells_max = 500")]);
    let large = Question { margins: true, ..asked(&["adm1", "sex", "age"], &[]) };
    let all = alternatives(&many, &closed(&QUARTERS), &analyst(), &large, today(), Nanos::MAX);
    assert!(
        all[0].change.starts_with("`region` instead of `adm1`") || all[0].change.starts_with("`broad_age`"),
        "{}",
        all[0].change
    );
}
