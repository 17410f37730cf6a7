//! What some sets of levels leave over: the groups that their figures fix though no set names them.
//!
//! The sets of a line cut its levels into parts. A part that is a sum and difference of the sets is known to whoever
//! knows their figures. What several parts add up to is known with them, and is no group of its own.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use std::collections::{BTreeMap, BTreeSet};

/// What counts as nothing among sums of small whole numbers.
const TINY: f64 = 1e-7;

/// A group of levels that sets fix without being it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rest {
    /// Ascending.
    pub(super) levels: Vec<usize>,
    /// The sets that it is a sum of, each with its coefficient.
    pub(super) made_of: Vec<(usize, f64)>,
    /// What it is to those who named the sets.
    pub(super) kind: Kind,
}

/// What a group is to those who named some sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is made of parts that are named.
    Named,
    /// It is a part that is not.
    LeftOver,
    /// It is made of several parts, not all of them named.
    Mixed,
}

/// The parts that are not named among these sets, and those of the sets `elsewhere` that they fix, each once. Of each
/// set it is told whether somebody named it.
pub(super) fn rests(sets: &[(&[usize], bool)], elsewhere: &[&[usize]]) -> Vec<Rest> {
    let parts = parts(sets.iter().map(|set| set.0));
    let holds = |set: usize| parts.iter().map(|(signature, _)| signature[set]).collect::<Vec<bool>>();
    let forms: Vec<Vec<bool>> = (0..sets.len()).map(holds).collect();
    let mut seen: BTreeSet<&Vec<bool>> =
        forms.iter().zip(sets).filter(|(_, set)| set.1).map(|(form, _)| form).collect();
    let alone = |part: usize| (0..parts.len()).map(|other| other == part).collect::<Vec<bool>>();
    let singles: Vec<Vec<bool>> = (0..parts.len()).map(alone).collect();
    let named: Vec<bool> = singles.iter().map(|part| seen.contains(part)).collect();
    let kind = |form: &Vec<bool>| match form.iter().zip(&named).all(|(held, named)| !held || *named) {
        true => Kind::Named,
        false if singles.contains(form) => Kind::LeftOver,
        false => Kind::Mixed,
    };
    let elsewhere: Vec<Vec<bool>> = elsewhere.iter().filter_map(|set| form(&parts, set)).collect();
    let span = Span::of(&forms);
    let mut found = Vec::new();
    for form in singles.iter().chain(&elsewhere) {
        let Some(made_of) = seen.insert(form).then(|| span.express(form)).flatten() else { continue };
        let held = parts.iter().zip(form).filter(|(_, held)| **held);
        let mut levels: Vec<usize> = held.flat_map(|((_, levels), _)| levels.iter().copied()).collect();
        levels.sort_unstable();
        found.push(Rest { levels, made_of, kind: kind(form) });
    }
    found
}

/// A set as parts; none if it is not made of them.
fn form(parts: &[(Vec<bool>, Vec<usize>)], set: &[usize]) -> Option<Vec<bool>> {
    let form: Vec<bool> = parts.iter().map(|(_, levels)| levels.iter().all(|level| set.contains(level))).collect();
    let held = parts.iter().zip(&form).filter(|(_, held)| **held).map(|((_, levels), _)| levels.len()).sum::<usize>();
    (held == set.len() && held > 0).then_some(form)
}

/// The levels that no set tells apart, by which sets hold them.
fn parts<'a>(sets: impl ExactSizeIterator<Item = &'a [usize]>) -> Vec<(Vec<bool>, Vec<usize>)> {
    let mut signatures: BTreeMap<usize, Vec<bool>> = BTreeMap::new();
    let count = sets.len();
    for (set, levels) in sets.enumerate() {
        for &level in levels {
            signatures.entry(level).or_insert_with(|| vec![false; count])[set] = true;
        }
    }
    let mut parts: BTreeMap<Vec<bool>, Vec<usize>> = BTreeMap::new();
    for (level, signature) in signatures {
        parts.entry(signature).or_default().push(level);
    }
    parts.into_iter().collect()
}

/// The sums of some sets, over their parts.
struct Span {
    /// Pivot, what stands there per part, and of which sets that is the sum. Later rows have 0 at earlier pivots.
    rows: Vec<(usize, Vec<f64>, Vec<f64>)>,
    sets: usize,
}

