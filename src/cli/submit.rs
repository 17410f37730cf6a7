//! `halflight submit`: a file of records, streamed, with a digest that the service checks.

use super::client::{Client, Upload, escape};
use super::connection::Connection;
use super::error::CliError;
use crate::identity::{DatasetId, Digest, Period, SubmissionId};
use crate::ledger::Receipt;
use base64::Engine as _;
use indicatif::{ProgressBar, ProgressStyle};
use sha2::Digest as _;
use std::fs::File;
use std::io::{BufReader, Read, Write as _};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  halflight submit residence-2026.csv --dataset residence --period 2026
  halflight submit health.csv.zst --dataset health --period 2026-Q1 --receipt health-2026-Q1.receipt.json
  halflight submit fixed.csv --dataset residence --period 2026 --replaces sub_0123456789abcdef0123456789abcdef

Endings: .csv or .ndjson, then .gz or .zst if packed. Any row that breaks a rule refuses the whole file, unless
--skip-bad-rows. Findings name row, column and rule, never a value. Sent twice, the same file is one submission.";

/// Arguments of `submit`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct SubmitArgs {
    /// The file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The dataset.
    #[arg(long, value_parser = DatasetId::parse)]
    dataset: DatasetId,
    /// The period: 2026, 2026-Q1 or 2026-03.
    #[arg(long, value_parser = Period::parse)]
    period: Period,
    /// The submission it replaces.
    #[arg(long, value_name = "SUBMISSION", value_parser = SubmissionId::parse)]
    replaces: Option<SubmissionId>,
    /// Keep the good rows and leave out those that break a rule.
    #[arg(long)]
    skip_bad_rows: bool,
    /// Names this upload [default: SHA-256 of file, dataset and period].
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Write the receipt here: its salt opens the commitment in the public log.
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

pub(super) fn run(args: &SubmitArgs) -> Result<(), CliError> {
    let client = args.connection.client()?;
    let sending = Sending {
        file: &args.file,
        dataset: &args.dataset,
        period: &args.period,
        replaces: args.replaces.as_ref(),
        skip_bad_rows: args.skip_bad_rows,
        idempotency_key: args.idempotency_key.as_deref(),
    };
    let receipt = send(&client, &sending)?;
    if let Some(path) = &args.receipt {
        let text = serde_json::to_vec_pretty(&receipt).map_err(std::io::Error::other)?;
        std::fs::write(path, text).map_err(|source| CliError::File { path: path.clone(), source })?;
    }
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{}: {} rows accepted, {} rejected, leaf {} of the log",
        receipt.submission, receipt.rows_accepted, receipt.rows_rejected, receipt.log_index
    )?;
    for finding in receipt.rejections.iter().take(20) {
        writeln!(out, "  row {}, column {}: {}", finding.row, finding.column, finding.rule)?;
    }
    if let Some(warning) = receipt.warnings.first() {
        writeln!(
            out,
            "  kept, but look at row {}, column {}: its id is that of an earlier row but for where its separators stand. \
             Ids are compared without separators: if these are two people, pad the numbers in all ids and send the \
             file again with --replaces {}",
            warning.row, warning.column, receipt.submission
        )?;
    }
    Ok(())
}

/// A file about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Sending<'a> {
    /// The file.
    pub file: &'a Path,
    /// The dataset.
    pub dataset: &'a DatasetId,
    /// The period.
    pub period: &'a Period,
    /// The submission it replaces.
    pub replaces: Option<&'a SubmissionId>,
    /// Whether bad rows are left out instead of refusing the file.
    pub skip_bad_rows: bool,
    /// Names the upload; by default its digest.
    pub idempotency_key: Option<&'a str>,
}

