//! Policies: proposed, approved by different officers, in force; and the accounts they open.

use super::claims::{account_state, named};
use super::store::{Ledger, signed, unsigned};
use super::{LedgerError, PolicyRow, PolicySource, PolicyState};
use crate::identity::{DatasetId, Digest, Principal, TokenId};
use crate::policy::Policy;
use crate::transparency::Leaf;
use chrono::{DateTime, TimeDelta};
use sqlx::{Row as _, SqliteConnection};

/// Days a proposal waits for its approvals.
const PROPOSAL_DAYS: i64 = 7;

impl Ledger {
    /// Proposes a policy; the proposer's is the first approval.
    ///
    /// # Errors
    /// `Conflict` if the version does not grow or the account would change its kind.
    pub async fn propose_policy(
        &self,
        by: &Principal,
        policy: &Policy,
        source: &PolicySource,
    ) -> Result<PolicyRow, LedgerError> {
        let mut step = self.begin().await?;
        let last: Option<i64> = sqlx::query_scalar("SELECT MAX(version) FROM policies WHERE dataset = ?")
            .bind(policy.id.as_str())
            .fetch_one(step.db())
            .await?;
        if last.is_some_and(|last| i64::from(policy.version) <= last) {
            let detail = format!(
                "version {} or a later one of {} was proposed before; raise `version`",
                policy.version, policy.id
            );
            return Err(conflict("version_not_grown", &detail));
        }
        if let Some(old) = in_force(step.db(), &policy.id).await?
            && read(&old)?.budget.account != policy.budget.account
        {
            return Err(conflict("account_changed", "a dataset keeps its account; no renaming gains budget"));
        }
        match account_state(step.db(), &policy.budget.account).await {
            Ok((accounting, _)) if accounting != policy.budget.accounting => {
                return Err(conflict("accounting_changed", "an account keeps its kind of accounting"));
            }
            Ok(_) | Err(LedgerError::Unknown { .. }) => {}
            Err(error) => return Err(error),
        }
        let text = serde_json::to_string(source).map_err(|_| LedgerError::Corruption("a source is not JSON"))?;
        sqlx::query("INSERT INTO policies VALUES (?, ?, ?, ?, 'proposed', ?, ?)")
            .bind(policy.sha256.to_string())
            .bind(policy.id.as_str())
            .bind(policy.version)
            .bind(text)
            .bind(by.token.as_str())
            .bind(self.now().timestamp())
            .execute(step.db())
            .await?;
        step.log(Leaf::PolicyProposed {
            dataset: policy.id.clone(),
            version: policy.version,
            sha256: policy.sha256,
            officer: by.token.clone(),
        })?;
        if self.0.approvals <= 1 {
            self.enforce(&mut step, policy).await?;
        }
        step.commit().await?;
        self.policy(&policy.sha256).await
    }

    /// Approves; at the last approval the policy is in force, and its account opened or grown.
    ///
    /// # Errors
    /// `Conflict` for the proposer, a second approval, or one that comes too late.
    pub async fn approve_policy(&self, by: &Principal, policy: &Policy) -> Result<PolicyRow, LedgerError> {
        let mut step = self.begin().await?;
        let row = one(step.db(), &policy.sha256).await?.ok_or(LedgerError::Unknown { what: "policy" })?;
        if row.state != PolicyState::Proposed {
            return Err(conflict("not_proposed", "this policy is not waiting for approvals"));
        }
        if self.now() > row.proposed_at + TimeDelta::days(PROPOSAL_DAYS) {
            return Err(conflict(
                "proposal_expired",
                "this proposal has expired; propose the policy again with a higher version",
            ));
        }
        if row.proposer == by.token || row.approvals.contains(&by.token) {
            return Err(conflict(
                "second_officer_needed",
                "another officer must approve this: you proposed or approved it already",
            ));
        }
        sqlx::query("INSERT INTO approvals VALUES (?, ?)")
            .bind(policy.sha256.to_string())
            .bind(by.token.as_str())
            .execute(step.db())
            .await?;
        step.log(Leaf::PolicyApproved {
            dataset: policy.id.clone(),
            version: policy.version,
            sha256: policy.sha256,
            officer: by.token.clone(),
        })?;
        if row.approvals.len() + 2 >= usize::try_from(self.0.approvals).unwrap_or(usize::MAX) {
            self.enforce(&mut step, policy).await?;
        }
        step.commit().await?;
        self.policy(&policy.sha256).await
    }

