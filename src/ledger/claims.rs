//! Claims: budget is reserved before anything is drawn, and ends as spent or given back.
//!
//! # Guarantees
//! G6: every change of an account goes through [`account`](super::account). G7: `reserve` returns after commit and
//! witness; an unknown outcome is spent. An open claim with nobody behind it (its task ended early, its commit was not
//! acknowledged, its process is gone) is spent by the next change of the ledger, whatever that is: it blocks nothing,
//! and is never refunded. Only the newest opening of the ledger ends claims: an older one destroys its draft.

use super::account::{self, Short};
use super::balances::{Pots, share_of};
use super::row::{amount, columns, conflict, digest, int, json, name, one, to_json};
use super::writing::Writing;
use super::{Drawn, Ledger, LedgerError, Reservation, commitment};
use crate::budget::Nanos;
use crate::fault::Point;
use crate::identity::{ClaimId, DatasetId, Digest, Principal, Role};
use crate::policy::{EditionRef, Plan};
use crate::transparency::Leaf;
use crate::underway::Underway;
use sqlx::SqliteConnection;

/// An open claim, as stored.
pub(super) struct Claim {
    pub(super) id: ClaimId,
    pub(super) pots: Pots,
    pub(super) dataset: DatasetId,
    pub(super) cost: Nanos,
    pub(super) draw: Digest,
    pub(super) measurement: Digest,
    pub(super) editions: Vec<EditionRef>,
    commitment: Digest,
    owner: String,
}

columns! {
    ClaimColumns {
        claim: String,
        account: String,
        share: String,
        organisation: String,
        dataset: String,
        draw: String,
        measurement: String,
        editions: String,
        cost: i64,
        owner: String,
        commitment: String,
    }
}

impl TryFrom<ClaimColumns> for Claim {
    type Error = LedgerError;
    fn try_from(row: ClaimColumns) -> Result<Self, LedgerError> {
        let pots = Pots { account: name(row.account)?, share: row.share, organisation: name(row.organisation)? };
        Ok(Self {
            id: name(row.claim)?,
            pots,
            dataset: name(row.dataset)?,
            cost: amount(row.cost)?,
            draw: digest(&row.draw)?,
            measurement: digest(&row.measurement)?,
            editions: json(&row.editions)?,
            commitment: digest(&row.commitment)?,
            owner: row.owner,
        })
    }
}

/// Spends the open claims that nobody is behind.
pub(super) async fn spend_abandoned(writing: &mut Writing, underway: &Underway<ClaimId>) -> Result<(), LedgerError> {
    let open: Vec<ClaimColumns> = sqlx::query_as("SELECT * FROM claims WHERE state = 'open' ORDER BY log_index")
        .fetch_all(writing.rows())
        .await?;
    for claim in open {
        let claim = Claim::try_from(claim)?;
        if !underway.holds(&claim.id) {
            spend(writing, &claim).await?;
        }
    }
    Ok(())
}

/// Ends a claim as spent: held becomes spent, and the log says so.
pub(super) async fn spend(writing: &mut Writing, claim: &Claim) -> Result<(), LedgerError> {
    end(writing, claim, "settled", account::settle).await?;
    let leaf = Leaf::ChargeSettled {
        account: claim.pots.account.clone(),
        claim: claim.id.clone(),
        nanos: claim.cost.as_nanos(),
        commitment: claim.commitment,
    };
    writing.leaf(&leaf).await.map(|_| ())
}

async fn end(
    writing: &mut Writing,
    claim: &Claim,
    state: &'static str,
    rule: fn(account::Account, Nanos) -> Option<account::Account>,
) -> Result<(), LedgerError> {
    let changed = sqlx::query("UPDATE claims SET state = ? WHERE claim = ? AND state = 'open'")
        .bind(state)
        .bind(claim.id.as_str())
        .execute(writing.rows())
        .await?;
    one(&changed)?;
    let before = claim.pots.load(writing.rows(), None).await?;
    let after = rule(before, claim.cost).ok_or(LedgerError::Corruption("a claim is open that no account holds"))?;
    claim.pots.store(writing.rows(), after).await
}

/// What a plan draws on, and what it would leave there.
struct Grant {
    pots: Pots,
    account: account::Account,
}

