//! A dense least squares to hold the closed forms to: the whole cross product as unknowns, every measured cell as an
//! observation, every impossible cell as a constraint, solved by QR decompositions with pivoting. It shares no code and
//! no algebra with what it checks. Tests only.

use crate::budget::Accounting;
use crate::noise::{NoisyTable, NoisyTables};

/// A linear form on the cells of the cross product.
pub(super) type Form = Vec<f64>;

/// Columns as `q r`: orthonormal directions, and for each of them its products with all columns.
struct Qr {
    /// The column that each direction was taken from.
    pivots: Vec<usize>,
    q: Vec<Form>,
    r: Vec<Form>,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn subtract(from: &mut [f64], times: f64, what: &[f64]) {
    for (from, what) in from.iter_mut().zip(what) {
        *from -= times * what;
    }
}

/// By Gram and Schmidt, modified, the longest column that is left first; what is shorter than rounding is none.
fn decompose(columns: &[Form]) -> Qr {
    let (mut left, mut found) = (columns.to_vec(), Qr { pivots: Vec::new(), q: Vec::new(), r: Vec::new() });
    while let Some((pivot, longest)) = left
        .iter()
        .enumerate()
        .map(|(at, column)| (at, dot(column, column).sqrt()))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .filter(|(_, length)| *length > 1e-9)
    {
        let mut direction: Form = left[pivot].iter().map(|x| x / longest).collect();
        // Once more: what rounding has left of the directions before.
        for earlier in &found.q {
            let along = dot(earlier, &direction);
            subtract(&mut direction, along, earlier);
        }
        let length = dot(&direction, &direction).sqrt();
        for x in &mut direction {
            *x /= length;
        }
        for column in &mut left {
            let along = dot(&direction, column);
            subtract(column, along, &direction);
        }
        left[pivot].fill(0.0);
        found.r.push(columns.iter().map(|column| dot(&direction, column)).collect());
        found.q.push(direction);
        found.pivots.push(pivot);
    }
    found
}

/// An orthonormal basis of what satisfies all constraints.
fn allowed(constraints: &[Form], cells: usize) -> Vec<Form> {
    let bound = decompose(constraints).q;
    let unit = |at: usize| {
        let mut unit: Form = (0..cells).map(|cell| f64::from(u8::from(cell == at))).collect();
        for _ in 0..2 {
            for direction in &bound {
                let along = dot(direction, &unit);
                subtract(&mut unit, along, direction);
            }
        }
        unit
    };
    decompose(&(0..cells).map(unit).collect::<Vec<_>>()).q
}

/// Value and variance of the best estimate of each wanted form that the observations determine, with covariances among
/// all of them: with `W^1/2 A N = Q R` over the basis `N` of what is allowed, `R' z = N' g` gives `z' Q' W^1/2 y` and
/// `z' z`.
pub(super) fn dense(observed: &[(Form, f64, f64)], constraints: &[Form], wanted: &[Form]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let basis = allowed(constraints, wanted[0].len());
    let column = |direction: &Form| observed.iter().map(|(form, _, v)| dot(form, direction) / v.sqrt()).collect();
    let Qr { pivots, q, r } = decompose(&basis.iter().map(column).collect::<Vec<_>>());
    let told: Form = observed.iter().map(|(_, y, variance)| y / variance.sqrt()).collect();
    let along: Form = q.iter().map(|direction| dot(direction, &told)).collect();
    let solve = |form: &Form| -> Form {
        let mut z: Form = Vec::new();
        for (at, &pivot) in pivots.iter().enumerate() {
            let known: f64 = z.iter().zip(&r).map(|(z, row)| z * row[pivot]).sum();
            z.push((dot(form, &basis[pivot]) - known) / r[at][pivot]);
        }
        z
    };
    let solved: Vec<Form> = wanted.iter().map(solve).collect();
    let covariances = solved.iter().map(|a| solved.iter().map(|b| dot(a, b)).collect()).collect();
    (solved.iter().map(|z| dot(z, &along)).collect(), covariances)
}

/// The forms of the cells of a table over these dimensions, row-major.
pub(super) fn cells_of(sizes: &[usize], dims: &[usize]) -> Vec<Form> {
    let all: usize = sizes.iter().product();
    let code = |cell: usize, dim: usize| cell / sizes[dim + 1..].iter().product::<usize>() % sizes[dim];
    let place = |cell: usize| dims.iter().fold(0, |place, &dim| place * sizes[dim] + code(cell, dim));
    let count = dims.iter().map(|&d| sizes[d]).product();
    (0..count).map(|at| (0..all).map(|cell| f64::from(u8::from(place(cell) == at))).collect()).collect()
}

/// Small whole numbers out of a counter, for cases that are the same in every run.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `sides`.
    pub(super) fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % u64::try_from(sides).unwrap()).unwrap()
    }

    /// A noise variance between 1 and 8.
    pub(super) fn variance(&mut self) -> f64 {
        1.0 + f64::from(u32::try_from(self.below(29)).unwrap()) / 4.0
    }

    /// A noisy table over these dimensions.
    pub(super) fn table(&mut self, sizes: &[usize], dims: &[usize]) -> NoisyTable {
        let cells: usize = dims.iter().map(|&d| sizes[d]).product();
        let values = (0..cells).map(|_| i64::try_from(self.below(120)).unwrap() - 10).collect();
        NoisyTable { dims: dims.to_vec(), values, variance: self.variance() }
    }

    /// A few tables over some of `dims` dimensions each.
    pub(super) fn tables(&mut self, sizes: &[usize], most: usize) -> NoisyTables {
        let tables = (0..=self.below(most))
            .map(|_| {
                let mask = self.below(1 << sizes.len());
                self.table(sizes, &(0..sizes.len()).filter(|d| mask >> d & 1 == 1).collect::<Vec<_>>())
            })
            .collect();
        NoisyTables { accounting: Accounting::Zcdp, tables }
    }
}

/// What a noisy table observes.
pub(super) fn observations(sizes: &[usize], table: &NoisyTable) -> Vec<(Form, f64, f64)> {
    let forms = cells_of(sizes, &table.dims).into_iter();
    forms.zip(&table.values).map(|(form, &y)| (form, super::components::float(y), table.variance)).collect()
}
