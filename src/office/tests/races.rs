//! Many at once: no budget is overdrawn, one question is drawn once, one opening changes things.

use super::service::{CUTS, PERSONS, Service, account, csv, dataset, noon, period, question, sending};
use crate::identity::Digest;
use crate::ledger::verify_database;
use crate::policy::Plan;
use crate::release::Number;
use std::io::Cursor;

/// Races of a normal run; `HALFLIGHT_RACES` asks for more.
const RACES: u64 = 3;

fn races() -> u64 {
    std::env::var("HALFLIGHT_RACES").ok().and_then(|text| text.parse().ok()).unwrap_or(RACES)
}

impl Service {
    pub(super) async fn send(&self, cell: usize) {
        let sent = self.office.submit(&self.people.ministry, sending(cell, None), Box::new(Cursor::new(csv(cell))));
        sent.await.unwrap();
    }

    pub(super) async fn close(&self) {
        self.office.close(&self.people.officers[0], &dataset(), &period()).await.unwrap();
    }

    /// A plan of its own draw, at that price.
    pub(super) async fn plan(&self, rho: &str, draw: u64) -> Plan {
        let (office, analyst) = (&self.office, &self.people.analysts[0]);
        let (policy, standing) =
            (office.policy_for(analyst, &dataset()).await.unwrap(), office.ledger.standing(&dataset()).await.unwrap());
        let question = question(rho, CUTS[0], false);
        let mut plan = crate::policy::admit(&policy, &standing, analyst, &question, noon().date_naive()).unwrap();
        plan.draw = Digest::of(format!("draw {draw}").as_bytes());
        plan.release = Digest::of(format!("release {draw}").as_bytes());
        plan
    }

    /// Nanos held, and spent; the whole log verified.
    pub(super) async fn used(&self) -> (u64, u64) {
        let report = verify_database(&self.config().database(), self.config().witness()).await.unwrap();
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
        let balance = self.office.ledger.balance(&account()).await.unwrap();
        (balance.held.as_nanos(), balance.spent.as_nanos())
    }
}

// G6
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sixty_four_racing_questions_of_a_tenth_exactly_ten_are_answered() {
    for _ in 0..races() {
        let service = Service::new().await;
        service.send(0).await;
        service.close().await;
        let mut racing = tokio::task::JoinSet::new();
        for draw in 0..64 {
            let (answering, analyst) = (service.office.answering.clone(), service.people.analysts[0].clone());
            let plan = service.plan("0.1", draw).await;
            racing.spawn(async move { answering.answer(&plan, &analyst).await });
        }
        let (answers, refusals): (Vec<_>, Vec<_>) = racing.join_all().await.into_iter().partition(Result::is_ok);
        assert_eq!(answers.len(), 10);
        for refusal in refusals {
            assert!(refusal.err().unwrap().to_string().contains("does not cover this"));
        }
        assert_eq!(service.used().await, (0, 1_000_000_000));
        assert_eq!(service.office.ledger.release_faces(None).await.unwrap().len(), 10);
    }
}

// G11
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn identical_questions_at_once_are_drawn_once_and_get_the_same_bytes() {
    let service = Service::new().await;
    service.send(0).await;
    for round in 1..=races() * 4 {
        service.close().await;
        let mut racing = tokio::task::JoinSet::new();
        for asker in 0..8 {
            let (office, analyst) = (service.office.clone(), service.people.analysts[asker % 2].clone());
            racing.spawn(async move { office.ask(&analyst, &question("0.002", CUTS[1], asker % 2 == 1)).await });
        }
        let answers: Vec<_> = racing.join_all().await.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers.iter().filter(|answer| answer.created).count(), 1);
        let bytes = answers[0].release.document().unwrap();
        assert!(answers.iter().all(|answer| answer.release.document().unwrap() == bytes));
        assert_eq!(service.used().await, (0, round * 2_000_000));
    }
}

// Fencing
#[tokio::test]
async fn a_service_that_was_started_again_elsewhere_changes_nothing_more() {
    let mut service = Service::new().await;
    service.send(0).await;
    service.close().await;
    let old = service.office.clone();
    let claim = old.ledger.reserve(&service.plan("0.1", 1).await, &service.people.analysts[0]).await.unwrap();
    let body = Box::new(Cursor::new(csv(1)));
    let sealed = old.vault.strays().unwrap();
    service.reopen().await;
    assert_eq!(service.used().await, (0, 100_000_000), "the claim of the first is spent by the second");
    let code = |error: super::super::OfficeError| match error {
        super::super::OfficeError::Ledger(error) => error.code(),
        other => panic!("{other:?}"),
    };
    assert_eq!(old.ledger.forfeit(claim.draw()).await.unwrap_err().code(), "fenced");
    let asked = question("0.02", CUTS[0], false);
    assert_eq!(code(old.ask(&service.people.analysts[0], &asked).await.unwrap_err()), "fenced");
    assert_eq!(code(old.submit(&service.people.ministry, sending(1, None), body).await.unwrap_err()), "fenced");
    // Nor does it sweep: what the second is about to commit, the first knows nothing of.
    drop(sealed);
    old.tidy().await;
    assert!(old.vault.untidy());
    service.send(2).await;
    let answer = service.office.ask(&service.people.analysts[0], &asked).await.unwrap();
    let told = answer.release.body().unwrap().cells[0].value.as_ref().and_then(Number::whole).unwrap();
    assert!(answer.created && told.abs_diff(i64::try_from(PERSONS).unwrap()) < 75);
    assert_eq!(service.used().await, (0, 120_000_000));
}
