//! What an analyst with patience knows: every published figure of one draw as a sum of leaves, and plain elimination.
//!
//! Reads the public documents by itself and shares no code with what keeps the promises: keys, filters and the names of
//! parts become sets of leaves; what follows from the shown ones is solved for.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Columns and their codes; then groupings: name, column, and by code the places in its list.
pub const COLUMNS: [(&str, &[&str]); 4] = [
    ("state", &["north", "south", "west"]),
    ("sex", &["F", "M"]),
    ("origin", &["xx", "yy", "zz"]),
    ("age", &["Y0T14", "Y15T17", "Y_GE18"]),
];
pub const GROUPS: [(&str, usize, &[(&str, &[usize])]); 1] = [("child", 3, &[("Y0T17", &[0, 1]), ("Y_GE18", &[2])])];
/// Nobody can be in it: by column, the places.
pub const IMPOSSIBLE: [(usize, usize); 2] = [(2, 2), (3, 0)];

pub type Leaves = Vec<bool>;

/// By column the codes that something stands for.
pub type Chosen = [BTreeSet<usize>; COLUMNS.len()];

pub fn all() -> Chosen {
    COLUMNS.map(|(_, codes)| (0..codes.len()).collect())
}

/// The leaves of a choice, those left out in which nobody can be.
pub fn leaves(chosen: &Chosen) -> Leaves {
    combinations().map(|leaf| chosen.iter().zip(leaf).all(|(of, at)| of.contains(&at)) && possible(&leaf)).collect()
}

pub fn possible(leaf: &[usize; COLUMNS.len()]) -> bool {
    !IMPOSSIBLE.iter().all(|&(column, code)| leaf[column] == code)
}

/// Every combination of codes, the last column fastest.
pub fn combinations() -> impl Iterator<Item = [usize; COLUMNS.len()]> {
    let sizes = COLUMNS.map(|(_, codes)| codes.len());
    (0..sizes.iter().product::<usize>()).map(move |mut leaf| {
        let mut at = [0; COLUMNS.len()];
        for (place, size) in at.iter_mut().zip(sizes).rev() {
            (*place, leaf) = (leaf % size, leaf / size);
        }
        at
    })
}

/// What a code of a column or grouping stands for.
fn places(name: &str, code: &str) -> (usize, BTreeSet<usize>) {
    if let Some(column) = COLUMNS.iter().position(|(column, _)| *column == name) {
        let place = COLUMNS[column].1.iter().position(|own| *own == code);
        return (column, BTreeSet::from([place.unwrap_or_else(|| panic!("{name} has no {code}"))]));
    }
    let (_, column, groups) = GROUPS.iter().find(|(own, ..)| *own == name).unwrap_or_else(|| panic!("no {name}"));
    let (_, members) = groups.iter().find(|(own, _)| *own == code).unwrap_or_else(|| panic!("{name} has no {code}"));
    (*column, members.iter().copied().collect())
}

fn narrow<'a>(chosen: &mut Chosen, name: &str, codes: impl Iterator<Item = &'a str>) {
    let (mut column, mut held) = (None, BTreeSet::new());
    for code in codes {
        let (of, places) = places(name, code);
        column = Some(of);
        held.extend(places);
    }
    if let Some(column) = column {
        chosen[column].retain(|place| held.contains(place));
    }
}

/// What a cell of persons of a release stands for; none for another measure.
fn read(body: &Value, cell: &Value) -> Option<Chosen> {
    let measure = cell["measure"].as_str().unwrap();
    let part = measure.strip_prefix("persons")?;
    let mut chosen = all();
    for (name, codes) in body["question"]["where"].as_object().into_iter().flatten() {
        narrow(&mut chosen, name, codes.as_array().unwrap().iter().filter_map(Value::as_str));
    }
    for (name, code) in cell["key"].as_object().unwrap().iter().filter(|(_, code)| *code != "_T") {
        narrow(&mut chosen, name, code.as_str().unwrap().split('+'));
    }
    for of in part.strip_prefix(':').into_iter().flat_map(|parts| parts.split(',')) {
        let (name, codes) = of.split_once('=').unwrap();
        narrow(&mut chosen, name, codes.split('+'));
    }
    Some(chosen)
}

