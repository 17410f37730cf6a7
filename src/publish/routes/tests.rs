//! The face without an office: the gate, the net under panics, headers, names, documents.

use super::*;
use crate::identity::DatasetId;
use crate::policy::Question;
use crate::publish::Table;
use crate::publish::caller::At;
use crate::publish::gate::gate;
use crate::publish::observe::observe;
use crate::publish::server::{Face, HttpSettings, RateLimits, shell};
use crate::publish::strict::Strict;
use actix_web::body::to_bytes;
use actix_web::dev::Service as _;
use actix_web::http::header::HeaderMap;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, get, post};
use std::time::{Duration, Instant};

#[get("/test/panic")]
async fn panicking() -> Reply {
    panic!("MARKER-PANIC")
}

#[post("/test/question")]
async fn question(_question: Strict<Question>) -> Reply {
    Ok(crate::publish::publishable::empty(StatusCode::NO_CONTENT))
}

#[get("/test/name/{dataset}")]
async fn named(_dataset: At<DatasetId>) -> Reply {
    Ok(crate::publish::publishable::empty(StatusCode::NO_CONTENT))
}

#[get("/test/unlisted")]
async fn unlisted() -> Reply {
    Ok(crate::publish::publishable::empty(StatusCode::NO_CONTENT))
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn code(&self) -> String {
        let json: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        assert_eq!(self.headers.get("content-type").unwrap(), "application/problem+json", "{}", self.body);
        assert_eq!(json["status"], self.status);
        json["code"].as_str().unwrap_or_default().to_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn settings() -> HttpSettings {
    HttpSettings::default()
}

async fn ask_from(peer: &str, settings: HttpSettings, requests: Vec<TestRequest>) -> Vec<Answer> {
    let mut face = Face::new(settings);
    let mut document = face.description.as_value().clone();
    for (template, method) in [("/test/panic", "get"), ("/test/question", "post"), ("/test/name/{dataset}", "get")] {
        document["paths"][template][method] = serde_json::json!({"security": [{}], "tags": ["operate"]});
    }
    face.table = Table::of(&document);
    let app = App::new().app_data(web::Data::new(face));
    let app = app.service(panicking).service(question).service(named).service(unlisted);
    let app = init_service(shell!(app).configure(configure)).await;
    let mut answers = Vec::new();
    for request in requests {
        let response = match app.call(request.peer_addr(peer.parse().unwrap()).to_request()).await {
            Ok(response) => response.into_parts().1,
            Err(error) => error.error_response(),
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = to_bytes(response.into_body()).await.unwrap();
        answers.push(Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() });
    }
    answers
}

async fn ask(request: TestRequest) -> Answer {
    ask_from("127.0.0.1:4000", settings(), vec![request]).await.remove(0)
}

fn get_of(path: &str) -> TestRequest {
    TestRequest::get().uri(path)
}

#[actix_web::test]
async fn a_panic_becomes_a_problem_without_its_text() {
    let answer = ask(get_of("/test/panic")).await;
    assert_eq!((answer.status, answer.code().as_str()), (500, "panic"));
    assert!(!answer.body.contains("MARKER"), "{}", answer.body);
    assert!(answer.body.contains("correlation_id"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[actix_web::test]
async fn every_operation_that_takes_a_token_refuses_without_one() {
    let face = Face::new(settings());
    let mut refused = 0;
    for (method, template, rule) in face.table.rows() {
        let path =
            template.replace("{dataset}", "residence").replace("{account}", "residents").replace("{program}", "annual");
        let path = path.replace("{sha256}", &"0".repeat(64)).replace("{id}", &format!("tok_{}", "0".repeat(32)));
        let request = TestRequest::default().method(method.parse().unwrap()).uri(&path);
        let answer = ask(request).await;
        if rule.public {
            assert_ne!(answer.status, 401, "{method} {template}");
        } else {
            assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"), "{method} {template}");
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
            refused += 1;
        }
    }
    assert_eq!(refused, 17);
}

#[actix_web::test]
async fn a_route_that_is_not_described_is_not_there() {
    let answer = ask(get_of("/test/unlisted")).await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "path_unknown"));
    let answer = ask(get_of("/v1/rows")).await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "path_unknown"));
}

#[actix_web::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let answer = ask(TestRequest::put().uri("/v1/datasets/residence/submissions")).await;
    assert_eq!((answer.status, answer.code().as_str()), (405, "method_not_allowed"));
    assert_eq!(answer.header("allow"), "GET, POST");
}

