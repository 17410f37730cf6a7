//! The rows of the ledger, held against what the log tells: each must say the same, and none may be missing or extra.

use super::commitment;
use super::row::{amount, columns, count, digest, json, name, small, word};
use super::{LedgerError, PolicySource};
use crate::budget::Nanos;
use crate::identity::{AccountId, ClaimId, DatasetId, Digest, ReleaseId, Role, SubmissionId, TokenId};
use crate::policy::Policy;
use crate::transparency::{AccountReplay, ClaimState, Replay, Report};
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

/// Compares every table that the log speaks of.
pub(super) async fn verify(
    rows: &mut SqliteConnection,
    replay: &Replay,
    report: &mut Report,
) -> Result<(), LedgerError> {
    accounts(rows, replay, report).await?;
    claims(rows, replay, report).await?;
    releases(rows, replay, report).await?;
    submissions(rows, replay, report).await?;
    editions(rows, replay, report).await?;
    policies(rows, replay, report).await?;
    tokens(rows, replay, report).await
}

async fn accounts(rows: &mut SqliteConnection, replay: &Replay, report: &mut Report) -> Result<(), LedgerError> {
    let found: Vec<(String, String, i64, i64, i64)> =
        sqlx::query_as("SELECT account, accounting, cap, held, spent FROM accounts").fetch_all(&mut *rows).await?;
    let mut stored = BTreeMap::new();
    for (account, accounting, cap, held, spent) in found {
        let account: AccountId = name(account)?;
        let balance = AccountReplay {
            accounting: word(accounting)?,
            cap: amount(cap)?,
            held: amount(held)?,
            spent: amount(spent)?,
        };
        stored.insert(account, balance);
    }
    if stored != replay.accounts {
        report.find(None, "account_differs", "the accounts are not those that the log tells");
    }
    for (account, balance) in &stored {
        let sums: (i64, i64, i64) = sqlx::query_as(
            "SELECT COALESCE(SUM(cap), 0), COALESCE(SUM(held), 0), COALESCE(SUM(spent), 0) FROM shares
             WHERE account = ?",
        )
        .bind(account.as_str())
        .fetch_one(&mut *rows)
        .await?;
        let quotas: (i64, i64) =
            sqlx::query_as("SELECT COALESCE(SUM(held), 0), COALESCE(SUM(spent), 0) FROM quotas WHERE account = ?")
                .bind(account.as_str())
                .fetch_one(&mut *rows)
                .await?;
        let used = (balance.held, balance.spent);
        if amount(sums.0)? != balance.cap || (amount(sums.1)?, amount(sums.2)?) != used {
            report.find(None, "shares_differ", format!("the shares of account {account} do not sum to it"));
        }
        if (amount(quotas.0)?, amount(quotas.1)?) != used {
            report.find(None, "quotas_differ", format!("the quotas of account {account} do not sum to it"));
        }
    }
    Ok(())
}

columns! {
    ClaimColumns {
        claim: String,
        account: String,
        cost: i64,
        state: String,
        salt: String,
        opening: String,
        commitment: String,
        log_index: i64,
    }
}

async fn claims(rows: &mut SqliteConnection, replay: &Replay, report: &mut Report) -> Result<(), LedgerError> {
    let found: Vec<ClaimColumns> = sqlx::query_as("SELECT * FROM claims").fetch_all(rows).await?;
    if found.len() != replay.claims.len() {
        report.find(None, "claims_differ", "there are more or fewer claims than the log tells");
    }
    for row in found {
        let index = Some(count(row.log_index)?);
        let (id, account, cost): (ClaimId, AccountId, Nanos) =
            (name(row.claim)?, name(row.account)?, amount(row.cost)?);
        let commitment = digest(&row.commitment)?;
        let told = replay.claims.get(&id).is_some_and(|claim| {
            let state = match claim.state {
                ClaimState::Open => "open",
                ClaimState::Settled => "settled",
                ClaimState::Voided => "voided",
            };
            claim.account == account && claim.cost == cost && claim.commitment == commitment && row.state == state
        });
        if !told {
            report.find(index, "claims_differ", "a claim is not as the log tells");
        }
        if commitment::under(&row.salt, row.opening.as_bytes())? != commitment {
            report.find(index, "claim_opening", "the question kept for a claim is not the one committed to");
        }
    }
    Ok(())
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
    if found.len() != replay.releases.len() {
        report.find(None, "releases_differ", "there are more or fewer releases than the log tells");
    }
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
    }
    Ok(())
}

