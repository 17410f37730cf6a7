//! A grid: one place for every combination of codes, in which rows are added up before they are summed into tables.
//!
//! Tables over the same few columns share one: each row is looked at once, however many tables it counts in.
//!
//! # Guarantee
//! G3: places follow from the plan and from the code lists an edition was closed with. A code beyond its list leads to
//! no place, and so to an error.

use super::layout::{self, Edition, Pass, Table};
use super::{Counting, TabulateError};
use crate::policy::Quantity;
use arrow::array::{Array, AsArray as _};
use arrow::datatypes::{UInt8Type, UInt16Type};

/// A step from which no way leads back to a place.
const NOWHERE: usize = usize::MAX >> 16;

/// The places of a grid, and what is added up in each.
pub(super) struct Grid<'a> {
    edition: &'a Edition,
    /// The place before any column is looked at.
    base: usize,
    /// The columns that places are told by.
    axes: Vec<GridAxis<'a>>,
    places: usize,
    /// Whether places are cells of the one table, not combinations of codes.
    of_cells: bool,
    /// What is added up, each once.
    pub(super) quantities: Vec<Quantity>,
}

/// A column of a grid.
struct GridAxis<'a> {
    column: &'a str,
    /// By code: how far it moves the place.
    steps: Vec<usize>,
}

impl<'a> Grid<'a> {
    /// The grid of the tables of a pass: of the combinations of codes if there is room for all of them, else of the
    /// cells of the one table.
    pub(super) fn new(edition: &'a Edition, pass: &Pass, tables: &[&mut Counting]) -> Result<Self, TabulateError> {
        let mut quantities: Vec<Quantity> = Vec::new();
        for quantity in tables.iter().map(|counting| &counting.table.quantity) {
            if !quantities.contains(quantity) {
                quantities.push(quantity.clone());
            }
        }
        if !layout::fits_grid(edition, pass.columns.iter().copied())
            && let [counting] = tables
        {
            let table = &counting.table;
            let axes = table.steps(edition).map(|(column, steps)| GridAxis { column, steps }).collect();
            let (base, places) = (table.base(edition), table.cells);
            return Ok(Self { edition, base, axes, places, of_cells: true, quantities });
        }
        let (mut axes, mut places): (Vec<GridAxis<'_>>, _) = (Vec::new(), 1_usize);
        for dim in &pass.columns {
            let (column, codes) = edition.codes(*dim)?;
            // Several levels of one column vary together.
            if axes.iter().all(|axis| axis.column != column) {
                axes.push(GridAxis { column, steps: (0..codes).map(|code| code * places).collect() });
                places = places.checked_mul(codes).ok_or(TabulateError::TooLarge)?;
            }
        }
        Ok(Self { edition, base: 0, axes, places, of_cells: false, quantities })
    }

    /// The columns it is told by.
    pub(super) fn columns(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.axes.iter().map(|axis| axis.column)
    }

    /// Nothing yet, by quantity.
    pub(super) fn zeros(&self) -> Result<Vec<Vec<i64>>, TabulateError> {
        let figures = |quantity: &Quantity| self.places.checked_mul(quantity.width());
        self.quantities.iter().map(|q| Ok(vec![0; figures(q).ok_or(TabulateError::TooLarge)?])).collect()
    }

    /// The place of each row, by the columns that hold their codes.
    pub(super) fn find<'b>(
        &self,
        rows: usize,
        column: impl Fn(&str) -> Option<&'b dyn Array>,
        places: &mut Vec<usize>,
    ) -> Result<(), TabulateError> {
        places.clear();
        places.resize(rows, self.base);
        for axis in &self.axes {
            let codes = column(axis.column).ok_or(TabulateError::Corrupt)?;
            if let Some(narrow) = codes.as_primitive_opt::<UInt8Type>() {
                let mut steps = [NOWHERE; 1 << u8::BITS];
                steps.iter_mut().zip(&axis.steps).for_each(|(to, step)| *to = *step);
                let step = |code: &u8| steps.get(usize::from(*code)).copied().unwrap_or(NOWHERE);
                places.iter_mut().zip(narrow.values()).for_each(|(place, code)| *place += step(code));
            } else {
                let wide = codes.as_primitive_opt::<UInt16Type>().ok_or(TabulateError::Corrupt)?;
                let step = |code: &u16| axis.steps.get(usize::from(*code)).copied().unwrap_or(NOWHERE);
                places.iter_mut().zip(wide.values()).for_each(|(place, code)| *place += step(code));
            }
        }
        Ok(())
    }

