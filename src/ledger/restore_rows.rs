//! Everything but accounts, of a database that was put back, brought forward to what the log tells; and the report.
//!
//! # Guarantee
//! What was withdrawn, replaced or erased is so again, and its files are named by nothing: the vault destroys their
//! keys before anything is served. What began in the gap is not made up: its numbers stay used, its datasets suspended,
//! its tokens dead.

use super::row::{int, to_json};
use super::writing::Writing;
use super::{LedgerError, PolicySource, Resend, Restored, store, submissions, verify_governance};
use crate::budget::Nanos;
use crate::identity::{AccountId, DatasetId, Digest, SubmissionId};
use crate::transparency::{PolicyReplay, Replay, Standing};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Brings the rows forward, and says what was lost in the gap.
pub(super) async fn bring_forward(
    writing: &mut Writing,
    replay: &Replay,
    gap: Range<u64>,
    charges: BTreeMap<AccountId, Nanos>,
) -> Result<Restored, LedgerError> {
    let now = writing.now().timestamp_millis();
    let rows = writing.rows();
    let erased = withdrawn(rows, replay).await?;
    notices(rows, replay).await?;
    editions(rows, replay).await?;
    for (sha256, policy) in &replay.policies {
        self::policy(rows, replay, sha256, policy, now).await?;
    }
    suspensions(rows, replay).await?;
    for (token, _) in replay.tokens.iter().filter(|(_, token)| !token.in_use) {
        sqlx::query("UPDATE tokens SET revoked = 1 WHERE id = ? AND revoked = 0")
            .bind(token.as_str())
            .execute(&mut *rows)
            .await?;
    }
    let settings = replay.settings.map_or_else(String::new, |settings| settings.to_string());
    store::set_meta(rows, "settings", &settings).await?;
    Ok(report(replay, gap, charges, erased))
}

/// Withdraws and erases again; gives whose files go.
async fn withdrawn(rows: &mut SqliteConnection, replay: &Replay) -> Result<Vec<SubmissionId>, LedgerError> {
    let mut erased = Vec::new();
    for (id, row) in submissions::all(rows).await? {
        let told = replay.submissions.get(&id).ok_or(LedgerError::Corruption("a submission is not in the log"))?;
        if submissions::state_of(told.standing) == row.state {
            continue;
        }
        match told.standing {
            Standing::Live => {
                return Err(LedgerError::Corruption("a submission has ended that the log holds for live"));
            }
            Standing::Replaced => submissions::replace(rows, &id).await?,
            Standing::Erased => submissions::wipe(rows, &row.receipt).await?,
        }
        erased.push(id);
    }
    Ok(erased)
}

async fn notices(rows: &mut SqliteConnection, replay: &Replay) -> Result<(), LedgerError> {
    for (release, told) in replay.releases.iter().filter(|(_, told)| told.notice.is_some()) {
        sqlx::query("UPDATE releases SET notice = ?1 WHERE id = ?2 AND notice IS NOT ?1")
            .bind(told.notice.as_deref())
            .bind(release.as_str())
            .execute(&mut *rows)
            .await?;
    }
    Ok(())
}

/// Editions of the gap: the number stays used, and nothing else.
async fn editions(rows: &mut SqliteConnection, replay: &Replay) -> Result<(), LedgerError> {
    for ((dataset, period), editions) in &replay.editions {
        for edition in editions.iter().filter(|edition| replay.lost(edition.index)) {
            for query in [
                "DELETE FROM editions WHERE dataset = ? AND period = ? AND number = ?",
                "INSERT INTO lost_editions (dataset, period, number) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            ] {
                sqlx::query(query)
                    .bind(dataset.as_str())
                    .bind(period.as_str())
                    .bind(edition.number)
                    .execute(&mut *rows)
                    .await?;
            }
        }
    }
    Ok(())
}

