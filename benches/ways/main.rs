//! Every way of the data, timed side by side with `DataFusion` warm in the same process.
//!
//! `cargo bench --bench ways -- --persons 1000000` generates a register, submits, closes and asks it as a user would
//! (ledger, log and witness on; reply quantum off), runs the plain group-by over the same rows, and prints ratios.
//! Ratios compare medians of runs that alternate, so that other work on the machine slows both sides alike.

#![expect(
    unreachable_pub,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::format_push_string,
    clippy::float_cmp,
    clippy::too_many_lines,
    clippy::unnecessary_debug_formatting,
    reason = "a program that measures, over numbers of its own making"
)]

mod ours;
mod plain;
mod register;
mod serving;

use clap::Parser;
use ours::Ours;
use plain::Plain;
use serde_json::json;
use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Rows a second that the door should take.
const INGEST_GOAL: f64 = 300_000.0;
/// Closing ten million rows in a minute.
const CLOSING_GOAL: f64 = 10_000_000.0 / 60.0;

#[derive(Parser)]
struct Asked {
    /// Persons in the register.
    #[arg(long, default_value_t = 1_000_000)]
    persons: u64,
    /// Runs of each question.
    #[arg(long, default_value_t = 9)]
    runs: usize,
    /// Where to work (default: a temporary folder).
    #[arg(long)]
    folder: Option<std::path::PathBuf>,
    /// Ask Q1 alone, so often (for a profiler).
    #[arg(long)]
    profile: Option<usize>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Outcome<()> {
    let asked = Asked::parse();
    let folder = match &asked.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut ours = runtime.block_on(Ours::start(folder.path()))?;
    println!("load {}", load());
    println!("{:<36} {:>12} {:>12} {:>8} {:>8} {:>8}", "", "ours", "other", "ratio", "goal", "stretch");
    runtime.block_on(loading(&ours, folder.path(), asked.persons))?;
    if let Some(times) = asked.profile {
        return runtime.block_on(profile(&mut ours, times));
    }
    let releases = runtime.block_on(asking(&mut ours, folder.path(), &asked))?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    runtime.spawn(halflight::publish::serve(ours.office.clone(), ours.http.clone(), listener));
    for (what, document) in releases {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let bare = listener.local_addr()?;
        let json: serde_json::Value = serde_json::from_slice(&document)?;
        let path = format!("/v1/releases/{}", json["id"].as_str().ok_or("a release without id")?);
        let what = format!("stored {what}, {} kB", document.len() / 1_000);
        runtime.spawn(serving::serve_bytes(document, listener));
        let rates = std::thread::spawn(move || rates(&[(address, &path), (bare, "/"), (address, "/health/live")]));
        let rates = rates.join().map_err(|_| "serving broke")?.map_err(|error| error.to_string())?;
        row(&format!("{what} (requests/s)"), rates[0], rates[1], rates[0] / rates[1], (">= 0.5", ">= 0.9"));
        row("  against a reply of 20 bytes", rates[0], rates[2], rates[0] / rates[2], ("", ""));
    }
    println!("load {}", load());
    Ok(())
}

/// What else the machine was doing.
fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim_end().to_owned()
}

fn row(what: &str, ours: f64, other: f64, ratio: f64, (goal, stretch): (&str, &str)) {
    println!("{what:<36} {ours:>12.1} {other:>12.1} {ratio:>8.2} {goal:>8} {stretch:>8}");
}

/// Submits and closes both files, one after the other, and says how much memory each step took at its peak.
async fn loading(ours: &Ours, folder: &Path, persons: u64) -> Outcome<()> {
    for dataset in ["persons", "visits"] {
        let csv = folder.join(format!("{dataset}.csv"));
        let write = if dataset == "visits" { register::write_visits } else { register::write_persons };
        let rows = write(&csv, persons)? as f64;
        forget_peak();
        let began = Instant::now();
        if ours.ingest(dataset, &csv).await? as f64 != rows {
            return Err("rows were lost".into());
        }
        let rate = rows / began.elapsed().as_secs_f64();
        row(&format!("ingest {dataset} (rows/s)"), rate, INGEST_GOAL, rate / INGEST_GOAL, (">= 1", ""));
        println!("{:<36} {:>12.0}", "  peak memory (MB)", peak());
        forget_peak();
        let began = Instant::now();
        ours.close(dataset).await?;
        let rate = rows / began.elapsed().as_secs_f64();
        row(&format!("closing {dataset} (rows/s)"), rate, CLOSING_GOAL, rate / CLOSING_GOAL, (">= 1", ""));
        println!("{:<36} {:>12.0}", "  peak memory (MB)", peak());
        std::fs::remove_file(csv)?;
    }
    Ok(())
}

