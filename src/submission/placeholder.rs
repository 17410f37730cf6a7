//! Ids that name nobody.
//!
//! Thousands of people sent in under `unknown` would count as one. Only texts that no register gives to a person are
//! refused; where a real id could look the same, it is taken: `11111111` is a real number on identity cards, `test`
//! is not. The rules, on the normalised id:
//!
//! * no letter and no digit in it;
//! * only zeros (`0`, `00000`), or four nines or more (`9999`): the customary codes for "not known";
//! * only the letter x (`X`, `xxxx`);
//! * a word for nothing or nobody in one of six languages. With a number behind it (`unknown-17`) it tells people
//!   apart, and is taken.

/// Whether a normalised id stands for "not known".
pub(super) fn is_placeholder(normal: &str) -> bool {
    let only = |wanted: char| normal.chars().all(|c| c == wanted);
    if only('0') || only('x') || (normal.len() >= 4 && only('9')) {
        return true;
    }
    // No word of the list has a digit in it; most ids have.
    if normal.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    WORDS.contains(&normal) || !normal.chars().any(char::is_alphanumeric)
}

/// Normalised: lower case, without separators.
const WORDS: [&str; 61] = [
    "na",
    "nan",
    "nil",
    "nill",
    "none",
    "null",
    "void",
    "empty",
    "blank",
    "missing",
    "unknown",
    "unk",
    "undefined",
    "undocumented",
    "unregistered",
    "notavailable",
    "notapplicable",
    "notknown",
    "notstated",
    "notgiven",
    "noid",
    "nodocument",
    "nonumber",
    "nopassport",
    "anonymous",
    "anon",
    "tbd",
    "tba",
    "todo",
    "test",
    "testing",
    "dummy",
    "fake",
    "sample",
    "example",
    "inconnu",
    "inconnue",
    "aucun",
    "aucune",
    "neant",
    "néant",
    "sansobjet",
    "sansdocument",
    "nonrenseigné",
    "nonrenseigne",
    "desconocido",
    "desconocida",
    "ninguno",
    "ninguna",
    "sindato",
    "sindatos",
    "sindocumento",
    "неизвестно",
    "нет",
    "нетданных",
    "غيرمعروف",
    "لايوجد",
    "مجهول",
    "未知",
    "不详",
    "无",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::IdForm;
    use crate::submission::{PersonKeyer, PlaceholderId};

    #[test]
    fn ids_that_name_nobody_are_refused() {
        let keyer = PersonKeyer::new([1; 32], IdForm::Raw);
        for id in ["", "  ", "\t"] {
            assert_eq!(keyer.key(id), Err(PlaceholderId::Empty));
        }
        for id in [
            "-",
            "--",
            "?",
            "***",
            "N/A",
            "n.a.",
            "None",
            "NULL",
            "unknown",
            "0",
            "00000",
            "0-0-0",
            "9999",
            "999-99-9999",
            "x",
            "XXXX",
            "test",
            "sin dato",
            "Néant",
            "NE\u{301}ANT",
            "غير معروف",
            "未知",
        ] {
            assert_eq!(keyer.key(id), Err(PlaceholderId::Placeholder), "{id}");
        }
    }

    #[test]
    fn ids_that_people_may_have_are_taken() {
        for id in [
            "1",
            "7",
            "42",
            "99",
            "999",
            "111",
            "11111111",
            "22222222",
            "10000000",
            "99990",
            "x1",
            "xx12345",
            "n1234",
            "na1",
            "n1",
            "test1",
            "unknown17",
            "syn000000001",
            "anna",
            "nullah",
            "a",
            "k",
            "王小明",
            "٣٤٥",
        ] {
            assert!(!is_placeholder(id), "{id}");
        }
    }
}
