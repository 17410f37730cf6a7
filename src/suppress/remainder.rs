//! Groups that are no cell of some tables though they may follow from them: what linked tables fix besides their own.
//!
//! All persons less those of all other countries are those of one. A group is a part or a set that some table names,
//! in every dimension: a part is what the sets of all tables do not tell apart. Up to [`PRODUCTS_MAX`], each of them
//! is looked at. Of more, those that lines lead to: along a line of cells that are alike in all dimensions but one,
//! the sets of levels fix the parts that they cut each other into and sums of those that are named
//! ([`super::partition`]); what is fixed in two lines fixes more between them, until nothing new comes. Lines missed
//! 10 of 720,170 groups that all figures fix, in 20,000 made-up systems of many filters at once.
//!
//! # Guarantee
//! Which groups these are depends on the sets of the tables alone, on none of their figures. Plain listings with their
//! margins have none. Sums of withheld cells that no table names are no groups: their cells have the width of a floor.
#![expect(clippy::indexing_slicing, reason = "a numeric kernel: every index was handed out by the vector it indexes")]

use super::Verdict;
use super::partition::{Rest, parts, rests};
use super::told::{System, Told};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Groups of the tables of one draw before they are given up, or
const GROUPS_MAX: usize = 100_000;
/// so many for each cell: margins that were not asked for are fewer.
const GROUPS_OF_CELL_MAX: usize = 2;
/// Products of parts and named sets of all dimensions, up to which each of them is a group.
const PRODUCTS_MAX: usize = 4_096;

/// A group of persons that is no cell of some tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Remainder {
    /// Per dimension of the draw, the levels that it stands for.
    pub levels: Vec<Vec<usize>>,
    /// What the tables tell of it.
    pub estimate: f64,
    /// The floor on persons that it is judged by.
    pub floor: f64,
}

impl Remainder {
    /// A table of nothing but it, withheld.
    #[must_use]
    pub fn withheld(&self, standard_error: f64) -> Told {
        Told {
            axes: self.levels.iter().map(|levels| vec![levels.clone()]).collect(),
            estimates: vec![self.estimate],
            standard_errors: vec![standard_error],
            floor: self.floor,
            verdicts: vec![Verdict::Withheld],
        }
    }
}

/// Whether these tables may leave anything over.
#[must_use]
pub fn leave_over<'a>(sizes: &[usize], tables: &(impl Iterator<Item = &'a Told> + Clone)) -> bool {
    let of_persons = || tables.clone().filter(|told| told.verdicts.iter().any(|&v| v != Verdict::Structural));
    let divisions: Option<Vec<_>> = (0..sizes.len()).map(|dimension| nested(dimension, of_persons())).collect();
    let Some(divisions) = divisions else { return true };
    let asked: BTreeSet<&Vec<Vec<Vec<usize>>>> = of_persons().map(|told| &told.axes).collect();
    let wider = |axes: &&Vec<Vec<Vec<usize>>>, dimension: usize, coarser: &Vec<Vec<usize>>| {
        let mut wider = (*axes).clone();
        wider[dimension].clone_from(coarser);
        wider
    };
    !asked.iter().all(|axes| {
        divisions.iter().enumerate().all(|(dimension, chain)| {
            let coarser = chain.iter().take_while(|division| ***division != axes[dimension]);
            coarser.into_iter().all(|coarser| asked.contains(&wider(axes, dimension, coarser)))
        })
    })
}

/// The sets of an axis, and by level which of them holds it.
type Division<'a> = (&'a Vec<Vec<usize>>, BTreeMap<usize, usize>);

