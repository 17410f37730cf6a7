//! Releases, submissions and editions, held against what the log tells: each must say the same, none may be extra, and
//! none may be missing but those of a gap that a `restored` leaf tells of.

use super::LedgerError;
use super::commitment;
use super::row::{columns, count, digest, name, small};
use super::submissions;
use crate::identity::{DatasetId, Digest, Period, ReleaseId};
use crate::transparency::{EditionReplay, Replay, Report, Standing};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet};

/// Compares what was received, closed and released.
pub(super) async fn verify(
    rows: &mut SqliteConnection,
    replay: &Replay,
    report: &mut Report,
) -> Result<(), LedgerError> {
    releases(rows, replay, report).await?;
    received(rows, replay, report).await?;
    editions(rows, replay, report).await
}

columns! {
    ReleaseColumns {
        id: String,
        body: Vec<u8>,
        sha256: String,
        log_index: i64,
        notice: Option<String>,
        claim: String,
    }
}

async fn releases(rows: &mut SqliteConnection, replay: &Replay, report: &mut Report) -> Result<(), LedgerError> {
    let query = "SELECT r.id, r.body, r.sha256, r.log_index, r.notice, COALESCE(d.claim, '') AS claim
                 FROM releases r LEFT JOIN draws d ON d.draw = r.draw";
    let found: Vec<ReleaseColumns> = sqlx::query_as(query).fetch_all(rows).await?;
    let mut known = BTreeSet::new();
    for row in found {
        let (id, index): (ReleaseId, u64) = (name(row.id)?, count(row.log_index)?);
        let body = Digest::of(&row.body);
        let told = replay.releases.get(&id).is_some_and(|release| {
            release.sha256 == body
                && release.index == index
                && release.notice == row.notice
                && release.claim.as_str() == row.claim
        });
        if !told || digest(&row.sha256)? != body {
            report.find(Some(index), "releases_differ", format!("release {id} is not as the log tells"));
        }
        known.insert(id);
    }
    for (id, release) in &replay.releases {
        if !known.contains(id) && !replay.lost(release.index) {
            report.find(Some(release.index), "releases_differ", format!("release {id} is missing"));
        }
    }
    Ok(())
}

async fn received(rows: &mut SqliteConnection, replay: &Replay, report: &mut Report) -> Result<(), LedgerError> {
    let found = submissions::all(rows).await?;
    for (id, row) in &found {
        let receipt = &row.receipt;
        let told = replay.submissions.get(id).is_some_and(|known| {
            (&known.told.organisation, &known.told.dataset, &known.told.period, known.told.commitment, known.index)
                == (&row.organisation, &receipt.dataset, &receipt.period, receipt.commitment, receipt.log_index)
                && submissions::state_of(known.standing) == row.state
                && receipt.submission == *id
        });
        if !told {
            let what = format!("submission {id} is not as the log tells");
            report.find(Some(receipt.log_index), "submissions_differ", what);
        }
    }
    for (id, known) in &replay.submissions {
        let gone = replay.lost(known.index) && known.standing != Standing::Live;
        if !found.contains_key(id) && !gone {
            report.find(Some(known.index), "submissions_differ", format!("submission {id} is missing"));
        }
    }
    Ok(())
}

columns! {
    EditionColumns {
        dataset: String,
        period: String,
        number: i64,
        submissions: String,
        salt: String,
        commitment: String,
        log_index: i64,
    }
}

async fn editions(rows: &mut SqliteConnection, replay: &Replay, report: &mut Report) -> Result<(), LedgerError> {
    let mut stored: BTreeMap<(DatasetId, Period), Vec<EditionReplay>> = BTreeMap::new();
    let found: Vec<EditionColumns> =
        sqlx::query_as("SELECT * FROM editions ORDER BY dataset, period, number").fetch_all(&mut *rows).await?;
    for row in found {
        let (commitment, index) = (digest(&row.commitment)?, count(row.log_index)?);
        if commitment::under(&row.salt, row.submissions.as_bytes())? != commitment {
            report.find(
                Some(index),
                "edition_opening",
                "the submissions kept for an edition are not those committed to",
            );
        }
        let edition = EditionReplay { number: small(row.number)?, commitment, index };
        stored.entry((name(row.dataset)?, name(row.period)?)).or_default().push(edition);
    }
    let (lost, kept): (Vec<_>, Vec<_>) = replay
        .editions
        .iter()
        .flat_map(|(of, editions)| editions.iter().map(move |edition| (of, edition)))
        .partition(|(_, edition)| replay.lost(edition.index));
    let stored: Vec<_> =
        stored.iter().flat_map(|(of, editions)| editions.iter().map(move |edition| (of, edition))).collect();
    if stored != kept {
        report.find(None, "editions_differ", "the editions are not those that the log tells");
    }
    let noted: Vec<(String, String, i64)> =
        sqlx::query_as("SELECT dataset, period, number FROM lost_editions").fetch_all(rows).await?;
    let noted: BTreeSet<(String, String, i64)> = noted.into_iter().collect();
    let told = lost.iter().map(|((dataset, period), edition)| {
        (dataset.as_str().to_owned(), period.as_str().to_owned(), i64::from(edition.number))
    });
    if noted != told.collect() {
        report.find(None, "editions_differ", "the editions noted as lost are not those that the log tells");
    }
    Ok(())
}
