//! Every byte that is shown or kept is searched for what a release withholds.
//!
//! The noisy figures are taken from their sealed place with the office's own key and estimated once more: what is
//! withheld, its partners among it, must stand nowhere as text or as a number: not in documents, quotes or refusals,
//! not in the database, the keys' folder or the witness.

use super::Office;
use super::accuracy::{office, shipped};
use super::faces::SubmissionAsked;
use crate::estimate::{EstimatedTable, estimate};
use crate::identity::{DatasetId, Principal};
use crate::noise::NoisyTables;
use crate::policy::{Kind, Plan, Policy, Question};
use crate::submission::{Format, OnError};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;

const PERSONS: usize = 900;

/// A register with codes as they come; who cannot exist is left out at the door.
fn register(policy: &Policy) -> String {
    let columns = "period,person_id,household_id,adm1,sex,age,citizenship,nativity,disability,health_coverage,\
                   employment,domestic_worker,sector,wage_year";
    let mut csv = format!("{columns}\n");
    let mut dice = 7_usize;
    for person in 0..PERSONS {
        let mut row = vec!["2024".to_owned(), format!("p{person}"), "h".to_owned()];
        for name in columns.split(',').skip(3) {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let column = policy.column(name).unwrap();
            row.push(match (&column.kind, name) {
                (Kind::Dimension { .. }, "age") => (18 + (dice >> 33) % 60).to_string(),
                (Kind::Dimension { codes, .. }, _) => codes.codes[(dice >> 33) % codes.codes.len()].id.clone(),
                (Kind::Measure(_) | Kind::Ignored, _) => (person * 7 % 900).to_string(),
            });
        }
        writeln!(csv, "{}", row.join(",")).unwrap();
    }
    csv
}

fn question(by: &[&str], rho: &str) -> Question {
    serde_json::from_value(serde_json::json!({
        "dataset": "acs2024", "purpose": "sdg", "by": by, "periods": ["2024"], "margins": true,
        "measures": [{ "kind": "persons" }, { "kind": "rows" }, { "kind": "share", "of": { "employment": ["unemployed"] } },
            { "kind": "sum", "column": "wage_year" }, { "kind": "mean", "column": "wage_year" }],
        "spend": { "rho": rho }
    }))
    .unwrap()
}

/// Estimates of persons that the release withholds.
fn withheld(plan: &Plan, tables: &[EstimatedTable], document: &serde_json::Value) -> Vec<f64> {
    let of_persons = |cell: &&serde_json::Value| cell["measure"] == "persons" && cell["reason"] == "withheld";
    let silent: Vec<BTreeMap<String, String>> = document["cells"]
        .as_array()
        .unwrap()
        .iter()
        .filter(of_persons)
        .map(|cell| serde_json::from_value(cell["key"].clone()).unwrap())
        .collect();
    let mut found = Vec::new();
    for table in tables {
        for (place, value) in table.values.iter().enumerate() {
            let (mut rest, mut at) = (place, BTreeMap::new());
            for (&dim, levels) in table.dims.iter().zip(&table.levels).rev() {
                let dimension = &plan.dimensions[dim];
                at.insert(&dimension.name, &dimension.levels[levels[rest % levels.len()]].code);
                rest /= levels.len();
            }
            let here = |key: &&BTreeMap<String, String>| {
                key.iter().all(|(name, code)| at.get(name).map_or("_T", |code| code.as_str()) == code)
            };
            found.extend(silent.iter().find(here).map(|_| *value));
        }
    }
    assert_eq!(found.len(), silent.len());
    found
}

