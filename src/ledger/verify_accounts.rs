//! Accounts, shares, quotas and claims, held against what the log tells and against each other.
//!
//! An account is what the log says, exactly. A share or a quota is the sum of its claims and of what a restore charged
//! to it because nobody knows any more whose it was; that is never more than what the account lost sight of.

use super::balances::{NEWCOMERS, UNSHARED};
use super::commitment;
use super::row::{amount, columns, count, digest, name, word};
use super::{LedgerError, restore};
use crate::budget::Nanos;
use crate::identity::{AccountId, ClaimId};
use crate::transparency::{AccountReplay, ClaimState, Replay, Report};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet};

/// Compares accounts and everything that sums up to them.
pub(super) async fn verify(
    rows: &mut SqliteConnection,
    replay: &Replay,
    report: &mut Report,
) -> Result<(), LedgerError> {
    let known = claims(rows, replay, report).await?;
    let unknown = restore::unknown_charges(replay, &known);
    accounts(rows, replay, report).await?;
    grants(rows, replay, report).await?;
    pots(rows, SHARES, &unknown, report).await?;
    pots(rows, QUOTAS, &unknown, report).await
}

async fn accounts(rows: &mut SqliteConnection, replay: &Replay, report: &mut Report) -> Result<(), LedgerError> {
    let found: Vec<(String, String, i64, i64, i64, i64)> = sqlx::query_as(
        "SELECT a.account, a.accounting, a.cap, a.held, a.spent, COALESCE(SUM(s.cap), 0)
         FROM accounts a LEFT JOIN shares s ON s.account = a.account GROUP BY a.account",
    )
    .fetch_all(&mut *rows)
    .await?;
    let mut stored = BTreeMap::new();
    for (account, accounting, cap, held, spent, shared) in found {
        let account: AccountId = name(account)?;
        let balance = AccountReplay {
            accounting: word(accounting)?,
            cap: amount(cap)?,
            held: amount(held)?,
            spent: amount(spent)?,
        };
        if amount(shared)? != balance.cap {
            report.find(None, "shares_differ", format!("the shares of account {account} do not sum to it"));
        }
        stored.insert(account, balance);
    }
    if stored != replay.accounts {
        report.find(None, "account_differs", "the accounts are not those that the log tells");
    }
    Ok(())
}

/// The shares that the last policy of an account names are open, at the caps it gives; so is the rest.
async fn grants(rows: &mut SqliteConnection, replay: &Replay, report: &mut Report) -> Result<(), LedgerError> {
    let found: Vec<(String, String, i64, i64)> =
        sqlx::query_as("SELECT account, purpose, open, cap FROM shares").fetch_all(rows).await?;
    for (account, purpose, open, cap) in found {
        let account: AccountId = name(account)?;
        let policy = replay.granted.get(&account).and_then(|sha256| replay.policies.get(sha256));
        let named = policy.and_then(|policy| policy.grant.as_ref()).map(|(_, shares)| shares);
        let given = named.and_then(|named| named.iter().find(|(named, _)| named.as_str() == purpose));
        let same = given.is_none_or(|(_, nanos)| Ok(*nanos) == u64::try_from(cap));
        if (open == 1) != (given.is_some() || purpose == UNSHARED) || !same {
            report.find(None, "shares_differ", format!("a share of account {account} is not as it was granted"));
        }
    }
    Ok(())
}

/// The pots of one kind: a query that sums up the claims of each, the query of claims without one, the code of a
/// finding, and whether there is one for newcomers.
struct Kind {
    sums: &'static str,
    strays: &'static str,
    code: &'static str,
    newcomers: bool,
}

