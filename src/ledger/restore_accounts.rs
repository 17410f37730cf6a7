//! Accounts, shares, quotas and claims of a database that was put back, brought forward to what the log tells.
//!
//! # Guarantee
//! G6: accounts become exactly what the log tells. What was spent in the gap is known by account alone; it counts
//! against every share and every quota of the account, as far as there is anything left of it, and against quotas that
//! organisations have yet to open. So no pot has more left than it truly had.

use super::LedgerError;
use super::account::Pot;
use super::balances::{NEWCOMERS, UNSHARED};
use super::enact;
use super::restore::unknown_charges;
use super::row::{amount, int, name};
use super::verify_accounts::state_word;
use crate::budget::Nanos;
use crate::identity::{AccountId, ClaimId};
use crate::transparency::{AccountReplay, Replay};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet};

/// Brings claims and accounts forward; gives what was spent on claims that nothing but the log knows of.
pub(super) async fn bring_forward(
    rows: &mut SqliteConnection,
    replay: &Replay,
) -> Result<BTreeMap<AccountId, Nanos>, LedgerError> {
    let known = claims(rows, replay).await?;
    let unknown = unknown_charges(replay, &known);
    for (account, told) in &replay.accounts {
        let lost = unknown.get(account).copied().unwrap_or(Nanos::ZERO);
        whole(rows, account, told).await?;
        shares(rows, replay, account, told, lost).await?;
        quotas(rows, account, lost).await?;
    }
    Ok(unknown)
}

/// Ends the claims that ended in the gap; gives all that have rows.
async fn claims(rows: &mut SqliteConnection, replay: &Replay) -> Result<BTreeSet<ClaimId>, LedgerError> {
    let found: Vec<(String, String)> = sqlx::query_as("SELECT claim, state FROM claims").fetch_all(&mut *rows).await?;
    let mut known = BTreeSet::new();
    for (claim, state) in found {
        let id: ClaimId = name(claim)?;
        let told = replay.claims.get(&id).ok_or(LedgerError::Corruption("a claim is not in the log"))?;
        if state_word(told.state) != state {
            sqlx::query("UPDATE claims SET state = ? WHERE claim = ?")
                .bind(state_word(told.state))
                .bind(id.as_str())
                .execute(&mut *rows)
                .await?;
        }
        known.insert(id);
    }
    Ok(known)
}

async fn whole(rows: &mut SqliteConnection, account: &AccountId, told: &AccountReplay) -> Result<(), LedgerError> {
    sqlx::query(
        "INSERT INTO accounts (account, accounting, cap, held, spent) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (account) DO UPDATE SET cap = ?3, held = ?4, spent = ?5",
    )
    .bind(account.as_str())
    .bind(told.accounting.as_str())
    .bind(int(told.cap.as_nanos())?)
    .bind(int(told.held.as_nanos())?)
    .bind(int(told.spent.as_nanos())?)
    .execute(rows)
    .await?;
    Ok(())
}

/// What is known to be held and spent of a pot, and what of the unknown counts against it.
fn charged(known: Pot, unknown: Nanos) -> Option<(Pot, Nanos)> {
    let restored = known.remaining()?.min(unknown);
    Some((Pot { spent: known.spent.checked_add(restored)?, ..known }, restored))
}

