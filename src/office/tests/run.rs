//! Runs a list of operations: each one through the office, again and again until its outcome is known.

use super::super::OfficeError;
use super::model::Model;
use super::operation::{Asked, Operation};
use super::service::{CELLS, CUTS, PRICES, Service, csv, dataset, noon, period, policy, question, sending};
use crate::fault::Point;
use crate::identity::{Digest, SubmissionId};
use crate::ledger::Reservation;
use crate::release::Release;
use chrono::TimeDelta;
use futures::FutureExt as _;
use std::io::Cursor;
use std::panic::AssertUnwindSafe;

/// More faults than a list plans.
const TRIES: usize = 16;

/// A service, and what must be true of it.
pub(super) struct Run {
    pub(super) service: Service,
    pub(super) model: Model,
    /// Claims made outside of questions, each of its own draw.
    claims: u64,
    /// Faults that were planned and did not happen before a restart.
    pub(super) missed: usize,
}

/// What an operation has come to.
enum Effect {
    Nothing,
    Sent { cell: usize, replaced: Option<usize>, id: SubmissionId },
    Withdrawn(usize),
    Closed(u32),
    Proposed(Digest),
    Enacted,
    Suspended,
    Answered(Box<Release>, bool),
    Voided,
    Spent,
}

/// Runs a list to its end, and once more after a restart.
pub(super) async fn run(list: &[Operation]) -> Run {
    let service = Service::new().await;
    let mut run = Run {
        service,
        model: Model { version: 1, versions: 1, now: noon(), ..Model::default() },
        claims: 0,
        missed: 0,
    };
    for operation in list {
        run.step(*operation).await;
    }
    run.step(Operation::Restart).await;
    run
}

impl Run {
    async fn step(&mut self, operation: Operation) {
        match operation {
            Operation::Plan(Point::Recover, _, fault) => self.service.at_opening.push((Point::Recover, 0, fault)),
            Operation::Plan(point, after, fault) => self.service.faults.plan(point, after, fault),
            Operation::Advance(days) => {
                self.model.now += TimeDelta::days(days);
                self.service.clock.set(self.model.now);
            }
            Operation::Restart => {
                self.missed += self.service.faults.pending();
                self.service.office.ledger.close().await;
                self.service.reopen().await;
            }
            operation => self.until_known(operation).await,
        }
        self.check().await;
    }

