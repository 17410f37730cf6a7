//! The best pattern, proved: branch and cut (Fischetti and Salazar-Gonzalez, `JASA` 2000).
//!
//! A pattern is a choice of 0 or 1 for every open cell; inequalities that hold of every safe pattern are added to a
//! linear program as they are found broken, and the choice that is most in doubt is tried both ways.
//!
//! # Guarantee
//! Always ends, by nodes and by work, with a bound that no safe pattern is below.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::cut::{Choice, Cut};
use super::search::Standing;
use super::simplex::{Dictionary, End};

/// What is wrong with a choice between published (0) and withheld (1) for every cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Separated {
    /// Nothing that is known; where every choice is 0 or 1, the pattern is safe.
    Safe,
    /// It breaks these.
    Cuts(Vec<Cut>),
    /// The work allowed did not tell.
    Undecided,
}

/// When the search stops, with what it has.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Nodes looked at.
    pub nodes: usize,
    /// Work on the programs of all nodes.
    pub work: u64,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Best {
    /// The partners.
    pub partners: Vec<usize>,
    /// What they cost.
    pub cost: i64,
    /// What no safe pattern can be below: the same where it is proved.
    pub bound: i64,
    /// Nodes looked at.
    pub nodes: usize,
}

/// The cheapest partners, at a cost by cell of at least 1; `start` are some that would do.
pub fn best(
    standing: &[Standing],
    weights: &[i64],
    start: Vec<usize>,
    limits: Limits,
    mut separate: impl FnMut(&[f64]) -> Separated,
) -> Best {
    let cost_of = |cells: &[usize]| cells.iter().map(|&cell| weights[cell]).sum::<i64>();
    let mut best = Best { cost: cost_of(&start), partners: start, bound: 0, nodes: 0 };
    let (root, mut tree) = Tree::new(standing, weights, limits.work);
    let mut open_bound = i64::MAX;
    let mut stack = vec![(root, 0)];
    while let Some((mut node, bound)) = stack.pop() {
        if bound >= best.cost {
            continue;
        }
        if best.nodes == limits.nodes {
            stack.push((node, bound));
            break;
        }
        best.nodes += 1;
        match tree.solve(&mut node, bound, best.cost, &mut separate) {
            Solved::Worse => {}
            Solved::Unknown(bound) => open_bound = open_bound.min(bound),
            Solved::Partners(partners) => (best.cost, best.partners) = (cost_of(&partners), partners),
            Solved::Between(variable, bound) => {
                for fixed in [0.0, 1.0] {
                    let mut child = node.clone();
                    child.program.bound(variable, fixed, fixed);
                    stack.push((child, bound));
                }
            }
        }
    }
    best.bound = stack.iter().map(|node| node.1).fold(best.cost.min(open_bound), i64::min);
    best
}

/// A program, and how many of the cuts are in it.
#[derive(Clone)]
struct Node {
    program: Dictionary,
    cuts: usize,
}

/// What holds in all nodes.
struct Tree {
    choices: Vec<Choice>,
    cost: usize,
    cuts: Vec<Cut>,
    work: u64,
}

enum Solved {
    /// Nothing cheaper than the best is below this node.
    Worse,
    /// The work allowed did not tell.
    Unknown(i64),
    /// A better pattern.
    Partners(Vec<usize>),
    /// A choice is in doubt, and nothing below is cheaper than so much.
    Between(usize, i64),
}

impl Tree {
    fn new(standing: &[Standing], weights: &[i64], work: u64) -> (Node, Self) {
        let mut program = Dictionary::default();
        let mut choice = |&standing: &Standing| match standing {
            Standing::Published => Choice::Fixed(0.0),
            Standing::Withheld => Choice::Fixed(1.0),
            Standing::Open => Choice::Free(program.variable(0.0, 1.0, 0.0)),
        };
        let choices: Vec<Choice> = standing.iter().map(&mut choice).collect();
        let term = |(choice, &weight): (&Choice, &i64)| match *choice {
            Choice::Free(variable) => Some((variable, float(weight))),
            Choice::Fixed(_) => None,
        };
        let terms: Vec<(usize, f64)> = choices.iter().zip(weights).filter_map(term).collect();
        let cost = program.define(&terms, f64::NEG_INFINITY, f64::INFINITY);
        (Node { program, cuts: 0 }, Self { choices, cost, cuts: Vec::new(), work })
    }

    /// The program of a node, with cuts until none is broken.
    fn solve(
        &mut self,
        node: &mut Node,
        mut bound: i64,
        cost_best: i64,
        separate: &mut impl FnMut(&[f64]) -> Separated,
    ) -> Solved {
        loop {
            for cut in &self.cuts[node.cuts..] {
                cut.add_to(&mut node.program, |cell| self.choices[cell]);
            }
            node.cuts = self.cuts.len();
            match node.program.maximise(Some(self.cost), -1.0, f64::INFINITY, &mut self.work) {
                End::Reached => {}
                End::Infeasible => return Solved::Worse,
                End::Unbounded | End::OutOfWork => return Solved::Unknown(bound),
            }
            bound = bound.max(rounded_up(node.program.value(self.cost)));
            if bound >= cost_best {
                return Solved::Worse;
            }
            let chosen: Vec<f64> = self.choices.iter().map(|choice| choice.value(&node.program)).collect();
            match separate(&chosen) {
                Separated::Cuts(cuts) => self.cuts.extend(cuts),
                Separated::Undecided => return Solved::Unknown(bound),
                Separated::Safe => return self.settled(&chosen, bound),
            }
        }
    }

    fn settled(&self, chosen: &[f64], bound: i64) -> Solved {
        let doubt = |&(&choice, &value): &(&Choice, &f64)| match choice {
            Choice::Free(variable) if value > 1e-5 && value < 1.0 - 1e-5 => Some((variable, (value - 0.5).abs())),
            Choice::Free(_) | Choice::Fixed(_) => None,
        };
        let in_doubt = self.choices.iter().zip(chosen).filter_map(|pair| doubt(&pair));
        if let Some((variable, _)) = in_doubt.min_by(|a, b| a.1.total_cmp(&b.1)) {
            return Solved::Between(variable, bound);
        }
        let withheld = |&cell: &usize| matches!(self.choices[cell], Choice::Free(_)) && chosen[cell] > 0.5;
        Solved::Partners((0..chosen.len()).filter(withheld).collect())
    }
}

/// The next whole number that is not below, but for what a program lets slip.
#[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "costs are far below 2^53")]
pub(super) fn rounded_up(cost: f64) -> i64 {
    (cost - 1e-6 * (1.0 + cost.abs())).ceil() as i64
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "costs are far below 2^53")]
fn float(weight: i64) -> f64 {
    weight as f64
}
