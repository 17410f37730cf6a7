//! Where the service is and who we are: the arguments every client command shares.
//!
//! A token comes from the environment or from a file, never from an argument: arguments show in `ps` and in histories.

use super::client::Client;
use super::error::CliError;
use std::path::PathBuf;

/// The variable that holds the token.
const TOKEN_VARIABLE: &str = "HALFLIGHT_TOKEN";

/// Arguments every client command shares.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Connection (the token comes from HALFLIGHT_TOKEN or --token-file)")]
pub(super) struct Connection {
    /// The service.
    #[arg(long, env = "HALFLIGHT_URL", value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// A file that holds the token.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Send the token over plain HTTP to another machine.
    #[arg(long)]
    plain_http: bool,
}

impl Connection {
    /// A client as the bearer of the token; without one, as the public.
    pub(super) fn client(&self) -> Result<Client, CliError> {
        let token = match &self.token_file {
            Some(path) => {
                Some(std::fs::read_to_string(path).map_err(|source| CliError::File { path: path.clone(), source })?)
            }
            None => std::env::var(TOKEN_VARIABLE).ok(),
        };
        let token = token.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        if token.as_ref().is_some_and(|text| !text.bytes().all(|b| b.is_ascii_graphic())) {
            return Err(CliError::Usage("a token is one line of letters, digits and underscores".to_owned()));
        }
        Client::new(&self.url, token, self.plain_http)
    }
}
