//! An analyst with patience: many questions, paid and free, offers taken up, and everything public put together.
//!
//! Nothing withheld may follow from it, nor a small group that nobody asked for, and what is withheld keeps its room.
//! `HALFLIGHT_CASES=100` for more sequences of questions.

use crate::solver::{
    COLUMNS, Figure, GROUPS, IMPOSSIBLE, Span, combinations, figures, known, leaves, possible, unasked,
};
use crate::support::{POLICY, TestService};
use crate::textbook::Seen;
use crate::withheld::published;
use halflight::release::audit;
use halflight::suppress::{Told, Verdict};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Whole numbers that are the same in every run.
pub struct Dice(pub u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn of<'a, T>(&mut self, some: &'a [T]) -> &'a T {
        &some[self.below(some.len())]
    }

    /// Some codes, not all of them where there are several.
    fn some<'a>(&mut self, codes: &[&'a str]) -> Vec<&'a str> {
        let start = self.below(codes.len());
        let count = 1 + self.below(codes.len().max(2) - 1);
        let mut some: Vec<&str> = (0..count).map(|at| codes[(start + at) % codes.len()]).collect();
        some.sort_unstable();
        some
    }
}

pub fn policy() -> String {
    let (start, rest) = POLICY.split_once("[[column]]").unwrap();
    let (_, cells) = rest.split_once("[cells]").unwrap();
    let mut columns = String::new();
    for (name, codes) in &COLUMNS[..3] {
        columns +=
            &format!("[[column]]\nname = \"{name}\"\nrole = \"dimension\"\nper = \"person\"\ncodes = {codes:?}\n");
    }
    let rest = r#"
[[column]]
name = "age"
role = "dimension"
per = "person"
type = "integer"
min = 0
max = 120
bands = ["Y0T14", "Y15T17", "Y_GE18"]
[[grouping]]
name = "child"
column = "age"
bands = ["Y0T17", "Y_GE18"]
[[column]]
name = "wage"
role = "measure"
per = "row"
type = "integer"
unit = "EUR"
min = "0"
max = "100"
missing = "allowed"
bins = ["0", "25", "50", "100"]
[[structural_zero]]
where = { origin = ["zz"], age = ["Y0T14"] }
[[require]]
when = { origin = ["yy"] }
threshold = 20
[cells]"#;
    let cells = cells.split("[[forbid]]").next().unwrap().replacen("dims_max = 3", "dims_max = 4", 1);
    let start = start.replacen("rho = \"20\"", "rho = \"200\"", 1).replacen("rows_max = 3", "rows_max = 1", 1);
    format!("{start}{columns}{rest}{cells}")
}

/// A few persons in most combinations, many in some.
pub fn register(dice: &mut Dice) -> String {
    let mut csv = String::from("person_id,state,sex,origin,age,wage\n");
    for (number, at) in combinations().enumerate().filter(|(_, at)| possible(at)) {
        let code = |column: usize| COLUMNS[column].1[at[column]];
        let age = [7, 16, 40][at[3]];
        for person in 0..*dice.of(&[0, 1, 2, 4, 6, 9, 14, 30, 80]) {
            csv += &format!("p{number}x{person},{},{},{},{age},{}\n", code(0), code(1), code(2), 10 + person % 50);
        }
    }
    csv
}

fn chosen(dice: &mut Dice, columns: usize) -> Value {
    let mut chosen = Map::new();
    for _ in 0..columns {
        let (name, codes) = dice.of(&COLUMNS);
        chosen.insert((*name).to_owned(), json!(dice.some(codes)));
    }
    Value::Object(chosen)
}

fn measure(dice: &mut Dice) -> Value {
    let (name, codes) = dice.of(&COLUMNS);
    let at = dice.below(codes.len());
    let (of, against) = (codes[at], codes[(at + 1) % codes.len()]);
    match dice.below(9) {
        0 | 1 => json!({ "kind": "share", "of": chosen(dice, 1) }),
        2 => json!({ "kind": "difference", "of": { *name: [of] }, "against": { *name: [against] } }),
        3 => json!({ "kind": "ratio", "of": { *name: [of] }, "against": { *name: [against] },
            "what": { "kind": "share", "of": chosen(dice, 1) } }),
        _ => json!({ "kind": "persons" }),
    }
}

fn question(dice: &mut Dice) -> Value {
    let mut names: Vec<&str> = COLUMNS.iter().map(|column| column.0).collect();
    names.push(GROUPS[0].0);
    let by: BTreeSet<&str> = (0..dice.below(4)).map(|_| *dice.of(&names)).collect();
    let filters = [0, 1, 1, 2][dice.below(4)];
    json!({ "dataset": "visits", "purpose": "sdg", "measures": [measure(dice)], "by": by, "periods": ["2026"],
        "where": chosen(dice, filters), "margins": dice.below(3) == 0, "spend": { "rho": "0.05" } })
}

