//! How many cells of a release are withheld for the sake of others, and how few it could be.
//!
//! # Guarantee
//! G9: noisy figures only. For officers alone: that a cell is small and its neighbour is not is an equation about
//! withheld cells.

use super::answer::AnswerError;
use super::parts::Parts;
use super::silence::{Judged, beside_the_impossible, judged, sizes, unasked};
use super::table::Linked;
use crate::policy::Plan;
use crate::suppress::{Tally, Told, Verdict, tally_beside};
use serde::Serialize;

/// Withheld cells of persons in all tables of a release, each counted once. For officers alone.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct PartnersFace {
    /// Withheld for their own sake, or since an earlier release of the same draw.
    pub primaries: usize,
    /// Withheld because a primary could be worked out otherwise.
    pub partners: usize,
    /// No release that keeps what the certificate says could do with fewer partners than this.
    pub at_least: usize,
    /// The part of the partners that is not proved to be needed: 0 where there are as few as can be.
    pub gap: f64,
}

impl From<Tally> for PartnersFace {
    fn from(tally: Tally) -> Self {
        let Tally { primaries, partners, at_least } = tally;
        let in_doubt = partners.saturating_sub(at_least);
        Self { primaries, partners, at_least, gap: float(in_doubt) / float(partners.max(1)) }
    }
}

/// What became of the cells of all tables of persons, by table face, beside what stood of the draw before.
pub(super) fn partners(
    plan: &Plan,
    parts: &Parts<'_>,
    released: &[Vec<Verdict>],
    earlier: &Linked,
) -> Result<Option<PartnersFace>, AnswerError> {
    if !plan.rules.complementary {
        return Ok(None);
    }
    let Judged { layers, linked, .. } = judged(plan, parts)?;
    let of_layer = layers.first().map_or(0, |layer| layer.tables.len());
    let mut all = Tally::default();
    for (link, tables) in linked {
        let (places, new): (Vec<_>, Vec<Told>) =
            tables.into_iter().map(|(at, place, told)| (at * of_layer + place, told)).unzip();
        let verdicts: Vec<Vec<Verdict>> = places.iter().filter_map(|&face| released.get(face)).cloned().collect();
        let standing = earlier.get(&link).map_or(&[][..], Vec::as_slice);
        let new = beside_the_impossible(plan, &link, standing, new);
        let hidden = unasked(plan, parts, &link, standing, &new)?.unwrap_or_default();
        all = all.and(tally_beside(&sizes(plan), standing, &new, &hidden, &verdicts));
    }
    Ok(Some(all.into()))
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "numbers of cells")]
fn float(cells: usize) -> f64 {
    cells as f64
}