/// Whether a plan's cost is granted: the plan's policy is in force, then quota, then share, then cap (G6).
async fn grant(rows: &mut SqliteConnection, plan: &Plan, asker: &Principal) -> Result<Grant, LedgerError> {
    let in_force: Option<(String, String, Option<i64>, i64)> = sqlx::query_as(
        "SELECT p.sha256, p.account, p.quota, d.suspended FROM policies p JOIN datasets d ON d.dataset = p.dataset
         WHERE p.dataset = ? AND p.state = 'in_force'",
    )
    .bind(plan.dataset.as_str())
    .fetch_optional(&mut *rows)
    .await?;
    let Some((policy, paying, quota, suspended)) = in_force else {
        return Err(LedgerError::Unknown { what: "dataset with a policy in force" });
    };
    if suspended != 0 {
        return Err(conflict("dataset_suspended", "an officer has suspended this dataset; nothing is drawn from it"));
    }
    if digest(&policy)? != plan.policy || paying != plan.account.as_str() {
        return Err(conflict("policy_changed", "the policy changed while you were asking; ask again"));
    }
    let units = plan.measured.iter().try_fold(Nanos::ZERO, |sum, table| sum.checked_add(table.units));
    if units != Some(plan.cost) {
        return Err(LedgerError::Corruption("the price of a plan is not the sum of its tables"));
    }
    let pots = Pots {
        account: plan.account.clone(),
        share: share_of(rows, &plan.account, &plan.purpose).await?,
        organisation: asker.organisation.clone(),
    };
    // Officers ask by a policy's programs alone: a quota bounds what an organisation asks of its own.
    let quota = quota.filter(|_| asker.role != Role::Officer).map_or(Ok(Nanos::MAX), amount)?;
    let before = pots.load(rows, Some(quota)).await?;
    match account::reserve(before, plan.cost) {
        Ok(account) => Ok(Grant { pots, account }),
        Err(Short::Price) => Err(LedgerError::Corruption("a plan has no price")),
        Err(Short::Quota) => Err(LedgerError::QuotaExhausted { account: pots.account }),
        Err(Short::Budget) => {
            Err(LedgerError::BudgetExhausted { account: pots.account, purpose: plan.purpose.clone() })
        }
    }
}

/// A claim that was granted and is written, but not durable. Dropped, it leaves nothing.
#[must_use = "a claim that is not made durable leaves nothing"]
pub struct Granted {
    writing: Writing,
    claim: Reservation,
}

impl Granted {
    /// Makes the claim durable: when this returns, it is on the disk of the database and of the witness (G7).
    ///
    /// # Errors
    /// [`LedgerError::Witness`] if the claim stands and was not acknowledged: it is then spent by the next change.
    pub async fn reserve(self) -> Result<Reservation, LedgerError> {
        self.writing.commit(Point::Reserve).await?;
        Ok(self.claim)
    }
}

impl Ledger {
    /// Whether the plan's cost would be granted now; the same rules as `reserve`, nothing written.
    ///
    /// # Errors
    /// What `reserve` would answer.
    pub async fn affordable(&self, plan: &Plan, asker: &Principal) -> Result<(), LedgerError> {
        grant(&mut *self.read().await?, plan, asker).await.map(|_| ())
    }

    /// Whether this very draw was ever claimed, and the claim not given back: it is paid for, or being so.
    ///
    /// # Errors
    /// Faults only.
    pub async fn claimed(&self, draw: &Digest) -> Result<bool, LedgerError> {
        let query = sqlx::query_scalar("SELECT 1 FROM claims WHERE draw = ? AND state <> 'voided' LIMIT 1");
        let found: Option<i64> = query.bind(draw.to_string()).fetch_optional(&mut *self.read().await?).await?;
        Ok(found.is_some())
    }

    /// Holds the plan's cost. When this returns, the claim is on the disk of the database and of the witness (G7).
    ///
    /// # Errors
    /// Those of [`Ledger::grant`] and of [`Granted::reserve`].
    pub async fn reserve(&self, plan: &Plan, asker: &Principal) -> Result<Reservation, LedgerError> {
        self.grant(plan, asker).await?.reserve().await
    }

