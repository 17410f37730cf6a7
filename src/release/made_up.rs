//! A small register made of throws of dice, and everything counted of it person by person: for tests of figures.
//!
//! The counting knows the words of a question and the codes of a register. It shares no code with what it checks: no
//! plan, no level, no region.

use crate::policy::{CodeLists, ComparedAsked, MeasureAsked, Policy};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// How many persons each person of the register stands for: so that a unit of noise is little beside any figure.
pub(super) const MANY: i64 = 1_000_000;

const HEAD: &str = r#"
id = "made"
version = 1
title = { en = "Made up" }
universe = { en = "Nobody" }
source = { en = "None" }
controller = "Nobody"
legal_basis = "None"
licence = "CC0-1.0"
contact = "dpo@example.org"
effective = 2024-01-01
expires = 2029-12-31
retention_days = 30
consulted = ["nobody"]
frequency = "A"
editions = "closed"
releases = "public"
submitters = { ministry = ["*"] }
purposes = { allow = ["sdg"] }
principals = { deny_classes = ["enforcement"] }
cells = { threshold = 10, dims_max = 6, cells_max = 5000 }
unit = { person = "person_id", id = "raw", rows_max = 3, periods_max = 2 }
budget = { account = "made", accounting = "zcdp", rho = "900", delta = "1e-9", per_release_max = "500" }
"#;

/// Lists whose codes belong together unevenly, bands with codes behind them, groupings that cross each other.
pub(super) fn policy(zeros: bool) -> Policy {
    let mut text = HEAD.to_owned();
    for (name, per, more) in [
        ("sex", "person", "codes = [\"F\", \"M\"]"),
        ("area", "person", "codes = \"CL_AREA\"\ngeo_level = 2"),
        (
            "age",
            "person",
            "type = \"integer\"\nmin = 0\nmax = 99\nbands = [\"Y0T4\", \"Y5T17\", \"Y18T39\", \"Y_GE40\", \"_U\"]",
        ),
        ("state", "person", "codes = [\"_O\", \"b-1\", \"c.2\"]"),
        ("service", "row", "codes = \"CL_SERVICE\""),
        ("outcome", "row", "codes = [\"yes\", \"no\"]"),
    ] {
        writeln!(text, "[[column]]\nname = \"{name}\"\nrole = \"dimension\"\nper = \"{per}\"\n{more}").unwrap();
    }
    for (name, per, more) in [
        (
            "wage",
            "person",
            "type = \"decimal\"\nscale = 1\nmin = \"-3\"\nmax = \"9.8\"\nbins = [\"-3\", \"0.5\", \"2\", \"9.8\"]",
        ),
        ("bill", "row", "type = \"integer\"\nmin = 0\nmax = 7\nbins = [\"0\", \"2\", \"3\", \"7\"]"),
    ] {
        let more = format!("unit = \"x\"\nmissing = \"allowed\"\n{more}");
        writeln!(text, "[[column]]\nname = \"{name}\"\nrole = \"measure\"\nper = \"{per}\"\n{more}").unwrap();
    }
    for (name, more) in [
        ("region", "column = \"area\"\nlevel = 1\ngeo_level = 1"),
        ("part", "column = \"area\"\nlevel = 2\ngeo_level = 2"),
        ("young", "column = \"age\"\nbands = [\"Y0T17\", \"Y_GE18\"]"),
        ("child", "column = \"age\"\nbands = [\"Y0T4\", \"Y5T39\", \"Y_GE40\"]"),
        ("care", "column = \"service\"\nlevel = 1"),
    ] {
        writeln!(text, "[[grouping]]\nname = \"{name}\"\n{more}").unwrap();
    }
    if zeros {
        text.push_str("[[structural_zero]]\nwhere = { state = [\"c.2\"], age = [\"Y0T4\", \"Y5T17\"] }\n");
        text.push_str("[[structural_zero]]\nwhere = { service = [\"v1\", \"v2\"], outcome = [\"no\"] }\n");
    }
    let area = "code,parent\nN,\nS,\nN1,N\nN2,N\na1,N1\na2,N1\na3,N2\na4,S\na5,\na6,N2\n";
    let service = "code,parent\nv,\nv1,v\nv2,v\nw,\n_U,\n";
    let lists = [("CL_AREA", area), ("CL_SERVICE", service)].map(|(name, text)| (name.to_owned(), text.to_owned()));
    Policy::parse(&text, &CodeLists(lists.into())).unwrap_or_else(|f| panic!("{f:#?}")).0
}

