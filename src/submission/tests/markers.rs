//! G14: a marker planted wherever a file can hold a text comes out nowhere.

use super::*;

const MARKER: &str = "zqjmarker";

/// Everything that a sender, a log or a metric could get to see of a reading.
fn seen(sent: &Sent<'_>) -> String {
    match sent.read() {
        Ok((reading, _)) => format!("{reading:?}{}", serde_json::to_string(&reading.findings).unwrap()),
        Err(error) => {
            let findings = match &error {
                ReadError::Rejected(Rejection::Rows { findings, .. }) => serde_json::to_string(findings).unwrap(),
                ReadError::Rejected(Rejection::File { detail, .. }) => detail.clone(),
                ReadError::Sink(_) | ReadError::Body(_) => String::new(),
            };
            format!("{error}{error:?}{}{findings}", error.code())
        }
    }
}

/// Reads a body in every way there is, and looks for the marker in all that comes out.
fn assert_silent(body: &str) {
    assert!(body.contains(MARKER), "the marker is planted");
    let body = body.as_bytes();
    for sent in [csv(body), csv(body).skipping(), ndjson(body), ndjson(body).skipping()] {
        let seen = seen(&sent).to_lowercase();
        assert!(!seen.is_empty() && !seen.contains(MARKER), "{seen}");
    }
}

#[test]
fn a_marker_in_any_column_comes_out_nowhere() {
    let good = ["P1", "2024", "F", "30", "x", "employed", "1"];
    for place in 0..good.len() {
        for planted in
            [MARKER.to_owned(), format!("\"{MARKER}\""), format!("{MARKER}\0"), format!("\"{MARKER}\n{MARKER}\"")]
        {
            let mut row = good.map(str::to_owned);
            row[place] = planted;
            assert_silent(&format!("{HEADER}{}\n{}\n", good.join(","), row.join(",")));
            assert_silent(&format!("{HEADER}{}\n", row.join(",")));
        }
    }
}

#[test]
fn a_marker_in_the_header_comes_out_nowhere() {
    for header in [
        MARKER.to_owned(),
        format!("person_id,period,{MARKER}"),
        format!("{MARKER};period"),
        format!("person_id,\"{MARKER}"),
        format!("{},{MARKER}", HEADER.trim_end()),
        MARKER.repeat(1_000),
        format!("{MARKER},").repeat(1_000),
    ] {
        assert_silent(&format!("{header}\nP1,2024,F,30,x,employed,1\n"));
    }
}

#[test]
fn a_marker_in_broken_rows_comes_out_nowhere() {
    for row in [
        MARKER.to_owned(),
        format!("{MARKER},{MARKER}"),
        format!("P1,2024,F,30,x,employed,1,{MARKER}"),
        format!("P1,2024,F,30,{},employed,1", MARKER.repeat(1_000)),
        format!("P1,2024,F,30,\"{MARKER},employed,1"),
        format!("P1,2024-{MARKER},F,14,x,employed,1"),
    ] {
        assert_silent(&format!("{HEADER}{row}\n"));
    }
}

#[test]
fn a_marker_in_ndjson_comes_out_nowhere() {
    for line in [
        MARKER.to_owned(),
        format!("{{\"{MARKER}\":1}}"),
        format!("{{\"sex\":\"{MARKER}\"}}"),
        format!("{{\"sex\":{MARKER}}}"),
        format!("{{\"sex\":\"{MARKER}"),
        format!("{{\"person_id\":\"{MARKER}\",\"period\":\"{MARKER}\",\"age\":\"{MARKER}\",\"wage\":\"{MARKER}\"}}"),
        format!("{{\"sex\":\"\\u00e9{MARKER}\\x\"}}"),
        format!("{{\"note\":\"{MARKER}\",\"note\":\"{MARKER}\"}}"),
    ] {
        assert_silent(&format!("{line}\n"));
    }
}
