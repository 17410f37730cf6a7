//! A byte flipped in what is alive is found by `verify`, or refused by the service; elsewhere it changes no answer.
//!
//! Every column of every row is changed in turn, once by accident and once by an editor who knows about seals; then raw
//! bytes of the database, of the witness and of the log's key.

use super::story::{Story, editor, seal_anew};
use super::*;
use crate::ledger::seal::Noted;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};

/// Columns that an editor may change who seals the row anew: the log says nothing of them, so nobody but the seal
/// holds them. An editor with write access to the database is root in all but name; the log covers what may be told
/// about people and what it cost, and these are what is left.
const HELD_BY_SEALS_ALONE: &[&str] = &[
    "claims.dataset",
    "claims.draw",
    "claims.editions",
    "claims.epoch",
    "claims.measurement",
    "claims.owner",
    "claims.reserved_at",
    "draws.measurement",
    "draws.sealed",
    "editions.closed_at",
    "editions.coding",
    "editions.files",
    "head.acknowledged",
    "meta.key",
    "meta.value",
    "policies.proposed_at",
    "quotas.cap",
    "releases.dataset",
    "releases.release",
    "releases.released_at",
    "submissions.coding",
    "submissions.files",
    "submissions.idempotency_key",
    "submissions.policy",
    "submissions.receipt",
    "submissions.sequence",
    "submissions.submitted_at",
    "tokens.class",
    "tokens.datasets",
    "tokens.expires",
    "tokens.organisation",
    "tokens.sha256",
];

/// Raw bytes flipped over the whole database, beyond its header.
const OFFSETS: u64 = 600;

async fn tables(rows: &mut SqliteConnection) -> Vec<String> {
    let query = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    sqlx::query_scalar(query).fetch_all(rows).await.unwrap()
}

/// Values a column might have instead, as SQL: one that still looks like a digest or a name, one that reads the same.
fn instead(kind: &str) -> [&'static str; 2] {
    match kind {
        "INTEGER" => ["COALESCE({c}, 0) + 1", "COALESCE({c}, 0) + 1000000"],
        "TEXT" => [
            "substr(COALESCE({c}, 'x'), 1, length(COALESCE({c}, 'x')) - 1) || iif(substr({c}, -1) = '1', '2', '1')",
            "COALESCE({c}, '') || ' '",
        ],
        _ => ["substr({c}, 2)", "zeroblob(length({c}))"],
    }
}

/// Changes one column of one row in a copy; whether it was found, or `None` if the value cannot be.
async fn change(story: &Story, sql: &str, sealing: bool) -> Option<bool> {
    let folder = tempfile::tempdir().unwrap();
    story.copy_to(folder.path());
    let (database, noted) = (folder.path().join("ledger.sqlite"), Noted::default());
    let mut rows = editor(&database, sealing.then_some(&noted)).await;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut rows).await.ok()?;
    if sealing {
        seal_anew(&mut rows, &noted).await;
    }
    rows.close().await.unwrap();
    let report = verify_database(&database, Some(&folder.path().join("witness"))).await;
    Some(report.map_or(true, |report| !report.findings.is_empty()))
}

/// Changes every column of every row in turn and gives, by `table.column`, how often and how often it was found.
async fn each_column(story: &Story, sealing: bool) -> BTreeMap<String, (u32, u32)> {
    let mut rows = editor(&story.desk.database(), None).await;
    let mut counts: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for table in tables(&mut rows).await {
        let query = format!("SELECT name, type FROM pragma_table_info('{table}')");
        let columns: Vec<(String, String)> = sqlx::query_as(AssertSqlSafe(query)).fetch_all(&mut rows).await.unwrap();
        let query = format!("SELECT rowid FROM {table}");
        let ids: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&mut rows).await.unwrap();
        // Of the log, whose leaves are all alike, every twelfth.
        let step = if ["leaves", "hashes"].contains(&table.as_str()) { 12 } else { 1 };
        for id in ids.into_iter().step_by(step) {
            for (column, kind) in columns.iter().filter(|(column, _)| !sealing || column != "seal") {
                // By accident one value will do (the second, where the first is taken).
                let mut done = false;
                for value in instead(kind) {
                    if done && !sealing {
                        continue;
                    }
                    let value = value.replace("{c}", column);
                    let sql = format!("UPDATE {table} SET {column} = {value} WHERE rowid = {id}");
                    let Some(found) = change(story, &sql, sealing).await else { continue };
                    done = true;
                    let count = counts.entry(format!("{table}.{column}")).or_default();
                    *count = (count.0 + 1, count.1 + u32::from(found));
                }
            }
        }
    }
    counts
}