async fn submissions(rows: &mut SqliteConnection, replay: &Replay, report: &mut Report) -> Result<(), LedgerError> {
    let found: Vec<(String, String, String, i64)> =
        sqlx::query_as("SELECT id, state, commitment, log_index FROM submissions").fetch_all(rows).await?;
    if found.len() != replay.submissions.len() {
        report.find(None, "submissions_differ", "there are more or fewer submissions than the log tells");
    }
    for (id, state, commitment, index) in found {
        let (id, commitment): (SubmissionId, Digest) = (name(id)?, digest(&commitment)?);
        let told = replay.submissions.get(&id);
        if told.is_none_or(|told| told.commitment != commitment || told.live != (state == "live")) {
            report.find(Some(count(index)?), "submissions_differ", format!("submission {id} is not as the log tells"));
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
    }
}

async fn editions(rows: &mut SqliteConnection, replay: &Replay, report: &mut Report) -> Result<(), LedgerError> {
    let mut stored: BTreeMap<_, Vec<(u32, Digest)>> = BTreeMap::new();
    let found: Vec<EditionColumns> =
        sqlx::query_as("SELECT * FROM editions ORDER BY dataset, period, number").fetch_all(rows).await?;
    for row in found {
        let commitment = digest(&row.commitment)?;
        if commitment::under(&row.salt, row.submissions.as_bytes())? != commitment {
            report.find(None, "edition_opening", "the submissions kept for an edition are not those committed to");
        }
        let of: (DatasetId, crate::identity::Period) = (name(row.dataset)?, name(row.period)?);
        stored.entry(of).or_default().push((small(row.number)?, commitment));
    }
    if stored != replay.editions {
        report.find(None, "editions_differ", "the editions are not those that the log tells");
    }
    Ok(())
}

async fn policies(rows: &mut SqliteConnection, replay: &Replay, report: &mut Report) -> Result<(), LedgerError> {
    let found: Vec<(String, String, String, i64)> = sqlx::query_as(
        "SELECT p.dataset, p.sha256, p.source, COALESCE(d.suspended, 0) FROM policies p
         LEFT JOIN datasets d ON d.dataset = p.dataset WHERE p.state = 'in_force'",
    )
    .fetch_all(rows)
    .await?;
    let (mut in_force, mut suspended) = (BTreeMap::new(), std::collections::BTreeSet::new());
    for (dataset, sha256, source, stopped) in found {
        let (dataset, sha256): (DatasetId, Digest) = (name(dataset)?, digest(&sha256)?);
        let source: PolicySource = json(&source)?;
        if !Policy::parse(&source.toml, &source.lists).is_ok_and(|(policy, _)| policy.sha256 == sha256) {
            report.find(
                None,
                "policy_text",
                format!("the text kept of the policy of {dataset} is not the one approved"),
            );
        }
        if stopped != 0 {
            suspended.insert(dataset.clone());
        }
        in_force.insert(dataset, sha256);
    }
    if in_force != replay.in_force || suspended != replay.suspended {
        report.find(
            None,
            "policies_differ",
            "the policies in force, or the suspensions, are not those that the log tells",
        );
    }
    Ok(())
}

async fn tokens(rows: &mut SqliteConnection, replay: &Replay, report: &mut Report) -> Result<(), LedgerError> {
    let found: Vec<(String, String, i64)> =
        sqlx::query_as("SELECT id, role, revoked FROM tokens").fetch_all(rows).await?;
    let mut stored: BTreeMap<TokenId, (Role, bool)> = BTreeMap::new();
    for (id, role, revoked) in found {
        stored.insert(name(id)?, (word(role)?, count(revoked)? == 0));
    }
    if stored != replay.tokens {
        report.find(None, "tokens_differ", "the tokens are not those that the log tells");
    }
    Ok(())
}