fn files(folder: &Path, all: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, all);
        } else {
            all.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

/// Those of some figures that stand in these bytes: as text of their own, or as the eight bytes of the number.
fn standing(figures: &[f64], bytes: &[u8]) -> Vec<f64> {
    let texts = figures.iter().flat_map(|figure| [(format!("{figure:.4}"), *figure), (figure.to_string(), *figure)]);
    let texts: HashMap<Vec<u8>, f64> = texts.map(|(text, figure)| (text.into_bytes(), figure)).collect();
    let numbers = figures.iter().flat_map(|figure| [figure.to_le_bytes(), figure.to_be_bytes()].map(|b| (b, *figure)));
    let numbers: HashMap<[u8; 8], f64> = numbers.collect();
    let told = bytes.split(|byte| !(byte.is_ascii_digit() || b"-.".contains(byte))).filter_map(|text| texts.get(text));
    told.chain(bytes.windows(8).filter_map(|window| numbers.get(window))).copied().collect()
}

async fn drawn(office: &Office, analyst: &Principal, asked: &Question) -> (Plan, Vec<EstimatedTable>) {
    let policy = office.policy_for(analyst, &asked.dataset).await.unwrap();
    let standing = office.ledger.standing(&asked.dataset).await.unwrap();
    let plan = office.plan(&policy, &standing, analyst, asked).await.unwrap().unwrap();
    let sealed = office.ledger.draw(&plan.draw).await.unwrap().unwrap();
    let noisy: NoisyTables =
        serde_json::from_slice(&office.vault.unseal(&format!("draw {}", plan.draw), &sealed).unwrap()).unwrap();
    let tables = estimate(&plan.part(&crate::policy::Quantity::Persons, &[]), &persons(&plan, noisy)).unwrap();
    (plan, tables)
}

/// Of what was measured, the persons.
fn persons(plan: &Plan, noisy: NoisyTables) -> NoisyTables {
    let measured = plan.measured.iter().zip(noisy.tables);
    let tables = measured.filter(|(m, _)| m.quantity == crate::policy::Quantity::Persons).map(|(_, table)| table);
    NoisyTables { accounting: noisy.accounting, tables: tables.collect() }
}

#[test]
fn the_search_finds_a_figure_that_is_there() {
    let number = [&[0, 1][..], &7.25_f64.to_le_bytes()].concat();
    assert!(standing(&[7.25], b"{\"estimate\":\"7.2500\"}") == [7.25] && standing(&[3.0, 7.25], &number) == [7.25]);
    assert!(standing(&[7.25], b"{\"estimate\":\"17.2500\"}").is_empty() && standing(&[-7.25], b"7.2500").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_withheld_figure_stands_in_any_byte_that_is_shown_or_kept() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(shipped("policies/acs2024.toml")).unwrap();
    let text = text.replacen("rho = \"0.2\"", "rho = \"4\"", 1).replacen(
        "per_release_max = \"0.1\"",
        "per_release_max = \"1\"",
        1,
    );
    let (office, officer, ministry, analyst) = office(folder.path(), &text).await;
    let dataset = DatasetId::parse("acs2024").unwrap();
    let policy = office.policy_for(&analyst, &dataset).await.unwrap();
    let asked = SubmissionAsked {
        dataset: dataset.clone(),
        period: None,
        replaces: None,
        idempotency_key: "scan".into(),
        announced_sha256: None,
        format: Format::Csv,
        on_error: OnError::Skip,
    };
    let body = std::io::Cursor::new(register(&policy));
    let receipt = office.submit(&ministry, asked, Box::new(body)).await.unwrap().receipt;
    assert!(receipt.rows_accepted > 100, "{}", receipt.rows_accepted);
    office.close(&officer, &dataset, &receipt.period).await.unwrap();
    let (mut shown, mut silent) = (Vec::new(), Vec::new());
    for (by, rho) in [(&["age", "sex", "citizenship"][..], "0.9"), (&["broad_age", "sex"], "0.01"), (&["sex"], "0.01")]
    {
        let asked = question(by, rho);
        let quote = office.quote(&analyst, &asked).await.unwrap();
        shown.push((format!("quote of {by:?}"), serde_json::to_vec(&quote).unwrap()));
        let release = match office.ask(&analyst, &asked).await {
            Ok(answer) => answer.release,
            Err(refusal) => {
                shown.push((format!("refusal of {by:?}"), format!("{refusal} {refusal:?}").into_bytes()));
                continue;
            }
        };
        let document = release.document().unwrap();
        let (plan, tables) = drawn(&office, &analyst, &asked).await;
        silent.extend(withheld(&plan, &tables, &serde_json::from_slice(&document).unwrap()));
        shown.push((format!("document of {by:?}"), document));
    }
    office.ledger.close().await;
    files(folder.path(), &mut shown);
    silent.retain(|value| value.fract() != 0.0);
    assert!(silent.len() > 20 && shown.len() > 8, "{} {}", silent.len(), shown.len());
    for (name, bytes) in shown {
        assert_eq!(standing(&silent, &bytes), Vec::<f64>::new(), "in {name}");
    }
}
