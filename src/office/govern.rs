//! Governing: policies, suspension, tokens.

use super::{Office, OfficeError, PolicyRecord, need};
use crate::identity::{DatasetId, Digest, Principal, Role, TokenId};
use crate::ledger::{LedgerError, NewToken, PolicyRow, PolicySource, TokenRow};
use crate::policy::{Policy, Severity, loosens};

impl Office {
    /// Proposes a policy. The answer lists what an approver should look at.
    ///
    /// # Errors
    /// `PolicyInvalid` with every finding; `Conflict` if the version does not grow.
    pub async fn propose(&self, who: &Principal, source: PolicySource) -> Result<PolicyRecord, OfficeError> {
        need(who, Role::Officer)?;
        let (policy, findings) = Policy::parse(&source.toml, &source.lists).map_err(OfficeError::PolicyInvalid)?;
        if !who.may_see(&policy.id) {
            return Err(crate::policy::Inadmissible::DatasetUnknown.into());
        }
        let mut warnings: Vec<String> =
            findings.iter().filter(|f| f.severity == Severity::Warning).map(|f| f.message.clone()).collect();
        if let Some(row) = self.ledger.policy_in_force(&policy.id).await? {
            warnings.extend(loosens(&*self.parsed(&row)?, &policy));
        }
        // Its policy in force may say less than other datasets on the account have made of it since, or more.
        match self.ledger.balance(&policy.budget.account).await {
            Ok(before) if policy.budget.lifetime > before.cap => warnings.push(format!(
                "account {}: {} becomes {}, for every dataset on it",
                before.account, before.cap, policy.budget.lifetime
            )),
            Ok(_) | Err(LedgerError::Unknown { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let row = self.ledger.propose_policy(who, &policy, &source).await?;
        Ok(record(row, warnings))
    }

    /// Approves a proposed policy; with the last approval it is in force.
    ///
    /// # Errors
    /// `Conflict` for the proposer's own approval, a second one, or one that comes too late.
    pub async fn approve(&self, who: &Principal, sha256: &Digest) -> Result<PolicyRecord, OfficeError> {
        need(who, Role::Officer)?;
        let row = self.ledger.policy(sha256).await?;
        if !who.may_see(&row.dataset) {
            return Err(OfficeError::Unknown { what: "policy" });
        }
        let policy = self.parsed(&row)?;
        Ok(record(self.ledger.approve_policy(who, &policy).await?, Vec::new()))
    }

    /// Every policy, proposed or decided, newest first.
    ///
    /// # Errors
    /// `ForbiddenRole` for anyone but officers and auditors.
    pub async fn policies(&self, who: &Principal) -> Result<Vec<PolicyRecord>, OfficeError> {
        if who.role != Role::Auditor {
            need(who, Role::Officer)?;
        }
        let rows = self.ledger.policies().await?;
        Ok(rows.into_iter().filter(|row| who.may_see(&row.dataset)).map(|row| record(row, Vec::new())).collect())
    }

    /// Suspends a dataset: one officer, at once.
    ///
    /// # Errors
    /// `DatasetUnknown` for a dataset without a policy in force.
    pub async fn suspend(&self, who: &Principal, dataset: &DatasetId) -> Result<(), OfficeError> {
        need(who, Role::Officer)?;
        self.policy_for(who, dataset).await?;
        Ok(self.ledger.suspend(who, dataset).await?)
    }

    /// Makes a token; its text is shown this once. Never for officers: they come from `init` or two officers.
    ///
    /// # Errors
    /// `Conflict` for an officer's role or a lifetime over a year.
    pub async fn issue_token(&self, who: &Principal, new: NewToken) -> Result<(TokenRow, String), OfficeError> {
        need(who, Role::Operator)?;
        Ok(self.ledger.issue_token(Some(who), &new).await?)
    }

    /// Revokes a token, at once.
    ///
    /// # Errors
    /// `Unknown` if there is no such token.
    pub async fn revoke_token(&self, who: &Principal, id: &TokenId) -> Result<(), OfficeError> {
        need(who, Role::Operator)?;
        Ok(self.ledger.revoke_token(who, id).await?)
    }

    /// Every token, without its secret.
    ///
    /// # Errors
    /// `ForbiddenRole` for anyone but an operator.
    pub async fn tokens(&self, who: &Principal) -> Result<Vec<TokenRow>, OfficeError> {
        need(who, Role::Operator)?;
        Ok(self.ledger.tokens().await?)
    }
}

fn record(row: PolicyRow, warnings: Vec<String>) -> PolicyRecord {
    PolicyRecord {
        sha256: row.sha256,
        dataset: row.dataset,
        version: row.version,
        state: row.state,
        approvals_missing: row.approvals_missing,
        warnings,
        proposed_at: row.proposed_at,
    }
}
