//! Policy files: what is refused, where, with what advice; what makes two of them the same; what a change loosens.

use crate::policy::sample::{bare, bare_with, lists, policy, policy_with, text};
use crate::policy::{Finding, Per, Policy, Severity, loosens};

/// The findings for a shipped policy with some text replaced.
fn findings(id: &str, from: &str, to: &str) -> Vec<Finding> {
    let text = text(id);
    assert!(text.contains(from), "{from}");
    match Policy::parse(&text.replacen(from, to, 1), &lists()) {
        Ok((_, findings)) | Err(findings) => findings,
    }
}

/// Replacing `from` by `to` must give an error of this code, at the line of `to`, with this advice.
fn refused(id: &str, from: &str, to: &str, code: &str, advice: &str) {
    let found = findings(id, from, to);
    let text = text(id).replacen(from, to, 1);
    let first = text.find(to).map_or(1, |byte| text[..byte].lines().count().max(1));
    let lines = first.saturating_sub(1)..=first + to.lines().count();
    let hit = found.iter().any(|f| {
        f.severity == Severity::Error
            && f.code == code
            && f.message.contains(advice)
            && (f.line == 0 || lines.contains(&f.line))
    });
    assert!(hit, "{to:?}: {found:#?}");
}

#[test]
fn what_is_wrong_is_refused_where_it_stands_with_what_to_write_instead() {
    let acs = |from, to, code, advice| refused("acs2024", from, to, code, advice);
    acs("id = \"acs2024\"", "id = \"ACS 2024\"", "name_wrong", "lower-case letter");
    acs("retention_days = 730", "retention_days = 0", "value_wrong", "at least 1");
    acs("expires = 2028-12-31", "expires = 2023-12-31", "contradiction", "later day");
    acs("expires = 2028-12-31", "expires = 2028-12-31T10:00:00", "value_wrong", "without quotes or time");
    acs("rho = \"0.2\"", "rho = 0.2", "value_wrong", "write it in quotes");
    acs("rho = \"0.2\"", "rho = \"1e-1\"", "amount_wrong", "no exponent");
    acs("rho = \"0.2\"", "epsilon = \"0.2\"", "contradiction", "write the amount as `rho`");
    acs("accounting = \"zcdp\"", "accounting = \"pure\"", "key_missing", "add `epsilon`");
    acs("accounting = \"zcdp\"", "accounting = \"renyi\"", "value_wrong", "zcdp");
    acs("per_release_max = \"0.1\"", "per_release_max = \"0.3\"", "contradiction", "at most \"0.2\"");
    acs("delta = \"1e-9\"", "delta = \"1\"", "value_wrong", "between 0 and 1");
    acs("rows_max = 1", "rows_max = 0", "value_wrong", "between 1 and");
    acs("threshold = 10", "threshold = 0", "value_wrong", "between 1 and");
    acs("dims_max = 4", "dims_max = 40", "value_wrong", "between 1 and 10");
    acs("codes = \"CL_SEX\"", "codes = \"CL_SEXX\"", "codes_wrong", "did you mean `CL_SEX`?");
    acs("codes = \"CL_SEX\"", "codes = [\"F\", \"_T\"]", "codes_wrong", "totals");
    acs("codes = \"CL_SEX\"", "bands = [\"Y0T4\"]", "key_missing", "type = \"integer\"");
    acs("\"Y5T9\", \"Y10T14\"", "\"Y10T14\"", "bands_wrong", "close the gap");
    acs("max = 99", "max = 120\nmin2 = 0", "key_unknown", "did you mean `min`?");
    acs("max = \"200000\"", "max = \"0\"", "contradiction", "above `min`");
    acs("max = \"200000\"", "max = \"200000.5\"", "value_wrong", "raise `scale`");
    acs("scale = 0", "scale = 30", "value_wrong", "at most 9");
    acs("bins = [\"0\", \"10000\"", "bins = [\"0\", \"90000\"", "value_wrong", "ascend from");
    acs(
        "cross = [\"adm1\", \"citizenship\"",
        "cross = [\"adm1\", \"citizenhsip\"",
        "reference_unknown",
        "`citizenship`",
    );
    acs(
        "when = { domestic_worker = [\"yes\"] }",
        "when = { domestic_worker = [\"yess\"] }",
        "reference_unknown",
        "`yes`",
    );
    acs("purpose = \"sdg\"", "purpose = \"sgd\"", "reference_unknown", "[purposes] allow");
    acs("weights = [2, 1, 1, 1, 1]", "weights = [2, 1]", "value_wrong", "give 5 weights");
    acs("[[program]]", "[[programme]]", "key_unknown", "did you mean `program`?");
    acs("[cells]", "[cells]\nthreshold_max = 3", "key_unknown", "no key `threshold_max`");
    acs("[unit]", "[unit", "syntax", "not TOML");
    acs(
        "submitters = { ministry-interior = [\"*\"]",
        "submitters = { ministry-interior = [\"all\"]",
        "value_wrong",
        "\"*\"",
    );
    acs("releases = \"public\"", "releases = \"public\"\npublish_after = \"two weeks\"", "value_wrong", "P14D");
    refused("residence", "sdg = \"0.08\"", "sdg = \"0.16\"", "contradiction", "pass the lifetime bound");
    refused("residence", "sdg = \"0.08\"", "press = \"0.01\"", "reference_unknown", "[purposes] allow");
}

