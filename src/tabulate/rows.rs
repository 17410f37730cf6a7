//! Persons, rows, sums and bins: what is added up over kept rows, exactly, in integers.
//!
//! # Guarantees
//! Sums are checked: a figure that would leave 64 bits ends the question, it never wraps (the policy's bounds make that
//! impossible for 2^32 persons). A person, and a value of the person, counts at rank 0 alone. A number outside its
//! declared bounds means a broken edition, not a larger sum. Memory goes with the declared cells, not with the rows.

use super::grid::Grid;
use super::layout::{self, Edition};
use super::{Counting, THREADS, TabulateError, corrupt};
use crate::policy::{Numbers, Quantity};
use crate::vault::{RANK, Vault, Verified};
use arrow::array::{Array, AsArray as _, PrimitiveArray, RecordBatch};
use arrow::datatypes::{Int64Type, UInt16Type};
use std::collections::BTreeSet;

/// What was added up, by grid and quantity.
type Figures = Vec<Vec<Vec<i64>>>;

/// Adds an edition, which lies in these files, to these tables, all in one pass.
pub(super) fn count(
    vault: &Vault,
    edition: &Edition,
    files: &[Verified],
    tables: &mut [&mut Counting],
) -> Result<(), TabulateError> {
    if tables.is_empty() {
        return Ok(());
    }
    let passes = layout::grids(edition, tables.iter().map(|counting| &counting.table));
    let grid =
        |pass: &layout::Pass| Grid::new(edition, pass, tables.get(pass.tables.clone()).ok_or(TabulateError::Engine)?);
    let share = Share::new(edition, passes.iter().map(grid).collect::<Result<_, _>>()?)?;
    let share = &share;
    let added: Vec<Result<Figures, TabulateError>> = std::thread::scope(|scope| {
        let files = |first: usize| files.iter().skip(first).step_by(THREADS);
        let running: Vec<_> = (0..THREADS).map(|first| scope.spawn(move || share.read(vault, files(first)))).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or(Err(TabulateError::Engine))).collect()
    });
    for figures in added {
        for ((grid, pass), figures) in share.grids.iter().zip(&passes).zip(figures?) {
            grid.fold(&figures, tables.get_mut(pass.tables.clone()).ok_or(TabulateError::Engine)?)?;
        }
    }
    Ok(())
}

/// How the rows of an edition are added up: the same for every thread.
struct Share<'a> {
    edition: &'a Edition,
    grids: Vec<Grid<'a>>,
    /// Whether a person may have rows of other ranks than 0.
    ranked: bool,
    /// Every column read.
    columns: BTreeSet<String>,
}

impl<'a> Share<'a> {
    fn new(edition: &'a Edition, grids: Vec<Grid<'a>>) -> Result<Self, TabulateError> {
        let mut columns: BTreeSet<String> = grids.iter().flat_map(Grid::columns).map(str::to_owned).collect();
        for numbers in grids.iter().flat_map(|grid| &grid.quantities).filter_map(Quantity::numbers) {
            columns.insert(edition.numbers(numbers)?);
        }
        let ranked = edition.coding.rows_max > 1;
        if ranked || columns.is_empty() {
            columns.insert(RANK.to_owned());
        }
        Ok(Self { edition, grids, ranked, columns })
    }

