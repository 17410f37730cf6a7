//! Headers that every reply carries, problems and pages included.
//!
//! # Guarantee
//! Nothing of ours is framed, sniffed, cached where it should not be, or told to another site by a referrer. A reply
//! that sets a header of its own (a page's content policy, a tile's cache rule) keeps it.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

const ALWAYS: [(&str, &str); 10] = [
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("cache-control", "no-store"),
];

/// The header that names a request, in replies and in the log.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// Adds what is missing.
pub(super) fn harden(headers: &mut HeaderMap) {
    for (name, value) in ALWAYS {
        if !headers.contains_key(name) {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
    }
}

/// A header value from text of ours; nothing where it is not plain.
pub(super) fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reply_says_itself_is_kept() {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static("cache-control"), HeaderValue::from_static("public"));
        harden(&mut headers);
        assert_eq!(headers.get("cache-control").unwrap(), "public");
        assert_eq!(headers.get("x-content-type-options").unwrap(), "nosniff");
        assert!(!headers.contains_key("server"));
    }
}
