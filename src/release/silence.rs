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
use super::linked::{Frame, ROUNDING_ROOM};
use super::parts::Parts;
use super::table::{Link, Linked, ROWS, TableFace, codes, impossible};
use super::values;
use crate::estimate::EstimatedTable;
use crate::policy::{Cut, Figure, Plan, Quantity, Rules};
use crate::suppress::{self, Certificate, Draw, Told, Verdict, WouldReveal};
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
    let Judged { mut layers, mut linked, mut faces } = judged(plan, parts)?;
    let sizes = sizes(plan);
    let mut certificate = Certificate::default();
    if !plan.rules.complementary {
        certificate.notions.clear();
        linked.clear();
    }
    for (link, tables) in linked {
        let (places, new): (Vec<_>, Vec<Told>) =
            tables.into_iter().map(|(at, place, told)| ((at, place), told)).unzip();
        let standing = earlier.get(&link).map_or(&[][..], Vec::as_slice);
        let mut new = beside_the_impossible(plan, &link, standing, new);
        let hidden = unasked(plan, parts, &link, standing, &new)?.unwrap_or_else(|| {
            // more than can be told apart: nothing new is said
            new.iter_mut().for_each(Told::withhold_all);
            Vec::new()
        });
        let (verdicts, proved) = suppress::withhold_beside(&sizes, standing, &new, &hidden)?;
        certificate = certificate.and(&proved);
        for ((at, place), verdicts) in places.into_iter().zip(verdicts) {
            if let Some(decided) = layers.get_mut(at).and_then(|layer| layer.verdicts.get_mut(place)) {
                *decided = verdicts;
            }
        }
    }
    certificate.width = certificate.width.map(|width| width - ROUNDING_ROOM);
    let (told_rows, faces_of_rows) = rows(plan, parts, &layers, earlier)?;
    faces.extend(faces_of_rows);
    faces.extend(values::faces(plan, parts, layers.first().map_or(&[], |all| all.tables.as_slice()))?);
    let names = plan.figures.iter().map(Figure::name);
    values::covered(&mut certificate, faces.iter(), names);
    Ok(Silence { layers, rows: told_rows, faces, certificate })
}

/// The small groups that nobody asked for and that the new tables would give away, with the impossible cells in them;
/// none if there are too many to tell.
pub(super) fn unasked(
    plan: &Plan,
    parts: &Parts<'_>,
    link: &Link,
    standing: &[Told],
    new: &[Told],
) -> Result<Option<Vec<Told>>, AnswerError> {
    let frame = Frame::of_plan(plan);
    let nobody = |tables: &[Told]| frame.nobody(&impossible(plan), link, tables);
    // as if somebody had asked for it by name, whatever the tables that leave it over were judged by
    let least = |levels: &[Vec<usize>]| f64::from(plan.floor_of(levels)) + ROUNDING_ROOM;
    let draw = Draw { sizes: &frame.sizes(), pooled: frame.period(), least: &least, impossible: &nobody };
    let Some(small) = suppress::unasked_beside(draw, standing, new)? else { return Ok(None) };
    let errors = parts.errors(small.iter().map(|group| group.levels.as_slice()), link.alone.as_deref())?;
    // one that the draw does not cover is another by one more name: all that tells them apart is impossible
    let mut hidden: Vec<Told> =
        small.iter().zip(errors).filter_map(|(group, error)| Some(group.withheld(error?))).collect();
    hidden.extend(nobody(&hidden));
    Ok(Some(hidden))
}

/// What the floor alone says.
pub(super) struct Judged {
    pub(super) layers: Vec<Layer>,
    /// The tables of all layers as the search takes them, each with its layer and its place there.
    pub(super) linked: BTreeMap<Link, Vec<(usize, usize, Told)>>,
    /// Of all tables of all layers, in their order.
    pub(super) faces: Vec<TableFace>,
}

/// Judges every cell by the floor alone.
pub(super) fn judged(plan: &Plan, parts: &Parts<'_>) -> Result<Judged, AnswerError> {
    let mut judged = Judged { layers: layers(plan, parts)?, linked: BTreeMap::new(), faces: Vec::new() };
    let values = values::errors(plan, parts)?;
    for (at, layer) in judged.layers.iter().enumerate() {
        let plan = plan.part(&Quantity::Persons, &layer.of);
        for (place, (table, verdicts)) in layer.tables.iter().zip(&layer.verdicts).enumerate() {
            let face = TableFace::of(&plan, &layer.name, table);
            let mut told = told(&plan, &face, table, verdicts.clone());
            if let Some(errors) = values.get(place).filter(|_| layer.of.is_empty()) {
                values::beside(&mut told.standard_errors, told.floor, errors.iter());
            }
            judged.linked.entry(Link::of(&face, plan.additive)).or_default().push((at, place, told));
            judged.faces.push(face);
        }
    }
    Ok(judged)
}

