//! Told to stop (SIGTERM), the service finishes what it has begun: nobody who was working with it is left in doubt.

use super::register;
use super::service::Service;
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The end comes within twice `shutdown_seconds` (5 in these tests), and this machine may be slow.
const BOUND: Duration = Duration::from_secs(40);

/// A service with a closed period, and a submitter's and an analyst's token.
fn with_a_period() -> (Arc<Service>, String, String) {
    let service = Service::new(1, |_| None);
    let submitter = service.token("submitter", "ministry-0", "ministry");
    let analyst = service.token("analyst", "reader", "un_reporting");
    let headers = [("content-type", "text/csv"), ("idempotency-key", "one")];
    let path = "/v1/datasets/crash/submissions?period=2001";
    let file = register::file("one", 0, 60);
    assert_eq!(service.send("POST", path, &submitter, &headers, file.as_bytes()).unwrap().status, 201);
    let closed = service.post("/v1/datasets/crash/editions", &service.officers[0], &json!({ "period": "2001" }));
    assert_eq!(closed.unwrap().status, 201);
    (Arc::new(service), submitter, analyst)
}

/// A connection on which a request has been begun: head, and as much of the body as is given.
fn begun(service: &Service, path: &str, token: &str, kind: &str, length: usize, body: &[u8]) -> TcpStream {
    let mut line = TcpStream::connect(service.url().strip_prefix("http://").unwrap()).unwrap();
    line.set_read_timeout(Some(BOUND)).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: {kind}\r\n\
         idempotency-key: begun\r\ncontent-length: {length}\r\n\r\n"
    );
    line.write_all(head.as_bytes()).unwrap();
    line.write_all(body).unwrap();
    line
}

/// The file of which half is sent.
fn upload(service: &Service, submitter: &str) -> (TcpStream, Vec<u8>) {
    let file = register::file("begun", 1, 100).into_bytes();
    let (first, rest) = file.split_at(file.len() / 2);
    let path = "/v1/datasets/crash/submissions?period=2001";
    (begun(service, path, submitter, "text/csv", file.len(), first), rest.to_vec())
}

fn ended(service: &Service) -> (ExitStatus, String) {
    service.ended(BOUND).unwrap_or_else(|| panic!("it did not stop:\n{}", service.said()))
}

/// Nothing is held: no claim is open, and the log holds.
fn nothing_is_open(service: &Service) {
    let verified = service.verify();
    assert!(verified.contains(" spent, 0 held"), "{verified}");
}

#[test]
fn what_is_in_flight_is_finished_and_nobody_new_is_let_in() {
    let (service, submitter, analyst) = with_a_period();
    let address = service.url().strip_prefix("http://").unwrap().to_owned();
    let (mut line, rest) = upload(&service, &submitter);
    let asking = {
        let (service, analyst) = (Arc::clone(&service), analyst.clone());
        std::thread::spawn(move || service.post("/v1/releases", &analyst, &register::question("2001", 0)))
    };
    // Until both are under way.
    std::thread::sleep(Duration::from_millis(100));
    service.signal("TERM");
    let until = Instant::now() + BOUND;
    while TcpStream::connect(&address).is_ok() {
        assert!(Instant::now() < until, "a new connection is let in");
        std::thread::sleep(Duration::from_millis(5));
    }
    // Impatience changes nothing.
    service.signal("TERM");
    line.write_all(&rest).unwrap();
    let mut reply = String::new();
    line.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 201 "), "{reply}");
    if let Some(answer) = asking.join().unwrap() {
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
    }
    let (status, said) = ended(&service);
    assert_eq!(status.code(), Some(0), "{said}");
    nothing_is_open(&service);
    service.start(None).unwrap();
    let listed = service.get("/v1/datasets/crash/submissions", &submitter).unwrap().json();
    assert_eq!(listed.as_array().unwrap().len(), 2, "the file that was acknowledged is lost");
    // The question was answered before the end, or is answered now; either way it was charged once.
    let again = service.post("/v1/releases", &analyst, &register::question("2001", 0)).unwrap();
    assert!(matches!(again.status, 200 | 201), "{}", again.text());
    let budget = service.get(&format!("/v1/budgets/{}", register::ACCOUNT), &service.officers[0]).unwrap().json();
    assert_eq!(budget["spent"], "0.5", "{budget}");
}

#[test]
fn the_claim_of_an_asker_who_went_away_is_not_left_open() {
    let (service, _, analyst) = with_a_period();
    let question = register::question("2001", 0).to_string().into_bytes();
    for wait in [0, 20, 60, 150] {
        let line = begun(&service, "/v1/releases", &analyst, "application/json", question.len(), &question);
        std::thread::sleep(Duration::from_millis(wait));
        drop(line);
        service.signal("TERM");
        let (status, said) = ended(&service);
        assert_eq!(status.code(), Some(0), "{said}");
        nothing_is_open(&service);
        service.start(None).unwrap();
    }
}

#[test]
fn a_sender_who_has_stopped_sending_does_not_hold_up_the_end() {
    let (service, submitter, _) = with_a_period();
    let (mut line, _) = upload(&service, &submitter);
    std::thread::sleep(Duration::from_millis(100));
    service.signal("TERM");
    let (status, said) = ended(&service);
    assert_eq!(status.code(), Some(0), "{said}");
    let mut reply = String::new();
    // Cut off, or told that nothing was kept: never that it was.
    let _ = line.read_to_string(&mut reply);
    assert!(!reply.starts_with("HTTP/1.1 2"), "{reply}");
    nothing_is_open(&service);
    service.start(None).unwrap();
    let listed = service.get("/v1/datasets/crash/submissions", &submitter).unwrap().json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
}
