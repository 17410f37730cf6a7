//! Measures as they are typed at the command line, and as they stand in releases.

use crate::policy::{Codes, ComparedAsked, MeasureAsked};

const FORMS: &str = "write persons, rows, sum:COLUMN, mean:COLUMN, median:COLUMN, quantile:COLUMN:Q, \
    share:COLUMN=CODE+CODE, difference:COLUMN=CODE/COLUMN=CODE or ratio:COLUMN=CODE/COLUMN=CODE";

/// Reads a measure.
pub(super) fn parse(text: &str) -> Result<MeasureAsked, String> {
    let column = |name: &str| name.to_owned();
    let parts: Vec<&str> = text.split(':').collect();
    let read = match parts.as_slice() {
        ["persons"] => Some(MeasureAsked::Persons {}),
        ["rows"] => Some(MeasureAsked::Rows {}),
        ["sum", name] => Some(MeasureAsked::Sum { column: column(name) }),
        ["mean", name] => Some(MeasureAsked::Mean { column: column(name) }),
        ["median", name] => Some(MeasureAsked::Median { column: column(name) }),
        ["quantile", name, q] => Some(MeasureAsked::Quantile { column: column(name), q: (*q).to_owned() }),
        ["share", of] => codes(of).map(|of| MeasureAsked::Share { of }),
        [contrast @ ("difference" | "ratio"), what @ .., groups] => compared(contrast, what, groups),
        _ => None,
    };
    read.ok_or_else(|| FORMS.to_owned())
}

fn compared(contrast: &str, what: &[&str], groups: &str) -> Option<MeasureAsked> {
    let what = match what {
        [] | ["persons"] => None,
        ["share", of] => Some(ComparedAsked::Share { of: codes(of)? }),
        ["mean", name] => Some(ComparedAsked::Mean { column: (*name).to_owned() }),
        _ => return None,
    };
    let (of, against) = groups.split_once('/')?;
    let (of, against) = (codes(of)?, codes(against)?);
    Some(match contrast {
        "ratio" => MeasureAsked::Ratio { of, against, what },
        _ => MeasureAsked::Difference { of, against, what },
    })
}

/// The codes of a numerator or a group, as the measures of a release write them.
fn codes(text: &str) -> Option<Codes> {
    let column = |part: &str| {
        let (column, codes) = part.split_once('=')?;
        let codes: Vec<String> = codes.split('+').map(str::to_owned).collect();
        (!column.is_empty() && codes.iter().all(|code| !code.is_empty())).then(|| (column.to_owned(), codes))
    };
    text.split(',').map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(column: &str, codes: &[&str]) -> Codes {
        [(column.to_owned(), codes.iter().map(|code| (*code).to_owned()).collect())].into()
    }

    #[test]
    fn what_is_typed_becomes_the_measure_that_is_sent() {
        let quantile = MeasureAsked::Quantile { column: "wage_year".into(), q: "0.9".into() };
        assert_eq!(parse("quantile:wage_year:0.9").unwrap(), quantile);
        let share = MeasureAsked::Share { of: of("coverage", &["public", "none"]) };
        assert_eq!(parse("share:coverage=public+none").unwrap(), share);
        let (women, men) = (of("sex", &["F"]), of("sex", &["M"]));
        let difference = |what| MeasureAsked::Difference { of: women.clone(), against: men.clone(), what };
        assert_eq!(parse("difference:sex=F/sex=M").unwrap(), difference(None));
        let wages = ComparedAsked::Mean { column: "wage".into() };
        assert_eq!(parse("difference:mean:wage:sex=F/sex=M").unwrap(), difference(Some(wages)));
        let what = Some(ComparedAsked::Share { of: of("coverage", &["none"]) });
        let ratio = MeasureAsked::Ratio { of: of("period", &["2026-Q1"]), against: of("period", &["2025-Q4"]), what };
        assert_eq!(parse("ratio:share:coverage=none:period=2026-Q1/period=2025-Q4").unwrap(), ratio);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_before_anything_is_sent() {
        for text in [
            "person",
            "sum",
            "sum:a:b",
            "quantile:wage_year",
            "share:sex",
            "share:sex=",
            "share:sex=F+",
            "difference",
            "ratio:sex=F",
            "ratio:sex=F/",
            "ratio:rows:sex=F/sex=M",
            "difference:mean:sex=F/sex=M",
            "difference:/",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
