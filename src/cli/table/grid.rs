//! One table: which dimensions run down, which runs across, and the text of each cell.

use super::{Page, TOTAL};
use crate::cli::style::grouped;
use crate::release::{Cell, DimensionFace, Number, Status};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

/// Column heads longer than this give way to their codes, with the names above the table.
const COLUMN_LABEL_MAX: usize = 14;

/// Cells of one measure that belong together.
pub(super) struct Grid<'a> {
    title: String,
    dimensions: Vec<&'a DimensionFace>,
    cells: HashMap<Vec<&'a str>, &'a Cell>,
    codes: Vec<Vec<&'a str>>,
}

impl<'a> Grid<'a> {
    /// Sets the cells out. Dimensions that hold one code throughout go into the title.
    pub(super) fn new(dimensions: &'a [DimensionFace], measure: &str, cells: &[&'a Cell]) -> Self {
        let code = |cell: &'a Cell, d: &DimensionFace| cell.key.get(&d.id).map_or(TOTAL, String::as_str);
        let mut varying = Vec::new();
        let mut fixed = Vec::new();
        let mut codes = Vec::new();
        for dimension in dimensions {
            let seen: BTreeSet<&str> = cells.iter().map(|cell| code(cell, dimension)).collect();
            if seen.len() > 1 {
                let mut order: Vec<&str> =
                    dimension.codes.iter().map(|c| c.code.as_str()).filter(|c| seen.contains(c)).collect();
                order.extend(seen.iter().filter(|c| **c != TOTAL && !dimension.codes.iter().any(|d| d.code == **c)));
                order.extend(seen.contains(TOTAL).then_some(TOTAL));
                codes.push(order);
                varying.push(dimension);
            } else if let Some(only) = seen.iter().find(|only| **only != TOTAL) {
                fixed.push(format!("{}: {}", title(dimension), label(dimension, only)));
            }
        }
        let by: Vec<String> = varying.iter().map(|d| title(d)).collect();
        let mut heading = if by.is_empty() { measure.to_owned() } else { format!("{measure} by {}", by.join(" x ")) };
        if !fixed.is_empty() {
            let _ = write!(heading, " ({})", fixed.join(", "));
        }
        let cells = cells.iter().map(|cell| (varying.iter().map(|d| code(cell, d)).collect(), *cell)).collect();
        Self { title: heading, dimensions: varying, cells, codes }
    }

    /// The table as text.
    pub(super) fn render(&self, page: Page) -> String {
        let laid = self.layouts().find(|laid| laid.width() <= page.width).unwrap_or_else(|| self.listed());
        let mut text = page.style.bold(&self.title);
        if let Some(legend) = &laid.legend {
            let _ = write!(text, "\n{}", page.style.dim(legend));
        }
        let widths = laid.widths();
        for (number, line) in laid.lines.iter().take(page.rows_max.saturating_add(1)).enumerate() {
            let fields = line.iter().zip(&widths).enumerate();
            let set: Vec<String> = fields
                .map(
                    |(i, (field, &width))| {
                        if i < laid.labels { format!("{field:<width$}") } else { format!("{field:>width$}") }
                    },
                )
                .collect();
            let set = set.join("  ");
            let set = set.trim_end();
            let _ = write!(text, "\n{}", if number == 0 { page.style.dim(set) } else { set.to_owned() });
        }
        let hidden = laid.lines.len().saturating_sub(1).saturating_sub(page.rows_max);
        if hidden > 0 {
            let _ = write!(text, "\n{}", page.style.dim(&format!("... {hidden} more lines")));
        }
        text + "\n"
    }

    /// Layouts with one dimension across, the best first: the last one with whole intervals, then with half-widths,
    /// then the smallest one.
    fn layouts(&self) -> impl Iterator<Item = Laid> + '_ {
        let last = self.dimensions.len().checked_sub(1).filter(|last| *last > 0);
        let smallest = last.and_then(|_| (0..self.dimensions.len()).min_by_key(|&i| self.codes.get(i).map(Vec::len)));
        [(last, Form::Interval), (last, Form::HalfWidth), (smallest, Form::HalfWidth)]
            .into_iter()
            .filter_map(|(across, form)| self.pivoted(across?, form))
    }

    /// One dimension across.
    fn pivoted(&self, across: usize, form: Form) -> Option<Laid> {
        let (dimension, columns) = (self.dimensions.get(across)?, self.codes.get(across)?);
        let down: Vec<&DimensionFace> = without(&self.dimensions, across);
        let short = columns.iter().any(|code| label(dimension, code).chars().count() > COLUMN_LABEL_MAX);
        let head = |code: &&str| if short && *code != TOTAL { (*code).to_owned() } else { label(dimension, code) };
        let mut lines = vec![down.iter().map(|d| title(d)).chain(columns.iter().map(head)).collect()];
        for key in product(&without(&self.codes, across)) {
            let cell = |code: &&'a str| {
                let mut whole = key.clone();
                whole.insert(across, code);
                self.cells.get(&whole)
            };
            let cells: Vec<Option<&&Cell>> = columns.iter().map(cell).collect();
            if cells.iter().any(Option::is_some) {
                let labels = key.iter().zip(&down).map(|(code, d)| label(d, code));
                let figures = cells.into_iter().map(|cell| cell.map_or_else(String::new, |cell| figure(cell, form)));
                lines.push(labels.chain(figures).collect());
            }
        }
        let named = columns.iter().filter(|code| **code != TOTAL).map(|code| label(dimension, code));
        let legend = short.then(|| format!("{}: {}", title(dimension), named.collect::<Vec<_>>().join(", ")));
        Some(Laid { lines, labels: down.len(), legend })
    }

    /// One line a cell.
    fn listed(&self) -> Laid {
        let mut lines = vec![self.dimensions.iter().map(|d| title(d)).chain(["figure".to_owned()]).collect::<Vec<_>>()];
        if self.dimensions.is_empty() {
            lines = vec![vec![String::new(), "figure".to_owned()]];
        }
        for key in product(&self.codes) {
            if let Some(cell) = self.cells.get(&key) {
                let mut labels: Vec<String> =
                    key.iter().zip(&self.dimensions).map(|(code, d)| label(d, code)).collect();
                if labels.is_empty() {
                    labels.push("all".to_owned());
                }
                labels.push(figure(cell, Form::Interval));
                lines.push(labels);
            }
        }
        Laid { lines, labels: self.dimensions.len().max(1), legend: None }
    }
}