#[test]
fn survey_weights_several_values_and_households_are_refused_with_a_sentence() {
    for (from, to, advice) in [
        ("rows_max = 1", "rows_max = 1\nhousehold = \"household_id\"", "households are not supported"),
        ("rows_max = 1", "rows_max = 1\nkind = \"household\"", "nothing else is supported"),
        ("rows_max = 1", "rows_max = 1\nweight = \"pweight\"", "weights are not supported"),
        ("codes = \"CL_SEX\"", "codes = \"CL_SEX\"\nmulti = true", "several values in one row"),
        ("role = \"ignored\"", "role = \"weight\"", "weights are not supported"),
        ("role = \"ignored\"", "role = \"ignored\"\nweight = true", "weights are not supported"),
    ] {
        refused("acs2024", from, to, "not_supported", advice);
    }
}

#[test]
fn a_policy_that_lets_enforcement_in_does_not_load() {
    refused("acs2024", "[\"enforcement\"]", "[\"commercial\"]", "firewall", "no override");
    refused("acs2024", "[\"enforcement\"]", "[]", "firewall", "no override");
    refused("acs2024", "[principals]\ndeny_classes = [\"enforcement\"]\n", "", "section_missing", "the firewall");
}

#[test]
fn a_bound_that_could_overflow_a_sum_does_not_load() {
    refused("health", "max = \"5000\"", "max = \"9000000000000000\"", "overflow", "lower the bounds");
}

#[test]
fn all_findings_come_at_once_in_the_order_of_the_file() {
    let text = text("acs2024")
        .replacen("retention_days = 730", "retention_days = 0", 1)
        .replacen("rho = \"0.2\"", "rho = \"x\"", 1)
        .replacen("threshold = 10", "threshold = \"ten\"\ncolour = 1", 1)
        .replacen("codes = \"CL_SEX\"", "codes = \"CL_SEXX\"\ngeo = 1", 1);
    let found = Policy::parse(&text, &lists()).unwrap_err();
    assert!(found.len() >= 6, "{found:#?}");
    assert!(found.windows(2).all(|pair| (pair[0].line, pair[0].column) <= (pair[1].line, pair[1].column)));
    for finding in &found {
        let line = text.lines().nth(finding.line - 1).unwrap();
        assert!(finding.column >= 1 && finding.column <= line.chars().count() + 1, "{finding:?}");
    }
}

#[test]
fn a_finding_points_at_the_very_value() {
    let found = findings("acs2024", "delta = \"1e-9\"", "delta = \"x\"");
    let text = text("acs2024").replacen("delta = \"1e-9\"", "delta = \"x\"", 1);
    let line = text.lines().nth(found[0].line - 1).unwrap();
    assert_eq!(line.chars().skip(found[0].column - 1).collect::<String>(), "\"x\"");
}

