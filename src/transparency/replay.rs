//! The replay: what must hold of the leaves one after another.
//!
//! Policies come into force by proposal and enough distinct officers; every claim ends at most once, within the cap its
//! policies gave; releases name a settled claim; editions count up by one; what is replaced, withdrawn or revoked was
//! there before. Each break is a finding; the replay goes on, so that one edit does not hide another.

use super::account::{AccountReplay, ClaimReplay, ClaimState};
use super::{Leaf, Report};
use crate::budget::Nanos;
use crate::identity::{
    AccountId, ClaimId, DatasetId, Digest, Organisation, Period, ReleaseId, Role, SubmissionId, TokenId,
};
use std::collections::{BTreeMap, BTreeSet};

/// A policy as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PolicyReplay {
    pub(crate) dataset: DatasetId,
    pub(crate) version: u32,
    pub(crate) officers: Vec<TokenId>,
    pub(crate) enacted: bool,
}

/// A submission as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubmissionReplay {
    pub(crate) organisation: Organisation,
    pub(crate) dataset: DatasetId,
    pub(crate) period: Period,
    pub(crate) commitment: Digest,
    pub(crate) live: bool,
}

/// A release as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReleaseReplay {
    pub(crate) sha256: Digest,
    pub(crate) claim: ClaimId,
    pub(crate) index: u64,
    pub(crate) notice: Option<String>,
}

/// Everything the leaves have told so far.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    pub(crate) approvals: Option<u32>,
    pub(crate) policies: BTreeMap<Digest, PolicyReplay>,
    pub(crate) in_force: BTreeMap<DatasetId, Digest>,
    pub(crate) suspended: BTreeSet<DatasetId>,
    pub(crate) accounts: BTreeMap<AccountId, AccountReplay>,
    pub(crate) dataset_accounts: BTreeMap<DatasetId, AccountId>,
    pub(crate) claims: BTreeMap<ClaimId, ClaimReplay>,
    pub(crate) submissions: BTreeMap<SubmissionId, SubmissionReplay>,
    pub(crate) editions: BTreeMap<(DatasetId, Period), Vec<(u32, Digest)>>,
    pub(crate) releases: BTreeMap<ReleaseId, ReleaseReplay>,
    pub(crate) tokens: BTreeMap<TokenId, (Role, bool)>,
}

impl Replay {
    /// Takes the next leaf.
    pub fn apply(&mut self, index: u64, leaf: Leaf, report: &mut Report) {
        let broken = match leaf {
            Leaf::PolicyProposed { dataset, version, sha256, officer } => {
                self.proposed(dataset, version, sha256, officer)
            }
            Leaf::PolicyApproved { dataset, version, sha256, officer } => {
                self.approved(&dataset, version, sha256, officer)
            }
            leaf @ Leaf::PolicyInForce { .. } => self.in_force(leaf),
            Leaf::DatasetSuspended { dataset, sha256, officer, .. } => {
                let named = self.in_force.get(&dataset) == Some(&sha256) && self.is_officer(&officer);
                self.suspended.insert(dataset);
                (!named).then_some((
                    "suspension",
                    "a dataset is suspended under a policy that is not in force, or by no officer",
                ))
            }
            Leaf::SubmissionAccepted { submission, organisation, dataset, period, commitment } => {
                let new = SubmissionReplay { organisation, dataset, period, commitment, live: true };
                let twice = self.submissions.insert(submission, new).is_some();
                twice.then_some(("submission_twice", "a submission is accepted twice"))
            }
            Leaf::SubmissionReplaced { submission, organisation, dataset, period, commitment, by } => {
                let said = SubmissionReplay { organisation, dataset, period, commitment, live: true };
                let by_live = self.submissions.get(&by).is_some_and(|by| by.live);
                let broken = self.ended_submission(&submission, &said);
                broken
                    .or((!by_live)
                        .then_some(("submission_unknown", "a submission is replaced by one that is not live")))
            }
            Leaf::SubmissionWithdrawn { submission, organisation, dataset, period, commitment } => self
                .ended_submission(
                    &submission,
                    &SubmissionReplay { organisation, dataset, period, commitment, live: true },
                ),
            Leaf::Erased { submission, .. } => self.erased(&submission),
            Leaf::EditionClosed { dataset, period, number, commitment } => {
                let closed = self.editions.entry((dataset, period)).or_default();
                let next = closed.last().map_or(Some(1), |(last, _)| last.checked_add(1));
                closed.push((number, commitment));
                (next != Some(number)).then_some(("edition_number", "the number of an edition does not grow by one"))
            }
            Leaf::ChargeReserved { account, claim, nanos, commitment } => self.reserved(
                claim,
                ClaimReplay { account, cost: Nanos::from_nanos(nanos), commitment, state: ClaimState::Open },
            ),
            Leaf::ChargeSettled { account, claim, nanos, commitment } => {
                self.ended(&claim, &account, nanos, commitment, ClaimState::Settled)
            }
            Leaf::ChargeVoided { account, claim, nanos, commitment } => {
                self.ended(&claim, &account, nanos, commitment, ClaimState::Voided)
            }
            Leaf::Release { release, sha256, claim } => self.released(release, sha256, claim, index),
            Leaf::ReleaseSuperseded { release, notice } | Leaf::ReleaseWithdrawn { release, notice } => {
                let known = self.releases.get_mut(&release).map(|known| known.notice = Some(notice));
                known.is_none().then_some(("release_unknown", "a notice for a release that does not stand"))
            }
            Leaf::TokenIssued { token, role, by } => self.issued(token, role, by.as_ref()),
            Leaf::TokenRevoked { token, role, .. } => self.revoked(token, role),
            Leaf::SettingsChanged { approvals, .. } => {
                self.approvals = Some(approvals);
                report.approvals_least = Some(report.approvals_least.map_or(approvals, |least| least.min(approvals)));
                None
            }
            Leaf::KeyRotated { .. } | Leaf::Restored { .. } => None,
        };
        if let Some((code, what)) = broken {
            report.find(Some(index), code, what);
        }
    }

