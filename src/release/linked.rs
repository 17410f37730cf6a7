//! What is published of one draw, read back from its releases as tables of linked cells.
//!
//! The service reads it before it answers from the same draw again; an auditor reads the same from the public files.
//!
//! # Guarantee
//! A table is read as it was published: what is shown is shown, what is withheld has no figure.

use super::body::{Body, Cell, DimensionFace, Status};
use super::draft::TOTAL;
use super::number::Number;
use super::table::{Link, TableFace};
use super::values::beside_published;
use crate::policy::{PERIOD, Plan};
use crate::suppress::{Told, Verdict};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Above the floor, for what is rounded away in published figures.
pub(super) const ROUNDING_ROOM: f64 = 0.01;

/// A release whose tables and cells do not fit each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tables that a release names and its cells do not fit each other")]
pub(super) struct Misfit;

/// The columns of a draw and their levels, by code.
#[derive(Debug, Clone, Default)]
pub(super) struct Frame {
    columns: Vec<Column>,
}

#[derive(Debug, Clone)]
struct Column {
    name: String,
    size: usize,
    level_of: HashMap<String, usize>,
}

impl Frame {
    /// The frame of the draw that a plan belongs to.
    pub(super) fn of_plan(plan: &Plan) -> Self {
        let column = |dimension: &crate::policy::Dimension| {
            let levels = dimension.levels.iter().enumerate();
            let level_of = levels.flat_map(|(at, level)| level.members.iter().map(move |code| (code.clone(), at)));
            Column { name: dimension.column.clone(), size: dimension.levels.len(), level_of: level_of.collect() }
        };
        Self { columns: plan.measured_dimensions().map(|(_, dimension)| column(dimension)).collect() }
    }

    /// A frame that holds every code named in some releases of one draw. A column that none of them shows whole has
    /// one level more, for all that is not named.
    pub(super) fn of_bodies(bodies: &[Body]) -> Self {
        let mut codes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut whole: BTreeSet<&str> = BTreeSet::new();
        for body in bodies {
            for table in &body.tables {
                for (column, selected) in &table.filter {
                    codes.entry(column).or_default().extend(selected.iter().map(String::as_str));
                }
                for (column, selected) in body.impossible.iter().flatten() {
                    codes.entry(column).or_default().extend(selected.iter().map(String::as_str));
                }
                for face in table.by.iter().filter_map(|name| face(body, name)) {
                    codes.entry(column_of(face)).or_default().extend(face.codes.iter().flat_map(members));
                    if !table.filter.contains_key(column_of(face)) {
                        whole.insert(column_of(face));
                    }
                }
            }
        }
        let column = |(name, codes): (&str, BTreeSet<&str>)| Column {
            name: name.to_owned(),
            size: codes.len() + usize::from(!whole.contains(name)),
            level_of: codes.into_iter().map(str::to_owned).zip(0..).collect(),
        };
        Self { columns: codes.into_iter().map(column).collect() }
    }

