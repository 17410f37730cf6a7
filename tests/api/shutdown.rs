//! The end of a service: what is in flight is finished, nothing new is begun, and no claim is left open.

use crate::support::{TestService, UNLIMITED, config};
use crate::wide;
use halflight::config::Config;
use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

/// Leaves that opening the ledger adds: none, if no claim was left open.
fn leaves_of_recovery(service: &TestService) -> u64 {
    let before = service.verify();
    let config: Config = config(service.folder.path(), UNLIMITED);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(halflight::app::open(&config, service.clock.clone())).unwrap();
    runtime.block_on(app.office.stop());
    service.verify() - before
}

#[test]
fn at_the_end_what_is_in_flight_is_answered_and_nothing_new_is_accepted() {
    // answers are held for seconds, so that they are in flight when the service is told to stop
    let service = TestService::start_with(&UNLIMITED.replace("reply_quantum_ms = 0", "reply_quantum_ms = 3000"));
    wide::closed(&service, "last", 6, "rho = \"20\"\nper_release_max = \"1\"");
    let (team, questions) = (service.analyst(), wide::questions("last", 6, "0.1"));
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..8)
            .map(|i| {
                let (service, team, question) = (&service, &team, &questions[i]);
                scope.spawn(move || service.ask(team, question))
            })
            .collect();
        while service.spent("last") != "0.8" {
            std::thread::sleep(Duration::from_millis(5));
        }
        service.stop();
        for asking in asking {
            let answer = asking.join().unwrap();
            assert_eq!(answer.status, 201, "{}", answer.text());
        }
    });
    let address = service.url.trim_start_matches("http://").to_owned();
    assert!(TcpStream::connect(&address).is_err(), "nothing listens any more");
    assert_eq!(leaves_of_recovery(&service), 0);
}

#[test]
fn askers_who_have_gone_leave_no_claim_open() {
    let service = TestService::start();
    wide::closed(&service, "gone", 6, "rho = \"20\"\nper_release_max = \"1\"");
    let team = service.analyst();
    for question in wide::questions("gone", 6, "0.1").iter().take(16) {
        let body = question.to_string();
        let mut stream = TcpStream::connect(service.url.trim_start_matches("http://")).unwrap();
        let head = format!(
            "POST /v1/releases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {team}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
    }
    while service.spent("gone") == "0" {
        std::thread::sleep(Duration::from_millis(5));
    }
    service.stop();
    assert_eq!(leaves_of_recovery(&service), 0);
}
