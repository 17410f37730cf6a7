//! A hostile user of the interface: whatever is sent, a problem document with a stable code and a sentence comes back.
//!
//! Nothing is kept of half an upload, nothing is charged for what is refused, and nobody else waits for a slow sender.

use crate::support::{POLICY, Reply, TestService, visits};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const RTL: &str = "%E2%80%AEgnp";

/// What every refusal has to be.
fn refused(reply: &Reply, what: &str) {
    assert!((400..500).contains(&reply.status), "{what}: {} {}", reply.status, reply.text());
    assert_eq!(reply.headers.get("content-type").map(String::as_str), Some("application/problem+json"), "{what}");
    hardened(reply, what);
    let problem = reply.json();
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 15), "{what}: {problem}");
    assert_eq!(problem["type"], format!("/problems/{}", reply.code()), "{what}");
    assert!(!reply.text().contains("MARKER"), "{what}: {problem}");
}

fn hardened(reply: &Reply, what: &str) {
    for name in
        ["x-request-id", "x-content-type-options", "content-security-policy", "cache-control", "referrer-policy"]
    {
        assert!(reply.headers.contains_key(name), "{what} has no {name}");
    }
}

fn question() -> Value {
    json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": ["sex"],
        "periods": ["2026"], "spend": { "rho": "1" } })
}

