//! Headers of submitted files, and files that do not arrive whole.

use super::super::pace::Patience;
use super::*;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::{HeaderName, HeaderValue};
use std::time::Duration;

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn code(lines: &[(&'static str, &str)]) -> (u16, &'static str) {
    let problem = Heading::read(&headers(lines)).expect_err("refused");
    (problem.document().status, problem.document().code)
}

const CSV: (&str, &str) = ("content-type", "text/csv; charset=utf-8");
const KEY: (&str, &str) = ("idempotency-key", "2026-Q1/1");

#[test]
fn what_the_headers_say_is_read() {
    let digest = Digest::of(b"abc");
    let text = base64::engine::general_purpose::STANDARD.encode(digest.0);
    let line = format!("sha-512=:AAAA:, sha-256=:{text}:");
    let heading =
        Heading::read(&headers(&[CSV, KEY, ("content-encoding", "GZIP"), ("content-digest", &line)])).unwrap();
    assert_eq!(heading.format, Format::Csv);
    assert_eq!(heading.encoding, Encoding::Gzip);
    assert_eq!(heading.idempotency_key, "2026-Q1/1");
    assert_eq!(heading.content_sha256, Some(digest));
}

#[test]
fn headers_that_are_wrong_are_refused() {
    let long = "k".repeat(256);
    assert_eq!(code(&[CSV]), (400, "header_malformed"));
    assert_eq!(code(&[CSV, ("idempotency-key", &long)]), (400, "header_malformed"));
    assert_eq!(code(&[CSV, ("idempotency-key", "a b")]), (400, "header_malformed"));
    assert_eq!(code(&[CSV, KEY, KEY]), (400, "header_malformed"));
    assert_eq!(code(&[KEY]), (415, "media_type_unsupported"));
    assert_eq!(code(&[("content-type", "application/vnd.apache.parquet"), KEY]), (415, "media_type_unsupported"));
    assert_eq!(code(&[CSV, KEY, ("content-encoding", "br")]), (415, "media_type_unsupported"));
    assert_eq!(code(&[CSV, KEY, ("content-encoding", "gzip, gzip")]), (415, "media_type_unsupported"));
    assert_eq!(code(&[CSV, KEY, ("content-digest", "sha-256=:abc:")]), (400, "header_malformed"));
}

fn pace(parts: Vec<Result<Bytes, PayloadError>>) -> Pace {
    let payload: Payload = Payload::Stream { payload: Box::pin(futures::stream::iter(parts)) };
    Pace::new(payload, Patience { stall: Duration::from_secs(5), bytes_per_second: 1, bytes_max: 1 << 30 })
}

fn read_all(mut body: Arriving) -> std::thread::JoinHandle<std::io::Result<Vec<u8>>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        body.read_to_end(&mut bytes).map(|_| bytes)
    })
}

#[actix_web::test]
async fn a_whole_file_arrives_byte_for_byte_through_a_bounded_channel() {
    let parts: Vec<_> = (0..1_000_u32).map(|i| Ok(Bytes::from(vec![u8::try_from(i % 251).unwrap(); 777]))).collect();
    let sent: Vec<u8> = parts.iter().flatten().flat_map(|b| b.to_vec()).collect();
    let (pump, body) = channel();
    let reader = read_all(body);
    pump.run(pace(parts), Some(Digest::of(&sent))).await.unwrap();
    assert_eq!(reader.join().unwrap().unwrap(), sent);
}

#[actix_web::test]
async fn a_file_that_breaks_off_ends_with_an_error_and_never_with_an_end() {
    let (pump, body) = channel();
    let reader = read_all(body);
    let parts = vec![Ok(Bytes::from_static(b"person_id,sex\n")), Err(PayloadError::Incomplete(None))];
    assert_eq!(pump.run(pace(parts), None).await.unwrap_err().document().code, "body_broken_off");
    assert_eq!(reader.join().unwrap().unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[actix_web::test]
async fn a_sender_that_is_dropped_in_the_middle_leaves_an_error() {
    let (pump, body) = channel();
    let reader = read_all(body);
    {
        let silent: Payload = Payload::Stream { payload: Box::pin(futures::stream::pending()) };
        let patience = Patience { stall: Duration::from_mins(1), bytes_per_second: 1, bytes_max: 10 };
        let run = pump.run(Pace::new(silent, patience), None);
        assert!(tokio::time::timeout(Duration::from_millis(10), run).await.is_err());
    }
    assert_eq!(reader.join().unwrap().unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[actix_web::test]
async fn a_wrong_digest_is_found_before_the_end_is_sent() {
    let (pump, body) = channel();
    let reader = read_all(body);
    let parts = vec![Ok(Bytes::from_static(b"abc"))];
    let problem = pump.run(pace(parts), Some(Digest::of(b"abd"))).await.unwrap_err();
    assert_eq!(problem.document().code, "digest_mismatch");
    assert!(reader.join().unwrap().is_err());
}
