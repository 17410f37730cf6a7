//! What some sets of levels leave over: the groups that their figures fix without being any of them.
//!
//! The sets of a line cut its levels into parts. A part that is a sum and difference of the sets is known to whoever
//! knows their figures. What several parts add up to is a group of its own if some set elsewhere is just that.
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
}

/// The parts that are none of these sets, and those of the sets `elsewhere`, that they fix, each once.
pub(super) fn rests(sets: &[&[usize]], elsewhere: &[&[usize]]) -> Vec<Rest> {
    let parts = parts(sets);
    let holds = |set: usize| parts.iter().map(|(signature, _)| signature[set]).collect::<Vec<bool>>();
    let forms: Vec<Vec<bool>> = (0..sets.len()).map(holds).collect();
    let mut seen: BTreeSet<&Vec<bool>> = forms.iter().collect();
    let alone = |part: usize| (0..parts.len()).map(|other| other == part).collect::<Vec<bool>>();
    let singles: Vec<Vec<bool>> = (0..parts.len()).map(alone).collect();
    let elsewhere: Vec<Vec<bool>> = elsewhere.iter().filter_map(|set| form(&parts, set)).collect();
    let span = Span::of(&forms);
    let mut found = Vec::new();
    for form in singles.iter().chain(&elsewhere) {
        let Some(made_of) = seen.insert(form).then(|| span.express(form)).flatten() else { continue };
        let held = parts.iter().zip(form).filter(|(_, held)| **held);
        let mut levels: Vec<usize> = held.flat_map(|((_, levels), _)| levels.iter().copied()).collect();
        levels.sort_unstable();
        found.push(Rest { levels, made_of });
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
pub(super) fn parts(sets: &[&[usize]]) -> Vec<(Vec<bool>, Vec<usize>)> {
    let mut signatures: BTreeMap<usize, Vec<bool>> = BTreeMap::new();
    for (set, levels) in sets.iter().enumerate() {
        for &level in *levels {
            signatures.entry(level).or_insert_with(|| vec![false; sets.len()])[set] = true;
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

    fn levels(sets: &[&[usize]]) -> Vec<Vec<usize>> {
        rests(sets, &[]).into_iter().map(|rest| rest.levels).collect()
    }

    #[test]
    fn a_listing_that_is_whole_leaves_nothing_over() {
        assert!(levels(&[&[0], &[1], &[2], &[0, 1, 2]]).is_empty());
        assert!(levels(&[&[0, 1], &[2], &[0], &[1], &[0, 1, 2]]).is_empty());
        assert!(levels(&[&[0, 1, 2]]).is_empty());
    }

    #[test]
    fn what_one_set_leaves_of_another_is_their_difference() {
        assert_eq!(rests(&[&[0, 1, 2], &[1, 2]], &[]), [Rest { levels: vec![0], made_of: vec![(0, 1.0), (1, -1.0)] }]);
        // two of three codes, and the total
        let found = rests(&[&[0], &[2], &[0, 1, 2]], &[]);
        assert_eq!((&found[0].levels, &found[0].made_of), (&vec![1], &vec![(0, -1.0), (1, -1.0), (2, 1.0)]));
        // bands that cross: 0-14, 15-64 and 0-17, 18-64
        assert_eq!(levels(&[&[0], &[1, 2], &[0, 1], &[2]]), [vec![1]]);
    }

    #[test]
    fn a_sum_that_is_a_set_elsewhere_is_a_group_of_its_own() {
        let found = rests(&[&[0], &[1], &[2]], &[&[0, 1, 2], &[0, 3], &[1]]);
        assert_eq!(found, [Rest { levels: vec![0, 1, 2], made_of: vec![(0, 1.0), (1, 1.0), (2, 1.0)] }]);
        let found = rests(&[&[0, 1, 2], &[0], &[1]], &[&[1, 2]]);
        assert_eq!(found.iter().map(|rest| rest.levels.clone()).collect::<Vec<_>>(), [vec![2], vec![1, 2]]);
    }

    #[test]
    fn a_part_that_no_sum_of_sets_fixes_is_none_of_theirs() {
        assert!(levels(&[&[0, 1], &[1, 2]]).is_empty());
        // three pairs fix each of the three
        assert_eq!(levels(&[&[0, 1], &[1, 2], &[0, 2]]).len(), 3);
    }
}
