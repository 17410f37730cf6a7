//! The numbers of DESIGN.md section 6, and what an allocation must never do.

use super::*;
use crate::budget::NANOS_PER_UNIT;
use crate::design::{Design, gaussian_variance, laplace_variance, subsets};

const TENTH: Nanos = Nanos::from_nanos(NANOS_PER_UNIT / 10);

/// Every table over up to `order` of `dims` dimensions, the total among them if `total`.
fn margins(dims: usize, order: u32, total: bool) -> Vec<Vec<usize>> {
    subsets(subset(&(0..dims).collect::<Vec<_>>()))
        .filter(|t| t.count_ones() <= order && (total || *t != 0))
        .map(|t| (0..dims).filter(|i| t >> i & 1 == 1).collect())
        .collect()
}

fn candidates(tables: &[Vec<usize>]) -> Vec<Candidate> {
    tables.iter().map(|dims| Candidate { dims: dims.clone(), l1: 1, l2_squared: 1 }).collect()
}

fn targets(tables: &[Vec<usize>]) -> Vec<Target> {
    tables.iter().map(|dims| Target::table(dims, 1.0)).collect()
}

/// Variances of the cells of these tables when the candidates are measured at these prices.
fn variances(
    accounting: Accounting,
    sizes: &[usize],
    candidates: &[Candidate],
    units: &[Nanos],
    tables: &[Vec<usize>],
) -> Vec<f64> {
    let variance = |candidate: &Candidate, units: Nanos| match accounting {
        Accounting::Zcdp => gaussian_variance(units, candidate.l2_squared),
        Accounting::Pure => laplace_variance(units, candidate.l1),
    };
    let measured: Vec<_> = candidates
        .iter()
        .zip(units)
        .filter(|(_, units)| **units > Nanos::ZERO)
        .map(|(candidate, units)| (candidate.dims.clone(), variance(candidate, *units)))
        .collect();
    let design = Design::new(sizes, &measured);
    let groups = |t: &Vec<usize>| (0..sizes.len()).map(|i| t.contains(&i).then_some(1)).collect::<Vec<_>>();
    tables.iter().map(|table| design.variance(&groups(table)).unwrap()).collect()
}

fn root_mean(variances: &[f64]) -> f64 {
    (variances.iter().sum::<f64>() / size_as_float(variances.len())).sqrt()
}

fn best(accounting: Accounting, sizes: &[usize], tables: &[Vec<usize>], among: &[Candidate]) -> (Vec<Nanos>, f64) {
    let units = allocate(accounting, sizes, among, &targets(tables), TENTH).unwrap();
    assert_eq!(units.iter().map(|u| u.as_nanos()).sum::<u64>(), TENTH.as_nanos(), "every nano is used, none twice");
    let error = root_mean(&variances(accounting, sizes, among, &units, tables));
    (units, error)
}

#[test]
fn fourteen_margins_have_the_published_error() {
    let (sizes, tables) = ([2, 18, 32, 4], margins(4, 3, false));
    let candidates = candidates(&tables);
    assert!(((14.0_f64 / 0.2).sqrt() - 8.37).abs() < 0.005, "independent noise");
    let even = variances(Accounting::Zcdp, &sizes, &candidates, &TENTH.split_evenly(14), &tables);
    assert!((root_mean(&even) - 6.10).abs() < 0.005, "even split, least squares: {}", root_mean(&even));
    let (_, optimal) = best(Accounting::Zcdp, &sizes, &tables, &candidates);
    assert!((optimal - 5.99).abs() < 0.005, "optimal split: {optimal}");
    assert!(optimal / (14.0_f64 / 0.2).sqrt() <= 0.72);
}

#[test]
fn forty_two_margins_come_within_a_thousandth_of_the_published_optimum() {
    let (sizes, tables) = ([2, 18, 60, 25, 6, 10], margins(6, 3, true));
    assert_eq!(tables.len(), 42, "the total is one of them");
    let candidates = candidates(&tables);
    assert!(((42.0_f64 / 0.2).sqrt() - 14.49).abs() < 0.005, "independent noise");
    let even = variances(Accounting::Zcdp, &sizes, &candidates, &TENTH.split_evenly(42), &tables);
    assert!((root_mean(&even) - 11.01).abs() < 0.005);
    let (_, optimal) = best(Accounting::Zcdp, &sizes, &tables, &candidates);
    assert!((10.71..=10.72).contains(&optimal), "{optimal}");
}

#[test]
fn a_table_nobody_asked_for_is_measured_where_it_helps_and_not_where_it_is_useless() {
    let (sizes, tables) = ([2, 2, 2], vec![vec![0, 1], vec![0, 2], vec![1, 2]]);
    let (_, alone) = best(Accounting::Zcdp, &sizes, &tables, &candidates(&tables));
    let wider: Vec<Candidate> = candidates(&margins(3, 3, true));
    let (units, better) = best(Accounting::Zcdp, &sizes, &tables, &wider);
    let joint = wider.iter().position(|c| c.dims == [0, 1, 2]).unwrap();
    assert!(units[joint] > Nanos::ZERO && better < alone, "{better} {alone}");
    let sizes = [40, 40, 40];
    let (units, _) = best(Accounting::Zcdp, &sizes, &[vec![0], vec![1]], &candidates(&margins(3, 3, true)));
    let touches_the_third = wider.iter().zip(&units).filter(|(c, _)| c.dims.contains(&2));
    assert!(touches_the_third.clone().count() == 4 && touches_the_third.map(|(_, u)| u).all(|u| *u == Nanos::ZERO));
}

