//! Settings (stands in until it is merged).

use std::net::SocketAddr;
use std::path::Path;

/// The prefix of environment variables.
pub const ENVIRONMENT_PREFIX: &str = "HALFLIGHT__";

/// What the service is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Real data.
    Service,
    /// A throw-away service.
    Demo,
}

/// Not merged.
#[derive(Debug, thiserror::Error)]
#[error("not merged yet")]
pub struct ConfigError;

/// Settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address.
    pub listen: SocketAddr,
    /// The HTTP face.
    pub http: crate::publish::HttpSettings,
}

impl Config {
    /// Reads a file and the environment.
    ///
    /// # Errors
    /// Always.
    pub fn load(_path: Option<&Path>, _mode: Mode) -> Result<Self, ConfigError> {
        Err(ConfigError)
    }

    /// Reads a text and variables.
    ///
    /// # Errors
    /// Always.
    pub fn parse(_text: &str, _environment: &[(String, String)], _mode: Mode) -> Result<Self, ConfigError> {
        Err(ConfigError)
    }

    /// A file with every setting at its default, explained.
    #[must_use]
    pub fn example() -> String {
        String::new()
    }
}
