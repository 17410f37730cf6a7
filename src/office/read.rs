//! Reading: releases, datasets, budgets, the log.

use super::{BudgetFace, ColumnFace, DatasetFace, Office, OfficeError};
use crate::identity::{AccountId, DatasetId, Principal, ReleaseId, Role};
use crate::ledger::{Ledger, LedgerError, PolicyRow, PolicyState, ReleaseFace};
use crate::noise;
use crate::policy::{Code, Grouped, Kind, Per, Policy};
use crate::release::{CodeName, PolicyFace, Release};
use chrono::TimeDelta;
use std::sync::Arc;

impl Office {
    /// One release. Public, unless the policy restricts it or its embargo lasts.
    ///
    /// # Errors
    /// `Unknown` for a release that is not there or that this caller may not read.
    pub async fn release(&self, who: Option<&Principal>, id: &ReleaseId) -> Result<Release, OfficeError> {
        self.release_face(who, id).await?;
        Ok(self.ledger.release(id).await?.into())
    }

    /// What stands beside the bytes of a release, and with it this caller's leave to read them: for whoever keeps the
    /// bytes, to be asked before each time they are shown.
    ///
    /// # Errors
    /// `Unknown` for a release that is not there or that this caller may not read.
    pub async fn release_face(&self, who: Option<&Principal>, id: &ReleaseId) -> Result<Arc<ReleaseFace>, OfficeError> {
        let face = self.ledger.release_face(id).await.map_err(|error| {
            let unknown = matches!(error, LedgerError::Unknown { .. });
            if unknown { OfficeError::Unknown { what: "release" } } else { error.into() }
        })?;
        if self.may_read(who, &face).await? { Ok(face) } else { Err(OfficeError::Unknown { what: "release" }) }
    }

    /// The releases this caller may read, newest first, without their bytes.
    ///
    /// # Errors
    /// Faults only.
    pub async fn release_faces(
        &self,
        who: Option<&Principal>,
        dataset: Option<&DatasetId>,
    ) -> Result<Vec<ReleaseFace>, OfficeError> {
        let mut readable = Vec::new();
        for face in self.ledger.release_faces(dataset).await? {
            if self.may_read(who, &face).await? {
                readable.push(face);
            }
        }
        Ok(readable)
    }

    async fn may_read(&self, who: Option<&Principal>, row: &ReleaseFace) -> Result<bool, OfficeError> {
        let Some(sha256) = &row.policy else { return Ok(false) };
        let policy = self.policy_of(sha256).await?;
        if who.is_some_and(|who| {
            matches!(who.role, Role::Analyst | Role::Officer | Role::Auditor)
                && who.may_see(&row.dataset)
                && !policy.denies(&who.class)
        }) {
            return Ok(true);
        }
        let rule = &policy.releases;
        let open_from = row.released_at + TimeDelta::days(i64::from(rule.publish_after_days));
        Ok(!rule.restricted && self.clock.now() >= open_from)
    }

    /// Every dataset with a policy in force, as the public sees it.
    ///
    /// # Errors
    /// Faults only.
    pub async fn datasets(&self) -> Result<Vec<DatasetFace>, OfficeError> {
        let mut faces = Vec::new();
        for row in self.ledger.policies().await? {
            if row.state == PolicyState::InForce {
                faces.push(self.face(&row).await?);
            }
        }
        faces.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(faces)
    }

    /// One dataset as the public sees it: no data, no counts.
    ///
    /// # Errors
    /// `Unknown` without a policy in force.
    pub async fn dataset(&self, id: &DatasetId) -> Result<DatasetFace, OfficeError> {
        let row = self.ledger.policy_in_force(id).await?.ok_or(OfficeError::Unknown { what: "dataset" })?;
        self.face(&row).await
    }