    /// The part of some tables' cells that lies in combinations that cannot occur: tables of nothing but such cells.
    ///
    /// Two cells that differ by an impossible one alone are the same figure, though no table may tell that one. Tables
    /// that are measured alone keep their noise there, and add up without this.
    pub(super) fn impossible<'a>(
        &self,
        zeros: &[BTreeMap<String, Vec<String>>],
        tables: impl Iterator<Item = &'a Told>,
    ) -> Vec<Told> {
        let levels = |(name, codes): (&String, &Vec<String>)| {
            let at = self.columns.iter().position(|column| column.name == *name)?;
            Some((at, self.columns.get(at)?.known_levels(codes)))
        };
        let zeros: Vec<Vec<(usize, BTreeSet<usize>)>> =
            zeros.iter().filter_map(|zero| zero.iter().map(levels).collect()).collect();
        let mut all: BTreeSet<Vec<Vec<Vec<usize>>>> = BTreeSet::new();
        for told in tables {
            for zero in &zeros {
                let mut axes = told.axes.clone();
                for (at, levels) in zero {
                    for set in axes.get_mut(*at).into_iter().flatten() {
                        set.retain(|level| levels.contains(level));
                    }
                    axes.get_mut(*at).into_iter().for_each(|sets| sets.retain(|set| !set.is_empty()));
                }
                if axes.iter().all(|sets| !sets.is_empty()) {
                    all.insert(axes);
                }
            }
        }
        let nobody = |axes: Vec<Vec<Vec<usize>>>| {
            let cells = axes.iter().map(Vec::len).product();
            let (estimates, verdicts) = (vec![0.0; cells], vec![Verdict::Structural; cells]);
            Told { axes, standard_errors: estimates.clone(), estimates, floor: 0.0, verdicts }
        };
        all.into_iter().map(nobody).collect()
    }

    /// The same of cells that are linked so.
    pub(super) fn nobody(&self, zeros: &[BTreeMap<String, Vec<String>>], link: &Link, tables: &[Told]) -> Vec<Told> {
        if link.alone.is_none() { self.impossible(zeros, tables.iter()) } else { Vec::new() }
    }

    /// The place of the periods: pooled, each has a floor of its own.
    pub(super) fn period(&self) -> Option<usize> {
        self.columns.iter().position(|column| column.name == PERIOD)
    }

    /// How many levels each column has.
    pub(super) fn sizes(&self) -> Vec<usize> {
        self.columns.iter().map(|column| column.size).collect()
    }

    /// Every table of a release, with the link to others. Estimates of withheld cells are 0: nobody knows them.
    ///
    /// # Errors
    /// [`Misfit`] if a cell of a table is not there, or names a code that no dimension lists.
    pub(super) fn tables(&self, body: &Body) -> Result<Vec<(Link, Told)>, Misfit> {
        let cells = by_table(body);
        let told = |table: &TableFace| {
            let axes = self.axes(body, table)?;
            let faces = self.faces(body, table);
            let cells = cells.get(&(table.measure.as_str(), table.by.iter().map(String::as_str).collect()));
            let mut verdicts = vec![None; axes.iter().map(Vec::len).product()];
            let mut estimates = vec![0.0; verdicts.len()];
            let mut standard_errors = vec![0.0; verdicts.len()];
            let (mut errors, unit) = table.standard_errors(verdicts.len()).zip(table.unit()).ok_or(Misfit)?;
            let floor = f64::from(table.floor) + ROUNDING_ROOM;
            beside_published(body, table, &mut errors, floor);
            for (cell, error) in cells.into_iter().flatten().zip(errors) {
                let place = place(&faces, cell).ok_or(Misfit)?;
                let (verdict, estimate) = read(cell).ok_or(Misfit)?;
                *verdicts.get_mut(place).ok_or(Misfit)? = Some(verdict);
                *estimates.get_mut(place).ok_or(Misfit)? = estimate / unit;
                *standard_errors.get_mut(place).ok_or(Misfit)? = error / unit;
            }
            let verdicts: Vec<Verdict> = verdicts.into_iter().collect::<Option<_>>().ok_or(Misfit)?;
            Ok((Link::of(table, body.additive), Told { axes, estimates, standard_errors, floor, verdicts }))
        };
        body.tables.iter().map(told).collect()
    }

    /// The dimensions that a table is broken down by, in the frame's order: that of its cells.
    pub(super) fn faces<'a>(&self, body: &'a Body, table: &TableFace) -> Vec<&'a DimensionFace> {
        let broken_down = |column: &Column| {
            table.by.iter().filter_map(|name| face(body, name)).find(|face| column_of(face) == column.name)
        };
        self.columns.iter().filter_map(broken_down).collect()
    }

    /// Per column, the sets of levels that the cells of a table stand for.
    fn axes(&self, body: &Body, table: &TableFace) -> Result<Vec<Vec<Vec<usize>>>, Misfit> {
        let faces = self.faces(body, table);
        if faces.len() != table.by.len() {
            return Err(Misfit);
        }
        let axis = |column: &Column| {
            let cut = match table.filter.get(&column.name) {
                Some(codes) => column.levels(codes.iter().map(String::as_str)).ok_or(Misfit)?,
                None => (0..column.size).collect(),
            };
            let Some(face) = faces.iter().find(|face| column_of(face) == column.name) else { return Ok(vec![cut]) };
            let within = |code| {
                let levels = column.levels(members(code)).ok_or(Misfit)?;
                Ok(levels.into_iter().filter(|level| cut.contains(level)).collect())
            };
            face.codes.iter().map(within).collect()
        };
        self.columns.iter().map(axis).collect()
    }
}

