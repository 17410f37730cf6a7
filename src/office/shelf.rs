//! Free answers: what a draw covers is told from it.

use super::{Office, OfficeError};
use crate::policy::{Plan, Policy, Quantity};
use crate::release::Cut;

impl Office {
    /// Whether a plan is answered from what is there: its release, or its draw.
    pub(super) async fn is_free(&self, plan: &Plan) -> Result<bool, OfficeError> {
        Ok(self.ledger.release_by_digest(&plan.release).await?.is_some()
            || self.ledger.draw(&plan.draw).await?.is_some())
    }

    /// The same question over the draw that answers it most precisely, if some draw of the same editions does so at
    /// least as precisely as the asker would pay for; else the plan as it is.
    pub(super) async fn shelved(&self, policy: &Policy, plan: Plan) -> Result<Plan, OfficeError> {
        if self.is_free(&plan).await? {
            return Ok(plan);
        }
        let (mut best, wanted): (Option<(f64, Plan)>, f64) = (None, plan.precision());
        for (draw, form) in self.ledger.draws_over(&plan).await? {
            if form.precision_at_most(plan.accounting) < wanted {
                continue;
            }
            let Some(over) = plan.over(policy, draw, &form) else { continue };
            let asked = over.shown.iter().take(over.asked);
            let variance: f64 = asked.map(|shown| over.variance_of(&Quantity::Persons, &[], shown)).sum();
            if best.as_ref().is_none_or(|(least, _)| variance < *least) {
                best = Some((variance, over));
            }
        }
        Ok(best.map_or(plan, |(_, over)| over))
    }

    /// Whether what is answered from a draw gives nothing withheld away and tells something of what is asked.
    pub(super) async fn can_be_told(&self, plan: &Plan) -> Result<bool, OfficeError> {
        Ok(Box::pin(self.answering.can_be_cut(plan)).await? == Cut::Tells)
    }
}
