//! The one HTTP client of the command line.
//!
//! Every client command and the demo's story speak through it. It never puts a token in a URL, sends one over plain
//! HTTP to this machine only unless told otherwise, follows no redirect, bounds what it reads, and turns a problem
//! document into an error that says what to do.

use super::error::{CliError, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io::Read;
use std::time::Duration;
use ureq::http::{Response, Uri};
use ureq::{Agent, Body, RequestBuilder, SendBody};

/// The largest reply read into memory.
const REPLY_BYTES_MAX: u64 = 256 << 20;
/// The longest wait for the head of a reply: closing a period or a large question takes a while.
const REPLY_WAIT: Duration = Duration::from_mins(10);

/// A connection to one service, as one principal.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    base: String,
    token: Option<String>,
}

/// A file on its way to the service.
pub struct Upload<'a> {
    /// Path and query.
    pub path: String,
    /// Media type of the content.
    pub content_type: &'a str,
    /// `gzip` or `zstd`, if it is packed.
    pub encoding: Option<&'a str>,
    /// Makes a repeated upload the same upload.
    pub idempotency_key: String,
    /// RFC 9530 digest.
    pub content_digest: Option<String>,
    /// Size in bytes as sent.
    pub size: u64,
    /// The bytes.
    pub body: &'a mut dyn Read,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status: 2xx.
    pub status: u16,
    /// The bytes as served.
    pub body: Vec<u8>,
    url: String,
}

impl Client {
    /// A client of the service at `base`.
    ///
    /// # Errors
    /// Refuses to send a token over plain HTTP to another machine, unless `allow_plain`.
    pub fn new(base: &str, token: Option<String>, allow_plain: bool) -> Result<Self, CliError> {
        let base = base.trim_end_matches('/').to_owned();
        let uri: Uri = base.parse().map_err(|_| CliError::Usage(format!("{base} is not a URL")))?;
        let local = uri.host().is_some_and(is_loopback);
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if local || allow_plain || token.is_none() => {}
            Some("http") => {
                return Err(CliError::Usage(format!(
                    "{base} is plain HTTP on another machine: anyone between could read the token; \
                     use https, or --plain-http"
                )));
            }
            Some(_) | None => {
                return Err(CliError::Usage(format!("{base} is not a URL: write http://HOST:PORT or https://HOST")));
            }
        }
        let builder = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("halflight/", env!("CARGO_PKG_VERSION")))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(REPLY_WAIT))
            .timeout_recv_body(Some(REPLY_WAIT));
        let agent = if local { builder.proxy(None) } else { builder }.build().into();
        Ok(Self { agent, base, token })
    }

    /// The same service, as somebody else.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The address of the service.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Reads a document.
    ///
    /// # Errors
    /// Refused, unreachable, or not a Halflight service.
    pub fn read(&self, path: &str) -> Result<Reply, CliError> {
        let url = self.url(path);
        let sent = self.authorised(self.agent.get(&url)).call();
        Self::reply(url, sent)
    }

    /// Sends a JSON document.
    ///
    /// # Errors
    /// Refused, unreachable, or not a Halflight service.
    pub fn post(&self, path: &str, document: &impl Serialize) -> Result<Reply, CliError> {
        let url = self.url(path);
        let sent = self.authorised(self.agent.post(&url)).send_json(document);
        Self::reply(url, sent)
    }

    /// Sends an order without a body.
    ///
    /// # Errors
    /// Refused, unreachable, or not a Halflight service.
    pub fn order(&self, path: &str) -> Result<Reply, CliError> {
        let url = self.url(path);
        let sent = self.authorised(self.agent.post(&url)).send_empty();
        Self::reply(url, sent)
    }

    /// Deletes.
    ///
    /// # Errors
    /// Refused, unreachable, or not a Halflight service.
    pub fn delete(&self, path: &str) -> Result<Reply, CliError> {
        let url = self.url(path);
        let sent = self.authorised(self.agent.delete(&url)).call();
        Self::reply(url, sent)
    }

    /// Streams a file.
    ///
    /// # Errors
    /// Refused, unreachable, or not a Halflight service.
    pub fn upload(&self, upload: Upload<'_>) -> Result<Reply, CliError> {
        let url = self.url(&upload.path);
        let mut request = self
            .authorised(self.agent.post(&url))
            .header("content-type", upload.content_type)
            .header("content-length", upload.size.to_string())
            .header("idempotency-key", upload.idempotency_key);
        if let Some(encoding) = upload.encoding {
            request = request.header("content-encoding", encoding);
        }
        if let Some(digest) = upload.content_digest {
            request = request.header("content-digest", digest);
        }
        let sent = request.send(SendBody::from_reader(upload.body));
        Self::reply(url, sent)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn authorised<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    fn reply(url: String, sent: Result<Response<Body>, ureq::Error>) -> Result<Reply, CliError> {
        let unreachable =
            |url: &str, cause: &ureq::Error| CliError::Unreachable { url: url.to_owned(), cause: cause.to_string() };
        let mut response = sent.map_err(|error| unreachable(&url, &error))?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(REPLY_BYTES_MAX).read_to_vec();
        let body = body.map_err(|error| unreachable(&url, &error))?;
        if (200..300).contains(&status) {
            return Ok(Reply { status, body, url });
        }
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) if !problem.code.is_empty() => Err(CliError::Refused(Box::new(problem))),
            Ok(_) | Err(_) => Err(CliError::Foreign { url, status, what: "no problem document".to_owned() }),
        }
    }
}