/// Sends bytes as they are on a connection of their own.
fn raw(service: &TestService, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(service.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

fn status_line(mut stream: TcpStream) -> String {
    let mut start = [0_u8; 12];
    stream.read_exact(&mut start).unwrap();
    String::from_utf8_lossy(&start).into_owned()
}

#[test]
fn odd_addresses_are_problems_and_no_proof_is_computed_over_a_tree_that_is_not_there() {
    let service = TestService::start();
    service.in_force(POLICY);
    let long = format!("/v1/datasets/{}", "a".repeat(300));
    let rtl = format!("/v1/datasets/{RTL}");
    for path in [
        "/nope",
        "/v1/datasets/%",
        "/v1/datasets/%00",
        "/v1/datasets/%ff%fe",
        "/v1/datasets/..%2f..%2fetc%2fpasswd",
        "/v1/datasets/MARKER",
        &long,
        &rtl,
        "/v1/releases/rel_MARKER",
        "/v1/releases/rel_00112233445566778899aabbccddeeff.exe",
        "/v1/releases?after=MARKER",
        "/v1/releases?dataset=visits&dataset=visits",
        "/problems/MARKER",
        "/log/entries/-1",
        "/log/entries/MARKER",
        "/log/entries/18446744073709551615",
        "/log/entries/18446744073709551616",
        "/log/proofs/inclusion",
        "/log/proofs/inclusion?index=0&size=0",
        "/log/proofs/inclusion?index=3&size=2",
        "/log/proofs/inclusion?index=0&size=18446744073709551615",
        "/log/proofs/inclusion?index=0&size=1000000000",
        "/log/proofs/consistency?from=0&to=1",
        "/log/proofs/consistency?from=3&to=2",
        "/log/proofs/consistency?from=1&to=18446744073709551615",
        "/log/tile/0/999",
        "/log/tile/0/000.p/999",
        "/log/tile/99999999999/000",
        "/log/tile/entries/../../../etc/passwd",
    ] {
        refused(&service.get(path, None), path);
    }
    // the same proofs over the tree that is there
    service.get("/log/proofs/inclusion?index=0&size=2", None).expect(200);
    service.get("/log/proofs/consistency?from=1&to=2", None).expect(200);
}

#[test]
fn methods_and_tokens_that_do_not_fit_are_refused() {
    let service = TestService::start();
    let analyst = service.analyst();
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
        let reply = service.request(method, "/v1/datasets", None, &[], b"");
        assert_eq!(reply.status, 405, "{method}");
        assert_eq!(reply.headers.get("allow").map(String::as_str), Some("GET"), "{method}");
        refused(&reply, method);
    }
    let upper = analyst.to_uppercase();
    let last = if analyst.ends_with('0') { "1" } else { "0" };
    let changed = format!("{}{last}", &analyst[..analyst.len() - 1]);
    for token in [upper.as_str(), &changed, "hl_analyst_", "MARKER", &"x".repeat(600)] {
        // a token that is sent must be valid, also where none is needed
        let reply = service.get("/v1/datasets", Some(token));
        assert_eq!(reply.status, 401);
        refused(&reply, "a token that is none");
    }
    let in_address = service.get(&format!("/v1/budgets/visitors?token={analyst}"), None);
    assert_eq!(in_address.status, 401, "a token in the address is no token");
    hardened(&service.get("/docs", None).expect(200), "/docs");
}

#[test]
fn numbers_depths_and_keys_that_mean_nothing_are_refused_and_cost_nothing() {
    let service = TestService::start();
    service.in_force(POLICY);
    let analyst = service.analyst();
    service.submit(&service.submitter(), "visits", "2026", "k", &visits("a", 100, 1)).expect(201);
    service.close("visits", "2026").expect(201);
    let base = question().to_string();
    let spend = |spend: &str| base.replace("{\"rho\":\"1\"}", spend);
    assert_ne!(base, spend("x"), "the place of the spend is found");
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let mut bodies = vec![String::new(), deep.clone(), spend(&deep), base.replacen('{', "{\"dataset\":\"other\",", 1)];
    for rho in
        ["1e400", "NaN", "-0", "0", "1", "\"0\"", "\"-1\"", "\"1e400\"", "\"NaN\"", "\"0.0000000001\"", "\"٣\"", "\"\""]
    {
        bodies.push(spend(&format!("{{\"rho\":{rho}}}")));
    }
    for whole in [
        "{}",
        "null",
        "{\"rho\":\"1\",\"rho\":\"2\"}",
        "{\"moe\":0}",
        "{\"moe\":-1}",
        "{\"moe\":1e400}",
        "{\"moe\":NaN}",
    ] {
        bodies.push(spend(whole));
    }
    for body in &bodies {
        let json = [("content-type", "application/json")];
        let reply = service.request("POST", "/v1/releases", Some(&analyst), &json, body.as_bytes());
        refused(&reply, &body.chars().take(120).collect::<String>());
    }
    for kind in ["text/plain", "multipart/form-data", ""] {
        let headers = [("content-type", kind)];
        let reply = service.request("POST", "/v1/releases", Some(&analyst), &headers, base.as_bytes());
        assert_eq!(reply.status, 415, "{kind}");
        refused(&reply, kind);
    }
    assert_eq!(service.spent("visitors"), "0");
}

#[test]
fn a_packed_or_half_sent_file_leaves_nothing_behind() {
    let service = TestService::start();
    service.in_force(POLICY);
    let ministry = service.submitter();
    let path = "/v1/datasets/visits/submissions?period=2026";
    let csv = visits("a", 50, 1);
    let packed = |bytes: &[u8]| {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    };
    let whole = packed(csv.as_bytes());
    // 64 MiB of zeros in 64 KiB: given up long before the end
    let bomb = packed(&vec![0_u8; 64 << 20]);
    let wrong = format!("sha-256=:{}=:", "A".repeat(43));
    let cases: [(&str, &[u8], [(&str, &str); 2]); 7] = [
        ("cut gzip", &whole[..whole.len() - 12], [("content-encoding", "gzip"), ("idempotency-key", "a")]),
        ("no gzip", csv.as_bytes(), [("content-encoding", "gzip"), ("idempotency-key", "b")]),
        ("twice packed", &whole, [("content-encoding", "gzip, gzip"), ("idempotency-key", "c")]),
        ("zeros", &bomb, [("content-encoding", "gzip"), ("idempotency-key", "d")]),
        (
            "wide zstd",
            b"\x28\xb5\x2f\xfd\x00\xf8\x01\x00\x00",
            [("content-encoding", "zstd"), ("idempotency-key", "e")],
        ),
        ("wrong digest", csv.as_bytes(), [("content-digest", &wrong), ("idempotency-key", "f")]),
        ("no key", csv.as_bytes(), [("content-encoding", "identity"), ("idempotency-key", "")]),
    ];
    for (what, body, [first, second]) in cases {
        let headers = [("content-type", "text/csv"), first, second];
        refused(&service.request("POST", path, Some(&ministry), &headers, body), what);
    }
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ministry}\r\nContent-Type: text/csv\r\n");
    for (place, framing) in
        ["Content-Length: 100000".to_owned(), format!("Transfer-Encoding: chunked\r\n\r\n{:x}", csv.len())]
            .iter()
            .enumerate()
    {
        let gap = if place == 0 { "\r\n\r\n" } else { "\r\n" };
        drop(raw(&service, format!("{head}Idempotency-Key: cut{place}\r\n{framing}{gap}{csv}").as_bytes()));
    }
    let request = service.request(
        "POST",
        path,
        Some(&ministry),
        &[("content-type", "text/csv"), ("content-encoding", "gzip"), ("idempotency-key", "whole")],
        &whole,
    );
    request.expect(201);
    let receipts = service.get("/v1/datasets/visits/submissions", Some(&ministry)).expect(200).json();
    assert_eq!(receipts.as_array().unwrap().len(), 1, "only the whole file is there: {receipts}");
}

