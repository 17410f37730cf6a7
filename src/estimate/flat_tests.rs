//! The closed form, its groups and its structural zeros held to a dense least squares, on random small cases.

use super::reference::{Dice, Form, cells_of, dense, observations};
use super::zeros::Impossible;
use super::*;
use crate::design::{Region, subset, subsets};
use std::collections::BTreeSet;

const CLOSE: f64 = 1e-9;

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= CLOSE * (1.0 + a.abs().max(b.abs()))
}

fn sizes(dice: &mut Dice) -> Vec<usize> {
    (0..2 + dice.below(2)).map(|_| 1 + dice.below(4)).collect()
}

/// A random region within a measured table: groups of codes that need not be nested with any other's.
fn region(dice: &mut Dice, sizes: &[usize], table: &[usize]) -> Region {
    table.iter().fold(Region::default(), |region, &dim| {
        let codes: BTreeSet<usize> = (0..sizes[dim]).filter(|_| dice.below(2) == 0).collect();
        if codes.is_empty() { region.within(dim, [dice.below(sizes[dim])]) } else { region.within(dim, codes) }
    })
}

/// The same region as a form on the cross product.
fn form(sizes: &[usize], region: &Region) -> Form {
    sizes.iter().enumerate().fold(vec![1.0], |form, (dim, &size)| {
        let inside = |code: usize| region.group(dim).is_none_or(|group| group.contains(&code));
        form.iter().flat_map(|&x| (0..size).map(move |code| if inside(code) { x } else { 0.0 })).collect()
    })
}

/// One random case against the reference; how many figures were compared.
fn compare(seed: u64, impossible: impl Fn(&mut Dice, &[usize]) -> Vec<Impossible>) -> usize {
    let mut dice = Dice::new(seed);
    let sizes = sizes(&mut dice);
    let noisy = dice.tables(&sizes, 4);
    let impossible = impossible(&mut dice, &sizes);
    let estimator = Estimator::new(&sizes, &noisy, &impossible).unwrap();
    let observed: Vec<_> = noisy.tables.iter().flat_map(|table| observations(&sizes, table)).collect();
    let (mut constraints, mut tables, mut regions, mut wanted) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for table in &noisy.tables {
        for at in subsets(subset(&table.dims)) {
            let dims: Vec<usize> = table.dims.iter().copied().filter(|d| at >> d & 1 == 1).collect();
            for combination in &impossible {
                let restricts = |(d, codes): &&(usize, Vec<usize>)| codes.len() < sizes[*d];
                if combination.iter().filter(restricts).all(|(d, _)| table.dims.contains(d)) && dims == table.dims {
                    let within = combination.iter().filter(restricts);
                    let rule = within.fold(Region::default(), |r, (d, codes)| r.within(*d, codes.iter().copied()));
                    let rule = form(&sizes, &rule);
                    let inside = |cell: &Form| cell.iter().zip(&rule).all(|(c, r)| *c == 0.0 || *r > 0.5);
                    constraints.extend(cells_of(&sizes, &dims).into_iter().filter(inside));
                }
            }
            tables.push(dims);
        }
        regions.extend((0..3).map(|_| region(&mut dice, &sizes, &table.dims)));
    }
    wanted.extend(regions.iter().map(|region| form(&sizes, region)));
    let own: Vec<f64> = tables.iter().flat_map(|dims| estimator.table(dims).unwrap()).collect();
    wanted.extend(tables.iter().flat_map(|dims| cells_of(&sizes, dims)));
    let (values, covariances) = dense(&observed, &constraints, &wanted);
    for (mine, theirs) in own.iter().zip(&values[regions.len()..]) {
        assert!(close(*mine, *theirs), "case {seed}: {mine}, reference {theirs}");
    }
    for (region, theirs) in regions.iter().zip(&values) {
        let mine = estimator.value(region).unwrap();
        assert!(close(mine, *theirs), "case {seed}: {mine}, reference {theirs}");
    }
    let all = estimator.uncertainty().covariances(&regions).unwrap();
    let variances = estimator.uncertainty().variances(&regions).unwrap();
    assert!(variances.exact && variances.values.len() == regions.len());
    for (i, row) in all.iter().enumerate() {
        for (j, mine) in row.iter().enumerate() {
            assert!(close(*mine, covariances[i][j]), "case {seed}: {mine}, reference {}", covariances[i][j]);
        }
        assert!(close(variances.values[i], row[i]));
    }
    own.len() + regions.len() * regions.len()
}

#[test]
fn the_closed_form_is_the_dense_least_squares() {
    let compared: usize = (0..200).map(|seed| compare(seed, |_, _| Vec::new())).sum();
    assert!(compared > 10_000, "{compared}");
}