    /// Writes a claim on the plan's cost, if it is granted; nothing of it is durable yet.
    ///
    /// # Errors
    /// [`LedgerError::InProgress`] if the same draw is open; a refusal (quota, then share and cap).
    pub async fn grant(&self, plan: &Plan, asker: &Principal) -> Result<Granted, LedgerError> {
        let mut writing = self.write().await?;
        refuse_twice(writing.rows(), plan).await?;
        let Grant { pots, account } = grant(writing.rows(), plan, asker).await?;
        pots.store(writing.rows(), account).await?;
        let hold = self.store.underway.hold(ClaimId::random());
        let id = hold.id();
        let opening = to_json(&serde_json::json!({
            "asker": { "organisation": asker.organisation, "token": asker.token },
            "question": plan.question,
            "measured": plan.form(),
        }))?;
        let (salt, commitment) = commitment::of(opening.as_bytes())?;
        let leaf = Leaf::ChargeReserved {
            account: plan.account.clone(),
            claim: id.clone(),
            nanos: plan.cost.as_nanos(),
            commitment,
        };
        let index = writing.leaf(&leaf).await?;
        let now = writing.now().timestamp_millis();
        sqlx::query(
            "INSERT INTO claims (claim, account, share, organisation, dataset, policy, draw, measurement, editions,
             cost, state, owner, epoch, salt, opening, commitment, reserved_at, log_index)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, (SELECT value FROM meta WHERE key = 'epoch'), ?, ?, ?, ?, ?)",
        )
        .bind(id.as_str())
        .bind(pots.account.as_str())
        .bind(&pots.share)
        .bind(pots.organisation.as_str())
        .bind(plan.dataset.as_str())
        .bind(plan.policy.to_string())
        .bind(plan.draw.to_string())
        .bind(plan.measurement.to_string())
        .bind(to_json(&plan.editions)?)
        .bind(int(plan.cost.as_nanos())?)
        .bind(&self.store.owner)
        .bind(salt)
        .bind(opening)
        .bind(commitment.to_string())
        .bind(now)
        .bind(int(index)?)
        .execute(writing.rows())
        .await?;
        let claim = Reservation {
            hold,
            account: plan.account.clone(),
            accounting: plan.accounting,
            cost: plan.cost,
            draw: plan.draw,
            measured: plan.measured.clone(),
        };
        Ok(Granted { writing, claim })
    }

    /// Gives a claim back on which nothing was drawn.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] if it was ended elsewhere.
    pub async fn void(&self, claim: Reservation) -> Result<(), LedgerError> {
        let mut writing = self.write().await?;
        let claim = self.own(&mut writing, claim.hold.id(), claim.cost, claim.draw).await?;
        end(&mut writing, &claim, "voided", account::void).await?;
        let leaf = Leaf::ChargeVoided {
            account: claim.pots.account.clone(),
            claim: claim.id.clone(),
            nanos: claim.cost.as_nanos(),
            commitment: claim.commitment,
        };
        writing.leaf(&leaf).await?;
        writing.commit(Point::Void).await
    }

    /// Settles a claim as spent with nothing released (a fault after the point of no return).
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] if it was ended elsewhere: as spent, too.
    pub async fn forfeit(&self, claim: Drawn) -> Result<(), LedgerError> {
        let mut writing = self.write().await?;
        let claim = self.drawn(&mut writing, &claim).await?;
        spend(&mut writing, &claim).await?;
        writing.commit(Point::Forfeit).await
    }

    /// The open claim behind a drawn one, if it is still this opening's.
    pub(super) async fn drawn(&self, writing: &mut Writing, claim: &Drawn) -> Result<Claim, LedgerError> {
        let found = self.own(writing, claim.hold.id(), claim.cost, claim.draw).await?;
        if found.pots.account == claim.account {
            Ok(found)
        } else {
            Err(LedgerError::Corruption("a claim is not as it was reserved"))
        }
    }

    async fn own(&self, writing: &mut Writing, id: &ClaimId, cost: Nanos, draw: Digest) -> Result<Claim, LedgerError> {
        let found: Option<ClaimColumns> = sqlx::query_as("SELECT * FROM claims WHERE claim = ? AND state = 'open'")
            .bind(id.as_str())
            .fetch_optional(writing.rows())
            .await?;
        let claim = found.map(Claim::try_from).transpose()?;
        let Some(claim) = claim.filter(|claim| claim.owner == self.store.owner) else {
            return Err(conflict("claim_lost", "the claim was ended by another start of the service; ask again"));
        };
        if claim.cost == cost && claim.draw == draw {
            Ok(claim)
        } else {
            Err(LedgerError::Corruption("a claim is not as it was reserved"))
        }
    }
}

/// The same measurement is paid for once: not while it is under way, not after it was drawn.
async fn refuse_twice(rows: &mut SqliteConnection, plan: &Plan) -> Result<(), LedgerError> {
    let draw = plan.draw.to_string();
    let open: Option<i64> = sqlx::query_scalar("SELECT 1 FROM claims WHERE draw = ? AND state = 'open'")
        .bind(&draw)
        .fetch_optional(&mut *rows)
        .await?;
    if open.is_some() {
        return Err(LedgerError::InProgress);
    }
    let drawn: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM draws WHERE draw = ?").bind(&draw).fetch_optional(rows).await?;
    match drawn {
        Some(_) => Err(conflict("already_drawn", "this was drawn a moment ago; ask again, and it costs nothing")),
        None => Ok(()),
    }
}
