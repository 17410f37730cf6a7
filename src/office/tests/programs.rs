//! Programs that the policy schedules: run at each closing, charged once, made up for after a crash.

use super::service::{Service, dataset, period, policy};
use crate::fault::{Fault, Point};
use crate::identity::{Principal, Role};
use crate::policy::Question;

/// What the program costs, in nanos.
pub(super) const PRICE: u64 = 100_000_000;

const PROGRAM: &str = r#"
[[program]]
id = "yearly"
purpose = "sdg"
run = "on_close"
measures = [{ kind = "persons" }]
tables = [["cell"]]
rho = "0.1"
"#;

impl Service {
    /// A later version of the policy comes into force, with the scheduled program.
    pub(super) async fn schedule(&self, version: u32) {
        let mut source = policy(version);
        source.toml.push_str(PROGRAM);
        let proposed = self.office.propose(&self.people.officers[0], source).await.unwrap();
        self.office.approve(&self.people.officers[1], &proposed.sha256).await.unwrap();
    }

    pub(super) async fn releases(&self) -> usize {
        self.office.ledger.release_faces(None).await.unwrap().len()
    }

    async fn run(&self) {
        let (officer, periods) = (&self.people.officers[0], vec![period()]);
        self.office.run_program(officer, &dataset(), "yearly", periods).await.unwrap();
    }
}

#[tokio::test]
async fn a_scheduled_program_runs_at_each_closing_and_is_charged_once() {
    let mut service = Service::new().await;
    service.send(0).await;
    service.close().await;
    service.schedule(2).await;
    service.reopen().await;
    assert_eq!((service.used().await, service.releases().await), ((0, 0), 0), "closed before it was scheduled");
    service.close().await;
    assert_eq!((service.used().await, service.releases().await), ((0, PRICE), 1));
    // Whatever comes next, this edition is paid for: a start, an officer, an analyst who asks for what it covers.
    service.reopen().await;
    service.run().await;
    let asked: Question = serde_json::from_value(serde_json::json!({ "dataset": "cells", "purpose": "sdg",
        "measures": [{ "kind": "persons" }], "by": ["cell"], "periods": ["2026"], "spend": { "rho": "0.05" } }))
    .unwrap();
    service.office.ask(&service.people.analysts[0], &asked).await.unwrap();
    assert_eq!(service.used().await, (0, PRICE));
    // A correction is a new edition and is paid for; a new policy alone is not run over what was closed under another.
    service.send(1).await;
    service.close().await;
    service.schedule(3).await;
    service.reopen().await;
    assert_eq!(service.used().await, (0, 2 * PRICE));
    assert_eq!(service.releases().await, 3, "one of each edition, and the free answer");
}

#[tokio::test]
async fn a_crash_between_closing_and_run_is_made_up_for_at_the_start() {
    for fault in [Fault::Lost, Fault::CrashBefore] {
        let mut service = Service::new().await;
        service.schedule(2).await;
        service.send(0).await;
        service.faults.plan(Point::Reserve, 0, fault);
        service.close().await;
        assert_eq!(service.releases().await, 0, "{fault:?}");
        service.reopen().await;
        assert_eq!((service.used().await, service.releases().await), ((0, PRICE), 1), "{fault:?}");
        service.reopen().await;
        assert_eq!(service.used().await, (0, PRICE), "{fault:?}");
    }
}

#[tokio::test]
async fn a_run_that_was_lost_is_spent_and_not_paid_for_again_unless_an_officer_says_so() {
    for (point, fault) in [(Point::Reserve, Fault::CrashAfter), (Point::Settle, Fault::CrashBefore)] {
        let mut service = Service::new().await;
        service.schedule(2).await;
        service.send(0).await;
        service.faults.plan(point, 0, fault);
        service.close().await;
        service.reopen().await;
        service.send(1).await;
        assert_eq!((service.used().await, service.releases().await), ((0, PRICE), 0), "{point:?}");
        service.run().await;
        assert_eq!((service.used().await, service.releases().await), ((0, 2 * PRICE), 1), "{point:?}");
    }
}

#[tokio::test]
async fn no_quota_of_an_organisation_bounds_a_program_and_what_cannot_be_paid_leaves_the_edition_closed() {
    let service = Service::new().await;
    let mut source = policy(2);
    source.toml = source.toml.replacen("[budget.shares]", "quota_per_organisation = \"0.05\"\n[budget.shares]", 1);
    source.toml.push_str(&PROGRAM.replacen("0.1", "0.6", 1));
    let proposed = service.office.propose(&service.people.officers[0], source).await.unwrap();
    service.office.approve(&service.people.officers[1], &proposed.sha256).await.unwrap();
    service.send(0).await;
    service.close().await;
    assert_eq!(service.used().await, (0, 600_000_000));
    service.send(1).await;
    service.close().await;
    assert_eq!(service.used().await, (0, 600_000_000), "the account does not cover it twice");
    let standing = service.office.ledger.standing(&dataset()).await.unwrap();
    assert_eq!(standing.editions[0].number, 2);
    // No token is the service: nobody can speak in its name.
    assert_eq!(Principal::service().role, Role::Officer);
    let tokens = service.office.ledger.tokens().await.unwrap();
    assert!(tokens.iter().all(|row| row.id != Principal::service().token));
}
