//! Names as they may be echoed, and the known name nearest to an unknown one.

/// The most characters of a name that an answer repeats.
const ECHOED_MAX: usize = 63;

/// A name from a question, made safe to repeat: control characters escaped, cut at 63 characters.
pub(super) fn echo(name: &str) -> String {
    let safe: String = name
        .chars()
        .take(ECHOED_MAX)
        .flat_map(|c| {
            let plain = c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric();
            let escaped = if plain { None } else { Some(c.escape_unicode()) };
            escaped.into_iter().flatten().chain(plain.then_some(c))
        })
        .take(ECHOED_MAX)
        .collect();
    safe
}

/// The known name nearest to `name`, if any is near: for "did you mean".
pub(super) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<String> {
    let name: Vec<char> = name.chars().take(ECHOED_MAX).flat_map(char::to_lowercase).collect();
    let limit = (name.len() / 2).clamp(1, 4);
    known.map(|k| (distance(&name, k), k)).filter(|(d, _)| *d <= limit).min().map(|(_, k)| k.to_owned())
}

/// Levenshtein's edit distance, by the row (Wagner and Fischer, 1974).
fn distance(name: &[char], known: &str) -> usize {
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for (i, k) in known.chars().take(ECHOED_MAX + 1).flat_map(char::to_lowercase).enumerate() {
        let mut next = vec![i + 1];
        for ((&n, &replaced), &removed) in name.iter().zip(&row).zip(row.iter().skip(1)) {
            let inserted = next.last().copied().unwrap_or(i) + 1;
            next.push(inserted.min(removed + 1).min(replaced + usize::from(n != k)));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

/// "; did you mean `x`?", or nothing.
pub(super) fn hint(name: &str, known: impl Iterator<Item = impl AsRef<str>>) -> String {
    let known: Vec<String> = known.map(|k| k.as_ref().to_owned()).collect();
    nearest(name, known.iter().map(String::as_str)).map_or(String::new(), |near| format!("; did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_finds_the_name_that_was_meant() {
        let known = ["citizenship", "adm1", "sex", "age"];
        let meant = |name| nearest(name, known.into_iter());
        assert_eq!(meant("citizenhsip").as_deref(), Some("citizenship"));
        assert_eq!(meant("SEX").as_deref(), Some("sex"));
        assert_eq!(meant("adm2").as_deref(), Some("adm1"));
        assert_eq!(meant("wage_year"), None);
    }

    #[test]
    fn an_echo_is_short_and_holds_no_control_characters() {
        assert_eq!(echo("sex"), "sex");
        assert_eq!(echo("a\u{202e}b\n"), "a\\u{202e}b\\u{a}");
        assert!(echo(&"\u{7}".repeat(500)).chars().count() <= ECHOED_MAX);
        assert!(echo(&"é".repeat(500)).chars().count() <= ECHOED_MAX);
    }
}
