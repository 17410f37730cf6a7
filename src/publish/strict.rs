//! JSON bodies, read strictly: no unknown keys, no duplicate keys, no depth, no numbers that are none.
//!
//! # Guarantee
//! A body has one meaning or none: what one reader could take for one question and another reader for a second is
//! refused. G14: what is refused is named by place and key, never by value.

use super::pace::{Pace, Patience, announced};
use super::problem::Problem;
use super::server::Face;
use super::wire::{plain_key, spoken};
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// Most bytes of a JSON body.
const JSON_BYTES_MAX: u64 = 256 * 1024;
/// Patience with senders of small bodies.
const STALL: Duration = Duration::from_secs(10);
/// Least bytes in a second of a small body.
const RATE_MIN: u64 = 256;

/// What a JSON body may be.
pub(super) trait Asked: DeserializeOwned + 'static {
    /// The code of a body that cannot be read.
    const CODE: &'static str = "body_malformed";
}

/// A JSON body.
pub(super) struct Strict<T>(pub(super) T);

impl<T: Asked> FromRequest for Strict<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (headers, payload) = (req.headers().clone(), payload.take());
        let limit = req.app_data::<web::Data<Face>>().map_or(JSON_BYTES_MAX, |face| face.settings.json_bytes_max);
        Box::pin(async move {
            if media_type(&headers).as_deref() != Some("application/json") {
                return Err(unsupported("application/json"));
            }
            let bytes = whole(&headers, payload, limit).await?;
            parse(&bytes).map(Self)
        })
    }
}

/// The media type of a body, without parameters, in lower case.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(|essence| essence.trim().to_ascii_lowercase())
}

/// 415, with what would be right.
pub(super) fn unsupported(expected: &str) -> Problem {
    let detail = format!("send the body as {expected}, and say so in Content-Type");
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type_unsupported", detail)
}

/// A whole small body.
pub(super) async fn whole(headers: &HeaderMap, payload: Payload, bytes_max: u64) -> Result<Vec<u8>, Problem> {
    announced(headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()), bytes_max)?;
    let mut pace = Pace::new(payload, Patience { stall: STALL, bytes_per_second: RATE_MIN, bytes_max });
    let mut bytes = Vec::new();
    while let Some(chunk) = pace.next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Reads JSON strictly.
pub(super) fn parse<T: Asked>(bytes: &[u8]) -> Result<T, Problem> {
    let mut first = serde_json::Deserializer::from_slice(bytes);
    let read = serde::Deserialize::deserialize(&mut first).and_then(|Unambiguous| first.end());
    read.and_then(|()| serde_json::from_slice(bytes)).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let detail = format!("line {line}, column {column}: {}", spoken(&error.to_string()));
        Problem::new(StatusCode::BAD_REQUEST, T::CODE, detail)
    })
}

/// Any JSON in which no object has a key twice. Read for its errors alone; depth is bounded by the parser.
struct Unambiguous;

impl<'de> serde::Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unambiguous {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if keys.contains(&key) {
                return Err(A::Error::custom(format!("the key `{}` stands there twice", plain_key(&key))));
            }
            keys.insert(key);
            map.next_value::<Self>()?;
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }
}

impl Asked for IgnoredAny {}

impl Asked for crate::policy::Question {
    const CODE: &'static str = "question_malformed";
}

impl Asked for crate::policy::IndicatorAsked {
    const CODE: &'static str = "question_malformed";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Question;

    const QUESTION: &str = r#"{ "dataset": "residence", "purpose": "treaty_body", "measures": [{ "kind": "persons" }],
        "by": ["adm1", "sex"], "where": { "citizenship": ["non_citizen"] }, "periods": ["2026"], "margins": true,
        "spend": { "rho": "0.01" } }"#;

    fn refused(text: &str) -> String {
        let problem = parse::<Question>(text.as_bytes()).expect_err(text);
        assert_eq!((problem.document().status, problem.document().code), (400, "question_malformed"), "{text}");
        problem.document().detail.clone()
    }

    #[test]
    fn the_question_of_the_contract_is_read() {
        assert!(parse::<Question>(QUESTION.as_bytes()).is_ok());
    }

    #[test]
    fn a_body_with_two_meanings_or_none_is_refused_with_its_place() {
        let twice = QUESTION.replace(r#""margins": true"#, r#""margins": true, "margins": false"#);
        assert!(refused(&twice).contains("`margins` stands there twice"));
        let filter = QUESTION.replace(r#"["non_citizen"] }"#, r#"["a"], "citizenship": ["b"] }"#);
        assert!(refused(&filter).starts_with("line 2, column "), "{}", refused(&filter));
        assert!(refused(&QUESTION.replace("margins", "marigns")).contains("unknown key `marigns`"));
        for spend in [
            r#"{"rho":"-1"}"#,
            r#"{"rho":"1e400"}"#,
            r#"{"rho":"NaN"}"#,
            r#"{"rho":0.01}"#,
            r#"{"moe":1e400}"#,
            r#"{"moe":NaN}"#,
            r#"{"rho":"0.1","epsilon":"1"}"#,
            "{}",
            "null",
        ] {
            refused(&QUESTION.replace(r#"{ "rho": "0.01" }"#, spend));
        }
        for text in ["", "{", "[]", "{} {}", "\u{feff}{}", "nul"] {
            refused(text);
        }
    }

    #[test]
    fn ten_thousand_levels_are_refused_and_do_not_overflow() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
            assert!(refused(&deep).contains("recursion limit"));
        }
    }

    /// G14.
    #[test]
    fn no_value_of_a_body_is_repeated() {
        for (whole, part) in [
            ("\"residence\"", "\"MARKER-A\""),
            ("\"treaty_body\"", "\"MARKER-B\""),
            ("\"persons\"", "\"MARKER-C\""),
            ("true", "\"MARKER-D\""),
            ("[\"2026\"]", "\"MARKER-E\""),
            ("\"0.01\"", "\"MARKER-F\""),
            ("\"2026\"", "\"MARKER-G, expected MARKER-H\""),
        ] {
            assert!(!refused(&QUESTION.replace(whole, part)).contains("MARKER"), "{part}");
        }
    }
}
