//! The replay: what must hold of the leaves one after another.
//!
//! Policies come into force by proposal and enough distinct officers; every claim ends at most once, within the cap its
//! policies gave; releases name a settled claim; editions count up by one; what is replaced, withdrawn or revoked was
//! there before. Each break is a finding; the replay goes on, so that one edit does not hide another.

use super::account::{AccountReplay, ClaimReplay, ClaimState};
use super::told::{EditionReplay, PolicyReplay, ReleaseReplay, Standing, SubmissionReplay, TokenReplay, Told};
use super::{Leaf, Report};
use crate::budget::Nanos;
use crate::identity::{AccountId, ClaimId, DatasetId, Digest, Period, ReleaseId, Role, SubmissionId, TokenId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Everything the leaves have told so far.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    pub(crate) approvals: Option<u32>,
    pub(crate) settings: Option<Digest>,
    pub(crate) policies: BTreeMap<Digest, PolicyReplay>,
    pub(crate) in_force: BTreeMap<DatasetId, Digest>,
    pub(crate) suspended: BTreeSet<DatasetId>,
    pub(crate) accounts: BTreeMap<AccountId, AccountReplay>,
    /// The policy that last granted the shares of an account.
    pub(crate) granted: BTreeMap<AccountId, Digest>,
    pub(crate) dataset_accounts: BTreeMap<DatasetId, AccountId>,
    pub(crate) claims: BTreeMap<ClaimId, ClaimReplay>,
    pub(crate) submissions: BTreeMap<SubmissionId, SubmissionReplay>,
    pub(crate) editions: BTreeMap<(DatasetId, Period), Vec<EditionReplay>>,
    pub(crate) releases: BTreeMap<ReleaseId, ReleaseReplay>,
    pub(crate) tokens: BTreeMap<TokenId, TokenReplay>,
    /// Leaves whose rows were lost: a database was put back and brought forward over them.
    pub(crate) gaps: Vec<Range<u64>>,
}

