//! Many free questions over one released program: none is charged, all agree, errors are as told.
//!
//! `HALFLIGHT_QUESTIONS=1000` asks a thousand; a normal run asks fewer.

use crate::support::{POLICY, TestService};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Columns and their codes.
const COLUMNS: [(&str, &[&str]); 5] = [
    ("region", &["north", "south", "west"]),
    ("sex", &["F", "M"]),
    ("age", &["Y0T14", "Y15T29", "Y30T59", "Y_GE60"]),
    ("status", &["regular", "pending", "irregular"]),
    ("sector", &["farms", "homes", "none"]),
];
const TABLES: [&[usize]; 4] = [&[0, 1, 2], &[1, 2, 3], &[2, 3, 4], &[0, 3]];
/// Each cell of a table has a few hundred: none is withheld.
const PERSONS: usize = 12_000;

type Codes = [usize; 5];

/// Whole numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

fn policy() -> String {
    let (start, rest) = POLICY.split_once("[[column]]").unwrap();
    let (_, cells) = rest.split_once("[cells]").unwrap();
    let column = |(name, codes): &(&str, &[&str])| {
        format!("[[column]]\nname = \"{name}\"\nrole = \"dimension\"\nper = \"person\"\ncodes = {codes:?}\n")
    };
    let columns: String = COLUMNS.iter().map(column).collect();
    let tables: Vec<Vec<&str>> = TABLES.iter().map(|table| names(table)).collect();
    let program = format!(
        "[[program]]\nid = \"all\"\npurpose = \"sdg\"\nmeasures = [{{ kind = \"persons\" }}]\ntables = {tables:?}\nrho = \"0.2\"\n"
    );
    format!("{start}{columns}[cells]{}{program}", cells.split("[[forbid]]").next().unwrap())
}

fn names(table: &[usize]) -> Vec<&'static str> {
    table.iter().map(|&dim| COLUMNS[dim].0).collect()
}

fn persons() -> Vec<Codes> {
    let mut dice = Dice(7);
    (0..PERSONS).map(|_| COLUMNS.map(|(_, codes)| dice.below(codes.len()))).collect()
}

fn csv(persons: &[Codes]) -> String {
    let mut csv = format!("person_id,{}\n", names(&[0, 1, 2, 3, 4]).join(","));
    for (person, codes) in persons.iter().enumerate() {
        let codes: Vec<&str> = codes.iter().zip(COLUMNS).map(|(&code, (_, list))| list[code]).collect();
        csv.push_str(&format!("p{person},{}\n", codes.join(",")));
    }
    csv
}

/// A random question within a table of the program: what is kept of it, and codes selected of any of its columns.
struct Asked {
    by: Vec<usize>,
    filters: BTreeMap<usize, BTreeSet<usize>>,
    json: Value,
}

fn asked(dice: &mut Dice) -> Asked {
    let table = TABLES[dice.below(TABLES.len())];
    let by: Vec<usize> = table.iter().copied().filter(|_| dice.below(2) == 0).collect();
    let mut filters = BTreeMap::new();
    for &dim in table {
        if dice.below(3) == 0 {
            let codes = COLUMNS[dim].1.len();
            let some: BTreeSet<usize> = (0..codes).filter(|_| dice.below(2) == 0).collect();
            filters.insert(dim, if some.is_empty() { BTreeSet::from([dice.below(codes)]) } else { some });
        }
    }
    let selected = filters.iter().map(|(&dim, codes)| {
        let codes: Vec<&str> = codes.iter().map(|&code| COLUMNS[dim].1[code]).collect();
        (COLUMNS[dim].0.to_owned(), json!(codes))
    });
    let json = json!({ "dataset": "visits", "purpose": "treaty_body", "measures": [{ "kind": "persons" }],
        "by": names(&by), "where": Value::Object(selected.collect::<Map<_, _>>()), "periods": ["2026"],
        "margins": dice.below(2) == 0, "spend": { "moe": 90 } });
    Asked { by, filters, json }
}

fn number(text: &Value) -> f64 {
    text.as_str().unwrap_or_else(|| panic!("{text}")).parse().unwrap()
}

/// The codes that a cell stands for, column by column: its own, or all that the filter selects.
fn stands_for(asked: &Asked, key: &Value) -> [BTreeSet<usize>; 5] {
    std::array::from_fn(|dim| {
        let (name, list) = COLUMNS[dim];
        let selected = || asked.filters.get(&dim).cloned().unwrap_or_else(|| (0..list.len()).collect());
        match key.get(name).and_then(Value::as_str) {
            Some(code) if asked.by.contains(&dim) && code != "_T" => {
                BTreeSet::from([list.iter().position(|known| *known == code).unwrap()])
            }
            Some(_) | None => selected(),
        }
    })
}

