//! A dense least squares to hold the closed forms to: the whole cross product as unknowns, every measured cell as an
//! observation, every impossible cell as a constraint, one linear system by elimination with full pivoting. It shares
//! no code and no algebra with what it checks. Tests only.

use crate::budget::Accounting;
use crate::noise::{NoisyTable, NoisyTables};

/// A linear form on the cells of the cross product.
pub(super) type Form = Vec<f64>;

/// Value and variance of the best estimate of each wanted form that the observations determine, with covariances among
/// all of them: `[A E'; E 0] (x, m) = (g, 0)`, `A` the normal matrix; variance `g'x`, estimate `x' M' W y`.
pub(super) fn dense(observed: &[(Form, f64, f64)], constraints: &[Form], wanted: &[Form]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let cells = wanted[0].len();
    let size = cells + constraints.len();
    let mut system = vec![vec![0.0; size + wanted.len()]; size];
    for (form, _, variance) in observed {
        let touched: Vec<usize> = (0..cells).filter(|&i| form[i] != 0.0).collect();
        for &i in &touched {
            for &j in &touched {
                system[i][j] += form[i] * form[j] / variance;
            }
        }
    }
    for (row, constraint) in constraints.iter().enumerate() {
        for cell in 0..cells {
            system[cells + row][cell] = constraint[cell];
            system[cell][cells + row] = constraint[cell];
        }
    }
    for (column, form) in wanted.iter().enumerate() {
        for cell in 0..cells {
            system[cell][size + column] = form[cell];
        }
    }
    let solved = eliminate(system, size, wanted.len());
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let value = |x: &Vec<f64>| observed.iter().map(|(form, y, variance)| dot(form, &x[..cells]) * y / variance).sum();
    let covariance = |x: &Vec<f64>| wanted.iter().map(|g| dot(g, &x[..cells])).collect();
    (solved.iter().map(value).collect(), solved.iter().map(covariance).collect())
}

/// A solution for each right side; unknowns that nothing determines are zero.
fn eliminate(mut system: Vec<Vec<f64>>, size: usize, sides: usize) -> Vec<Vec<f64>> {
    let (mut rows, mut pivots): (Vec<usize>, Vec<(usize, usize)>) = ((0..size).collect(), Vec::new());
    let mut columns: Vec<usize> = (0..size).collect();
    while let Some((row, column)) = rows
        .iter()
        .flat_map(|&r| columns.iter().map(move |&c| (r, c)))
        .max_by(|a, b| system[a.0][a.1].abs().total_cmp(&system[b.0][b.1].abs()))
        .filter(|&(r, c)| system[r][c].abs() > 1e-10)
    {
        rows.retain(|r| *r != row);
        columns.retain(|c| *c != column);
        pivots.push((row, column));
        let pivot = system[row].clone();
        for other in (0..size).filter(|r| *r != row) {
            let factor = system[other][column] / pivot[column];
            if factor != 0.0 {
                for (cell, value) in system[other].iter_mut().zip(&pivot) {
                    *cell -= factor * value;
                }
            }
        }
    }
    let solution = |side: usize| {
        let mut x = vec![0.0; size];
        for &(row, column) in &pivots {
            x[column] = system[row][size + side] / system[row][column];
        }
        x
    };
    (0..sides).map(solution).collect()
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
