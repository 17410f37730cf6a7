//! Claims: reserved before anything is drawn, settled or voided once.
//!
//! # Guarantees
//! G6 and G7. Quota, share and cap are checked, held and read back in one transaction; the claim is on disk and witnessed
//! when [`Ledger::reserve`] returns. Claims of an earlier opening are settled as spent: an unknown outcome is spent.

use super::account::{Account, NotAllowed};
use super::claim::{Committed, Drawn, Reservation, Settle};
use super::store::{Ledger, Step, signed, unsigned};
use super::{Balance, LedgerError};
use crate::budget::{Accounting, Nanos};
use crate::identity::{AccountId, ClaimId, Digest, Organisation, Principal, Purpose, random_bytes};
use crate::policy::{Plan, Policy};
use crate::transparency::Leaf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use sqlx::{Row as _, SqliteConnection};

impl Ledger {
    /// What is left of an account.
    ///
    /// # Errors
    /// `Unknown` if no policy has opened it.
    pub async fn balance(&self, account: &AccountId) -> Result<Balance, LedgerError> {
        let mut db = self.0.readers.acquire().await?;
        let (accounting, state) = account_state(&mut db, account).await?;
        let policy = newest_policy(&mut db, account).await?;
        let mut shares = std::collections::BTreeMap::new();
        if let Some(policy) = &policy {
            for (purpose, cap) in &policy.budget.shares {
                shares.insert(purpose.clone(), part(&mut db, account, Part::Purpose(purpose), *cap).await?.remaining());
            }
        }
        let unshared = match &policy {
            Some(policy) => unshared(&mut db, account, policy, state.cap).await?.remaining(),
            None => state.remaining(),
        };
        Ok(Balance {
            account: account.clone(),
            accounting,
            cap: state.cap,
            held: state.held,
            spent: state.spent,
            remaining: state.remaining(),
            shares,
            unshared: unshared.min(state.remaining()),
        })
    }

    /// Whether the plan's cost would be granted now; the same rules as [`Ledger::reserve`], nothing written.
    ///
    /// # Errors
    /// The refusal that `reserve` would give.
    pub async fn affordable(&self, plan: &Plan, asker: &Principal) -> Result<(), LedgerError> {
        let mut db = self.0.readers.acquire().await?;
        granted(&mut db, plan, asker).await.map(|_| ())
    }

    /// Holds the plan's cost: durable and witnessed when this returns.
    ///
    /// # Errors
    /// `QuotaExhausted`, `BudgetExhausted`, `InProgress`; nothing has changed then.
    pub async fn reserve(&self, plan: &Plan, asker: &Principal) -> Result<Reservation, LedgerError> {
        let mut step = self.begin().await?;
        let open: i64 = sqlx::query_scalar("SELECT count(*) FROM claims WHERE draw = ? AND state = 'open'")
            .bind(plan.draw.to_string())
            .fetch_one(step.db())
            .await?;
        if open > 0 {
            return Err(LedgerError::InProgress);
        }
        let after = granted(step.db(), plan, asker).await?;
        let (id, salt) = (ClaimId::random(), random_bytes::<32>());
        sqlx::query("INSERT INTO claims VALUES (?, ?, ?, ?, ?, ?, 'open', ?, ?, ?)")
            .bind(id.as_str())
            .bind(plan.account.as_str())
            .bind(plan.purpose.as_str())
            .bind(asker.organisation.as_str())
            .bind(signed(plan.cost.as_nanos())?)
            .bind(plan.draw.to_string())
            .bind(&self.0.owner)
            .bind(self.0.epoch)
            .bind(hex::encode(salt))
            .execute(step.db())
            .await?;
        write_account(step.db(), &plan.account, after).await?;
        let asked = format!("{}\n{}", plan.question, asker.organisation);
        let commitment = commitment(&salt, asked.as_bytes());
        step.log(Leaf::ChargeReserved {
            account: plan.account.clone(),
            claim: id.clone(),
            nanos: plan.cost.as_nanos(),
            commitment,
        })?;
        // A crash before this returns leaves the claim open, or not there; an open one is settled as spent at the next start.
        step.commit().await?;
        Ok(Reservation {
            id,
            account: plan.account.clone(),
            accounting: plan.accounting,
            cost: plan.cost,
            draw: plan.draw,
            measured: plan.measured.clone(),
            measurement: plan.measurement,
            editions: plan.editions.clone(),
        })
    }