    /// Adds up some files.
    fn read<'b>(&self, vault: &Vault, files: impl Iterator<Item = &'b Verified>) -> Result<Figures, TabulateError> {
        let columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let mut figures = self.grids.iter().map(Grid::zeros).collect::<Result<Figures, _>>()?;
        let mut places = Vec::new();
        for file in files {
            for batch in vault.scan(file, &columns)? {
                self.add(batch?.expose(), &mut places, &mut figures)?;
            }
        }
        Ok(figures)
    }

    fn add(
        &self,
        batch: &RecordBatch,
        places: &mut Vec<usize>,
        figures: &mut [Vec<Vec<i64>>],
    ) -> Result<(), TabulateError> {
        let ranks = batch.column_by_name(RANK).and_then(|ranks| ranks.as_primitive_opt::<UInt16Type>());
        let ranks = ranks.map(|ranks| &ranks.values()[..]);
        if self.ranked && ranks.is_none() {
            return Err(TabulateError::Corrupt);
        }
        let column = |name: &str| batch.column_by_name(name).map(AsRef::as_ref);
        for (grid, figures) in self.grids.iter().zip(figures) {
            grid.find(batch.num_rows(), column, places)?;
            for (quantity, sums) in grid.quantities.iter().zip(figures) {
                let rows = Rows { batch, places, ranks: ranks.filter(|_| self.ranked) };
                self.add_one(quantity, &rows, sums)?;
            }
        }
        Ok(())
    }

    /// Adds up one quantity of some rows.
    fn add_one(&self, quantity: &Quantity, rows: &Rows<'_>, sums: &mut [i64]) -> Result<(), TabulateError> {
        let mut put = |place: usize, amount: i64| {
            let sum = sums.get_mut(place).ok_or_else(corrupt)?;
            *sum = sum.checked_add(amount).ok_or_else(too_large)?;
            Ok(())
        };
        match quantity {
            Quantity::Persons => match rows.ranks {
                None => rows.places.iter().try_for_each(|place| put(*place, 1)),
                Some(ranks) => {
                    rows.places.iter().zip(ranks).try_for_each(|(place, rank)| put(*place, i64::from(*rank == 0)))
                }
            },
            Quantity::Rows => rows.places.iter().try_for_each(|place| put(*place, 1)),
            Quantity::Valued(numbers) => self.each(rows, numbers, |place, _| put(place, 1)),
            Quantity::Sum(numbers) => {
                let middle = numbers.midpoint();
                self.each(rows, numbers, |place, value| put(place, value.checked_sub(middle).ok_or_else(too_large)?))
            }
            Quantity::Bins(numbers, edges) => {
                let width = quantity.width();
                self.each(rows, numbers, |place, value| {
                    let at = place.checked_mul(width).and_then(|at| at.checked_add(bin(edges, value).ok()?));
                    put(at.ok_or_else(corrupt)?, 1)
                })
            }
        }
    }

    /// Every value of a column that counts, with the place of its row.
    fn each(
        &self,
        rows: &Rows<'_>,
        numbers: &Numbers,
        mut add: impl FnMut(usize, i64) -> Result<(), TabulateError>,
    ) -> Result<(), TabulateError> {
        let array = rows.batch.column_by_name(&self.edition.numbers(numbers)?);
        let array: &PrimitiveArray<Int64Type> =
            array.and_then(|array| array.as_primitive_opt()).ok_or(TabulateError::Corrupt)?;
        let ranks = rows.ranks.filter(|_| !numbers.per_row);
        for (row, (place, value)) in rows.places.iter().zip(array.values()).enumerate() {
            let other = ranks.is_some_and(|ranks| ranks.get(row).is_none_or(|rank| *rank != 0));
            if other || array.is_null(row) {
                continue;
            }
            if !(numbers.min..=numbers.max).contains(value) {
                return Err(TabulateError::Corrupt);
            }
            add(*place, *value)?;
        }
        Ok(())
    }
}

/// Some rows: where each counts, and its rank if that matters.
struct Rows<'a> {
    batch: &'a RecordBatch,
    places: &'a [usize],
    ranks: Option<&'a [u16]>,
}

fn too_large() -> TabulateError {
    TabulateError::TooLarge
}