#[test]
fn per_is_the_person_where_a_person_has_one_row_and_must_be_said_elsewhere() {
    assert!(policy("acs2024").columns.iter().all(|c| c.per == Per::Person));
    let text = text("health").replace("per = \"row\"\n", "").replace("per = \"person\"\n", "");
    let found = Policy::parse(&text, &lists()).unwrap_err();
    assert!(found.iter().filter(|f| f.message.contains("add per =")).count() == 10, "{found:#?}");
    let warned = findings("acs2024", "codes = \"CL_SEX\"", "codes = \"CL_SEX\"\nper = \"row\"");
    assert_eq!(warned.iter().map(|f| f.code).collect::<Vec<_>>(), ["per_row_alone"]);
}

#[test]
fn lint_warns_of_what_an_officer_should_look_at() {
    let warned = |id: &str, from: &str, to: &str, code: &str| {
        let found = findings(id, from, to);
        assert!(found.iter().all(|f| f.severity == Severity::Warning), "{found:#?}");
        assert!(found.iter().any(|f| f.code == code && f.line > 0), "{code}: {found:#?}");
    };
    warned("acs2024", "threshold = 10", "threshold = 5", "threshold_low");
    warned("acs2024", "rho = \"0.2\"", "rho = \"0.9\"", "epsilon_large");
    warned("acs2024", "expires = 2028-12-31", "expires = 2036-12-31", "expires_late");
    warned("acs2024", "rho = \"0.04\"", "rho = \"0.06\"", "programs_over_pace");
    warned("acs2024", "rho = \"0.04\"", "rho = \"0.3\"", "programs_over_budget");
    warned("acs2024", "name = \"household_id\"", "name = \"facility_id\"", "identifying_column");
    warned(
        "acs2024",
        "cross = [\"adm1\", \"disability\", \"employment\", \"age\"]",
        "cross = [\"adm1\", \"citizenship\", \"domestic_worker\", \"age\"]",
        "rules_overlap",
    );
    warned("acs2024", "dims_max = 3\nthreshold = 20", "dims_max = 4\nthreshold = 10", "rule_unused");
    warned("acs2024", "complementary = true", "complementary = false", "partners_shown");
    warned("acs2024", "delta = \"1e-9\"", "delta = \"1e-4\"", "delta_large");
    warned("residence", "sdg = \"0.08\"", "sdg = \"0.14\"", "purpose_unfunded");
}

#[test]
fn people_whose_stay_is_not_secure_are_kept_coarse_by_a_forbid_or_a_require() {
    let places = |to: &str| {
        let text = bare("residence").replacen("geo_level = 1", "geo_level = 2", 1).replacen(
            "dims_max = 2\ngeo_level_max = 0",
            to,
            1,
        );
        let (_, found) = Policy::parse(&text, &lists()).unwrap();
        found.iter().any(|f| f.code == "irregular_place")
    };
    assert!(places("dims_max = 2"), "no rule keeps them coarse");
    assert!(places("dims_max = 2\ngeo_level_max = 2"), "nor does one that allows it");
    let forbid = "dims_max = 2\n[[forbid]]\ncross = [\"mig_status\", \"adm1\"]\nreason = \"x\"\n[[require]]\nwhen = { sex = [\"F\"] }\ngeo_level_max = 1";
    assert!(!places(forbid));
}

#[test]
fn a_policy_that_refuses_its_own_program_does_not_load() {
    let found = findings("acs2024", "[\"adm1\", \"employment\"],", "[\"adm1\", \"citizenship\", \"domestic_worker\"],");
    assert!(found.iter().any(|f| f.code == "program_refused" && f.message.contains("cross_forbidden")), "{found:#?}");
}