/// Sends a file with a progress bar.
///
/// # Errors
/// If the file cannot be read or its ending says nothing, and whatever the service refuses.
pub fn send(client: &Client, sending: &Sending<'_>) -> Result<Receipt, CliError> {
    let wrong = |source| CliError::File { path: sending.file.to_path_buf(), source };
    let kind = Kind::of(sending.file)?;
    let sha256 = content_digest(sending.file).map_err(wrong)?;
    let key = sending.idempotency_key.map_or_else(
        || Digest::of(format!("{sha256} {} {}", sending.dataset, sending.period).as_bytes()).to_string(),
        str::to_owned,
    );
    let mut path = format!(
        "/v1/datasets/{}/submissions?period={}",
        escape(sending.dataset.as_str()),
        escape(sending.period.as_str())
    );
    if let Some(replaces) = sending.replaces {
        path = format!("{path}&replaces={}", escape(replaces.as_str()));
    }
    if sending.skip_bad_rows {
        path.push_str("&on_error=skip");
    }
    let file = File::open(sending.file).map_err(wrong)?;
    let size = file.metadata().map_err(wrong)?.len();
    let bar = bar(size);
    let mut body = bar.wrap_read(BufReader::with_capacity(1 << 16, file));
    let sent = client.upload(Upload {
        path,
        content_type: kind.content_type,
        encoding: kind.encoding,
        idempotency_key: key,
        content_digest: Some(format!("sha-256=:{}:", base64::engine::general_purpose::STANDARD.encode(sha256.0))),
        size,
        body: &mut body,
    });
    bar.finish_and_clear();
    sent?.json()
}

/// A bar with bytes and rate, on a terminal only.
pub(super) fn bar(size: u64) -> ProgressBar {
    let bar = ProgressBar::new(size);
    let style = ProgressStyle::with_template("  {bar:32} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    content_type: &'static str,
    encoding: Option<&'static str>,
}

impl Kind {
    fn of(file: &Path) -> Result<Self, CliError> {
        let name = file.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let (stem, encoding) = match (name.strip_suffix(".gz"), name.strip_suffix(".zst")) {
            (Some(stem), _) => (stem, Some("gzip")),
            (None, Some(stem)) => (stem, Some("zstd")),
            (None, None) => (name.as_str(), None),
        };
        let extension = Path::new(stem).extension().map(|e| e.to_string_lossy().into_owned()).unwrap_or_default();
        let content_type = match extension.as_str() {
            "csv" => "text/csv",
            "ndjson" | "jsonl" => "application/x-ndjson",
            _ => {
                return Err(CliError::Usage(
                    "a file ends in .csv or .ndjson, then .gz or .zst if it is packed".to_owned(),
                ));
            }
        };
        Ok(Self { content_type, encoding })
    }
}

/// SHA-256 of the bytes that are sent: of the packed ones, where the file is packed (RFC 9530).
fn content_digest(file: &Path) -> std::io::Result<Digest> {
    let mut hasher = sha2::Sha256::new();
    let mut file = File::open(file)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        match buffer.get(..read) {
            Some([]) | None => return Ok(Digest(hasher.finalize().into())),
            Some(bytes) => hasher.update(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_say_what_a_file_is() {
        let kind = |name: &str| Kind::of(Path::new(name)).map(|k| (k.content_type, k.encoding));
        assert_eq!(kind("a/b.csv").unwrap(), ("text/csv", None));
        assert_eq!(kind("b.CSV.GZ").unwrap(), ("text/csv", Some("gzip")));
        assert_eq!(kind("b.ndjson.zst").unwrap(), ("application/x-ndjson", Some("zstd")));
        assert!(kind("b.xlsx").is_err() && kind("b.gz").is_err() && kind("csv").is_err());
    }

    #[test]
    fn the_digest_is_that_of_the_bytes_sent() {
        let folder = tempfile::tempdir().unwrap();
        let content = b"person_id,sex\nsynthetic-1,F\n".repeat(9000);
        let file = folder.path().join("a.csv");
        std::fs::write(&file, &content).unwrap();
        assert_eq!(content_digest(&file).unwrap(), Digest::of(&content));
    }
}
