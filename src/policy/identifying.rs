//! Column names that promise a person's identity: the firewall, as far as names can tell.
//!
//! Names, numbers of documents, exact dates of birth, addresses and places of care, school or detention do not belong
//! in the files at all. A warning, since a name proves nothing; the officers decide.

/// Words of a column name (between underscores) and what they promise.
const WORDS: [(&[&str], &str); 5] = [
    (&["name", "surname", "firstname", "lastname", "forename"], "a person's name"),
    (
        &["passport", "document", "visa", "ssn", "nin", "iban", "phone", "email", "fingerprint", "biometric"],
        "a number or mark that names a person",
    ),
    (&["birthdate", "dob", "birthday"], "an exact date of birth; send the age, banded"),
    (&["address", "street", "postcode", "zip", "gps", "latitude", "longitude", "lat", "lon"], "an exact place"),
    (&["diagnosis", "icd", "religion", "orientation"], "what this service does not hold about people"),
];

/// Kinds of places that may not be named one by one.
const PLACES: [&str; 6] = ["facility", "school", "clinic", "hospital", "camp", "shelter"];

/// What such a column seems to hold, and what to do, if its name tells.
pub(super) fn warning(column: &str, ignored: bool) -> Option<String> {
    let lower = column.to_ascii_lowercase();
    let words: Vec<&str> = lower.split('_').collect();
    let single = WORDS.iter().find(|(list, _)| words.iter().any(|w| list.contains(w))).map(|(_, what)| *what);
    let place =
        words.iter().any(|w| PLACES.contains(w)) && words.iter().any(|w| ["id", "code", "no", "name"].contains(w));
    let birth = words.contains(&"birth") && words.contains(&"date");
    let what = match (place, birth, single) {
        (true, _, _) => "the very place of care, school or detention; send its kind and the region",
        (_, true, _) => "an exact date of birth; send the age, banded",
        (_, _, what) => what?,
    };
    let advice = if ignored { "it is dropped at the door, but better not sent at all" } else { "leave it out" };
    Some(format!("`{column}` looks like {what}: {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_name_a_person_or_a_place_are_noticed_and_others_are_not() {
        for column in
            ["facility_id", "name", "first_name", "passport_no", "birth_date", "date_of_birth", "home_address"]
        {
            assert!(warning(column, false).is_some(), "{column}");
        }
        for column in ["sex", "adm1", "facility_type", "household_id", "wait_days", "birth_country", "school_level"] {
            assert_eq!(warning(column, false), None, "{column}");
        }
    }
}
