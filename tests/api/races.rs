//! Many at once for the same budget, the same answer, the same place: over HTTP, the ledger counts each once.

use crate::support::{POLICY, Reply, TestService, at_once, visits};
use crate::wide;
use serde_json::Value;

const RACERS: usize = 64;
const RACES: usize = 20;

fn spent(service: &TestService, account: &str) -> String {
    service.spent(account)
}

fn counted(replies: &[Reply], status: u16, code: &str) -> usize {
    let is = |reply: &&Reply| reply.status == status && (code.is_empty() || reply.code() == code);
    replies.iter().filter(is).count()
}

// G6: held and spent never pass the cap.
#[test]
fn of_64_racing_questions_for_a_tenth_of_the_budget_exactly_ten_are_answered_in_20_races() {
    let service = TestService::start();
    let team = service.analyst();
    for race in 0..RACES {
        let id = format!("race{race}");
        wide::closed(&service, &id, 8, "rho = \"1\"\nper_release_max = \"0.1\"");
        let questions = wide::questions(&id, 8, "0.1");
        let replies = at_once(RACERS, |racer| service.ask(&team, &questions[racer]));
        let said: Vec<_> = replies.iter().map(|reply| reply.status).collect();
        assert_eq!(counted(&replies, 201, ""), 10, "race {race}: {said:?}");
        assert_eq!(counted(&replies, 409, "budget_exhausted"), RACERS - 10, "race {race}: {said:?}");
        assert_eq!(spent(&service, &id), "1", "race {race}");
        service.verify();
    }
}

#[test]
fn two_questions_of_six_tenths_do_not_both_fit() {
    let service = TestService::start();
    let team = service.analyst();
    wide::closed(&service, "slow", 2, "rho = \"1\"\nper_release_max = \"1\"");
    service.ask(&team, &wide::question("slow", &[0], "0.6")).expect(201);
    service.ask(&team, &wide::question("slow", &[1], "0.6")).expect_problem(409, "budget_exhausted");
    assert_eq!(spent(&service, "slow"), "0.6");
    wide::closed(&service, "fast", 2, "rho = \"1\"\nper_release_max = \"1\"");
    let replies = at_once(2, |racer| service.ask(&team, &wide::question("fast", &[racer], "0.6")));
    assert_eq!((counted(&replies, 201, ""), counted(&replies, 409, "budget_exhausted")), (1, 1));
    assert_eq!(spent(&service, "fast"), "0.6");
    service.verify();
}

// G11: one draw, whoever asks and however many at once.
#[test]
fn identical_questions_at_once_are_one_draw_identical_bytes_and_one_charge() {
    let service = TestService::start();
    let teams = [service.analyst(), service.token("analyst", "unhcr", "un_reporting")];
    wide::closed(&service, "same", 3, "rho = \"20\"\nper_release_max = \"1\"");
    let mut charges = 0;
    for (by, askers) in [(vec![0], 2), (vec![1], 8), (vec![0, 1], 8), (vec![0, 1, 2], 8)] {
        let question = wide::question("same", &by, "1");
        let replies = at_once(askers, |asker| service.ask(&teams[asker % 2], &question));
        charges += 1;
        assert_eq!((counted(&replies, 201, ""), counted(&replies, 200, "")), (1, askers - 1), "{by:?}");
        assert!(replies.iter().all(|reply| reply.body == replies[0].body), "{by:?}: not the same bytes");
        assert_eq!(spent(&service, "same"), charges.to_string());
        service.verify();
    }
}

#[test]
fn no_organisation_passes_its_quota_and_none_uses_another_ones() {
    let service = TestService::start();
    let teams = [service.analyst(), service.token("analyst", "unhcr", "un_reporting")];
    wide::closed(&service, "quota", 7, "rho = \"20\"\nper_release_max = \"0.1\"\nquota_per_organisation = \"0.5\"");
    let questions = wide::questions("quota", 7, "0.1");
    let replies = at_once(32, |racer| (racer % 2, service.ask(&teams[racer % 2], &questions[racer])));
    for organisation in 0..2 {
        let own: Vec<_> = replies.iter().filter(|(of, _)| *of == organisation).collect();
        assert_eq!(own.iter().filter(|(_, reply)| reply.status == 201).count(), 5);
        let refused = own.iter().filter(|(_, reply)| reply.status == 409 && reply.code() == "quota_exhausted");
        assert_eq!(refused.count(), 11);
    }
    assert_eq!(spent(&service, "quota"), "1");
    service.verify();
}

#[test]
fn one_key_from_eight_connections_is_one_submission_whatever_they_send() {
    let service = TestService::start();
    service.in_force(POLICY);
    let ministry = service.submitter();
    let files = [visits("a", 400, 1), visits("b", 400, 1)];
    for (round, kinds) in [1, 2].into_iter().enumerate() {
        let key = format!("key{round}");
        let period = ["2026", "2027"][round];
        let replies = at_once(8, |i| (i % kinds, service.submit(&ministry, "visits", period, &key, &files[i % kinds])));
        let kept: Vec<_> = replies.iter().filter(|(_, reply)| reply.status == 201).collect();
        assert_eq!(kept.len(), 1, "{:?}", replies.iter().map(|(_, reply)| reply.status).collect::<Vec<_>>());
        let (winner, receipt) = (kept[0].0, kept[0].1.json());
        for (kind, reply) in &replies {
            if *kind == winner {
                assert_eq!(reply.json(), receipt);
            } else {
                assert_eq!((reply.status, reply.code().as_str()), (422, "idempotency_key_reused"));
            }
        }
    }
    let receipts: Value = service.get("/v1/datasets/visits/submissions", Some(&ministry)).expect(200).json();
    assert_eq!(receipts.as_array().unwrap().len(), 2);
    service.verify();
}