impl Span {
    fn of(forms: &[Vec<bool>]) -> Self {
        let mut span = Self { rows: Vec::new(), sets: forms.len() };
        for (set, form) in forms.iter().enumerate() {
            let (mut rest, mut made_of) = span.reduce(form);
            let Some(pivot) = (0..rest.len()).max_by(|&a, &b| rest[a].abs().total_cmp(&rest[b].abs())) else {
                continue;
            };
            let scale = rest[pivot];
            if scale.abs() > TINY {
                made_of[set] += 1.0;
                rest.iter_mut().chain(&mut made_of).for_each(|value| *value /= scale);
                span.rows.push((pivot, rest, made_of));
            }
        }
        span
    }

    /// What is left of a form, and the sum of sets to be added to get it.
    fn reduce(&self, form: &[bool]) -> (Vec<f64>, Vec<f64>) {
        let mut rest: Vec<f64> = form.iter().map(|&held| f64::from(u8::from(held))).collect();
        let mut made_of = vec![0.0; self.sets];
        for (pivot, row, sets) in &self.rows {
            let times = rest[*pivot];
            if times != 0.0 {
                rest.iter_mut().zip(row).for_each(|(rest, value)| *rest -= times * value);
                made_of.iter_mut().zip(sets).for_each(|(sum, value)| *sum -= times * value);
            }
        }
        (rest, made_of)
    }

    /// A form as a sum of sets; none if it is no such sum.
    fn express(&self, form: &[bool]) -> Option<Vec<(usize, f64)>> {
        let (rest, made_of) = self.reduce(form);
        let made_of = made_of.into_iter().enumerate().filter(|(_, value)| value.abs() > TINY);
        rest.iter().all(|left| left.abs() < TINY).then(|| made_of.map(|(set, value)| (set, -value)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_over(sets: &[&[usize]], elsewhere: &[&[usize]]) -> Vec<Rest> {
        rests(&sets.iter().map(|&set| (set, true)).collect::<Vec<_>>(), elsewhere)
    }

    fn levels(sets: &[&[usize]]) -> Vec<Vec<usize>> {
        left_over(sets, &[]).into_iter().map(|rest| rest.levels).collect()
    }

    #[test]
    fn a_listing_that_is_whole_leaves_nothing_over() {
        assert!(levels(&[&[0], &[1], &[2], &[0, 1, 2]]).is_empty());
        assert!(levels(&[&[0, 1], &[2], &[0], &[1], &[0, 1, 2]]).is_empty());
        assert!(levels(&[&[0, 1, 2]]).is_empty());
    }

    #[test]
    fn what_one_set_leaves_of_another_is_their_difference() {
        let rest = Rest { levels: vec![0], made_of: vec![(0, 1.0), (1, -1.0)], kind: Kind::LeftOver };
        assert_eq!(left_over(&[&[0, 1, 2], &[1, 2]], &[]), [rest]);
        // whether or not others have found it before
        assert_eq!(rests(&[(&[0, 1, 2], true), (&[1, 2], true), (&[0], false)], &[])[0].kind, Kind::LeftOver);
        // two of three codes, and the total
        let found = left_over(&[&[0], &[2], &[0, 1, 2]], &[]);
        assert_eq!((&found[0].levels, &found[0].made_of), (&vec![1], &vec![(0, -1.0), (1, -1.0), (2, 1.0)]));
        // bands that cross: 0-14, 15-64 and 0-17, 18-64
        assert_eq!(levels(&[&[0], &[1, 2], &[0, 1], &[2]]), [vec![1]]);
    }

    #[test]
    fn a_sum_that_another_line_tells_is_left_over_by_nobody() {
        let found = left_over(&[&[0], &[1], &[2]], &[&[0, 1, 2], &[0, 3], &[1]]);
        let made_of = vec![(0, 1.0), (1, 1.0), (2, 1.0)];
        assert_eq!(found, [Rest { levels: vec![0, 1, 2], made_of, kind: Kind::Named }]);
        assert_eq!(left_over(&[&[0, 1, 2], &[0], &[1]], &[&[1, 2]])[1].kind, Kind::Mixed);
    }

    #[test]
    fn a_part_that_no_sum_of_sets_fixes_is_none_of_theirs() {
        assert!(levels(&[&[0, 1], &[1, 2]]).is_empty());
        // three pairs fix each of the three
        assert_eq!(levels(&[&[0, 1], &[1, 2], &[0, 2]]).len(), 3);
    }
}