    fn proposed(&mut self, dataset: DatasetId, version: u32, sha256: Digest, officer: TokenId) -> Broken {
        let enacted = self.policies.get(&sha256).is_some_and(|known| known.enacted);
        let newest =
            self.in_force.get(&dataset).and_then(|sha| self.policies.get(sha)).map_or(0, |known| known.version);
        let stranger = !self.is_officer(&officer);
        let broken = (enacted || stranger || version <= newest)
            .then_some(("policy_version", "a policy is proposed whose version does not grow, or by no officer"));
        self.policies.insert(sha256, PolicyReplay { dataset, version, officers: vec![officer], enacted });
        broken
    }

    fn approved(&mut self, dataset: &DatasetId, version: u32, sha256: Digest, officer: TokenId) -> Broken {
        let stranger = !self.is_officer(&officer);
        let known =
            self.policies.get_mut(&sha256).filter(|p| !p.enacted && p.dataset == *dataset && p.version == version);
        let Some(known) = known else { return Some(("policy_approval", "a policy is approved that is not proposed")) };
        if stranger || known.officers.contains(&officer) {
            return Some((
                "policy_approval",
                "a policy is approved by no officer, or twice by one, or by its proposer",
            ));
        }
        known.officers.push(officer);
        None
    }

    fn in_force(&mut self, leaf: Leaf) -> Broken {
        let Leaf::PolicyInForce {
            dataset,
            version,
            sha256,
            officers,
            account,
            accounting,
            lifetime_nanos,
            shares_nanos,
        } = leaf
        else {
            return None;
        };
        let mut broken = None;
        let needed = usize::try_from(self.approvals.unwrap_or(2)).unwrap_or(usize::MAX);
        match self.policies.get_mut(&sha256) {
            Some(known) if !known.enacted && known.dataset == dataset && known.version == version => {
                known.enacted = true;
                if known.officers != officers || officers.len() < needed {
                    broken = Some(("policy_approvals", "a policy is in force without the approvals it needs"));
                }
            }
            _ => broken = Some(("policy_approvals", "a policy is in force that was not proposed")),
        }
        let cap = Nanos::from_nanos(lifetime_nanos);
        let shares = shares_nanos.values().try_fold(0_u64, |sum, share| sum.checked_add(*share));
        if shares.is_none_or(|sum| sum > lifetime_nanos) {
            broken = Some(("account_shares", "the shares of an account are more than the whole"));
        }
        if self.dataset_accounts.get(&dataset).is_some_and(|known| *known != account) {
            broken = Some(("account_moved", "a dataset changes its account"));
        }
        let zero = AccountReplay { accounting, cap, held: Nanos::ZERO, spent: Nanos::ZERO };
        let known = self.accounts.entry(account.clone()).or_insert(zero);
        known.cap = cap;
        if known.accounting != accounting || known.used().is_none_or(|used| used > cap) {
            broken =
                Some(("account_changed", "an account changes its accounting, or its cap falls below what is used"));
        }
        self.suspended.remove(&dataset);
        self.dataset_accounts.insert(dataset.clone(), account);
        self.in_force.insert(dataset, sha256);
        broken
    }