    async fn enforce(&self, step: &mut super::store::Step<'_>, policy: &Policy) -> Result<(), LedgerError> {
        sqlx::query("UPDATE policies SET state = 'superseded' WHERE dataset = ? AND state = 'in_force'")
            .bind(policy.id.as_str())
            .execute(step.db())
            .await?;
        sqlx::query("UPDATE policies SET state = 'in_force' WHERE sha256 = ?")
            .bind(policy.sha256.to_string())
            .execute(step.db())
            .await?;
        let cap = signed(policy.budget.lifetime.as_nanos())?;
        let kept = sqlx::query(
            "INSERT INTO accounts (id, accounting, cap) VALUES (?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET cap = excluded.cap WHERE held + spent <= excluded.cap",
        )
        .bind(policy.budget.account.as_str())
        .bind(policy.budget.accounting.as_str())
        .bind(cap)
        .execute(step.db())
        .await?;
        if kept.rows_affected() != 1 {
            return Err(conflict(
                "cap_below_spent",
                "more than this lifetime budget was spent already; it cannot be lowered so far",
            ));
        }
        let row = one(step.db(), &policy.sha256).await?.ok_or(LedgerError::Unknown { what: "policy" })?;
        let mut officers = vec![row.proposer];
        officers.extend(row.approvals);
        step.log(Leaf::PolicyInForce {
            dataset: policy.id.clone(),
            version: policy.version,
            sha256: policy.sha256,
            officers,
            account: policy.budget.account.clone(),
            accounting: policy.budget.accounting,
            lifetime_nanos: policy.budget.lifetime.as_nanos(),
        })?;
        Ok(())
    }

    /// One policy.
    ///
    /// # Errors
    /// `Unknown`.
    pub async fn policy(&self, sha256: &Digest) -> Result<PolicyRow, LedgerError> {
        let mut db = self.0.readers.acquire().await?;
        let row = one(&mut db, sha256).await?.ok_or(LedgerError::Unknown { what: "policy" })?;
        Ok(self.counted(row))
    }

    /// Every policy, newest first.
    ///
    /// # Errors
    /// Faults only.
    pub async fn policies(&self) -> Result<Vec<PolicyRow>, LedgerError> {
        let mut db = self.0.readers.acquire().await?;
        Ok(all(&mut db).await?.into_iter().map(|row| self.counted(row)).collect())
    }

    /// The policy in force of a dataset.
    ///
    /// # Errors
    /// Faults only.
    pub async fn policy_in_force(&self, dataset: &DatasetId) -> Result<Option<PolicyRow>, LedgerError> {
        let mut db = self.0.readers.acquire().await?;
        in_force(&mut db, dataset).await
    }

    fn counted(&self, mut row: PolicyRow) -> PolicyRow {
        if row.state == PolicyState::Proposed {
            let given = u32::try_from(row.approvals.len()).unwrap_or(u32::MAX).saturating_add(1);
            row.approvals_missing = self.0.approvals.saturating_sub(given);
            if self.now() > row.proposed_at + TimeDelta::days(PROPOSAL_DAYS) {
                row.state = PolicyState::Expired;
            }
        }
        row
    }

    /// Suspends a dataset, at once.
    ///
    /// # Errors
    /// Faults only.
    pub async fn suspend(&self, by: &Principal, dataset: &DatasetId) -> Result<(), LedgerError> {
        let mut step = self.begin().await?;
        sqlx::query("INSERT OR IGNORE INTO suspensions VALUES (?, ?)")
            .bind(dataset.as_str())
            .bind(by.token.as_str())
            .execute(step.db())
            .await?;
        step.log(Leaf::DatasetSuspended { dataset: dataset.clone(), officer: by.token.clone() })?;
        step.commit().await
    }

