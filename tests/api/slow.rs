//! Slow clients of every kind: they are cut off, and meanwhile nobody else notices them.

use crate::support::{POLICY, TestService, UNLIMITED, visits};
use serde_json::json;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Far beyond every patience of the service; nothing below passes by waiting so long.
const LONG: Duration = Duration::from_secs(90);

fn impatient(head_seconds: u64, more: &str) -> TestService {
    TestService::start_with(&format!(
        "{UNLIMITED}[limits]\nkeep_alive_seconds = 10\nrequest_head_seconds = {head_seconds}\nstall_seconds = 2\n{more}"
    ))
}

fn begin(service: &TestService, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(service.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    stream
}

/// What came until the service ended the connection.
fn until_cut(mut stream: TcpStream) -> Vec<u8> {
    let mut came = Vec::new();
    match stream.read_to_end(&mut came) {
        Ok(_) => came,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => came,
        Err(error) => panic!("still open: {error}"),
    }
}

fn text(came: &[u8]) -> String {
    String::from_utf8_lossy(came).into_owned()
}

/// Sends a byte to each now and then, until the service has ended all of them.
fn drip_until_cut(mut streams: Vec<TcpStream>) {
    let began = Instant::now();
    while !streams.is_empty() {
        assert!(began.elapsed() < LONG, "{} connections are still open", streams.len());
        std::thread::sleep(Duration::from_millis(100));
        streams.retain_mut(|stream| stream.write_all(b"x").is_ok());
    }
}

#[test]
fn five_hundred_slow_clients_of_five_kinds_are_cut_off_and_harm_nobody() {
    // on a busy machine an honest head may lie unread for some seconds
    let service = impatient(8, "uploads_per_organisation = 20\nbytes_per_second = 4096\n");
    service.in_force(POLICY);
    let (ministry, team, slow) = (service.submitter(), service.analyst(), service.token("analyst", "slow", "nso"));
    let health = service.token("submitter", "ministry-health", "ministry");
    service.submit(&ministry, "visits", "2026", "k", &visits("a", 100, 1)).expect(201);
    service.close("visits", "2026").expect(201);
    let whole = service.get("/openapi.json", None).expect(200).body.len();

    let first_head = "GET /v1/datasets HTTP/1.1\r\nX-Slow: ".to_owned();
    let next_head = format!("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n{first_head}");
    let question = format!(
        "POST /v1/releases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {slow}\r\nContent-Type: application/json\r\n\
         Content-Length: 1000\r\n\r\n{{"
    );
    let file = |i| {
        format!(
            "POST /v1/datasets/visits/submissions?period=2027 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ministry}\r\n\
             Content-Type: text/csv\r\nIdempotency-Key: slow{i}\r\nContent-Length: 100000\r\n\r\nperson_id,state"
        )
    };
    let never_reads = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(300);
    let open = |times: usize, text: &str| (0..times).map(|_| begin(&service, text)).collect::<Vec<_>>();
    let dripping = [open(120, &first_head), open(120, &next_head)].into_iter().flatten().collect::<Vec<_>>();
    let unread = open(20, &never_reads);
    let questions = open(120, &question);
    let files: Vec<_> = (0..120).map(|i| begin(&service, &file(i))).collect();

    std::thread::scope(|scope| {
        scope.spawn(|| drip_until_cut(dripping));
        for (round, by) in ["state", "sex", "service"].into_iter().enumerate() {
            let asked = json!({ "dataset": "visits", "purpose": "sdg", "measures": [{ "kind": "persons" }],
                "by": [by], "periods": ["2026"], "spend": { "rho": "0.1" } });
            service.ask(&team, &asked).expect(201);
            service.post("/v1/quotes", &team, &asked).expect(200);
            service.submit(&health, "visits", "2026", &format!("h{round}"), &visits(by, 50, 1)).expect(201);
            service.get("/v1/releases?dataset=visits", None).expect(200);
            service.get("/health/ready", None).expect(200);
        }
    });
    for stream in questions {
        assert!(text(&until_cut(stream)).contains("body_too_slow"));
    }
    let told: Vec<String> = files.into_iter().map(|stream| text(&until_cut(stream))).collect();
    let (slow, many) = ("body_too_slow", "too_many_uploads");
    assert!(told.iter().all(|told| told.contains(slow) || told.contains(many)), "{told:?}");
    assert!(told.iter().any(|told| told.contains(slow)) && told.iter().any(|told| told.contains(many)));
    for stream in unread {
        assert!(until_cut(stream).len() < 300 * whole, "a client that does not read was served to the end");
    }
    let receipts = service.get("/v1/datasets/visits/submissions", Some(&ministry)).expect(200).json();
    assert_eq!(receipts.as_array().unwrap().len(), 1, "nothing of a half file is kept");
    service.verify();
}

#[test]
fn a_first_head_that_does_not_come_is_told_so() {
    let service = impatient(2, "");
    let told = text(&until_cut(begin(&service, "GET /v1/datasets HTTP/1.1\r\nX-Slow: ")));
    assert!(told.starts_with("HTTP/1.1 408 ") && told.contains("\"head_too_slow\""), "{told}");
}

// However many come, no more are held than the settings say; and once the slow ones are cut, the next is served.
#[test]
fn a_house_full_of_slow_clients_is_open_again_when_they_are_cut() {
    let service = impatient(2, "connections_per_worker = 4\n");
    let slow: Vec<_> = (0..24).map(|_| begin(&service, "GET /v1/datasets HTTP/1.1\r\nX-Slow: ")).collect();
    service.get("/v1/datasets", None).expect(200);
    for stream in slow {
        assert!(text(&until_cut(stream)).contains("408"));
    }
}