#[actix_web::test]
async fn names_that_are_none_are_refused_without_being_repeated() {
    let long = format!("/test/name/{}", "a".repeat(300));
    for path in ["/test/name/..%2F..%2Fetc%2Fpasswd", "/test/name/%E2%80%AEMARKER", "/test/name/MARKER", &long] {
        let answer = ask(get_of(path)).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "name_malformed"), "{path}");
        assert!(!answer.body.contains("MARKER") && !answer.body.contains("passwd"), "{}", answer.body);
    }
    assert_eq!(ask(get_of("/test/name/residence")).await.status, 204);
    let long = format!("/test/name/{}", "a".repeat(9_000));
    assert_eq!(ask(get_of(&long)).await.code(), "address_too_long");
}

#[actix_web::test]
async fn hostile_json_is_a_problem_of_the_sender() {
    let send = |kind: &str, body: String| {
        ask(TestRequest::post().uri("/test/question").insert_header(("content-type", kind)).set_payload(body))
    };
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let answer = send("application/json", deep).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "question_malformed"));
    let answer = send("application/json", " ".repeat(300 << 10)).await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "body_too_large"));
    let answer = send("text/plain", "{}".to_owned()).await;
    assert_eq!((answer.status, answer.code().as_str()), (415, "media_type_unsupported"));
}

#[actix_web::test]
async fn metrics_are_for_operators_and_for_the_machine_itself() {
    let local = ask(get_of("/metrics")).await;
    assert_eq!(local.status, 200);
    assert!(local.body.contains("halflight_panics_total 0"));
    let proxied = ask(get_of("/metrics").insert_header(("x-forwarded-for", "203.0.113.1"))).await;
    assert_eq!((proxied.status, proxied.code().as_str()), (401, "unauthenticated"));
    let remote = ask_from("203.0.113.1:4000", settings(), vec![get_of("/metrics")]).await.remove(0);
    assert_eq!(remote.status, 401);
    let behind = HttpSettings { trusted_proxies: vec!["127.0.0.1".parse().unwrap()], ..settings() };
    assert_eq!(ask_from("127.0.0.1:4000", behind, vec![get_of("/metrics")]).await.remove(0).status, 401);
}

#[actix_web::test]
async fn haste_is_told_when_to_come_back() {
    let rate_limits = RateLimits { unauthenticated_per_minute: 1, ..settings().rate_limits };
    let two = vec![get_of("/health/live"), get_of("/health/live")];
    let answers = ask_from("203.0.113.1:4000", HttpSettings { rate_limits, ..settings() }, two).await;
    assert_eq!(answers[0].status, 200);
    assert_eq!((answers[1].status, answers[1].code().as_str()), (429, "rate_limited"));
    assert!(answers[1].header("retry-after").parse::<u64>().unwrap() >= 1);
}

#[actix_web::test]
async fn an_answer_leaves_on_the_beat_whatever_it_is() {
    let quantum = HttpSettings { reply_quantum_ms: 150, ..settings() };
    let started = Instant::now();
    let answer = ask_from("127.0.0.1:4000", quantum, vec![TestRequest::post().uri("/v1/releases")]).await.remove(0);
    assert_eq!(answer.status, 401);
    assert!(started.elapsed() >= Duration::from_millis(149), "{:?}", started.elapsed());
}

#[actix_web::test]
async fn every_reply_carries_the_headers_and_pages_run_no_script() {
    for path in ["/health/live", "/openapi.json", "/docs", "/problems/sealed", "/nowhere"] {
        let answer = ask(get_of(path)).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-request-id").len(), 16, "{path}");
        assert!(!answer.headers.contains_key("server"));
    }
    let page = ask(get_of("/docs")).await;
    assert!(page.header("content-security-policy").contains("style-src 'sha256-"));
    assert!(page.body.contains("<code>POST /v1/releases</code></td><td>analyst</td>"));
    assert!(!page.body.contains("<script") && !page.body.contains("http://"));
}

/// G14.
#[actix_web::test]
async fn the_log_names_the_route_and_nothing_that_was_sent() {
    #[derive(Clone, Default)]
    struct Lines(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    // for the whole process: what is enabled is remembered across threads
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let request = TestRequest::post()
        .uri("/v1/datasets/MARKER-SENT/submissions?period=MARKER-SENT")
        .insert_header(("authorization", "Bearer hl_analyst_MARKER-SENT"))
        .insert_header(("idempotency-key", "MARKER-SENT"))
        .set_payload("MARKER-SENT");
    ask(request).await;
    ask(get_of("/test/name/MARKER-SENT")).await;
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("\"route\":\"/v1/datasets/{dataset}/submissions\""), "{text}");
    assert!(text.contains("\"route\":\"/test/name/{dataset}\"") && text.contains("\"status\":400"), "{text}");
    assert!(!text.contains("MARKER-SENT"), "{text}");
}