/// One policy: officers as the log names them; one that came into force in the gap stands without its text.
async fn policy(
    rows: &mut SqliteConnection,
    replay: &Replay,
    sha256: &Digest,
    policy: &PolicyReplay,
    now: i64,
) -> Result<(), LedgerError> {
    let states = verify_governance::states(replay, sha256);
    let Some(((officer, index), approvals)) = policy.officers.split_first() else { return Ok(()) };
    let key = sha256.to_string();
    let found: Option<String> =
        sqlx::query_scalar("SELECT state FROM policies WHERE sha256 = ?").bind(&key).fetch_optional(&mut *rows).await?;
    match (found, &policy.grant) {
        (Some(state), _) => {
            let state = if states.contains(&state.as_str()) { &state } else { *states.first().unwrap_or(&"lost") };
            sqlx::query("UPDATE policies SET state = ?, proposer = ?, log_index = ? WHERE sha256 = ?")
                .bind(state)
                .bind(officer.as_str())
                .bind(int(*index)?)
                .bind(&key)
                .execute(&mut *rows)
                .await?;
        }
        (None, Some((account, _))) => {
            // A proposal of the same version whose time had run out gives way to it.
            sqlx::query(
                "UPDATE policies SET state = 'expired' WHERE dataset = ? AND version = ? AND state = 'proposed'",
            )
            .bind(policy.dataset.as_str())
            .bind(policy.version)
            .execute(&mut *rows)
            .await?;
            sqlx::query(
                "INSERT INTO policies (sha256, dataset, version, source, state, proposer, proposed_at, account, ids,
                 log_index)
                 VALUES (?1, ?2, ?3, ?4, 'lost', ?5, ?6, ?7,
                 COALESCE((SELECT ids FROM policies WHERE dataset = ?2 LIMIT 1), ''), ?8)",
            )
            .bind(&key)
            .bind(policy.dataset.as_str())
            .bind(policy.version)
            .bind(to_json(&PolicySource { toml: String::new(), lists: crate::policy::CodeLists::default() })?)
            .bind(officer.as_str())
            .bind(now)
            .bind(account.as_str())
            .bind(int(*index)?)
            .execute(&mut *rows)
            .await?;
        }
        // A proposal of the gap: officers propose again.
        (None, None) => return Ok(()),
    }
    sqlx::query("DELETE FROM approvals WHERE policy = ?").bind(&key).execute(&mut *rows).await?;
    for (officer, index) in approvals {
        sqlx::query("INSERT INTO approvals (policy, officer, log_index) VALUES (?, ?, ?)")
            .bind(&key)
            .bind(officer.as_str())
            .bind(int(*index)?)
            .execute(&mut *rows)
            .await?;
    }
    Ok(())
}

async fn suspensions(rows: &mut SqliteConnection, replay: &Replay) -> Result<(), LedgerError> {
    for dataset in replay.in_force.keys() {
        sqlx::query(
            "INSERT INTO datasets (dataset, suspended) VALUES (?1, ?2)
             ON CONFLICT (dataset) DO UPDATE SET suspended = ?2",
        )
        .bind(dataset.as_str())
        .bind(i64::from(replay.suspended.contains(dataset)))
        .execute(&mut *rows)
        .await?;
    }
    Ok(())
}

/// What the log tells of the gap, for those who must act on it.
fn report(
    replay: &Replay,
    gap: Range<u64>,
    charges: BTreeMap<AccountId, Nanos>,
    erased: Vec<SubmissionId>,
) -> Restored {
    let lost_policy = |sha256: &Digest| {
        replay.policies.get(sha256).is_some_and(|policy| policy.enacted.is_some_and(|at| replay.lost(at)))
    };
    let resend = replay.submissions.iter().filter(|(_, told)| gap.contains(&told.index)).map(|(id, known)| Resend {
        submission: id.clone(),
        organisation: known.told.organisation.clone(),
        dataset: known.told.dataset.clone(),
        period: known.told.period.clone(),
    });
    let editions = replay.editions.iter().flat_map(|((dataset, period), editions)| {
        let lost = editions.iter().filter(|edition| gap.contains(&edition.index));
        lost.map(move |edition| (dataset.clone(), period.clone(), edition.number))
    });
    let suspended: BTreeSet<DatasetId> =
        replay.in_force.iter().filter(|(_, sha256)| lost_policy(sha256)).map(|(dataset, _)| dataset.clone()).collect();
    let releases = replay.releases.iter().filter(|(_, told)| gap.contains(&told.index)).map(|(id, _)| id.clone());
    let tokens = replay.tokens.iter().filter(|(_, told)| gap.contains(&told.index)).map(|(id, _)| id.clone());
    Restored {
        resend: resend.collect(),
        editions: editions.collect(),
        suspended: suspended.into_iter().collect(),
        releases: releases.collect(),
        tokens: tokens.collect(),
        gap,
        charges,
        erased,
    }
}
