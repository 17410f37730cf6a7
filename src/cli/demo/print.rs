//! The voice of the demo: numbered acts, what was done, what came of it, and plain words.

use super::cast::Cast;
use crate::cli::error::CliError;
use crate::cli::style::{Style, wrap};
use crate::cli::table::{self, Page};
use crate::release::Body;
use serde_json::Value;
use std::io::Write as _;

/// Characters in a line.
const WIDTH: usize = 98;
/// Lines of a table that are shown.
const ROWS_SHOWN: usize = 14;

/// Tells the story on standard output.
pub(super) struct Teller {
    style: Style,
}

impl Teller {
    pub(super) fn new() -> Self {
        Self { style: Style::stdout() }
    }

    pub(super) fn opening(&self, url: &str) -> Result<(), CliError> {
        put(&self.style.bold("Halflight: enough light to see the group, too little to see the face."))?;
        self.words(&format!(
            "A throw-away service runs at {url}. Everything below goes through its HTTP interface. \
             Every person is made up."
        ))
    }

    /// A new act.
    pub(super) fn act(&self, number: u32, title: &str) -> Result<(), CliError> {
        put("")?;
        put(&self.style.bold(&format!("{number}. {title}")))
    }

    /// Something was done.
    pub(super) fn done(&self, what: &str, outcome: &str) -> Result<(), CliError> {
        put(&format!("  {what:<52} {}", self.style.green(outcome)))
    }

    /// Something was refused, as it should be. Anything else ends the story.
    pub(super) fn refused<T>(&self, what: &str, result: Result<T, CliError>) -> Result<(), CliError> {
        match result {
            Err(CliError::Refused(problem)) => {
                put(&format!("  {what:<52} {}", self.style.red(&format!("refused: {}", problem.code))))?;
                let said = CliError::Refused(problem).to_string();
                let mut lines = said.lines();
                let first = lines.next().and_then(|line| line.split_once(": ")).map_or("", |(_, detail)| detail);
                for line in wrap(first, WIDTH - 6) {
                    put(&self.style.dim(&format!("      {line}")))?;
                }
                for line in lines.take(3) {
                    put(&self.style.dim(&format!("      {}", line.trim())))?;
                }
                Ok(())
            }
            Err(error) => Err(error),
            Ok(_) => Err(CliError::Wrong(format!("this should have been refused, and was not: {what}"))),
        }
    }

    /// A table with its notes left to [`Self::words`].
    pub(super) fn table(&self, body: &Body) -> Result<(), CliError> {
        let page = Page { width: WIDTH - 4, rows_max: ROWS_SHOWN, style: self.style };
        put("")?;
        for line in table::tables(body, page).trim_end().lines() {
            put(&format!("    {line}"))?;
        }
        put("")
    }

    /// Plain words.
    #[expect(clippy::unused_self, reason = "one voice tells everything")]
    pub(super) fn words(&self, text: &str) -> Result<(), CliError> {
        wrap(text, WIDTH - 2).iter().try_for_each(|line| put(&format!("  {line}")))
    }

    /// What can be tried now.
    pub(super) fn closing(&self, url: &str, cast: &Cast, question: &Value) -> Result<(), CliError> {
        self.act(7, "Your turn")?;
        self.words("The service keeps running until Ctrl-C. Tokens, valid for a day here and nowhere else:")?;
        for (who, token) in
            [("officer", &cast.officer), ("submitter", &cast.health_ministry), ("analyst", &cast.reporter)]
        {
            put(&format!("    {who:<10} {token}"))?;
        }
        put("  Try:")?;
        put(&format!("    curl -s {url}/v1/datasets"))?;
        put(&format!("    curl -s {url}/log/checkpoint"))?;
        put(&format!("    curl -s {url}/v1/releases -H 'Authorization: Bearer {}' \\", cast.reporter))?;
        put("      -H 'Content-Type: application/json' \\")?;
        put(&format!("      -d '{question}'"))
    }
}

fn put(text: &str) -> Result<(), CliError> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
