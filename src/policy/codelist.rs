//! Declared code lists: the only values a dimension can have, hence the only cells a table can have (G3).
//!
//! A list is read from a CSV file (`code,parent,name_en,name_fr,...`, further columns allowed) or from a policy's own
//! array. Once checked, its codes are well formed and unique, and every parent is on the list without a circle. A code
//! that others belong to never occurs in data: it stands above the codes of the list and can only group them.

use super::Text;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// The key of a sum: never a code.
pub(super) const TOTAL: &str = "_T";

/// The most codes one list can have.
pub(super) const CODES_MAX: usize = 65_535;

/// The largest code list file, in bytes.
const FILE_MAX: u64 = 16 << 20;

/// The most code list files of one folder.
const FILES_MAX: usize = 1_000;

/// One code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Code {
    /// The code itself: `[A-Za-z0-9_.-]+`, never `_T`.
    pub id: String,
    /// The code it belongs to, one of those above the list.
    pub parent: Option<String>,
    /// Its names; empty for inline lists, where the code stands for itself.
    pub names: Text,
}

/// An ordered list of codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CodeList {
    /// The list's name, or the column's for an inline list.
    pub id: String,
    /// The codes in order, without those that others belong to: what may occur in data.
    pub codes: Vec<Code>,
    /// The codes that others belong to, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub above: Vec<Code>,
    #[serde(skip)]
    pub(super) index: HashMap<String, u16>,
}

impl CodeList {
    /// The place of a code on the list.
    #[must_use]
    pub fn position(&self, code: &str) -> Option<u16> {
        self.index.get(code).copied()
    }

    /// How many codes there are; at least 1.
    #[must_use]
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there are none (never, once checked).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The code at a place.
    #[must_use]
    pub fn code(&self, position: u16) -> Option<&Code> {
        self.codes.get(usize::from(position))
    }

    /// Reads a list from the text of a CSV file.
    pub(super) fn from_csv(id: &str, text: &str) -> Result<Self, Vec<String>> {
        let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        let header = reader.headers().map_err(|_| vec![format!("{id}: the first line is not a header")])?.clone();
        let place = |name: &str| header.iter().position(|h| h == name);
        let Some(code) = place("code") else {
            return Err(vec![format!("{id}: the header has no column `code`; write code,parent,name_en,...")]);
        };
        let parent = place("parent");
        let languages: Vec<(usize, &str)> =
            header.iter().enumerate().filter_map(|(i, h)| Some((i, h.strip_prefix("name_")?))).collect();
        let mut codes = Vec::new();
        for (row, record) in reader.records().enumerate() {
            let Ok(record) = record else {
                return Err(vec![format!("{id}: row {} has another number of fields than the header", row + 1)]);
            };
            let field = |i: usize| record.get(i).map(str::trim).filter(|f| !f.is_empty()).map(str::to_owned);
            codes.push(Code {
                id: field(code).unwrap_or_default(),
                parent: parent.and_then(field),
                names: languages.iter().filter_map(|&(i, l)| Some((l.to_owned(), field(i)?))).collect(),
            });
            if codes.len() > CODES_MAX {
                break;
            }
        }
        Self::checked(id, codes)
    }

    /// A list written in the policy itself.
    pub(super) fn inline(id: &str, codes: &[String]) -> Result<Self, Vec<String>> {
        let codes = codes.iter().map(|c| Code { id: c.clone(), parent: None, names: Text::new() });
        Self::checked(id, codes.collect())
    }

    /// Checks the codes and indexes them.
    pub(super) fn checked(id: &str, codes: Vec<Code>) -> Result<Self, Vec<String>> {
        let mut wrong = Vec::new();
        let mut index = HashMap::new();
        for (i, code) in codes.iter().enumerate().take(CODES_MAX) {
            let shown = super::nearest::echo(&code.id);
            if code.id == TOTAL {
                wrong.push(format!("{id}: `{TOTAL}` is the key of totals and cannot be a code; take it off the list"));
            } else if !is_code(&code.id) {
                wrong.push(format!("{id}: code {} (`{shown}`) is not made of 1 to 63 of A-Z a-z 0-9 _ . -", i + 1));
            }
            let position = u16::try_from(i).unwrap_or(u16::MAX);
            if index.insert(code.id.clone(), position).is_some() {
                wrong.push(format!("{id}: `{shown}` stands on the list twice; keep one"));
            }
        }
        if codes.is_empty() {
            wrong.push(format!("{id}: a list needs at least one code"));
        }
        if codes.len() > CODES_MAX {
            wrong.push(format!("{id}: a list has at most {CODES_MAX} codes; use a coarser one"));
        }
        let list = Self { id: id.to_owned(), codes, above: Vec::new(), index };
        wrong.extend(list.wrong_parents());
        if wrong.is_empty() { Ok(list.without_parents()) } else { Err(wrong) }
    }

    /// The codes that others belong to, set above the list.
    fn without_parents(self) -> Self {
        let parents: BTreeSet<String> = self.codes.iter().filter_map(|code| code.parent.clone()).collect();
        let (above, codes): (Vec<Code>, Vec<Code>) =
            self.codes.into_iter().partition(|code| parents.contains(&code.id));
        let index = codes.iter().zip(0..).map(|(code, place)| (code.id.clone(), place)).collect();
        Self { id: self.id, codes, above, index }
    }