/// How many levels each measured dimension has.
pub(super) fn sizes(plan: &Plan) -> Vec<usize> {
    plan.measured_dimensions().map(|(_, dimension)| dimension.levels.len()).collect()
}

/// New tables, and the impossible cells of all tables behind them, where anything is withheld or left over.
pub(super) fn beside_the_impossible(plan: &Plan, link: &Link, standing: &[Told], mut new: Vec<Told>) -> Vec<Told> {
    let silent = |told: &Told| told.verdicts.contains(&Verdict::Withheld);
    let left_over = || suppress::leave_over(&sizes(plan), &standing.iter().chain(&new));
    if link.alone.is_none() && (standing.iter().chain(&new).any(silent) || left_over()) {
        new.extend(Frame::of_plan(plan).impossible(&impossible(plan), standing.iter().chain(&new)));
    }
    new
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
    let layer = |name: String, of: &[Cut]| {
        let (cut, tables) = (plan.part(&Quantity::Persons, of), parts.persons(of)?);
        let verdicts = tables.iter().map(|table| floor(&cut, table)).collect();
        Ok(Layer { name, of: of.to_vec(), tables, verdicts })
    };
    let cut_out = cuts.into_iter().map(|of| layer(part_name(&plan.part(&Quantity::Persons, of), of), of));
    let mut layers: Vec<Layer> =
        std::iter::once(layer(Figure::Persons.name(), &[])).chain(cut_out).collect::<Result<_, AnswerError>>()?;
    let judged: Vec<Vec<Vec<Verdict>>> = layers.iter().map(|part| of_part(plan, part, &layers)).collect();
    for (layer, verdicts) in layers.iter_mut().zip(judged) {
        layer.verdicts = verdicts;
    }
    Ok(layers)
}

fn floor(plan: &Plan, table: &EstimatedTable) -> Vec<Verdict> {
    let rules = Rules { threshold: plan.floor(&table.dims), ..plan.rules.clone() };
    let inside = Inside::new(plan, &table.dims);
    suppress::apply(table, &rules, |place| inside.impossible(place))
}

/// A part is silent where its cell is, and where few are left of its cell or of a larger part: both together would show
/// them.
fn of_part(plan: &Plan, part: &Layer, layers: &[Layer]) -> Vec<Vec<Verdict>> {
    let cut = plan.part(&Quantity::Persons, &part.of);
    let larger = |layer: &&Layer| layer.of.len() < part.of.len() && layer.of.iter().all(|cut| part.of.contains(cut));
    let around: Vec<&Layer> = layers.iter().filter(larger).collect();
    let of_table = |(place, (table, own)): (usize, (&EstimatedTable, &Vec<Verdict>))| {
        let least = f64::from(cut.floor(&table.dims));
        let few_left = |cell: usize, own: f64| {
            let whole = |layer: &&Layer| layer.tables.get(place).and_then(|table| table.values.get(cell).copied());
            around.iter().filter_map(whole).any(|whole| whole - own < least)
        };
        let shown = |cell: usize| {
            let of = |layer: &Layer| layer.verdicts.get(place).and_then(|verdicts| verdicts.get(cell).copied());
            layers.first().and_then(of) == Some(Verdict::Shown)
        };
        let cells = own.iter().zip(&table.values).enumerate();
        let judged = cells.map(|(cell, (own, &value))| match own {
            Verdict::Shown if shown(cell) && !few_left(cell, value) => Verdict::Shown,
            Verdict::Shown | Verdict::Withheld => Verdict::Withheld,
            Verdict::Structural => Verdict::Structural,
        });
        judged.collect()
    };
    part.tables.iter().zip(&part.verdicts).enumerate().map(of_table).collect()
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

/// Rows are told where persons are, if that leaves their withheld figures as much room; and the faces of their tables,
/// told or not: what is silent now stays so beside what is asked later.
fn rows(
    plan: &Plan,
    parts: &Parts<'_>,
    layers: &[Layer],
    earlier: &Linked,
) -> Result<(bool, Vec<TableFace>), AnswerError> {
    let Some(persons) = layers.first().filter(|_| plan.figures.contains(&Figure::Rows)) else {
        return Ok((false, Vec::new()));
    };
    let plan = plan.part(&Quantity::Rows, &[]);
    let tables = parts.quantity(&Quantity::Rows)?;
    let faces: Vec<TableFace> = tables.iter().map(|table| TableFace::of(&plan, ROWS, table)).collect();
    let new = faces.iter().zip(tables.iter().zip(&persons.verdicts));
    let new = new.map(|(face, (table, verdicts))| told(&plan, face, table, verdicts.clone()));
    let link = Link { rows: true, alone: None, sum: None };
    let standing = earlier.get(&link).map_or(&[][..], Vec::as_slice);
    let new = beside_the_impossible(&plan, &link, standing, new.collect());
    let all: Vec<Told> = standing.iter().cloned().chain(new).collect();
    Ok((suppress::audit(&sizes(&plan), &all).is_ok(), faces))
}