/// One figure of persons, as it is published.
#[derive(Clone)]
pub struct Figure {
    pub chosen: Chosen,
    pub held: Leaves,
    /// None where it is withheld.
    pub estimate: Option<f64>,
    pub error: f64,
    pub floor: f64,
}

/// Every figure of persons in the releases of one draw.
pub fn figures(bodies: &[Value]) -> Vec<Figure> {
    bodies.iter().flat_map(of_body).collect()
}

fn of_body(body: &Value) -> Vec<Figure> {
    let tables = body["tables"].as_array().unwrap();
    let names = |table: &Value| -> BTreeSet<String> {
        table["by"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let ever: BTreeSet<String> = tables.iter().flat_map(names).collect();
    let mut seen: BTreeMap<usize, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for cell in body["cells"].as_array().unwrap() {
        let Some(chosen) = read(body, cell) else { continue };
        let key = cell["key"].as_object().unwrap().iter();
        let by: BTreeSet<String> =
            key.filter(|(name, code)| ever.contains(*name) && *code != "_T").map(|(name, _)| name.clone()).collect();
        let of_it = |table: &&Value| table["measure"] == cell["measure"] && names(table) == by;
        let at = tables.iter().position(|table| of_it(&table)).unwrap_or_else(|| panic!("no table for {cell}"));
        let place = seen.entry(at).or_default();
        let errors = tables[at]["se"].as_array().unwrap();
        let error = errors.get(if errors.len() == 1 { 0 } else { *place }).unwrap();
        *place += 1;
        let structural = cell["reason"] == "structural";
        let text = cell["estimate"].as_str().map(|text| text.parse().unwrap());
        found.push(Figure {
            held: leaves(&chosen),
            chosen,
            estimate: if structural { Some(0.0) } else { text },
            error: error.as_str().unwrap().parse().unwrap(),
            floor: tables[at]["floor"].as_f64().unwrap(),
        });
    }
    found
}

/// What shown figures fix, solved for as they come.
#[derive(Default)]
pub struct Span {
    /// Where it is 1 and all others 0, the leaves, and what they come to.
    rows: Vec<(usize, Vec<f64>, f64)>,
}

impl Span {
    pub fn of<'a>(figures: impl Iterator<Item = &'a Figure>) -> (Self, Vec<&'a Figure>) {
        let (mut span, mut needed) = (Self::default(), Vec::new());
        for figure in figures {
            let Some(estimate) = figure.estimate else { continue };
            if span.learn(&figure.held, estimate) {
                needed.push(figure);
            }
        }
        (span, needed)
    }

    /// What is left of a group once all that is known is taken off, and what was taken off.
    pub fn left(&self, held: &[bool]) -> (Vec<f64>, f64) {
        let mut rest: Vec<f64> = held.iter().map(|&held| f64::from(u8::from(held))).collect();
        let mut known = 0.0;
        for (pivot, row, value) in &self.rows {
            let times = rest[*pivot];
            if times != 0.0 {
                rest.iter_mut().zip(row).for_each(|(rest, one)| *rest -= times * one);
                known += times * value;
            }
        }
        (rest, known)
    }

    /// What a group comes to, if that follows from what is known.
    pub fn tells(&self, held: &[bool]) -> Option<f64> {
        let (rest, known) = self.left(held);
        rest.iter().all(|one| one.abs() < 1e-6).then_some(known)
    }

    /// Whether this was new.
    fn learn(&mut self, held: &[bool], estimate: f64) -> bool {
        let (mut row, known) = self.left(held);
        let pivot = (0..row.len()).max_by(|&a, &b| row[a].abs().total_cmp(&row[b].abs())).unwrap();
        let scale = row[pivot];
        if scale.abs() < 1e-6 {
            assert!((estimate - known).abs() < 0.05, "the figures contradict each other: {estimate} {known}");
            return false;
        }
        for one in &mut row {
            *one /= scale;
        }
        let value = (estimate - known) / scale;
        for (_, other, of) in &mut self.rows {
            let times = other[pivot];
            other.iter_mut().zip(&row).for_each(|(other, one)| *other -= times * one);
            *of -= times * value;
        }
        self.rows.push((pivot, row, value));
        true
    }
}

/// Withheld figures that are known, and those that follow from another one that a single person could know. For people.
pub fn known(figures: &[Figure]) -> Vec<String> {
    let (span, _) = Span::of(figures.iter());
    let mut found = Vec::new();
    let mut ties: BTreeMap<Vec<String>, BTreeSet<&Leaves>> = BTreeMap::new();
    for figure in figures.iter().filter(|figure| figure.estimate.is_none()) {
        if let Some(value) = span.tells(&figure.held) {
            found.push(format!("withheld: {value:.1} in {:?}", figure.chosen));
        }
        if 12.0 * figure.error < figure.floor {
            let (rest, _) = span.left(&figure.held);
            let first = rest.iter().copied().find(|one| one.abs() > 1e-6).unwrap_or(1.0);
            let line = rest.iter().map(|one| format!("{:.4}", one / first).replace("-0.0000", "0.0000")).collect();
            ties.entry(line).or_default().insert(&figure.held);
        }
    }
    found.extend(ties.values().filter(|cells| cells.len() > 1).map(|cells| format!("{} are tied", cells.len())));
    found
}

/// Groups below a floor of 10 that nobody asked for and that follow from what is shown, for people; and, where each is
/// one shown figure less another, these two.
pub fn unasked(figures: &[Figure]) -> Vec<(String, Option<String>)> {
    let (span, _) = Span::of(figures.iter());
    let asked: BTreeSet<&Leaves> = figures.iter().map(|figure| &figure.held).collect();
    let shown: BTreeMap<&Leaves, &Figure> =
        figures.iter().filter(|figure| figure.estimate.is_some()).map(|figure| (&figure.held, figure)).collect();
    let mut found = Vec::new();
    for chosen in products() {
        let held = leaves(&chosen);
        if asked.contains(&held) || !held.contains(&true) {
            continue;
        }
        let small = span.tells(&held).filter(|value| *value < 10.0 - 0.05);
        if let Some(value) = small.filter(|_| !made_of(&held, &asked)) {
            let less = |whole: &Leaves, part: &Leaves| {
                let mut cells = whole.iter().zip(part).zip(&held);
                cells.all(|((whole, part), held)| *whole == (*part || *held) && !(*part && *held))
            };
            let pairs = shown.iter().flat_map(|whole| shown.iter().map(move |part| (whole, part)));
            let pair = pairs.into_iter().find(|((whole, _), (part, _))| less(whole, part));
            let pair = pair.map(|((_, a), (_, b))| format!("{:?} less {:?}", a.chosen, b.chosen));
            found.push((format!("unasked: {value:.1} in {chosen:?}"), pair));
        }
    }
    found
}

/// Every choice of some codes of each column.
fn products() -> impl Iterator<Item = Chosen> {
    let choices = COLUMNS.map(|(_, codes)| (1_usize << codes.len()) - 1);
    (0..choices.iter().product::<usize>()).map(move |mut number| {
        let mut chosen = all();
        for (own, choices) in chosen.iter_mut().zip(choices) {
            let bits = number % choices + 1;
            number /= choices;
            own.retain(|code| bits >> code & 1 == 1);
        }
        chosen
    })
}

/// Whether a group is made of cells that were asked for, none of it twice.
fn made_of(group: &[bool], asked: &BTreeSet<&Leaves>) -> bool {
    let Some(first) = group.iter().position(|&held| held) else { return true };
    let inside = |cell: &&&Leaves| cell[first] && cell.iter().zip(group).all(|(cell, group)| !cell || *group);
    asked.iter().filter(inside).any(|cell| {
        let rest: Leaves = group.iter().zip(*cell).map(|(group, cell)| *group && !cell).collect();
        made_of(&rest, asked)
    })
}
