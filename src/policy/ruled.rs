//! Stricter floors for certain codes, over the dimensions of a draw: for groups that nobody asked for by name.
//!
//! # Guarantee
//! What several answers of one draw leave over between them is held to the floor of a question for it, whatever the
//! questions were held to that it is left over of.

use super::asked::{codes_at, dimension, name_at};
use super::levels::{column_of, members_of};
use super::model::Require;
use super::plan::{Dimension, PERIOD, Plan};
use super::shape::over_each;
use super::{Policy, Selection};
use std::collections::BTreeSet;

/// A stricter floor, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruled {
    /// The codes, as (dimension, levels) over the dimensions of a draw.
    when: Vec<(usize, Vec<usize>)>,
    floor: u32,
}

/// The stricter floors of a policy whose codes a draw tells apart.
pub(super) fn ruled(policy: &Policy, dimensions: &[Dimension]) -> Vec<Ruled> {
    let over = |require: &Require| {
        let when = over_each(&on_columns(policy, &require.when)?, dimensions)?;
        Some(Ruled { when, floor: require.rule.threshold? })
    };
    policy.requires.iter().filter_map(over).collect()
}

/// What a rule is about, by columns: a group stands for its members.
fn on_columns(policy: &Policy, when: &Selection) -> Option<Selection> {
    let on_column = |(name, codes): (&String, &BTreeSet<String>)| {
        let (place, list) = dimension(policy, name).ok()?;
        let codes = codes.iter().filter_map(|code| list.position(code)).collect();
        let column = column_of(policy, place);
        let (list, members) = (codes_at(policy, column)?, members_of(policy, place, &codes));
        let members = members.into_iter().filter_map(|member| list.code(member)).map(|code| code.id.clone());
        Some((name_at(policy, column), members.collect()))
    };
    when.iter().map(on_column).collect()
}

impl Plan {
    /// The floor on persons of a group, given by the levels of every measured dimension that it stands for: the plan's,
    /// or that of a stricter rule about codes among those that it picks, or that it leaves out with none but codes of
    /// rules.
    #[must_use]
    pub fn floor_of(&self, levels: &[Vec<usize>]) -> u32 {
        let ruled = |dim: usize, level: usize| {
            self.ruled.iter().flat_map(|ruled| &ruled.when).any(|(of, codes)| *of == dim && codes.contains(&level))
        };
        let held = |dim: usize| self.measured_dimensions().zip(levels).find(|((here, _), _)| *here == dim);
        let about = |(dim, codes): &(usize, Vec<usize>)| {
            held(*dim).is_some_and(|((_, dimension), held)| {
                let left_out: Vec<usize> = (0..dimension.levels.len()).filter(|level| !held.contains(level)).collect();
                let any = |levels: &[usize]| levels.iter().any(|level| codes.contains(level));
                let ruled_alone = left_out.iter().all(|&level| ruled(*dim, level));
                !left_out.is_empty() && (any(held) || any(&left_out) && ruled_alone)
            })
        };
        let ruled = self.ruled.iter().filter(|ruled| ruled.when.iter().all(about)).map(|ruled| ruled.floor);
        let periods = self.measured_dimensions().zip(levels).find(|((_, dimension), _)| dimension.name == PERIOD);
        let pooled = u32::try_from(periods.map_or(self.editions.len(), |(_, held)| held.len())).unwrap_or(u32::MAX);
        ruled.fold(self.rules.threshold, u32::max).saturating_mul(pooled)
    }
}
