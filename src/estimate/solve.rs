//! Conjugate gradients: a symmetric system solved by applying its matrix, never by writing it down.
//!
//! Stops at a residual of 1e-12 of the right side, or where rounding allows no more, and after a bounded number of
//! steps in any case; what it returns is the best solution found so far, so a draw that was paid for is never lost to
//! it.

/// The residual that counts as solved, relative to the right side.
const TOLERANCE: f64 = 1e-12;

/// The most steps.
const STEPS_MAX: usize = 500;

/// A solution of `matrix(x) = right`, where `precondition` is near the matrix' inverse; both symmetric and positive on
/// the span of right sides (Hestenes and Stiefel, Journal of Research of the NBS 49, 1952).
pub(super) fn solve(
    right: &[f64],
    matrix: impl Fn(&[f64]) -> Vec<f64>,
    precondition: impl Fn(&[f64]) -> Vec<f64>,
) -> Vec<f64> {
    let mut solution = vec![0.0; right.len()];
    let mut residual = right.to_vec();
    let goal = TOLERANCE * TOLERANCE * dot(right, right);
    if goal == 0.0 {
        return solution;
    }
    let mut better = precondition(&residual);
    let mut direction = better.clone();
    let mut slope = dot(&residual, &better);
    for _ in 0..STEPS_MAX {
        let image = matrix(&direction);
        let length = slope / dot(&direction, &image);
        if !(length.is_finite() && length > 0.0) {
            break; // what is left lies outside the span: rounding alone
        }
        step(&mut solution, length, &direction);
        step(&mut residual, -length, &image);
        if dot(&residual, &residual) <= goal {
            break;
        }
        better = precondition(&residual);
        let next = dot(&residual, &better);
        let turn = next / slope;
        slope = next;
        for (along, new) in direction.iter_mut().zip(&better) {
            *along = new + turn * *along;
        }
    }
    solution
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn step(x: &mut [f64], length: f64, along: &[f64]) {
    for (x, along) in x.iter_mut().zip(along) {
        *x += length * along;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_system_is_solved_and_a_singular_one_as_far_as_it_goes() {
        let matrix = |x: &[f64]| vec![4.0 * x[0] + x[1], x[0] + 3.0 * x[1], 0.0];
        let found = solve(&[1.0, 2.0, 0.0], matrix, <[f64]>::to_vec);
        assert!((found[0] - 1.0 / 11.0).abs() < 1e-12 && (found[1] - 7.0 / 11.0).abs() < 1e-12);
        assert_eq!(solve(&[0.0; 3], matrix, <[f64]>::to_vec), [0.0; 3]);
    }
}
