//! Rows: each rule, and what is done with bad rows.

use super::*;
use crate::submission::{FINDINGS_MAX, RowRule};

/// Each line breaks one rule: the finding, the row.
const BROKEN: [(&str, &str); 22] = [
    ("person_id empty_id", ",2024,F,30,,employed,1"),
    ("person_id empty_id", "  ,2024,F,30,,employed,1"),
    ("person_id placeholder_id", "N/A,2024,F,30,,employed,1"),
    ("period wrong_period", "P1,2023,F,30,,employed,1"),
    ("period wrong_period", "P1,,F,30,,employed,1"),
    ("sex missing_value", "P1,2024,,30,,employed,1"),
    ("sex code_not_in_list", "P1,2024,X,30,,employed,1"),
    ("sex code_not_in_list", "P1,2024,f,30,,employed,1"),
    ("sex code_not_in_list", "P1,2024, F,30,,employed,1"),
    ("sex code_not_in_list", "P1,2024,_T,30,,employed,1"),
    ("age missing_value", "P1,2024,F,,,employed,1"),
    ("age not_an_integer", "P1,2024,F,thirty,,employed,1"),
    ("age not_an_integer", "P1,2024,F,30.0,,employed,1"),
    ("age not_an_integer", "P1,2024,F,3e1,,employed,1"),
    ("age not_an_integer", "P1,2024,F,Y15T64,,employed,1"),
    ("age out_of_range", "P1,2024,F,121,,employed,1"),
    ("age out_of_range", "P1,2024,F,-1,,employed,1"),
    ("wage not_a_number", "P1,2024,F,30,,employed,1e3"),
    ("wage too_many_decimals", "P1,2024,F,30,,employed,1.234"),
    (" too_few_fields", "P1,2024,F,30,,employed"),
    (" too_many_fields", "P1,2024,F,30,,employed,1,2"),
    (" structural_zero", "P1,2024,F,14,,employed,1"),
];

#[test]
fn each_broken_rule_is_told_by_row_column_and_code() {
    let rows = BROKEN.iter().map(|(_, row)| format!("{row}\n")).collect::<Vec<_>>().concat();
    let body = format!("{HEADER}P0,2024,F,30,,employed,1\n{rows}");
    let wanted: Vec<_> = BROKEN.iter().zip(2..).map(|((finding, _), row)| format!("{row} {finding}")).collect();
    assert_eq!(csv(body.as_bytes()).findings(), wanted);
    assert_eq!(csv(body.as_bytes()).skipping().findings(), wanted);
    let (reading, rows) = csv(body.as_bytes()).skipping().read().unwrap();
    assert_eq!((reading.rows_accepted, reading.rows_rejected, rows.len()), (1, 22, 1));
}