/// What is paid for, most of it over three columns or all: what comes after is cut from it.
fn paid(dice: &mut Dice) -> Value {
    let mut asked = question(dice);
    let tables = [
        json!([["state", "sex", "origin", "age"]]),
        json!([["state", "sex", "origin"], ["origin", "age"]]),
        json!([["state", "origin", "age"]]),
        json!([["sex", "origin"], ["state", "child"], ["age"]]),
    ];
    asked.as_object_mut().unwrap().remove("by");
    asked["tables"] = dice.of(&tables).clone();
    asked["spend"] = json!({ "rho": dice.of(&["0.4", "0.9", "2.5", "8"]) });
    if dice.below(2) == 0 {
        asked["where"] = json!({});
    }
    asked
}

#[derive(Debug, Default)]
struct Counts {
    answered: usize,
    refused: usize,
    offers: usize,
}

/// Asks, and takes up what is offered; what a quote said is what comes.
fn ask(service: &TestService, team: &str, asked: &Value, told: &mut Counts) {
    let quote = service.post("/v1/quotes", team, asked);
    assert_eq!(quote.status, 200, "{asked}\n{}", quote.text());
    let quote = quote.json();
    let reply = service.ask(team, asked);
    if [200, 201].contains(&reply.status) {
        assert_eq!(quote["allowed"], true, "{asked}\n{quote}");
        told.answered += 1;
        return;
    }
    assert_eq!((&quote["allowed"], quote["code"].as_str()), (&json!(false), Some(reply.code().as_str())), "{quote}");
    told.refused += usize::from(reply.code() == "would_reveal_withheld");
    for offer in reply.json()["alternatives"].as_array().into_iter().flatten().take(1) {
        let status = service.ask(team, &offer["question"]).status;
        assert!([200, 201].contains(&status), "{offer}");
        told.offers += 1;
    }
}

/// Everything public, by draw, in the order in which it was released.
fn draws(service: &TestService) -> BTreeMap<String, Vec<Value>> {
    let mut bodies: Vec<Value> =
        published(service).iter().map(|(_, document)| serde_json::from_slice(document).unwrap()).collect();
    bodies.sort_by_key(|body| body["log_index"].as_u64());
    let mut draws: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for body in bodies {
        let draw = body["answered_from"].as_str().or(body["id"].as_str()).unwrap().to_owned();
        draws.entry(draw).or_default().push(body);
    }
    draws
}

/// Withheld figures that have less room than was promised, by the textbook's program; of so many at most.
fn narrow(figures: &[Figure], most: usize) -> Vec<String> {
    let sizes = COLUMNS.map(|(_, codes)| codes.len());
    let told = |axes: Vec<Vec<Vec<usize>>>, figure: Option<&Figure>, verdict| Told {
        standard_errors: vec![figure.map_or(0.0, |figure| figure.error); axes.iter().map(Vec::len).product()],
        estimates: vec![figure.and_then(|f| f.estimate).unwrap_or_default(); axes.iter().map(Vec::len).product()],
        verdicts: vec![verdict; axes.iter().map(Vec::len).product()],
        floor: figure.map_or(0.0, |figure| figure.floor),
        axes,
    };
    let of = |figure: &Figure, verdict| {
        let axes = figure.chosen.iter().map(|places| vec![places.iter().copied().collect()]).collect();
        told(axes, Some(figure), verdict)
    };
    let each = |column: usize| match IMPOSSIBLE.iter().find(|(own, _)| *own == column) {
        Some(&(_, code)) => vec![vec![code]],
        None => (0..sizes[column]).map(|code| vec![code]).collect(),
    };
    let mut silent: BTreeMap<&Vec<bool>, Figure> = BTreeMap::new();
    for figure in figures.iter().filter(|figure| figure.estimate.is_none()) {
        let one = silent.entry(&figure.held).or_insert_with(|| figure.clone());
        (one.floor, one.error) = (one.floor.max(figure.floor), one.error.min(figure.error));
    }
    let mut tables = vec![told((0..sizes.len()).map(each).collect(), None, Verdict::Structural)];
    tables.extend(Span::of(figures.iter()).1.into_iter().map(|figure| of(figure, Verdict::Shown)));
    tables.extend(silent.values().map(|figure| of(figure, Verdict::Withheld)));
    let seen = Seen::new(&sizes, &tables);
    let step = 1 + seen.silent.len() / most;
    let widths = seen.silent.iter().step_by(step).map(|(held, _, floor)| (seen.width(held), *floor));
    widths.filter(|(width, floor)| *width < floor * (1.0 - 1e-4)).map(|found| format!("{found:?}")).collect()
}

