//! A policy comes into force: its account is opened or changed, its shares are granted, the policy before it ends.
//!
//! # Guarantees
//! An account keeps its accounting and its history: a new name, a new dataset or a new version gains nothing that
//! officers did not approve as a new cap. A dataset that joins an account takes its budget as it is: raising it is left
//! to a later version of a policy that is on it. No cap falls below what is held and spent. A dataset keeps its account
//! and the form of its ids, so that one person is not counted as two.

use super::LedgerError;
use super::account::{Pot, regrant};
use super::balances::{UNSHARED, shares, whole};
use super::row::{conflict, int, one, to_json};
use super::writing::Writing;
use crate::budget::Nanos;
use crate::identity::TokenId;
use crate::policy::Policy;
use crate::transparency::Leaf;
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

pub(super) const EMPTY: Pot = Pot { cap: Nanos::ZERO, held: Nanos::ZERO, spent: Nanos::ZERO };

/// The shares of an account under a policy: purpose to whether it is open, and its cap.
pub(super) type Caps = BTreeMap<String, (bool, Nanos)>;

/// The policy before: in force, or lost in a restore (its form of ids may be lost with it).
const BEFORE: &str = "SELECT account, ids FROM policies WHERE dataset = ? AND state IN ('in_force', 'lost')
                      ORDER BY version DESC LIMIT 1";

/// Whether a policy could come into force now; gives the caps it would set.
pub(super) async fn check(rows: &mut SqliteConnection, policy: &Policy) -> Result<Caps, LedgerError> {
    let before: Option<(String, String)> =
        sqlx::query_as(BEFORE).bind(policy.id.as_str()).fetch_optional(&mut *rows).await?;
    if let Some((account, ids)) = &before {
        if account != policy.budget.account.as_str() {
            return Err(conflict("account_frozen", "a dataset keeps its account: its people's loss is added up there"));
        }
        if !ids.is_empty() && *ids != to_json(&policy.unit.id)? {
            return Err(conflict("ids_frozen", "a dataset keeps the form of its person ids; else one person is two"));
        }
    }
    let budget = &policy.budget;
    let known = whole(rows, &budget.account).await?;
    if known.is_some_and(|(accounting, _)| accounting != budget.accounting) {
        return Err(conflict("accounting_frozen", "an account keeps its accounting (zcdp or pure)"));
    }
    let pot = known.map_or(EMPTY, |(_, pot)| pot);
    let pots = shares(rows, &budget.account).await?;
    let named: BTreeMap<&str, Nanos> = budget.shares.iter().map(|(purpose, cap)| (purpose.as_str(), *cap)).collect();
    if before.is_none() && known.is_some() && (budget.lifetime != pot.cap || named != open_caps(&pots)) {
        return Err(conflict(
            "account_differs",
            "other datasets are on this account already: write its lifetime budget and its shares as the newest \
             of their policies does, and change them in a later version",
        ));
    }
    grant(budget.lifetime, pot, pots, &named).ok_or_else(|| {
        conflict(
            "account_used",
            "the account, or one of its shares, has already used more than this policy would give it; \
             give it at least that",
        )
    })
}

/// The caps of the shares that purposes have of an account.
fn open_caps(pots: &BTreeMap<String, (bool, Pot)>) -> BTreeMap<&str, Nanos> {
    let open = pots.iter().filter(|(purpose, (open, _))| *open && *purpose != UNSHARED);
    open.map(|(purpose, (_, pot))| (purpose.as_str(), pot.cap)).collect()
}

/// The caps of an account's shares under a grant; `None` if one would fall below what is used.
pub(super) fn grant(
    lifetime: Nanos,
    whole: Pot,
    mut pots: BTreeMap<String, (bool, Pot)>,
    named: &BTreeMap<&str, Nanos>,
) -> Option<Caps> {
    let unshared = pots.remove(UNSHARED).map_or(EMPTY, |(_, pot)| pot);
    for purpose in named.keys() {
        pots.entry((*purpose).to_owned()).or_insert((true, EMPTY));
    }
    let asked = pots.iter().map(|(purpose, (_, pot))| (named.get(purpose.as_str()).copied(), *pot));
    let (rest, caps) = regrant(lifetime, whole, unshared, asked)?;
    let mut granted: Caps = pots
        .into_keys()
        .zip(caps)
        .map(|(purpose, cap)| (purpose.clone(), (named.contains_key(purpose.as_str()), cap)))
        .collect();
    granted.insert(UNSHARED.to_owned(), (true, rest));
    Some(granted)
}

/// Puts a policy in force.
pub(super) async fn enact(writing: &mut Writing, policy: &Policy, officers: Vec<TokenId>) -> Result<(), LedgerError> {
    let caps = check(writing.rows(), policy).await?;
    sqlx::query("UPDATE policies SET state = 'superseded' WHERE dataset = ? AND state = 'in_force'")
        .bind(policy.id.as_str())
        .execute(writing.rows())
        .await?;
    let changed = sqlx::query("UPDATE policies SET state = 'in_force' WHERE sha256 = ? AND state = 'proposed'")
        .bind(policy.sha256.to_string())
        .execute(writing.rows())
        .await?;
    one(&changed)?;
    sqlx::query(
        "INSERT INTO datasets (dataset, suspended) VALUES (?, 0) ON CONFLICT (dataset) DO UPDATE SET suspended = 0",
    )
    .bind(policy.id.as_str())
    .execute(writing.rows())
    .await?;
    let budget = &policy.budget;
    sqlx::query(
        "INSERT INTO accounts (account, accounting, cap) VALUES (?1, ?2, ?3)
         ON CONFLICT (account) DO UPDATE SET cap = ?3",
    )
    .bind(budget.account.as_str())
    .bind(budget.accounting.as_str())
    .bind(int(budget.lifetime.as_nanos())?)
    .execute(writing.rows())
    .await?;
    for (purpose, (open, cap)) in &caps {
        sqlx::query(
            "INSERT INTO shares (account, purpose, open, cap) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (account, purpose) DO UPDATE SET open = ?3, cap = ?4",
        )
        .bind(budget.account.as_str())
        .bind(purpose)
        .bind(i64::from(*open))
        .bind(int(cap.as_nanos())?)
        .execute(writing.rows())
        .await?;
    }
    read_back(writing.rows(), policy, &caps).await?;
    let leaf = Leaf::PolicyInForce {
        dataset: policy.id.clone(),
        version: policy.version,
        sha256: policy.sha256,
        officers,
        account: budget.account.clone(),
        accounting: budget.accounting,
        lifetime_nanos: budget.lifetime.as_nanos(),
        shares_nanos: budget.shares.iter().map(|(purpose, cap)| (purpose.clone(), cap.as_nanos())).collect(),
    };
    writing.leaf(&leaf).await.map(|_| ())
}

async fn read_back(rows: &mut SqliteConnection, policy: &Policy, caps: &Caps) -> Result<(), LedgerError> {
    let account = whole(rows, &policy.budget.account).await?;
    let shares = shares(rows, &policy.budget.account).await?;
    let same =
        shares.iter().map(|(purpose, (open, pot))| (purpose, (*open, pot.cap))).eq(caps.iter().map(|(p, c)| (p, *c)));
    if same && account.is_some_and(|(_, pot)| pot.cap == policy.budget.lifetime) {
        Ok(())
    } else {
        Err(LedgerError::Corruption("an account does not read as it was granted"))
    }
}
