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
use std::error::Error;
use std::net::TcpListener;
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
    println!("{:<34} {:>12} {:>12} {:>8} {:>8}", "", "ours", "other", "ratio", "goal");
    runtime.block_on(loading(&ours, folder.path(), asked.persons))?;
    let release = runtime.block_on(asking(&mut ours, folder.path(), &asked))?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let serving = runtime.spawn(halflight::publish::serve(ours.office.clone(), ours.http.clone(), listener));
    let measured = std::thread::spawn(move || rates(address, &release)).join().map_err(|_| "serving broke")?;
    serving.abort();
    let (stored, fixed) = measured.map_err(|error| error.to_string())?;
    row("stored release (requests/s)", stored, fixed, stored / fixed, ">= 0.5");
    Ok(())
}

fn row(what: &str, ours: f64, other: f64, ratio: f64, goal: &str) {
    println!("{what:<34} {ours:>12.1} {other:>12.1} {ratio:>8.2} {goal:>8}");
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
        row(&format!("ingest {dataset} (rows/s)"), rate, INGEST_GOAL, rate / INGEST_GOAL, ">= 1");
        println!("{:<34} {:>12.0}", "  peak memory (MB)", peak());
        forget_peak();
        let began = Instant::now();
        ours.close(dataset).await?;
        let rate = rows / began.elapsed().as_secs_f64();
        row(&format!("closing {dataset} (rows/s)"), rate, CLOSING_GOAL, rate / CLOSING_GOAL, ">= 1");
        println!("{:<34} {:>12.0}", "  peak memory (MB)", peak());
        std::fs::remove_file(csv)?;
    }
    Ok(())
}

/// Asks both questions and runs the plain queries in turn; gives the path of a release.
async fn asking(ours: &mut Ours, folder: &Path, asked: &Asked) -> Outcome<String> {
    let plain = Plain::over(folder, asked.persons).await?;
    let goal = if asked.persons >= 10_000_000 { "<= 1.5" } else { "<= 3" };
    let q1 = ["sex", "age", "region"];
    let q2 = ["region", "service"];
    let (mut first, mut second, mut rows, mut visits, mut distinct) = (vec![], vec![], vec![], vec![], vec![]);
    let mut path = String::new();
    for run in 0..=asked.runs {
        let began = Instant::now();
        let answer = ours.ask("persons", &q1).await?;
        first.push(milliseconds(began));
        let began = Instant::now();
        plain.rows_by("persons", &q1).await?;
        rows.push(milliseconds(began));
        let began = Instant::now();
        ours.ask("visits", &q2).await?;
        second.push(milliseconds(began));
        let began = Instant::now();
        plain.rows_by("visits", &q2).await?;
        visits.push(milliseconds(began));
        let began = Instant::now();
        plain.persons_by("visits", &q2).await?;
        distinct.push(milliseconds(began));
        let document: serde_json::Value = serde_json::from_slice(&answer.release.document()?)?;
        path = format!("/v1/releases/{}", document["id"].as_str().ok_or("a release without id")?);
        if run == 0 {
            // The first of each warms caches and is not counted.
            for times in [&mut first, &mut second, &mut rows, &mut visits, &mut distinct] {
                times.clear();
            }
        }
    }
    let [first, second, rows, visits, distinct] = [first, second, rows, visits, distinct].map(median);
    row("Q1 against group-by (ms)", first, rows, first / rows, goal);
    row("Q2 against rows (ms)", second, visits, second / visits, goal);
    row("Q2 against distinct persons (ms)", second, distinct, second / distinct, goal);
    Ok(path)
}

/// Requests a second: of a stored release, and of a fixed reply.
fn rates(address: std::net::SocketAddr, release: &str) -> Result<(f64, f64), Box<dyn Error + Send + Sync>> {
    let (mut stored, mut fixed) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        stored.push(serving::per_second(address, release)?);
        fixed.push(serving::per_second(address, "/health/live")?);
    }
    Ok((median(stored), median(fixed)))
}

fn milliseconds(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1_000.0
}

fn median(mut values: Vec<f64>) -> f64 {
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
