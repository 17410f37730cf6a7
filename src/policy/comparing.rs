//! A comparison as it is asked for: read into canonical form, laid out over a draw, spelt one way.
//!
//! The same comparison in any spelling is the same here (G11); the two groups do not overlap (`choosing`).

use super::asked::{Chosen, Place, spelt};
use super::choosing::{group, numerator};
use super::comparison::{Compared, Comparison, Contrast, Fraction};
use super::figure::numbers;
use super::inadmissible::Inadmissible;
use super::model::Policy;
use super::plan::Cut;
use super::quantity::Numbers;
use super::question::{ComparedAsked, MeasureAsked};
use super::shape::Cutting;
use crate::identity::Period;
use std::collections::{BTreeMap, BTreeSet};

/// A comparison in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Comparing {
    pub(super) contrast: Contrast,
    groups: [Chosen; 2],
    what: What,
}

/// What is compared, in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Persons,
    Share(Chosen),
    Mean(Numbers),
}

impl Comparing {
    /// The comparison that a measure is; `None` if it is none.
    pub(super) fn of(
        policy: &Policy,
        periods: &[Period],
        filters: &BTreeMap<Place, BTreeSet<u16>>,
        measure: &MeasureAsked,
    ) -> Result<Option<Self>, Inadmissible> {
        let Some((contrast, asked)) = measure.comparison() else { return Ok(None) };
        let what = match asked.what {
            None | Some(ComparedAsked::Persons {}) => What::Persons,
            Some(ComparedAsked::Share { of }) => What::Share(numerator(policy, of)?),
            Some(ComparedAsked::Mean { column }) => What::Mean(averaged(policy, contrast, column)?),
        };
        let [one, other] = asked.groups.map(|codes| group(policy, periods, filters, codes));
        Ok(Some(Self { contrast, groups: [one?, other?], what }))
    }

    /// What it selects of columns: the groups, and the numerator.
    pub(super) fn chosen(&self) -> impl Iterator<Item = &Chosen> {
        let numerator = match &self.what {
            What::Share(of) => Some(of),
            What::Persons | What::Mean(_) => None,
        };
        self.groups.iter().chain(numerator)
    }

    /// As of the figure.
    pub(super) fn sums_values(&self) -> bool {
        matches!(self.what, What::Mean(_))
    }

    pub(super) fn figure(&self, policy: &Policy, periods: &[Period], cutting: &Cutting<'_>) -> Comparison {
        let name = |chosen: &Chosen| super::asked::joined(policy, periods, chosen);
        let [one, other] = self.groups.each_ref().map(name);
        let cuts = self.groups.each_ref().map(|group| cutting.cuts(group));
        let (what, compared) = match &self.what {
            What::Persons => (String::new(), Compared::Persons(cuts)),
            What::Mean(numbers) => (format!("mean:{}:", numbers.column), Compared::Means(numbers.clone(), cuts)),
            What::Share(of) => {
                let share = |base: Vec<Cut>| {
                    let mut numerator = [base.clone(), cutting.cuts(of)].concat();
                    numerator.sort();
                    Fraction { base, numerator }
                };
                (format!("share:{}:", name(of)), Compared::Shares(cuts.map(share)))
            }
        };
        let name = format!("{}:{what}{one}/{other}", self.contrast.as_str());
        Comparison { name, contrast: self.contrast, compared }
    }

    /// The comparison as it stands in the canonical question.
    pub(super) fn asked(&self, policy: &Policy, periods: &[Period]) -> MeasureAsked {
        let [of, against] = self.groups.each_ref().map(|group| spelt(policy, periods, group));
        let what = match &self.what {
            What::Persons => None,
            What::Mean(numbers) => Some(ComparedAsked::Mean { column: numbers.column.clone() }),
            What::Share(of) => Some(ComparedAsked::Share { of: spelt(policy, periods, of) }),
        };
        match self.contrast {
            Contrast::Difference => MeasureAsked::Difference { of, against, what },
            Contrast::Ratio => MeasureAsked::Ratio { of, against, what },
        }
    }
}

/// The numbers of a mean. That of others over it says something only where neither can be below nought.
pub(super) fn averaged(policy: &Policy, contrast: Contrast, column: &str) -> Result<Numbers, Inadmissible> {
    let (numbers, _) = numbers(policy, column)?;
    if contrast == Contrast::Ratio && numbers.min < 0 {
        return Err(Inadmissible::malformed(format!(
            "`{}` can be below 0, so a ratio of its means says nothing; ask for their difference",
            numbers.column
        )));
    }
    Ok(numbers)
}