/// Of a release, each from the figures as they would be shown, with impossible cells and without.
#[test]
fn every_table_is_the_margin_of_every_larger_one() {
    let sizes = [3, 4, 5];
    let table = |dims: &[usize], variance| {
        let count: i64 = dims.iter().map(|&d| i64::try_from(sizes[d]).unwrap()).product();
        let values = (0..count).map(|i| (i * i * 7_919) % 3_701 * 500 / count).collect();
        crate::noise::NoisyTable { dims: dims.to_vec(), values, variance }
    };
    let tables = vec![table(&[0, 1, 2], 3.0), table(&[0, 2], 1.0), table(&[1], 0.5), table(&[], 1.0)];
    let noisy = NoisyTables { accounting: Accounting::Zcdp, tables };
    for impossible in [vec![], vec![vec![(0, vec![0]), (2, vec![1, 3])], vec![(0, vec![0, 2]), (1, vec![2])]]] {
        let estimator = Estimator::new(&sizes, &noisy, &impossible).unwrap();
        let whole = estimator.table(&[0, 1, 2]).unwrap();
        for table in subsets(0b111) {
            let dims: Vec<usize> = (0..3).filter(|d| table >> d & 1 == 1).collect();
            let mut sums = vec![0.0; dims.iter().map(|&d| sizes[d]).product()];
            for (cell, value) in whole.iter().enumerate() {
                let codes = [cell / 20, cell / 5 % 4, cell % 5];
                sums[dims.iter().fold(0, |place, &d| place * sizes[d] + codes[d])] += value;
            }
            let own = estimator.table(&dims).unwrap();
            assert!(own.iter().zip(&sums).all(|(a, b)| (a - b).abs() < 1e-9), "{dims:?}");
        }
    }
}

#[test]
fn structural_zeros_are_the_constrained_least_squares() {
    let impossible = |dice: &mut Dice, sizes: &[usize]| {
        let one = |dice: &mut Dice| -> Impossible {
            let table: Vec<usize> = (0..sizes.len()).filter(|_| dice.below(3) > 0).collect();
            let codes = |dice: &mut Dice, d: usize| (0..sizes[d]).filter(|_| dice.below(2) == 0).collect::<Vec<_>>();
            table.into_iter().map(|d| (d, codes(dice, d))).filter(|(_, codes)| !codes.is_empty()).collect()
        };
        (0..=dice.below(3)).map(|_| one(dice)).filter(|c: &Impossible| !c.is_empty()).collect()
    };
    let compared: usize = (1_000..1_200).map(|seed| compare(seed, impossible)).sum();
    assert!(compared > 10_000, "{compared}");
}

#[test]
fn what_was_not_measured_is_not_made_up() {
    let mut dice = Dice::new(5);
    let noisy = NoisyTables {
        accounting: Accounting::Zcdp,
        tables: vec![dice.table(&[2, 3, 1], &[0]), dice.table(&[2, 3, 1], &[1, 2])],
    };
    let estimator = Estimator::new(&[2, 3, 1], &noisy, &[]).unwrap();
    assert!(estimator.table(&[0]).is_ok() && estimator.table(&[0, 2]).is_ok(), "one code more is nothing more");
    assert!(estimator.table(&[0, 1]).is_err());
    let cell = Region::cell(&[(0, 1), (1, 2)]);
    assert!(estimator.value(&cell).is_err() && estimator.uncertainty().half_width(Accounting::Pure, &cell).is_none());
    assert!(estimator.table(&[0, 9]).is_ok(), "a dimension that does not exist breaks nothing down");
    assert!(Estimator::new(&[2, 4, 1], &noisy, &[]).is_err(), "not the cells it says");
}

#[test]
fn zeros_only_ever_narrow_an_interval() {
    let mut dice = Dice::new(11);
    let table = crate::noise::NoisyTable { variance: 400.0, ..dice.table(&[4, 3], &[0, 1]) };
    let noisy = NoisyTables { accounting: Accounting::Pure, tables: vec![table] };
    let impossible = [vec![(0, vec![0]), (1, vec![1, 2])]];
    let [free, bound] = [&[][..], &impossible].map(|zeros| Estimator::new(&[4, 3], &noisy, zeros).unwrap());
    for accounting in [Accounting::Zcdp, Accounting::Pure] {
        let widths = |region| [&free, &bound].map(|e| e.uncertainty().half_width(accounting, &region).unwrap());
        for touched in [Region::cell(&[(0, 0)]), Region::cell(&[(1, 1)])] {
            let [wide, narrow] = widths(touched);
            assert!(narrow < 0.95 * wide, "{narrow} {wide}");
        }
        let [wide, narrow] = widths(Region::cell(&[(0, 0), (1, 0)]));
        assert!((narrow - wide).abs() <= 1.0, "no sum, nothing known of it: {narrow} {wide}");
    }
    let impossible = Region::cell(&[(0, 0), (1, 2)]);
    assert!(bound.value(&impossible).unwrap().abs() < 1e-9);
    assert!(bound.uncertainty().covariance(&impossible, &impossible).unwrap().abs() < 1e-9);
}
