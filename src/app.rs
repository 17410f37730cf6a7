//! The composition root (stands in until it is merged).

use crate::clock::Clock;
use crate::config::Config;
use crate::ledger::TokenRow;
use crate::office::Office;
use std::sync::Arc;

/// A service, ready to be served.
pub struct App {
    /// The use cases.
    pub office: Office,
}

/// Not merged.
#[derive(Debug, thiserror::Error)]
#[error("not merged yet")]
pub struct AppError;

/// Makes keys, ledger and log.
///
/// # Errors
/// Always.
#[expect(clippy::unused_async, reason = "stands in")]
pub async fn init(_config: &Config, _clock: Arc<dyn Clock>) -> Result<Vec<(TokenRow, String)>, AppError> {
    Err(AppError)
}

/// Opens.
///
/// # Errors
/// Always.
#[expect(clippy::unused_async, reason = "stands in")]
pub async fn open(_config: &Config, _clock: Arc<dyn Clock>) -> Result<App, AppError> {
    Err(AppError)
}
