//! Small linked tables by the thousand. `HALFLIGHT_CASES=10000` for more, `HALFLIGHT_FIRST=10000` for others.

use super::attacker::{Seen, holds, keys};
use super::{ERROR, each, told, whole, with_margins};
use crate::suppress::{Certificate, Notion, Told, Verdict, audit, withhold};

pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    pub(super) fn float(&mut self, most: usize) -> f64 {
        f64::from(u32::try_from(self.below(most)).unwrap())
    }

    /// A few leaves, most of them small, some below 0.
    pub(super) fn population(&mut self, leaves: usize) -> Vec<f64> {
        let figure = |dice: &mut Self| match dice.below(4) {
            0 => dice.float(120) / 1.7,
            1 => dice.float(7) - 1.3,
            _ => dice.float(32) - 2.2,
        };
        (0..leaves).map(|_| figure(self)).collect()
    }

    /// In half of the cases a combination of codes that cannot occur: its leaves, which are made 0.
    pub(super) fn impossible(&mut self, sizes: &[usize], leaves: &mut [f64]) -> Vec<bool> {
        let none = self.below(2) == 0;
        let key: Vec<Vec<usize>> = sizes.iter().map(|&size| (0..=self.below(size)).collect()).collect();
        let held: Vec<bool> = holds(sizes, &key).into_iter().map(|held| held && !none).collect();
        for (leaf, _) in leaves.iter_mut().zip(&held).filter(|(_, held)| **held) {
            *leaf = 0.0;
        }
        held
    }

    /// How a table uses a dimension: level by level, some of them, summed out, filtered, or in groups that need not be
    /// those of another table.
    fn axis(&mut self, size: usize) -> Vec<Vec<usize>> {
        let cut = 1 + self.below(size);
        match self.below(8) {
            0..=3 => each(size),
            4 => whole(size),
            5 => each(cut),
            6 => vec![(0..cut).collect()],
            _ => {
                let of: Vec<usize> = (0..size).map(|_| self.below(2)).collect();
                let groups = (0..2).map(|group| (0..size).filter(|&level| of[level] == group).collect::<Vec<_>>());
                groups.filter(|group| !group.is_empty()).collect()
            }
        }
    }

    pub(super) fn tables(&mut self, sizes: &[usize], leaves: &[f64], most: usize) -> Vec<Told> {
        let error = [0.3, 0.8, 1.5, 4.0][self.below(4)];
        let mut tables = Vec::new();
        for _ in 0..=self.below(most) {
            let mut axes: Vec<Vec<Vec<usize>>> = sizes.iter().map(|&size| self.axis(size)).collect();
            tables.push(told(sizes, leaves, &axes, error));
            while self.below(3) > 0 {
                let margin = self.below(sizes.len());
                axes[margin] = whole(sizes[margin]);
                tables.push(told(sizes, leaves, &axes, error));
            }
        }
        tables
    }
}

pub(super) fn cases() -> u64 {
    from_environment("HALFLIGHT_CASES").unwrap_or(100)
}

/// Their numbers.
pub(super) fn numbers() -> std::ops::Range<u64> {
    let first = from_environment("HALFLIGHT_FIRST").unwrap_or(0);
    first..first + cases()
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|number| number.parse().ok())
}

/// Makes the cells that lie wholly inside an impossible combination structural zeros.
pub(super) fn declare(sizes: &[usize], impossible: &[bool], tables: &mut [Told]) {
    for told in tables {
        for (key, verdict) in keys(&told.axes).iter().zip(&mut told.verdicts) {
            if holds(sizes, key).iter().zip(impossible).all(|(held, impossible)| !held || *impossible) {
                *verdict = Verdict::Structural;
            }
        }
    }
}

/// Every promise, by brute force.
pub(super) fn attack(sizes: &[usize], tables: &[Told], certificate: &Certificate, case: u64) {
    assert_eq!(certificate.notions, [Notion::A, Notion::E, Notion::W]);
    let seen = Seen::new(sizes, tables);
    for (cell, error, floor) in &seen.silent {
        assert!(!seen.derives(cell, None), "case {case}: A");
        let width = seen.width(cell);
        assert!(width >= floor * (1.0 - 1e-4), "case {case}: W: {width}");
        for (other, ..) in seen.silent.iter().filter(|(other, ..)| !seen.same(other, cell) && 12.0 * error < *floor) {
            assert!(!seen.derives(other, Some(cell)), "case {case}: E");
        }
    }
}

/// What is published: nothing of a withheld cell.
pub(super) fn published(tables: &[Told]) -> Vec<Told> {
    let silent = |told: &Told| {
        let figure = |(verdict, x): (&Verdict, &f64)| if *verdict == Verdict::Withheld { f64::NAN } else { *x };
        Told { estimates: told.verdicts.iter().zip(&told.estimates).map(figure).collect(), ..told.clone() }
    };
    tables.iter().map(silent).collect()
}

