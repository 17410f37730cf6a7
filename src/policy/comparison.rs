//! Comparisons: a figure of one group against that of another, as a difference or a ratio.
//!
//! The groups are cut out of every cell like the numerator of a share, and their columns count as filters do for every
//! rule. What is compared is persons, a share of them, or the mean of a column.
//!
//! # Guarantee
//! [`Comparison::parts`] names every group of persons that its telling says something about: it is told only where all
//! of them may be shown. The two groups have no code of some column in common (`choosing`).

use super::plan::Cut;
use super::quantity::{Numbers, Quantity};
use serde::{Deserialize, Serialize};

/// How two figures are set against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Contrast {
    /// The first less the second.
    Difference,
    /// The first over the second.
    Ratio,
}

impl Contrast {
    /// The value at which the two figures are the same.
    #[must_use]
    pub fn alike(self) -> f64 {
        match self {
            Self::Difference => 0.0,
            Self::Ratio => 1.0,
        }
    }

    /// As the command line writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Difference => "difference",
            Self::Ratio => "ratio",
        }
    }
}

/// A comparison told of every shown cell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Comparison {
    /// Its name in cells: `difference:sex=F/sex=M`, `ratio:share:employment=unemployed:sex=F/sex=M`.
    pub name: String,
    /// Difference or ratio.
    pub contrast: Contrast,
    /// What is compared, and of whom.
    pub compared: Compared,
}

/// What is compared: of the first group and of the second, as levels of the plan's dimensions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compared {
    /// Persons.
    Persons([Vec<Cut>; 2]),
    /// A share of the persons in each group.
    Shares([Fraction; 2]),
    /// The mean of a column.
    Means(Numbers, [Vec<Cut>; 2]),
}

/// The persons counted, and those of whom they are a share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fraction {
    /// The group.
    pub base: Vec<Cut>,
    /// Those of the group who are counted.
    pub numerator: Vec<Cut>,
}

impl Comparison {
    /// Every set of cuts whose persons its telling says something about.
    #[must_use]
    pub fn parts(&self) -> Vec<&[Cut]> {
        match &self.compared {
            Compared::Persons(groups) | Compared::Means(_, groups) => groups.iter().map(Vec::as_slice).collect(),
            Compared::Shares(shares) => {
                shares.iter().flat_map(|share| [share.base.as_slice(), share.numerator.as_slice()]).collect()
            }
        }
    }

    /// What is measured for it, persons among it.
    pub(super) fn needs(&self) -> Vec<(Quantity, &[Cut])> {
        match &self.compared {
            Compared::Persons(groups) => cut_out(&Quantity::Persons, groups).to_vec(),
            Compared::Shares(shares) => {
                shares.iter().map(|share| (Quantity::Persons, share.numerator.as_slice())).collect()
            }
            Compared::Means(numbers, groups) => {
                let quantities = [Quantity::Persons, Quantity::Valued(numbers.clone()), Quantity::Sum(numbers.clone())];
                quantities.iter().flat_map(|quantity| cut_out(quantity, groups)).collect()
            }
        }
    }

    /// The same over other dimensions: `lay` says what cuts become there.
    pub(super) fn laid(&self, lay: impl Fn(&[Cut]) -> Option<Vec<Cut>>) -> Option<Self> {
        let both = |[a, b]: &[Vec<Cut>; 2]| Some([lay(a)?, lay(b)?]);
        let share = |share: &Fraction| Some(Fraction { base: lay(&share.base)?, numerator: lay(&share.numerator)? });
        let compared = match &self.compared {
            Compared::Persons(groups) => Compared::Persons(both(groups)?),
            Compared::Shares([a, b]) => Compared::Shares([share(a)?, share(b)?]),
            Compared::Means(numbers, groups) => Compared::Means(numbers.clone(), both(groups)?),
        };
        Some(Self { compared, ..self.clone() })
    }
}

fn cut_out<'a>(quantity: &Quantity, groups: &'a [Vec<Cut>; 2]) -> [(Quantity, &'a [Cut]); 2] {
    groups.each_ref().map(|group| (quantity.clone(), group.as_slice()))
}
