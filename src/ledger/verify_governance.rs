//! Policies, approvals, suspensions, tokens and settings, held against what the log tells.
//!
//! A policy's text must give the digest that officers approved, and the columns that are read without parsing it must
//! say what the text says. One that came into force in a gap has lost its text, and stands as `lost`.

use super::LedgerError;
use super::row::{columns, count, digest, int, json, name, small, to_json, word};
use super::{PolicySource, store};
use crate::identity::{DatasetId, Digest, TokenId};
use crate::policy::Policy;
use crate::transparency::{Replay, Report};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet};

/// Compares what officers and operators decided.
pub(super) async fn verify(
    rows: &mut SqliteConnection,
    replay: &Replay,
    report: &mut Report,
) -> Result<(), LedgerError> {
    policies(rows, replay, report).await?;
    suspensions(rows, replay, report).await?;
    tokens(rows, replay, report).await?;
    let settings = store::meta(rows, "settings").await?;
    if settings != replay.settings.map_or_else(String::new, |settings| settings.to_string()) {
        report.find(None, "settings_differ", "the settings noted are not those that the log tells");
    }
    Ok(())
}

columns! {
    PolicyColumns {
        sha256: String,
        dataset: String,
        version: i64,
        source: String,
        state: String,
        proposer: String,
        account: String,
        ids: String,
        quota: Option<i64>,
        log_index: i64,
    }
}

/// The states a policy's row may have.
pub(super) fn states(replay: &Replay, sha256: &Digest) -> &'static [&'static str] {
    let Some(policy) = replay.policies.get(sha256) else { return &[] };
    match policy.enacted {
        None => &["proposed", "expired"],
        Some(enacted) if replay.lost(enacted) => &["lost"],
        Some(_) if replay.in_force.get(&policy.dataset) == Some(sha256) => &["in_force"],
        Some(_) => &["superseded"],
    }
}

async fn policies(rows: &mut SqliteConnection, replay: &Replay, report: &mut Report) -> Result<(), LedgerError> {
    let found: Vec<PolicyColumns> = sqlx::query_as("SELECT * FROM policies").fetch_all(&mut *rows).await?;
    let mut approvals: BTreeMap<String, Vec<(TokenId, u64)>> = BTreeMap::new();
    let given: Vec<(String, String, i64)> =
        sqlx::query_as("SELECT policy, officer, log_index FROM approvals ORDER BY log_index").fetch_all(rows).await?;
    for (policy, officer, index) in given {
        approvals.entry(policy).or_default().push((name(officer)?, count(index)?));
    }
    let mut known = BTreeSet::new();
    for row in found {
        let sha256 = digest(&row.sha256)?;
        let mut officers = vec![(name(row.proposer.clone())?, count(row.log_index)?)];
        officers.extend(approvals.remove(&row.sha256).unwrap_or_default());
        let told = replay.policies.get(&sha256).is_some_and(|policy| {
            let pays = policy.grant.as_ref().is_none_or(|(account, _)| account.as_str() == row.account);
            let named = policy.dataset.as_str() == row.dataset && Ok(policy.version) == u32::try_from(row.version);
            pays && named && policy.officers == officers
        });
        if !told || !states(replay, &sha256).contains(&row.state.as_str()) {
            report.find(Some(count(row.log_index)?), "policies_differ", "a policy is not as the log tells");
        }
        if row.state != "lost" && !is_its_text(&row, &sha256)? {
            let what = format!("the text kept of a policy of {} is not the one approved", row.dataset);
            report.find(Some(count(row.log_index)?), "policy_text", what);
        }
        known.insert(sha256);
    }
    if !approvals.is_empty() {
        report.find(None, "policies_differ", "a policy is approved that is not there");
    }
    for (sha256, policy) in &replay.policies {
        let proposed = policy.officers.first().map_or(0, |(_, index)| *index);
        let gone = policy.enacted.is_none() && replay.lost(proposed);
        if !known.contains(sha256) && !gone {
            report.find(Some(proposed), "policies_differ", "a policy that the log tells of is missing");
        }
    }
    Ok(())
}

/// Whether the text gives the digest, and the columns say what the text says.
fn is_its_text(row: &PolicyColumns, sha256: &Digest) -> Result<bool, LedgerError> {
    let source: PolicySource = json(&row.source)?;
    let Ok((policy, _)) = Policy::parse(&source.toml, &source.lists) else { return Ok(false) };
    let quota = policy.budget.quota_per_organisation.map(|quota| int(quota.as_nanos())).transpose()?;
    Ok(policy.sha256 == *sha256
        && to_json(&source)? == row.source
        && policy.id.as_str() == row.dataset
        && policy.version == small(row.version)?
        && policy.budget.account.as_str() == row.account
        && to_json(&policy.unit.id)? == row.ids
        && quota == row.quota)
}

async fn suspensions(rows: &mut SqliteConnection, replay: &Replay, report: &mut Report) -> Result<(), LedgerError> {
    let found: Vec<(String, i64)> = sqlx::query_as("SELECT dataset, suspended FROM datasets").fetch_all(rows).await?;
    let mut stored: BTreeMap<DatasetId, i64> = BTreeMap::new();
    for (dataset, suspended) in found {
        stored.insert(name(dataset)?, suspended);
    }
    let told = replay.in_force.keys().map(|dataset| (dataset.clone(), i64::from(replay.suspended.contains(dataset))));
    if stored != told.collect() {
        report.find(None, "suspensions_differ", "the suspensions are not those that the log tells");
    }
    Ok(())
}

async fn tokens(rows: &mut SqliteConnection, replay: &Replay, report: &mut Report) -> Result<(), LedgerError> {
    let found: Vec<(String, String, i64, i64)> =
        sqlx::query_as("SELECT id, role, revoked, log_index FROM tokens").fetch_all(rows).await?;
    let mut known: BTreeSet<TokenId> = BTreeSet::new();
    for (id, role, revoked, index) in found {
        let (id, index) = (name(id)?, count(index)?);
        let role = word(role)?;
        let told = replay
            .tokens
            .get(&id)
            .is_some_and(|token| token.role == role && revoked == i64::from(!token.in_use) && token.index == index);
        if !told {
            report.find(Some(index), "tokens_differ", "a token is not as the log tells");
        }
        known.insert(id);
    }
    for (id, token) in &replay.tokens {
        if !known.contains(id) && !replay.lost(token.index) {
            report.find(Some(token.index), "tokens_differ", "a token that the log tells of is missing");
        }
    }
    Ok(())
}
