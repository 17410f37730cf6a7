//! The codes that measures choose within a cell: numerators of shares, groups that are compared.
//!
//! # Guarantee
//! G8: what is refused here is seen from question and policy alone. In some column the two groups of a comparison have
//! no code in common. Where one lay within the other, the difference would be what is left of the larger one, which may
//! be few persons though both are many.

use super::asked::{Chosen, Place, dimension, positions};
use super::inadmissible::Inadmissible;
use super::model::Policy;
use super::nearest::echo;
use super::plan::PERIOD;
use super::question::{Codes, ComparedAsked, ComparisonAsked, Question};
use crate::identity::Period;
use std::collections::{BTreeMap, BTreeSet};

/// The most columns of one numerator or group.
const COLUMNS_MAX: usize = 16;

/// What can be seen wrong at whatever levels columns are named: nothing chosen, or too much.
pub(super) fn check_form(question: &Question) -> Result<(), Inadmissible> {
    let group = "a comparison needs both groups: \"of\": {\"sex\": [\"F\"]}, \"against\": {\"sex\": [\"M\"]}";
    let share = "a share needs the codes of its numerator: \"of\": {\"health_coverage\": [\"none\"]}";
    for measure in &question.measures {
        measure.numerator().map_or(Ok(()), |of| check_size(of, share))?;
        let Some((_, asked)) = measure.comparison() else { continue };
        asked.groups.into_iter().try_for_each(|codes| check_size(codes, group))?;
        if let Some(ComparedAsked::Share { of }) = asked.what {
            check_size(of, share)?;
        }
    }
    Ok(())
}

/// What can be seen wrong once each column is chosen from at one level: a column chosen twice, groups that overlap.
pub(super) fn check_apart(question: &Question) -> Result<(), Inadmissible> {
    for measure in &question.measures {
        if let Some(of) = measure.numerator() {
            check_numerator(question, of)?;
        }
        if let Some((_, comparison)) = measure.comparison() {
            check_comparison(question, comparison)?;
        }
    }
    Ok(())
}

/// A numerator is cut out of the cells: a column that breaks them down cannot do so again; of one that a filter cuts it
/// takes some of the codes selected.
fn check_numerator(question: &Question, of: &Codes) -> Result<(), Inadmissible> {
    for (column, codes) in of {
        if column == PERIOD {
            return Err(Inadmissible::malformed("the period cannot be in `of` of a share: drop it there"));
        }
        check_free(question, column)?;
        let Some(base) = question.filter.get(column) else { continue };
        let (base, part): (BTreeSet<&String>, BTreeSet<&String>) = (base.iter().collect(), codes.iter().collect());
        if !part.is_subset(&base) || part == base {
            return Err(Inadmissible::malformed(format!(
                "`of` has to name some of the codes of `{}` that `where` selects, and not all of them",
                echo(column)
            )));
        }
    }
    Ok(())
}

fn check_comparison(question: &Question, asked: ComparisonAsked<'_>) -> Result<(), Inadmissible> {
    let [of, against] = asked.groups;
    for (column, codes) in asked.groups.into_iter().flatten() {
        check_free(question, column)?;
        let periods = || question.periods.iter().map(Period::as_str).collect();
        let filtered = || question.filter.get(column).map(|codes| codes.iter().map(String::as_str).collect());
        let within: Option<BTreeSet<&str>> = if column == PERIOD { Some(periods()) } else { filtered() };
        if within.is_some_and(|within| codes.iter().any(|code| !within.contains(code.as_str()))) {
            return Err(Inadmissible::malformed(if column == PERIOD {
                "every period compared has to be one of `periods`".to_owned()
            } else {
                format!("groups compared take their codes of `{}` from those that `where` selects", echo(column))
            }));
        }
    }
    let apart = |(column, codes): (&String, &Vec<String>)| {
        let codes: BTreeSet<&String> = codes.iter().collect();
        against.get(column).is_some_and(|others| others.iter().all(|code| !codes.contains(code)))
    };
    if !of.iter().any(apart) {
        return Err(Inadmissible::malformed(
            "groups compared must not overlap: name a column in both `of` and `against`, with no code in common",
        ));
    }
    let Some(ComparedAsked::Share { of: numerator }) = asked.what else { return Ok(()) };
    if let Some(column) = numerator.keys().find(|column| of.contains_key(*column) || against.contains_key(*column)) {
        return Err(Inadmissible::malformed(format!(
            "`{}` cannot tell the groups apart and be in the `of` of their share too: drop it in one of them",
            echo(column)
        )));
    }
    check_numerator(question, numerator)
}

fn check_size(codes: &Codes, missing: &str) -> Result<(), Inadmissible> {
    if codes.is_empty() || codes.values().any(Vec::is_empty) {
        return Err(Inadmissible::malformed(missing));
    }
    if codes.len() > COLUMNS_MAX || codes.values().any(|codes| codes.len() > super::codelist::CODES_MAX) {
        return Err(Inadmissible::malformed("too many columns or codes in one measure"));
    }
    Ok(())
}

/// A column that breaks the cells down cannot cut them again.
fn check_free(question: &Question, column: &String) -> Result<(), Inadmissible> {
    let mut taken = question.by.iter().chain(question.tables.iter().flatten()).flatten();
    if taken.any(|taken| taken == column) {
        return Err(Inadmissible::malformed(format!(
            "`{}` cannot be in `of` or `against` and in `by` or `tables` too: drop it in one of them",
            echo(column)
        )));
    }
    Ok(())
}

/// The codes of a numerator.
pub(super) fn numerator(policy: &Policy, of: &Codes) -> Result<Chosen, Inadmissible> {
    let mut chosen = Chosen::new();
    for (column, codes) in of {
        let (place, list) = dimension(policy, column)?;
        let codes = positions(column, list, codes)?;
        if codes.len() == list.len() {
            let advice = format!("a share of every code of `{column}` is 1; name some of them");
            return Err(Inadmissible::malformed(advice));
        }
        chosen.insert(place, codes);
    }
    Ok(chosen)
}

/// The codes of a group. A column of which it names all that there are to choose from tells nothing.
pub(super) fn group(
    policy: &Policy,
    periods: &[Period],
    filters: &BTreeMap<Place, BTreeSet<u16>>,
    codes: &Codes,
) -> Result<Chosen, Inadmissible> {
    let mut chosen = Chosen::new();
    for (column, codes) in codes {
        let (place, codes, all) = if column == PERIOD {
            let named = |period: &Period| codes.iter().any(|code| code == period.as_str());
            let places = (0..).zip(periods).filter(|(_, period)| named(period)).map(|(place, _)| place);
            (0, places.collect(), periods.len())
        } else {
            let (place, list) = dimension(policy, column)?;
            (place, positions(column, list, codes)?, list.len())
        };
        if codes.len() < filters.get(&place).map_or(all, BTreeSet::len) {
            chosen.insert(place, codes);
        }
    }
    Ok(chosen)
}
