//! Files that mean harm, or were harmed on the way.

use super::*;
use crate::submission::body::Digesting;
use proptest::prelude::*;
use std::io::Read;

const ROW: &str = "P1,2024,F,30,,employed,1\n";

#[test]
fn nul_bytes_and_control_characters_are_values_like_any_other() {
    let body = format!("{HEADER}{ROW}P1,2024,F\0,30,,employed,1\nP1,2024,F,30,\0,employed,\01\n");
    assert_eq!(csv(body.as_bytes()).findings(), ["2 sex code_not_in_list", "3 wage not_a_number"]);
    assert_eq!(csv(b"\0\0\0").refused(), "unknown_column");
}

#[test]
fn latin_1_bytes_are_named_for_what_they_are() {
    let body = [HEADER.as_bytes(), b"P\xe9,2024,F,30,,employed,1\nP1,2024,F,30,,employ\xe9,1\n"].concat();
    assert_eq!(csv(&body).findings(), ["1 person_id not_utf8", "2 status not_utf8"]);
    assert_eq!(csv(b"person_id,ann\xe9e\n").refused(), "not_utf8");
    assert_eq!(ndjson(b"{\"sex\":\"\xe9\"}\n").findings(), ["1  not_utf8"]);
    let utf_16: Vec<u8> = HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(csv(&[b"\xff\xfe".as_slice(), &utf_16].concat()).refused(), "not_utf8");
}

#[test]
fn an_open_quote_swallows_no_row() {
    let good = format!("{HEADER}{ROW}");
    for tail in [
        "P1,2024,F,30,\"open,employed,1\n",
        "P1,2024,F,30,\"open,employed,1\nP2,2024,F,30,closed\",employed,1\n",
        "\"",
        "P1,2024,F,30,,employed,\"1",
        "P1,2024,F,30,\"a\nb\",employed,1\n",
        "P1,2024,F,30,\"a\rb\",employed,1\n",
    ] {
        assert_eq!(csv(format!("{good}{tail}").as_bytes()).skipping().refused(), "malformed_csv", "{tail}");
    }
    assert_eq!(csv(format!("\"{HEADER}{ROW}").as_bytes()).refused(), "malformed_csv");
}

#[test]
fn a_million_columns_are_refused_at_once() {
    assert_eq!(csv("a,".repeat(1_000_000).as_bytes()).refused(), "too_many_columns");
    assert_eq!(csv(",".repeat(1_000_000).as_bytes()).refused(), "too_many_columns");
    let body = format!("{HEADER}{ROW}{}\n{ROW}", ",".repeat(1_000_000));
    assert_eq!(csv(body.as_bytes()).findings(), ["2  too_many_fields"]);
    assert_eq!(csv(body.as_bytes()).skipping().read().unwrap().0.rows_accepted, 2);
}

#[test]
fn fields_are_bounded() {
    let long = "x".repeat(4_097);
    let body = format!("{HEADER}{long},2024,F,30,,employed,1\nP1,2024,F,30,{long},employed,1\n");
    assert_eq!(csv(body.as_bytes()).findings(), ["1 person_id field_too_long", "2 note field_too_long"]);
    let endless = format!("{HEADER}{}", "x".repeat(3 << 20));
    assert_eq!(csv(endless.as_bytes()).refused(), "malformed_csv");
}

#[test]
fn an_endless_open_quote_is_refused_in_bounded_memory() {
    struct Endless(u64);
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0 += u64::try_from(buffer.len()).unwrap();
            assert!(self.0 < 8 << 20, "read on beyond the bound of one record");
            buffer.fill(b'x');
            Ok(buffer.len())
        }
    }
    let policy = policy();
    for format in [Format::Csv, Format::Ndjson] {
        let intake = Intake {
            policy: &policy,
            keyer: &PersonKeyer::new([7; 32], IdForm::Raw),
            period: None,
            format,
            on_error: OnError::Skip,
            announced_sha256: None,
            organisation: &Organisation::parse("ministry").unwrap(),
        };
        let body = format!("{HEADER}\"").into_bytes();
        let head: &[u8] = if format == Format::Csv { &body } else { b"{\"sex\":\"" };
        let error = read(&intake, head.chain(Endless(0)), &mut Kept::default()).unwrap_err();
        assert!(["malformed_csv", "bad_json"].contains(&error.code()), "{error}");
    }
}

