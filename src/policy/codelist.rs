//! Declared code lists: the only values a dimension can have, hence the only cells a table can have (G3).

use super::Text;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// One code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The code itself: `[A-Za-z0-9_.-]+`, never `_T`.
    pub id: String,
    /// The code it belongs to, on the same list.
    pub parent: Option<String>,
    /// Its names; empty for inline lists, where the code stands for itself.
    pub names: Text,
}

/// An ordered list of codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeList {
    /// The list's name, or the column's for an inline list.
    pub id: String,
    /// The codes in order.
    pub codes: Vec<Code>,
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
}

/// The text of the code lists a policy may refer to, by list name (`CL_SEX` for `CL_SEX.csv`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct CodeLists(pub BTreeMap<String, String>);