    fn released(&mut self, release: ReleaseId, sha256: Digest, claim: ClaimId, index: u64) -> Broken {
        let paid = self.claims.get(&claim).is_some_and(|claim| claim.state == ClaimState::Settled);
        let new = ReleaseReplay { sha256, claim, index, notice: None };
        let twice = self.releases.insert(release, new).is_some();
        (twice || !paid).then_some(("release_unpaid", "a release stands twice, or on a claim that is not settled"))
    }

    fn issued(&mut self, token: TokenId, role: Role, by: Option<&TokenId>) -> Broken {
        let may = by.is_none_or(|by| self.tokens.get(by) == Some(&(Role::Operator, true)) && role != Role::Officer);
        let twice = self.tokens.insert(token, (role, true)).is_some();
        (twice || !may).then_some(("token", "a token is issued twice, or by a token that may not"))
    }

    fn revoked(&mut self, token: TokenId, role: Role) -> Broken {
        let known = self.tokens.insert(token, (role, false)) == Some((role, true));
        (!known).then_some(("token", "a token is revoked that was not in use"))
    }

    /// What was replaced may be erased too.
    fn erased(&mut self, submission: &SubmissionId) -> Broken {
        let known = self.submissions.get_mut(submission).map(|known| known.live = false);
        known.is_none().then_some(("submission_unknown", "a submission is erased that was not accepted"))
    }

    /// Whether a token is an officer's, in use.
    fn is_officer(&self, token: &TokenId) -> bool {
        self.tokens.get(token) == Some(&(Role::Officer, true))
    }

    fn ended_submission(&mut self, submission: &SubmissionId, said: &SubmissionReplay) -> Broken {
        match self.submissions.get_mut(submission).filter(|known| **known == *said) {
            Some(known) => {
                known.live = false;
                None
            }
            None => Some(("submission_unknown", "a submission is replaced or withdrawn that was not live")),
        }
    }

    fn reserved(&mut self, claim: ClaimId, new: ClaimReplay) -> Broken {
        let Some(balance) = self.accounts.get_mut(&new.account) else {
            return Some(("account_unknown", "a charge on an account that no policy in force has opened"));
        };
        if self.claims.contains_key(&claim) {
            return Some(("claim_twice", "a claim is reserved twice"));
        }
        let covered = balance.reserve(new.cost) && new.cost > Nanos::ZERO;
        self.claims.insert(claim, new);
        (!covered).then_some(("overspent", "an account holds and has spent more than its cap"))
    }

    fn ended(
        &mut self,
        claim: &ClaimId,
        account: &AccountId,
        nanos: u64,
        commitment: Digest,
        state: ClaimState,
    ) -> Broken {
        let cost = Nanos::from_nanos(nanos);
        let open = |known: &ClaimReplay| {
            known.state == ClaimState::Open
                && known.account == *account
                && known.cost == cost
                && known.commitment == commitment
        };
        let known = self.claims.get_mut(claim).filter(|known| open(known));
        let (Some(known), Some(balance)) = (known, self.accounts.get_mut(account)) else {
            return Some(("claim_ended", "a claim ends that is not open, or not as it was reserved"));
        };
        known.state = state;
        let held = balance.end(cost, state == ClaimState::Settled);
        (!held).then_some(("claim_ended", "a claim ends that was not held"))
    }
}

/// A code and a sentence, if something does not hold.
type Broken = Option<(&'static str, &'static str)>;