#[test]
fn the_optimum_is_a_stationary_point_of_the_true_objective() {
    // moving a thousandth of the budget between any two tables does not help: exact variances, by Design
    let (sizes, tables) = ([3, 7, 5], margins(3, 2, false));
    let mut unlike = candidates(&tables);
    unlike[0].l2_squared = 3;
    unlike[4].l2_squared = 24;
    let (units, least) = best(Accounting::Zcdp, &sizes, &tables, &unlike);
    let step = TENTH.as_nanos() / 1_000;
    for from in 0..units.len() {
        for to in (0..units.len()).filter(|to| *to != from && units[from].as_nanos() > step) {
            let mut moved = units.clone();
            moved[from] = Nanos::from_nanos(units[from].as_nanos() - step);
            moved[to] = Nanos::from_nanos(units[to].as_nanos() + step);
            let other = root_mean(&variances(Accounting::Zcdp, &sizes, &unlike, &moved, &tables));
            assert!(other >= least * (1.0 - 5e-6), "{from} -> {to}: {other} < {least}");
        }
    }
}

#[test]
fn weights_move_the_budget_and_no_weight_counts_as_not_asked() {
    let (sizes, tables) = ([6, 9], [vec![0], vec![1]]);
    let share = |weights: [f64; 2]| {
        let targets: Vec<_> = tables.iter().zip(weights).map(|(t, w)| Target::table(t, w)).collect();
        allocate(Accounting::Zcdp, &sizes, &candidates(&tables), &targets, TENTH).unwrap()[0]
    };
    assert!(share([1.0, 1.0]) < share([4.0, 1.0]));
    assert_eq!(share([1.0, 0.0]), TENTH);
}

#[test]
fn pure_noise_is_never_shared_out_worse_than_evenly() {
    let cases: [(&[usize], u32); 4] =
        [(&[2, 18, 32, 4], 3), (&[2, 18, 60, 25, 6, 10], 3), (&[5, 5], 1), (&[4, 1, 3], 2)];
    for (sizes, order) in cases {
        let tables = margins(sizes.len(), order, false);
        let candidates = candidates(&tables);
        let (_, found) = best(Accounting::Pure, sizes, &tables, &candidates);
        let even = TENTH.split_evenly(tables.len());
        let even = root_mean(&variances(Accounting::Pure, sizes, &candidates, &even, &tables));
        assert!(found <= even * (1.0 + 1e-6), "{found} {even}");
    }
}

#[test]
fn groups_and_filters_weigh_what_their_cells_vary() {
    // one target of groups of 3, 5 and 4 codes counts like three filters, each at a third of the weight
    let (sizes, tables) = ([12, 4], margins(2, 2, true));
    let together = [Target { groups: vec![(0, vec![3, 5, 4]), (1, vec![1])], weight: 3.0 }, Target::table(&[1], 1.0)];
    let apart = [3, 5, 4].map(|g| Target { groups: vec![(0, vec![g]), (1, vec![1])], weight: 1.0 });
    let apart: Vec<Target> = apart.into_iter().chain([Target::table(&[1], 1.0)]).collect();
    let units = |targets: &[Target]| allocate(Accounting::Zcdp, &sizes, &candidates(&tables), targets, TENTH).unwrap();
    for (one, other) in units(&together).iter().zip(units(&apart)) {
        assert!(one.as_nanos().abs_diff(other.as_nanos()) <= 2);
    }
}

#[test]
fn what_cannot_be_shared_out_is_refused() {
    let try_with = |tables: &[Vec<usize>], total: u64| {
        allocate(
            Accounting::Zcdp,
            &[3, 4],
            &candidates(tables),
            &[Target::table(&[0, 1], 1.0)],
            Nanos::from_nanos(total),
        )
    };
    assert_eq!(try_with(&[vec![0], vec![1]], 100), Err(Unallocated::NotCovered));
    assert_eq!(try_with(&[], 100), Err(Unallocated::NotCovered));
    assert_eq!(try_with(&[vec![0, 1]], 0), Err(Unallocated::TooLittle));
    assert_eq!(try_with(&[vec![0, 1]], 1), Ok(vec![Nanos::from_nanos(1)]));
    let sizes = [2; 16];
    let all = margins(16, 16, true);
    let whole = Target::table(&(0..16).collect::<Vec<_>>(), 1.0);
    assert_eq!(allocate(Accounting::Zcdp, &sizes, &candidates(&all), &[whole], TENTH), Err(Unallocated::TooMuchWork));
}

/// Shares enter the digest of a plan: these very nanos, on every machine and in every build.
#[test]
fn an_allocation_is_the_same_on_every_machine() {
    let (sizes, tables) = ([2, 18, 32, 4], margins(4, 2, false));
    let zcdp = [
        7_641_155, 4_539_318, 12_871_059, 4_298_336, 12_836_683, 12_798_180, 6_142_509, 13_242_621, 12_820_745,
        12_809_394,
    ];
    let pure = [0, 0, 17_392_012, 0, 16_913_743, 13_827_013, 0, 24_028_741, 13_862_595, 13_975_896];
    for (accounting, expected) in [(Accounting::Zcdp, zcdp), (Accounting::Pure, pure)] {
        let (units, _) = best(accounting, &sizes, &tables, &candidates(&tables));
        assert_eq!(units.iter().map(|u| u.as_nanos()).collect::<Vec<_>>(), expected);
    }
}
