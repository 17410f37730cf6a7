//! Files as a whole: formats, headers, periods, digests, batches.

use super::*;
use crate::policy::Frequency;
use crate::submission::BATCH_ROWS;

const GOOD: &str = "P1,2024,F,30,x,employed,12.34\nP2,2024,M,3,y,inactive,\n";

fn values(rows: &Rows) -> Vec<Vec<Option<i64>>> {
    rows.iter().map(|(_, _, values)| values.clone()).collect()
}

#[test]
fn a_good_file_is_coded() {
    let body = format!("{HEADER}{GOOD}");
    let (reading, rows) = csv(body.as_bytes()).read().unwrap();
    assert_eq!(reading.period.as_str(), "2024");
    assert_eq!(reading.sha256, Digest::of(body.as_bytes()));
    assert_eq!((reading.rows_accepted, reading.rows_rejected, reading.findings.len()), (2, 0, 0));
    assert_eq!(rows.iter().map(|row| row.1).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(rows[0].0, PersonKeyer::new([7; 32], IdForm::Raw).key("p1").unwrap());
    assert_eq!(values(&rows), [[Some(0), Some(1), Some(0), Some(1234)], [Some(1), Some(0), Some(2), None]]);
}

#[test]
fn byte_order_mark_line_ends_quotes_order_and_last_newline_make_no_difference() {
    let plain = csv(format!("{HEADER}{GOOD}").as_bytes()).read().unwrap().1;
    let crlf = format!("\u{feff}{HEADER}{GOOD}").replace('\n', "\r\n");
    let quoted = format!("{HEADER}{GOOD}").replace("2024", "\"2024\"").replace(",x,", ",\"a \"\"b\"\", c\",");
    let bare = format!("{HEADER}{GOOD}").trim_end().to_owned();
    let reordered = "wage,status,age,sex,period,person_id\n12.34,employed,30,F,2024,P1\n,inactive,3,M,2024,P2\n";
    for body in [&crlf, &quoted, &bare, reordered, &format!("{HEADER}\n\n{GOOD}\n\n")] {
        assert!(csv(body.as_bytes()).read().unwrap().1 == plain, "{body}");
    }
}

#[test]
fn ndjson_says_the_same_as_csv() {
    let plain = csv(format!("{HEADER}{GOOD}").as_bytes()).read().unwrap().1;
    let lines = concat!(
        "\u{feff}{\"person_id\":\"P1\",\"period\":2024,\"sex\":\"F\",\"age\":30,\"status\":\"employed\",\"wage\":12.34}\r\n",
        "\n",
        "{\"sex\":\"\\u004d\",\"age\":\"3\",\"period\":\"2024\",\"status\":\"inactive\",\"wage\":null,\"person_id\":\"P2\"}",
    );
    assert!(ndjson(lines.as_bytes()).read().unwrap().1 == plain);
}

#[test]
fn headers_that_do_not_fit_are_refused() {
    let code = |header: &str| csv(header.as_bytes()).refused();
    assert_eq!(code(""), "empty_file");
    assert_eq!(code("\u{feff}"), "empty_file");
    assert_eq!(code("\n\r\n"), "empty_file");
    assert_eq!(code("person_id,period,sex,age,status\n"), "missing_column");
    assert_eq!(code("period,sex,age,status,wage\n"), "missing_column");
    assert_eq!(code("person_id,period,sex,age,status,wage,name\n"), "unknown_column");
    assert_eq!(code("person_id;period;sex;age;status;wage\n"), "unknown_column");
    assert_eq!(code("person_id,period,sex,age,status,wage,sex\n"), "duplicate_column");
    assert_eq!(code("person_id,period,sex,age,status,wage,note,note\n"), "duplicate_column");
    assert_eq!(code(&format!("{},sex\n", "x".repeat(5_000))), "header_too_long");
    assert_eq!(code(HEADER), "no_rows");
    assert_eq!(ndjson(b"").refused(), "empty_file");
    assert_eq!(ndjson(b"{\"name\":\"x\"}").refused(), "unknown_column");
}

#[test]
fn an_ignored_column_may_be_left_out() {
    let (reading, _) = csv(b"person_id,period,sex,age,status,wage\nP1,2024,F,30,employed,1\n").read().unwrap();
    assert_eq!(reading.rows_accepted, 1);
}

#[test]
fn what_arrived_must_be_what_was_announced() {
    let body = format!("{HEADER}{GOOD}P3,2024,bad,1,,employed,\n");
    let announce = |announced| Sent { announced: Some(announced), ..csv(body.as_bytes()) };
    assert_eq!(announce(Digest::of(b"other")).refused(), "digest_mismatch", "before what was found in rows");
    assert_eq!(announce(Digest::of(b"other")).skipping().refused(), "digest_mismatch");
    assert_eq!(announce(Digest::of(body.as_bytes())).refused(), "rows_rejected");
    assert!(announce(Digest::of(body.as_bytes())).skipping().read().is_ok());
}

#[test]
fn all_rows_are_of_one_period_and_the_request_agrees() {
    let body = format!("{HEADER}P1,2024,F,30,,employed,\nP2,2023,F,30,,employed,\nP3,x,F,30,,employed,\n");
    assert_eq!(csv(body.as_bytes()).findings(), ["2 period wrong_period", "3 period wrong_period"]);
    let of_2023 = Sent { period: Some("2023"), ..csv(body.as_bytes()) };
    assert_eq!(of_2023.findings(), ["1 period wrong_period", "3 period wrong_period"]);
    let (reading, _) = of_2023.skipping().read().unwrap();
    assert_eq!((reading.period.as_str(), reading.rows_accepted), ("2023", 1));
}

#[test]
fn periods_out_of_rhythm_or_not_allowed_are_refused() {
    let body = |period: &str| format!("{HEADER}P1,{period},F,30,,employed,\n");
    let code = |period: &str, frequency, pattern: &str| {
        let mut policy = policy().sent_for(pattern);
        policy.frequency = frequency;
        Sent { policy, ..csv(body(period).as_bytes()) }.read().map_or_else(|error| error.code(), |_| "ok")
    };
    assert_eq!(code("2024", Frequency::Annual, "*"), "ok");
    assert_eq!(code("2024-Q1", Frequency::Annual, "*"), "period_not_allowed");
    assert_eq!(code("2024", Frequency::Quarterly, "*"), "period_not_allowed");
    assert_eq!(code("2024-Q1", Frequency::Quarterly, "2024*"), "ok");
    assert_eq!(code("2024-Q1", Frequency::Quarterly, "2025*"), "period_not_allowed");
    assert_eq!(code("2024-03", Frequency::Quarterly, "*"), "period_not_allowed");
    assert_eq!(code("2024-03", Frequency::Monthly, "*"), "ok");
    assert_eq!(code("2024", Frequency::Irregular, "2024"), "ok");
    let body = body("2024");
    assert_eq!(Sent { organisation: "stranger", ..csv(body.as_bytes()) }.refused(), "submitter_not_allowed");
}

#[test]
fn without_a_column_the_period_comes_with_the_request() {
    let mut policy = policy();
    policy.unit.period = None;
    let body = b"person_id,sex,age,status,wage\nP1,F,30,employed,1\n";
    let sent = Sent { policy, ..csv(body) };
    assert_eq!(sent.refused(), "period_missing");
    assert_eq!(Sent { period: Some("2024"), ..sent }.read().unwrap().0.period.as_str(), "2024");
}

#[test]
fn rows_come_in_batches_of_bounded_size() {
    let rows = (1..=BATCH_ROWS + 5).map(|n| format!("P{n},2024,F,30,,employed,{n}\n")).collect::<Vec<_>>().concat();
    let body = format!("{HEADER}{rows}");
    let mut kept = Kept::default();
    let reading = csv(body.as_bytes()).read_into(&mut kept).unwrap();
    assert_eq!((kept.batches, kept.rows.len()), (2, BATCH_ROWS + 5));
    assert_eq!(reading.rows_accepted, 8_197);
    assert!(kept.rows.iter().zip(1..).all(|(row, number)| row.1 == number));
}

#[test]
fn a_sink_that_fails_stops_the_reading() {
    let rows = (1..=BATCH_ROWS).map(|n| format!("P{n},2024,F,30,,employed,{n}\n")).collect::<Vec<_>>().concat();
    let body = format!("{HEADER}{rows}");
    let mut kept = Kept { fails_at: Some(0), ..Kept::default() };
    let error = csv(body.as_bytes()).read_into(&mut kept).unwrap_err();
    assert_eq!(error.code(), "disk_full");
}

#[test]
fn a_body_that_breaks_off_is_no_file() {
    struct BreaksOff<'a>(&'a [u8]);
    impl std::io::Read for BreaksOff<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.0.is_empty() { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { self.0.read(buffer) }
        }
    }
    let body = format!("{HEADER}{GOOD}");
    for format in [Format::Csv, Format::Ndjson] {
        let policy = policy();
        let intake = Intake {
            policy: &policy,
            keyer: &PersonKeyer::new([7; 32], IdForm::Raw),
            period: None,
            format,
            on_error: OnError::Skip,
            announced_sha256: None,
            organisation: &Organisation::parse("ministry").unwrap(),
        };
        let body = if format == Format::Csv { body.as_bytes() } else { b"{}" };
        assert_eq!(read(&intake, BreaksOff(body), &mut Kept::default()).unwrap_err().code(), "body_broken");
    }
}