    /// Sums what was added up, by quantity, into the tables.
    pub(super) fn fold(&self, figures: &[Vec<i64>], tables: &mut [&mut Counting]) -> Result<(), TabulateError> {
        for counting in tables {
            let (cells, width) = (self.cells(&counting.table)?, counting.table.quantity.width());
            let added = self.quantities.iter().zip(figures).find(|(q, _)| **q == counting.table.quantity);
            let (_, added) = added.ok_or(TabulateError::Engine)?;
            for (cell, figures) in cells.iter().zip(added.chunks(width.max(1))) {
                for (at, figure) in (cell * width..).zip(figures) {
                    counting.add(at, *figure)?;
                }
            }
        }
        Ok(())
    }

    /// The cell of a table that each place falls into.
    fn cells(&self, table: &Table) -> Result<Vec<usize>, TabulateError> {
        if self.of_cells {
            return Ok((0..self.places).collect());
        }
        let mut cells = vec![table.base(self.edition); self.places];
        for dim in table.columns(self.edition) {
            let (column, codes) = self.edition.codes(dim)?;
            let axis = self.axes.iter().find(|axis| axis.column == column).ok_or(TabulateError::Engine)?;
            // A list of one code has no second one to tell the stride by, and needs none.
            let stride = axis.steps.get(1).copied().unwrap_or(1);
            let code = |place: usize| u16::try_from(place / stride % codes).unwrap_or(u16::MAX);
            table.advance(self.edition, dim, (0..self.places).map(code), &mut cells)?;
        }
        Ok(cells)
    }
}

#[cfg(test)]
mod tests {
    use crate::ledger::EditionRow;
    use crate::policy::{Column, Dimension, Measured, Numbers, Per, Plan, Policy, Quantity};
    use crate::submission::Content;
    use crate::tabulate::layout;
    use crate::tabulate::tests::{counted, grouped, persons, plain, plan, refusal};
    use crate::vault::EditionCoding;
    use crate::vault::test_vault::{Row, TestVault, row};

    /// A policy of so many sexes and regions.
    fn wide(sexes: usize, regions: usize) -> Policy {
        let mut policy = Policy::for_vault_test(2);
        for (place, name, codes) in [(0, "sex", sexes), (1, "region", regions)] {
            let codes: Vec<String> = (0..codes).map(|code| format!("x{code}")).collect();
            let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
            policy.columns[place] = Column::for_vault_test(name, Per::Person, &codes);
        }
        policy
    }

    fn register(sexes: u16, regions: u16) -> Vec<Row> {
        let one = |i: u16| row(u32::from(i / 2), &[i * 7 % sexes, i * 11 % regions, i % 3], Some(i64::from(i)));
        (0..3_000).map(one).collect()
    }

    fn both(policy: &Policy, editions: &[EditionRow], tables: Vec<Measured>) -> Plan {
        plan(policy, editions, vec![plain(policy, "sex"), plain(policy, "region")], tables)
    }