    /// Gives a claim back on which nothing was drawn.
    ///
    /// # Errors
    /// `Corruption` if it is not open and ours.
    pub async fn void(&self, claim: Reservation) -> Result<(), LedgerError> {
        let mut step = self.begin().await?;
        self.end(&mut step, &claim.id, &claim.account, claim.cost, "voided").await?;
        let after = account_state(step.db(), &claim.account).await?.1.void(claim.cost).map_err(broken)?;
        write_account(step.db(), &claim.account, after).await?;
        step.log(Leaf::ChargeVoided { account: claim.account, claim: claim.id, nanos: claim.cost.as_nanos() })?;
        step.commit().await
    }

    /// Settles a claim as spent with nothing released (a fault after the point of no return).
    ///
    /// # Errors
    /// `Corruption` if it is not open and ours.
    pub async fn forfeit(&self, claim: Drawn) -> Result<(), LedgerError> {
        let mut step = self.begin().await?;
        self.spend(&mut step, &claim.id, &claim.account, claim.cost).await?;
        step.commit().await
    }

    /// Charges, stores the sealed draw and the draft, writes the leaves: one transaction.
    ///
    /// # Errors
    /// On `Err` the claim is open (and will be settled as spent) or settled; the draft is lost and was never shown.
    pub async fn settle<D: Settle>(
        &self,
        claim: Drawn,
        sealed: Vec<u8>,
        draft: D,
    ) -> Result<Committed<D>, LedgerError> {
        let mut step = self.begin().await?;
        self.spend(&mut step, &claim.id, &claim.account, claim.cost).await?;
        let entry = draft.entry();
        if entry.draw != claim.draw {
            return Err(LedgerError::Corruption("a draft of another draw"));
        }
        sqlx::query("INSERT INTO draws VALUES (?, ?, ?, ?, ?, ?)")
            .bind(claim.draw.to_string())
            .bind(claim.measurement.to_string())
            .bind(signed(claim.cost.as_nanos())?)
            .bind(claim.id.as_str())
            .bind(entry.dataset.as_str())
            .bind(sealed)
            .execute(step.db())
            .await?;
        for edition in &claim.editions {
            sqlx::query("INSERT INTO draw_editions VALUES (?, ?, ?, ?)")
                .bind(claim.draw.to_string())
                .bind(entry.dataset.as_str())
                .bind(edition.period.as_str())
                .bind(edition.number)
                .execute(step.db())
                .await?;
        }
        let (log_index, released_at) = self.write_release(&mut step, &entry, claim.id).await?;
        // A crash before the commit leaves an open claim and nothing to show; after it, charge and release stand together.
        step.commit().await?;
        Ok(Committed { draft, log_index, released_at })
    }

    /// Settles as spent whatever an earlier opening left open.
    pub(super) async fn recover(&self) -> Result<(), LedgerError> {
        let mut step = self.begin().await?;
        let open = sqlx::query("SELECT id, account, nanos FROM claims WHERE state = 'open' AND epoch < ?")
            .bind(self.0.epoch)
            .fetch_all(step.db())
            .await?;
        if open.is_empty() {
            return Ok(());
        }
        for row in open {
            let id = named(ClaimId::parse(row.try_get(0)?))?;
            let account = named(AccountId::parse(row.try_get(1)?))?;
            let cost = Nanos::from_nanos(unsigned(row.try_get(2)?)?);
            sqlx::query("UPDATE claims SET owner = ?, epoch = ? WHERE id = ?")
                .bind(&self.0.owner)
                .bind(self.0.epoch)
                .bind(id.as_str())
                .execute(step.db())
                .await?;
            self.spend(&mut step, &id, &account, cost).await?;
        }
        step.commit().await
    }

