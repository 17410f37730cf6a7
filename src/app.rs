//! The composition root (stands in until it is merged).

use crate::config::Config;
use crate::ledger::TokenRow;

/// Not merged.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AppError(pub String);

/// Makes keys, ledger and log.
///
/// # Errors
/// Always.
pub fn init(_config: &Config) -> Result<Vec<(TokenRow, String)>, AppError> {
    Err(AppError("not merged yet".into()))
}

/// Opens and serves until stopped.
///
/// # Errors
/// Always.
pub fn serve(_config: &Config, _listener: std::net::TcpListener) -> Result<(), AppError> {
    Err(AppError("not merged yet".into()))
}
