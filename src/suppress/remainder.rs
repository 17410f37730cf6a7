//! Small groups that nobody asked for by name: what linked tables fix besides their own cells.
//!
//! All persons less those of all other countries are those of one. Along every line of cells that are alike in all
//! dimensions but one, the sets of levels leave groups over ([`super::partition`]); what is left over in two lines
//! leaves more between them, until nothing new comes.
//!
//! # Guarantee
//! Tables that are plain listings with their margins leave nothing over, and are seen to at the price of reading their
//! axes. Bounded by the number of remainders.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::Verdict;
use super::partition::{Kind, Rest, rests};
use super::told::{System, Told};
use std::collections::{BTreeMap, BTreeSet};

/// Remainders of the tables of one draw, before they are given up.
const REMAINDERS_MAX: usize = 100_000;

/// A group of persons that the figures of some tables fix, and that is no cell of them and not made of cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Remainder {
    /// Per dimension of the draw, the levels that it stands for.
    pub levels: Vec<Vec<usize>>,
    /// The sum of the cells that it follows from.
    pub estimate: f64,
    /// The floor on persons that it is judged by: the lowest of those cells.
    pub floor: f64,
}

impl Remainder {
    /// A table of nothing but it, withheld.
    #[must_use]
    pub fn withheld(&self, standard_error: f64, floor: f64) -> Told {
        Told {
            axes: self.levels.iter().map(|levels| vec![levels.clone()]).collect(),
            estimates: vec![self.estimate],
            standard_errors: vec![standard_error],
            floor,
            verdicts: vec![Verdict::Withheld],
        }
    }
}

/// Whether these tables may leave anything over.
#[must_use]
pub fn leave_over<'a>(sizes: &[usize], tables: &(impl Iterator<Item = &'a Told> + Clone)) -> bool {
    (0..sizes.len()).any(|dimension| !plain(dimension, tables.clone()))
}

/// What these tables leave over, each once; none if that is more than can be looked at. Along the dimension `pooled`,
/// every level has a floor of its own: the periods in each of which a person may count.
#[must_use]
pub fn remainders<'a>(
    sizes: &[usize],
    pooled: Option<usize>,
    tables: impl Iterator<Item = &'a Told> + Clone,
) -> Option<Vec<Remainder>> {
    if !leave_over(sizes, &tables) {
        return Some(Vec::new());
    }
    let mut lines = Lines::new(System::of(sizes, tables), pooled);
    let mut found = BTreeMap::new();
    // first what cells add up to, which whoever named them has named; then what is left over
    for naming in [true, false] {
        let all = lines.along.iter().enumerate();
        let mut work: Vec<(usize, Vec<usize>)> =
            all.flat_map(|(dimension, along)| along.keys().map(move |line| (dimension, line.clone()))).collect();
        while let Some((dimension, line)) = work.pop() {
            for (rest, key) in lines.fixed(dimension, &line) {
                let known = lines.system.lattice.find(&key);
                if known.is_some_and(|cell| cell < lines.named) || naming && rest.kind != Kind::Named {
                    continue;
                }
                let sum = lines.sum(&rest.made_of);
                if known.is_none() {
                    let crossing = (0..sizes.len()).filter(|&other| other != dimension);
                    work.extend(crossing.map(|other| (other, line_of(&key, other))));
                    lines.add(key.clone(), sum, naming);
                }
                if rest.kind == Kind::LeftOver {
                    found.entry(key).or_insert(sum);
                }
                if lines.system.estimates.len() > lines.system.asked + REMAINDERS_MAX {
                    return None;
                }
            }
        }
    }
    Some(found.into_iter().map(|(key, sum)| lines.remainder(&key, sum)).collect())
}

/// Whether all tables divide the same levels of a dimension, each into sets that are made of those of a finer one: a
/// line then holds all sets of the finest table in it. Tables of nothing but impossible cells divide none of them.
fn plain<'a>(dimension: usize, tables: impl Iterator<Item = &'a Told>) -> bool {
    let of_persons = tables.filter(|told| told.verdicts.iter().any(|&verdict| verdict != Verdict::Structural));
    let axes: BTreeSet<&Vec<Vec<usize>>> = of_persons.map(|told| &told.axes[dimension]).collect();
    let mut divisions: Vec<(usize, BTreeMap<usize, usize>)> = Vec::with_capacity(axes.len());
    for sets in axes {
        let levels = sets.iter().map(Vec::len).sum::<usize>();
        let held = sets.iter().enumerate().flat_map(|(set, levels)| levels.iter().map(move |&level| (level, set)));
        let set_of: BTreeMap<usize, usize> = held.collect();
        if set_of.len() != levels {
            return false;
        }
        divisions.push((sets.len(), set_of));
    }
    divisions.sort_by_key(|division| division.0);
    divisions.windows(2).all(|pair| {
        let (coarse, fine) = (&pair[0].1, &pair[1].1);
        let mut inside: BTreeMap<usize, usize> = BTreeMap::new();
        coarse.len() == fine.len()
            && fine.iter().all(|(level, set)| {
                coarse.get(level).is_some_and(|outer| inside.entry(*set).or_insert(*outer) == outer)
            })
    })
}

