//! What could be asked instead of a question that the policy or the account refuses.
//!
//! One search for both (`policy::alternatives`), within what this asker has left to spend. Where nothing can be paid
//! for, what is on the shelf is offered: it costs nothing. Touches no data and changes nothing.

use super::{Alternative, Office, OfficeError, price};
use crate::budget::Nanos;
use crate::identity::Principal;
use crate::policy::{Offer, Policy, Question, Spend, Standing, admit, alternatives};

impl Office {
    /// Questions that would be answered now, nearest first, each with its price and the error to expect.
    pub(super) async fn instead(
        &self,
        policy: &Policy,
        standing: &Standing,
        who: &Principal,
        question: &Question,
    ) -> Result<Vec<Alternative>, OfficeError> {
        let today = self.clock.today();
        let left = self.ledger.spendable(&policy.budget, &question.purpose, who).await?;
        let mut offers = alternatives(policy, standing, who, question, today, left);
        if offers.is_empty() {
            // As released, however wide: any draw that covers it will do.
            let question = Question { spend: Spend::Moe(policy.moe_max()), ..question.clone() };
            let change = "at the precision of what is released".to_owned();
            let itself = admit(policy, standing, who, &question, today).ok();
            let others = alternatives(policy, standing, who, &question, today, Nanos::MAX);
            offers.extend(itself.map(|plan| Offer { change, question, plan }).into_iter().chain(others));
        }
        self.answerable(policy, standing, who, offers, left).await
    }

    /// The nearest questions that can be answered from what is paid for without giving anything away.
    pub(super) async fn tellable(
        &self,
        policy: &Policy,
        standing: &Standing,
        who: &Principal,
        question: &Question,
    ) -> Result<Vec<Alternative>, OfficeError> {
        let offers = alternatives(policy, standing, who, question, self.clock.today(), Nanos::MAX);
        self.answerable(policy, standing, who, offers, Nanos::ZERO).await
    }

    /// Those that can be paid for, or are free and give nothing withheld away; each as it would be answered if asked.
    async fn answerable(
        &self,
        policy: &Policy,
        standing: &Standing,
        who: &Principal,
        offers: Vec<Offer>,
        left: Nanos,
    ) -> Result<Vec<Alternative>, OfficeError> {
        let mut found = Vec::new();
        for offer in offers {
            let Ok(plan) = self.plan(policy, standing, who, &offer.question).await? else { continue };
            let free = self.is_free(&plan).await?;
            let can_be_told = if free { self.can_be_told(&plan).await? } else { plan.cost <= left };
            if can_be_told {
                found.push(price::alternative(offer.change, offer.question, &plan, free));
            }
        }
        Ok(found)
    }
}
