//! A release as tables for a terminal: aligned, with intervals, withheld cells as a middle dot, and what they mean.
//!
//! One dimension runs across where that fits the page; else every cell has a line of its own. Nothing is computed here
//! but half of an interval: figures, intervals and flags are shown as they stand in the release.

mod grid;

use super::style::{Style, wrap};
use crate::release::{Body, Cell, DimensionFace, Status};
use grid::Grid;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The code of a dimension that is summed out.
const TOTAL: &str = "_T";

/// How a release is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Characters in a line.
    pub width: usize,
    /// Lines of one table; more are only counted.
    pub rows_max: usize,
    /// Colours.
    pub style: Style,
}

impl Default for Page {
    fn default() -> Self {
        Self { width: 100, rows_max: usize::MAX, style: Style::plain() }
    }
}

/// The tables of a release, without its notes.
#[must_use]
pub fn tables(body: &Body, page: Page) -> String {
    let mut text = String::new();
    let measures: BTreeSet<&str> = body.cells.iter().map(|cell| cell.measure.as_str()).collect();
    for measure in &measures {
        let cells: Vec<&Cell> = body.cells.iter().filter(|cell| cell.measure == *measure).collect();
        for table in split(&body.dimensions, &cells) {
            let grid = Grid::new(&body.dimensions, measure, &table);
            let _ = writeln!(text, "{}", grid.render(page));
        }
    }
    text
}

/// What a reader must know: the marks that occur, then the notes of the release.
#[must_use]
pub fn notes(body: &Body, page: Page) -> String {
    let has = |status: Status| body.cells.iter().any(|cell| cell.status == status);
    let mut lines = Vec::new();
    if has(Status::Q) {
        lines.push("·  withheld: the noisy figure is below the floor; that does not mean zero".to_owned());
    }
    if has(Status::U) {
        lines.push("u  unreliable: the interval is wide for the figure".to_owned());
    }
    if body.cells.iter().any(|cell| cell.within_noise == Some(true)) {
        lines.push("~  within the noise: the two groups cannot be told apart".to_owned());
    }
    lines.push(format!("(–) or ±  {:.0} % interval; covers {}", body.confidence * 100.0, body.interval_covers));
    if !body.additive {
        lines.push("cells do not add up to totals: one person can be in several".to_owned());
    }
    lines.extend(body.notes.iter().cloned());
    lines.iter().flat_map(|line| indented(line, page.width)).fold(String::new(), |text, line| text + &line + "\n")
}

fn indented(line: &str, width: usize) -> Vec<String> {
    let lines = wrap(line, width.saturating_sub(4));
    lines.iter().enumerate().map(|(i, part)| if i == 0 { format!("  {part}") } else { format!("    {part}") }).collect()
}