/// How the tables divide a dimension, coarsest first, if all divide the same levels, each into sets that are made of
/// those of a finer one: a line then holds all sets of the finest table in it.
fn nested<'a>(dimension: usize, tables: impl Iterator<Item = &'a Told>) -> Option<Vec<&'a Vec<Vec<usize>>>> {
    let axes: BTreeSet<&Vec<Vec<usize>>> = tables.map(|told| &told.axes[dimension]).collect();
    let mut divisions: Vec<Division<'_>> = Vec::with_capacity(axes.len());
    for sets in axes {
        let levels = sets.iter().map(Vec::len).sum::<usize>();
        let held = sets.iter().enumerate().flat_map(|(set, levels)| levels.iter().map(move |&level| (level, set)));
        let set_of: BTreeMap<usize, usize> = held.collect();
        if set_of.len() != levels {
            return None;
        }
        divisions.push((sets, set_of));
    }
    divisions.sort_by_key(|division| division.0.len());
    let inside = |pair: &[Division<'_>]| {
        let (coarse, fine) = (&pair[0].1, &pair[1].1);
        let mut inside: BTreeMap<usize, usize> = BTreeMap::new();
        coarse.len() == fine.len()
            && fine.iter().all(|(level, set)| {
                coarse.get(level).is_some_and(|outer| inside.entry(*set).or_insert(*outer) == outer)
            })
    };
    divisions.windows(2).all(inside).then(|| divisions.into_iter().map(|division| division.0).collect())
}

/// A group by its levels, what cells tell of it, and whether it is a difference of some: then whoever knows them knows
/// it.
pub(super) type Group = (Vec<Vec<usize>>, f64, bool);

/// The groups that may follow from some tables, each once, with what these say of it; none if that is more than can be
/// looked at.
pub(super) fn groups<'a>(sizes: &[usize], tables: impl Iterator<Item = &'a Told> + Clone) -> Option<Vec<Group>> {
    if !leave_over(sizes, &tables) {
        return Some(Vec::new());
    }
    let mut lines = Lines::new(System::of(sizes, tables));
    let asked = lines.system.asked;
    let most = asked + GROUPS_MAX.max(asked.saturating_mul(GROUPS_OF_CELL_MAX));
    let all = lines.along.iter().enumerate();
    let several = |(dimension, along): (usize, &Along)| {
        let lines = along.iter().filter(|(_, cells)| cells.len() > 1);
        lines.map(|(line, _)| (dimension, line.clone())).collect::<Vec<_>>()
    };
    let mut next: BTreeSet<(usize, Vec<usize>)> = all.flat_map(several).collect();
    while !next.is_empty() {
        for (dimension, line) in std::mem::take(&mut next) {
            for (key, estimate, difference) in lines.fixed(dimension, &line) {
                if lines.system.lattice.find(&key).is_some() {
                    continue;
                }
                lines.add(key.clone(), estimate, difference);
                let crossing = (0..sizes.len()).filter(|&other| other != dimension);
                let crossing = crossing.map(|other| (other, line_of(&key, other)));
                next.extend(crossing.filter(|(other, line)| lines.along[*other][line].len() > 1));
                if lines.system.estimates.len() > most {
                    return None;
                }
            }
        }
    }
    lines.add_products();
    let (differences, System { lattice, estimates, .. }) = (lines.differences, lines.system);
    let levels = |cell: usize| {
        let sets = lattice.key(cell).iter().enumerate();
        sets.map(|(dimension, &set)| lattice.levels(dimension, set).to_vec()).collect()
    };
    let group = |(cell, &estimate): (usize, &f64)| (levels(cell), estimate, differences.contains(&cell));
    Some(estimates.iter().enumerate().skip(asked).map(group).collect())
}

/// The line of a cell along a dimension.
fn line_of(key: &[usize], dimension: usize) -> Vec<usize> {
    let mut line = key.to_vec();
    line[dimension] = 0;
    line
}

/// By line, the cells by their sets.
type Along = HashMap<Vec<usize>, BTreeMap<usize, usize>>;

/// What the sets of a line fix: the set that each of it is, and what it is made of.
type Fixed = Vec<(usize, Rest)>;

