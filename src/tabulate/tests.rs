//! Exact tables: every declared cell, each person within the bound, and codes instead of words when something fails.

use super::*;
use crate::budget::Nanos;
use crate::policy::{Dimension, EditionRef, Level, Measured, PERIOD, Policy};
use crate::vault::test_vault::{Row, TestVault, row};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Plenty, in bytes.
const MEMORY: usize = 512 << 20;

/// A dimension whose levels are the column's codes.
pub(super) fn plain(policy: &Policy, name: &str) -> Dimension {
    let (column, codes) = policy.dimensions().find(|(column, _)| column.name == name).unwrap();
    let levels = codes.codes.iter().map(|code| (code.id.as_str(), vec![code.id.as_str()])).collect::<Vec<_>>();
    grouped(name, column.per == crate::policy::Per::Row, &levels)
}

pub(super) fn grouped(name: &str, per_row: bool, levels: &[(&str, Vec<&str>)]) -> Dimension {
    let level = |(code, members): &(&str, Vec<&str>)| Level {
        code: (*code).to_owned(),
        names: BTreeMap::new(),
        members: members.iter().map(|member| (*member).to_owned()).collect(),
    };
    let levels = levels.iter().map(level).collect();
    let (name, column) = (name.to_owned(), name.to_owned());
    Dimension { name, column, title: BTreeMap::new(), concept: None, per_row, levels, finer: None }
}

fn measured(dims: &[usize], distinct: bool, l1: u64, l2_squared: u64) -> Measured {
    Measured { quantity: Quantity::Persons, dims: dims.to_vec(), units: Nanos::ZERO, l1, l2_squared, distinct }
}

pub(super) fn persons(dims: &[usize]) -> Measured {
    measured(dims, false, 1, 1)
}

pub(super) fn plan(
    policy: &Policy,
    editions: &[EditionRow],
    dimensions: Vec<Dimension>,
    measured: Vec<Measured>,
) -> Plan {
    let editions = editions.iter().map(|edition| edition.edition.clone()).collect();
    Plan::for_vault_test(policy, editions, dimensions, measured)
}

/// The counts of each table, taken out of their wrapper.
pub(super) fn counted(plan: &Plan, test: &TestVault, editions: &[EditionRow]) -> Result<Vec<Vec<i64>>, TabulateError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let tables = runtime.block_on(async {
        let sources = sources(plan, &test.vault, editions).await?;
        tabulate(sources, MEMORY).await
    })?;
    Ok(tables.0.iter().map(|table| table.counts.expose().clone()).collect())
}

pub(super) fn refusal(plan: &Plan, test: &TestVault, editions: &[EditionRow]) -> &'static str {
    counted(plan, test, editions).unwrap_err().code()
}

