//! Draws people and their rows, so that no row contradicts the policy.
//!
//! Columns are drawn one after another; a code that would complete a structural zero is passed over. Where nothing is
//! left for a column, the person is drawn anew.

use super::weights::{KINDS, Weights, normal, part_of};
use crate::policy::{Bands, Kind, Measure, Per, Policy};
use rand::RngExt as _;
use rand::rngs::StdRng;
use std::borrow::Cow;
use std::io;

/// Draws before a column's codes are tried in order.
const TRIES: u32 = 16;

/// People drawn anew before the policy is taken to leave no row possible.
const PEOPLE_TRIED_MAX: u32 = 1_000;

/// The columns of a policy, ready to be drawn.
pub(super) struct Columns {
    drawn: Vec<Drawn>,
    /// Structural zeros: on each of these columns, whether a code is among the selected.
    zeros: Vec<Vec<(usize, Vec<bool>)>>,
    /// A short dimension between whose codes amounts differ.
    gap: Option<usize>,
}

struct Drawn {
    per: Per,
    content: Content,
}

enum Content {
    Codes { weights: Weights, codes: Vec<String>, bands: Option<Bands> },
    Amounts(Measure),
    Ignored,
}

/// A person with the row drawn last: the place of the code drawn, by column.
pub(super) struct Person {
    kind: usize,
    places: Vec<Option<usize>>,
}

impl Person {
    pub(super) fn of(columns: &Columns) -> Self {
        Self { kind: 0, places: vec![None; columns.drawn.len()] }
    }
}

impl Columns {
    pub(super) fn of(policy: &Policy) -> Self {
        let drawn = policy.columns.iter().map(|column| Drawn {
            per: column.per,
            content: match &column.kind {
                Kind::Dimension { codes, bands } => Content::Codes {
                    weights: Weights::of(&column.name, codes, bands.as_ref()),
                    codes: codes.codes.iter().map(|code| code.id.clone()).collect(),
                    bands: bands.clone(),
                },
                Kind::Measure(measure) => Content::Amounts(measure.clone()),
                Kind::Ignored => Content::Ignored,
            },
        });
        let zeros = policy.structural_zeros.iter().map(|zero| {
            let parts = policy.columns.iter().enumerate().filter_map(|(at, column)| {
                let Kind::Dimension { codes, .. } = &column.kind else { return None };
                let selected = zero.get(&column.name)?;
                Some((at, codes.codes.iter().map(|code| selected.contains(&code.id)).collect()))
            });
            parts.collect()
        });
        let is_short = |kind: &Kind| matches!(kind, Kind::Dimension { codes, .. } if codes.len() <= 4);
        Self {
            drawn: drawn.collect(),
            zeros: zeros.collect(),
            gap: policy.columns.iter().position(|column| is_short(&column.kind)),
        }
    }

    /// Draws another person and the first row.
    pub(super) fn draw_person(&self, person: &mut Person, random: &mut StdRng) -> io::Result<()> {
        for _ in 0..PEOPLE_TRIED_MAX {
            person.kind = random.random_range(0..KINDS);
            person.places.fill(None);
            if self.draw(person, Per::Person, random) && self.draw(person, Per::Row, random) {
                return Ok(());
            }
        }
        Err(io::Error::other("the policy's structural zeros leave no possible row; see which of them cover too much"))
    }

    /// Draws another row of the same person.
    pub(super) fn draw_row(&self, person: &mut Person, random: &mut StdRng) -> io::Result<()> {
        for _ in 0..PEOPLE_TRIED_MAX {
            for (place, _) in person.places.iter_mut().zip(&self.drawn).filter(|(_, column)| column.per == Per::Row) {
                *place = None;
            }
            if self.draw(person, Per::Row, random) {
                return Ok(());
            }
        }
        Err(io::Error::other("the policy's structural zeros leave a person no second row; let them have one"))
    }

    /// Draws the columns that describe a person, or a row; `false` where nothing is left for one of them.
    fn draw(&self, person: &mut Person, per: Per, random: &mut StdRng) -> bool {
        for (at, column) in self.drawn.iter().enumerate().filter(|(_, column)| column.per == per) {
            let Content::Codes { weights, .. } = &column.content else { continue };
            let is_free = |place: &usize| !self.is_impossible(&person.places, at, *place);
            let drawn = (0..TRIES).map(|_| weights.draw(person.kind, random)).find(is_free);
            let Some(place) = drawn.or_else(|| weights.possible().find(is_free)) else { return false };
            if let Some(slot) = person.places.get_mut(at) {
                *slot = Some(place);
            }
        }
        true
    }

    /// Whether this code, with those drawn before, is declared impossible.
    fn is_impossible(&self, places: &[Option<usize>], at: usize, place: usize) -> bool {
        let selects = |column: usize, selected: &Vec<bool>| {
            let place = if column == at { Some(place) } else { places.get(column).copied().flatten() };
            place.is_some_and(|place| selected.get(place).copied().unwrap_or(false))
        };
        let touches = |zero: &&Vec<(usize, Vec<bool>)>| zero.iter().any(|(column, _)| *column == at);
        self.zeros.iter().filter(touches).any(|zero| zero.iter().all(|(column, selected)| selects(*column, selected)))
    }

    /// The row drawn last, as it is written.
    pub(super) fn fields<'a>(
        &'a self,
        person: &'a Person,
        random: &'a mut StdRng,
    ) -> impl Iterator<Item = Cow<'a, str>> {
        let first_of_gap = self.gap.and_then(|at| person.places.get(at).copied().flatten()) == Some(0);
        self.drawn.iter().zip(&person.places).map(move |(column, place)| match &column.content {
            Content::Codes { codes, bands, .. } => {
                let place = place.unwrap_or(0);
                let number = bands.as_ref().and_then(|bands| within(bands, place, random));
                let code = || Cow::Borrowed(codes.get(place).map_or("", String::as_str));
                number.map_or_else(code, |number| Cow::Owned(number.to_string()))
            }
            Content::Amounts(measure) => Cow::Owned(amount(measure, person.kind, first_of_gap, random)),
            Content::Ignored => Cow::Borrowed("synthetic"),
        })
    }
}

/// An integer within a band; `None` for codes behind the bands.
fn within(bands: &Bands, place: usize, random: &mut StdRng) -> Option<i64> {
    let low = (*bands.starts.get(place)?).max(bands.min);
    let next = bands.starts.get(place.saturating_add(1)).map_or(bands.end, |next| next.saturating_sub(1));
    Some(random.random_range(low..=next.min(bands.max).max(low)))
}

/// A log-normal amount within the bounds; now and then none, where that is allowed.
fn amount(measure: &Measure, kind: usize, lower: bool, random: &mut StdRng) -> String {
    if measure.missing_allowed && random.random_bool(0.12) {
        return String::new();
    }
    let tilt = 0.15 * f64::from(u32::try_from(kind).unwrap_or(0)) - if lower { 0.2 } else { 0.0 };
    let part = 0.12 * (tilt + 0.7 * normal(random)).exp();
    let units = measure.min.saturating_add(part_of(measure.max.saturating_sub(measure.min), part));
    let Some(scale) = usize::try_from(measure.scale).ok().filter(|scale| *scale > 0) else { return units.to_string() };
    let digits = format!("{:0width$}", units.unsigned_abs(), width = scale + 1);
    let (whole, decimals) = digits.split_at(digits.len() - scale);
    format!("{}{whole}.{decimals}", if units < 0 { "-" } else { "" })
}