    async fn face(&self, row: &PolicyRow) -> Result<DatasetFace, OfficeError> {
        let policy = self.parsed(row)?;
        let standing = self.ledger.standing(&policy.id).await?;
        Ok(DatasetFace {
            id: policy.id.clone(),
            title: policy.title.clone(),
            universe: policy.universe.clone(),
            source: policy.source.clone(),
            controller: policy.controller.clone(),
            legal_basis: policy.legal_basis.clone(),
            licence: policy.licence.clone(),
            contact: policy.contact.clone(),
            policy: PolicyFace { version: policy.version, sha256: policy.sha256 },
            suspended: standing.suspended,
            purposes: policy.purposes.iter().map(ToString::to_string).collect(),
            columns: columns(&policy),
            editions: standing.editions,
            threshold: policy.cells.threshold,
            forbidden: policy.forbids.iter().map(|f| (f.cross.iter().cloned().collect(), f.reason.clone())).collect(),
            budget: self.ledger.balance(&policy.budget.account).await?,
        })
    }

    /// What is left of an account, and what was spent as an epsilon.
    ///
    /// # Errors
    /// `Unknown` if no policy has opened it.
    pub async fn budget(&self, who: &Principal, account: &AccountId) -> Result<BudgetFace, OfficeError> {
        let policy = self.account_policy(who, account).await?;
        let balance = self.ledger.balance(account).await?;
        let gone = balance.spent.checked_add(balance.held).unwrap_or(balance.cap);
        let epsilon = noise::epsilon_at(balance.accounting, gone, policy.budget.delta_value);
        Ok(BudgetFace {
            epsilon_spent: epsilon.unwrap_or_else(|| "unbounded".into()),
            delta: policy.budget.delta.clone(),
            balance,
        })
    }

    async fn account_policy(&self, who: &Principal, account: &AccountId) -> Result<Arc<Policy>, OfficeError> {
        for row in self.ledger.policies().await? {
            if row.state == PolicyState::InForce && who.may_see(&row.dataset) {
                let policy = self.parsed(&row)?;
                if policy.budget.account == *account {
                    return Ok(policy);
                }
            }
        }
        Err(OfficeError::Unknown { what: "account" })
    }

    /// The public log, read through the ledger.
    #[must_use]
    pub fn log(&self) -> &Ledger {
        &self.ledger
    }

    /// Ready to serve: the database answers and the vault is unsealed.
    ///
    /// # Errors
    /// `Sealed`, or what the database said.
    pub async fn ready(&self) -> Result<(), OfficeError> {
        if self.vault.sealed() {
            return Err(OfficeError::Sealed);
        }
        Ok(self.ledger.ready().await?)
    }
}

/// What may be asked for: columns, then groupings of them.
fn columns(policy: &Policy) -> Vec<ColumnFace> {
    let faces = policy.columns.iter().chain(&policy.groupings).filter_map(|column| {
        let (role, codes) = match (&column.kind, &column.of) {
            (Kind::Dimension { codes, .. }, None) => ("dimension", codes.codes.iter().map(|c| code(c, &[])).collect()),
            (Kind::Dimension { codes, .. }, Some(of)) => (
                "grouping",
                codes.codes.iter().zip(members(policy, of)).map(|(c, members)| code(c, &members)).collect(),
            ),
            (Kind::Measure(_), _) => ("measure", Vec::new()),
            (Kind::Ignored, _) => return None,
        };
        let per = match column.per {
            Per::Person => "person",
            Per::Row => "row",
        };
        Some(ColumnFace {
            id: column.name.clone(),
            title: column.title.clone(),
            per: per.into(),
            role: role.into(),
            of: column.of.as_ref().map(|of| of.column.clone()),
            codes,
        })
    });
    faces.collect()
}

fn code(code: &Code, members: &[String]) -> CodeName {
    CodeName { code: code.id.clone(), name: code.names.clone(), members: members.to_vec() }
}

/// The codes of each group.
fn members(policy: &Policy, of: &Grouped) -> Vec<Vec<String>> {
    let list = policy.dimensions().find(|(column, _)| column.name == of.column).map(|(_, list)| list);
    let names = |group: &Vec<u16>| {
        group.iter().filter_map(|&member| list?.code(member)).map(|member| member.id.clone()).collect()
    };
    of.groups.iter().map(names).collect()
}