#[test]
fn each_broken_rule_is_told_for_ndjson_too() {
    let good = r#""person_id":"P1","period":"2024","sex":"F","age":30,"status":"employed","wage":1"#;
    for (line, finding) in [
        ("{", " bad_json"),
        ("[1]", " bad_json"),
        (r#"{"sex":true}"#, " bad_json"),
        (r#"{"sex":{}}"#, " bad_json"),
        (&format!("{{{good},\"sex\":\"F\"}}"), "sex duplicate_column"),
        (&format!("{{{good},\"note\":1,\"note\":2}}"), "note duplicate_column"),
        (&format!("{{{good}}}").replace("30", "3e1"), "age not_an_integer"),
        (&format!("{{{good}}}").replace("30", "30.0"), "age not_an_integer"),
        (&format!("{{{good}}}").replace("\"wage\":1", "\"wage\":1E400"), "wage not_a_number"),
        (&format!("{{{good}}}").replace("\"F\"", "null"), "sex missing_value"),
        (&format!("{{{good}}}").replace("\"sex\":\"F\",", ""), "sex missing_value"),
        (&format!("{{{good}}}").replace("\"P1\"", "null"), "person_id empty_id"),
        (&format!("{{{good}}}").replace("\"P1\"", "0"), "person_id placeholder_id"),
        (&format!("{{{good},\"note\":\"{}\"}}", "x".repeat(4_097)), "note field_too_long"),
    ] {
        let body = format!("{{{good}}}\n{line}\n");
        assert_eq!(ndjson(body.as_bytes()).findings(), [format!("2 {finding}")], "{line}");
    }
}

#[test]
fn all_that_is_wrong_with_a_row_is_told_and_the_row_counts_once() {
    let body = format!("{HEADER}N/A,x,X,abc,,working,many\n");
    let error = csv(body.as_bytes()).read().unwrap_err();
    let ReadError::Rejected(Rejection::Rows { rows_rejected, findings }) = error else { panic!("{error}") };
    let columns: Vec<_> = findings.iter().map(|finding| finding.column.as_str()).collect();
    assert_eq!(columns, ["period", "person_id", "sex", "age", "status", "wage"]);
    assert_eq!(rows_rejected, 1);
}

#[test]
fn one_bad_row_refuses_the_file_wherever_it_stands() {
    let good = "P1,2024,F,30,,employed,1\n";
    for at in [0, 1, 9_000] {
        let body = format!("{HEADER}{}P1,2024,X,30,,employed,1\n{good}", good.repeat(at));
        assert_eq!(csv(body.as_bytes()).findings(), [format!("{} sex code_not_in_list", at + 1)]);
    }
}

#[test]
fn a_file_of_bad_rows_keeps_nothing() {
    let body = format!("{HEADER}P1,2024,X,30,,employed,1\n");
    assert_eq!(csv(body.as_bytes()).skipping().refused(), "no_rows");
}

#[test]
fn findings_are_bounded_and_the_count_goes_on() {
    let body = format!("{HEADER}{}", "P1,2024,X,30,,employed,x\n".repeat(3_000));
    let error = csv(body.as_bytes()).read().unwrap_err();
    let ReadError::Rejected(Rejection::Rows { rows_rejected, findings }) = error else { panic!("{error}") };
    assert_eq!((rows_rejected, findings.len()), (3_000, FINDINGS_MAX));
}

#[test]
fn numbers_are_clamped_to_public_bounds() {
    let wages = ["-5", "0", "999.99", "1000", "1000.01", "99999999999999999999999999", "-99999999999999999999999999"];
    let rows = wages.iter().map(|wage| format!("P1,2024,F,30,,employed,{wage}\n")).collect::<Vec<_>>().concat();
    let (_, rows) = csv(format!("{HEADER}{rows}").as_bytes()).read().unwrap();
    let kept: Vec<_> = rows.iter().map(|(_, _, values)| values[3].unwrap()).collect();
    assert_eq!(kept, [0, 0, 99_999, 100_000, 100_000, 100_000, 0]);
}

#[test]
fn a_missing_number_is_refused_where_the_policy_wants_one() {
    let mut policy = policy();
    for column in &mut policy.columns {
        if let Kind::Measure(measure) = &mut column.kind {
            measure.missing_allowed = false;
        }
    }
    let body = format!("{HEADER}P1,2024,F,30,,employed,\n");
    assert_eq!(Sent { policy, ..csv(body.as_bytes()) }.findings(), ["1 wage missing_value"]);
}

#[test]
fn ages_fall_into_their_bands_and_codes_behind_them_are_written_out() {
    let ages = ["0", "14", "15", "64", "65", "120", "_U", "007"];
    let rows = ages.iter().map(|age| format!("P1,2024,F,{age},,inactive,\n")).collect::<Vec<_>>().concat();
    let (_, rows) = csv(format!("{HEADER}{rows}").as_bytes()).read().unwrap();
    let kept: Vec<_> = rows.iter().map(|(_, _, values)| values[1].unwrap()).collect();
    assert_eq!(kept, [0, 0, 1, 1, 2, 2, 3, 0]);
}

#[test]
fn only_the_declared_combination_cannot_exist() {
    let body = format!("{HEADER}P1,2024,F,14,,inactive,\nP1,2024,F,15,,employed,\nP1,2024,F,14,,employed,\n");
    assert_eq!(csv(body.as_bytes()).findings(), ["3  structural_zero"]);
}

#[test]
fn every_row_rule_has_a_code_of_its_own() {
    let codes: BTreeSet<_> = RowRule::ALL.iter().map(|rule| rule.code()).collect();
    assert_eq!(codes.len(), RowRule::ALL.len());
}

#[test]
fn ids_that_only_separators_tell_apart_are_kept_and_pointed_out() {
    let row = |id: &str| format!("{id},2024,F,30,,employed,1\n");
    let body = format!("{HEADER}{}{}{}", row("1-15"), row("2-1"), row("11-5"));
    let (reading, rows) = csv(body.as_bytes()).read().unwrap();
    assert_eq!((rows.len(), reading.rows_rejected), (3, 0));
    assert!(rows[0].0 == rows[2].0, "one person");
    let warned: Vec<_> = reading.warnings.iter().map(|w| (w.row, w.column.as_str(), w.rule.as_str())).collect();
    assert_eq!(warned, [(3, "person_id", "id_parted_otherwise")]);
    let (reading, _) = csv(format!("{HEADER}{}{}", row("A-15"), row("a15")).as_bytes()).read().unwrap();
    assert!(reading.warnings.is_empty(), "one person, written in two ways");
}
