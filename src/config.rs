//! Settings (stands in until the composition root is merged).

use std::path::PathBuf;

/// Settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Data.
    pub data_dir: PathBuf,
    /// Keys.
    pub keys_dir: PathBuf,
    /// Address.
    pub listen: String,
    /// Witness.
    pub witness: Option<PathBuf>,
    /// Approvals.
    pub approvals: u32,
}
