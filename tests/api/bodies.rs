//! Bodies that are too large, too many, or not what they say; with rows that are otherwise well-formed.

use crate::support::{POLICY, Reply, TestService, UNLIMITED, visits};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const PATH: &str = "/v1/datasets/visits/submissions?period=2026";
const LIMIT: usize = 64 << 10;

fn small() -> TestService {
    let service = TestService::start_with(&format!(
        "{UNLIMITED}[limits]\nsubmission_bytes = {LIMIT}\nsubmission_decoded_bytes = {LIMIT}\nuploads = 4\n\
         uploads_per_organisation = 2\n"
    ));
    service.in_force(POLICY);
    service
}

fn send(service: &TestService, token: &str, key: &str, encoding: &str, body: &[u8]) -> Reply {
    let headers = [("content-type", "text/csv"), ("idempotency-key", key), ("content-encoding", encoding)];
    service.request("POST", PATH, Some(token), &headers, body)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn head(token: &str, key: &str, framing: &str) -> String {
    format!(
        "POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: text/csv\r\n\
         Idempotency-Key: {key}\r\n{framing}\r\n\r\n"
    )
}

fn open(service: &TestService, text: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(service.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    stream.write_all(text).unwrap();
    stream
}

fn answer(mut stream: TcpStream) -> String {
    let mut text = vec![0; 16 << 10];
    let length = stream.read(&mut text).unwrap();
    String::from_utf8_lossy(&text[..length]).into_owned()
}

fn kept(service: &TestService, token: &str) -> usize {
    service.get("/v1/datasets/visits/submissions", Some(token)).expect(200).json().as_array().unwrap().len()
}

#[test]
fn well_formed_rows_beyond_the_limit_are_too_large_announced_or_not_packed_or_not() {
    let service = small();
    let ministry = service.submitter();
    let file = visits("a", 5_000, 1);
    assert!(file.len() > LIMIT + 10_000);
    send(&service, &ministry, "announced", "identity", file.as_bytes()).expect_problem(413, "body_too_large");
    send(&service, &ministry, "gzip", "gzip", &gzip(file.as_bytes())).expect_problem(413, "body_too_large");
    let zstd = zstd::encode_all(file.as_bytes(), 1).unwrap();
    send(&service, &ministry, "zstd", "zstd", &zstd).expect_problem(413, "body_too_large");
    let chunks = file
        .as_bytes()
        .chunks(4_000)
        .map(|part| format!("{:x}\r\n{}\r\n", part.len(), std::str::from_utf8(part).unwrap()))
        .collect::<Vec<_>>()
        .concat();
    let chunked = head(&ministry, "chunked", "Transfer-Encoding: chunked") + &chunks + "0\r\n\r\n";
    let told = answer(open(&service, chunked.as_bytes()));
    assert!(told.starts_with("HTTP/1.1 413 ") && told.contains("body_too_large"), "{told}");
    assert_eq!(kept(&service, &ministry), 0);
    // one row below the limit is no row too many
    let end = file[..LIMIT].rfind('\n').unwrap() + 1;
    send(&service, &ministry, "fits", "gzip", &gzip(&file.as_bytes()[..end])).expect(201);
    service.verify();
}

#[test]
fn headers_of_a_million_columns_or_a_megabyte_are_refused_and_kept_nowhere() {
    let service = TestService::start();
    service.in_force(POLICY);
    let ministry = service.submitter();
    let columns = "c,".repeat(1_000_000) + "c\n";
    let line = format!("{}\n", "x".repeat(1 << 20));
    let quoted = format!("person_id,\"{}", "x".repeat(4 << 20));
    for (what, file) in [("columns", columns), ("line", line), ("open quote", quoted)] {
        let reply = send(&service, &ministry, what.split(' ').next().unwrap(), "identity", file.as_bytes());
        assert_eq!(reply.status, 422, "{what}: {}", reply.text());
        assert!(["too_many_columns", "header_too_long", "malformed_csv"].contains(&reply.code().as_str()), "{what}");
        assert!(reply.body.len() < 2_000, "{what} is not repeated");
    }
    assert_eq!(kept(&service, &ministry), 0);
}

#[test]
fn a_length_that_is_not_true_leaves_nothing() {
    let service = small();
    let ministry = service.submitter();
    let rows = visits("a", 50, 1);
    // too long: the body never ends; the sender goes
    drop(open(&service, (head(&ministry, "long", "Content-Length: 60000") + &rows).as_bytes()));
    // too short by half a row: what is left over is no request
    let short = head(&ministry, "short", &format!("Content-Length: {}", rows.len() - 3)) + &rows;
    let told = answer(open(&service, short.as_bytes()));
    assert!(told.starts_with("HTTP/1.1 422 ") || told.starts_with("HTTP/1.1 201 "), "{told}");
    for framing in ["Content-Length: 5\r\nContent-Length: 6", "Content-Length: +5", "Transfer-Encoding: gzip"] {
        let told = answer(open(&service, (head(&ministry, "odd", framing) + &rows).as_bytes()));
        assert!(told.starts_with("HTTP/1.1 4"), "{framing}: {told}");
    }
    let digest = "Content-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\r\nContent-Length:";
    let cut = head(&ministry, "digest", &format!("{digest} {}", rows.len() - 30)) + &rows;
    assert!(answer(open(&service, cut.as_bytes())).contains("digest_mismatch"), "a digest finds what a length hides");
    assert!(kept(&service, &ministry) <= 1, "only the file that was cut within its last remark, if any");
    service.verify();
}

#[test]
fn a_few_files_are_received_at_once_and_each_organisation_has_its_share() {
    let service = small();
    let (interior, health) = (service.submitter(), service.token("submitter", "ministry-health", "ministry"));
    let other = service.token("submitter", "ministry-other", "ministry");
    let slow = |token: &str, i: usize| {
        open(&service, (head(token, &format!("slow{i}"), "Content-Length: 5000") + "person_id,state").as_bytes())
    };
    // A slow one that found the place taken by a try of ours is told so, and comes again.
    let answered = |stream: &TcpStream| {
        stream.set_nonblocking(true).unwrap();
        stream.peek(&mut [0]).is_ok()
    };
    let refused = |token: &str, slow_ones: &mut [TcpStream], of: &str, status: u16, code: &str| {
        let began = Instant::now();
        loop {
            // They take their places a moment after they are sent.
            let reply = send(&service, token, &format!("{status}"), "identity", visits("z", 5, 1).as_bytes());
            if (reply.status, reply.code().as_str()) == (status, code) {
                assert!(reply.headers["retry-after"].parse::<u64>().unwrap() > 0);
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(15), "{}", reply.text());
            for (i, stream) in slow_ones.iter_mut().enumerate().filter(|(_, stream)| answered(stream)) {
                *stream = slow(of, i);
            }
        }
    };
    let mut held: Vec<_> = (0..2).map(|i| slow(&interior, i)).collect();
    refused(&interior, &mut held, &interior, 429, "too_many_uploads");
    let mut rest: Vec<_> = (0..2).map(|i| slow(&health, i)).collect();
    refused(&health, &mut rest, &health, 429, "too_many_uploads");
    refused(&other, &mut rest, &health, 503, "uploads_busy");
    drop((held, rest));
    let began = Instant::now();
    while send(&service, &interior, "again", "identity", visits("y", 30, 1).as_bytes()).status != 201 {
        assert!(began.elapsed() < Duration::from_mins(1), "a place comes back when a sender goes");
    }
    service.verify();
}

#[test]
fn what_is_no_http_and_what_is_too_much_of_it_is_a_problem_document_too() {
    let service = TestService::start();
    let many = (0..200).map(|i| format!("X-{i}: y\r\n")).collect::<Vec<_>>().concat();
    let huge = format!("X: {}\r\n", "y".repeat(256 << 10));
    let request = |headers: &str| format!("GET /v1/datasets HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
    for (bytes, status, code) in [
        ("GET /\r\n\r\n".to_owned(), 400, "request_malformed"),
        ("\u{16}\u{3}\u{1}\u{2}\r\n\r\n".to_owned(), 400, "request_malformed"),
        (request("Content-Length: -1\r\n"), 400, "request_malformed"),
        (request(&many), 431, "head_too_large"),
        (request(&huge), 431, "head_too_large"),
    ] {
        let told = answer(open(&service, bytes.as_bytes()));
        let what = &bytes[..bytes.len().min(60)];
        assert!(told.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {told}");
        for part in [code, "content-type: application/problem+json", "x-content-type-options", "x-request-id"] {
            assert!(told.contains(part), "{what} has no {part}: {told}");
        }
    }
}