/// The same throws in every run.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.throw(times) == 0
    }

    pub(super) fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.throw(all.len())]
    }

    /// Some of these, at least one.
    pub(super) fn some<T: Clone>(&mut self, all: &[T]) -> Vec<T> {
        let mut kept: Vec<T> = all.iter().filter(|_| self.once_in(2)).cloned().collect();
        if kept.is_empty() {
            kept.push(self.of(all).clone());
        }
        kept
    }
}

/// One row of one person in one period: its codes by column, its numbers.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) codes: BTreeMap<String, String>,
    pub(super) numbers: BTreeMap<String, Option<i64>>,
}

/// By person and period the rows that are kept.
pub(super) type Register = Vec<Vec<Row>>;

pub(super) fn codes_of(policy: &Policy, name: &str) -> Vec<String> {
    if name == "period" {
        return vec!["2025".into(), "2026".into()];
    }
    policy.dimensions().find(|(c, _)| c.name == name).unwrap().1.codes.iter().map(|c| c.id.clone()).collect()
}

pub(super) fn register(policy: &Policy, zeros: bool, dice: &mut Dice) -> Register {
    let code = |name: &str, dice: &mut Dice| (name.to_owned(), dice.of(&codes_of(policy, name)).clone());
    let mut all = Register::new();
    while all.len() < 150 {
        let person: BTreeMap<String, String> =
            ["period", "sex", "area", "age", "state"].map(|name| code(name, dice)).into();
        let wage = (!dice.once_in(4)).then(|| i64::try_from(dice.throw(129)).unwrap() - 30);
        let rows = (0..=dice.throw(3)).map(|_| {
            let mut codes = person.clone();
            codes.extend(["service", "outcome"].map(|name| code(name, dice)));
            let bill = (!dice.once_in(4)).then(|| i64::try_from(dice.throw(8)).unwrap());
            Row { codes, numbers: [("wage".to_owned(), wage), ("bill".to_owned(), bill)].into() }
        });
        let rows: Vec<Row> = rows.collect();
        let impossible = |row: &Row| {
            let is = |name: &str, codes: &[&str]| codes.contains(&row.codes[name].as_str());
            is("state", &["c.2"]) && is("age", &["Y0T4", "Y5T17"])
                || is("service", &["v1", "v2"]) && is("outcome", &["no"])
        };
        if !zeros || !rows.iter().any(impossible) {
            all.push(rows);
        }
    }
    all
}

/// What the rows counted have to be: by column, one of these codes.
pub(super) type Holds = Vec<(String, BTreeSet<String>)>;

/// Codes of a column or grouping, as codes of the column.
pub(super) fn on_column(policy: &Policy, name: &str, codes: &[String]) -> (String, BTreeSet<String>) {
    let grouping = policy.groupings.iter().find(|grouping| grouping.name == name);
    let Some(of) = grouping.and_then(|grouping| grouping.of.as_ref()) else {
        return (name.to_owned(), codes.iter().cloned().collect());
    };
    let (groups, members) = (codes_of(policy, name), codes_of(policy, &of.column));
    let held = groups.iter().zip(&of.groups).filter(|(group, _)| codes.contains(group));
    let held = held.flat_map(|(_, places)| places.iter().map(|&place| members[usize::from(place)].clone()));
    (of.column.clone(), held.collect())
}

pub(super) fn holds(row: &Row, all: &Holds) -> bool {
    all.iter().all(|(column, codes)| codes.contains(&row.codes[column]))
}

/// What is counted of the register where something holds.
pub(super) struct Count<'a> {
    pub(super) register: &'a Register,
}