    /// The groups at a depth (1: under the codes that belong to none), in the order of their first members, each with
    /// the places of its members on the list. A code that is not as deep stands for itself.
    pub(super) fn at_depth(&self, depth: usize) -> Vec<(Code, Vec<u16>)> {
        let above: HashMap<&str, &Code> = self.above.iter().map(|code| (code.id.as_str(), code)).collect();
        let mut groups: Vec<(Code, Vec<u16>)> = Vec::new();
        for (code, place) in self.codes.iter().zip(0..) {
            let parent = |code: &&Code| code.parent.as_deref().and_then(|parent| above.get(parent)).copied();
            let chain: Vec<&Code> = std::iter::successors(Some(code), parent).collect();
            let group = chain.len().checked_sub(depth).and_then(|at| chain.get(at)).copied().unwrap_or(code);
            match groups.iter_mut().find(|(known, _)| known.id == group.id) {
                Some((_, members)) => members.push(place),
                None => groups.push((group.clone(), vec![place])),
            }
        }
        groups
    }

    fn wrong_parents(&self) -> Vec<String> {
        let parent_of =
            |code: &Code| code.parent.as_deref().and_then(|p| self.codes.get(usize::from(self.position(p)?)));
        let mut wrong = Vec::new();
        for code in &self.codes {
            let shown = super::nearest::echo(&code.id);
            if code.parent.is_some() && parent_of(code).is_none() {
                wrong
                    .push(format!("{}: the parent of `{shown}` is not on the list; add it or leave it empty", self.id));
            }
            // Brent's tortoise would do; a chain longer than a hundred levels is a circle for every real
            // classification.
            let mut next = Some(code);
            let depth = std::iter::from_fn(|| {
                next = parent_of(next?);
                next
            });
            if depth.take(CHAIN_MAX).count() == CHAIN_MAX {
                wrong.push(format!("{}: `{shown}` is its own ancestor; break the circle of parents", self.id));
            }
        }
        wrong
    }
}

/// The deepest classification that is read; longer chains of parents are circles.
const CHAIN_MAX: usize = 100;

fn is_code(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    !text.is_empty() && text.len() <= 63 && text.bytes().all(fits)
}

/// The text of the code lists a policy may refer to, by list name (`CL_SEX` for `CL_SEX.csv`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct CodeLists(pub BTreeMap<String, String>);

impl CodeLists {
    /// Reads every `NAME.csv` of a folder.
    ///
    /// # Errors
    /// If the folder or a file cannot be read, is not UTF-8, or is larger than 16 MiB.
    pub fn read_dir(folder: &Path) -> std::io::Result<Self> {
        let mut lists = BTreeMap::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_suffix(".csv")) else {
                continue;
            };
            let too_large = std::fs::metadata(&path)?.len() > FILE_MAX || lists.len() >= FILES_MAX;
            if too_large {
                return Err(std::io::Error::other("a code list is at most 16 MiB, and a folder holds at most 1000"));
            }
            lists.insert(name.to_owned(), std::fs::read_to_string(&path)?);
        }
        Ok(Self(lists))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_with_its_names_and_further_columns_are_ignored() {
        let text = "\u{feff}code,parent,name_en,name_fr,global_urn\nF,,Women,Femmes,x\nM,,Men,,y\n";
        let list = CodeList::from_csv("CL_SEX", text).unwrap();
        assert_eq!(list.position("M"), Some(1));
        assert_eq!(list.codes[0].names.get("fr").map(String::as_str), Some("Femmes"));
        assert!(!list.codes[1].names.contains_key("fr"));
    }

    #[test]
    fn codes_that_others_belong_to_are_no_values_and_group_the_rest_at_every_depth() {
        let text = "code,parent\nworld,\neurope,world\nFR,europe\nDE,europe\nasia,world\nJP,asia\nnone,\n";
        let list = CodeList::from_csv("L", text).unwrap();
        let names = |codes: &[Code]| codes.iter().map(|code| code.id.clone()).collect::<Vec<_>>().join(" ");
        assert_eq!((names(&list.codes), names(&list.above)), ("FR DE JP none".into(), "world europe asia".into()));
        assert_eq!((list.position("europe"), list.position("JP")), (None, Some(2)));
        let groups = |depth: usize| -> Vec<(String, Vec<u16>)> {
            list.at_depth(depth).into_iter().map(|(code, members)| (code.id, members)).collect()
        };
        let own = |code: &str, members: &[u16]| (code.to_owned(), members.to_vec());
        assert_eq!(groups(1), [own("world", &[0, 1, 2]), own("none", &[3])]);
        assert_eq!(groups(2), [own("europe", &[0, 1]), own("asia", &[2]), own("none", &[3])]);
        assert_eq!(groups(3).len(), 4, "every code for itself");
    }

    #[test]
    fn totals_duplicates_circles_and_strange_codes_are_refused() {
        let wrong = |text: &str| CodeList::from_csv("L", text).unwrap_err().join(" | ");
        assert!(wrong("code,parent\n_T,\n").contains("totals"));
        assert!(wrong("code,parent\nA,\nA,\n").contains("twice"));
        assert!(wrong("code,parent\nA,B\nB,A\n").contains("own ancestor"));
        assert!(wrong("code,parent\nA,A\n").contains("own ancestor"));
        assert!(wrong("code,parent\nA,Z\n").contains("not on the list"));
        assert!(wrong("code,parent\na b,\n").contains("not made of"));
        assert!(wrong("code,parent\n").contains("at least one"));
        assert!(wrong("kode\nA\n").contains("no column `code`"));
    }

    #[test]
    fn a_list_of_65535_codes_is_read_and_one_more_is_refused() {
        let codes: Vec<String> = (0..=CODES_MAX).map(|i| format!("c{i}")).collect();
        assert_eq!(CodeList::inline("L", &codes[..CODES_MAX]).unwrap().len(), CODES_MAX);
        assert!(CodeList::inline("L", &codes).unwrap_err().join("").contains("at most 65535"));
    }
}