/// The bin of a value within the bounds: a bin holds its lower end, the last one both.
fn bin(edges: &[i64], value: i64) -> Result<usize, TabulateError> {
    let above = edges.partition_point(|edge| *edge <= value);
    let last = edges.len().checked_sub(2).ok_or_else(corrupt)?;
    Ok(above.checked_sub(1).ok_or_else(corrupt)?.min(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Nanos;
    use crate::ledger::EditionRow;
    use crate::policy::{Dimension, Kind, Measured, PERIOD, Per, Plan, Policy};
    use crate::tabulate::tests::{counted, grouped, plain, plan, refusal};
    use crate::vault::test_vault::{Row, TestVault, row};
    use proptest::prelude::*;

    const EDGES: [i64; 4] = [0, 10, 100, 20_000];

    fn cost(per_row: bool) -> Numbers {
        Numbers { column: "cost".into(), per_row, scale: 0, min: 0, max: 20_000 }
    }

    fn all(per_row: bool) -> [Quantity; 4] {
        let bins = Quantity::Bins(cost(per_row), EDGES.to_vec());
        [Quantity::Rows, Quantity::Valued(cost(per_row)), Quantity::Sum(cost(per_row)), bins]
    }

    /// A table at the sensitivity that the policy in force pays for: `periods` pooled unless the first is a dimension.
    fn measured(quantity: &Quantity, dims: &[usize], rows_max: u32, periods: u64, pooled: u64) -> Measured {
        let reach = quantity.in_period(rows_max, u64::MAX).unwrap();
        let (l1, l2_squared) = (periods * reach.l1, periods * pooled * reach.l2_squared);
        let (quantity, dims) = (quantity.clone(), dims.to_vec());
        Measured { quantity, dims, units: Nanos::ZERO, l1, l2_squared, distinct: false }
    }

    fn policy(rows_max: u32, per_row: bool) -> Policy {
        let mut policy = Policy::for_vault_test(rows_max);
        policy.columns[3].per = if per_row { Per::Row } else { Per::Person };
        policy
    }

    fn over(policy: &Policy, editions: &[EditionRow], per_row: bool) -> Plan {
        let dims = vec![plain(policy, "sex"), plain(policy, "service")];
        let rows_max = policy.unit.rows_max;
        let tables = all(per_row).iter().map(|quantity| measured(quantity, &[0, 1], rows_max, 1, 1)).collect();
        plan(policy, editions, dims, tables)
    }

    #[test]
    fn rows_values_sums_and_bins_are_added_up_exactly() {
        let test = TestVault::new();
        let policy = policy(3, true);
        let rows = [
            row(1, &[0, 0, 0], Some(9)),
            row(1, &[0, 0, 0], Some(10)),
            row(1, &[0, 0, 2], None),
            row(1, &[0, 0, 2], Some(20_000)), // the fourth row of a person is not kept
            row(2, &[1, 0, 1], Some(20_000)),
            row(2, &[1, 0, 1], Some(0)),
        ];
        let editions = [test.close(&policy, "2026", &[test.submit(&policy, 1, &rows)])];
        let tables = counted(&over(&policy, &editions, true), &test, &editions).unwrap();
        assert_eq!(tables[0], [2, 0, 1, 0, 2, 0, 0, 0, 0]);
        assert_eq!(tables[1], [2, 0, 0, 0, 2, 0, 0, 0, 0]);
        assert_eq!(tables[2], [19 - 20_000, 0, 0, 0, 0, 0, 0, 0, 0], "about the middle of the bounds, 10,000");
        let mut bins = vec![0; 27];
        (bins[0], bins[1], bins[4 * 3], bins[4 * 3 + 2]) = (1, 1, 1, 1);
        assert_eq!(tables[3], bins, "a bin holds its lower end, the last one both");
    }

    #[test]
    fn a_number_of_the_person_counts_once_however_many_rows_there_are() {
        let test = TestVault::new();
        let policy = policy(3, false);
        let rows = [row(1, &[0, 0, 0], Some(70)), row(1, &[0, 0, 1], Some(80)), row(2, &[0, 0, 0], Some(5))];
        let editions = [test.close(&policy, "2026", &[test.submit(&policy, 1, &rows)])];
        let tables = |dims: &[usize]| {
            let axes = vec![plain(&policy, "sex"), plain(&policy, "service")];
            let tables = all(false).iter().map(|quantity| measured(quantity, dims, 3, 1, 1)).collect();
            counted(&plan(&policy, &editions, axes, tables), &test, &editions).unwrap()
        };
        let by_sex = tables(&[0]);
        assert_eq!((by_sex[0][0], by_sex[1][0], by_sex[2][0]), (3, 2, 75 - 20_000));
        assert_eq!(by_sex[3][..3], [1, 1, 0]);
        assert_eq!(tables(&[1])[1], [2, 0, 0], "where the person's first row falls");
    }

    #[test]
    fn periods_are_pooled_or_told_apart() {
        let test = TestVault::new();
        let policy = policy(1, true);
        let close = |period: &str, cost| {
            let sent = test.submit(&policy, 1, &[row(1, &[0, 0, 0], Some(cost))]);
            test.close(&policy, period, &[sent])
        };
        let editions = [close("2025", 11_000), close("2026", 12_000)];
        let years: Dimension = grouped(PERIOD, false, &[("2025", vec!["2025"]), ("2026", vec!["2026"])]);
        let sum = Quantity::Sum(cost(true));
        let tables = vec![measured(&sum, &[], 1, 2, 2), measured(&sum, &[0], 1, 2, 1)];
        let plan = plan(&policy, &editions, vec![years], tables);
        assert_eq!(counted(&plan, &test, &editions).unwrap(), [vec![3_000], vec![1_000, 2_000]]);
    }

    // G4
    #[test]
    fn an_edition_with_wider_bounds_or_other_numbers_is_refused() {
        let test = TestVault::new();
        let policy = policy(3, true);
        let editions = [test.close(&policy, "2026", &[test.submit(&policy, 1, &[row(1, &[0, 0, 0], Some(9))])])];
        let code = |table: Measured| {
            let plan = plan(&policy, &editions, vec![plain(&policy, "sex"), plain(&policy, "service")], vec![table]);
            counted(&plan, &test, &editions).map_or_else(|error| error.code(), |_| "counted")
        };
        for quantity in all(true) {
            let paid = measured(&quantity, &[0, 1], 3, 1, 1);
            assert_eq!(code(paid.clone()), "counted");
            assert_eq!(code(Measured { l1: paid.l1 - 1, ..paid.clone() }), "bound_exceeded", "{quantity:?}");
            assert_eq!(code(Measured { l2_squared: paid.l2_squared - 1, ..paid }), "bound_exceeded", "{quantity:?}");
        }
        let narrower = Quantity::Sum(Numbers { max: 19_999, ..cost(true) });
        assert_eq!(code(measured(&narrower, &[0], 3, 1, 1)), "bound_exceeded");
        let other = |numbers| code(measured(&Quantity::Sum(numbers), &[0], 3, 1, 1));
        assert_eq!(other(cost(false)), "numbers_changed");
        assert_eq!(other(Numbers { scale: 2, ..cost(true) }), "numbers_changed");
        assert_eq!(other(Numbers { column: "wage".into(), ..cost(true) }), "column_missing");
        assert_eq!(other(Numbers { column: "sex".into(), ..cost(true) }), "numbers_changed");
    }

    #[test]
    fn a_sum_never_wraps() {
        let mut counting =
            Counting { table: super::super::layout::tables(&empty_plan()).unwrap().remove(0), counts: vec![i64::MAX] };
        assert_eq!(counting.add(0, 1).unwrap_err().code(), "table_too_large");
        assert_eq!(counting.counts, [i64::MAX]);
    }

    fn empty_plan() -> Plan {
        plan(&policy(1, true), &[], Vec::new(), vec![measured(&Quantity::Rows, &[], 1, 1, 1)])
    }

    #[test]
    fn a_value_beyond_its_bounds_means_a_broken_edition() {
        let test = TestVault::new();
        let mut wide = policy(1, true);
        let Kind::Measure(measure) = &mut wide.columns[3].kind else { panic!("a measure") };
        measure.max = 40_000;
        let mut editions = [test.close(&wide, "2026", &[test.submit(&wide, 1, &[row(1, &[0, 0, 0], Some(30_000))])])];
        let policy = policy(1, true);
        let asked = over(&policy, &editions, true);
        assert_eq!(refusal(&asked, &test, &editions), "bound_exceeded");
        editions[0].coding = editions[0].coding.replace("40000", "20000");
        assert_eq!(refusal(&asked, &test, &editions), "edition_corrupt", "what the ledger says is not what is there");
    }

    fn register() -> impl Strategy<Value = Vec<Row>> {
        let number = proptest::option::of(prop_oneof![0_i64..30, Just(20_000), Just(10_000), 0_i64..20_001]);
        let one = (0_u32..8, 0_u16..3, 0_u16..3, number);
        proptest::collection::vec(one.prop_map(|(p, a, b, cost)| row(p, &[a, 0, b], cost)), 0..40)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        // G4
        #[test]
        fn one_person_moves_every_measure_by_at_most_its_bound(
            rows in register(), person in 0_u32..8, rows_max in 1_u32..4, per_row in any::<bool>(),
        ) {
            let test = TestVault::new();
            let policy = policy(rows_max, per_row);
            let tables = |rows: &[Row]| {
                let editions = [test.close(&policy, "2026", &[test.submit(&policy, 1, rows)])];
                let plan = over(&policy, &editions, per_row);
                (counted(&plan, &test, &editions).unwrap(), plan.measured)
            };
            let others: Vec<Row> = rows.iter().filter(|row| row.person != person).cloned().collect();
            let ((with, measured), (without, _)) = (tables(&rows), tables(&others));
            for ((with, without), table) in with.iter().zip(&without).zip(&measured) {
                let moved: Vec<u64> = with.iter().zip(without).map(|(a, b)| a.abs_diff(*b)).collect();
                prop_assert!(moved.iter().sum::<u64>() <= table.l1, "{:?} {moved:?}", table.quantity);
                prop_assert!(moved.iter().map(|m| m * m).sum::<u64>() <= table.l2_squared, "{:?}", table.quantity);
            }
            let sums = |table: usize| with[table].iter().sum::<i64>();
            prop_assert_eq!(sums(1), sums(3), "every value is in one bin");
            prop_assert!(sums(1) <= sums(0));
        }

        #[test]
        fn every_value_within_the_bounds_has_one_bin(value in 0_i64..20_001) {
            let place = bin(&EDGES, value).unwrap();
            let last = place == EDGES.len() - 2;
            prop_assert!(EDGES[place] <= value && (value < EDGES[place + 1] || last));
        }
    }
}
