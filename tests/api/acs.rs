//! On real records, as an outsider sees it: the American Community Survey file, if it lies beside the checkout.
//!
//! Truth is counted here from the file itself, by code that shares nothing with the service.

use crate::support::{Reply, TestService};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

const BANDS: [(&str, u32); 11] = [
    ("Y0T4", 4),
    ("Y5T9", 9),
    ("Y10T14", 14),
    ("Y15T17", 17),
    ("Y18T24", 24),
    ("Y25T34", 34),
    ("Y35T44", 44),
    ("Y45T54", 54),
    ("Y55T64", 64),
    ("Y65T74", 74),
    ("Y_GE75", 999),
];

fn file() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/acs2024_migrants.csv.gz");
    if !path.exists() {
        println!("skipped: the real file is not beside this checkout (../shared/data/acs2024_migrants.csv.gz)");
        return None;
    }
    Some(path)
}

/// Exact persons by state, sex and age band, with every margin under `_T`.
fn truth(path: &Path) -> HashMap<[String; 3], f64> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let place = |name: &str| header.iter().position(|h| *h == name).unwrap();
    let (state, sex, age) = (place("adm1"), place("sex"), place("age"));
    let mut counts = HashMap::new();
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let years: u32 = fields[age].parse().unwrap();
        let band = BANDS.iter().find(|(_, last)| years <= *last).unwrap().0;
        for mask in 0..8 {
            let pick = |bit: u32, code: &str| if mask >> bit & 1 == 1 { code.to_owned() } else { "_T".to_owned() };
            *counts.entry([pick(0, fields[state]), pick(1, fields[sex]), pick(2, band)]).or_insert(0.0) += 1.0;
        }
    }
    counts
}

fn question(rho: &str) -> Value {
    json!({ "dataset": "acs2024", "purpose": "sdg", "measures": [{ "kind": "persons" }], "by": ["adm1", "sex", "age"],
        "periods": ["2024"], "margins": true, "spend": { "rho": rho } })
}

/// The shipped policy with a lifetime budget that covers all draws of a test.
fn policy() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/acs2024.toml");
    let shipped = std::fs::read_to_string(path).unwrap();
    let roomy: Vec<&str> = shipped
        .lines()
        .map(|line| if line.starts_with("rho = \"0.2\"") { "rho = \"4\"" } else { line })
        .filter(|line| !line.starts_with("quota_per_organisation"))
        .collect();
    assert!(roomy.contains(&"rho = \"4\""), "the shipped lifetime budget is where this test expects it");
    roomy.join("\n")
}

fn submit(service: &TestService, path: &Path) -> Reply {
    let body = std::fs::read(path).unwrap();
    let headers = [("content-type", "text/csv"), ("content-encoding", "gzip"), ("idempotency-key", "acs")];
    service.request("POST", "/v1/datasets/acs2024/submissions?period=2024", Some(&service.submitter()), &headers, &body)
}

/// 20 draws. Over about 18,000 shown cells the standard deviation has a standard error of 0.006, so that a bound of
/// 0.05 is 8 standard errors: false alarm below 1e-6; the mean (with margins in common) has less than 0.01.
#[test]
fn standardised_errors_of_shown_cells_are_standard_normal() {
    let Some(path) = file() else { return };
    let truth = truth(&path);
    let service = TestService::start();
    service.in_force(&policy());
    let receipt = submit(&service, &path).expect(201).json();
    assert_eq!((receipt["rows_accepted"].as_u64(), receipt["rows_rejected"].as_u64()), (Some(276_382), Some(0)));
    service.close("acs2024", "2024").expect(201);
    let team = service.analyst();
    let (mut errors, mut small, mut covered) = (Vec::new(), Vec::new(), 0_u32);
    for draw in 0..20 {
        let release = service.ask(&team, &question(&format!("0.0500{draw:02}"))).expect(201).json();
        for cell in release["cells"].as_array().unwrap() {
            let key = ["adm1", "sex", "age"].map(|dim| cell["key"][dim].as_str().unwrap().to_owned());
            let exact = truth.get(&key).copied().unwrap_or(0.0);
            let (Some(estimate), Some(se)) = (number(&cell["estimate"]), number(&cell["se"])) else { continue };
            if exact >= 10.0 + 5.0 * se {
                errors.push((estimate - exact) / se);
                let inside = cell["low"].as_f64().unwrap() <= exact && exact <= cell["high"].as_f64().unwrap();
                covered += u32::from(inside);
            } else if exact < 10.0 {
                small.push((estimate - exact) / se);
            }
        }
    }
    let (mean, deviation) = moments(&errors);
    let share = f64::from(covered) / errors.len() as f64;
    println!(
        "shown cells of at least floor + 5 se: {} errors, mean {mean:.4}, sd {deviation:.4}, covered {share:.4}",
        errors.len()
    );
    println!(
        "shown cells truly below the floor: {} errors, mean {:+.3} standard errors",
        small.len(),
        moments(&small).0
    );
    assert!(errors.len() > 10_000);
    assert!(mean.abs() <= 0.05, "mean {mean}");
    assert!((0.95..=1.05).contains(&deviation), "standard deviation {deviation}");
    assert!((0.94..=0.97).contains(&share), "coverage {share}");
    service.verify();
}

fn number(text: &Value) -> Option<f64> {
    text.as_str().map(|text| text.parse().unwrap())
}

fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt())
}
