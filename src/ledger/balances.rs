//! Accounts, shares and quotas in the database: read as [`Account`], written back, read again and compared.

use super::account::{Account, Pot};
use super::row::{amount, count, int, name, one, word};
use super::{Balance, Ledger, LedgerError};
use crate::budget::{Accounting, Nanos};
use crate::identity::{AccountId, Organisation, Principal, Purpose};
use crate::policy::Budget;
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

/// The share of the purposes that have none.
pub(super) const UNSHARED: &str = "";

/// The quota from which an organisation starts that has none yet: there only after a restore, with what was spent in
/// the gap by nobody knows whom.
pub(super) const NEWCOMERS: &str = "";

/// cap, held, spent.
type PotRow = (i64, i64, i64);

/// Which three pots a claim draws on.
#[derive(Debug, Clone)]
pub(super) struct Pots {
    pub(super) account: AccountId,
    pub(super) share: String,
    pub(super) organisation: Organisation,
}

impl Pots {
    /// Reads the three pots. With a quota given, that is the quota's cap from now on.
    pub(super) async fn load(&self, rows: &mut SqliteConnection, quota: Option<Nanos>) -> Result<Account, LedgerError> {
        let whole = sqlx::query_as("SELECT cap, held, spent FROM accounts WHERE account = ?")
            .bind(self.account.as_str())
            .fetch_one(&mut *rows)
            .await?;
        let share = sqlx::query_as("SELECT cap, held, spent FROM shares WHERE account = ? AND purpose = ?")
            .bind(self.account.as_str())
            .bind(&self.share)
            .fetch_one(&mut *rows)
            .await?;
        let used: Option<PotRow> = sqlx::query_as(
            "SELECT cap, held, spent FROM quotas WHERE account = ?1 AND organisation IN (?2, ?3)
             ORDER BY organisation = ?3 LIMIT 1",
        )
        .bind(self.account.as_str())
        .bind(self.organisation.as_str())
        .bind(NEWCOMERS)
        .fetch_optional(rows)
        .await?;
        let mut used = pot(used.unwrap_or_default())?;
        used.cap = quota.unwrap_or(used.cap);
        Ok(Account { quota: used, share: pot(share)?, whole: pot(whole)? })
    }

    /// Writes the three pots and reads them back. The CHECKs of the schema hold G6 once more.
    pub(super) async fn store(&self, rows: &mut SqliteConnection, account: Account) -> Result<(), LedgerError> {
        let changed = sqlx::query("UPDATE accounts SET held = ?, spent = ? WHERE account = ? AND cap = ?")
            .bind(int(account.whole.held.as_nanos())?)
            .bind(int(account.whole.spent.as_nanos())?)
            .bind(self.account.as_str())
            .bind(int(account.whole.cap.as_nanos())?)
            .execute(&mut *rows)
            .await?;
        one(&changed)?;
        let changed =
            sqlx::query("UPDATE shares SET held = ?, spent = ? WHERE account = ? AND purpose = ? AND cap = ?")
                .bind(int(account.share.held.as_nanos())?)
                .bind(int(account.share.spent.as_nanos())?)
                .bind(self.account.as_str())
                .bind(&self.share)
                .bind(int(account.share.cap.as_nanos())?)
                .execute(&mut *rows)
                .await?;
        one(&changed)?;
        let changed = sqlx::query(
            "INSERT INTO quotas (account, organisation, cap, held, spent, restored) VALUES (?1, ?2, ?3, ?4, ?5,
             COALESCE((SELECT restored FROM quotas WHERE account = ?1 AND organisation = ?6), 0))
             ON CONFLICT (account, organisation) DO UPDATE SET cap = ?3, held = ?4, spent = ?5",
        )
        .bind(self.account.as_str())
        .bind(self.organisation.as_str())
        .bind(int(account.quota.cap.as_nanos())?)
        .bind(int(account.quota.held.as_nanos())?)
        .bind(int(account.quota.spent.as_nanos())?)
        .bind(NEWCOMERS)
        .execute(&mut *rows)
        .await?;
        one(&changed)?;
        if self.load(rows, None).await? == account {
            Ok(())
        } else {
            Err(LedgerError::Corruption("an account does not read as it was written"))
        }
    }
}

