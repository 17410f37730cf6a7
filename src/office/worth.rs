//! What a program is worth on real records, beside the same tables with noise of their own: a measurement.
//!
//! `cargo test --lib worth -- --ignored --nocapture`. Every draw is a real one (ledger, OpenDP, shelf); errors are
//! taken over all cells before suppression, against counts from the file itself.

#![expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "counts of a test, far below 2^53")]

use super::Office;
use super::accuracy::{closed, office, real_file, shipped};
use crate::estimate::{EstimatedTable, estimate};
use crate::identity::{Period, Principal};
use crate::noise::NoisyTables;
use crate::policy::{Kind, Plan, Policy, Question, admit_program};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

/// Of 44 cells the errors of a hundred draws have a standard deviation known to 1.1 %.
const DRAWS: usize = 100;
const TABLES: [&[&str]; 5] = [
    &["adm1", "sex", "age"],
    &["adm1", "citizenship", "health_coverage"],
    &["sector", "sex", "citizenship"],
    &["age", "disability", "health_coverage"],
    &["adm1", "domestic_worker", "sex"],
];

/// The shipped policy with room for all draws, and a program at 0.1 for each of them.
fn policy() -> String {
    let text = std::fs::read_to_string(shipped("policies/acs2024.toml")).unwrap();
    let (head, _) = text.split_once("[[program]]").unwrap();
    let mut text = head.replacen("rho = \"0.2\"", "rho = \"30\"", 1);
    for draw in 0..DRAWS {
        writeln!(
            text,
            "[[program]]\nid = \"p{draw}\"\npurpose = \"sdg\"\nmeasures = [{{ kind = \"persons\" }}]\ntables = {TABLES:?}\n\
             rho = \"0.1000{draw:02}\""
        )
        .unwrap();
    }
    text
}

fn question(by: &[&str], spend: &serde_json::Value) -> Question {
    serde_json::from_value(serde_json::json!({
        "dataset": "acs2024", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": by, "periods": ["2024"],
        "spend": spend
    }))
    .unwrap()
}

/// The codes of every person by dimension, ages in their bands.
fn persons(path: &Path, policy: &Policy) -> HashMap<String, Vec<usize>> {
    let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()));
    let header = reader.headers().unwrap().clone();
    let mut codes: HashMap<String, Vec<usize>> = HashMap::new();
    for row in reader.records() {
        let row = row.unwrap();
        for (column, list) in policy.dimensions().filter(|(column, _)| column.of.is_none()) {
            let value = &row[header.iter().position(|h| h == column.name).unwrap()];
            let code = match &column.kind {
                Kind::Dimension { bands: Some(bands), .. } => {
                    let years: i64 = value.parse().unwrap();
                    bands.starts.iter().rposition(|start| *start <= years).unwrap()
                }
                Kind::Dimension { .. } | Kind::Measure(_) | Kind::Ignored => usize::from(list.position(value).unwrap()),
            };
            codes.entry(column.name.clone()).or_default().push(code);
        }
    }
    codes
}

/// Exact persons in the cells of a table, row-major.
fn exact(plan: &Plan, dims: &[usize], persons: &HashMap<String, Vec<usize>>) -> Vec<f64> {
    let columns: Vec<(&Vec<usize>, usize)> =
        dims.iter().map(|&d| (&persons[&plan.dimensions[d].name], plan.dimensions[d].levels.len())).collect();
    let mut counts = vec![0.0; columns.iter().map(|(_, size)| size).product()];
    for person in 0..persons["sex"].len() {
        counts[columns.iter().fold(0, |at, (codes, size)| at * size + codes[person])] += 1.0;
    }
    counts
}

/// Errors of a table's cells.
#[derive(Default, Clone)]
struct Errors {
    squares: f64,
    predicted: f64,
    cells: f64,
    large: f64,
    near: f64,
}

