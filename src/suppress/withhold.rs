//! The partners of withheld cells, over all tables of a release and all that stands of its draw.
//!
//! # Guarantee
//! G9: estimates and errors in, verdicts out. No published figures of one draw determine a withheld one, in the senses
//! the certificate names; what was published stays published, what was withheld stays withheld, structural zeros are
//! never partners. The first release of a draw is never refused: in the worst case all of its cells are withheld.

use super::Verdict;
use super::certificate::{Certificate, WouldReveal};
use super::inspect::faults;
use super::search::{Inspection, Pattern, Problem, Standing};
use super::told::{System, Told};

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
    let system = System::join(sizes, earlier, new);
    let rows = system.lattice.moves();
    let order = system.order();
    let problem = Problem { rows: &rows, standing: &system.standing, order: &order };
    let inspect = |pattern: &Pattern| match system.slack(pattern, &mut system.estimates.clone()) {
        Some(slack) => faults(&system, pattern, &slack).inspection(&system, pattern, &order),
        None => Inspection::Stuck,
    };
    let pattern = problem.solve(inspect).map_or_else(
        || {
            let all = Problem { order: &[], ..problem }.pattern(&[]);
            let safe = earlier.is_empty() || !all.lost && inspect(&all) == Inspection::Safe;
            if safe { Ok(all) } else { Err(WouldReveal) }
        },
        Ok,
    )?;
    let withheld = |cell: usize| pattern.withheld.get(cell).copied().unwrap_or(true);
    let verdicts = new
        .iter()
        .zip(system.places.iter().skip(earlier.len()))
        .map(|(told, places)| told.verdicts.iter().zip(places).map(|(v, &cell)| decided(*v, withheld(cell))).collect())
        .collect();
    Ok((verdicts, certificate(&system, &pattern.withheld, rows.len())))
}

/// What stands already is told again, by whatever floor it was judged now.
fn decided(verdict: Verdict, withheld: bool) -> Verdict {
    match (verdict, withheld) {
        (Verdict::Structural, _) => Verdict::Structural,
        (Verdict::Shown | Verdict::Withheld, true) => Verdict::Withheld,
        (Verdict::Shown | Verdict::Withheld, false) => Verdict::Shown,
    }
}

/// What holds of a pattern that passed.
pub(super) fn certificate(system: &System, withheld: &[bool], coordinates: usize) -> Certificate {
    let floors = system.floors.iter().zip(withheld).filter(|(_, withheld)| **withheld).map(|(&floor, _)| floor);
    Certificate {
        cells: system.standing.len(),
        coordinates,
        width: floors.reduce(f64::min),
        withheld: withheld.iter().filter(|withheld| **withheld).count(),
        ..Certificate::default()
    }
}

/// Whether the cell is one that the search may not touch. Only used by the audit.
pub(super) fn as_published(standing: Standing) -> Standing {
    match standing {
        Standing::Open | Standing::Published => Standing::Published,
        Standing::Withheld => Standing::Withheld,
    }
}
