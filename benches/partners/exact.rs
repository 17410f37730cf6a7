//! The best pattern of exact counts, proved by branch and cut: a pattern is safe if every cell that must be protected
//! can move as far as it needs, with every cell bounded by its choice times its room. Where that fails, the equation
//! that stops it is an inequality that holds of every safe pattern; with fractional choices too.

use crate::raw::Raw;
use halflight::suppress::{Attacker, Best, Cut, Limits, Need, Separated, Standing, Stretched, best};

const LIMITS: Limits = Limits { nodes: 20_000, work: 100_000_000_000 };
/// Work on one program of the attacker.
const WORK_MAX: u64 = 1_000_000_000;

/// The cheapest partners at cost `weights` by cell, with every protected cell reaching what it needs.
pub(crate) fn cheapest(
    raw: &Raw,
    standing: &[Standing],
    protected: &[(usize, Need)],
    weights: &[i64],
    start: Vec<usize>,
) -> Best {
    let attacker = Attacker::new(&raw.rows, raw.counts.len());
    best(standing, weights, start, LIMITS, |chosen| match cuts(&attacker, raw, chosen, protected) {
        None => Separated::Undecided,
        Some(cuts) if cuts.is_empty() => Separated::Safe,
        Some(cuts) => Separated::Cuts(cuts),
    })
}

/// The cuts that these choices break; none if the work allowed did not tell.
fn cuts(attacker: &Attacker, raw: &Raw, chosen: &[f64], protected: &[(usize, Need)]) -> Option<Vec<Cut>> {
    let count = |cell: usize| raw.counts[cell] as f64;
    let high = raw.counts.iter().map(|&count| count as f64).fold(0.0, f64::max);
    let mut limited = attacker.within(|cell| (-count(cell) * chosen[cell], high * chosen[cell]));
    let mut cuts = Vec::new();
    for &(cell, need) in protected {
        for (way, mut least) in [(1.0, need.up), (-1.0, need.down)] {
            let Stretched::Stopped { by, .. } = limited.stretch(cell, way, least, &mut { WORK_MAX })? else {
                continue;
            };
            let mut factors = Vec::new();
            for (other, slope) in by {
                let far = if slope > 0.0 { slope * high } else { -slope * count(other) };
                if other == cell {
                    least -= far;
                } else {
                    factors.push((other, far.min(least)));
                }
            }
            let cut = Cut { of: cell, least, factors };
            if least > 0.0 && cut.is_missed(|cell| chosen[cell]) {
                cuts.push(cut);
            }
        }
    }
    Some(cuts)
}