    async fn spend(
        &self,
        step: &mut Step<'_>,
        id: &ClaimId,
        account: &AccountId,
        cost: Nanos,
    ) -> Result<(), LedgerError> {
        self.end(step, id, account, cost, "settled").await?;
        let after = account_state(step.db(), account).await?.1.settle(cost).map_err(broken)?;
        write_account(step.db(), account, after).await?;
        step.log(Leaf::ChargeSettled { account: account.clone(), claim: id.clone(), nanos: cost.as_nanos() })?;
        Ok(())
    }

    /// Ends a claim that is open, ours and of this amount; anything else stops the ledger's hand (fencing).
    async fn end(
        &self,
        step: &mut Step<'_>,
        id: &ClaimId,
        account: &AccountId,
        cost: Nanos,
        state: &str,
    ) -> Result<(), LedgerError> {
        let ended = sqlx::query(
            "UPDATE claims SET state = ? WHERE id = ? AND account = ? AND nanos = ? AND state = 'open' AND owner = ? AND epoch = ?",
        )
        .bind(state)
        .bind(id.as_str())
        .bind(account.as_str())
        .bind(signed(cost.as_nanos())?)
        .bind(&self.0.owner)
        .bind(self.0.epoch)
        .execute(step.db())
        .await?;
        if ended.rows_affected() == 1 {
            Ok(())
        } else {
            Err(LedgerError::Corruption("a claim was ended by another hand"))
        }
    }
}

/// Checks quota, share and cap in this order; gives the account as it would stand.
async fn granted(db: &mut SqliteConnection, plan: &Plan, asker: &Principal) -> Result<Account, LedgerError> {
    let row = super::policies::in_force(db, &plan.dataset).await?;
    let row = row.filter(|row| row.sha256 == plan.policy).ok_or_else(|| LedgerError::Conflict {
        code: "policy_changed",
        detail: "the policy changed while the question was being admitted; ask again".into(),
    })?;
    let policy = super::policies::read(&row)?;
    let account = &plan.account;
    let (accounting, state) = account_state(db, account).await?;
    if accounting != plan.accounting {
        return Err(LedgerError::Corruption("an account of another kind"));
    }
    if let Some(quota) = policy.budget.quota_per_organisation {
        let used = part(db, account, Part::Organisation(&asker.organisation), quota).await?;
        used.reserve(plan.cost).map_err(|_| LedgerError::QuotaExhausted { account: account.clone() })?;
    }
    let exhausted = |_| LedgerError::BudgetExhausted { account: account.clone(), purpose: plan.purpose.clone() };
    let share = match policy.budget.shares.get(&plan.purpose) {
        Some(cap) => part(db, account, Part::Purpose(&plan.purpose), *cap).await?,
        None => unshared(db, account, &policy, state.cap).await?,
    };
    share.reserve(plan.cost).map_err(exhausted)?;
    state.reserve(plan.cost).map_err(exhausted)
}

