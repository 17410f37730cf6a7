//! Second thoughts about the order in which cells are published: one after another, each cell that had to stay withheld
//! goes first, and what that leaves over is compared. Small systems only; there it mostly ends at the fewest.
//!
//! # Guarantee
//! No more cells are withheld in the new order than in the old one, and of as many none more useful on the whole.
//! Bounded by work, so that the order does not depend on load.

use super::search::{Problem, Standing};

/// Work on all trials together, in coefficients of rows: each is looked at once a trial, at the least.
const WORK_MAX: usize = 100_000;

impl Problem<'_> {
    /// The open cells in an order that leaves fewer of them withheld, or less useful ones, if one was found.
    pub(super) fn reordered(&self) -> Vec<usize> {
        let work = self.order.len() + self.rows.iter().map(Vec::len).sum::<usize>();
        let mut trials = WORK_MAX.checked_div(work).unwrap_or(0);
        if trials < self.standing.iter().filter(|&&standing| standing == Standing::Withheld).count() {
            return self.order.to_vec();
        }
        let mut best = Trial::of(self, self.order);
        let mut gained = true;
        while gained {
            gained = false;
            for cell in best.withheld.clone() {
                if trials == 0 || !best.withheld.contains(&cell) {
                    continue;
                }
                trials -= 1;
                let order = best.order(self.order, Some(cell));
                let trial = Trial::of(&Problem { order: &order, ..*self }, self.order);
                if trial.cost < best.cost {
                    (best, gained) = (trial, true);
                }
            }
        }
        best.order(self.order, None)
    }
}

/// What an order leaves withheld: the open cells, and the cost: how many, and how useful.
struct Trial {
    withheld: Vec<usize>,
    cost: (usize, usize),
}

impl Trial {
    /// `useful` has the most useful cell first.
    fn of(problem: &Problem, useful: &[usize]) -> Self {
        let found = problem.pattern(&[]);
        let left = useful.iter().enumerate().filter(|(_, cell)| found.withheld.get(**cell) == Some(&true));
        let (places, withheld): (Vec<usize>, Vec<usize>) = left.map(|(place, &cell)| (place, cell)).unzip();
        let cost = (withheld.len(), places.iter().map(|place| useful.len() - place).sum());
        Self { withheld, cost }
    }

    /// One of them first, then what was published, then the others.
    fn order(&self, useful: &[usize], first: Option<usize>) -> Vec<usize> {
        let rest = useful.iter().copied().filter(|&cell| Some(cell) != first);
        let (last, shown): (Vec<usize>, Vec<usize>) = rest.partition(|cell| self.withheld.contains(cell));
        first.into_iter().chain(shown).chain(last).collect()
    }
}
