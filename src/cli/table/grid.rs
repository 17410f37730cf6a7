//! One table: which dimensions run down, which runs across, and the text of each cell.

use super::{Page, TOTAL};
use crate::cli::style::grouped;
use crate::release::{Cell, DimensionFace, Status};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

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
            let seen: BTreeMap<&str, ()> = cells.iter().map(|cell| (code(cell, dimension), ())).collect();
            if seen.len() > 1 {
                let mut order: Vec<&str> =
                    dimension.codes.iter().map(|c| c.code.as_str()).filter(|c| seen.contains_key(c)).collect();
                order.extend(seen.keys().filter(|c| **c != TOTAL && !dimension.codes.iter().any(|d| d.code == **c)));
                order.extend(seen.contains_key(TOTAL).then_some(TOTAL));
                codes.push(order);
                varying.push(dimension);
            } else if let Some(only) = seen.keys().find(|only| **only != TOTAL) {
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

    /// The table as text, without a line break at its end.
    pub(super) fn render(&self, page: Page) -> String {
        let pivoted = self.pivoted();
        let fits =
            pivoted.as_ref().is_some_and(|lines| widths(lines).iter().map(|w| w + 2).sum::<usize>() <= page.width + 2);
        let (lines, labels) = match pivoted {
            Some(lines) if fits => (lines, self.dimensions.len() - 1),
            Some(_) | None => (self.listed(), self.dimensions.len().max(1)),
        };
        let widths = widths(&lines);
        let mut text = page.style.bold(&self.title);
        for (number, line) in lines.iter().take(page.rows_max.saturating_add(1)).enumerate() {
            let set: String = line.iter().zip(&widths).enumerate().fold(String::new(), |row, (i, (field, &width))| {
                let gap = if i == 0 { "" } else { "  " };
                if i < labels.max(1) {
                    row + gap + &format!("{field:<width$}")
                } else {
                    row + gap + &format!("{field:>width$}")
                }
            });
            let set = set.trim_end();
            let _ = write!(text, "\n{}", if number == 0 { page.style.dim(set) } else { set.to_owned() });
        }
        let hidden = lines.len().saturating_sub(1).saturating_sub(page.rows_max);
        if hidden > 0 {
            let _ = write!(text, "\n{}", page.style.dim(&format!("... {hidden} more lines")));
        }
        text + "\n"
    }

    /// The last dimension across; needs at least two dimensions.
    fn pivoted(&self) -> Option<Vec<Vec<String>>> {
        let (last, down) = self.dimensions.split_last()?;
        let (across, codes) = self.codes.split_last()?;
        if down.is_empty() {
            return None;
        }
        let mut lines = vec![down.iter().map(|d| title(d)).chain(across.iter().map(|c| label(last, c))).collect()];
        for key in product(codes) {
            let cells: Vec<Option<&&Cell>> =
                across.iter().map(|c| self.cells.get(&key.iter().copied().chain([*c]).collect::<Vec<_>>())).collect();
            if cells.iter().any(Option::is_some) {
                let labels = key.iter().zip(down).map(|(code, d)| label(d, code));
                lines
                    .push(labels.chain(cells.into_iter().map(|c| c.map_or_else(String::new, |c| figure(c)))).collect());
            }
        }
        Some(lines)
    }

    /// One line a cell.
    fn listed(&self) -> Vec<Vec<String>> {
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
                labels.push(figure(cell));
                lines.push(labels);
            }
        }
        lines
    }
}

/// A cell as text: figure, interval, mark. A withheld cell is a dot and nothing else.
fn figure(cell: &Cell) -> String {
    let Some(value) = cell.value else { return "·".to_owned() };
    let interval = match (cell.low, cell.high) {
        (Some(low), Some(high)) => format!(" ({}–{})", grouped(low), grouped(high)),
        (Some(_) | None, _) => String::new(),
    };
    let mark = match cell.status {
        Status::U => " u",
        Status::A | Status::Q => "",
    };
    format!("{}{interval}{mark}", grouped(value))
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

fn widths(lines: &[Vec<String>]) -> Vec<usize> {
    lines.iter().fold(Vec::new(), |mut widths: Vec<usize>, line| {
        widths.resize(widths.len().max(line.len()), 0);
        widths.iter_mut().zip(line).for_each(|(width, field)| *width = (*width).max(field.chars().count()));
        widths
    })
}
