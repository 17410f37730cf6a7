//! Bands of whole numbers: `Y0T4`, `Y5`, `Y_LT15`, `Y_GE75` (SDMX age codes), read and checked.
//!
//! Bands ascend, do not overlap, leave no gap and cover `min..=max`, so that every accepted number has exactly one
//! code.

use super::Text;
use super::codelist::{Code, CodeList};
use super::model::Bands;

/// The languages in which a band names itself.
const LANGUAGES: [&str; 6] = ["en", "fr", "es", "ar", "ru", "zh"];

/// Reads band codes over `min..=max`; codes such as `_U` may follow the bands.
pub(super) fn read(column: &str, codes: &[String], min: i64, max: i64) -> Result<(CodeList, Bands), Vec<String>> {
    let mut wrong = Vec::new();
    let mut spans: Vec<(&str, i64, i64)> = Vec::new();
    let mut behind = false;
    for code in codes {
        match span(code, min, max) {
            Some(_) if behind => wrong.push(format!("`{code}` stands behind codes that are no bands; put bands first")),
            Some((low, high)) if low > high => wrong.push(format!("`{code}` is empty over {min} to {max}")),
            Some((low, high)) => spans.push((code, low, high)),
            None if code.starts_with('_') => behind = true,
            None => wrong.push(format!(
                "`{}` is no band; write Y0T4, Y5, Y_LT15 or Y_GE75, and `_U` or `_N` behind the bands",
                super::nearest::echo(code)
            )),
        }
    }
    for pair in spans.windows(2) {
        if let [(before, _, high), (after, low, _)] = *pair {
            if low <= high {
                wrong.push(format!("`{before}` and `{after}` overlap or do not ascend; put them in order"));
            } else if low - high > 1 {
                wrong.push(format!("between `{before}` and `{after}` lie numbers without a band; close the gap"));
            }
        }
    }
    match (spans.first(), spans.last()) {
        (Some(&(first, low, _)), Some(&(last, _, high))) => {
            if low > min {
                wrong.push(format!("numbers from {min} lie below `{first}`; add a band or raise `min` to {low}"));
            }
            if high < max {
                wrong.push(format!("numbers up to {max} lie above `{last}`; add a band or lower `max` to {high}"));
            }
        }
        _ => wrong.push("give at least one band".to_owned()),
    }
    let named = codes.iter().map(|c| Code { id: c.clone(), parent: None, names: names(c) }).collect();
    match CodeList::checked(column, named) {
        Ok(list) if wrong.is_empty() => {
            let end = spans.last().map_or(max, |&(_, _, high)| high);
            Ok((list, Bands { min, max, starts: spans.iter().map(|&(_, low, _)| low).collect(), end }))
        }
        Ok(_) => Err(wrong),
        Err(more) => Err(wrong.into_iter().chain(more).collect()),
    }
}

/// The ends of a band, both inclusive.
fn span(code: &str, min: i64, max: i64) -> Option<(i64, i64)> {
    let rest = code.strip_prefix('Y')?;
    if let Some(from) = rest.strip_prefix("_GE") {
        return Some((number(from)?, max));
    }
    if let Some(below) = rest.strip_prefix("_LT") {
        return Some((min, number(below)?.checked_sub(1)?));
    }
    match rest.split_once('T') {
        Some((low, high)) => Some((number(low)?, number(high)?)),
        None => number(rest).map(|n| (n, n)),
    }
}

fn number(text: &str) -> Option<i64> {
    (!text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn names(code: &str) -> Text {
    let name = match code.strip_prefix('Y') {
        Some(rest) => match (rest.strip_prefix("_GE"), rest.strip_prefix("_LT"), rest.split_once('T')) {
            (Some(from), _, _) => format!("{from}+"),
            (_, Some(below), _) => format!("<{below}"),
            (_, _, Some((low, high))) => format!("{low}\u{2013}{high}"),
            (None, None, None) => rest.to_owned(),
        },
        None => return Text::new(),
    };
    LANGUAGES.iter().map(|l| ((*l).to_owned(), name.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bands(codes: &[&str], min: i64, max: i64) -> Result<Bands, String> {
        let codes: Vec<String> = codes.iter().map(|c| (*c).to_owned()).collect();
        read("age", &codes, min, max).map(|(_, b)| b).map_err(|w| w.join(" | "))
    }

    #[test]
    fn bands_of_every_form_are_read() {
        let read = bands(&["Y_LT15", "Y15T17", "Y18", "Y19T74", "Y_GE75", "_U"], 0, 120).unwrap();
        assert_eq!(read, Bands { min: 0, max: 120, starts: vec![0, 15, 18, 19, 75], end: 120 });
    }

    #[test]
    fn gaps_overlaps_and_uncovered_ends_are_refused() {
        assert!(bands(&["Y0T4", "Y6T9"], 0, 9).unwrap_err().contains("close the gap"));
        assert!(bands(&["Y0T5", "Y5T9"], 0, 9).unwrap_err().contains("overlap"));
        assert!(bands(&["Y5T9", "Y0T4"], 0, 9).unwrap_err().contains("ascend"));
        assert!(bands(&["Y5T9"], 0, 9).unwrap_err().contains("raise `min` to 5"));
        assert!(bands(&["Y0T9"], 0, 10).unwrap_err().contains("lower `max` to 9"));
        assert!(bands(&["_U", "Y0T9"], 0, 9).unwrap_err().contains("bands first"));
        assert!(bands(&["young"], 0, 9).unwrap_err().contains("is no band"));
        assert!(bands(&["Y0T9", "Y_GE99"], 0, 9).unwrap_err().contains("empty"));
        assert!(bands(&[], 0, 9).unwrap_err().contains("at least one"));
    }
}
