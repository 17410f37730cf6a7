//! A labelled synthetic register that fits a policy.
//!
//! For demonstrations, tests and measurements: nobody in it exists. Every id begins with `SYN-`, and ignored columns
//! read `synthetic`. The shape is that of real registers: a few large codes and a long tail, columns that go together
//! (people are of a few hidden kinds), one person with many rows here and there, skewed amounts.
//!
//! # Guarantees
//! Made from the policy and a seed alone: the same two give the same bytes. The door accepts every row. Written as it
//! is made: memory does not grow with the rows.

mod draw;
mod weights;

use crate::identity::{Digest, Period};
use crate::policy::{Frequency, IdForm, Policy};
use chrono::Datelike as _;
use draw::{Columns, Person};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::io::{self, Write};

/// The most rows one person gets, where the policy counts more than one.
const ROWS_OF_ONE_MAX: u32 = 60;

/// Writes a register of so many rows as CSV, with its columns in the policy's order.
///
/// # Errors
/// If it cannot be written, or if the policy's structural zeros leave no possible row.
pub fn generate(policy: &Policy, rows: u64, seed: u64, out: impl Write) -> io::Result<()> {
    let columns = Columns::of(policy);
    let period = policy.unit.period.as_ref().map(|column| (column, period(policy)));
    let mut random = StdRng::seed_from_u64(seed);
    let mut out = csv::Writer::from_writer(out);
    let header = std::iter::once(&policy.unit.person).chain(period.iter().map(|(column, _)| *column));
    out.write_record(header.chain(policy.columns.iter().map(|column| &column.name)))?;
    let (mut person, mut number, mut left) = (Person::of(&columns), 0_u64, 0_u32);
    for _ in 0..rows {
        if left == 0 {
            number += 1;
            left = rows_of_one(policy.unit.rows_max, &mut random);
            columns.draw_person(&mut person, &mut random)?;
        } else {
            columns.draw_row(&mut person, &mut random)?;
        }
        left -= 1;
        out.write_field(id(policy.unit.id, number))?;
        if let Some((_, period)) = &period {
            out.write_field(period.as_str())?;
        }
        for field in columns.fields(&person, &mut random) {
            out.write_field(field.as_ref())?;
        }
        out.write_record(None::<&[u8]>)?;
    }
    out.flush()
}

/// The id of the n-th person; where ids come keyed, what a ministry could have made of it.
fn id(form: IdForm, number: u64) -> String {
    let id = format!("SYN-{number:09}");
    match form {
        IdForm::Raw => id,
        IdForm::Prekeyed => Digest::of(id.as_bytes()).to_string(),
    }
}

/// How many rows a person has: one where one is counted, else a heavy tail (Yule-Simon) that passes any `rows_max`.
fn rows_of_one(rows_max: u32, random: &mut StdRng) -> u32 {
    let mut rows = 1;
    while rows_max > 1 && rows < ROWS_OF_ONE_MAX && random.random_ratio(10 * rows, 10 * rows + 14) {
        rows += 1;
    }
    rows
}

