//! Policies: proposed by one officer, approved by others, then in force; suspended by any one of them.
//!
//! # Guarantees
//! No officer's word counts twice for one policy. A proposal is bound to exact bytes (its digest) and dies after seven
//! days. Nothing gains budget but a policy that enough officers approved, and the log says so.

use super::row::{columns, conflict, digest, int, json, name, small, time, to_json, word};
use super::writing::Writing;
use super::{Ledger, LedgerError, PolicyRow, PolicySource, PolicyState, enact};
use crate::fault::Point;
use crate::identity::{DatasetId, Digest, Principal, Role, TokenId};
use crate::policy::Policy;
use crate::transparency::Leaf;
use chrono::TimeDelta;
use sqlx::SqliteConnection;

/// How long a proposal waits for approvals.
const PROPOSAL_DAYS: i64 = 7;

columns! {
    PolicyColumns {
        sha256: String,
        dataset: String,
        version: i64,
        source: String,
        state: String,
        proposer: String,
        proposed_at: i64,
    }
}

impl Ledger {
    /// Proposes a policy.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] if the version does not grow, what is frozen changes, or the account cannot shrink so
    /// far.
    pub async fn propose_policy(
        &self,
        by: &Principal,
        policy: &Policy,
        source: &PolicySource,
    ) -> Result<PolicyRow, LedgerError> {
        let mut writing = self.write().await?;
        need_officer(writing.rows(), by).await?;
        self.expire(&mut writing).await?;
        refuse_version(writing.rows(), policy).await?;
        enact::check(writing.rows(), policy).await?;
        // The same bytes may be proposed again after their time ran out.
        for query in [
            "DELETE FROM approvals WHERE policy IN
             (SELECT sha256 FROM policies WHERE sha256 = ? AND state = 'expired')",
            "DELETE FROM policies WHERE sha256 = ? AND state = 'expired'",
        ] {
            sqlx::query(query).bind(policy.sha256.to_string()).execute(writing.rows()).await?;
        }
        let leaf = Leaf::PolicyProposed {
            dataset: policy.id.clone(),
            version: policy.version,
            sha256: policy.sha256,
            officer: by.token.clone(),
        };
        let index = writing.leaf(&leaf).await?;
        let now = writing.now().timestamp_millis();
        sqlx::query(
            "INSERT INTO policies (sha256, dataset, version, source, state, proposer, proposed_at, account, ids, quota,
             log_index)
             VALUES (?, ?, ?, ?, 'proposed', ?, ?, ?, ?, ?, ?)",
        )
        .bind(policy.sha256.to_string())
        .bind(policy.id.as_str())
        .bind(policy.version)
        .bind(to_json(source)?)
        .bind(by.token.as_str())
        .bind(now)
        .bind(policy.budget.account.as_str())
        .bind(to_json(&policy.unit.id)?)
        .bind(policy.budget.quota_per_organisation.map(|quota| int(quota.as_nanos())).transpose()?)
        .bind(int(index)?)
        .execute(writing.rows())
        .await?;
        self.decide(writing, policy).await
    }

    /// Approves; at the last approval the policy is in force, and its account opened or grown.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] if it was not proposed; [`LedgerError::Conflict`] for the own proposal, a second
    /// approval, one that comes too late, or a policy that another has overtaken.
    pub async fn approve_policy(&self, by: &Principal, policy: &Policy) -> Result<PolicyRow, LedgerError> {
        let mut writing = self.write().await?;
        need_officer(writing.rows(), by).await?;
        let row = self.row(writing.rows(), &policy.sha256).await?.ok_or(LedgerError::Unknown { what: "policy" })?;
        if row.dataset != policy.id || row.version != policy.version {
            return Err(LedgerError::Corruption("a policy is not the one that was proposed"));
        }
        let (code, detail) = match row.state {
            PolicyState::Expired => ("proposal_expired", "this proposal is more than seven days old; propose it again"),
            PolicyState::InForce | PolicyState::Superseded | PolicyState::Lost => {
                ("not_proposed", "this policy is decided already")
            }
            PolicyState::Proposed if row.proposer == by.token => {
                ("own_proposal", "you proposed this policy; another officer must approve it")
            }
            PolicyState::Proposed if row.approvals.contains(&by.token) => {
                ("approved_already", "you have approved this policy; another officer must approve it too")
            }
            PolicyState::Proposed => ("", ""),
        };
        if !code.is_empty() {
            return Err(conflict(code, detail));
        }
        // Again: a later version may have come into force, or the account been used, since it was proposed.
        let newest: Option<i64> = sqlx::query_scalar(
            "SELECT MAX(version) FROM policies WHERE dataset = ? AND state IN ('in_force', 'superseded', 'lost')",
        )
        .bind(policy.id.as_str())
        .fetch_one(writing.rows())
        .await?;
        if newest.is_some_and(|newest| newest >= i64::from(policy.version)) {
            return Err(conflict("policy_overtaken", "a later version is in force; propose a higher one"));
        }
        let leaf = Leaf::PolicyApproved {
            dataset: policy.id.clone(),
            version: policy.version,
            sha256: policy.sha256,
            officer: by.token.clone(),
        };
        let index = writing.leaf(&leaf).await?;
        sqlx::query("INSERT INTO approvals (policy, officer, log_index) VALUES (?, ?, ?)")
            .bind(policy.sha256.to_string())
            .bind(by.token.as_str())
            .bind(int(index)?)
            .execute(writing.rows())
            .await?;
        self.decide(writing, policy).await
    }

    /// Puts a policy in force if no approval is missing, and commits.
    async fn decide(&self, mut writing: Writing, policy: &Policy) -> Result<PolicyRow, LedgerError> {
        let vanished = LedgerError::Corruption("a policy does not read as it was written");
        let Some(row) = self.row(writing.rows(), &policy.sha256).await? else { return Err(vanished) };
        let row = if row.approvals_missing == 0 {
            let mut officers = vec![row.proposer];
            officers.extend(row.approvals);
            enact::enact(&mut writing, policy, officers).await?;
            self.row(writing.rows(), &policy.sha256).await?.ok_or(vanished)?
        } else {
            row
        };
        writing.commit(Point::Govern).await?;
        Ok(row)
    }

    /// One policy.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] if there is none of this digest.
    pub async fn policy(&self, sha256: &Digest) -> Result<PolicyRow, LedgerError> {
        self.row(&mut *self.read().await?, sha256).await?.ok_or(LedgerError::Unknown { what: "policy" })
    }

    /// Every policy, newest first.
    ///
    /// # Errors
    /// Faults only.
    pub async fn policies(&self) -> Result<Vec<PolicyRow>, LedgerError> {
        let mut rows = self.read().await?;
        let found: Vec<PolicyColumns> =
            sqlx::query_as("SELECT * FROM policies ORDER BY log_index DESC").fetch_all(&mut *rows).await?;
        let mut policies = Vec::with_capacity(found.len());
        for columns in found {
            policies.push(self.whole(&mut rows, columns).await?);
        }
        Ok(policies)
    }

    /// The policy in force for a dataset.
    ///
    /// # Errors
    /// Faults only.
    pub async fn policy_in_force(&self, dataset: &DatasetId) -> Result<Option<PolicyRow>, LedgerError> {
        let mut rows = self.read().await?;
        let found: Option<PolicyColumns> =
            sqlx::query_as("SELECT * FROM policies WHERE dataset = ? AND state = 'in_force'")
                .bind(dataset.as_str())
                .fetch_optional(&mut *rows)
                .await?;
        match found {
            Some(columns) => self.whole(&mut rows, columns).await.map(Some),
            None => Ok(None),
        }
    }

    /// Suspends a dataset: one officer, at once. A policy that comes into force later lifts it.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] for a dataset without a policy in force.
    pub async fn suspend(&self, by: &Principal, dataset: &DatasetId) -> Result<(), LedgerError> {
        let mut writing = self.write().await?;
        need_officer(writing.rows(), by).await?;
        let found: Option<(String, i64, i64)> = sqlx::query_as(
            "SELECT p.sha256, p.version, d.suspended FROM policies p JOIN datasets d ON d.dataset = p.dataset
             WHERE p.dataset = ? AND p.state = 'in_force'",
        )
        .bind(dataset.as_str())
        .fetch_optional(writing.rows())
        .await?;
        let (sha256, version, suspended) =
            found.ok_or(LedgerError::Unknown { what: "dataset with a policy in force" })?;
        if suspended != 0 {
            return Ok(());
        }
        sqlx::query("UPDATE datasets SET suspended = 1 WHERE dataset = ?")
            .bind(dataset.as_str())
            .execute(writing.rows())
            .await?;
        let (version, sha256, officer) = (small(version)?, digest(&sha256)?, by.token.clone());
        writing.leaf(&Leaf::DatasetSuspended { dataset: dataset.clone(), version, sha256, officer }).await?;
        writing.commit(Point::Govern).await
    }

    async fn row(&self, rows: &mut SqliteConnection, sha256: &Digest) -> Result<Option<PolicyRow>, LedgerError> {
        let found: Option<PolicyColumns> = sqlx::query_as("SELECT * FROM policies WHERE sha256 = ?")
            .bind(sha256.to_string())
            .fetch_optional(&mut *rows)
            .await?;
        match found {
            Some(columns) => self.whole(rows, columns).await.map(Some),
            None => Ok(None),
        }
    }

    async fn whole(&self, rows: &mut SqliteConnection, row: PolicyColumns) -> Result<PolicyRow, LedgerError> {
        let officers: Vec<String> =
            sqlx::query_scalar("SELECT officer FROM approvals WHERE policy = ? ORDER BY log_index")
                .bind(&row.sha256)
                .fetch_all(rows)
                .await?;
        let approvals = officers.into_iter().map(name).collect::<Result<Vec<TokenId>, LedgerError>>()?;
        let proposed_at = time(row.proposed_at)?;
        let mut state: PolicyState = word(row.state)?;
        if state == PolicyState::Proposed && self.store.now() - proposed_at > TimeDelta::days(PROPOSAL_DAYS) {
            state = PolicyState::Expired;
        }
        let given = u32::try_from(approvals.len()).unwrap_or(u32::MAX).saturating_add(1);
        let approvals_missing =
            if state == PolicyState::Proposed { self.store.approvals.saturating_sub(given) } else { 0 };
        let source: PolicySource = json(&row.source)?;
        Ok(PolicyRow {
            sha256: digest(&row.sha256)?,
            dataset: name(row.dataset)?,
            version: small(row.version)?,
            source,
            state,
            proposer: name(row.proposer)?,
            approvals,
            approvals_missing,
            proposed_at,
        })
    }

    /// Marks proposals whose time has run out, so that their versions are free again.
    async fn expire(&self, writing: &mut Writing) -> Result<(), LedgerError> {
        let before = (writing.now() - TimeDelta::days(PROPOSAL_DAYS)).timestamp_millis();
        sqlx::query("UPDATE policies SET state = 'expired' WHERE state = 'proposed' AND proposed_at < ?")
            .bind(before)
            .execute(writing.rows())
            .await?;
        Ok(())
    }
}

/// Stops anyone but an officer whose token is in use.
async fn need_officer(rows: &mut SqliteConnection, by: &Principal) -> Result<(), LedgerError> {
    let revoked: Option<i64> = sqlx::query_scalar("SELECT revoked FROM tokens WHERE id = ?")
        .bind(by.token.as_str())
        .fetch_optional(rows)
        .await?;
    if by.role == Role::Officer && revoked == Some(0) {
        Ok(())
    } else {
        Err(conflict("forbidden_role", "this takes an officer, with a token in use"))
    }
}

async fn refuse_version(rows: &mut SqliteConnection, policy: &Policy) -> Result<(), LedgerError> {
    let newest: Option<i64> =
        sqlx::query_scalar("SELECT MAX(version) FROM policies WHERE dataset = ? AND state <> 'expired'")
            .bind(policy.id.as_str())
            .fetch_one(rows)
            .await?;
    match newest {
        Some(newest) if newest >= i64::from(policy.version) => Err(conflict(
            "policy_version",
            format!("version {newest} is proposed or decided already; give this policy a higher version"),
        )),
        Some(_) | None => Ok(()),
    }
}