/// The line of a cell along a dimension.
fn line_of(key: &[usize], dimension: usize) -> Vec<usize> {
    let mut line = key.to_vec();
    line[dimension] = 0;
    line
}

/// By line, the cells by their sets.
type Along = BTreeMap<Vec<usize>, BTreeMap<usize, usize>>;

/// A dimension and some of its sets, with whether somebody named them.
type Sets = (usize, Vec<(usize, bool)>);

/// An estimate, and the floor of each level along the pooled dimension.
type Sum = (f64, f64);

/// The cells of some tables, and what they fix, by the lines they lie in.
struct Lines {
    system: System,
    pooled: Option<usize>,
    /// Per dimension the sets of its levels in use.
    in_use: Vec<Vec<usize>>,
    /// Per dimension.
    along: Vec<Along>,
    /// How many of the cells somebody named, or cells that somebody named add up to them.
    named: usize,
    /// By dimension and sets, what they leave over.
    known: BTreeMap<Sets, Vec<(usize, Rest)>>,
}

impl Lines {
    /// The system's floors become those of a single level along the pooled dimension.
    fn new(system: System, pooled: Option<usize>) -> Self {
        let dimensions = system.lattice.dimensions();
        let along = vec![Along::new(); dimensions];
        let (in_use, named, known) = (Vec::new(), system.asked, BTreeMap::new());
        let mut lines = Self { system, pooled, in_use, along, named, known };
        let mut in_use = vec![BTreeSet::new(); dimensions];
        for cell in 0..lines.system.asked {
            let key = lines.system.lattice.key(cell).to_vec();
            lines.system.floors[cell] /= lines.levels_pooled(&key);
            for (in_use, &set) in in_use.iter_mut().zip(&key) {
                in_use.insert(set);
            }
            lines.place(cell);
        }
        lines.in_use = in_use.into_iter().map(|sets| sets.into_iter().collect()).collect();
        lines
    }

    /// How many floors a cell has.
    fn levels_pooled(&self, key: &[usize]) -> f64 {
        let levels = self.pooled.map_or(1, |dimension| self.system.lattice.levels(dimension, key[dimension]).len());
        f64::from(u32::try_from(levels.max(1)).unwrap_or(u32::MAX))
    }

    fn place(&mut self, cell: usize) {
        let key = self.system.lattice.key(cell).to_vec();
        for (dimension, along) in self.along.iter_mut().enumerate() {
            along.entry(line_of(&key, dimension)).or_default().insert(key[dimension], cell);
        }
    }

    /// What the cells of a line fix, with the key of each and the cells it is made of.
    fn fixed(&mut self, dimension: usize, line: &[usize]) -> Vec<(Rest, Vec<usize>)> {
        let of_line = &self.along[dimension][line];
        if of_line.len() < 2 {
            return Vec::new();
        }
        let sets: Vec<(usize, bool)> = of_line.iter().map(|(&set, &cell)| (set, cell < self.named)).collect();
        let (lattice, in_use) = (&mut self.system.lattice, &self.in_use[dimension]);
        let rests = self.known.entry((dimension, sets.clone())).or_insert_with(|| {
            let of_line: Vec<_> = sets.iter().map(|&(set, named)| (lattice.levels(dimension, set), named)).collect();
            let elsewhere: Vec<_> = in_use.iter().map(|&set| lattice.levels(dimension, set)).collect();
            let found = rests(&of_line, &elsewhere);
            found.into_iter().map(|rest| (lattice.set(dimension, &rest.levels), rest)).collect()
        });
        let in_line = |(set, rest): &(usize, Rest)| {
            let mut key = line.to_vec();
            key[dimension] = *set;
            let made_of = rest.made_of.iter().map(|&(at, times)| (of_line[&sets[at].0], times)).collect();
            (Rest { made_of, ..rest.clone() }, key)
        };
        rests.iter().map(in_line).collect()
    }

    fn sum(&self, made_of: &[(usize, f64)]) -> Sum {
        let estimate = made_of.iter().map(|&(cell, times)| times * self.system.estimates[cell]).sum();
        (estimate, made_of.iter().map(|&(cell, _)| self.system.floors[cell]).fold(f64::INFINITY, f64::min))
    }

    fn add(&mut self, key: Vec<usize>, (estimate, floor): Sum, named: bool) {
        let cell = self.system.lattice.cell(key);
        self.named += usize::from(named);
        self.system.estimates.push(estimate);
        self.system.floors.push(floor);
        self.place(cell);
    }

    fn remainder(&self, key: &[usize], (estimate, floor): Sum) -> Remainder {
        let levels = |(dimension, &set): (usize, &usize)| self.system.lattice.levels(dimension, set).to_vec();
        let levels = key.iter().enumerate().map(levels).collect();
        Remainder { levels, estimate, floor: floor * self.levels_pooled(key) }
    }
}