/// A pot from its columns.
pub(super) fn pot((cap, held, spent): PotRow) -> Result<Pot, LedgerError> {
    let pot = Pot { cap: amount(cap)?, held: amount(held)?, spent: amount(spent)? };
    if pot.remaining().is_some() { Ok(pot) } else { Err(LedgerError::Corruption("an account is overdrawn")) }
}

/// The account itself and its accounting, if it was opened.
pub(super) async fn whole(
    rows: &mut SqliteConnection,
    account: &AccountId,
) -> Result<Option<(Accounting, Pot)>, LedgerError> {
    let row: Option<(String, i64, i64, i64)> =
        sqlx::query_as("SELECT accounting, cap, held, spent FROM accounts WHERE account = ?")
            .bind(account.as_str())
            .fetch_optional(rows)
            .await?;
    row.map(|(accounting, cap, held, spent)| Ok((word(accounting)?, pot((cap, held, spent))?))).transpose()
}

/// The shares of an account: purpose (or [`UNSHARED`]) to whether it is open, and its pot.
pub(super) async fn shares(
    rows: &mut SqliteConnection,
    account: &AccountId,
) -> Result<BTreeMap<String, (bool, Pot)>, LedgerError> {
    let found: Vec<(String, i64, i64, i64, i64)> =
        sqlx::query_as("SELECT purpose, open, cap, held, spent FROM shares WHERE account = ?")
            .bind(account.as_str())
            .fetch_all(rows)
            .await?;
    found
        .into_iter()
        .map(|(purpose, open, cap, held, spent)| Ok((purpose, (count(open)? == 1, pot((cap, held, spent))?))))
        .collect()
}

/// The share a purpose draws on: its own if it has one, else what no purpose has a share of.
pub(super) async fn share_of(
    rows: &mut SqliteConnection,
    account: &AccountId,
    purpose: &Purpose,
) -> Result<String, LedgerError> {
    let own: Option<(String,)> =
        sqlx::query_as("SELECT purpose FROM shares WHERE account = ? AND purpose = ? AND open = 1")
            .bind(account.as_str())
            .bind(purpose.as_str())
            .fetch_optional(rows)
            .await?;
    Ok(own.map_or_else(|| UNSHARED.to_owned(), |(purpose,)| purpose))
}

impl Ledger {
    /// The most that an asker can spend for a purpose now: what is left of the organisation's quota, of the share and
    /// of the account. Nothing of an account that is not open.
    ///
    /// # Errors
    /// Faults only.
    pub async fn spendable(&self, budget: &Budget, purpose: &Purpose, asker: &Principal) -> Result<Nanos, LedgerError> {
        let mut rows = self.read().await?;
        if whole(&mut rows, &budget.account).await?.is_none() {
            return Ok(Nanos::ZERO);
        }
        let pots = Pots {
            account: budget.account.clone(),
            share: share_of(&mut rows, &budget.account, purpose).await?,
            organisation: asker.organisation.clone(),
        };
        let quota = budget.quota_per_organisation.unwrap_or(Nanos::MAX);
        let Account { quota, share, whole } = pots.load(&mut rows, Some(quota)).await?;
        Ok([quota, share, whole]
            .into_iter()
            .map(|pot| pot.remaining().unwrap_or(Nanos::ZERO))
            .min()
            .unwrap_or_default())
    }

    /// What is left of an account.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] if no policy in force has opened it.
    pub async fn balance(&self, account: &AccountId) -> Result<Balance, LedgerError> {
        // One snapshot for the sums and their parts.
        let mut rows = self.read().await?;
        let (accounting, whole) = whole(&mut rows, account).await?.ok_or(LedgerError::Unknown { what: "account" })?;
        let remaining = |pot: Pot| pot.remaining().ok_or(LedgerError::Corruption("an account is overdrawn"));
        let mut left = BTreeMap::new();
        let mut unshared = Nanos::ZERO;
        for (purpose, (open, pot)) in shares(&mut rows, account).await? {
            if purpose == UNSHARED {
                unshared = remaining(pot)?;
            } else if open {
                left.insert(name(purpose)?, remaining(pot)?);
            }
        }
        Ok(Balance {
            account: account.clone(),
            accounting,
            cap: whole.cap,
            held: whole.held,
            spent: whole.spent,
            remaining: remaining(whole)?,
            shares: left,
            unshared,
        })
    }
}