enum Part<'a> {
    Purpose(&'a Purpose),
    Organisation(&'a Organisation),
}

/// What one purpose or organisation has used of its bound, from the claims themselves.
async fn part(
    db: &mut SqliteConnection,
    account: &AccountId,
    part: Part<'_>,
    cap: Nanos,
) -> Result<Account, LedgerError> {
    let (column, name) = match part {
        Part::Purpose(purpose) => (
            "SELECT state, COALESCE(SUM(nanos), 0) FROM claims WHERE account = ? AND purpose = ? AND state <> 'voided' GROUP BY state",
            purpose.as_str(),
        ),
        Part::Organisation(organisation) => (
            "SELECT state, COALESCE(SUM(nanos), 0) FROM claims WHERE account = ? AND organisation = ? AND state <> 'voided' GROUP BY state",
            organisation.as_str(),
        ),
    };
    let rows = sqlx::query(column).bind(account.as_str()).bind(name).fetch_all(db).await?;
    sums(&rows, cap)
}

/// What purposes without a share have used of what no share holds.
async fn unshared(
    db: &mut SqliteConnection,
    account: &AccountId,
    policy: &Policy,
    cap: Nanos,
) -> Result<Account, LedgerError> {
    let rows = sqlx::query("SELECT state, nanos, purpose FROM claims WHERE account = ? AND state <> 'voided'")
        .bind(account.as_str())
        .fetch_all(db)
        .await?;
    let mut outside = Vec::new();
    for row in rows {
        let purpose: String = row.try_get(2)?;
        if !policy.budget.shares.keys().any(|share| share.as_str() == purpose) {
            outside.push(row);
        }
    }
    let shared = policy.budget.shares.values().try_fold(Nanos::ZERO, |sum, share| sum.checked_add(*share));
    let free = shared.and_then(|shared| cap.checked_sub(shared)).unwrap_or(Nanos::ZERO);
    sums(&outside, free)
}

fn sums(rows: &[sqlx::sqlite::SqliteRow], cap: Nanos) -> Result<Account, LedgerError> {
    let mut account = Account { cap, held: Nanos::ZERO, spent: Nanos::ZERO };
    for row in rows {
        let (state, nanos): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        let side = if state == "open" { &mut account.held } else { &mut account.spent };
        let sum = side.checked_add(Nanos::from_nanos(unsigned(nanos)?));
        *side = sum.ok_or(LedgerError::Corruption("a sum is too large"))?;
    }
    Ok(account)
}

pub(super) async fn account_state(
    db: &mut SqliteConnection,
    account: &AccountId,
) -> Result<(Accounting, Account), LedgerError> {
    let row = sqlx::query("SELECT accounting, cap, held, spent FROM accounts WHERE id = ?")
        .bind(account.as_str())
        .fetch_optional(db)
        .await?
        .ok_or(LedgerError::Unknown { what: "account" })?;
    let amount = |place: usize| -> Result<Nanos, LedgerError> { Ok(Nanos::from_nanos(unsigned(row.try_get(place)?)?)) };
    let accounting = if row.try_get::<String, _>(0)? == "pure" { Accounting::Pure } else { Accounting::Zcdp };
    let state = Account { cap: amount(1)?, held: amount(2)?, spent: amount(3)? };
    Ok((accounting, state))
}

/// Writes an account and reads it back: what was computed is what stands.
async fn write_account(db: &mut SqliteConnection, id: &AccountId, account: Account) -> Result<(), LedgerError> {
    sqlx::query("UPDATE accounts SET held = ?, spent = ? WHERE id = ?")
        .bind(signed(account.held.as_nanos())?)
        .bind(signed(account.spent.as_nanos())?)
        .bind(id.as_str())
        .execute(&mut *db)
        .await?;
    if account_state(db, id).await?.1 == account {
        Ok(())
    } else {
        Err(LedgerError::Corruption("an account was not written"))
    }
}

async fn newest_policy(db: &mut SqliteConnection, account: &AccountId) -> Result<Option<Policy>, LedgerError> {
    for row in super::policies::all(db).await? {
        if row.state == super::PolicyState::InForce {
            let policy = super::policies::read(&row)?;
            if policy.budget.account == *account {
                return Ok(Some(policy));
            }
        }
    }
    Ok(None)
}

pub(super) fn commitment(salt: &[u8], message: &[u8]) -> Digest {
    match Hmac::<Sha256>::new_from_slice(salt) {
        Ok(mut mac) => {
            mac.update(message);
            Digest(mac.finalize().into_bytes().into())
        }
        // HMAC takes keys of any length; this arm is never reached.
        Err(_) => Digest::of(&[salt, message].concat()),
    }
}

pub(super) fn named<T>(parsed: Result<T, crate::identity::NameError>) -> Result<T, LedgerError> {
    parsed.map_err(|_| LedgerError::Corruption("a stored name is not one"))
}

fn broken(_: NotAllowed) -> LedgerError {
    LedgerError::Corruption("an account does not hold what its claims say")
}
