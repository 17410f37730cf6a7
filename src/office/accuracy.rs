//! In process, over all cells before suppression: are the estimates unbiased, are the standard errors true?
//!
//! On the American Community Survey file if it lies beside the checkout; truth is counted from the file itself.

#![expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "counts of a test, far below 2^53")]

use super::Office;
use super::faces::SubmissionAsked;
use crate::clock::WallClock;
use crate::config::{Config, Mode};
use crate::estimate::{EstimatedTable, estimate};
use crate::identity::{DatasetId, Principal, Role};
use crate::ledger::{NewToken, PolicySource};
use crate::noise::NoisyTables;
use crate::policy::{CodeLists, Question};
use crate::submission::{Format, OnError};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const DRAWS: usize = 20;

pub(super) fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

pub(super) async fn office(folder: &Path, policy: &str) -> (Office, Principal, Principal, Principal) {
    let (data, keys, witness) = (folder.join("data"), folder.join("keys"), folder.join("witness"));
    let config = Config::parse(
        &format!("data_dir = {data:?}\nkeys_dir = {keys:?}\nwitness = {witness:?}\n"),
        &[],
        Mode::Service,
    )
    .unwrap();
    let clock = Arc::new(WallClock);
    let issued = crate::app::init(&config, clock.clone()).await.unwrap();
    let office = crate::app::open(&config, clock).await.unwrap().office;
    let mut officers = Vec::new();
    for (_, token) in issued.iter().filter(|(row, _)| row.role == Role::Officer) {
        officers.push(office.authenticate(token).await.unwrap());
    }
    let operator = &issued.iter().find(|(row, _)| row.role == Role::Operator).unwrap().1;
    let operator = office.authenticate(operator).await.unwrap();
    let mut people = Vec::new();
    for (role, organisation, class) in
        [(Role::Submitter, "ministry-interior", "ministry"), (Role::Analyst, "ohchr", "un_reporting")]
    {
        let new = NewToken {
            role,
            organisation: crate::identity::Organisation::parse(organisation).unwrap(),
            class: crate::identity::Class::parse(class).unwrap(),
            datasets: None,
            days: 30,
        };
        let (_, token) = office.issue_token(&operator, new).await.unwrap();
        people.push(office.authenticate(&token).await.unwrap());
    }
    let lists = CodeLists::read_dir(&shipped("policies/codelists")).unwrap();
    let proposed = office.propose(&officers[0], PolicySource { toml: policy.into(), lists }).await.unwrap();
    office.approve(&officers[1], &proposed.sha256).await.unwrap();
    let (analyst, ministry) = (people.remove(1), people.remove(0));
    (office, officers.remove(2), ministry, analyst)
}

/// The real file, if it lies beside the checkout.
pub(super) fn real_file() -> Option<PathBuf> {
    let path = shipped("../shared/data/acs2024_migrants.csv.gz");
    if path.exists() {
        return Some(path);
    }
    println!("skipped: the real file is not beside this checkout");
    None
}

/// Submits the file and closes its period.
pub(super) async fn closed(office: &Office, officer: &Principal, ministry: &Principal, path: &Path) -> DatasetId {
    let asked = SubmissionAsked {
        dataset: DatasetId::parse("acs2024").unwrap(),
        period: None,
        replaces: None,
        idempotency_key: "acs".into(),
        announced_sha256: None,
        format: Format::Csv,
        on_error: OnError::Refuse,
    };
    let dataset = asked.dataset.clone();
    let body = flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap());
    let submitted = office.submit(ministry, asked, Box::new(body)).await.unwrap();
    assert_eq!((submitted.receipt.rows_accepted, submitted.receipt.rows_rejected), (276_382, 0));
    office.close(officer, &dataset, &submitted.receipt.period).await.unwrap();
    dataset
}

fn question(draw: usize) -> Question {
    serde_json::from_value(serde_json::json!({
        "dataset": "acs2024", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": ["adm1", "sex", "age"],
        "periods": ["2024"], "margins": true, "spend": { "rho": format!("0.0500{draw:02}") }
    }))
    .unwrap()
}

/// Exact persons by (state, sex, band), `_T` where summed out.
fn truth(path: &Path, bands: &[(i64, String)]) -> HashMap<[String; 3], f64> {
    let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()));
    let header = reader.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|h| h == name).unwrap();
    let (state, sex, age) = (place("adm1"), place("sex"), place("age"));
    let mut counts = HashMap::new();
    for row in reader.records() {
        let row = row.unwrap();
        let years: i64 = row[age].parse().unwrap();
        let band = &bands.iter().rev().find(|(start, _)| *start <= years).unwrap().1;
        for mask in 0..8 {
            let pick = |bit: u32, code: &str| if mask >> bit & 1 == 1 { code.to_owned() } else { "_T".to_owned() };
            *counts.entry([pick(0, &row[state]), pick(1, &row[sex]), pick(2, band)]).or_insert(0.0) += 1.0;
        }
    }
    counts
}