/// Asks Q1 and says how long each took, and how much of both cores.
async fn profile(ours: &mut Ours, times: usize) -> Outcome<()> {
    let (worked, began) = (processor(), Instant::now());
    let mut each = Vec::new();
    for run in 1..=times {
        let began = Instant::now();
        ours.ask("persons", &json!({ "kind": "persons" }), &[&["sex", "age", "region"]]).await?;
        note(&mut each, run, began);
    }
    let (whole, worked) = (began.elapsed().as_secs_f64() * 1_000.0, processor() - worked);
    let times = times as f64;
    println!(
        "Q1: {:.1} ms in the middle, {:.1} on average, {:.1} of a processor",
        median(&each),
        whole / times,
        worked / times
    );
    Ok(())
}

/// Milliseconds of processors that this process has used.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // Fields 14 and 15 of proc(5), in hundredths of a second.
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 10.0
}

/// All one- to three-way tables of four columns.
const Q4: [&[&str]; 14] = [
    &["sex"],
    &["age"],
    &["region"],
    &["status"],
    &["sex", "age"],
    &["sex", "region"],
    &["sex", "status"],
    &["age", "region"],
    &["age", "status"],
    &["region", "status"],
    &["sex", "age", "region"],
    &["sex", "age", "status"],
    &["sex", "region", "status"],
    &["age", "region", "status"],
];

/// Asks every question and runs the plain query in turn; gives a large release and a small one.
async fn asking(ours: &mut Ours, folder: &Path, asked: &Asked) -> Outcome<Vec<(&'static str, Vec<u8>)>> {
    let plain = Plain::over(folder, asked.persons).await?;
    let goals = if asked.persons >= 10_000_000 { ("<= 1.5", "<= 1.2") } else { ("<= 3", "<= 2") };
    let (q1, q2, q3) = (["sex", "age", "region"], ["region", "service"], ["sex", "sector"]);
    let (persons, mean) = (json!({ "kind": "persons" }), json!({ "kind": "mean", "column": "wage" }));
    let mut large = Vec::new();
    let [mut ours_q1, mut ours_q2, mut ours_q3, mut ours_q4] = [const { Vec::new() }; 4];
    let [mut rows, mut visits, mut distinct, mut means, mut fourteen] = [const { Vec::new() }; 5];
    let mut refused = None;
    for run in 0..=asked.runs {
        // The first of each warms caches and is not counted.
        let began = Instant::now();
        large = ours.ask("persons", &persons, &[&q1]).await?;
        note(&mut ours_q1, run, began);
        let began = Instant::now();
        plain.rows_by("persons", &q1).await?;
        note(&mut rows, run, began);
        let began = Instant::now();
        ours.ask("visits", &persons, &[&q2]).await?;
        note(&mut ours_q2, run, began);
        let began = Instant::now();
        plain.rows_by("visits", &q2).await?;
        note(&mut visits, run, began);
        let began = Instant::now();
        plain.persons_by("visits", &q2).await?;
        note(&mut distinct, run, began);
        let began = Instant::now();
        refused = ours.ask("persons", &mean, &[&q3]).await.err();
        note(&mut ours_q3, run, began);
        let began = Instant::now();
        plain.mean_by("persons", &q3).await?;
        note(&mut means, run, began);
        let began = Instant::now();
        ours.ask("persons", &persons, &Q4).await?;
        note(&mut ours_q4, run, began);
        let began = Instant::now();
        for by in Q4 {
            plain.rows_by("persons", by).await?;
        }
        note(&mut fourteen, run, began);
    }
    let against = |what, ours: &[f64], other: &[f64], goals| {
        let (ours, other) = (median(ours), median(other));
        row(what, ours, other, ours / other, goals);
    };
    against("Q1 against group-by (ms)", &ours_q1, &rows, goals);
    against("Q2 against rows (ms)", &ours_q2, &visits, goals);
    against("Q2 against distinct persons (ms)", &ours_q2, &distinct, ("", ""));
    match refused {
        None => against("Q3 against mean by group (ms)", &ours_q3, &means, goals),
        Some(why) => println!("{:<36} {why}", "Q3 against mean by group (ms)"),
    }
    against("Q4 against 14 group-bys (ms)", &ours_q4, &fourteen, ("<= 1", "<= 0.5"));
    let small = ours.ask("persons", &persons, &[&["sex", "region"]]).await?;
    Ok(vec![("release of 1,152 cells", large), ("release of 64 cells", small)])
}

fn note(times: &mut Vec<f64>, run: usize, began: Instant) {
    if run > 0 {
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
}

/// Requests a second of each address and path, measured in turn.
fn rates(asked: &[(SocketAddr, &str)]) -> Result<Vec<f64>, Box<dyn Error + Send + Sync>> {
    let mut rates = vec![Vec::new(); asked.len()];
    for _ in 0..5 {
        for (rates, (address, path)) in rates.iter_mut().zip(asked) {
            rates.push(serving::per_second(*address, path)?);
        }
    }
    Ok(rates.iter().map(|rates| median(rates)).collect())
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Resets the kernel's record of the most memory held.
fn forget_peak() {
    // Where it may not be written, peaks are those since the start.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The most memory held since, in megabytes.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or_default() / 1_024.0
}