const SHARES: Kind = Kind {
    sums: "SELECT s.account, s.purpose AS pot, s.held, s.spent, s.restored,
           COALESCE(SUM(c.cost) FILTER (WHERE c.state = 'open'), 0) AS claims_held,
           COALESCE(SUM(c.cost) FILTER (WHERE c.state = 'settled'), 0) AS claims_spent
           FROM shares s LEFT JOIN claims c ON c.account = s.account AND c.share = s.purpose
           GROUP BY s.account, s.purpose",
    strays: "SELECT COUNT(*) FROM claims c WHERE NOT EXISTS
             (SELECT 1 FROM shares s WHERE s.account = c.account AND s.purpose = c.share)",
    code: "shares_differ",
    newcomers: false,
};
const QUOTAS: Kind = Kind {
    sums: "SELECT q.account, q.organisation AS pot, q.held, q.spent, q.restored,
           COALESCE(SUM(c.cost) FILTER (WHERE c.state = 'open'), 0) AS claims_held,
           COALESCE(SUM(c.cost) FILTER (WHERE c.state = 'settled'), 0) AS claims_spent
           FROM quotas q LEFT JOIN claims c ON c.account = q.account AND c.organisation = q.organisation
           GROUP BY q.account, q.organisation",
    strays: "SELECT COUNT(*) FROM claims c WHERE NOT EXISTS
             (SELECT 1 FROM quotas q WHERE q.account = c.account AND q.organisation = c.organisation)",
    code: "quotas_differ",
    newcomers: true,
};

columns! {
    PotColumns {
        account: String,
        pot: String,
        held: i64,
        spent: i64,
        restored: i64,
        claims_held: i64,
        claims_spent: i64,
    }
}

async fn pots(
    rows: &mut SqliteConnection,
    kind: Kind,
    unknown: &BTreeMap<AccountId, Nanos>,
    report: &mut Report,
) -> Result<(), LedgerError> {
    let found: Vec<PotColumns> = sqlx::query_as(kind.sums).fetch_all(&mut *rows).await?;
    let strays: i64 = sqlx::query_scalar(kind.strays).fetch_one(rows).await?;
    if strays != 0 {
        report.find(None, kind.code, "a claim draws on a share or quota that is not there");
    }
    let mut newcomers = BTreeSet::new();
    for row in found {
        let account: AccountId = name(row.account)?;
        let (restored, lost) = (amount(row.restored)?, unknown.get(&account).copied().unwrap_or(Nanos::ZERO));
        let spent = amount(row.claims_spent)?.checked_add(restored);
        if amount(row.held)? != amount(row.claims_held)? || Some(amount(row.spent)?) != spent || restored > lost {
            let which = if row.pot.is_empty() { "the rest" } else { &row.pot };
            report.find(
                None,
                kind.code,
                format!("account {account}: what {which} has used is not what its claims say"),
            );
        }
        if row.pot == NEWCOMERS && unknown.get(&account) == Some(&restored) {
            newcomers.insert(account);
        }
    }
    if kind.newcomers && newcomers != unknown.keys().cloned().collect() {
        report.find(None, kind.code, "what was lost sight of does not count against the quotas of newcomers");
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

/// Compares the claims; gives those that have rows.
async fn claims(
    rows: &mut SqliteConnection,
    replay: &Replay,
    report: &mut Report,
) -> Result<BTreeSet<ClaimId>, LedgerError> {
    let found: Vec<ClaimColumns> = sqlx::query_as("SELECT * FROM claims").fetch_all(rows).await?;
    let mut known = BTreeSet::new();
    for row in found {
        let index = count(row.log_index)?;
        let (id, account, cost): (ClaimId, AccountId, Nanos) =
            (name(row.claim)?, name(row.account)?, amount(row.cost)?);
        let commitment = digest(&row.commitment)?;
        let told = replay.claims.get(&id).is_some_and(|claim| {
            let same = (&claim.account, claim.cost, claim.commitment, claim.index);
            same == (&account, cost, commitment, index) && row.state == state_word(claim.state)
        });
        if !told {
            report.find(Some(index), "claims_differ", "a claim is not as the log tells");
        }
        if commitment::under(&row.salt, row.opening.as_bytes())? != commitment {
            report.find(Some(index), "claim_opening", "the question kept for a claim is not the one committed to");
        }
        known.insert(id);
    }
    for (id, claim) in &replay.claims {
        if !known.contains(id) && !replay.lost(claim.index) {
            report.find(Some(claim.index), "claims_differ", "a claim that the log tells of is missing");
        }
    }
    Ok(known)
}

/// The state of a claim, as its row says it.
pub(super) fn state_word(state: ClaimState) -> &'static str {
    match state {
        ClaimState::Open => "open",
        ClaimState::Settled => "settled",
        ClaimState::Voided => "voided",
    }
}