    #[test]
    fn what_the_engine_groups_is_what_a_grid_adds_up() {
        let test = TestVault::new();
        let policy = wide(200, 300);
        let editions = [test.close(&policy, "2026", &[test.submit(&policy, 1, &register(200, 300))])];
        let plan = both(&policy, &editions, vec![persons(&[0]), persons(&[0, 1]), persons(&[1])]);
        let laid = layout::editions(&plan, &editions).unwrap();
        let fits = |dims: &[usize]| layout::fits_grid(&laid[0], dims.iter().copied());
        assert_eq!((fits(&[0]), fits(&[0, 1]), fits(&[1])), (true, false, true));
        let tables = counted(&plan, &test, &editions).unwrap();
        assert_eq!(tables[0], tables[1].chunks(300).map(|row| row.iter().sum()).collect::<Vec<i64>>());
        assert_eq!(tables[2], (0..300).map(|at| tables[1].iter().skip(at).step_by(300).sum()).collect::<Vec<i64>>());
        assert_eq!(tables[0].iter().sum::<i64>(), 1_500, "each person once");
    }

    #[test]
    fn tables_of_one_grid_are_its_margins_at_their_own_levels() {
        let test = TestVault::new();
        let policy = wide(3, 300);
        let editions = [test.close(&policy, "2026", &[test.submit(&policy, 1, &register(3, 300))])];
        let codes: Vec<String> = (0..300).map(|code| format!("x{code}")).collect();
        let of = |range: std::ops::Range<usize>| codes[range].iter().map(String::as_str).collect::<Vec<_>>();
        let thirds = grouped("region", false, &[("low", of(0..100)), ("high", of(200..300)), ("middle", of(100..200))]);
        let dims: Vec<Dimension> = vec![plain(&policy, "sex"), plain(&policy, "region"), thirds];
        let tables = vec![persons(&[0, 1]), persons(&[0, 2]), persons(&[])];
        let tables = counted(&plan(&policy, &editions, dims, tables), &test, &editions).unwrap();
        let third = |cell: usize| tables[0].iter().skip(cell * 100).take(100).sum::<i64>();
        let expected: Vec<i64> = (0..3).flat_map(|sex| [0, 2, 1].map(|part| third(sex * 3 + part))).collect();
        assert_eq!(tables[1], expected);
        assert_eq!(tables[2], [1_500]);
    }

    #[test]
    fn what_no_grid_holds_is_added_up_in_the_cells_of_its_table() {
        let test = TestVault::new();
        let policy = wide(200, 300);
        let editions = [test.close(&policy, "2026", &[test.submit(&policy, 1, &register(200, 300))])];
        let cost = Numbers { column: "cost".into(), per_row: true, scale: 0, min: 0, max: 20_000 };
        let sum = |dims: &[usize]| {
            let reach = Quantity::Sum(cost.clone()).in_period(2, u64::MAX).unwrap();
            let (quantity, (l1, l2_squared)) = (Quantity::Sum(cost.clone()), (reach.l1, reach.l2_squared));
            Measured { quantity, l1, l2_squared, ..persons(dims) }
        };
        let tables = counted(&both(&policy, &editions, vec![sum(&[0, 1]), sum(&[0])]), &test, &editions).unwrap();
        assert_eq!(tables[1], tables[0].chunks(300).map(|row| row.iter().sum()).collect::<Vec<i64>>());
        assert_eq!(tables[1].iter().sum::<i64>(), (0..3_000).map(|cost| cost - 10_000).sum::<i64>());
    }

    #[test]
    fn a_code_beyond_its_list_means_a_broken_edition() {
        for regions in [4, 300] {
            let test = TestVault::new();
            let policy = wide(3, regions);
            let last = u16::try_from(regions - 1).unwrap();
            let sent = test.submit(&policy, 1, &[row(1, &[0, last, 0], None), row(2, &[1, 0, 0], None)]);
            let mut editions = [test.close(&policy, "2026", &[sent])];
            let asked = both(&policy, &editions, vec![persons(&[0, 1])]);
            assert!(counted(&asked, &test, &editions).is_ok());
            let mut coding = EditionCoding::parse(&editions[0].coding).unwrap();
            let Content::Codes { codes } = &mut coding.columns[1].content else { panic!("a dimension") };
            codes.pop();
            editions[0].coding = coding.text().unwrap();
            assert_eq!(refusal(&asked, &test, &editions), "edition_corrupt");
        }
    }
}