#[test]
fn blanks_comments_and_the_order_of_keys_do_not_change_a_policy_and_meaning_does() {
    let original = policy("acs2024");
    let same = policy_with(
        "acs2024",
        &[
            ("version = 1", "# first\nversion   =   1"),
            ("rho = \"0.2\"", "rho = \"0.200\""),
            ("rows_max = 1\n", ""),
            ("id = \"raw\"", "rows_max = 1\nid = \"raw\""),
        ],
    );
    assert_eq!(original.sha256, same.sha256);
    assert_eq!(original.canonical(), same.canonical());
    for (from, to) in [
        ("version = 1", "version = 2"),
        ("threshold = 20", "threshold = 21"),
        ("rho = \"0.04\"", "rho = \"0.03\""),
        ("reason = \"would describe", "reason = \"might describe"),
        ("retention_days = 730", "retention_days = 731"),
    ] {
        assert_ne!(original.sha256, policy_with("acs2024", &[(from, to)]).sha256, "{to}");
    }
    let mut lists = lists();
    let sexes = lists.0.get_mut("CL_SEX").unwrap();
    *sexes = sexes.replace("Femme", "Femmes");
    let renamed = Policy::parse(&text("acs2024"), &lists).unwrap().0;
    assert_ne!(original.sha256, renamed.sha256, "code lists are part of a policy");
}

#[test]
fn a_change_says_what_it_loosens_and_a_stricter_one_says_nothing() {
    let old = bare_with("residence", &[]);
    for (from, to, said) in [
        ("rho = \"0.2\"", "rho = \"0.3\"", "lifetime budget: 0.2 becomes 0.3"),
        ("threshold = 10", "threshold = 9", "threshold: 10 becomes 9"),
        ("retention_days = 730", "retention_days = 900", "erased"),
        ("expires = 2029-12-31", "expires = 2030-06-30", "last day in force"),
        ("rows_max = 1", "rows_max = 2", "rows of one person"),
        ("releases = \"public\"", "releases = \"public\"\npublish_after = \"P1D\"", ""),
        (
            "statistics-office = [\"*\"]",
            "statistics-office = [\"*\"], ministry-health = [\"*\"]",
            "a new submitter: ministry-health",
        ),
        (
            "cross = [\"adm1\", \"cit_group\", \"age\"]",
            "cross = [\"adm1\", \"cit_group\", \"age\", \"sex\"]",
            "no longer forbidden",
        ),
        ("cross = [\"adm1\", \"cit_group\", \"age\"]", "cross = [\"adm1\", \"cit_group\"]", ""),
        ("\"intelligence\", ", "", "class intelligence are no longer denied"),
        (
            "when = { mig_status = [\"irregular\", \"pending\"] }",
            "when = { mig_status = [\"irregular\"] }",
            "mig_status is dropped or changed",
        ),
        ("dims_max = 2\ngeo", "dims_max = 1\ngeo", ""),
        (
            "name = \"file_number\"\nrole = \"ignored\"",
            "name = \"file_kind\"\nrole = \"dimension\"\ncodes = [\"a\", \"b\"]",
            "a new column: file_kind",
        ),
        ("quota_per_organisation = \"0.1\"\n", "", "quota of one organisation is dropped"),
        ("treaty_body = \"0.06\"\n", "", "share of treaty_body is dropped"),
        ("per_release_max = \"0.02\"", "per_release_max = \"0.01\"", ""),
        ("max = \"730\"", "max = \"1000\"", "wait_days has other bounds"),
    ] {
        let replaced: Vec<(&str, &str)> = match (to.contains("rows_max"), to.contains("1000")) {
            (true, _) => vec![
                (from, to),
                ("role = \"dimension\"", "role = \"dimension\"\nper = \"person\""),
                ("role = \"measure\"", "role = \"measure\"\nper = \"person\""),
            ],
            (_, true) => vec![(from, to), ("\"365\", \"730\"", "\"365\", \"1000\"")],
            _ => vec![(from, to)],
        };
        let looser = loosens(&old, &bare_with("residence", &replaced));
        if said.is_empty() {
            assert_eq!(looser, Vec::<String>::new(), "{to}");
        } else {
            assert!(looser.iter().any(|s| s.contains(said)), "{to}: {looser:?}");
        }
    }
    let restricted =
        bare_with("residence", &[("releases = \"public\"", "releases = \"restricted\"\npublish_after = \"P30D\"")]);
    assert_eq!(loosens(&old, &restricted), Vec::<String>::new());
    let back = loosens(&restricted, &old).join("; ");
    assert!(back.contains("releases become public") && back.contains("embargo"), "{back}");
    assert_eq!(loosens(&old, &old), Vec::<String>::new());
}
