//! Programs: sets of tables that a policy releases together, at a price of their own.

use super::{Answer, Office, OfficeError, need};
use crate::identity::{DatasetId, Period, Principal, Role};
use crate::policy::{Plan, admit_program};

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