/// The cells of some tables, and what they fix, by the lines they lie in.
struct Lines {
    system: System,
    /// Per dimension the sets of its levels in use.
    in_use: Vec<BTreeSet<usize>>,
    /// Per dimension.
    along: Vec<Along>,
    /// By dimension and sets.
    known: HashMap<(usize, Vec<usize>), Fixed>,
    /// Groups found as one.
    differences: BTreeSet<usize>,
}

impl Lines {
    fn new(system: System) -> Self {
        let dimensions = system.lattice.dimensions();
        let (in_use, along) = (vec![BTreeSet::new(); dimensions], vec![Along::new(); dimensions]);
        let mut lines = Self { system, in_use, along, known: HashMap::new(), differences: BTreeSet::new() };
        for cell in 0..lines.system.asked {
            for (in_use, &set) in lines.in_use.iter_mut().zip(lines.system.lattice.key(cell)) {
                in_use.insert(set);
            }
            lines.place(cell);
        }
        lines
    }

    fn place(&mut self, cell: usize) {
        let key = self.system.lattice.key(cell);
        for (dimension, along) in self.along.iter_mut().enumerate() {
            along.entry(line_of(key, dimension)).or_default().insert(key[dimension], cell);
        }
    }

    /// What the cells of a line fix, by its sets, with the sum that it is.
    fn fixed(&mut self, dimension: usize, line: &[usize]) -> Vec<(Vec<usize>, f64, bool)> {
        let of_line = &self.along[dimension][line];
        let sets: Vec<usize> = of_line.keys().copied().collect();
        let (lattice, in_use) = (&mut self.system.lattice, &self.in_use[dimension]);
        let rests = self.known.entry((dimension, sets.clone())).or_insert_with(|| {
            let of_line: Vec<&[usize]> = sets.iter().map(|&set| lattice.levels(dimension, set)).collect();
            let elsewhere: Vec<&[usize]> = in_use.iter().map(|&set| lattice.levels(dimension, set)).collect();
            let found = rests(&of_line, &elsewhere);
            found.into_iter().map(|rest| (lattice.set(dimension, &rest.levels), rest)).collect()
        });
        let in_line = |(set, rest): &(usize, Rest)| {
            let mut key = line.to_vec();
            key[dimension] = *set;
            let estimate = rest.made_of.iter().map(|&(at, times)| times * self.system.estimates[of_line[&sets[at]]]);
            (key, estimate.sum(), rest.made_of.iter().any(|made_of| made_of.1 < 0.0))
        };
        rests.iter().map(in_line).collect()
    }

    /// Where they are few, all products of parts and named sets, of which lines may tell nothing.
    fn add_products(&mut self) {
        let lattice = &mut self.system.lattice;
        let mut sets = self.in_use.clone();
        for (dimension, sets) in sets.iter_mut().enumerate() {
            let named: Vec<&[usize]> = sets.iter().map(|&set| lattice.levels(dimension, set)).collect();
            let parts: Vec<Vec<usize>> = parts(&named).into_iter().map(|part| part.1).collect();
            sets.extend(parts.iter().map(|levels| lattice.set(dimension, levels)));
        }
        if sets.iter().map(BTreeSet::len).try_fold(1, usize::checked_mul).is_none_or(|all| all > PRODUCTS_MAX) {
            return;
        }
        let mut keys = vec![Vec::new()];
        for sets in sets {
            keys = keys.iter().flat_map(|key| sets.iter().map(move |&set| [key.as_slice(), &[set]].concat())).collect();
        }
        for key in keys {
            if self.system.lattice.find(&key).is_none() {
                self.system.lattice.cell(key);
                self.system.estimates.push(f64::NAN);
            }
        }
    }

    fn add(&mut self, key: Vec<usize>, estimate: f64, difference: bool) {
        let cell = self.system.lattice.cell(key);
        if difference {
            self.differences.insert(cell);
        }
        self.system.estimates.push(estimate);
        self.place(cell);
    }
}