pub(super) fn decided(tables: &[Told], verdicts: Vec<Vec<Verdict>>) -> Vec<Told> {
    for (told, verdicts) in tables.iter().zip(&verdicts) {
        for (before, after) in told.verdicts.iter().zip(verdicts) {
            assert!(before == after || *after == Verdict::Withheld && *before != Verdict::Structural);
        }
    }
    tables.iter().zip(verdicts).map(|(told, verdicts)| Told { verdicts, ..told.clone() }).collect()
}

#[test]
fn no_withheld_cell_of_a_random_release_is_found_out() {
    let (mut shown, mut partners) = (0, 0);
    for case in numbers() {
        let mut dice = Dice(case);
        let sizes = [vec![5], vec![3, 4], vec![4, 4], vec![2, 3, 2], vec![2, 2, 4]][dice.below(5)].clone();
        let mut leaves = dice.population(sizes.iter().product());
        let impossible = dice.impossible(&sizes, &mut leaves);
        let mut tables = dice.tables(&sizes, &leaves, 3);
        declare(&sizes, &impossible, &mut tables);
        let (verdicts, certificate) = withhold(&sizes, &[], &tables).unwrap();
        let after = decided(&tables, verdicts);
        attack(&sizes, &after, &certificate, case);
        let found = audit(&sizes, &published(&after)).unwrap_or_else(|wrong| panic!("case {case}: {wrong}"));
        assert_eq!(found, certificate, "case {case}");
        let count = |told: &[Told]| told.iter().flat_map(|t| &t.verdicts).filter(|v| **v == Verdict::Withheld).count();
        partners += count(&after) - count(&tables);
        shown += after.iter().map(|told| told.verdicts.len()).sum::<usize>() - count(&after);
    }
    assert!(
        u64::try_from(shown).unwrap() > 2 * cases() && partners > 0,
        "it is easy to be safe by showing nothing: {shown}"
    );
}

#[test]
fn free_answers_over_time_never_give_a_withheld_cell_away() {
    let (mut answered, mut refused) = (0, 0);
    for case in numbers() {
        let mut dice = Dice(case ^ 0x5eed);
        let sizes = [vec![4], vec![6], vec![3, 4], vec![2, 2, 2]][dice.below(4)].clone();
        let leaves = dice.population(sizes.iter().product());
        let mut standing: Vec<Told> = Vec::new();
        for _ in 0..3 {
            let tables = dice.tables(&sizes, &leaves, 1);
            let small = |told: Told| Told { standard_errors: vec![1.5; told.estimates.len()], ..told };
            let tables: Vec<Told> = tables.into_iter().map(small).collect();
            match withhold(&sizes, &standing, &tables) {
                Ok((verdicts, certificate)) => {
                    standing.extend(decided(&tables, verdicts));
                    assert_eq!(audit(&sizes, &published(&standing)), Ok(certificate.clone()), "case {case}");
                    attack(&sizes, &standing, &certificate, case);
                    answered += 1;
                }
                Err(refusal) => {
                    assert!(!standing.is_empty(), "the first is never refused");
                    assert_eq!(refusal.code(), "would_reveal_withheld");
                    refused += 1;
                }
            }
        }
    }
    assert!(answered > refused && refused > 0, "{answered} {refused}");
}

/// Whether hiding these cells besides the small ones would do.
pub(super) fn would_do(sizes: &[usize], tables: &[Told], partners: &[(usize, usize)]) -> bool {
    let mut tables = tables.to_vec();
    for &(table, place) in partners {
        tables[table].verdicts[place] = Verdict::Withheld;
    }
    audit(sizes, &tables).is_ok()
}

#[test]
fn in_a_small_square_fewer_partners_would_never_do() {
    let (mut squares, mut more) = (0, 0);
    for case in 0..cases().min(1_000) / 5 {
        let mut dice = Dice(case ^ 0xfe3);
        let leaves: Vec<f64> = (0..12).map(|_| 30.0 + dice.float(60)).collect();
        let mut tables = with_margins(3, 4, &leaves, ERROR);
        for _ in 0..=dice.below(3) {
            tables[0].verdicts[dice.below(12)] = Verdict::Withheld;
        }
        let open: Vec<(usize, usize)> = (0..4)
            .flat_map(|table| (0..tables[table].verdicts.len()).map(move |place| (table, place)))
            .filter(|&(table, place)| tables[table].verdicts[place] == Verdict::Shown)
            .collect();
        let (verdicts, _) = withhold(&[3, 4], &[], &tables).unwrap();
        let partners = open.iter().filter(|&&(table, place)| verdicts[table][place] == Verdict::Withheld).count();
        let mut fewer =
            (0_u32..1 << open.len()).filter(|choice| usize::try_from(choice.count_ones()).unwrap() < partners);
        squares += 1;
        more += usize::from(fewer.any(|choice| {
            let some: Vec<_> = (0..open.len()).filter(|bit| choice >> bit & 1 == 1).map(|bit| open[bit]).collect();
            would_do(&[3, 4], &tables, &some)
        }));
    }
    assert_eq!(more, 0, "in so many of {squares} squares fewer would do");
}
