//! The two passes held to a dense least squares, on random small trees with flat dimensions.

use super::reference::{Dice, Form, dense};
use super::tree::TreeEstimator;
use crate::design::{Region, Tree, TreeRegion, TreeTable};

/// A tree of two or three levels in which a node has one to three children.
fn tree(dice: &mut Dice) -> Tree {
    let mut parents = vec![vec![0; 1 + dice.below(3)]];
    for _ in 0..=dice.below(2) {
        let above = parents.last().map_or(1, Vec::len);
        parents.push((0..above).flat_map(|parent| vec![parent; 1 + dice.below(2)]).collect());
    }
    Tree::new(parents).unwrap()
}

/// The node at a level above each leaf.
fn above(tree: &Tree, level: usize) -> Vec<usize> {
    let leaves = 0..tree.nodes(tree.depth());
    leaves.map(|leaf| (level + 1..=tree.depth()).rev().fold(leaf, |node, l| tree.parents(l)[node])).collect()
}

/// The form, over leaves and flat codes, of the cells with these codes below one node of a level.
fn form(sizes: &[usize], dimension: usize, tree: &Tree, flat: &Region, (level, node): (usize, usize)) -> Form {
    let nodes = above(tree, level);
    sizes.iter().enumerate().fold(vec![1.0], |form, (dim, &size)| {
        let in_group = |code: usize| flat.group(dim).is_none_or(|group| group.contains(&code));
        let inside = |code: usize| if dim == dimension { nodes[code] == node } else { in_group(code) };
        form.iter().flat_map(|&x| (0..size).map(move |code| if inside(code) { x } else { 0.0 })).collect()
    })
}

/// Every cell of a table, row-major, as a region.
fn cells(sizes: &[usize], dimension: usize, tree: &Tree, table: &TreeTable) -> Vec<(Region, (usize, usize))> {
    let mut all = vec![(Region::default(), (0, 0))];
    for (dim, &size) in sizes.iter().enumerate() {
        let codes = if dim == dimension { tree.nodes(table.level) } else { size };
        if dim == dimension || table.dims.contains(&dim) {
            let with = |region: &Region, node, code| {
                let flat = region.clone();
                if dim == dimension { (flat, (table.level, code)) } else { (flat.within(dim, [code]), node) }
            };
            all = all.iter().flat_map(|(r, node)| (0..codes).map(move |code| with(r, *node, code))).collect();
        }
    }
    all
}

fn compare(seed: u64) -> usize {
    let mut dice = Dice::new(seed);
    let tree = tree(&mut dice);
    let dimension = dice.below(3);
    let mut sizes: Vec<usize> = (0..3).map(|_| 1 + dice.below(3)).collect();
    sizes[dimension] = tree.nodes(tree.depth());
    let measured: Vec<(TreeTable, Vec<i64>, f64)> = (0..=dice.below(3))
        .map(|_| {
            let dims: Vec<usize> = (0..3).filter(|&d| d != dimension && dice.below(2) == 0).collect();
            let table = TreeTable { dims, level: dice.below(tree.depth() + 1) };
            let count = cells(&sizes, dimension, &tree, &table).len();
            let values = (0..count).map(|_| i64::try_from(dice.below(120)).unwrap() - 10).collect();
            (table, values, dice.variance())
        })
        .collect();
    let noisy: Vec<_> =
        measured.iter().map(|(table, values, variance)| (table.clone(), &values[..], *variance)).collect();
    let estimator = TreeEstimator::new(&sizes, dimension, &tree, &noisy).unwrap();
    let of = |region: &Region, node| form(&sizes, dimension, &tree, region, node);
    let mut observed = Vec::new();
    for (table, values, variance) in &measured {
        let cells = cells(&sizes, dimension, &tree, table);
        observed.extend(
            cells
                .iter()
                .zip(values)
                .map(|((region, node), &y)| (of(region, *node), f64::from(i32::try_from(y).unwrap()), *variance)),
        );
    }
    let (mut own, mut wanted, mut regions) = (Vec::new(), Vec::new(), Vec::new());
    for (table, _, _) in &measured {
        for level in 0..=table.level {
            for less in 0..=table.dims.len() {
                let table = TreeTable { dims: table.dims[less..].to_vec(), level };
                own.extend(estimator.table(&table).unwrap());
                let cells = cells(&sizes, dimension, &tree, &table);
                wanted.extend(cells.iter().map(|(region, node)| of(region, *node)));
                regions.extend(cells.into_iter().map(|(flat, node)| TreeRegion { flat, nodes: vec![node] }));
            }
        }
    }
    for (table, _, _) in &measured {
        // and every other node of a level together
        let nodes: Vec<_> = (0..tree.nodes(table.level)).step_by(2).map(|node| (table.level, node)).collect();
        let forms = nodes.iter().map(|&node| of(&Region::default(), node));
        let all = vec![0.0; sizes.iter().product()];
        wanted.push(forms.fold(all, |sum, form| sum.iter().zip(form).map(|(a, b)| a + b).collect()));
        regions.push(TreeRegion { flat: Region::default(), nodes });
    }
    let (values, covariances) = dense(&observed, &[], &wanted);
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()));
    assert_eq!(own.len() + measured.len(), values.len());
    for (mine, theirs) in own.iter().zip(&values) {
        assert!(close(*mine, *theirs), "case {seed}: {mine}, reference {theirs}");
    }
    for (i, a) in regions.iter().enumerate() {
        for (j, b) in regions.iter().enumerate().skip(i % 5).step_by(5) {
            let mine = estimator.design().covariance(a, b);
            // two cells of different tables may need a component that no one table covers: then there is none
            if let Some(mine) = mine {
                assert!(close(mine, covariances[i][j]), "case {seed}: {mine}, reference {}", covariances[i][j]);
            }
        }
        assert!(close(estimator.design().covariance(a, a).unwrap(), covariances[i][i]));
    }
    own.len()
}

#[test]
fn two_passes_are_the_dense_least_squares() {
    let compared: usize = (0..200).map(compare).sum();
    assert!(compared > 5_000, "{compared}");
}
