//! Random lists, and those that once failed.

use super::operation::{Operation, list};
use super::run::run;
use futures::FutureExt as _;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};

/// Lists of a normal run; `HALFLIGHT_LISTS` asks for more, `HALFLIGHT_SEED` for others.
const LISTS: u64 = 300;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

// G6, G7, G10, G11, G12
#[test]
fn no_list_of_operations_and_faults_loses_spends_twice_or_forgets() {
    let (lists, first) = (variable("HALFLIGHT_LISTS").unwrap_or(LISTS), variable("HALFLIGHT_SEED").unwrap_or(0));
    let next = AtomicU64::new(first);
    let failed = std::thread::scope(|scope| {
        let worker = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let mut failed = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= first + lists {
                    return failed;
                }
                if runtime.block_on(AssertUnwindSafe(run(&list(seed))).catch_unwind()).is_err() {
                    failed.push(seed);
                }
            }
        };
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<u64>>()
    });
    for seed in &failed {
        println!("seed {seed}: {:?}", list(*seed));
    }
    assert!(failed.is_empty(), "the lists of {} seeds fail: {failed:?}", failed.len());
}

/// Operations that need no fault: the model itself is right, and every kind of operation does something.
#[tokio::test]
async fn a_list_without_faults_ends_as_the_model_says() {
    use super::operation::Asked;
    use Operation::{Abandon, Advance, Approve, Close, Forfeit, Propose, Resend, Suspend, Void, Withdraw};
    let ask = |price, cut, disguised| Operation::Ask(Asked { price, cut, disguised });
    let all = [
        ask(0, 0, false),
        Operation::Submit,
        Operation::Submit,
        Close,
        ask(0, 0, false),
        ask(0, 0, true),
        ask(0, 1, false),
        Operation::Replace(0),
        Resend(1),
        Close,
        ask(0, 2, false),
        ask(1, 0, false),
        ask(0, 0, true),
        Void,
        Forfeit,
        Abandon,
        Propose,
        Advance(3),
        Approve,
        ask(0, 0, false),
        Suspend,
        ask(0, 0, false),
        Withdraw(0),
        Propose,
        Advance(8),
        Approve,
        Operation::Restart,
        Propose,
        Approve,
        ask(2, 0, false),
        ask(2, 1, false),
        // Of a cell of nobody the draws tell nothing: a draw of its own, and at the next price the stored answer.
        ask(1, 2, false),
        ask(1, 2, true),
        ask(0, 2, false),
    ];
    let run = run(&all).await;
    assert_eq!((run.model.live.len(), run.model.editions.len(), run.model.version), (1, 2, 4));
    // 0.02 on the first edition; 0.02 and 0.03 on the second; two claims of 0.02; 0.02, then 0.4 and 0.03 under later
    // policies.
    assert_eq!(run.model.used, (560_000_000, 560_000_000));
    assert_eq!(run.model.seen.len(), 8);
}
