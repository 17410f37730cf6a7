//! Work that questions may cause is bounded: two searches at once, none twice for the same, and one more for an answer
//! that another overtook.
//!
//! A search that must wait is told from one that does not run by holding all turns of searching.

use super::super::{Office, OfficeError, Quote};
use super::service::{CUTS, Service, dataset, question};
use crate::policy::Plan;
use crate::release::{Answering, Limits, Loss, Release};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Within this time a question is answered that need not wait, many times over.
const LONG: Duration = Duration::from_secs(30);
/// For so long one is watched that waits.
const WHILE: Duration = Duration::from_millis(400);

async fn waits<T>(task: &mut JoinHandle<T>) -> bool {
    timeout(WHILE, task).await.is_err()
}

impl Service {
    fn ask(&self, rho: &'static str, cut: usize) -> JoinHandle<Release> {
        let (office, analyst) = (self.office.clone(), self.people.analysts[0].clone());
        tokio::spawn(async move { office.ask(&analyst, &question(rho, CUTS[cut], false)).await.unwrap().release })
    }

    fn quote(&self, rho: &'static str, cut: usize) -> JoinHandle<Quote> {
        let (office, analyst) = (self.office.clone(), self.people.analysts[0].clone());
        tokio::spawn(async move { office.quote(&analyst, &question(rho, CUTS[cut], false)).await.unwrap() })
    }

    /// What suppression costs in the release that stands.
    async fn loss(&self) -> JoinHandle<Loss> {
        let (office, officer) = (self.office.clone(), self.people.officers[0].clone());
        let id = office.ledger.release_faces(None).await.unwrap()[0].id.clone();
        tokio::spawn(async move { office.loss(&officer, &id).await.unwrap() })
    }

    /// The plan by which a question is answered now.
    async fn planned(&self, rho: &str, cut: usize) -> Result<Plan, OfficeError> {
        let (office, analyst): (&Office, _) = (&self.office, &self.people.analysts[0]);
        let policy = office.policy_for(analyst, &dataset()).await?;
        let standing = office.ledger.standing(&dataset()).await?;
        Ok(office.plan(&policy, &standing, analyst, &question(rho, CUTS[cut], false)).await??)
    }

    /// With a file in the first cells, and a draw of all cells.
    async fn drawn() -> Self {
        let service = Self::new().await;
        service.send(0).await;
        service.close().await;
        service.ask("0.4", 0).await.unwrap();
        service
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_search_waits_for_one_of_two() {
    let service = Service::drawn().await;
    let answering = service.office.answering.clone();
    let (one, other) = (answering.search().await.unwrap(), answering.search().await.unwrap());
    let (mut paid, mut free) = (service.ask("0.45", 0), service.ask("0.02", 1));
    let (mut quoted, mut looked_into) = (service.quote("0.4", 2), service.loss().await);
    assert!(waits(&mut paid).await && waits(&mut free).await, "asked");
    assert!(waits(&mut quoted).await && waits(&mut looked_into).await, "asked about");
    drop(one);
    let all = async { (paid.await.unwrap(), free.await.unwrap(), quoted.await.unwrap(), looked_into.await.unwrap()) };
    timeout(LONG, all).await.unwrap();
    drop(other);
    assert_eq!(service.used().await, (0, 850_000_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_judged_is_not_searched_for_again_until_another_answer_stands() {
    let service = Service::drawn().await;
    let answering = service.office.answering.clone();
    for cut in [1, 2] {
        service.quote("0.4", cut).await.unwrap();
    }
    let held = (answering.search().await.unwrap(), answering.search().await.unwrap());
    let quote = timeout(LONG, service.quote("0.4", 1)).await.expect("a verdict is kept").unwrap();
    assert!(quote.free);
    timeout(LONG, service.ask("0.4", 2)).await.expect("the answer last judged is the one that is given").unwrap();
    let mut quoted = service.quote("0.4", 1);
    assert!(waits(&mut quoted).await, "judged anew, beside that answer");
    drop(held);
    assert!(timeout(LONG, quoted).await.unwrap().unwrap().allowed);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_another_overtook_is_judged_once_more_and_given() {
    let service = Service::drawn().await;
    let (first, second) = (service.planned("0.02", 1).await.unwrap(), service.planned("0.4", 2).await.unwrap());
    assert_eq!(first.draw, second.draw);
    let limits = Limits { memory_bytes: 1 << 30, searches: 1, answers_per_draw: 100, cells_per_draw: 1_000 };
    let elsewhere = Answering::new(service.office.ledger.clone(), service.office.vault.clone(), limits);
    let held = elsewhere.search().await.unwrap();
    let mut overtaken = tokio::spawn({
        let (elsewhere, analyst) = (elsewhere.clone(), service.people.analysts[0].clone());
        async move { elsewhere.answer(&first, &analyst).await }
    });
    assert!(waits(&mut overtaken).await, "it has read what stands, and waits for its search");
    let (_, created) = service.office.answering.answer(&second, &service.people.analysts[1]).await.unwrap();
    drop(held);
    assert!(created && overtaken.await.unwrap().unwrap().1);
    assert_eq!(service.office.ledger.release_faces(None).await.unwrap().len(), 3);
    assert_eq!(service.used().await, (0, 400_000_000));
}