/// The tables among the cells: those broken down by most, each with the margins that lie within it.
fn split<'a>(dimensions: &[DimensionFace], cells: &[&'a Cell]) -> Vec<Vec<&'a Cell>> {
    let pattern = |cell: &Cell| -> BTreeSet<String> {
        let by = |d: &&DimensionFace| cell.key.get(&d.id).is_some_and(|code| code != TOTAL);
        dimensions.iter().filter(by).map(|d| d.id.clone()).collect()
    };
    let patterns: BTreeSet<BTreeSet<String>> = cells.iter().map(|cell| pattern(cell)).collect();
    let widest = patterns.iter().filter(|p| !patterns.iter().any(|q| *p != q && p.is_subset(q)));
    let mut rest: Vec<&Cell> = cells.to_vec();
    let mut tables = Vec::new();
    for widest in widest {
        let (inside, outside) = rest.into_iter().partition(|cell| pattern(cell).is_subset(widest));
        tables.push(inside);
        rest = outside;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::{CodeName, Number};

    fn dimension(id: &str, codes: &[(&str, &str)]) -> DimensionFace {
        let name = |text: &str| [("en".to_owned(), text.to_owned())].into();
        let codes = codes
            .iter()
            .map(|(code, en)| CodeName { code: (*code).into(), members: Vec::new(), name: name(en) })
            .collect();
        DimensionFace { id: id.into(), title: name(id), concept: None, codes, of: None }
    }

    fn cell(key: &[(&str, &str)], value: Option<i64>) -> Cell {
        Cell {
            key: key.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            measure: "persons".into(),
            value: value.map(Number::Whole),
            low: value.map(|v| Number::Whole(v - 5)),
            high: value.map(|v| Number::Whole(v + 5)),
            estimate: None,
            se: None,
            known: None,
            status: if value.is_some() { Status::A } else { Status::Q },
            reason: None,
            within_noise: None,
        }
    }

    fn dimensions() -> Vec<DimensionFace> {
        vec![dimension("adm1", &[("A", "Aland"), ("B", "Bergen")]), dimension("sex", &[("F", "Women"), ("M", "Men")])]
    }

    fn two_by_two() -> Vec<Cell> {
        let mut cells = Vec::new();
        for (i, adm1) in ["A", "B", TOTAL].iter().enumerate() {
            for (j, sex) in ["F", "M", TOTAL].iter().enumerate() {
                let value = (i, j) != (1, 0) && (i, j) != (1, 1);
                cells.push(cell(&[("adm1", adm1), ("sex", sex)], value.then_some(1000)));
            }
        }
        cells
    }

    fn rendered(cells: &[Cell], page: Page) -> String {
        let all: Vec<&Cell> = cells.iter().collect();
        let tables = split(&dimensions(), &all);
        tables.iter().map(|t| Grid::new(&dimensions(), "persons", t).render(page)).collect()
    }

    #[test]
    fn margins_lie_in_the_table_they_belong_to_and_withheld_cells_show_nothing() {
        let text = rendered(&two_by_two(), Page::default());
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].contains("F Women") && lines[1].ends_with("all"), "{text}");
        let bergen = lines.iter().find(|l| l.starts_with("B Bergen")).unwrap();
        assert_eq!(bergen.matches('·').count(), 2, "{text}");
        assert_eq!(bergen.matches("1,000 (995–1,005)").count(), 1, "{text}");
        assert!(lines.last().unwrap().starts_with("all"), "{text}");
        let widths: BTreeSet<usize> = lines.iter().skip(2).map(|l| l.trim_end().chars().count()).collect();
        assert_eq!(widths.len(), 1, "right edges line up: {text}");
    }

    #[test]
    fn a_table_too_wide_for_the_page_is_written_shorter_then_longer() {
        let text = rendered(&two_by_two(), Page { width: 50, ..Page::default() });
        assert!(text.lines().any(|line| line.starts_with("B Bergen") && line.ends_with("1,000 ±5")), "{text}");
        let text = rendered(&two_by_two(), Page { width: 30, ..Page::default() });
        assert_eq!(text.lines().count(), 2 + 9, "{text}");
    }

    #[test]
    fn an_interval_that_is_not_even_keeps_both_ends() {
        let mut cells = two_by_two();
        cells[0].low = Some(Number::Whole(0));
        let text = rendered(&cells, Page { width: 55, ..Page::default() });
        assert!(text.contains("1,000 (0–1,005)") && text.contains("1,000 ±5"), "{text}");
    }

    #[test]
    fn a_difference_that_is_within_the_noise_is_marked() {
        let mut cells = two_by_two();
        cells[0].value = Some(Number::Whole(-3));
        (cells[0].low, cells[0].high, cells[0].within_noise) =
            (Some(Number::Whole(-8)), Some(Number::Whole(2)), Some(true));
        cells[4].within_noise = Some(false);
        let text = rendered(&cells, Page::default());
        assert!(text.contains("-3 (-8–2) ~") && text.matches('~').count() == 1, "{text}");
    }

    #[test]
    fn long_tables_are_cut_and_say_so() {
        let text = rendered(&two_by_two(), Page { rows_max: 1, ..Page::default() });
        assert!(text.contains("... 2 more lines"), "{text}");
    }

    #[test]
    fn separate_tables_stay_separate() {
        let cells = [cell(&[("adm1", "A"), ("sex", TOTAL)], Some(1)), cell(&[("adm1", TOTAL), ("sex", "F")], Some(2))];
        let all: Vec<&Cell> = cells.iter().collect();
        assert_eq!(split(&dimensions(), &all).len(), 2);
    }
}