/// The key of each cell of a table, in order.
fn keys(plan: &crate::policy::Plan, table: &EstimatedTable) -> Vec<[String; 3]> {
    let mut keys = vec![["_T", "_T", "_T"].map(str::to_owned)];
    for (&dim, levels) in table.dims.iter().zip(&table.levels) {
        keys = keys
            .iter()
            .flat_map(|key| {
                levels.iter().map(move |&level| {
                    let mut key = key.clone();
                    key[dim] = plan.dimensions[dim].levels[level].code.clone();
                    key
                })
            })
            .collect();
    }
    keys
}

/// 20 draws of 1,078 cells and their margins. Cells are nearly independent, so the standard deviation has a standard
/// error of 0.005: the bound of 0.03 is six of them, false alarm below 1e-8. The mean is far inside its bound, since
/// the total, to which all cells contribute, is measured too.
#[tokio::test(flavor = "multi_thread")]
async fn errors_before_suppression_are_standard_normal_and_margins_are_sums() {
    let Some(path) = real_file() else { return };
    let policy =
        std::fs::read_to_string(shipped("policies/acs2024.toml")).unwrap().replacen("rho = \"0.2\"", "rho = \"4\"", 1);
    let folder = tempfile::tempdir().unwrap();
    let (office, officer, ministry, analyst) = office(folder.path(), &policy).await;
    let dataset = closed(&office, &officer, &ministry, &path).await;
    let policy = office.policy_for(&analyst, &dataset).await.unwrap();
    let standing = office.ledger.standing(&dataset).await.unwrap();
    let age = policy.column("age").unwrap();
    let crate::policy::Kind::Dimension { codes, bands: Some(bands) } = &age.kind else { panic!("age is banded") };
    let bands: Vec<(i64, String)> =
        bands.starts.iter().copied().zip(codes.codes.iter().map(|c| c.id.clone())).collect();
    let truth = truth(&path, &bands);
    let mut errors = Vec::new();
    let mut shown_small = Vec::new();
    for draw in 0..DRAWS {
        office.ask(&analyst, &question(draw)).await.unwrap();
        let plan = office.plan(&policy, &standing, &analyst, &question(draw)).await.unwrap().unwrap();
        let sealed = office.ledger.draw(&plan.draw).await.unwrap().unwrap();
        let noisy: NoisyTables =
            serde_json::from_slice(&office.vault.unseal(&format!("draw {}", plan.draw), &sealed).unwrap()).unwrap();
        let tables = estimate(&plan, &noisy).unwrap();
        for table in &tables {
            for ((key, value), error) in keys(&plan, table).iter().zip(&table.values).zip(&table.standard_errors) {
                let exact = truth.get(key).copied().unwrap_or(0.0);
                errors.push((value - exact) / error);
                if *value >= 10.0 && exact < 10.0 {
                    shown_small.push((value - exact) / error);
                }
            }
        }
        margins_are_sums(&tables);
    }
    let (mean, deviation) = moments(&errors);
    println!("all cells: {} errors, mean {mean:.4}, sd {deviation:.4}", errors.len());
    println!(
        "shown though truly below the floor: {}, bias {:+.2} standard errors",
        shown_small.len(),
        moments(&shown_small).0
    );
    assert!(mean.abs() <= 0.02, "mean {mean}");
    assert!((0.97..=1.03).contains(&deviation), "standard deviation {deviation}");
}

fn margins_are_sums(tables: &[EstimatedTable]) {
    let whole = tables.iter().find(|t| t.dims.len() == 3).unwrap();
    for table in tables {
        let mut sums = vec![0.0; table.values.len()];
        let sizes: Vec<usize> = whole.levels.iter().map(Vec::len).collect();
        for (place, value) in whole.values.iter().enumerate() {
            let levels = [place / (sizes[1] * sizes[2]), place / sizes[2] % sizes[1], place % sizes[2]];
            sums[table.dims.iter().fold(0, |at, &dim| at * sizes[dim] + levels[dim])] += value;
        }
        assert!(sums.iter().zip(&table.values).all(|(sum, value)| (sum - value).abs() < 1e-6), "{:?}", table.dims);
    }
}

pub(super) fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt())
}