/// Lines of fields, the first `labels` of each to the left.
struct Laid {
    lines: Vec<Vec<String>>,
    labels: usize,
    legend: Option<String>,
}

impl Laid {
    fn widths(&self) -> Vec<usize> {
        self.lines.iter().fold(Vec::new(), |mut widths: Vec<usize>, line| {
            widths.resize(widths.len().max(line.len()), 0);
            widths.iter_mut().zip(line).for_each(|(width, field)| *width = (*width).max(field.chars().count()));
            widths
        })
    }

    fn width(&self) -> usize {
        self.widths().iter().map(|width| width + 2).sum::<usize>().saturating_sub(2)
    }
}

/// How an interval is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Both ends.
    Interval,
    /// Its larger half; both ends where the halves differ by more than rounding.
    HalfWidth,
}

fn without<T: Clone>(all: &[T], place: usize) -> Vec<T> {
    all.iter().enumerate().filter(|(i, _)| *i != place).map(|(_, one)| one.clone()).collect()
}

/// A cell as text: figure, interval, mark. A withheld cell is a dot and nothing else.
fn figure(cell: &Cell, form: Form) -> String {
    let Some(value) = &cell.value else { return "·".to_owned() };
    let whole = |number: &Option<Number>| number.as_ref().and_then(Number::whole);
    let interval = match (value.whole().zip(whole(&cell.low)), whole(&cell.high)) {
        (Some((value, low)), Some(high)) => {
            let (below, above) = (value.saturating_sub(low), high.saturating_sub(value));
            match form {
                Form::HalfWidth if below.abs_diff(above) <= 1 => format!(" ±{}", grouped(below.max(above))),
                Form::HalfWidth | Form::Interval => format!(" ({}–{})", grouped(low), grouped(high)),
            }
        }
        (Some(_) | None, _) => match (&cell.low, &cell.high) {
            (Some(low), Some(high)) => format!(" ({low}–{high})"),
            (Some(_) | None, _) => String::new(),
        },
    };
    let mark = match cell.status {
        Status::U => " u",
        Status::A | Status::Q => "",
    };
    let mark = if cell.within_noise == Some(true) { format!("{mark} ~") } else { mark.to_owned() };
    format!("{}{interval}{mark}", value.whole().map_or_else(|| value.to_string(), grouped))
}

fn title(dimension: &DimensionFace) -> String {
    dimension.title.get("en").filter(|t| !t.is_empty()).unwrap_or(&dimension.id).clone()
}

/// A code with its name: the name alone where it is no longer than needed to know it.
fn label(dimension: &DimensionFace, code: &str) -> String {
    if code == TOTAL {
        return "all".to_owned();
    }
    let name = dimension.codes.iter().find(|c| c.code == code).and_then(|c| c.name.get("en"));
    match name.filter(|name| !name.is_empty() && name.as_str() != code) {
        Some(name) => format!("{code} {name}"),
        None => code.to_owned(),
    }
}

fn product<'a>(codes: &[Vec<&'a str>]) -> Vec<Vec<&'a str>> {
    codes.iter().fold(vec![Vec::new()], |keys, column| {
        keys.iter().flat_map(|key| column.iter().map(|code| [key.as_slice(), &[*code]].concat())).collect()
    })
}
