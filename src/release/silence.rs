//! What must not be told: cells below the floor, and the partners without which they could be worked out.
//!
//! All tables of persons that a release states are judged together, with all that stands of the same draw: the tables
//! asked for, their margins, and the parts of persons that shares imply.
//!
//! # Guarantee
//! G9: noisy estimates in, verdicts out. No published figures of one draw determine a withheld one; the certificate
//! says in which senses that was proved, and the table faces are what it takes to prove it again.

use super::answer::AnswerError;
use super::keys::Inside;
use super::linked::ROUNDING_ROOM;
use super::parts::Parts;
use super::table::{Link, Linked, ROWS, TableFace, codes};
use crate::estimate::EstimatedTable;
use crate::policy::{Cut, Figure, Plan, Quantity, Rules};
use crate::suppress::{self, Certificate, Told, Verdict, WouldReveal};
use std::collections::BTreeMap;

/// Persons in every shown table: all of them, or those of a part.
pub(super) struct Layer {
    /// The measure of their cells.
    pub(super) name: String,
    /// What cuts the part out; nothing for all persons.
    pub(super) of: Vec<Cut>,
    /// The estimates, by shown table.
    pub(super) tables: Vec<EstimatedTable>,
    /// What becomes of their cells.
    pub(super) verdicts: Vec<Vec<Verdict>>,
}

/// What is decided about every cell before anything is told.
pub(super) struct Silence {
    /// All persons, then each part that a figure implies.
    pub(super) layers: Vec<Layer>,
    /// Whether rows may be told where persons are.
    pub(super) rows: bool,
    /// What an audit needs of each table.
    pub(super) faces: Vec<TableFace>,
    /// What was proved.
    pub(super) certificate: Certificate,
}

/// Decides about every cell, beside what stands of the draw.
pub(super) fn silence(plan: &Plan, parts: &Parts<'_>, earlier: &Linked) -> Result<Silence, AnswerError> {
    let mut layers = layers(plan, parts)?;
    let mut linked: BTreeMap<Link, Vec<(usize, usize, Told)>> = BTreeMap::new();
    let mut faces = Vec::new();
    for (at, layer) in layers.iter().enumerate() {
        let plan = plan.part(&Quantity::Persons, &layer.of);
        for (place, (table, verdicts)) in layer.tables.iter().zip(&layer.verdicts).enumerate() {
            let face = TableFace::of(&plan, &layer.name, table);
            let told = told(&plan, &face, table, verdicts.clone());
            linked.entry(Link::of(&face, plan.additive)).or_default().push((at, place, told));
            faces.push(face);
        }
    }
    let sizes: Vec<usize> = plan.measured_dimensions().map(|(_, d)| d.levels.len()).collect();
    let mut certificate = Certificate::default();
    if !plan.rules.complementary {
        certificate.notions.clear();
        linked.clear();
    }
    for (link, tables) in linked {
        let (places, new): (Vec<_>, Vec<Told>) =
            tables.into_iter().map(|(at, place, told)| ((at, place), told)).unzip();
        let standing = earlier.get(&link).map_or(&[][..], Vec::as_slice);
        let (verdicts, proved) = suppress::withhold(&sizes, standing, &new)?;
        certificate = certificate.and(&proved);
        for ((at, place), verdicts) in places.into_iter().zip(verdicts) {
            if let Some(decided) = layers.get_mut(at).and_then(|layer| layer.verdicts.get_mut(place)) {
                *decided = verdicts;
            }
        }
    }
    certificate.width = certificate.width.map(|width| width - ROUNDING_ROOM);
    let rows = rows(plan, parts, &layers, earlier)?;
    let told_rows = rows.is_some();
    faces.extend(rows.into_iter().flatten());
    Ok(Silence { layers, rows: told_rows, faces, certificate })
}

impl From<WouldReveal> for AnswerError {
    fn from(_: WouldReveal) -> Self {
        Self::WouldReveal
    }
}