impl Errors {
    fn add(&mut self, table: &EstimatedTable, exact: &[f64]) {
        for (place, (value, truth)) in table.values.iter().zip(exact).enumerate() {
            self.squares += (value - truth).powi(2);
            self.predicted += table.variance(place);
            self.cells += 1.0;
            if *truth >= 10.0 {
                self.large += 1.0;
                self.near += f64::from(u8::from((value - truth).abs() <= 0.1 * truth));
            }
        }
    }

    fn root(&self) -> f64 {
        (self.squares / self.cells).sqrt()
    }

    fn root_predicted(&self) -> f64 {
        (self.predicted / self.cells).sqrt()
    }

    fn near(&self) -> f64 {
        100.0 * self.near / self.large
    }
}

async fn tables(office: &Office, plan: &Plan) -> Vec<EstimatedTable> {
    let sealed = office.ledger.draw(&plan.draw).await.unwrap().unwrap();
    let bytes = office.vault.unseal(&format!("draw {}", plan.draw), &sealed).unwrap();
    estimate(plan, &serde_json::from_slice::<NoisyTables>(&bytes).unwrap()).unwrap()
}

/// How well shown cells of some size are covered, and how far off they are on average, in standard errors.
#[derive(Default, Clone, Copy)]
struct Shown {
    cells: f64,
    covered: f64,
    sum: f64,
}

impl Shown {
    /// With the standardised error of one more.
    fn add(&mut self, error: f64) {
        self.cells += 1.0;
        self.covered += f64::from(u8::from(error.abs() <= crate::design::Z95));
        self.sum += error;
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (covered, bias) = (100.0 * self.covered / self.cells, self.sum / self.cells);
        write!(f, "{} cells, covered {covered:.1} %, off by {bias:+.2} standard errors", self.cells)
    }
}

/// The service with the file in it, and who asks.
struct Stage {
    office: Office,
    officer: Principal,
    analyst: Principal,
    policy: std::sync::Arc<Policy>,
    persons: HashMap<String, Vec<usize>>,
}

impl Stage {
    async fn spent(&self) -> u64 {
        self.office.ledger.balance(&self.policy.budget.account).await.unwrap().spent.as_nanos()
    }

    /// Draws one question and estimates what it shows.
    async fn ask(&self, question: &Question) -> (Plan, Vec<EstimatedTable>) {
        self.office.ask(&self.analyst, question).await.unwrap();
        let standing = self.office.ledger.standing(&self.policy.id).await.unwrap();
        let plan = self.office.plan(&self.policy, &standing, &self.analyst, question).await.unwrap().unwrap();
        let tables = tables(&self.office, &plan).await;
        (plan, tables)
    }

    /// A margin of error asked for: what it costs, and what is reached.
    async fn reach(&self, wanted: f64) {
        let mut reached = Errors::default();
        for draw in 0..DRAWS {
            let question = question(TABLES[0], &serde_json::json!({ "moe": wanted - 0.0001 * draw as f64 }));
            let (before, quote) = (self.spent().await, self.office.quote(&self.analyst, &question).await.unwrap());
            let (plan, tables) = self.ask(&question).await;
            assert_eq!(self.spent().await - before, plan.cost.as_nanos());
            assert_eq!(quote.cost.unwrap().rho, Some(plan.cost), "it costs what it says");
            reached.add(&tables[0], &exact(&plan, &tables[0].dims, &self.persons));
        }
        let half_width = crate::design::Z95 * reached.root();
        println!("moe {wanted}: reached {half_width:.2} over {} cells", reached.cells);
        assert!((half_width / wanted - 1.0).abs() < 0.02, "{half_width}");
    }

    /// The five tables, each with noise of its own, at a fifth of the price.
    async fn alone(&self) -> Vec<Errors> {
        let mut alone = vec![Errors::default(); TABLES.len()];
        for draw in 0..DRAWS {
            for (errors, by) in alone.iter_mut().zip(TABLES) {
                let question = question(by, &serde_json::json!({ "rho": format!("0.0200{draw:02}") }));
                let (plan, tables) = self.ask(&question).await;
                errors.add(&tables[0], &exact(&plan, &tables[0].dims, &self.persons));
            }
        }
        alone
    }