    /// Does it as a client does: what failed is done again, word for word, at the service that is there then.
    async fn until_known(&mut self, operation: Operation) {
        for tried in 0..TRIES {
            let (cost, pending) = (self.cost(operation), self.service.faults.pending());
            let ended = AssertUnwindSafe(self.act(operation, tried)).catch_unwind().await;
            let failed = self.service.faults.pending() < pending;
            if self.service.faults.crashed() {
                self.model.doubt(cost);
                self.service.reopen().await;
                continue;
            }
            match ended {
                Ok(Ok(effect)) => return self.apply(operation, tried, effect).await,
                Ok(Err(_)) if failed => self.model.doubt(cost),
                Ok(Err(error)) => return self.refused(operation, &error),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        panic!("{operation:?} does not come through");
    }

    /// What it may spend if it goes wrong.
    fn cost(&self, operation: Operation) -> u64 {
        match operation {
            Operation::Ask(asked) => self.model.cost(asked),
            Operation::Void | Operation::Forfeit | Operation::Abandon => PRICES[0].1,
            _ => 0,
        }
    }

    async fn act(&mut self, operation: Operation, tried: usize) -> Result<Effect, OfficeError> {
        let (office, people) = (self.service.office.clone(), self.service.people.clone());
        let nth = |place: usize| self.model.live.iter().nth(place % self.model.live.len().max(1));
        let send = async |cell, replaces| {
            let body = Box::new(Cursor::new(csv(cell)));
            office.submit(&people.ministry, sending(cell, replaces), body).await
        };
        let next = self.model.sent;
        match operation {
            Operation::Submit if next < CELLS => {
                let id = send(next, None).await?.receipt.submission;
                Ok(Effect::Sent { cell: next, replaced: None, id })
            }
            Operation::Replace(place) if next < CELLS => {
                let replaced = nth(place).map(|(cell, id)| (*cell, id.clone()));
                let (cell, old) = replaced.unzip();
                let id = send(next, old).await?.receipt.submission;
                Ok(Effect::Sent { cell: next, replaced: cell, id })
            }
            Operation::Resend(place) => {
                let Some((cell, id)) = nth(place) else { return Ok(Effect::Nothing) };
                let again = send(*cell, None).await?;
                assert!(!again.created && again.receipt.submission == *id, "one key, one submission");
                Ok(Effect::Nothing)
            }
            Operation::Withdraw(place) => {
                let Some((cell, id)) = nth(place) else { return Ok(Effect::Nothing) };
                landed(office.withdraw(&people.ministry, &dataset(), id).await, tried, "submission_not_live")?;
                Ok(Effect::Withdrawn(*cell))
            }
            Operation::Close => {
                let closed = office.close(&people.officers[0], &dataset(), &period()).await?;
                Ok(Effect::Closed(closed.edition.number))
            }
            Operation::Propose => {
                let version = self.model.versions + 1;
                landed(office.propose(&people.officers[0], policy(version)).await, tried, "policy_version")?;
                let row = office.ledger.policies().await?.into_iter().find(|row| row.version == version).unwrap();
                Ok(Effect::Proposed(row.sha256))
            }
            Operation::Approve => {
                let Some((sha256, _)) = self.model.proposed else { return Ok(Effect::Nothing) };
                landed(office.approve(&people.officers[1], &sha256).await, tried, "not_proposed")?;
                Ok(Effect::Enacted)
            }
            Operation::Suspend => {
                office.suspend(&people.officers[1], &dataset()).await?;
                Ok(Effect::Suspended)
            }
            Operation::Ask(asked) => {
                let question = question(PRICES[asked.price].0, CUTS[asked.cut], asked.disguised);
                let answer = office.ask(&people.analysts[usize::from(asked.disguised)], &question).await?;
                Ok(Effect::Answered(Box::new(answer.release), answer.created))
            }
            Operation::Void => match self.claim().await? {
                Some(claim) => office.ledger.void(claim).await.map(|()| Effect::Voided).map_err(OfficeError::from),
                None => Ok(Effect::Nothing),
            },
            Operation::Forfeit => match self.claim().await? {
                Some(claim) => {
                    office.ledger.forfeit(claim.draw()).await.map(|()| Effect::Spent).map_err(OfficeError::from)
                }
                None => Ok(Effect::Nothing),
            },
            Operation::Abandon => Ok(self.claim().await?.map_or(Effect::Nothing, |_| Effect::Spent)),
            _ => Ok(Effect::Nothing),
        }
    }

    /// A claim of a draw of its own; none where nothing can be asked.
    async fn claim(&self) -> Result<Option<Reservation>, OfficeError> {
        if self.model.suspended || self.model.editions.is_empty() {
            return Ok(None);
        }
        let (office, analyst) = (&self.service.office, &self.service.people.analysts[0]);
        let (policy, standing) =
            (office.policy_for(analyst, &dataset()).await?, office.ledger.standing(&dataset()).await?);
        let question = question(PRICES[0].0, CUTS[0], false);
        let mut plan = crate::policy::admit(&policy, &standing, analyst, &question, noon().date_naive()).unwrap();
        plan.draw = Digest::of(format!("claim {}", self.claims).as_bytes());
        Ok(Some(office.ledger.reserve(&plan, analyst).await?))
    }

    async fn apply(&mut self, operation: Operation, tried: usize, effect: Effect) {
        let model = &mut self.model;
        match effect {
            Effect::Nothing => {}
            Effect::Sent { cell, replaced, id } => {
                model.sent += 1;
                model.live.insert(cell, id);
                replaced.map(|cell| model.live.remove(&cell));
            }
            Effect::Withdrawn(cell) => drop(model.live.remove(&cell)),
            Effect::Closed(number) => {
                // One that landed unreported was made of the same submissions.
                let (number, cells) = (usize::try_from(number).unwrap(), model.live.keys().copied().collect());
                let least = model.editions.len() + 1;
                assert!((least..=least + tried).contains(&number), "edition {number} after {}", least - 1);
                model.editions.resize(number, cells);
                self.count_newest().await;
            }
            Effect::Proposed(sha256) => {
                model.versions += 1;
                model.proposed = Some((sha256, model.now));
            }
            Effect::Enacted => {
                (model.version, model.suspended, model.proposed) = (model.versions, false, None);
            }
            Effect::Suspended => model.suspended = true,
            Effect::Answered(release, created) => {
                let Operation::Ask(asked) = operation else { return };
                self.answered(asked, tried, &release, created);
            }
            Effect::Voided => self.claims += 1,
            Effect::Spent => {
                self.claims += 1;
                model.pay(PRICES[0].1);
            }
        }
    }

    fn answered(&mut self, asked: Asked, tried: usize, release: &Release, created: bool) {
        let (cost, key) = (self.model.cost(asked), self.model.key(asked));
        let model = &mut self.model;
        let bytes = release.document().unwrap();
        match model.answers.get(&key) {
            Some(known) => {
                assert!(known == release.id() && !created, "the same question, the same answer, for nothing");
            }
            None if created => model.pay(cost),
            // It landed unreported before.
            None => {
                assert!(tried > 0, "a release of a question that was not asked");
                model.used.0 += cost;
            }
        }
        model.paid.entry((key.0, key.1)).or_default().insert(key.2);
        model.answers.insert(key, release.id().clone());
        model.seen.entry(release.id().clone()).or_insert(bytes);
        self.holds(asked.cut, release);
    }

    /// A refusal must be the one that the model knows of.
    fn refused(&self, operation: Operation, error: &OfficeError) {
        let code = match error {
            OfficeError::Refused { reason, .. } => reason.code(),
            OfficeError::Ledger(error) | OfficeError::Short { refusal: error, .. } => error.code(),
            other => panic!("{operation:?} fails with {other:?}"),
        };
        let model = &self.model;
        let budget = || if model.refused(self.cost(operation)).1 { "budget_exhausted" } else { "" };
        let expected = match operation {
            Operation::Ask(_) if model.suspended => "dataset_suspended",
            Operation::Ask(_) if model.editions.is_empty() => "period_not_closed",
            Operation::Ask(_) | Operation::Void | Operation::Forfeit | Operation::Abandon => budget(),
            Operation::Close if model.live.is_empty() => "nothing_to_close",
            Operation::Approve if model.expired() => "proposal_expired",
            _ => "",
        };
        assert_eq!(code, expected, "{operation:?}");
    }
}

/// On a later try, an error that says that it is done already is as good as done.
fn landed<T>(done: Result<T, OfficeError>, tried: usize, already: &str) -> Result<(), OfficeError> {
    match done {
        Ok(_) => Ok(()),
        Err(OfficeError::Ledger(error)) if tried > 0 && error.code() == already => Ok(()),
        Err(error) => Err(error),
    }
}