#[test]
fn json_of_depth_ten_thousand_costs_nothing() {
    for body in ["[".repeat(10_000), "{\"sex\":".repeat(10_000), format!("{{\"sex\":{}", "[".repeat(10_000))] {
        assert_eq!(ndjson(body.as_bytes()).findings(), ["1  bad_json"]);
    }
}

#[test]
fn a_file_cut_in_the_middle_of_a_row_is_noticed() {
    let whole = format!("{HEADER}{ROW}P2,2024,M,40,,inactive,7.00\n");
    // Within the last field nothing can be seen; that is what Content-Digest is for.
    let unseen = ["7", "7.0", "7.00", ""];
    for end in HEADER.len() + ROW.len() + 1..whole.len() {
        let cut = &whole[..end];
        let last = cut.rsplit(',').next().unwrap();
        if cut.matches(',').count() == whole.matches(',').count() && unseen.contains(&last) {
            let announced = Sent { announced: Some(Digest::of(whole.as_bytes())), ..csv(cut.as_bytes()) };
            assert_eq!(announced.refused(), "digest_mismatch");
        } else {
            assert_eq!(csv(cut.as_bytes()).refused(), "rows_rejected", "{cut}");
        }
    }
}

#[test]
fn a_body_beyond_64_gib_is_refused() {
    struct Zeros;
    impl Read for Zeros {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            // Claims more than it writes: what counts is the length told.
            Ok(buffer.len())
        }
    }
    let mut limited = crate::submission::decoded(crate::submission::Encoding::Identity, Zeros, 1 << 20);
    let mut buffer = vec![0; 1 << 20];
    assert!(limited.read(&mut buffer).is_ok());
    assert_eq!(limited.read(&mut buffer).unwrap_err().kind(), std::io::ErrorKind::FileTooLarge);
    assert_eq!(Digesting::new(&b"abc"[..]).finish(), Digest::of(b""));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        for sent in [csv(&body), ndjson(&body), csv(&body).skipping(), ndjson(&body).skipping()] {
            prop_assert!(sent.read().is_err());
        }
    }

    #[test]
    fn random_text_behind_a_header_never_panics(tail in "[P1,2024F30employd.\"\\-\\n\\r\0é]{0,200}") {
        let body = format!("{HEADER}{ROW}{tail}");
        if let Ok((reading, rows)) = csv(body.as_bytes()).skipping().read() {
            prop_assert_eq!(reading.rows_accepted, u64::try_from(rows.len()).unwrap());
        }
        let body = format!("{{\"person_id\":\"P1\",\"period\":\"2024\"{tail}");
        let _ = ndjson(body.as_bytes()).skipping().read();
    }

    #[test]
    fn how_a_body_is_cut_into_reads_does_not_matter(cuts in proptest::collection::vec(1_usize..40, 1..20)) {
        struct Cut<'a>(&'a [u8], std::iter::Cycle<std::vec::IntoIter<usize>>);
        impl Read for Cut<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                let most = self.1.next().unwrap().min(buffer.len());
                self.0.read(&mut buffer[..most])
            }
        }
        let body = format!("\u{feff}{HEADER}{ROW}P2,2024,M,40,\"a, \"\"b\"\"\",inactive,7.00\r\n\nP3,2024,F,_U,,inactive,");
        let policy = policy();
        let intake = Intake {
            policy: &policy,
            keyer: &PersonKeyer::new([7; 32], IdForm::Raw),
            period: None,
            format: Format::Csv,
            on_error: OnError::Refuse,
            announced_sha256: Some(Digest::of(body.as_bytes())),
            organisation: &Organisation::parse("ministry").unwrap(),
        };
        let mut kept = Kept::default();
        let reading = read(&intake, Cut(body.as_bytes(), cuts.into_iter().cycle()), &mut kept).unwrap();
        prop_assert_eq!(reading.rows_accepted, 3);
        prop_assert!(kept.rows == csv(body.as_bytes()).read().unwrap().1);
    }
}