async fn shares(
    rows: &mut SqliteConnection,
    replay: &Replay,
    account: &AccountId,
    told: &AccountReplay,
    unknown: Nanos,
) -> Result<(), LedgerError> {
    let overdrawn = || LedgerError::Corruption("the shares of an account do not fit what the log tells");
    let used: Vec<(String, i64, i64, i64, i64)> = sqlx::query_as(
        "SELECT s.purpose, s.open, s.cap, COALESCE(SUM(c.cost) FILTER (WHERE c.state = 'open'), 0),
         COALESCE(SUM(c.cost) FILTER (WHERE c.state = 'settled'), 0)
         FROM shares s LEFT JOIN claims c ON c.account = s.account AND c.share = s.purpose
         WHERE s.account = ? GROUP BY s.purpose",
    )
    .bind(account.as_str())
    .fetch_all(&mut *rows)
    .await?;
    let mut pots: BTreeMap<String, (bool, Pot)> = BTreeMap::new();
    for (purpose, open, cap, held, spent) in used {
        let pot = Pot { cap: amount(cap)?, held: amount(held)?, spent: amount(spent)? };
        pots.insert(purpose, (open != 0, pot));
    }
    // Shares that were granted in the gap: the leaf says how much, if not why.
    let granted = replay.granted.get(account).and_then(|sha256| replay.policies.get(sha256));
    let granted = granted.filter(|policy| policy.enacted.is_some_and(|enacted| replay.lost(enacted)));
    if let Some((_, named)) = granted.and_then(|policy| policy.grant.as_ref()) {
        let known = Pot { cap: told.cap, held: told.held, spent: told.spent };
        let named = named.iter().map(|(purpose, cap)| (purpose.as_str(), Nanos::from_nanos(*cap))).collect();
        let caps = enact::grant(told.cap, known, pots.clone(), &named).ok_or_else(overdrawn)?;
        for (purpose, (open, cap)) in caps {
            let pot = pots.entry(purpose).or_insert((open, enact::EMPTY));
            (pot.0, pot.1.cap) = (open, cap);
        }
    }
    pots.entry(UNSHARED.to_owned()).or_insert((true, enact::EMPTY));
    for (purpose, (open, pot)) in pots {
        let (pot, restored) = charged(pot, unknown).ok_or_else(overdrawn)?;
        sqlx::query(
            "INSERT INTO shares (account, purpose, open, cap, held, spent, restored) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (account, purpose) DO UPDATE SET open = ?3, cap = ?4, held = ?5, spent = ?6, restored = ?7",
        )
        .bind(account.as_str())
        .bind(purpose)
        .bind(i64::from(open))
        .bind(int(pot.cap.as_nanos())?)
        .bind(int(pot.held.as_nanos())?)
        .bind(int(pot.spent.as_nanos())?)
        .bind(int(restored.as_nanos())?)
        .execute(&mut *rows)
        .await?;
    }
    Ok(())
}

async fn quotas(rows: &mut SqliteConnection, account: &AccountId, unknown: Nanos) -> Result<(), LedgerError> {
    let used: Vec<(String, i64, i64, i64)> = sqlx::query_as(
        "SELECT q.organisation, q.cap, COALESCE(SUM(c.cost) FILTER (WHERE c.state = 'open'), 0),
         COALESCE(SUM(c.cost) FILTER (WHERE c.state = 'settled'), 0)
         FROM quotas q LEFT JOIN claims c ON c.account = q.account AND c.organisation = q.organisation
         WHERE q.account = ? GROUP BY q.organisation",
    )
    .bind(account.as_str())
    .fetch_all(&mut *rows)
    .await?;
    let mut pots: BTreeMap<String, Pot> = BTreeMap::new();
    for (organisation, cap, held, spent) in used {
        pots.insert(organisation, Pot { cap: amount(cap)?, held: amount(held)?, spent: amount(spent)? });
    }
    if unknown > Nanos::ZERO {
        pots.insert(NEWCOMERS.to_owned(), Pot { cap: Nanos::MAX, ..enact::EMPTY });
    }
    for (organisation, pot) in pots {
        let overdrawn = LedgerError::Corruption("a quota does not fit what the log tells");
        let (pot, restored) = charged(pot, unknown).ok_or(overdrawn)?;
        sqlx::query(
            "INSERT INTO quotas (account, organisation, cap, held, spent, restored) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (account, organisation) DO UPDATE SET cap = ?3, held = ?4, spent = ?5, restored = ?6",
        )
        .bind(account.as_str())
        .bind(organisation)
        .bind(int(pot.cap.as_nanos())?)
        .bind(int(pot.held.as_nanos())?)
        .bind(int(pot.spent.as_nanos())?)
        .bind(int(restored.as_nanos())?)
        .execute(&mut *rows)
        .await?;
    }
    Ok(())
}