impl Reply {
    /// The document.
    ///
    /// # Errors
    /// If it is not what was expected.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CliError> {
        serde_json::from_slice(&self.body).map_err(|error| CliError::Foreign {
            url: self.url.clone(),
            status: self.status,
            what: error.to_string(),
        })
    }

    /// The document as it is.
    ///
    /// # Errors
    /// If it is not JSON.
    pub fn value(&self) -> Result<Value, CliError> {
        self.json()
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A path segment or query value with everything but unreserved characters escaped (RFC 3986).
#[must_use]
pub fn escape(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::net::TcpListener;

    /// A service that answers one request with these bytes, and hands back what it was sent.
    fn answering(status: &'static str, body: &'static str) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = vec![0; 4096];
            let read = stream.read(&mut head).unwrap();
            let length = body.len();
            write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").unwrap();
            String::from_utf8_lossy(&head[..read]).into_owned()
        });
        (address, seen)
    }

    #[test]
    fn a_token_travels_in_the_header_and_never_in_the_url() {
        let (url, seen) = answering("200 OK", "{}");
        let client = Client::new(&url, Some("hl_analyst_secret".into()), false).unwrap();
        assert_eq!(client.read("/v1/datasets").unwrap().status, 200);
        let request = seen.join().unwrap();
        assert!(request.starts_with("GET /v1/datasets HTTP/1.1\r\n"), "{request}");
        assert!(request.to_lowercase().contains("authorization: bearer hl_analyst_secret"), "{request}");
    }

    #[test]
    fn a_token_does_not_cross_the_network_in_the_clear() {
        assert!(matches!(Client::new("http://192.0.2.1:8080", Some("t".into()), false), Err(CliError::Usage(_))));
        assert!(Client::new("http://192.0.2.1:8080", Some("t".into()), true).is_ok());
        assert!(Client::new("http://192.0.2.1:8080", None, false).is_ok());
        for local in ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost"] {
            assert!(Client::new(local, Some("t".into()), false).is_ok(), "{local}");
        }
        assert!(Client::new("http://localhost.example.org", Some("t".into()), false).is_err());
        assert!(Client::new("ftp://127.0.0.1", None, false).is_err());
    }

    #[test]
    fn a_problem_document_becomes_its_sentence() {
        let (url, _) = answering("409 Conflict", r#"{"code":"budget_exhausted","detail":"ask for less"}"#);
        let error = Client::new(&url, None, false).unwrap().read("/x").unwrap_err();
        assert_eq!(error.to_string(), "refused (budget_exhausted): ask for less");
        assert_eq!(error.exit_code(), 1);
    }

    #[test]
    fn a_redirect_is_not_followed_with_a_token() {
        let (url, _) = answering("302 Found\r\nlocation: http://192.0.2.9/", "");
        let error = Client::new(&url, Some("t".into()), false).unwrap().read("/x").unwrap_err();
        assert!(matches!(error, CliError::Foreign { status: 302, .. }), "{error}");
    }

    #[test]
    fn names_are_escaped_in_paths() {
        assert_eq!(escape("2026-Q1"), "2026-Q1");
        assert_eq!(escape("../a b&c=\u{e9}"), "..%2Fa%20b%26c%3D%C3%A9");
    }
}