    /// Whether a dataset is suspended.
    ///
    /// # Errors
    /// Faults only.
    pub async fn suspended(&self, dataset: &DatasetId) -> Result<bool, LedgerError> {
        let found: i64 = sqlx::query_scalar("SELECT count(*) FROM suspensions WHERE dataset = ?")
            .bind(dataset.as_str())
            .fetch_one(&self.0.readers)
            .await?;
        Ok(found > 0)
    }
}

const COLUMNS: &str = "";

pub(super) async fn all(db: &mut SqliteConnection) -> Result<Vec<PolicyRow>, LedgerError> {
    let _ = COLUMNS;
    let rows = sqlx::query("SELECT sha256, dataset, version, source, state, proposer, proposed_at FROM policies ORDER BY proposed_at DESC, version DESC")
        .fetch_all(&mut *db)
        .await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in &rows {
        all.push(with_approvals(db, row).await?);
    }
    Ok(all)
}

pub(super) async fn in_force(db: &mut SqliteConnection, dataset: &DatasetId) -> Result<Option<PolicyRow>, LedgerError> {
    let row = sqlx::query("SELECT sha256, dataset, version, source, state, proposer, proposed_at FROM policies WHERE dataset = ? AND state = 'in_force'")
        .bind(dataset.as_str())
        .fetch_optional(&mut *db)
        .await?;
    match row {
        Some(row) => Ok(Some(with_approvals(db, &row).await?)),
        None => Ok(None),
    }
}

async fn one(db: &mut SqliteConnection, sha256: &Digest) -> Result<Option<PolicyRow>, LedgerError> {
    let row = sqlx::query(
        "SELECT sha256, dataset, version, source, state, proposer, proposed_at FROM policies WHERE sha256 = ?",
    )
    .bind(sha256.to_string())
    .fetch_optional(&mut *db)
    .await?;
    match row {
        Some(row) => Ok(Some(with_approvals(db, &row).await?)),
        None => Ok(None),
    }
}

async fn with_approvals(db: &mut SqliteConnection, row: &sqlx::sqlite::SqliteRow) -> Result<PolicyRow, LedgerError> {
    let text: String = row.try_get(0)?;
    let sha256 = Digest::parse(&text).ok_or(LedgerError::Corruption("a digest"))?;
    let officers: Vec<String> = sqlx::query_scalar("SELECT officer FROM approvals WHERE sha256 = ? ORDER BY rowid")
        .bind(&text)
        .fetch_all(db)
        .await?;
    let state = match row.try_get::<String, _>(4)?.as_str() {
        "proposed" => PolicyState::Proposed,
        "in_force" => PolicyState::InForce,
        _ => PolicyState::Superseded,
    };
    let source: PolicySource = serde_json::from_str(&row.try_get::<String, _>(3)?)
        .map_err(|_| LedgerError::Corruption("a policy's source"))?;
    Ok(PolicyRow {
        sha256,
        dataset: named(DatasetId::parse(row.try_get(1)?))?,
        version: u32::try_from(unsigned(row.try_get(2)?)?).map_err(|_| LedgerError::Corruption("a version"))?,
        source,
        state,
        proposer: named(TokenId::parse(row.try_get(5)?))?,
        approvals: officers.iter().map(|id| named(TokenId::parse(id))).collect::<Result<_, _>>()?,
        approvals_missing: 0,
        proposed_at: DateTime::from_timestamp(row.try_get(6)?, 0).ok_or(LedgerError::Corruption("a time"))?,
    })
}

pub(super) fn read(row: &PolicyRow) -> Result<Policy, LedgerError> {
    let (policy, _) =
        Policy::parse(&row.source.toml, &row.source.lists).map_err(|_| LedgerError::Corruption("a stored policy"))?;
    Ok(policy)
}

pub(super) fn conflict(code: &'static str, detail: &str) -> LedgerError {
    LedgerError::Conflict { code, detail: detail.to_owned() }
}
