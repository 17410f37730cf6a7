//! Inequalities that hold of every safe pattern, and which of them a program has to keep.

use super::simplex::Dictionary;

/// What counts as kept.
const CLOSE: f64 = 1e-6;

/// If `of` is withheld, the factors of what is withheld besides add up to at least `least`.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// Whose protection it is about.
    pub of: usize,
    /// Above 0.
    pub least: f64,
    /// Never negative, and without `of`.
    pub factors: Vec<(usize, f64)>,
}

/// What a program knows of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Choice {
    /// Withheld (1) or published (0) for certain.
    Fixed(f64),
    /// The variable that decides.
    Free(usize),
}

impl Choice {
    /// Between published (0) and withheld (1), as the program has it now.
    #[must_use]
    pub fn value(self, program: &Dictionary) -> f64 {
        match self {
            Self::Fixed(value) => value,
            Self::Free(variable) => program.value(variable).clamp(0.0, 1.0),
        }
    }
}

impl Cut {
    /// Whether these choices break it.
    pub fn is_missed(&self, chosen: impl Fn(usize) -> f64) -> bool {
        let kept: f64 = self.factors.iter().map(|&(cell, factor)| factor * chosen(cell)).sum();
        kept < self.least * chosen(self.of) - CLOSE * (1.0 + self.least)
    }

    /// A row of the program. What is withheld for certain counts as given, and no factor need be larger than what is
    /// then left to ask, since a cell is withheld or is not.
    pub fn add_to(&self, program: &mut Dictionary, choice: impl Fn(usize) -> Choice) {
        let mut least = self.least;
        let mut terms = Vec::new();
        for &(cell, factor) in &self.factors {
            match choice(cell) {
                Choice::Fixed(value) => least -= factor * value,
                Choice::Free(variable) => terms.push((variable, factor)),
            }
        }
        for (_, factor) in &mut terms {
            *factor = factor.min(least);
        }
        let least = match choice(self.of) {
            Choice::Fixed(value) => least * value,
            Choice::Free(variable) => {
                terms.push((variable, -least));
                0.0
            }
        };
        program.define(&terms, least, f64::INFINITY);
    }
}