// G3
#[test]
fn every_declared_cell_is_there_though_no_row_falls_into_it() {
    let test = TestVault::new();
    let policy = Policy::for_vault_test(1);
    let rows = [row(1, &[0, 0, 0], None), row(2, &[0, 0, 0], None), row(3, &[1, 2, 0], None)];
    let editions = [test.close(&policy, "2026", &[test.submit(&policy, 1, &rows)])];
    let dims = vec![plain(&policy, "sex"), plain(&policy, "region")];
    let plan = plan(&policy, &editions, dims, vec![persons(&[]), persons(&[0]), persons(&[1]), persons(&[0, 1])]);
    let tables = counted(&plan, &test, &editions).unwrap();
    assert_eq!(tables[0], [3]);
    assert_eq!(tables[1], [2, 1, 0]);
    assert_eq!(tables[2], [2, 0, 1, 0]);
    assert_eq!(tables[3], [2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
}

#[test]
fn an_edition_of_nobody_is_a_table_of_zeros() {
    let test = TestVault::new();
    let policy = Policy::for_vault_test(2);
    let editions = [test.close(&policy, "2026", &[])];
    let dims = vec![plain(&policy, "sex"), plain(&policy, "service")];
    let plan = plan(&policy, &editions, dims, vec![persons(&[0]), measured(&[0, 1], true, 2, 2)]);
    assert_eq!(counted(&plan, &test, &editions).unwrap(), [vec![0; 3], vec![0; 9]]);
}

#[test]
fn periods_are_pooled_or_a_dimension() {
    let test = TestVault::new();
    let policy = Policy::for_vault_test(1);
    let early = test.submit(&policy, 1, &[row(1, &[0, 0, 0], None), row(2, &[1, 0, 0], None)]);
    let late = test.submit(&policy, 2, &[row(1, &[0, 0, 0], None)]);
    let editions = [test.close(&policy, "2025", &[early]), test.close(&policy, "2026", &[late])];
    let years = grouped(PERIOD, false, &[("2025", vec!["2025"]), ("2026", vec!["2026"])]);
    let dims = vec![years, plain(&policy, "sex")];
    let tables = vec![measured(&[1], false, 2, 4), measured(&[0, 1], false, 2, 2), measured(&[0], false, 2, 2)];
    let plan = plan(&policy, &editions, dims, tables);
    let tables = counted(&plan, &test, &editions).unwrap();
    assert_eq!(tables, [vec![2, 1, 0], vec![1, 1, 0, 1, 0, 0], vec![2, 1]]);
}

#[test]
fn codes_fall_into_the_plans_levels() {
    let test = TestVault::new();
    let policy = Policy::for_vault_test(1);
    let rows: Vec<Row> = (0..4).map(|region| row(u32::from(region), &[0, region, 0], None)).collect();
    let editions = [test.close(&policy, "2026", &[test.submit(&policy, 1, &rows)])];
    let halves = grouped("region", false, &[("rest", vec!["SOUTH", "NORTH", "EAST"]), ("WEST", vec!["WEST"])]);
    let over = |levels: Dimension| plan(&policy, &editions, vec![levels], vec![persons(&[0])]);
    assert_eq!(counted(&over(halves), &test, &editions).unwrap(), [vec![3, 1]]);
    let gap = grouped("region", false, &[("rest", vec!["SOUTH", "NORTH"]), ("WEST", vec!["WEST"])]);
    assert_eq!(refusal(&over(gap), &test, &editions), "codes_changed");
    let twice = grouped("region", false, &[("a", vec!["SOUTH", "NORTH", "EAST"]), ("b", vec!["WEST", "EAST"])]);
    assert_eq!(refusal(&over(twice), &test, &editions), "codes_changed");
    let unknown = grouped("district", false, &[("a", vec!["x"])]);
    assert_eq!(refusal(&over(unknown), &test, &editions), "column_missing");
}

#[test]
fn a_person_counts_once_in_each_cell_of_per_row_columns() {
    let test = TestVault::new();
    let policy = Policy::for_vault_test(4);
    let rows = [
        row(1, &[0, 0, 0], None),
        row(1, &[0, 0, 0], None),
        row(1, &[0, 0, 2], None),
        row(2, &[1, 0, 0], None),
        row(2, &[1, 0, 1], None),
    ];
    let editions = [test.close(&policy, "2026", &[test.submit(&policy, 1, &rows)])];
    let dims = vec![plain(&policy, "sex"), plain(&policy, "service")];
    let tables =
        vec![measured(&[1], true, 4, 3), measured(&[0, 1], true, 4, 4), measured(&[], true, 4, 1), persons(&[0])];
    let plan = plan(&policy, &editions, dims, tables);
    let tables = counted(&plan, &test, &editions).unwrap();
    assert_eq!(tables, [vec![2, 1, 1], vec![1, 0, 1, 1, 1, 0, 0, 0, 0], vec![2], vec![1, 1, 0]]);
}

// G4
#[test]
fn an_edition_with_a_wider_bound_than_was_paid_for_is_refused() {
    let test = TestVault::new();
    let policy = Policy::for_vault_test(3);
    let editions = [test.close(&policy, "2026", &[test.submit(&policy, 1, &[row(1, &[0, 0, 0], None)])])];
    let over = |table| plan(&policy, &editions, vec![plain(&policy, "sex"), plain(&policy, "service")], vec![table]);
    assert!(counted(&over(measured(&[0, 1], true, 3, 3)), &test, &editions).is_ok());
    assert_eq!(refusal(&over(measured(&[0, 1], true, 2, 3)), &test, &editions), "bound_exceeded");
    assert_eq!(refusal(&over(measured(&[0, 1], true, 3, 2)), &test, &editions), "bound_exceeded");
    let by_first_row = measured(&[1], false, 1, 1);
    assert_eq!(refusal(&over(by_first_row), &test, &editions), "bound_exceeded");
    let pooled = [editions[0].clone(), test.close(&policy, "2027", &[])];
    let over = |l1, l2| plan(&policy, &pooled, vec![plain(&policy, "sex")], vec![measured(&[0], false, l1, l2)]);
    assert!(counted(&over(2, 4), &test, &pooled).is_ok());
    assert_eq!(refusal(&over(2, 3), &test, &pooled), "bound_exceeded");
    assert_eq!(refusal(&over(1, 4), &test, &pooled), "bound_exceeded");
}

// G2
#[test]
fn only_the_editions_of_the_plan_are_counted() {
    let test = TestVault::new();
    let policy = Policy::for_vault_test(1);
    let edition = test.close(&policy, "2026", &[]);
    let plan = plan(&policy, std::slice::from_ref(&edition), vec![plain(&policy, "sex")], vec![persons(&[0])]);
    let corrected = EditionRow { edition: EditionRef { number: 2, ..edition.edition.clone() }, ..edition.clone() };
    assert_eq!(refusal(&plan, &test, &[corrected]), "editions_differ");
    assert_eq!(refusal(&plan, &test, &[]), "editions_differ");
    assert_eq!(refusal(&plan, &test, &[edition.clone(), edition]), "editions_differ");
}

#[test]
fn a_flipped_byte_is_found_before_parsing() {
    let test = TestVault::new();
    let policy = Policy::for_vault_test(1);
    let editions = [test.close(&policy, "2026", &[test.submit(&policy, 1, &[row(1, &[0, 0, 0], None)])])];
    let plan = plan(&policy, &editions, vec![plain(&policy, "sex")], vec![persons(&[0])]);
    assert!(counted(&plan, &test, &editions).is_ok());
    let path = test.vault.files().join(editions[0].files[0].id.as_str());
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(refusal(&plan, &test, &editions), "tampered");
}

#[test]
fn an_erased_edition_is_known_before_a_row_of_another_is_read() {
    let test = TestVault::new();
    let policy = Policy::for_vault_test(1);
    let sent = [test.submit(&policy, 1, &[row(1, &[0, 0, 0], None)])];
    let editions = [test.close(&policy, "2025", &sent), test.close(&policy, "2026", &sent)];
    let plan = plan(&policy, &editions, vec![plain(&policy, "sex")], vec![measured(&[0], false, 2, 4)]);
    assert_eq!(counted(&plan, &test, &editions).unwrap(), [vec![2, 0, 0]]);
    test.vault.erase(&editions[1].files).unwrap();
    let error = counted(&plan, &test, &editions).unwrap_err();
    assert_eq!(error.code(), "erased");
    assert!(error.before_reading());
}

#[test]
fn bytes_changed_under_a_forged_manifest_give_a_code_or_the_same_counts() {
    let test = TestVault::new();
    let policy = Policy::for_vault_test(2);
    let rows: Vec<Row> = (0..50).map(|i| row(i, &[0, 1, 2], Some(3))).collect();
    let mut editions = [test.close(&policy, "2026", &[test.submit(&policy, 1, &rows)])];
    let tables = vec![persons(&[0]), measured(&[1], true, 2, 2)];
    let plan = plan(&policy, &editions, vec![plain(&policy, "sex"), plain(&policy, "service")], tables);
    let path = test.vault.files().join(editions[0].files[0].id.as_str());
    let whole = std::fs::read(&path).unwrap();
    let mut refused = 0;
    for place in (0..whole.len()).step_by(whole.len() / 150) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x80;
        editions[0].files[0].sha256 = crate::identity::Digest::of(&bytes);
        std::fs::write(&path, bytes).unwrap();
        match counted(&plan, &test, &editions) {
            Ok(tables) => assert_eq!(tables, [vec![50, 0, 0], vec![0, 0, 50]]),
            Err(error) => {
                assert!(["engine", "vault_format"].contains(&error.code()), "{}", error.code());
                refused += 1;
            }
        }
    }
    assert!(refused >= 100, "the cipher notices all but what is not read: {refused}");
}

#[test]
fn over_its_memory_the_engine_gives_a_code_and_spills_nothing() {
    let test = TestVault::new();
    let policy = Policy::for_vault_test(1);
    let rows: Vec<Row> = (0..20_000_u16).map(|i| row(u32::from(i), &[i % 3, i % 4, i % 3], None)).collect();
    let edition = test.close(&policy, "2026", &[test.submit(&policy, 1, &rows)]);
    let editions = [edition];
    let plan = plan(&policy, &editions, vec![plain(&policy, "sex"), plain(&policy, "region")], vec![persons(&[0, 1])]);
    let laid = layout::editions(&plan, &editions).unwrap();
    let files = verify(&test.vault, &laid).unwrap();
    let count = |bytes| {
        let engine = engine::Engine::new(&test.vault, bytes).unwrap();
        engine.count(&laid[0], &files[0], &[0, 1]).map(|_| ())
    };
    assert!(count(MEMORY).is_ok());
    assert_eq!(count(64).unwrap_err().code(), "memory");
}

#[test]
fn tables_too_large_to_share_a_pass_get_their_own() {
    let policy = Policy::for_vault_test(1);
    let many: Vec<String> = (0..1_000).map(|code| format!("x{code}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut wide = policy.clone();
    wide.columns[0] = crate::policy::Column::for_vault_test("sex", crate::policy::Per::Person, &many);
    wide.columns[1] = crate::policy::Column::for_vault_test("region", crate::policy::Per::Person, &many);
    let test = TestVault::new();
    let rows = [row(1, &[999, 300, 0], None), row(2, &[999, 301, 1], None)];
    let editions = [test.close(&wide, "2026", &[test.submit(&wide, 1, &rows)])];
    let dims = vec![plain(&wide, "sex"), plain(&wide, "region"), plain(&wide, "service")];
    let tables = vec![persons(&[0]), persons(&[1]), persons(&[1, 2]), persons(&[2])];
    let plan = plan(&wide, &editions, dims, tables);
    let laid = layout::editions(&plan, &editions).unwrap();
    let shapes = layout::tables(&plan).unwrap();
    let passes: Vec<_> =
        layout::passes(&laid[0], shapes.iter()).into_iter().map(|pass| (pass.columns, pass.tables)).collect();
    assert_eq!(passes, [(vec![0], 0..1), (vec![1, 2], 1..4)]);
    let tables = counted(&plan, &test, &editions).unwrap();
    assert_eq!((tables[0][999], tables[1][300], tables[2][301 * 3 + 1], tables[3][1]), (2, 1, 1, 1));
}

fn register() -> impl Strategy<Value = Vec<Row>> {
    let one = (0_u32..10, 0_u16..3, 0_u16..4, 0_u16..3);
    proptest::collection::vec(one.prop_map(|(p, a, b, c)| row(p, &[a, b, c], None)), 0..50)
}

/// What the tables should be, written the slow way: (sex x region of persons, distinct persons by sex x service).
fn by_hand(rows: &[Row], rows_max: usize) -> (Vec<i64>, Vec<i64>) {
    let (mut first, mut distinct) = (vec![0; 12], vec![0; 9]);
    for person in rows.iter().map(|row| row.person).collect::<BTreeSet<_>>() {
        let kept: Vec<&Row> = rows.iter().filter(|row| row.person == person).take(rows_max).collect();
        let sex = usize::from(kept[0].codes[0]);
        first[sex * 4 + usize::from(kept[0].codes[1])] += 1;
        for service in kept.iter().map(|row| usize::from(row.codes[2])).collect::<BTreeSet<_>>() {
            distinct[sex * 3 + service] += 1;
        }
    }
    (first, distinct)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    // G4
    #[test]
    fn one_person_moves_the_tables_by_at_most_the_bound(rows in register(), person in 0_u32..10, rows_max in 1_u32..4) {
        let test = TestVault::new();
        let policy = Policy::for_vault_test(rows_max);
        let tables = |rows: &[Row]| {
            let editions = [test.close(&policy, "2026", &[test.submit(&policy, 1, rows)])];
            let dims = vec![plain(&policy, "sex"), plain(&policy, "region"), plain(&policy, "service")];
            let reach = u64::from(rows_max);
            let plan = plan(&policy, &editions, dims, vec![persons(&[0, 1]), measured(&[0, 2], true, reach, reach)]);
            let mut tables = counted(&plan, &test, &editions).unwrap();
            let distinct = tables.pop().unwrap();
            (tables.pop().unwrap(), distinct)
        };
        let others: Vec<Row> = rows.iter().filter(|row| row.person != person).cloned().collect();
        let (with, without) = (tables(&rows), tables(&others));
        prop_assert_eq!(&with, &by_hand(&rows, usize::try_from(rows_max).unwrap()));
        let moved = |a: &[i64], b: &[i64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>();
        let (first, distinct) = (moved(&with.0, &without.0), moved(&with.1, &without.1));
        prop_assert!(first.iter().all(|cell| (0..=1).contains(cell)) && first.iter().sum::<i64>() <= 1);
        prop_assert!(distinct.iter().all(|cell| (0..=1).contains(cell)));
        prop_assert!(distinct.iter().sum::<i64>() <= i64::from(rows_max));
        let present = others.len() < rows.len();
        prop_assert_eq!(first.iter().sum::<i64>(), i64::from(present));
    }
}

/// A million rows of half a million persons: `cargo test --lib a_million_rows -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, about a minute in a debug build"]
fn a_million_rows_are_closed_and_counted_in_linear_time() {
    for rows in [250_000_u32, 1_000_000] {
        let test = TestVault::new();
        let policy = Policy::for_vault_test(3);
        let code = |i: u32, n: u32| u16::try_from(i.wrapping_mul(2_654_435_761) / 7 % n).unwrap();
        let sent: Vec<Row> = (0..rows)
            .map(|i| row(i / 2, &[code(i / 2, 3), code(i / 2, 4), code(i, 3)], Some(i64::from(i % 20_000))))
            .collect();
        let lap = |what: &str, since: std::time::Instant| println!("{rows} rows, {what}: {:?}", since.elapsed());
        let start = std::time::Instant::now();
        let submitted = test.submit(&policy, 1, &sent);
        lap("sealed", start);
        let start = std::time::Instant::now();
        let editions = [test.close(&policy, "2026", &[submitted])];
        lap("closed", start);
        println!(
            "{} bytes in {} segments",
            editions[0].files.iter().map(|f| f.size).sum::<u64>(),
            editions[0].files.len()
        );
        let dims = vec![plain(&policy, "sex"), plain(&policy, "region"), plain(&policy, "service")];
        let count = |what: &str, table: Measured| {
            let plan = plan(&policy, &editions, dims.clone(), vec![table]);
            for _ in 0..2 {
                let start = std::time::Instant::now();
                let table = counted(&plan, &test, &editions).unwrap().remove(0);
                lap(what, start);
                assert!(table.iter().sum::<i64>() >= i64::from(rows / 2));
            }
        };
        count("persons", persons(&[0, 1]));
        count("distinct", measured(&[0, 1, 2], true, 3, 3));
        let kept = test.rows(&editions[0]);
        assert!(kept.is_sorted() && kept.len() == usize::try_from(rows).unwrap());
        assert_eq!(kept.last().unwrap().ordinal, rows / 2 - 1);
    }
}

// G7
#[test]
fn what_fails_while_rows_are_read_is_never_given_back() {
    let test = TestVault::new();
    let policy = Policy::for_vault_test(2);
    let sent = [test.submit(&policy, 1, &[row(1, &[0, 0, 0], None)])];
    let editions = [test.close(&policy, "2025", &sent), test.close(&policy, "2026", &sent)];
    let service = vec![plain(&policy, "service")];
    let plan = plan(&policy, &editions, service, vec![measured(&[0], true, 4, 8)]);
    let laid = layout::editions(&plan, &editions).unwrap();
    let files = verify(&test.vault, &laid).unwrap();
    // The vault loses the second edition after all were verified: the first has been read by then.
    test.vault.erase(&editions[1].files).unwrap();
    let error = read(&test.vault, layout::tables(&plan).unwrap(), &laid, &files, MEMORY).err().unwrap();
    assert_eq!(error.code(), "interrupted");
    assert!(!error.before_reading());
}

// G8
#[test]
fn a_table_of_many_combinations_takes_memory_by_its_cells_not_by_its_rows() {
    let many: Vec<String> = (0..1_000).map(|code| format!("x{code}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut wide = Policy::for_vault_test(2);
    wide.columns[0] = crate::policy::Column::for_vault_test("sex", crate::policy::Per::Person, &many);
    wide.columns[1] = crate::policy::Column::for_vault_test("region", crate::policy::Per::Person, &many);
    let test = TestVault::new();
    let rows = [row(1, &[999, 300, 0], None), row(1, &[999, 300, 1], None), row(2, &[0, 301, 1], None)];
    let editions = [test.close(&wide, "2026", &[test.submit(&wide, 1, &rows)])];
    let halves = [("low", many[..500].to_vec()), ("high", many[500..].to_vec())];
    let dims = vec![grouped("sex", false, &halves), grouped("region", false, &halves)];
    let plan = plan(&wide, &editions, dims, vec![persons(&[0]), persons(&[0, 1])]);
    let laid = layout::editions(&plan, &editions).unwrap();
    let shapes = layout::tables(&plan).unwrap();
    let too_fine: Vec<bool> = shapes.iter().map(|table| layout::too_fine(&laid[0], table)).collect();
    assert_eq!(too_fine, [false, true], "by the codes that may occur, however few the levels");
    assert_eq!(counted(&plan, &test, &editions).unwrap(), [vec![1, 1], vec![1, 0, 1, 0]], "each person once");
}
