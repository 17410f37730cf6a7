//! Every durable step, failing in every way, one at a time: the way goes on.

use super::operation::{Asked, Operation};
use super::run::run;
use crate::fault::{Fault, Point};

/// A list that passes every step.
const WAY: [Operation; 16] = [
    Operation::Submit,
    Operation::Submit,
    Operation::Close,
    ask(0, 0),
    ask(0, 1),
    Operation::Replace(0),
    Operation::Withdraw(0),
    Operation::Void,
    Operation::Forfeit,
    Operation::Propose,
    Operation::Approve,
    Operation::Restart,
    ask(0, 0),
    Operation::Submit,
    Operation::Close,
    ask(1, 2),
];

const fn ask(price: usize, cut: usize) -> Operation {
    Operation::Ask(Asked { price, cut, disguised: false })
}

/// A step fails at its first pass, and at some later ones: leaves and the witness are part of every change.
async fn fails(point: Point, fault: Fault) {
    let passes: &[u32] = match point {
        Point::LeafAppend | Point::WitnessAppend => &[0, 2, 5],
        _ => &[0],
    };
    for after in passes {
        let mut list = vec![Operation::Plan(point, *after, fault)];
        list.extend(WAY);
        assert_eq!(run(&list).await.missed, 0, "the step was passed");
    }
}

macro_rules! points {
    ($($name:ident: $point:ident,)*) => {
        $(mod $name {
            use super::{Fault, Point, fails};

            #[tokio::test]
            async fn lost() {
                fails(Point::$point, Fault::Lost).await;
            }

            #[tokio::test]
            async fn landed_but_unreported() {
                fails(Point::$point, Fault::Unreported).await;
            }

            #[tokio::test]
            async fn the_process_dies_before() {
                fails(Point::$point, Fault::CrashBefore).await;
            }

            #[tokio::test]
            async fn the_process_dies_after() {
                fails(Point::$point, Fault::CrashAfter).await;
            }
        })*

        #[test]
        fn every_point_is_here() {
            assert_eq!(Point::ALL.map(Point::as_str), [$(stringify!($name)),*]);
        }
    };
}

points! {
    reserve: Reserve,
    settle: Settle,
    void: Void,
    forfeit: Forfeit,
    shelve: Shelve,
    accept: Accept,
    withdraw: Withdraw,
    close: Close,
    govern: Govern,
    recover: Recover,
    leaf_append: LeafAppend,
    witness_append: WitnessAppend,
    key_write: KeyWrite,
    file_write: FileWrite,
    file_rename: FileRename,
    key_erase: KeyErase,
    file_erase: FileErase,
}