/// All persons and every part, judged by the floor alone.
fn layers(plan: &Plan, parts: &Parts<'_>) -> Result<Vec<Layer>, AnswerError> {
    let mut cuts: Vec<&[Cut]> = plan.figures.iter().flat_map(Figure::parts).collect();
    cuts.sort();
    cuts.dedup();
    let all = parts.persons(&[])?;
    let verdicts: Vec<Vec<Verdict>> = all.iter().map(|table| floor(plan, table)).collect();
    let mut layers = vec![Layer { name: Figure::Persons.name(), of: Vec::new(), tables: all, verdicts }];
    for of in cuts {
        let cut = plan.part(&Quantity::Persons, of);
        let tables = parts.persons(of)?;
        let base = layers.first().into_iter().flat_map(|layer| layer.tables.iter().zip(&layer.verdicts));
        let verdicts =
            tables.iter().zip(base).map(|(part, (all, verdicts))| of_part(&cut, part, all, verdicts)).collect();
        layers.push(Layer { name: part_name(&cut, of), of: of.to_vec(), tables, verdicts });
    }
    Ok(layers)
}

fn floor(plan: &Plan, table: &EstimatedTable) -> Vec<Verdict> {
    let rules = Rules { threshold: plan.floor(&table.dims), ..plan.rules.clone() };
    let inside = Inside::new(plan, &table.dims);
    suppress::apply(table, &rules, |place| inside.impossible(place))
}

/// A part is silent where the rest of its cell is few: cell and part together would show them.
fn of_part(plan: &Plan, part: &EstimatedTable, all: &EstimatedTable, of_all: &[Verdict]) -> Vec<Verdict> {
    let least = f64::from(plan.floor(&part.dims));
    let own = floor(plan, part);
    let rest = all.values.iter().zip(&part.values).map(|(all, part)| all - part);
    own.into_iter()
        .zip(of_all.iter().zip(rest))
        .map(|(own, (all, rest))| match (own, all) {
            (Verdict::Shown, Verdict::Shown) if rest >= least => Verdict::Shown,
            (Verdict::Shown | Verdict::Withheld, _) => Verdict::Withheld,
            (Verdict::Structural, _) => Verdict::Structural,
        })
        .collect()
}

/// `persons:COLUMN=CODE+CODE`, columns in the order of their names.
pub(super) fn part_name(plan: &Plan, of: &[Cut]) -> String {
    let part = |(column, codes): (String, Vec<String>)| format!("{column}={}", codes.join("+"));
    format!("{}:{}", Figure::Persons.name(), codes(plan, of).into_iter().map(part).collect::<Vec<_>>().join(","))
}

/// What stands for a table in the search: the levels behind its cells, its errors as they will be published.
fn told(plan: &Plan, face: &TableFace, table: &EstimatedTable, verdicts: Vec<Verdict>) -> Told {
    let mut told = Told::of(plan, table, verdicts);
    told.standard_errors = face.standard_errors(told.estimates.len()).unwrap_or(told.standard_errors);
    told.floor += ROUNDING_ROOM;
    told
}

/// Rows are told where persons are, if that leaves their withheld figures as much room; the faces of their tables then.
fn rows(
    plan: &Plan,
    parts: &Parts<'_>,
    layers: &[Layer],
    earlier: &Linked,
) -> Result<Option<Vec<TableFace>>, AnswerError> {
    let Some(persons) = layers.first().filter(|_| plan.figures.contains(&Figure::Rows)) else { return Ok(None) };
    let plan = plan.part(&Quantity::Rows, &[]);
    let tables = parts.quantity(&Quantity::Rows)?;
    let faces: Vec<TableFace> = tables.iter().map(|table| TableFace::of(&plan, ROWS, table)).collect();
    let new = faces.iter().zip(tables.iter().zip(&persons.verdicts));
    let new = new.map(|(face, (table, verdicts))| told(&plan, face, table, verdicts.clone()));
    let standing = earlier.get(&Link { rows: true, alone: None }).into_iter().flatten().cloned();
    let all: Vec<Told> = standing.chain(new).collect();
    let sizes: Vec<usize> = plan.measured_dimensions().map(|(_, d)| d.levels.len()).collect();
    Ok(suppress::audit(&sizes, &all).is_ok().then_some(faces))
}
