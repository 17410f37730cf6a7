//! Which draw answers a question: for nothing, the one that tells it best; else one of its own.

use super::{Office, OfficeError};
use crate::policy::{Plan, Policy, Quantity};
use crate::release::Cut;

/// Draws in which something to tell is looked for: each takes a search for partners.
const TRIED_MAX: usize = 4;

impl Office {
    /// Whether a plan is answered from what is there: its release, or its draw.
    pub(super) async fn is_free(&self, plan: &Plan) -> Result<bool, OfficeError> {
        Ok(self.ledger.released(&plan.release).await? || self.ledger.has_drawn(&plan.draw).await?)
    }

    /// The same question over the draw that answers it most precisely, of all that do so at least as precisely as the
    /// asker would pay for: where it was answered before, or where it is told anything now. A draw that would tell
    /// nothing of it stands in nobody's way. If there is none, the plan as it is; `paid` is the same one at a higher
    /// price, if that was paid.
    ///
    /// A question that has an answer of its own keeps it.
    pub(super) async fn shelved(&self, policy: &Policy, plan: Plan, paid: Option<Plan>) -> Result<Plan, OfficeError> {
        if self.ledger.released(&plan.release).await? {
            return Ok(plan);
        }
        let mut tried = 0;
        for over in self.covering(policy, &plan, paid).await? {
            if self.ledger.released(&over.release).await? {
                return Ok(over);
            }
            tried += 1;
            if tried <= TRIED_MAX && self.can_be_told(&over).await? {
                return Ok(over);
            }
        }
        Ok(plan)
    }

    /// The plan over every draw that covers it, the most precise first.
    async fn covering(&self, policy: &Policy, plan: &Plan, paid: Option<Plan>) -> Result<Vec<Plan>, OfficeError> {
        let mut found: Vec<Plan> = Vec::new();
        for same in paid.into_iter().chain([plan.clone()]) {
            if self.ledger.has_drawn(&same.draw).await? {
                found.push(same);
            }
        }
        let (known, wanted) = (found.len(), plan.precision());
        for (draw, form) in self.ledger.draws_over(plan).await? {
            let known = found.iter().take(known).any(|same| same.draw == draw);
            if !known && form.precision_at_most(plan.accounting) >= wanted {
                found.extend(plan.over(policy, draw, &form));
            }
        }
        let variance = |over: &Plan| -> f64 {
            let asked = over.shown.iter().take(over.asked);
            asked.map(|shown| over.variance_of(&Quantity::Persons, &[], shown)).sum()
        };
        let mut found: Vec<(f64, Plan)> = found.into_iter().map(|over| (variance(&over), over)).collect();
        found.sort_by(|one, other| one.0.total_cmp(&other.0));
        Ok(found.into_iter().map(|(_, over)| over).collect())
    }

    /// Whether what is answered from a draw gives nothing withheld away and tells something of what is asked.
    pub(super) async fn can_be_told(&self, plan: &Plan) -> Result<bool, OfficeError> {
        Ok(Box::pin(self.answering.can_be_cut(plan)).await? == Cut::Tells)
    }
}
