//! The best pattern, proved: branch and cut over the attacker's duals (Fischetti and Salazar-Gonzalez, `JASA` 2000).
//!
//! A pattern y is safe if for every cell p that must be protected the attacker's program, with every cell bounded by
//! `y` times its room, reaches far enough. Its dual is an inequality in y that holds for every safe pattern: found by
//! programs with fractional y too, and cut off at what is asked.

use crate::raw::Raw;
use halflight::suppress::simplex::{Dictionary, End};
use halflight::suppress::{Need, Standing};

/// Nodes before the search stops with a gap.
const NODES_MAX: usize = 20_000;
/// Work on one program. A node whose program does not end counts as not looked at.
const WORK_MAX: u64 = 1_000_000_000;
const CLOSE: f64 = 1e-6;

/// What was found.
pub(crate) struct Best {
    /// The partners.
    pub(crate) partners: Vec<usize>,
    /// Their cost, and what no pattern can be below: the same where it is proved.
    pub(crate) cost: i64,
    /// The bound.
    pub(crate) bound: i64,
    /// Nodes looked at.
    pub(crate) nodes: usize,
}

struct Cut {
    factors: Vec<(usize, f64)>,
    least: f64,
}

impl Cut {
    /// What is withheld already counts as given; no factor need be larger than what is left to ask.
    fn add_to(&self, node: &mut Dictionary, variables: &[Option<usize>]) {
        let kept = self.factors.iter().filter(|(cell, _)| variables[*cell].is_none()).map(|e| e.1).sum::<f64>();
        let least = self.least - kept;
        let terms: Vec<_> = self.factors.iter().filter_map(|&(c, f)| Some((variables[c]?, f.min(least)))).collect();
        node.define(&terms, least, f64::INFINITY);
    }
}

/// The attacker's program, where nothing has moved yet.
struct Attacker {
    program: Dictionary,
    cells: Vec<usize>,
    counts: Vec<f64>,
    high: f64,
}

impl Attacker {
    fn new(raw: &Raw) -> Self {
        let mut program = Dictionary::default();
        let mut terms = vec![Vec::new(); raw.counts.len()];
        for row in &raw.rows {
            let variable = program.variable(f64::NEG_INFINITY, f64::INFINITY, 0.0);
            for &(cell, value) in row {
                terms[cell].push((variable, value as f64));
            }
        }
        let cells = terms.iter().map(|terms| program.define(terms, 0.0, 0.0)).collect();
        let counts: Vec<f64> = raw.counts.iter().map(|&count| count as f64).collect();
        let high = counts.iter().copied().fold(0.0, f64::max);
        Self { program, cells, counts, high }
    }

    /// Violated cuts for these y.
    fn cuts(&self, y: &[f64], protected: &[(usize, Need)]) -> Vec<Cut> {
        let mut program = self.program.clone();
        for (cell, &y) in y.iter().enumerate() {
            program.bound(self.cells[cell], -self.counts[cell] * y, self.high * y);
        }
        let mut cuts = Vec::new();
        for &(cell, need) in protected {
            for (way, least) in [(1.0, need.up), (-1.0, need.down)] {
                if least <= 0.0 {
                    continue;
                }
                let variable = self.cells[cell];
                let end = program.maximise(Some(variable), way, least, &mut { WORK_MAX });
                assert_eq!(end, End::Reached);
                if program.value(variable) * way > least - CLOSE {
                    continue;
                }
                let mut factors = Vec::new();
                for (variable, slope) in program.form(variable) {
                    if let Some(other) = self.cells.iter().position(|&v| v == variable) {
                        let room = if slope * way > 0.0 { self.high } else { self.counts[other] };
                        factors.push((other, (slope.abs() * room).min(least)));
                    }
                }
                cuts.push(Cut { factors, least });
            }
        }
        cuts
    }
}

/// The cheapest partners at cost `weights` by cell, with every protected cell reaching what it needs.
pub(crate) fn best(
    raw: &Raw,
    standing: &[Standing],
    protected: &[(usize, Need)],
    weights: &[i64],
    start: Vec<usize>,
) -> Best {
    let cost_of = |cells: &[usize]| cells.iter().map(|&cell| weights[cell]).sum::<i64>();
    let mut best = Best { cost: cost_of(&start), partners: start, bound: 0, nodes: 0 };
    let attacker = Attacker::new(raw);
    let mut root = Dictionary::default();
    let open: Vec<usize> = (0..standing.len()).filter(|&cell| standing[cell] == Standing::Open).collect();
    let mut variables = vec![None; standing.len()];
    for &cell in &open {
        variables[cell] = Some(root.variable(0.0, 1.0, 0.0));
    }
    let terms: Vec<(usize, f64)> = open.iter().filter_map(|&c| Some((variables[c]?, weights[c] as f64))).collect();
    let cost = root.define(&terms, f64::NEG_INFINITY, f64::INFINITY);
    let mut pool: Vec<Cut> = Vec::new();
    let mut open_bound = i64::MAX;
    let mut stack = vec![(root, 0usize, 0i64)];
    while let Some((mut node, mut seen, bound)) = stack.pop() {
        if bound >= best.cost {
            continue;
        }
        if best.nodes == NODES_MAX {
            stack.push((node, seen, bound));
            break;
        }
        best.nodes += 1;
        let fractional = loop {
            for cut in &pool[seen..] {
                cut.add_to(&mut node, &variables);
            }
            seen = pool.len();
            match node.maximise(Some(cost), -1.0, f64::INFINITY, &mut { WORK_MAX }) {
                End::Reached => {}
                End::Infeasible => break None,
                End::Unbounded | End::OutOfWork => {
                    open_bound = open_bound.min(bound);
                    break None;
                }
            }
            let least = (node.value(cost) - CLOSE * (1.0 + node.value(cost))).ceil() as i64;
            if least >= best.cost {
                break None;
            }
            let y: Vec<f64> = (0..standing.len())
                .map(|cell| variables[cell].map_or(1.0, |variable| node.value(variable).clamp(0.0, 1.0)))
                .collect();
            pool.extend(attacker.cuts(&y, protected));
            if pool.len() == seen {
                if let Some(cell) = most_fractional(&open, &y) {
                    break Some((cell, least));
                }
                let partners: Vec<usize> = open.iter().copied().filter(|&cell| y[cell] > 0.5).collect();
                (best.cost, best.partners) = (cost_of(&partners), partners);
                break None;
            }
        };
        if let Some((cell, bound)) = fractional
            && let Some(variable) = variables[cell]
        {
            for fixed in [0.0, 1.0] {
                let mut child = node.clone();
                child.bound(variable, fixed, fixed);
                stack.push((child, seen, bound));
            }
        }
    }
    best.bound = stack.iter().map(|node| node.2).fold(best.cost.min(open_bound), i64::min);
    best
}

/// The cell whose y is nearest to a half, if any is not whole.
fn most_fractional(open: &[usize], y: &[f64]) -> Option<usize> {
    let off = |cell: usize| (y[cell] - 0.5).abs();
    let fractional = open.iter().copied().filter(|&cell| y[cell] > 1e-5 && y[cell] < 1.0 - 1e-5);
    fractional.min_by(|&a, &b| off(a).total_cmp(&off(b)))
}