/// What is withheld says nothing but that.
fn is_silent(cell: &Value) -> bool {
    let fields: Vec<&str> = cell.as_object().unwrap().keys().map(String::as_str).collect();
    fields == ["high", "key", "low", "measure", "reason", "status", "value"]
        && ["high", "low", "value"].iter().all(|field| cell[field].is_null())
        && ["withheld", "unreliable"].contains(&cell["reason"].as_str().unwrap_or_default())
}

#[test]
fn nothing_withheld_follows_from_everything_public_of_a_draw() {
    let cases = std::env::var("HALFLIGHT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(6);
    let (mut counts, mut hidden, mut found, mut added_up) = (Counts::default(), 0, Vec::new(), Vec::new());
    for case in 0..cases {
        let mut dice = Dice(case ^ 0xa77);
        let service = TestService::start();
        service.in_force(&policy());
        let (ministry, team) = (service.submitter(), service.analyst());
        service.submit(&ministry, "visits", "2026", "k1", &register(&mut dice)).expect(201);
        service.close("visits", "2026").expect(201);
        for at in 0..5 + dice.below(20) {
            let asked = if at == 0 || dice.below(8) == 0 { paid(&mut dice) } else { question(&mut dice) };
            ask(&service, &team, &asked, &mut counts);
        }
        for (draw, bodies) in draws(&service) {
            let figures = figures(&bodies);
            let silent = figures.iter().filter(|figure| figure.estimate.is_none()).count();
            hidden += silent;
            found.extend(known(&figures).into_iter().map(|what| format!("case {case}, {draw}: {what}")));
            for (what, less) in unasked(&figures) {
                let all = if less.is_some() { &mut found } else { &mut added_up };
                all.push(format!("case {case}, {draw}: {what}, {}", less.unwrap_or_default()));
            }
            found.extend(narrow(&figures, 8).into_iter().map(|what| format!("case {case}, {draw}: narrow {what}")));
            for cell in bodies.iter().flat_map(|body| body["cells"].as_array().unwrap()) {
                assert!(cell["status"] != "Q" || is_silent(cell), "{cell}");
            }
        }
        for audited in audit(&published(&service)) {
            found.extend(audited.found.err().map(|flaw| format!("case {case}, {}: {flaw}", audited.releases[0])));
        }
    }
    // what takes more than two figures and more than one line to add up is beyond what a certificate says of groups
    println!("{counts:?}, {hidden} withheld, small groups that can be added up: {added_up:#?}");
    assert!(found.is_empty(), "{}: {found:#?}", found.len());
    assert!(counts.answered > 5 * counts.refused && hidden > 100, "{counts:?}");
}

#[test]
fn the_attacker_finds_what_is_given_away() {
    let figure = |chosen: [&[usize]; 4], estimate: Option<f64>| {
        let chosen = chosen.map(|codes| codes.iter().copied().collect());
        Figure { held: leaves(&chosen), chosen, estimate, error: 2.0, floor: 10.0 }
    };
    let of = |states: &[usize], estimate| figure([states, &[0, 1], &[0, 1, 2], &[0, 1, 2]], estimate);
    let all = [of(&[0, 1, 2], Some(90.0)), of(&[0], Some(50.0)), of(&[1], None), of(&[2], None)];
    assert!(known(&all).is_empty() && narrow(&all, 9).is_empty());
    let told = [all.as_slice(), &[of(&[0, 1], Some(84.0))]].concat();
    assert_eq!(known(&told).len(), 2, "the third state, and with it the second: {:?}", known(&told));
    let rest = [of(&[0, 1, 2], Some(90.0)), of(&[0, 1], Some(86.0))];
    assert!(known(&rest).is_empty());
    assert!(matches!(unasked(&rest).as_slice(), [(_, Some(_))]), "nobody asked for the third: {:?}", unasked(&rest));
    let closer = all.clone().map(|figure| Figure { error: 0.5, ..figure });
    assert_eq!(known(&closer).len(), 1, "who knows one knows the other");
    let low = [of(&[0, 1, 2], Some(48.0)), all[1].clone(), of(&[1], None), of(&[2], None)];
    let low = low.map(|figure| Figure { error: 0.9, ..figure });
    assert_eq!(narrow(&low, 9).len(), 2, "12 x 0.9 less 2 is 8.8");
    // impossible ones are no persons: without them it is the same figure
    let nobody = figure([&[0], &[0, 1], &[2], &[0, 1, 2]], None);
    let others = figure([&[0], &[0, 1], &[2], &[1, 2]], Some(4.0));
    assert_eq!(known(&[nobody, others]).len(), 1);
}
