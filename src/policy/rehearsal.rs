//! A program tried before there is anything to measure: would its own policy admit it, and how good would it be?
//!
//! Over one closed period that need not exist. What comes back are errors to expect, never a plan (G2).

use super::admit::admit_up_to;
use super::inadmissible::Inadmissible;
use super::{EditionRef, Policy, Program, Standing};
use crate::identity::Period;

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
