//! `halflight demo`: the whole story on a throw-away service.
//!
//! A real service is started in this process on a free loopback port, with a data folder that is removed at the end.
//! The story is played through its HTTP interface by the client that everybody uses. Every person in it is made up.

mod cast;
mod embedded;
mod print;
mod registers;
mod story;

use super::client::Client;
use super::error::CliError;
use super::serve::{first_tokens, run as serve, settings_text, utf8};
use crate::config::{Config, Mode};
use print::Teller;
use std::net::TcpListener;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  halflight demo                 play the story, then keep serving until Ctrl-C
  halflight demo --exit          play the story and end
  halflight demo --rows 20000    smaller registers

All persons are synthetic. The data folder is a temporary one and is removed at the end.";

/// Tries to reach the service before giving up, and the pause between them.
const TRIES: u32 = 600;
const PAUSE: Duration = Duration::from_millis(50);

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct DemoArgs {
    /// End after the story instead of serving on.
    #[arg(long)]
    exit: bool,
    /// Rows of the residence register; the health register gets three tenths of them.
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = rows_range())]
    rows: u64,
}

fn rows_range() -> clap::builder::RangedU64ValueParser<u64> {
    clap::value_parser!(u64).range(5000..=20_000_000)
}

pub(super) fn run(args: &DemoArgs) -> Result<(), CliError> {
    let folder = tempfile::Builder::new().prefix("halflight-demo-").tempdir()?;
    let config = config(folder.path())?;
    let first = first_tokens(&config)?;
    let listener = TcpListener::bind(config.listen)?;
    let url = format!("http://{}", listener.local_addr()?);
    let server = std::thread::spawn(move || serve(&config, listener));
    let public = Client::new(&url, None, false)?;
    wait_until_ready(&public, &server)?;
    let teller = Teller::new();
    teller.opening(&url)?;
    let cast = cast::gather(&public, &first)?;
    let registers = registers::generate_both(folder.path(), args.rows)?;
    story::tell(&teller, &public, &cast, &registers)?;
    if args.exit {
        return Ok(());
    }
    teller.closing(&url, &cast, &story::question(&registers.residence, &["sex"], false))?;
    // the server stops at Ctrl-C; then the folder is removed
    server.join().map_err(|_| CliError::Wrong("the service fell over".to_owned()))?
}

fn config(folder: &Path) -> Result<Config, CliError> {
    let (data, keys, witness) = (folder.join("data"), folder.join("keys"), folder.join("witness"));
    let text = settings_text(&[
        ("data_dir", utf8(&data)?),
        ("keys_dir", utf8(&keys)?),
        ("witness", utf8(&witness)?),
        ("listen", "127.0.0.1:0"),
    ]);
    Ok(Config::parse(&text, &[], Mode::Demo)?)
}

fn wait_until_ready(client: &Client, server: &JoinHandle<Result<(), CliError>>) -> Result<(), CliError> {
    let mut last = CliError::Wrong("the service did not start".to_owned());
    for _ in 0..TRIES {
        match client.read("/health/ready") {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
        if server.is_finished() {
            return Err(last);
        }
        std::thread::sleep(PAUSE);
    }
    Err(last)
}