impl Column {
    /// The levels of those of some codes that the frame knows.
    fn known_levels(&self, codes: &[String]) -> BTreeSet<usize> {
        codes.iter().filter_map(|code| self.level_of.get(code).copied()).collect()
    }

    /// The levels of some codes, each once.
    fn levels<'a>(&self, codes: impl Iterator<Item = &'a str>) -> Option<Vec<usize>> {
        let levels: Option<BTreeSet<usize>> = codes.map(|code| self.level_of.get(code).copied()).collect();
        levels.map(|levels| levels.into_iter().collect())
    }
}

fn face<'a>(body: &'a Body, name: &str) -> Option<&'a DimensionFace> {
    body.dimensions.iter().find(|face| face.id == *name)
}

/// The column that a dimension breaks down.
fn column_of(face: &DimensionFace) -> &str {
    face.of.as_ref().unwrap_or(&face.id)
}

/// The codes that a code of a dimension stands for.
fn members(code: &super::CodeName) -> impl Iterator<Item = &str> {
    let own = code.members.is_empty().then(|| code.code.split('+')).into_iter().flatten();
    own.chain(code.members.iter().map(String::as_str))
}

/// What names a table among those of a release: its measure and the dimensions it is broken down by.
type Key<'a> = (&'a str, BTreeSet<&'a str>);

/// The cells of each table.
fn by_table(body: &Body) -> HashMap<Key<'_>, Vec<&Cell>> {
    let by: BTreeSet<&str> = body.tables.iter().flat_map(|table| &table.by).map(String::as_str).collect();
    let mut tables: HashMap<Key<'_>, Vec<&Cell>> = HashMap::new();
    for cell in &body.cells {
        let broken_down = |face: &&DimensionFace| {
            by.contains(face.id.as_str()) && cell.key.get(&face.id).is_some_and(|code| code != TOTAL)
        };
        let dims = body.dimensions.iter().filter(broken_down).map(|face| face.id.as_str()).collect();
        tables.entry((cell.measure.as_str(), dims)).or_default().push(cell);
    }
    tables
}

/// The row-major place of a cell in its table.
fn place(faces: &[&DimensionFace], cell: &Cell) -> Option<usize> {
    faces.iter().try_fold(0, |place, face| {
        let code = cell.key.get(&face.id)?;
        let at = face.codes.iter().position(|listed| listed.code == *code)?;
        Some(place * face.codes.len() + at)
    })
}

/// What a cell says, and its figure where it says one.
fn read(cell: &Cell) -> Option<(Verdict, f64)> {
    match (cell.status, cell.reason.as_deref(), &cell.estimate) {
        (Status::A | Status::U, _, Some(estimate)) => Some((Verdict::Shown, estimate.parse().ok()?)),
        (Status::A, Some("structural"), None) if cell.value.as_ref().is_some_and(Number::is_nought) => {
            Some((Verdict::Structural, 0.0))
        }
        (Status::Q, _, None) if cell.value.is_none() => Some((Verdict::Withheld, 0.0)),
        (Status::A | Status::U | Status::Q, _, _) => None,
    }
}
