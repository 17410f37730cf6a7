//! Ids that name one person only because separators do not count: `1-15` and `11-5`.
//!
//! Ids are compared without separators, so that a person written `AB-12` here and `AB12` there stays one. A register
//! that numbers without padding then loses people silently, and their ministry should know.
//!
//! # Guarantees
//! Only ids of one file are held against each other: nothing is said of who was known before. Memory does not grow with
//! the file: of large files a sample of persons is watched, which is enough for a habit of numbering.

use super::PersonKey;
use super::person::is_separator;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Most persons watched at once.
const WATCHED_MAX: usize = 1 << 16;

/// How the ids of a file are parted.
#[derive(Default)]
pub(super) struct Spellings {
    /// By person, a digest of the places of the separators.
    parted: HashMap<PersonKey, u64>,
    /// Leading bits that a person's key has as zeros, to be watched: keys are as good as random.
    zeros: u32,
}

impl Spellings {
    /// Whether an earlier id of the same person has separators too, in other places. To be asked once a row.
    pub(super) fn differ(&mut self, person: PersonKey, id: &[u8]) -> bool {
        if leading_zeros(person) < self.zeros {
            return false;
        }
        let Some(places) = std::str::from_utf8(id).ok().and_then(places) else { return false };
        let first = *self.parted.entry(person).or_insert(places);
        while self.parted.len() > WATCHED_MAX {
            self.zeros = self.zeros.saturating_add(1);
            self.parted.retain(|person, _| leading_zeros(*person) >= self.zeros);
        }
        first != places
    }
}

fn leading_zeros(person: PersonKey) -> u32 {
    u128::from_be_bytes(person.0).leading_zeros()
}

/// A digest of the places between characters where separators stand; `None` if they stand at its ends alone.
fn places(id: &str) -> Option<u64> {
    let mut digest = DefaultHasher::new();
    let (mut place, mut parted, mut any) = (0_usize, false, false);
    for c in id.chars() {
        if is_separator(c) {
            parted = place > 0;
            continue;
        }
        if std::mem::take(&mut parted) {
            place.hash(&mut digest);
            any = true;
        }
        place = place.saturating_add(1);
    }
    any.then(|| digest.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::IdForm;
    use crate::submission::PersonKeyer;

    fn differ(ids: &[&str]) -> Vec<bool> {
        let (keyer, mut spellings) = (PersonKeyer::new([7; 32], IdForm::Raw), Spellings::default());
        ids.iter().map(|id| spellings.differ(keyer.key(id).unwrap(), id.as_bytes())).collect()
    }

    #[test]
    fn ids_parted_in_other_places_differ() {
        assert_eq!(differ(&["1-15", "11-5", "1-15", "115"]), [false, true, false, false]);
        assert_eq!(differ(&["2024/3/11", "2024/31/1"]), [false, true]);
        assert_eq!(differ(&["é-1\u{2010}15", "É-11-5"]), [false, true]);
    }

    #[test]
    fn ids_that_differ_in_the_kind_of_separator_or_have_none_do_not() {
        assert_eq!(differ(&["AB-12", "ab 12", "AB12", " AB.12 ", "AB--12", "AB12-"]), [false; 6]);
    }

    #[test]
    fn memory_does_not_grow_and_a_habit_is_found_all_the_same() {
        let (keyer, mut spellings) = (PersonKeyer::new([7; 32], IdForm::Raw), Spellings::default());
        let mut found = 0;
        for household in 1..=20_000 {
            for person in 1..=12 {
                let id = format!("H{household}-{person}");
                found += usize::from(spellings.differ(keyer.key(&id).unwrap(), id.as_bytes()));
                assert!(spellings.parted.len() <= WATCHED_MAX);
            }
        }
        assert!(spellings.zeros > 0, "some are no longer watched");
        // H1-11 is H11-1, H1-12 is H11-2, and so on
        assert!(found > 1_000, "{found}");
    }
}
