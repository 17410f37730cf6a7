//! Asking: quotes and releases.

use super::{Alternative, Answer, Office, OfficeError, Quote, need, price};
use crate::budget::{Accounting, Nanos};
use crate::estimate;
use crate::identity::{Principal, Role};
use crate::ledger::LedgerError;
use crate::policy::{Inadmissible, Plan, Policy, Question, Spend, Standing, admit, alternatives};
use crate::release::AnswerError;
use crate::suppress::WouldReveal;

/// How many cheaper questions are tried when the budget does not cover one.
const HALVINGS: u32 = 6;

impl Office {
    /// What a question would cost and how good its answer would be. Touches no data and changes nothing; of a question
    /// that is free it says whether what was released of its draw leaves it to be answered.
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
                let alternatives = self.nearest(&policy, &standing, who, question);
                return Ok(refused(reason.code(), reason.to_string(), alternatives));
            }
        };
        let free = self.is_free(&plan).await?;
        if free && matches!(self.answering.can_be_cut(&plan).await, Err(AnswerError::WouldReveal)) {
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
            parts: price::parts(&plan),
            free,
            remaining,
            alternatives: Vec::new(),
        };
        match affordable {
            Ok(()) => Ok(priced(true)),
            Err(error @ (LedgerError::BudgetExhausted { .. } | LedgerError::QuotaExhausted { .. })) => {
                let alternatives = self.cheaper(&policy, &standing, who, question, &plan).await;
                Ok(Quote { code: Some(error.code()), detail: Some(error.to_string()), alternatives, ..priced(false) })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Answers a question: from the shelf if it can, with a new draw if it must.
    ///
    /// # Errors
    /// `Refused` with the nearest questions that would be admitted, or the ledger's refusal. Neither costs anything.
    pub async fn ask(&self, who: &Principal, question: &Question) -> Result<Answer, OfficeError> {
        need(who, Role::Analyst)?;
        let policy = self.policy_for(who, &question.dataset).await?;
        let standing = self.ledger.standing(&question.dataset).await?;
        let plan = match self.plan(&policy, &standing, who, question).await? {
            Ok(plan) => plan,
            Err(reason) => {
                let alternatives = self.nearest(&policy, &standing, who, question);
                return Err(OfficeError::Refused { reason, alternatives });
            }
        };
        match self.answer(plan, who).await {
            Err(OfficeError::WouldReveal { .. }) => {
                let alternatives = self.tellable(&policy, &standing, who, question).await?;
                Err(OfficeError::WouldReveal { alternatives })
            }
            answered => answered,
        }
    }

    /// The nearest questions that can be answered from what is paid for without giving anything away.
    async fn tellable(
        &self,
        policy: &Policy,
        standing: &Standing,
        who: &Principal,
        question: &Question,
    ) -> Result<Vec<Alternative>, OfficeError> {
        let mut tellable = Vec::new();
        for alternative in self.nearest(policy, standing, who, question) {
            let Ok(plan) = self.plan(policy, standing, who, &alternative.question).await? else { continue };
            if self.is_free(&plan).await? && self.answering.can_be_cut(&plan).await.is_ok() {
                tellable.push(alternative);
            }
        }
        Ok(tellable)
    }

    /// Admits a question; if the same measurement was already paid for at a higher price, admits it at that price, and
    /// if another draw covers it, lays it over that: so that its answer is on the shelf.
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
        let plan = match self.ledger.most_precise(&plan.measurement).await? {
            Some(paid) if paid > plan.cost => {
                let finer = Question { spend: spend(policy.budget.accounting, paid), ..question.clone() };
                admit(policy, standing, who, &finer, today).unwrap_or(plan)
            }
            _ => plan,
        };
        self.shelved(policy, plan).await.map(Ok)
    }

    fn nearest(&self, policy: &Policy, standing: &Standing, who: &Principal, question: &Question) -> Vec<Alternative> {
        let found = alternatives(policy, standing, who, question, self.clock.today());
        found.into_iter().map(|(change, question)| Alternative { change, question }).collect()
    }

    /// The same question at half the price, a quarter ..., as far as the account covers it and it stays worth asking.
    async fn cheaper(
        &self,
        policy: &Policy,
        standing: &Standing,
        who: &Principal,
        question: &Question,
        plan: &Plan,
    ) -> Vec<Alternative> {
        for halving in 1..=HALVINGS {
            let price = Nanos::from_nanos(plan.cost.as_nanos() >> halving);
            let cheaper = Question { spend: spend(policy.budget.accounting, price), ..question.clone() };
            let Ok(plan) = admit(policy, standing, who, &cheaper, self.clock.today()) else { break };
            if self.ledger.affordable(&plan, who).await.is_ok() {
                let change = format!("spend {price} instead: the intervals are wider");
                return vec![Alternative { change, question: cheaper }];
            }
        }
        Vec::new()
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
        parts: Vec::new(),
        free: false,
        remaining: None,
        alternatives,
    }
}