impl Replay {
    /// Takes the next leaf.
    pub fn apply(&mut self, index: u64, leaf: Leaf, report: &mut Report) {
        let broken = match leaf {
            Leaf::PolicyProposed { dataset, version, sha256, officer } => {
                self.proposed(dataset, version, sha256, (officer, index))
            }
            Leaf::PolicyApproved { dataset, version, sha256, officer } => {
                self.approved(&dataset, version, sha256, (officer, index))
            }
            leaf @ Leaf::PolicyInForce { .. } => self.in_force(leaf, index),
            Leaf::DatasetSuspended { dataset, sha256, officer, .. } => self.suspended(dataset, &sha256, &officer),
            Leaf::SubmissionAccepted { submission, organisation, dataset, period, commitment } => {
                let told = Told { organisation, dataset, period, commitment };
                let new = SubmissionReplay { told, index, standing: Standing::Live };
                let twice = self.submissions.insert(submission, new).is_some();
                twice.then_some(("submission_twice", "a submission is accepted twice"))
            }
            Leaf::SubmissionReplaced { submission, organisation, dataset, period, commitment, by } => {
                let told = Told { organisation, dataset, period, commitment };
                let by_live = self.submissions.get(&by).is_some_and(|by| by.standing == Standing::Live);
                let broken = self.ended_submission(&submission, &told, Standing::Replaced);
                broken
                    .or((!by_live)
                        .then_some(("submission_unknown", "a submission is replaced by one that is not live")))
            }
            Leaf::SubmissionWithdrawn { submission, organisation, dataset, period, commitment } => {
                let told = Told { organisation, dataset, period, commitment };
                self.ended_submission(&submission, &told, Standing::Erased)
            }
            Leaf::Erased { submission, .. } => self.erased(&submission),
            Leaf::EditionClosed { dataset, period, number, commitment } => {
                let closed = self.editions.entry((dataset, period)).or_default();
                let next = closed.last().map_or(Some(1), |last| last.number.checked_add(1));
                closed.push(EditionReplay { number, commitment, index });
                (next != Some(number)).then_some(("edition_number", "the number of an edition does not grow by one"))
            }
            Leaf::ChargeReserved { account, claim, nanos, commitment } => self.reserved(
                claim,
                ClaimReplay { account, cost: Nanos::from_nanos(nanos), commitment, state: ClaimState::Open, index },
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
            Leaf::TokenIssued { token, role, by } => self.issued(token, role, by.as_ref(), index),
            Leaf::TokenRevoked { token, role, .. } => self.revoked(&token, role),
            Leaf::SettingsChanged { approvals, sha256, .. } => {
                self.approvals = Some(approvals);
                self.settings = Some(sha256);
                report.approvals_least = Some(report.approvals_least.map_or(approvals, |least| least.min(approvals)));
                None
            }
            Leaf::KeyRotated { .. } => None,
            Leaf::Restored { size, .. } => {
                report.restored.push((size, index));
                self.restored(size, index)
            }
        };
        if let Some((code, what)) = broken {
            report.find(Some(index), code, what);
        }
    }

    /// Whether what began with this leaf has lost its rows to a restore.
    pub(crate) fn lost(&self, index: u64) -> bool {
        self.gaps.iter().any(|gap| gap.contains(&index))
    }

    /// What began in the gap is gone, and nothing of it may be used: submissions, tokens, and the text of policies,
    /// whose datasets stay suspended until officers propose again. Charges stand.
    fn restored(&mut self, size: u64, index: u64) -> Broken {
        if size > index {
            return Some(("restored", "a database is put back that had more leaves than the log"));
        }
        self.gaps.push(size..index);
        for (dataset, sha256) in &self.in_force {
            if self.policies.get(sha256).is_none_or(|policy| policy.enacted.is_none_or(|enacted| enacted >= size)) {
                self.suspended.insert(dataset.clone());
            }
        }
        for submission in self.submissions.values_mut().filter(|submission| submission.index >= size) {
            submission.standing = Standing::Erased;
        }
        for token in self.tokens.values_mut().filter(|token| token.index >= size) {
            token.in_use = false;
        }
        None
    }

    fn suspended(&mut self, dataset: DatasetId, sha256: &Digest, officer: &TokenId) -> Broken {
        let named = self.in_force.get(&dataset) == Some(sha256) && self.is_officer(officer);
        self.suspended.insert(dataset);
        (!named)
            .then_some(("suspension", "a dataset is suspended under a policy that is not in force, or by no officer"))
    }

    fn proposed(&mut self, dataset: DatasetId, version: u32, sha256: Digest, officer: (TokenId, u64)) -> Broken {
        let enacted = self.policies.get(&sha256).is_some_and(|known| known.enacted.is_some());
        let newest =
            self.in_force.get(&dataset).and_then(|sha| self.policies.get(sha)).map_or(0, |known| known.version);
        let stranger = !self.is_officer(&officer.0);
        let broken = (enacted || stranger || version <= newest)
            .then_some(("policy_version", "a policy is proposed whose version does not grow, or by no officer"));
        let kept = self.policies.remove(&sha256);
        let enacted = kept.and_then(|kept| kept.enacted);
        let new = PolicyReplay { dataset, version, officers: vec![officer], enacted, grant: None };
        self.policies.insert(sha256, new);
        broken
    }

    fn approved(&mut self, dataset: &DatasetId, version: u32, sha256: Digest, officer: (TokenId, u64)) -> Broken {
        let stranger = !self.is_officer(&officer.0);
        let known = self
            .policies
            .get_mut(&sha256)
            .filter(|p| p.enacted.is_none() && p.dataset == *dataset && p.version == version);
        let Some(known) = known else { return Some(("policy_approval", "a policy is approved that is not proposed")) };
        if stranger || known.officers.iter().any(|(known, _)| *known == officer.0) {
            return Some((
                "policy_approval",
                "a policy is approved by no officer, or twice by one, or by its proposer",
            ));
        }
        known.officers.push(officer);
        None
    }

    fn in_force(&mut self, leaf: Leaf, index: u64) -> Broken {
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
            Some(known) if known.enacted.is_none() && known.dataset == dataset && known.version == version => {
                known.enacted = Some(index);
                known.grant = Some((account.clone(), shares_nanos.clone()));
                if !known.officers.iter().map(|(officer, _)| officer).eq(&officers) || officers.len() < needed {
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
        self.granted.insert(account.clone(), sha256);
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

    fn issued(&mut self, token: TokenId, role: Role, by: Option<&TokenId>, index: u64) -> Broken {
        let operator = |by: &TokenId| self.tokens.get(by).is_some_and(|by| by.in_use && by.role == Role::Operator);
        let may = by.is_none_or(|by| operator(by) && role != Role::Officer);
        let twice = self.tokens.insert(token, TokenReplay { role, in_use: true, index }).is_some();
        (twice || !may).then_some(("token", "a token is issued twice, or by a token that may not"))
    }

    fn revoked(&mut self, token: &TokenId, role: Role) -> Broken {
        let known = self.tokens.get_mut(token).filter(|known| known.in_use && known.role == role);
        let known = known.map(|known| known.in_use = false);
        known.is_none().then_some(("token", "a token is revoked that was not in use"))
    }

    /// What was replaced may be erased too.
    fn erased(&mut self, submission: &SubmissionId) -> Broken {
        let known = self.submissions.get_mut(submission).map(|known| known.standing = Standing::Erased);
        known.is_none().then_some(("submission_unknown", "a submission is erased that was not accepted"))
    }

    /// Whether a token is an officer's, in use.
    fn is_officer(&self, token: &TokenId) -> bool {
        self.tokens.get(token).is_some_and(|token| token.in_use && token.role == Role::Officer)
    }

    fn ended_submission(&mut self, submission: &SubmissionId, said: &Told, standing: Standing) -> Broken {
        let known = self.submissions.get_mut(submission);
        match known.filter(|known| known.told == *said && known.standing == Standing::Live) {
            Some(known) => {
                known.standing = standing;
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