#[test]
fn five_hundred_slow_connections_hold_up_nobody() {
    let service = TestService::start();
    let slow: Vec<TcpStream> = (0..500).map(|_| raw(&service, b"GET /v1/datasets HTTP/1.1\r\nX-Slow: ")).collect();
    let began = Instant::now();
    for _ in 0..5 {
        service.get("/health/ready", None).expect(200);
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(slow.len(), 500);
}

#[test]
fn what_is_not_http_is_answered_with_400_and_nothing_else() {
    let service = TestService::start();
    for bytes in [
        &b"GET /\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"POST /v1/quotes HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/quotes HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        assert_eq!(status_line(raw(&service, bytes)), "HTTP/1.1 400");
    }
}

#[test]
fn one_key_sent_by_four_at_once_is_one_submission() {
    let service = TestService::start();
    service.in_force(POLICY);
    let ministry = service.submitter();
    let file = visits("a", 300, 1);
    let replies: Vec<(u16, serde_json::Value)> = std::thread::scope(|scope| {
        let sending: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let reply = service.submit(&ministry, "visits", "2026", "same", &file);
                    (reply.status, reply.json())
                })
            })
            .collect();
        sending.into_iter().map(|sent| sent.join().unwrap()).collect()
    });
    assert!(replies.iter().all(|(_, receipt)| *receipt == replies[0].1), "{replies:?}");
    assert_eq!(replies.iter().filter(|(status, _)| *status == 201).count(), 1, "{replies:?}");
    service.verify();
}

#[test]
fn two_people_whose_ids_differ_in_separators_alone_are_pointed_out_to_their_ministry() {
    let service = TestService::start();
    service.in_force(POLICY);
    let ministry = service.submitter();
    let csv = "person_id,state,sex,service,remark\n1-15,north,F,primary,x\n11-5,north,M,primary,x\n";
    let receipt = service.submit(&ministry, "visits", "2026", "k1", csv).expect(201).json();
    let warning = serde_json::json!([{ "row": 2, "column": "person_id", "rule": "id_parted_otherwise" }]);
    assert_eq!(receipt["warnings"], warning, "{receipt}");
    assert_eq!(service.submit(&ministry, "visits", "2026", "k1", csv).expect(200).json(), receipt);
    service.verify();
    let path = format!("/v1/datasets/visits/submissions/{}", receipt["submission"].as_str().unwrap());
    service.request("DELETE", &path, Some(&ministry), &[], b"").expect(204);
    let wiped = service.get("/v1/datasets/visits/submissions", Some(&ministry)).expect(200).json();
    assert!(wiped[0].get("warnings").is_none(), "{wiped}");
    service.verify();
}
