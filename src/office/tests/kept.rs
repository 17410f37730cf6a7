//! What was drawn and could not be written down: charged once, drawn once, answered at last.

use super::programs::PRICE;
use super::service::{Service, dataset, period};
use crate::fault::{Fault, Point};
use crate::identity::Principal;
use crate::policy::{Plan, Shown, admit_program};
use crate::release::{AnswerError, Release};

/// The same draw, of which a table is to be shown of a dimension that it has not: the answer breaks behind the noise.
fn unwritable(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    (plan.additive, plan.shown) = (false, vec![Shown { dims: vec![9] }]);
    plan
}

impl Service {
    async fn answer(&self, plan: &Plan) -> Result<(Release, bool), AnswerError> {
        self.office.answering.answer(plan, &self.people.analysts[0]).await
    }
}

#[tokio::test]
async fn what_breaks_behind_the_noise_is_answered_from_it_when_it_is_asked_again() {
    let service = Service::new().await;
    service.send(0).await;
    service.close().await;
    let plan = service.plan("0.1", 1).await;
    assert!(matches!(service.answer(&unwritable(&plan)).await, Err(AnswerError::Fault("estimate"))));
    assert_eq!(service.used().await, (0, 100_000_000), "what was drawn is paid for");
    let drawn = service.office.ledger.draw(&plan.draw).await.unwrap().expect("and kept");
    let (release, created) = service.answer(&plan).await.unwrap();
    let body = release.body().unwrap();
    assert!(created && body.privacy.charged && body.answered_from.is_none(), "it is what was paid for");
    assert!(body.cells.iter().any(|cell| cell.value.is_some()));
    assert_eq!(service.used().await, (0, 100_000_000), "charged once");
    assert_eq!(service.office.ledger.draw(&plan.draw).await.unwrap(), Some(drawn), "drawn once");
    let (again, created) = service.answer(&plan).await.unwrap();
    assert!(!created && again.id() == release.id());
}

// G7: what is not known to be kept is spent, and never drawn twice for one charge.
#[tokio::test]
async fn a_draw_whose_keeping_is_lost_is_spent_and_one_that_landed_is_there() {
    for (fault, used) in [(Fault::Lost, 200_000_000), (Fault::Unreported, 100_000_000)] {
        let service = Service::new().await;
        service.send(0).await;
        service.close().await;
        let plan = service.plan("0.1", 1).await;
        service.faults.plan(Point::Forfeit, 0, fault);
        assert!(service.answer(&unwritable(&plan)).await.is_err());
        assert_eq!(service.faults.pending(), 0);
        assert_eq!(service.office.ledger.has_drawn(&plan.draw).await.unwrap(), fault == Fault::Unreported);
        assert!(service.answer(&plan).await.unwrap().1);
        assert_eq!(service.used().await, (0, used), "{fault:?}");
    }
}

#[tokio::test]
async fn a_scheduled_program_is_answered_from_what_was_kept_of_it_at_the_next_start() {
    let mut service = Service::new().await;
    service.schedule(2).await;
    service.send(0).await;
    service.faults.plan(Point::Reserve, 0, Fault::Lost);
    service.close().await;
    let (office, itself) = (&service.office, Principal::service());
    let policy = office.policy_for(&itself, &dataset()).await.unwrap();
    let (standing, today) = (office.ledger.standing(&dataset()).await.unwrap(), office.clock.today());
    let plan = admit_program(&policy, &standing, &itself, "yearly", vec![period()], today).unwrap();
    assert!(service.answer(&unwritable(&plan)).await.is_err());
    assert_eq!((service.used().await, service.releases().await), ((0, PRICE), 0));
    service.reopen().await;
    assert_eq!((service.used().await, service.releases().await), ((0, PRICE), 1));
}
