//! What the HTTP library answers alone, before there is a request that a route could answer: as a problem document.
//!
//! The library has no place for that, so its words are recognised where they leave: a status line with an empty body,
//! and nothing else. What is not recognised leaves as it is.

use super::headers::{REQUEST_ID, harden, set};
use super::problem::Problem;
use super::publishable::PROBLEM_JSON;
use crate::identity::random_bytes;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderName};

/// A whole reply with a problem document for a bare one of the library; `None` for anything else.
pub(super) fn problem_for(reply: &[u8]) -> Option<Vec<u8>> {
    let rest = reply.strip_prefix(b"HTTP/1.")?;
    let head = rest.strip_suffix(b"\r\n\r\n").filter(|head| !head.windows(4).any(|at| at == b"\r\n\r\n"))?;
    let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
    let status = StatusCode::from_bytes(lines.next()?.split(' ').nth(1)?.as_bytes()).ok()?;
    let lines: Vec<&str> = lines.collect();
    let only = |line: &&str| ["content-length: 0", "connection: close"].contains(line) || line.starts_with("date: ");
    let is_bare = lines.contains(&"content-length: 0") && lines.iter().all(only);
    is_bare.then(|| problem(status)).flatten().map(|problem| whole(&problem))
}

fn problem(status: StatusCode) -> Option<Problem> {
    match status {
        StatusCode::BAD_REQUEST => {
            let detail = "this is not a request of HTTP/1.1, or its head is malformed; nothing was done";
            Some(Problem::new(status, "request_malformed", detail))
        }
        StatusCode::REQUEST_TIMEOUT => {
            let detail = "the head of the request came too slowly; send it again, at once";
            Some(Problem::new(status, "head_too_slow", detail))
        }
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            let detail = "the head of the request is too large: at most 96 headers and 128 KiB in all";
            Some(Problem::new(status, "head_too_large", detail))
        }
        _ => None,
    }
}

fn whole(problem: &Problem) -> Vec<u8> {
    let mut headers = HeaderMap::new();
    set(&mut headers, CONTENT_TYPE, PROBLEM_JSON);
    set(&mut headers, HeaderName::from_static(REQUEST_ID), &hex::encode(random_bytes::<8>()));
    harden(&mut headers);
    let body = serde_json::to_vec(problem.document()).unwrap_or_default();
    let mut whole = format!("HTTP/1.1 {}\r\ncontent-length: {}\r\nconnection: close\r\n", problem.status(), body.len());
    for (name, value) in &headers {
        whole.extend([name.as_str(), ": ", value.to_str().unwrap_or_default(), "\r\n"]);
    }
    whole.push_str("\r\n");
    [whole.into_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(reply: &[u8]) -> Option<String> {
        problem_for(reply).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn only_the_bare_replies_of_the_library_are_replaced() {
        let date = "date: Tue, 24 Nov 2026 03:00:00 GMT\r\n";
        for (line, code) in [
            ("400 Bad Request", "request_malformed"),
            ("408 Request Timeout", "head_too_slow"),
            ("431 Request Header Fields Too Large", "head_too_large"),
        ] {
            let reply = format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\nconnection: close\r\n{date}\r\n");
            let problem = text(reply.as_bytes()).unwrap();
            assert!(problem.starts_with(&format!("HTTP/1.1 {line}\r\n")), "{problem}");
            assert!(problem.contains(code) && problem.contains("x-content-type-options: nosniff\r\n"), "{problem}");
            let (head, body) = problem.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{problem}");
        }
        for other in [
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nx-request-id: ab\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n",
            "",
        ] {
            assert_eq!(text(other.as_bytes()), None, "{other}");
        }
    }
}