/// The first period of the policy's rhythm, while it is in force, that anyone may send.
fn period(policy: &Policy) -> String {
    let years = policy.effective.year()..=policy.expires.year();
    let periods = years.flat_map(|year| -> Vec<String> {
        match policy.frequency {
            Frequency::Annual | Frequency::Irregular => vec![format!("{year:04}")],
            Frequency::Quarterly => (1..=4).map(|quarter| format!("{year:04}-Q{quarter}")).collect(),
            Frequency::Monthly => (1..=12).map(|month| format!("{year:04}-{month:02}")).collect(),
        }
    });
    let mut periods = periods.peekable();
    let first = periods.peek().cloned().unwrap_or_default();
    let is_sent = |text: &String| {
        let allowed = |period: &Period| policy.submitters.values().flatten().any(|pattern| pattern.covers(period));
        Period::parse(text).is_ok_and(|period| allowed(&period))
    };
    periods.find(is_sent).unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Column, Kind, Per};
    use crate::submission::tests::{Sent, csv as sent, policy};
    use std::collections::HashMap;

    fn register(policy: &Policy, rows: u64, seed: u64) -> Vec<u8> {
        let mut out = Vec::new();
        generate(policy, rows, seed, &mut out).unwrap();
        out
    }

    /// A policy with ten rows a person, a long list and a column of the row.
    fn contacts() -> Policy {
        let mut policy = policy();
        let regions: Vec<String> = (0..40).map(|n| format!("R{n}")).collect();
        let regions: Vec<&str> = regions.iter().map(String::as_str).collect();
        let codes = crate::policy::CodeList::for_door_test(&regions);
        policy.columns.push(Column::for_door_test("region", Kind::Dimension { codes, bands: None }));
        let codes = crate::policy::CodeList::for_door_test(&["primary", "emergency", "delivery", "other"]);
        let service = Column::for_door_test("service", Kind::Dimension { codes, bands: None });
        policy.columns.push(Column { per: Per::Row, ..service });
        policy.unit.rows_max = 4;
        policy
    }

    fn column(body: &[u8], place: usize) -> Vec<String> {
        let mut reader = csv::Reader::from_reader(body);
        reader.records().map(|row| row.unwrap()[place].to_owned()).collect()
    }

    #[test]
    fn the_door_accepts_every_row() {
        for policy in [policy(), contacts()] {
            let body = register(&policy, 20_000, 1);
            let (reading, rows) = Sent { policy, ..sent(&body) }.read().unwrap();
            assert_eq!((reading.rows_accepted, reading.rows_rejected, rows.len()), (20_000, 0, 20_000));
        }
    }

    #[test]
    fn every_id_is_labelled_and_every_ignored_column_too() {
        let body = register(&contacts(), 500, 1);
        assert!(column(&body, 0).iter().all(|id| id.starts_with("SYN-")));
        assert!(column(&body, 4).iter().all(|note| note == "synthetic"));
    }

    #[test]
    fn prekeyed_ids_pass_where_the_policy_wants_them() {
        let mut policy = policy();
        policy.unit.id = IdForm::Prekeyed;
        let keyer = crate::submission::PersonKeyer::new([1; 32], IdForm::Prekeyed);
        assert!(column(&register(&policy, 50, 1), 0).iter().all(|id| keyer.key(id).is_ok()));
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
        assert!(register(&contacts(), 300, 5) == register(&contacts(), 300, 5));
        assert!(register(&contacts(), 300, 5) != register(&contacts(), 300, 6));
    }

    #[test]
    fn one_row_a_person_or_a_heavy_tail_beyond_what_is_counted() {
        let mut rows: HashMap<String, u32> = HashMap::new();
        for id in column(&register(&policy(), 1_000, 1), 0) {
            *rows.entry(id).or_default() += 1;
        }
        assert!(rows.values().all(|rows| *rows == 1));
        rows.clear();
        for id in column(&register(&contacts(), 20_000, 1), 0) {
            *rows.entry(id).or_default() += 1;
        }
        let beyond = rows.values().filter(|rows| **rows > 4).count();
        assert!(beyond * 50 > rows.len() && beyond * 3 < rows.len(), "{beyond} of {}", rows.len());
    }

    #[test]
    fn what_describes_a_person_stays_and_what_describes_a_row_changes() {
        let body = register(&contacts(), 5_000, 1);
        let (ids, sexes, services) = (column(&body, 0), column(&body, 2), column(&body, 8));
        let pairs = || (1..ids.len()).filter(|at| ids[*at] == ids[at - 1]);
        assert!(pairs().all(|at| sexes[at] == sexes[at - 1]));
        assert!(pairs().any(|at| services[at] != services[at - 1]));
    }

    #[test]
    fn a_few_codes_are_large_and_columns_go_together() {
        let body = register(&contacts(), 30_000, 1);
        let (regions, status) = (column(&body, 7), column(&body, 5));
        let mut sizes: HashMap<&str, (u32, u32)> = HashMap::new();
        for (region, status) in regions.iter().zip(&status) {
            let size = sizes.entry(region).or_default();
            size.0 += 1;
            size.1 += u32::from(status == "employed");
        }
        let mut sorted: Vec<u32> = sizes.values().map(|size| size.0).collect();
        sorted.sort_unstable();
        assert!(sorted[sorted.len() - 1] > 5 * sorted[sorted.len() / 2], "{sorted:?}");
        let shares = sizes.values().filter(|size| size.0 > 300).map(|size| f64::from(size.1) / f64::from(size.0));
        let (low, high) = shares.fold((1.0_f64, 0.0_f64), |(low, high), share| (low.min(share), high.max(share)));
        assert!(high - low > 0.05, "{low} to {high}");
    }

    #[test]
    fn periods_follow_the_rhythm_and_what_may_be_sent() {
        let mut policy = policy();
        assert_eq!(period(&policy), "2024");
        policy.frequency = Frequency::Quarterly;
        assert_eq!(period(&policy), "2024-Q1");
        assert_eq!(period(&policy.clone().sent_for("2025-Q3")), "2025-Q3");
        policy.frequency = Frequency::Monthly;
        assert_eq!(period(&policy.sent_for("1999*")), "2024-01");
    }

    #[test]
    fn a_policy_that_leaves_no_row_possible_is_told_so() {
        let mut policy = policy();
        let all = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
        policy.structural_zeros = vec![[("sex".to_owned(), all(&["F", "M", "_U"]))].into()];
        assert!(generate(&policy, 1, 1, &mut Vec::new()).is_err());
    }
}
