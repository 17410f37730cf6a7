//! The partners of withheld cells, over all tables of a release and all that stands of its draw.
//!
//! # Guarantee
//! G9: estimates and errors in, verdicts out. No published figures of one draw determine a withheld one, in the senses
//! the certificate names; what was published stays published, what was withheld stays withheld, structural zeros are
//! never partners. The first release of a draw is never refused: in the worst case all of its cells are withheld.

use super::Verdict;
use super::certificate::{Certificate, WouldReveal};
use super::fewest::fewer;
use super::inspect::faults;
use super::lattice::Row;
use super::lines::{lines, narrow_lines};
use super::moves::Moves;
use super::search::{Inspection, Pattern, Problem, Standing};
use super::told::{System, Told};
use super::unchanged::unchanged;
use std::cell::LazyCell;

/// Work of one search, all told, in entries of moves looked at (some 1e9 a second): eliminations, places to look around
/// from, and the programs of all inspections.
const WORK_MAX: u64 = 6_000_000_000;

/// What is told of every cell of the new tables, in their order, once partners are withheld too; and what that proves.
///
/// `sizes` are the numbers of levels of the draw's dimensions; `earlier` all tables that stand of the same draw.
///
/// # Errors
/// [`WouldReveal`] if even withholding all of the new tables would leave a withheld cell unsafe. Never where nothing
/// stands of the draw.
pub fn withhold(
    sizes: &[usize],
    earlier: &[Told],
    new: &[Told],
) -> Result<(Vec<Vec<Verdict>>, Certificate), WouldReveal> {
    withhold_beside(sizes, earlier, new, &[])
}

/// The same beside `hidden` cells that nobody asked for and that must not be known either: small groups that the tables
/// would give away and that the `earlier` ones do not ([`super::unasked_beside`]).
///
/// # Errors
/// [`WouldReveal`] as for [`withhold`].
pub fn withhold_beside(
    sizes: &[usize],
    earlier: &[Told],
    new: &[Told],
    hidden: &[Told],
) -> Result<(Vec<Vec<Verdict>>, Certificate), WouldReveal> {
    let system = System::beside(sizes, earlier, new, hidden);
    let told = |withheld: &[bool]| {
        let verdict = |&cell: &usize| match (system.impossible.get(cell), withheld.get(cell)) {
            (Some(true), _) => Verdict::Structural,
            (_, Some(false)) => Verdict::Shown,
            (_, Some(true) | None) => Verdict::Withheld,
        };
        system.places.iter().skip(earlier.len()).map(|places| places.iter().map(verdict).collect()).collect()
    };
    let as_it_stands: Vec<bool> = system.standing.iter().map(|&standing| standing == Standing::Withheld).collect();
    if !as_it_stands.contains(&true) || unchanged(&system, earlier, &mut system.moves.clone()) {
        return Ok((told(&as_it_stands), certificate(&system, &as_it_stands)));
    }
    let moves = from_least(&system);
    let rows: Vec<Row> = moves.rows().cloned().collect();
    let order = system.order();
    let problem = Problem { rows: &rows, standing: &system.standing, order: &order };
    let tables = [earlier, new].concat();
    let lines = LazyCell::new(|| lines(&tables, &system.places));
    let inspect = |pattern: &Pattern, work: &mut u64| {
        *work = work.saturating_sub(pattern.moves.work());
        let Some(slack) = system.slack(pattern, &mut system.estimates.clone(), work).filter(|_| *work > 0) else {
            return Inspection::Stuck;
        };
        if small(&system, pattern, &slack) {
            let narrow = narrow_lines(&lines, &pattern.withheld, &slack, &system.floors);
            if !narrow.is_empty() {
                return Inspection::Widen(narrow, Vec::new());
            }
        }
        faults(&system, pattern, &slack, work).inspection(&system, pattern, &order)
    };
    let mut work = WORK_MAX;
    let search = |pattern: &Pattern| inspect(pattern, &mut work);
    let found = if moves.overflowed() { None } else { problem.solve(search) };
    if let Some(pattern) = &found
        && let Some(fewer) = fewer(&system, &tables, pattern)
    {
        return Ok((told(&fewer), certificate(&system, &fewer)));
    }
    let pattern = found.map_or_else(
        || {
            let all = Problem { order: &[], ..problem }.pattern(&[]);
            let sound = !all.lost && !moves.overflowed() && !all.moves.overflowed();
            let safe = earlier.is_empty() || sound && inspect(&all, &mut { WORK_MAX }) == Inspection::Safe;
            if safe { Ok(all) } else { Err(WouldReveal) }
        },
        Ok,
    )?;
    Ok((told(&pattern.withheld), certificate(&system, &pattern.withheld)))
}

/// Whether three withheld cells may have less room between them than one of them needs.
fn small(system: &System, pattern: &Pattern, slack: &[f64]) -> bool {
    let withheld = slack.iter().zip(&pattern.withheld).filter(|(_, withheld)| **withheld);
    let least = withheld.map(|(slack, _)| *slack).fold(f64::INFINITY, f64::min);
    3.0 * least < system.floors.iter().copied().fold(0.0, f64::max)
}

/// What can change in the cells, as moves from the levels with the fewest persons: their cells are the last that the
/// search publishes, so that each of those before takes few moves apart.
fn from_least(system: &System) -> Moves {
    let rows = system.lattice.moves_from(&system.lattice.least(&system.estimates));
    let mut moves = Moves::new(system.standing.len(), rows);
    moves
        .publish_all((0..system.impossible.len()).filter(|&cell| system.impossible.get(cell) == Some(&true)).collect());
    moves
}

/// What holds of a pattern that passed.
pub(super) fn certificate(system: &System, withheld: &[bool]) -> Certificate {
    let asked = system.floors.iter().zip(withheld).take(system.asked);
    let floors: Vec<f64> = asked.filter(|(_, withheld)| **withheld).map(|(&floor, _)| floor).collect();
    Certificate {
        cells: system.asked,
        coordinates: system.coordinates,
        width: floors.iter().copied().reduce(f64::min),
        withheld: floors.len(),
        ..Certificate::default()
    }
}

/// Whether the cell is one that the search may not touch. Only used by audits.
pub(super) fn as_published(standing: Standing) -> Standing {
    match standing {
        Standing::Open | Standing::Published => Standing::Published,
        Standing::Withheld => Standing::Withheld,
    }
}