#[tokio::test]
async fn a_change_in_any_column_of_any_row_is_found() {
    let story = Story::told().await;
    let counts = each_column(&story, false).await;
    let missed: Vec<_> = counts.iter().filter(|(_, (tried, found))| tried != found).collect();
    assert_eq!(missed, Vec::<(&String, &(u32, u32))>::new());
    let tried: u32 = counts.values().map(|(tried, _)| tried).sum();
    println!("{tried} changes in {} columns, all found", counts.len());
    assert!(counts.len() > 120 && tried > 400, "{} {tried}", counts.len());
    story.desk.verify().await;
}

// G6, G10, G12
#[tokio::test]
async fn an_editor_who_seals_anew_is_found_in_everything_the_log_covers() {
    let story = Story::told().await;
    let counts = each_column(&story, true).await;
    let missed: BTreeSet<&str> =
        counts.iter().filter(|(_, (tried, found))| tried != found).map(|(column, _)| column.as_str()).collect();
    println!("{} columns, of which the seal alone holds {missed:?}", counts.len());
    let stated: BTreeSet<&str> = HELD_BY_SEALS_ALONE.iter().copied().collect();
    assert_eq!(missed, stated);
    story.desk.verify().await;
}

/// What became of a flipped byte.
#[derive(Debug, Default)]
struct Outcome {
    found: u32,
    refused: u32,
    same: u32,
}

/// Flips one bit at each of these places of a file, each in a copy of its own.
async fn flip(story: &Story, file: &str, places: impl Iterator<Item = u64>) -> Outcome {
    let whole = std::fs::read(story.desk.folder.path().join(file)).unwrap();
    let honest = tempfile::tempdir().unwrap();
    story.copy_to(honest.path());
    let expected = story.answers(honest.path()).await.unwrap();
    let mut outcome = Outcome::default();
    for place in places {
        let folder = tempfile::tempdir().unwrap();
        story.copy_to(folder.path());
        let mut bytes = whole.clone();
        bytes[usize::try_from(place).unwrap()] ^= 1 << (place % 8);
        std::fs::write(folder.path().join(file), bytes).unwrap();
        let (database, witness) = (folder.path().join("ledger.sqlite"), folder.path().join("witness"));
        let report = verify_database(&database, Some(&witness)).await;
        if report.map_or(true, |report| !report.findings.is_empty()) {
            outcome.found += 1;
            continue;
        }
        match story.answers(folder.path()).await {
            Err(_) => outcome.refused += 1,
            Ok(said) => {
                assert_eq!(said, expected, "a flip at {place} of {file} changes an answer");
                outcome.same += 1;
            }
        }
    }
    println!("{file}: {outcome:?}");
    outcome
}

#[tokio::test]
async fn a_flipped_byte_of_the_database_is_found_or_refused_or_changes_no_answer() {
    let story = Story::told().await;
    let length = std::fs::metadata(story.desk.database()).unwrap().len();
    // The header byte by byte, then places spread over the whole file.
    let spread = (0..OFFSETS).map(|n| 100 + n.wrapping_mul(0x9E37_79B9_7F4A_7C15) % (length - 100));
    let outcome = flip(&story, "ledger.sqlite", (0..100).chain(spread)).await;
    assert_eq!(outcome.found + outcome.refused + outcome.same, 700);
    // Most of a small database is unused space between its cells.
    assert!(outcome.found > 100, "{outcome:?}");
}

#[tokio::test]
async fn a_flipped_byte_of_the_witness_is_found_or_changes_no_answer() {
    let story = Story::told().await;
    let length = std::fs::metadata(story.desk.witness()).unwrap().len();
    let ends = [length - 1, length - 2, 0, 64, 65];
    let outcome = flip(&story, "witness", (0..400).map(|n| n * 7919 % length).chain(ends)).await;
    // The end of the last line, flipped, makes it a line that was never finished: caught up at the next start.
    assert!(outcome.found >= 404 && outcome.refused == 0, "{outcome:?}");
}

#[tokio::test]
async fn a_flipped_byte_of_the_logs_key_is_refused_or_changes_no_answer() {
    let story = Story::told().await;
    let length = std::fs::metadata(story.desk.folder.path().join("key")).unwrap().len();
    let outcome = flip(&story, "key", 0..length).await;
    assert!(u64::from(outcome.refused) >= length - 2, "{outcome:?}");
}
