//! Asking: quotes and releases.

use super::{Alternative, Answer, Office, OfficeError, Quote, need, price};
use crate::budget::{Accounting, Nanos};
use crate::estimate;
use crate::identity::{Principal, Role};
use crate::policy::{Inadmissible, Plan, Policy, Question, Spend, Standing, admit};
use crate::release::{AnswerError, Cut};
use crate::suppress::WouldReveal;

impl Office {
    /// What a question would cost and how good its answer would be. Touches no data and changes nothing; of a question
    /// that is free it says whether what was released of its draw leaves it to be answered.
    ///
    /// Which draw answers, and whether it may, is told from noisy figures that were paid for: whoever quotes for what
    /// they do not ask learns which sums pass the floor, within the privacy already spent, at the rate of questions; so
    /// no leaf is written.
    ///
    /// # Errors
    /// Only for callers who may not ask at all; a refusal is a quote that says so.
    pub async fn quote(&self, who: &Principal, question: &Question) -> Result<Quote, OfficeError> {
        need(who, Role::Analyst)?;
        let policy = self.policy_for(who, &question.dataset).await?;
        let standing = self.ledger.standing(&question.dataset).await?;
        let plan = match self.plan(&policy, &standing, who, question).await? {
            Ok(plan) => plan,
            Err(reason) => {
                let alternatives = self.instead(&policy, &standing, who, question).await?;
                return Ok(refused(reason.code(), reason.to_string(), alternatives));
            }
        };
        let free = self.is_free(&plan).await?;
        let cut = if free { Box::pin(self.answering.can_be_cut(&plan)).await? } else { Cut::Tells };
        if cut == Cut::Full {
            let full = OfficeError::from(AnswerError::Full);
            return Ok(refused("draw_full", full.to_string(), Vec::new()));
        }
        if cut == Cut::Reveals {
            let alternatives = self.tellable(&policy, &standing, who, question).await?;
            return Ok(refused(WouldReveal.code(), WouldReveal.to_string(), alternatives));
        }
        let affordable = if free { Ok(()) } else { self.ledger.affordable(&plan, who).await };
        let remaining = Some(self.ledger.balance(&plan.account).await?.remaining);
        let priced = |allowed| Quote {
            allowed,
            code: None,
            detail: None,
            cost: Some(price::cost(plan.accounting, plan.cost, &plan.delta)),
            cells: Some(plan.shown.iter().map(|shown| estimate::shown_cells(&plan, shown)).sum()),
            moe: price::moe(&plan),
            tables: price::tables(&plan),
            parts: price::parts(&plan),
            differences: price::differences(&plan),
            free,
            remaining,
            alternatives: Vec::new(),
        };
        match affordable {
            Ok(()) => Ok(priced(true)),
            Err(error) if error.is_short() => {
                let alternatives = self.instead(&policy, &standing, who, question).await?;
                Ok(Quote { code: Some(error.code()), detail: Some(error.to_string()), alternatives, ..priced(false) })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Answers a question: from the shelf if it can, with a new draw if it must.
    ///
    /// # Errors
    /// `Refused` or `Short` with the nearest questions that would be answered. Neither costs anything.
    pub async fn ask(&self, who: &Principal, question: &Question) -> Result<Answer, OfficeError> {
        need(who, Role::Analyst)?;
        let policy = self.policy_for(who, &question.dataset).await?;
        let standing = self.ledger.standing(&question.dataset).await?;
        let plan = match self.plan(&policy, &standing, who, question).await? {
            Ok(plan) => plan,
            Err(reason) => {
                let alternatives = self.instead(&policy, &standing, who, question).await?;
                return Err(OfficeError::Refused { reason, alternatives });
            }
        };
        match self.answer(plan, who).await {
            Err(OfficeError::WouldReveal { .. }) => {
                let alternatives = self.tellable(&policy, &standing, who, question).await?;
                Err(OfficeError::WouldReveal { alternatives })
            }
            Err(OfficeError::Ledger(refusal)) if refusal.is_short() => {
                let alternatives = self.instead(&policy, &standing, who, question).await?;
                Err(OfficeError::Short { refusal, alternatives })
            }
            answer => answer,
        }
    }

    /// Admits a question, and lays it over the draw that answers it: the same measurement at a higher price, or another
    /// that covers it. Decided on noisy figures that were paid for, and alike for a quote and for an answer.
    pub(super) async fn plan(
        &self,
        policy: &Policy,
        standing: &Standing,
        who: &Principal,
        question: &Question,
    ) -> Result<Result<Plan, Inadmissible>, OfficeError> {
        let today = self.clock.today();
        let plan = match admit(policy, standing, who, question, today) {
            Ok(plan) => plan,
            Err(reason) => return Ok(Err(reason)),
        };
        let paid = self.ledger.most_precise(&plan.measurement).await?.filter(|paid| *paid > plan.cost);
        let paid = paid.and_then(|paid| {
            let same = Question { spend: spend(policy.budget.accounting, paid), ..question.clone() };
            admit(policy, standing, who, &same, today).ok()
        });
        Box::pin(self.shelved(policy, plan, paid)).await.map(Ok)
    }
}

fn spend(accounting: Accounting, amount: Nanos) -> Spend {
    match accounting {
        Accounting::Zcdp => Spend::Rho(amount),
        Accounting::Pure => Spend::Epsilon(amount),
    }
}

fn refused(code: &'static str, detail: String, alternatives: Vec<Alternative>) -> Quote {
    Quote {
        allowed: false,
        code: Some(code),
        detail: Some(detail),
        cost: None,
        cells: None,
        moe: None,
        tables: Vec::new(),
        parts: Vec::new(),
        differences: Vec::new(),
        free: false,
        remaining: None,
        alternatives,
    }
}
