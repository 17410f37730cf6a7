//! Programs: sets of tables that a policy releases together, and what one would tell before there is anything to
//! measure.
//!
//! A program is tried over one closed period that need not exist. What comes back are errors to expect, never a plan
//! (G2).

use super::admit::admit_up_to;
use super::inadmissible::Inadmissible;
use super::{EditionRef, Frequency, MeasureAsked, Policy, Standing};
use crate::budget::Nanos;
use crate::identity::{Period, Purpose};
use serde::{Deserialize, Serialize};

/// A set of tables released together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Program {
    /// Its name.
    pub id: String,
    /// What it is for.
    pub purpose: Purpose,
    /// What is measured.
    pub measures: Vec<MeasureAsked>,
    /// The tables, as column names.
    pub tables: Vec<Vec<String>>,
    /// How much each table matters; as long as `tables`.
    pub weights: Vec<u32>,
    /// Its price.
    pub spend: Nanos,
    /// Who runs it.
    pub run: RunRule,
}

/// Who runs a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunRule {
    /// An officer, over the periods of their choice.
    Officer,
    /// The service, over each period when an edition of it is closed.
    OnClose,
}

/// The error to expect in one table of a program.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The columns it is broken down by.
    pub by: Vec<String>,
    /// How many cells it has.
    pub cells: usize,
    /// Half-width of the 95 % interval of persons in each of them.
    pub half_width: f64,
}

impl Program {
    /// How often a year it is run at most, corrections apart: once by officers, else for each period and for the year,
    /// which may be closed as one.
    #[must_use]
    pub fn runs_a_year(&self, frequency: Frequency) -> u64 {
        match (self.run, frequency) {
            (RunRule::OnClose, Frequency::Quarterly) => 5,
            (RunRule::OnClose, Frequency::Monthly) => 13,
            (RunRule::OnClose, Frequency::Annual | Frequency::Irregular) | (RunRule::Officer, _) => 1,
        }
    }

    /// The errors to expect in its tables at its price.
    ///
    /// # Errors
    /// The reason why the policy would refuse it.
    pub fn expected(&self, policy: &Policy) -> Result<Vec<Expected>, Inadmissible> {
        let period = Period::parse("2026").map_err(|error| Inadmissible::malformed(error.expected))?;
        let standing = Standing { suspended: false, editions: vec![EditionRef { period: period.clone(), number: 1 }] };
        let question = self.question(policy, vec![period]);
        let plan = admit_up_to(policy, &standing, &question, self.spend, &self.weights)?;
        let name = |&dim: &usize| plan.dimensions.get(dim).map(|dimension| dimension.name.clone());
        let table = |shown: &super::Shown| Expected {
            by: shown.dims.iter().filter_map(name).collect(),
            cells: plan.cells(&shown.dims),
            half_width: plan.half_width_in(shown),
        };
        Ok(plan.shown.iter().take(plan.asked).map(table).collect())
    }
}
