//! What a release says of its withheld cells, and what an audit finds when it is not so.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A sense in which withheld cells are safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Notion {
    /// No withheld estimate is a linear combination of published figures, nor is any other group below the floor that
    /// they name in every dimension, by a set of codes or by what sets leave over. In systems of more than 4,096 such
    /// groups: any that lines of cells lead to which differ in one dimension alone. Other sums of hidden cells have W.
    A,
    /// No withheld estimate follows from another one that a single person could know, being the only one counted in it.
    E,
    /// The published figures, with every withheld estimate bounded only by -6 of its standard errors, leave an interval
    /// at least as wide as the floor for each withheld estimate.
    W,
}

/// What was proved of a release together with all that stands of its draw. Anyone can prove it again from the published
/// files alone ([`super::audit`]).
///
/// `width` is the width promised, not the narrowest found: on the way to a proof narrower bounds are met that depend on
/// the withheld estimates themselves, and are nobody's to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Certificate {
    /// Cells of the audited system.
    pub cells: usize,
    /// Its coordinates: in how many ways its figures can change.
    pub coordinates: usize,
    /// By measure, what holds of its withheld figures. A figure that does not add up with others (a mean, a median, a
    /// share) is told of no cell but its own, and nothing is proved of it. Sums may have either sign: there is no W.
    #[serde(default)]
    pub measures: BTreeMap<String, Vec<Notion>>,
    /// What holds of persons.
    pub notions: Vec<Notion>,
    /// Each withheld estimate has an interval at least this wide; none where nothing is withheld.
    pub width: Option<f64>,
    /// How many different cells are withheld, of all that stands of the draw.
    pub withheld: usize,
}

impl Default for Certificate {
    /// Of nothing: all of it holds.
    fn default() -> Self {
        let notions = vec![Notion::A, Notion::E, Notion::W];
        Self { cells: 0, coordinates: 0, measures: BTreeMap::new(), notions, width: None, withheld: 0 }
    }
}

impl Certificate {
    /// Of two systems that tell nothing of each other.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        let mut measures = self.measures;
        measures.extend(other.measures.clone());
        Self {
            measures,
            cells: self.cells.saturating_add(other.cells),
            coordinates: self.coordinates.saturating_add(other.coordinates),
            notions: self.notions.into_iter().filter(|notion| other.notions.contains(notion)).collect(),
            width: self.width.into_iter().chain(other.width).reduce(f64::min),
            withheld: self.withheld.saturating_add(other.withheld),
        }
    }
}

/// Why figures cannot be released beside what stands of their draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "with what is published of the same draw, these figures would give a withheld one away; ask for a table that stands already, or for a new draw"
)]
pub struct WouldReveal;

impl WouldReveal {
    /// The refusal's stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        "would_reveal_withheld"
    }
}

/// What an audit found wrong. Cells are given as (table, place).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Revealed {
    /// The published figures contradict each other.
    #[error("the published figures do not add up at {0:?}")]
    DoesNotAddUp(Vec<(usize, usize)>),
    /// They fix withheld figures (A).
    #[error("the published figures give away the withheld ones at {0:?}")]
    Known(Vec<(usize, usize)>),
    /// A small group follows from them that nobody asked for (A): these published cells hold it.
    #[error("the published figures give away a small group that nobody asked for, inside {0:?}")]
    Unasked(Vec<(usize, usize)>),
    /// One withheld figure follows from another that a single person could know (E).
    #[error("withheld figures follow from one another at {0:?}")]
    Tied(Vec<(usize, usize)>),
    /// They leave withheld figures too little room (W).
    #[error("the published figures leave too little room at {0:?}")]
    Narrow(Vec<(usize, usize)>),
    /// The work allowed did not decide.
    #[error("the audit could not decide about {0:?} within the work allowed")]
    Undecided(Vec<(usize, usize)>),
}