    /// The five tables as one program, with all margins, and shown cells by their true size.
    async fn joined(&self) -> (HashMap<Vec<String>, Errors>, [Shown; 4]) {
        let (mut joined, mut shown): (HashMap<Vec<String>, Errors>, _) = (HashMap::new(), [Shown::default(); 4]);
        for draw in 0..DRAWS {
            let (id, periods) = (format!("p{draw}"), vec![Period::parse("2024").unwrap()]);
            self.office.run_program(&self.officer, &self.policy.id, &id, periods.clone()).await.unwrap();
            let standing = self.office.ledger.standing(&self.policy.id).await.unwrap();
            let today = self.office.clock.today();
            let plan = admit_program(&self.policy, &standing, &self.officer, &id, periods, today).unwrap();
            for table in tables(&self.office, &plan).await {
                let exact = exact(&plan, &table.dims, &self.persons);
                let names = table.dims.iter().map(|&dim| plan.dimensions[dim].name.clone()).collect();
                joined.entry(names).or_default().add(&table, &exact);
                for (place, (value, truth)) in table.values.iter().zip(&exact).enumerate() {
                    if *value >= f64::from(plan.rules.threshold) {
                        let class = [10.0, 20.0, 50.0].iter().filter(|edge| truth >= *edge).count();
                        shown[class].add((value - truth) / table.variance(place).sqrt());
                    }
                }
            }
        }
        (joined, shown)
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement of some minutes: cargo test --lib worth -- --ignored --nocapture"]
async fn a_program_beside_noise_of_its_own_for_each_table() {
    let Some(path) = real_file() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (office, officer, ministry, analyst) = office(folder.path(), &policy()).await;
    let dataset = closed(&office, &officer, &ministry, &path).await;
    let policy = office.policy_for(&analyst, &dataset).await.unwrap();
    let persons = persons(&path, &policy);
    let stage = Stage { office, officer, analyst, policy, persons };
    stage.reach(25.0).await;
    let alone = stage.alone().await;
    let (joined, shown) = stage.joined().await;

    let head = format!("{DRAWS} draws at rho 0.1");
    println!("{head:<38} {:>6} {:>16} {:>22} {:>9}", "cells", "root mean square", "cells >= 10 in 10 %", "quote");
    for (by, alone) in TABLES.iter().zip(&alone) {
        let mut sorted: Vec<String> = stage.policy.dimensions().map(|(c, _)| c.name.clone()).collect();
        sorted.retain(|name| by.contains(&name.as_str()));
        let own = &joined[&sorted];
        println!(
            "{:<38} {:>6} {:>7.2} / {:>6.2} {:>11.1} / {:>5.1} % {:>9.3}",
            by.join(" x "),
            own.cells / DRAWS as f64,
            own.root(),
            alone.root(),
            own.near(),
            alone.near(),
            own.root() / own.root_predicted(),
        );
    }
    let margins: Vec<f64> = joined.iter().filter(|(by, _)| by.len() < 3).map(|(_, own)| own.root().powi(2)).collect();
    let of_margins = (margins.iter().sum::<f64>() / margins.len() as f64).sqrt();
    println!("{} margins with them, root mean square over tables: {of_margins:.2}", margins.len());
    for (class, one) in ["below 10", "10 to 19", "20 to 49", "50 and more"].iter().zip(shown) {
        println!("shown cells of truly {class}: {one}");
    }
    let whole = |errors: &dyn Fn(&Errors) -> f64| joined.values().map(errors).sum::<f64>();
    let quoted = (whole(&|e| e.squares) / whole(&|e| e.predicted)).sqrt();
    println!("over all {} cells measured over quoted error {quoted:.4}", whole(&|e| e.cells));
    assert!((quoted - 1.0).abs() < 0.03, "{quoted}");
}
