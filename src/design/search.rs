//! The searches for the best shares: convex for zero-concentrated differential privacy, local for pure.
//!
//! Both minimise by turns over the weights of the best estimate and over the shares, so no step makes the variance
//! worse. A fixed order of additions, multiplications, divisions and square roots: the same bits on every machine.
//! Bounded by a number of steps and by work, never by time.

use super::objective::Criterion;

/// The search ends when no shares can be better by more than this fraction of the variance (zCDP).
const GAP: f64 = 1e-5;

/// The most updates, and the most work in pairs of candidate and component over all of them.
const UPDATES_MAX: usize = 4_000;
const WORK_MAX: usize = 1 << 25;

/// A share below it has died out: what it would tell is infinitely uncertain, and the square of that no number.
const DIED_OUT: f64 = 1e-60;

/// The A-optimal shares: `a_S <- a_S sqrt(-dV/da_S)`, renormalised.
///
/// Each step minimises, over the shares, the variance with the weights of the best estimate held fixed, so it never
/// gets worse; it stops when the bound `V* >= V^2 / max_S(-dV/da_S)` of the equivalence theorem (Kiefer 1974, for a
/// homogeneous criterion) is met. (Silvey, Titterington and Torsney 1978; Yu, Annals of Statistics 38, 2010.)
pub(super) fn zcdp(objective: &dyn Criterion, mut shares: Vec<f64>) -> Vec<f64> {
    for _ in 0..UPDATES_MAX.min(WORK_MAX / objective.work()) {
        let (value, slopes) = objective.evaluate(&shares);
        if slopes.iter().fold(0.0_f64, |most, &slope| most.max(slope)) <= value * (1.0 + GAP) {
            break;
        }
        for (share, slope) in shares.iter_mut().zip(&slopes) {
            let next = *share * slope.sqrt();
            *share = if next < DIED_OUT { 0.0 } else { next };
        }
        normalise(&mut shares);
    }
    shares
}

/// The best that a local search finds from these starts and from the zCDP optimum; the first of equals. The first start
/// covers everything.
pub(super) fn pure(objective: &dyn Criterion, starts: &[Vec<f64>]) -> Vec<f64> {
    let (mut best, mut least) = (Vec::new(), f64::INFINITY);
    let optimum = starts.first().map(|even| zcdp(objective, even.clone()));
    for start in starts.iter().chain(&optimum).filter(|start| objective.covered(&squares(start))) {
        let (shares, value) = descend(objective, start.clone());
        if value < least {
            (best, least) = (shares, value);
        }
    }
    best
}

/// Local search in pure differential privacy, `P_t = sum_S e_S^2 c_S(t)`: with the weights of the best estimate held
/// fixed the variance is `sum_S k_S / e_S^2`, least at `e_S` in proportion to the cube root of `k_S`, which is
/// `e_S^4 (-dV/da_S)`. It never gets worse (as in zCDP) and ends at a stationary point, which need not be the best.
fn descend(objective: &dyn Criterion, mut shares: Vec<f64>) -> (Vec<f64>, f64) {
    let (mut value, mut slopes) = objective.evaluate(&squares(&shares));
    for _ in 0..UPDATES_MAX.min(WORK_MAX / objective.work()) {
        let mut next: Vec<f64> =
            shares.iter().zip(&slopes).map(|(e, slope)| cube_root(e * e * e * e * slope / value)).collect();
        normalise(&mut next);
        let (found, slopes_there) = objective.evaluate(&squares(&next));
        let gain = value - found;
        if gain > 0.0 {
            (shares, value, slopes) = (next, found, slopes_there);
        }
        if gain <= value * 1e-9 {
            break;
        }
    }
    (shares, value)
}

fn squares(shares: &[f64]) -> Vec<f64> {
    shares.iter().map(|share| share * share).collect()
}

/// By Newton's method: the library's cube root may differ in the last bit from machine to machine.
fn cube_root(x: f64) -> f64 {
    if x < DIED_OUT {
        return 0.0;
    }
    let mut root = x.max(1.0);
    for _ in 0..200 {
        let next = (2.0 * root + x / (root * root)) / 3.0;
        if next >= root {
            break;
        }
        root = next;
    }
    root
}

/// Shares that sum to one.
pub(super) fn normalise(shares: &mut [f64]) {
    let sum: f64 = shares.iter().sum();
    if sum > 0.0 {
        for share in shares.iter_mut() {
            *share /= sum;
        }
    }
}