impl Count<'_> {
    pub(super) fn persons(&self, all: &Holds) -> f64 {
        float(self.register.iter().filter(|rows| rows.iter().any(|row| holds(row, all))).count())
    }

    pub(super) fn rows(&self, all: &Holds) -> f64 {
        float(self.register.iter().flatten().filter(|row| holds(row, all)).count())
    }

    /// The values of a column.
    pub(super) fn values(&self, column: &str, all: &Holds) -> Vec<f64> {
        let counted =
            |rows: &Vec<Row>| rows.iter().take(if column == "wage" { 1 } else { 3 }).cloned().collect::<Vec<_>>();
        let rows: Vec<Row> = self.register.iter().flat_map(counted).collect();
        let unit = if column == "wage" { 0.1 } else { 1.0 };
        let values = rows.iter().filter(|row| holds(row, all)).filter_map(|row| row.numbers[column]);
        values.map(|value| unit * f64::from(i32::try_from(value).unwrap())).collect()
    }

    pub(super) fn mean(&self, column: &str, all: &Holds) -> f64 {
        let values = self.values(column, all);
        values.iter().sum::<f64>() / float(values.len())
    }

    pub(super) fn quantile(&self, column: &str, q: f64, all: &Holds) -> f64 {
        let edges: &[f64] = if column == "wage" { &[-3.0, 0.5, 2.0, 9.8] } else { &[0.0, 2.0, 3.0, 7.0] };
        let values = self.values(column, all);
        let (mut below, target) = (0.0, q * float(values.len()));
        for (bin, ends) in edges.windows(2).enumerate() {
            let last = bin + 2 == edges.len();
            let inside = |v: &&f64| **v >= ends[0] - 1e-9 && (**v < ends[1] - 1e-9 || last);
            let here = float(values.iter().filter(inside).count());
            // A stretch without anyone may begin or end between two bins: rounding decides which.
            if (below - target).abs() > 1e-9 && below < target && target < below + here - 1e-9 {
                return ends[0] + (target - below) / here * (ends[1] - ends[0]);
            }
            below += here;
        }
        f64::NAN
    }
}

pub(super) fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

/// What a measure is in cells for which something holds; not a number where nobody is.
pub(super) fn truth(policy: &Policy, count: &Count<'_>, measure: &MeasureAsked, cell: &Holds) -> f64 {
    let with = |codes: &BTreeMap<String, Vec<String>>, of: &Holds| -> Holds {
        of.iter().cloned().chain(codes.iter().map(|(name, codes)| on_column(policy, name, codes))).collect()
    };
    let many = |count: f64| count * f64::from(i32::try_from(MANY).unwrap());
    let compared = |what: Option<&ComparedAsked>, group: &Holds| match what {
        None | Some(ComparedAsked::Persons {}) => many(count.persons(group)),
        Some(ComparedAsked::Share { of }) => count.persons(&with(of, group)) / count.persons(group),
        Some(ComparedAsked::Mean { column }) => count.mean(column, group),
    };
    match measure {
        MeasureAsked::Persons {} => many(count.persons(cell)),
        MeasureAsked::Rows {} => many(count.rows(cell)),
        MeasureAsked::Sum { column } => many(count.values(column, cell).iter().sum()),
        MeasureAsked::Mean { column } => count.mean(column, cell),
        MeasureAsked::Median { column } => count.quantile(column, 0.5, cell),
        MeasureAsked::Quantile { column, q } => count.quantile(column, q.parse().unwrap(), cell),
        MeasureAsked::Share { of } => count.persons(&with(of, cell)) / count.persons(cell),
        MeasureAsked::Difference { of, against, what } => {
            compared(what.as_ref(), &with(of, cell)) - compared(what.as_ref(), &with(against, cell))
        }
        MeasureAsked::Ratio { of, against, what } => {
            compared(what.as_ref(), &with(of, cell)) / compared(what.as_ref(), &with(against, cell))
        }
    }
}

#[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "small numbers of a test")]
pub(super) fn whole(figure: f64) -> i64 {
    figure.round() as i64
}
