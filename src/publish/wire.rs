//! What may be said about a text that could not be read: where it is wrong and what was expected, never what
//! stood there.
//!
//! # Guarantee
//! G14: of a parser's message only our own words are kept. A key may be named (so that a typing mistake can be found),
//! cut to forty plain characters; a value never is.

/// Longest part of a sender's key that is repeated.
const KEY_LONGEST: usize = 40;

/// A key as it may be repeated: cut, and plain.
pub(crate) fn plain_key(key: &str) -> String {
    let mut plain: String = key
        .chars()
        .take(KEY_LONGEST)
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '?' })
        .collect();
    if key.chars().nth(KEY_LONGEST).is_some() {
        plain.push_str("...");
    }
    plain
}

/// A serde message without the values it quotes.
///
/// serde's own messages have fixed beginnings; what follows ", expected " is written by our types, and so is every
/// message with another beginning.
pub(crate) fn spoken(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(start, _)| start).trim();
    let expected = |fallback: &str| {
        message
            .rsplit_once(", expected ")
            .map_or_else(|| fallback.to_owned(), |(_, e)| format!("expected {}", words(e)))
    };
    let quoted = |start: &str| {
        let rest = message.strip_prefix(start)?;
        let end = rest.rfind("`, expected ").or_else(|| rest.rfind("`, there are no")).or_else(|| rest.rfind('`'))?;
        rest.get(..end).map(plain_key)
    };
    if let Some(key) = quoted("unknown field `") {
        format!("unknown key `{key}`; {}", expected("no keys are expected here"))
    } else if let Some(key) = quoted("missing field `") {
        format!("the key `{key}` is missing")
    } else if let Some(key) = quoted("duplicate field `") {
        format!("the key `{key}` stands there twice")
    } else if message.starts_with("can not parse ") {
        // a part of an address that is no number; the message quotes it
        "expected a whole number of at most 20 digits, without a sign".to_owned()
    } else if message == "expected value" {
        "expected another kind of value here; /docs describes the body".to_owned()
    } else if message.starts_with("unknown variant `") {
        expected("expected another word here")
    } else if ["invalid type: ", "invalid value: ", "invalid length "].iter().any(|start| message.starts_with(start)) {
        expected("expected another kind of value here")
    } else {
        message.to_owned()
    }
}

/// The names of our Rust types mean nothing to a sender.
fn words(expected: &str) -> &str {
    if expected.starts_with("struct ") || expected.starts_with("internally tagged enum") {
        "an object"
    } else if expected.starts_with("enum ") {
        "one of the words or objects described in /docs"
    } else if expected == "a sequence" {
        "a list"
    } else if expected == "a map" {
        "an object"
    } else {
        expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_dropped_and_keys_are_cut() {
        for (message, said) in [
            ("invalid type: string \"MARKER, expected x\", expected u32 at line 1 column 9", "expected u32"),
            ("invalid value: integer `77031`, expected a string", "expected a string"),
            ("unknown variant `MARKER`, expected one of `a`, `b`", "expected one of `a`, `b`"),
            ("unknown field `sepnd`, expected `spend` at line 2 column 3", "unknown key `sepnd`; expected `spend`"),
            ("can not parse \"MARKER\" to a u64", "expected a whole number of at most 20 digits, without a sign"),
            ("missing field `purpose` at line 1 column 2", "the key `purpose` is missing"),
            ("invalid type: map, expected a sequence", "expected a list"),
            ("an amount has at most nine decimals at line 1 column 4", "an amount has at most nine decimals"),
        ] {
            assert_eq!(spoken(message), said);
        }
        let long = format!("unknown field `{}<script>`, there are no fields", "k".repeat(100));
        assert_eq!(spoken(&long), format!("unknown key `{}...`; no keys are expected here", "k".repeat(40)));
        assert_eq!(plain_key("<b>\u{202e}x"), "?b??x");
    }
}
