//! What may happen to a service, and random lists of it.

use crate::fault::{Fault, Point};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

/// One step of a list. Places count round the live submissions, so that every list makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// The next file, of the next cell.
    Submit,
    /// The next file in place of a live one.
    Replace(usize),
    /// A live one's file again, under its key.
    Resend(usize),
    Withdraw(usize),
    Close,
    Propose,
    Approve,
    Suspend,
    Ask(Asked),
    /// A claim that is given back before anything is drawn.
    Void,
    /// A claim on which nothing is released after its draw.
    Forfeit,
    /// A claim whose task ends early.
    Abandon,
    /// Days go by.
    Advance(i64),
    Restart,
    /// From now on, after so many passes of a step, it fails once.
    Plan(Point, u32, Fault),
}

/// A question: at one of three prices, of one of three cuts, said in one of two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) price: usize,
    pub(super) cut: usize,
    pub(super) disguised: bool,
}

/// The list of a seed.
pub(super) fn list(seed: u64) -> Vec<Operation> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut list = Vec::new();
    // Most lists get to a figure at all; a few begin anyhow.
    if random.random_bool(0.8) {
        list.extend([Operation::Submit, Operation::Close]);
    }
    for _ in 0..random.random_range(5..11) {
        if random.random_bool(0.4) {
            let (point, fault) = (Point::ALL.choose(&mut random), Fault::ALL.choose(&mut random));
            list.extend(
                point
                    .zip(fault)
                    .map(|(point, fault)| Operation::Plan(*point, [0, 0, 1, 3][random.random_range(0..4)], *fault)),
            );
        }
        list.push(operation(&mut random));
    }
    list
}

fn operation(random: &mut StdRng) -> Operation {
    let place = random.random_range(0..4);
    match random.random_range(0..23) {
        0..3 => Operation::Submit,
        3 => Operation::Replace(place),
        4 => Operation::Resend(place),
        5 => Operation::Withdraw(place),
        6..9 => Operation::Close,
        9 => Operation::Propose,
        10 => Operation::Approve,
        11 => Operation::Suspend,
        12..18 => {
            let price = [0, 0, 1, 2][random.random_range(0..4)];
            Operation::Ask(Asked { price, cut: random.random_range(0..3), disguised: random.random_bool(0.5) })
        }
        18 => Operation::Void,
        19 => Operation::Forfeit,
        20 => Operation::Abandon,
        21 => Operation::Advance(random.random_range(0..5)),
        _ => Operation::Restart,
    }
}
