//! Free answers: what a draw covers is told from it.

use super::{Office, OfficeError};
use crate::policy::{Plan, Policy, Quantity};
use crate::release::Cut;

/// Draws that an answer is looked for in, each at the price of judging it there.
const TRIED_MAX: usize = 4;

impl Office {
    /// Whether a plan is answered from what is there: its release, or its draw.
    pub(super) async fn is_free(&self, plan: &Plan) -> Result<bool, OfficeError> {
        Ok(self.ledger.release_by_digest(&plan.release).await?.is_some()
            || self.ledger.draw(&plan.draw).await?.is_some())
    }

    /// The same question over the draw that answers it most precisely, if some draw of the same editions does so at
    /// least as precisely as the asker would pay for, and tells anything of it; else the plan as it is.
    pub(super) async fn shelved(&self, policy: &Policy, plan: Plan) -> Result<Plan, OfficeError> {
        if self.is_free(&plan).await? {
            return Ok(plan);
        }
        let mut found: Vec<(f64, Plan)> = Vec::new();
        for (draw, form) in self.ledger.draws_over(&plan).await? {
            let Some(over) = plan.over(policy, draw, &form) else { continue };
            let asked = over.shown.iter().take(over.asked);
            let variance: f64 = asked.map(|shown| over.variance_of(&Quantity::Persons, &[], shown)).sum();
            found.push((variance, over));
        }
        found.sort_by(|one, other| one.0.total_cmp(&other.0));
        for (_, over) in found.into_iter().take(TRIED_MAX) {
            if self.tells(&over).await? {
                return Ok(over);
            }
        }
        Ok(plan)
    }

    /// Whether what is answered from a draw tells anything of what is asked.
    pub(super) async fn tells(&self, plan: &Plan) -> Result<bool, OfficeError> {
        Ok(Box::pin(self.answering.can_be_cut(plan)).await? == Cut::Tells)
    }
}
