//! Claims that race, many times over.

use super::*;

/// Races of a normal run; `HALFLIGHT_RACES` asks for more.
const RACES: u64 = 20;

fn races() -> u64 {
    std::env::var("HALFLIGHT_RACES").ok().and_then(|text| text.parse().ok()).unwrap_or(RACES)
}

/// That many claims of a tenth at once, against what is left: so many are granted, the others refused for want of
/// budget. Those granted are given back, for the next race.
async fn race(desk: &Desk, policy: &Policy, claims: u64, granted: usize) {
    let analyst = principal(Role::Analyst, "ohchr");
    let mut racing = tokio::task::JoinSet::new();
    for number in 0..claims {
        let (ledger, plan, analyst) = (desk.ledger.clone(), plan(policy, "0.1", number), analyst.clone());
        racing.spawn(async move { ledger.reserve(&plan, &analyst).await });
    }
    let (claims, refusals): (Vec<_>, Vec<_>) = racing.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!(claims.len(), granted);
    assert!(refusals.into_iter().all(|refusal| code(refusal) == "budget_exhausted"));
    for claim in claims {
        desk.ledger.void(claim.unwrap()).await.unwrap();
    }
}

// G6
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sixty_four_racing_claims_of_a_tenth_exactly_ten_are_granted() {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    for _ in 0..races() {
        race(&desk, &policy, 64, 10).await;
    }
    assert_eq!(desk.spent().await, "0 held, 0 spent");
    desk.verify().await;
}

// G6
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_tenth_goes_to_one_of_sixty_four() {
    let desk = Desk::new().await;
    let policy = desk.enact(&visits(&[])).await;
    let analyst = principal(Role::Analyst, "ohchr");
    for (rho, draw) in [("0.5", 100), ("0.4", 101)] {
        let claim = desk.ledger.reserve(&plan(&policy, rho, draw), &analyst).await.unwrap();
        desk.ledger.forfeit(claim.draw()).await.unwrap();
    }
    for _ in 0..races() {
        race(&desk, &policy, 64, 1).await;
    }
    assert_eq!(desk.spent().await, "0 held, 0.9 spent");
    desk.verify().await;
}
