//! Programs: sets of tables that a policy releases together, at a price of their own.
//!
//! Run by an officer, or by the service itself where the policy says so: when an edition is closed, and once more when
//! the service starts, for what a crash left undone. A draw that was ever paid for is never paid for again by itself:
//! if it is there it is answered from, and what a fault has spent for nothing an officer may run anew.

use super::{Answer, Office, OfficeError, need};
use crate::identity::{DatasetId, Period, Principal, Role};
use crate::ledger::PolicyState;
use crate::policy::{Plan, Policy, RunRule, admit_program};

impl Office {
    /// Runs one of the policy's programs over closed periods: all its tables are measured together, and give a release
    /// like any other. Run again over the same editions it costs nothing.
    ///
    /// # Errors
    /// `Unknown` where the policy has no such program; `Refused` where a period is not closed; the ledger's refusal.
    /// Neither costs anything.
    pub async fn run_program(
        &self,
        who: &Principal,
        dataset: &DatasetId,
        program: &str,
        periods: Vec<Period>,
    ) -> Result<Answer, OfficeError> {
        need(who, Role::Officer)?;
        let policy = self.policy_for(who, dataset).await?;
        if !policy.programs.iter().any(|known| known.id == program) {
            return Err(OfficeError::Unknown { what: "program" });
        }
        let standing = self.ledger.standing(dataset).await?;
        let plan = admit_program(&policy, &standing, who, program, periods, self.clock.today())?;
        self.answer(plan, who).await
    }

    /// Runs what is due in every dataset, as far as it can be; what fails is said in the log and tried after the next
    /// closing.
    pub async fn run_all_due(&self) {
        if self.vault.sealed() {
            return;
        }
        let datasets = async {
            let policies = self.ledger.policies().await?;
            let in_force = policies.into_iter().filter(|row| row.state == PolicyState::InForce);
            Ok::<Vec<DatasetId>, OfficeError>(in_force.map(|row| row.dataset).collect())
        };
        match datasets.await {
            Ok(datasets) => {
                for dataset in datasets {
                    self.run_due(&dataset).await;
                }
            }
            Err(error) => tracing::warn!(%error, "scheduled programs were not looked at"),
        }
    }

    /// Runs the programs that the policy in force schedules, over every period that was closed under it, unless that
    /// was done.
    pub(super) async fn run_due(&self, dataset: &DatasetId) {
        let due = async {
            let policy = self.policy_for(&Principal::service(), dataset).await?;
            let scheduled = policy.programs.iter().any(|program| program.run == RunRule::OnClose);
            let periods = if scheduled { self.ledger.closed_under(&policy).await? } else { Vec::new() };
            Ok::<_, OfficeError>((policy, periods))
        };
        let (policy, periods) = match due.await {
            Ok(due) => due,
            Err(error) => return tracing::warn!(%dataset, %error, "scheduled programs were not looked at"),
        };
        for program in policy.programs.iter().filter(|program| program.run == RunRule::OnClose) {
            for period in &periods {
                if let Err(error) = self.run_once(&policy, &program.id, period).await {
                    tracing::warn!(%dataset, program = program.id, %period, %error, "a scheduled program did not run");
                }
            }
        }
    }

    async fn run_once(&self, policy: &Policy, program: &str, period: &Period) -> Result<(), OfficeError> {
        let (service, standing) = (Principal::service(), self.ledger.standing(&policy.id).await?);
        let plan = admit_program(policy, &standing, &service, program, vec![period.clone()], self.clock.today())?;
        if !self.ledger.claimed(&plan.draw).await? || self.is_free(&plan).await? {
            self.answer(plan, &service).await?;
        }
        Ok(())
    }

    /// Answers an admitted plan, in a task of its own: a claim comes to its end whether or not the asker waits for it.
    pub(super) async fn answer(&self, plan: Plan, who: &Principal) -> Result<Answer, OfficeError> {
        let (answering, who) = (self.answering.clone(), who.clone());
        let task = self.runtime.spawn(async move { answering.answer(&plan, &who).await });
        let ended =
            task.await.map_err(|_| OfficeError::Fault { code: "panicked", cause: "an answer ended early".into() })?;
        let (release, created) = ended?;
        Ok(Answer { release, created })
    }
}