/// The estimates of a whole table of the program, by the codes of its cells.
fn whole(program: &Value, table: &[usize]) -> Vec<(Vec<usize>, f64)> {
    let place = |dim: usize, code: &str| COLUMNS[dim].1.iter().position(|known| *known == code);
    let of_table = |cell: &&Value| (0..5).all(|dim| (cell["key"][COLUMNS[dim].0] != "_T") == table.contains(&dim));
    let codes = |cell: &Value| {
        table.iter().map(|&dim| place(dim, cell["key"][COLUMNS[dim].0].as_str().unwrap()).unwrap()).collect()
    };
    program["cells"].as_array().unwrap().iter().filter(of_table).map(|c| (codes(c), number(&c["estimate"]))).collect()
}

#[test]
fn a_thousand_questions_of_a_program_are_free_and_agree_and_err_as_they_say() {
    let questions = std::env::var("HALFLIGHT_QUESTIONS").map_or(60, |number| number.parse().unwrap());
    let service = TestService::start();
    service.in_force(&policy());
    let (ministry, team, persons) = (service.submitter(), service.analyst(), persons());
    service.submit(&ministry, "visits", "2026", "k1", &csv(&persons)).expect(201);
    service.close("visits", "2026").expect(201);
    let run = json!({ "periods": ["2026"] });
    let program = service.post("/v1/datasets/visits/programs/all", &service.officers[0], &run).expect(201).json();
    let tables: Vec<(&[usize], Vec<(Vec<usize>, f64)>)> =
        TABLES.iter().map(|table| (*table, whole(&program, table))).collect();
    let (mut dice, mut cells, mut distinct) = (Dice(20_261_128), 0, BTreeMap::new());
    for _ in 0..questions {
        let asked = asked(&mut dice);
        let quote = service.post("/v1/quotes", &team, &asked.json).expect(200).json();
        assert_eq!((&quote["allowed"], &quote["free"]), (&json!(true), &json!(true)), "{}", asked.json);
        let reply = service.ask(&team, &asked.json);
        assert!([200, 201].contains(&reply.status), "{}", reply.text());
        let release = reply.json();
        assert_eq!((&release["privacy"]["charged"], &release["answered_from"]), (&json!(false), &program["id"]));
        let told: BTreeMap<Vec<&str>, f64> = quote["tables"]
            .as_array()
            .unwrap()
            .iter()
            .map(|table| {
                let by = table["by"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
                (by, table["moe"]["worst"].as_f64().unwrap())
            })
            .collect();
        for cell in release["cells"].as_array().unwrap() {
            let (estimate, error) = (number(&cell["estimate"]), number(&cell["se"]));
            let key = &cell["key"];
            let by: Vec<&str> = names(&asked.by).into_iter().filter(|name| key[*name] != "_T").collect();
            assert!((1.96 * error / told[&by] - 1.0).abs() < 1e-3, "quoted {}, told {error}: {cell}", told[&by]);
            let inside = stands_for(&asked, key);
            // Every table of the program that holds what is asked gives the same figure: sums of its rounded cells.
            let restricted = |dim: usize| inside[dim].len() < COLUMNS[dim].1.len();
            for (table, whole) in tables.iter().filter(|(t, _)| (0..5).all(|d| !restricted(d) || t.contains(&d))) {
                let within = |codes: &[usize]| table.iter().zip(codes).all(|(&dim, code)| inside[dim].contains(code));
                let sum: f64 = whole.iter().filter(|(codes, _)| within(codes)).map(|(_, x)| x).sum();
                assert!((sum - estimate).abs() < 6e-3, "{table:?} says {sum}: {cell}");
            }
            let truth = persons.iter().filter(|p| (0..5).all(|dim| inside[dim].contains(&p[dim]))).count() as f64;
            distinct.insert(inside, (estimate - truth) / error);
            cells += 1;
        }
    }
    // 65 figures are free in one draw of this program: a standard deviation has an error of 9 %, five of them.
    let deviation = (distinct.values().map(|z| z * z).sum::<f64>() / distinct.len() as f64).sqrt();
    println!("{questions} questions, {cells} cells, {} distinct: standardised errors {deviation:.3}", distinct.len());
    assert!((0.55..1.45).contains(&deviation), "{deviation}");
    assert_eq!(service.spent("visitors"), "0.2");
    service.verify();
}
