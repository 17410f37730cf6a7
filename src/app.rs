//! The composition root: clock, stores, vault, office. The one place that knows all of them.
//!
//! Everything a test wants to exchange (the clock) comes in from outside; everything else is opened here, in the order
//! in which it must stand: keys, vault, ledger (which recovers what a crash left open), then the office over them.

mod backup;
mod check;
mod parts;
mod restore;

pub use backup::backup;
pub use check::verify;
pub use parts::{Manifest, Part, Progress};
pub use restore::{begin_witness, bring_forward, bytes_in, put_back};

use crate::clock::Clock;
use crate::config::Config;
use crate::fault::Faults;
use crate::identity::{Class, Organisation, Role};
use crate::ledger::{Ledger, LedgerError, LedgerSettings, NewToken, TokenRow};
use crate::office::Office;
use crate::transparency::LogKey;
use crate::vault::{Vault, VaultError, VaultSettings};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Officers made by `init`. Later ones are proposed and approved by two of them.
const FIRST_OFFICERS: u32 = 3;

/// Days for which the first tokens are valid.
const FIRST_DAYS: u32 = 366;

/// A service, ready to be served.
pub struct App {
    /// The use cases.
    pub office: Office,
}

/// Why a service cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// `init` was run here before.
    #[error("there is a service in this data folder already; choose an empty one")]
    AlreadyThere,
    /// `init` was not run here.
    #[error("there is no service in this data folder; run `halflight init` first")]
    NotThere,
    /// Something would be overwritten.
    #[error("{0} is not empty; give an empty folder, or one that is not there yet")]
    Occupied(PathBuf),
    /// A backup that cannot be made or used.
    #[error("{0}")]
    Backup(String),
    /// The vault.
    #[error("the vault: {0}")]
    Vault(#[from] VaultError),
    /// The ledger.
    #[error("the ledger: {0}")]
    Ledger(#[from] LedgerError),
    /// The log's key.
    #[error("the log's key: {0}")]
    Key(String),
    /// A folder cannot be made.
    #[error("a folder cannot be made or read: {0}")]
    Folder(#[from] std::io::Error),
    /// A built-in name is wrong.
    #[error("a built-in name is wrong")]
    Name(#[from] crate::identity::NameError),
}

/// Makes keys, ledger and log in an empty folder; gives three officers' tokens and an operator's, shown this once.
///
/// # Errors
/// If there is a service already, or a folder cannot be written.
pub async fn init(config: &Config, clock: Arc<dyn Clock>) -> Result<Vec<(TokenRow, String)>, AppError> {
    if config.database().exists() {
        return Err(AppError::AlreadyThere);
    }
    let settings = vault_settings(config, Faults::default());
    Vault::init(&settings)?;
    LogKey::create(&log_key(config)).map_err(|error| AppError::Key(error.to_string()))?;
    let ledger = open_ledger(config, clock, Faults::default()).await?;
    let mut issued = Vec::new();
    for number in 1..=FIRST_OFFICERS {
        issued.push(first_token(&ledger, Role::Officer, &format!("officer-{number}")).await?);
    }
    issued.push(first_token(&ledger, Role::Operator, "operations").await?);
    Ok(issued)
}

/// Opens what `init` made. Without the key provider's key the service opens sealed and answers 503.
///
/// # Errors
/// If `init` was not run, or the ledger is corrupt or behind its witness.
pub async fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<App, AppError> {
    open_with(config, clock, Faults::from_environment()).await
}

/// Opens it with writes that fail on purpose.
pub(crate) async fn open_with(config: &Config, clock: Arc<dyn Clock>, faults: Faults) -> Result<App, AppError> {
    if !config.database().exists() {
        return Err(AppError::NotThere);
    }
    let vault = Vault::open(vault_settings(config, faults.clone()))?;
    let ledger = open_ledger(config, Arc::clone(&clock), faults).await?;
    let office = Office::new(ledger, vault, clock, tokio::runtime::Handle::current(), config.limits);
    // What a crash left between sealing and committing; no manifest names it.
    office.tidy().await;
    // Programs that a crash kept from running after a closing.
    office.run_all_due().await;
    Ok(App { office })
}

fn vault_settings(config: &Config, faults: Faults) -> VaultSettings {
    VaultSettings { dir: vault_dir(config.data_dir()), keys: config.keys_dir().to_owned(), faults }
}

fn vault_dir(data: &Path) -> PathBuf {
    data.join("vault")
}

/// Where sealed files lie in a data folder.
fn vault_files(data: &Path) -> PathBuf {
    vault_dir(data).join("files")
}

fn log_key(config: &Config) -> PathBuf {
    config.keys_dir().join("log")
}

async fn open_ledger(config: &Config, clock: Arc<dyn Clock>, faults: Faults) -> Result<Ledger, AppError> {
    Ok(Ledger::open(ledger_settings(config, clock, faults)?).await?)
}

fn ledger_settings(config: &Config, clock: Arc<dyn Clock>, faults: Faults) -> Result<LedgerSettings, AppError> {
    let key = LogKey::load(&log_key(config)).map_err(|error| AppError::Key(error.to_string()))?;
    Ok(LedgerSettings {
        database: config.database(),
        key,
        witness: config.witness().map(Path::to_owned),
        approvals: config.approvals(),
        clock,
        faults,
    })
}

async fn first_token(ledger: &Ledger, role: Role, organisation: &str) -> Result<(TokenRow, String), AppError> {
    let new = NewToken {
        role,
        organisation: Organisation::parse(organisation)?,
        class: Class::parse("nso")?,
        datasets: None,
        days: FIRST_DAYS,
    };
    Ok(ledger.issue_token(None, &new).await?)
}
