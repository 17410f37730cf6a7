//! `halflight token`: the keys of people to the service. A token's text is shown once, to standard output alone.

use super::client::escape;
use super::connection::Connection;
use super::error::CliError;
use crate::identity::{Class, DatasetId, Organisation, Role, TokenId};
use crate::ledger::NewToken;
use serde_json::Value;
use std::io::Write as _;

const NEW: &str = "\
Examples:
  halflight token new --role analyst --organisation ohchr --class un_reporting --days 90 > analyst.token
  halflight token new --role submitter --organisation ministry-interior --class ministry --dataset residence --days 366

The text goes to standard output and is never shown again. Officers are made by `init` or by two officers, not here.";
const LIST: &str = "\
Examples:
  halflight token list";
const REVOKE: &str = "\
Examples:
  halflight token revoke tok_0123456789abcdef0123456789abcdef";

/// What is done with tokens.
#[derive(Debug, clap::Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token and print it, once.
    #[command(after_long_help = NEW)]
    New(NewArgs),
    /// List tokens; never their secrets.
    #[command(after_long_help = LIST)]
    List(ListArgs),
    /// Revoke a token at once.
    #[command(after_long_help = REVOKE)]
    Revoke(RevokeArgs),
}

/// Arguments of `token new`.
#[derive(Debug, clap::Args)]
pub(super) struct NewArgs {
    /// submitter, analyst, auditor or operator.
    #[arg(long, value_parser = role)]
    role: Role,
    /// For whom it acts.
    #[arg(long, value_parser = Organisation::parse)]
    organisation: Organisation,
    /// Of which class: `un_reporting`, nso, ministry ...
    #[arg(long, value_parser = Class::parse)]
    class: Class,
    /// Only for this dataset; may be given several times [default: all].
    #[arg(long, value_parser = DatasetId::parse)]
    dataset: Vec<DatasetId>,
    /// Days until it expires, at most 366.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    #[command(flatten)]
    connection: Connection,
}

/// Arguments of `token list`.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    connection: Connection,
}

/// Arguments of `token revoke`.
#[derive(Debug, clap::Args)]
pub(super) struct RevokeArgs {
    /// Its id (not its text): `token list` shows it.
    #[arg(value_parser = TokenId::parse)]
    id: TokenId,
    #[command(flatten)]
    connection: Connection,
}

pub(super) fn run(command: &TokenCommand) -> Result<(), CliError> {
    match command {
        TokenCommand::New(args) => make(args),
        TokenCommand::List(args) => list(args),
        TokenCommand::Revoke(args) => {
            args.connection.client()?.delete(&format!("/v1/tokens/{}", escape(args.id.as_str())))?;
            Ok(writeln!(std::io::stdout(), "revoked {}", args.id)?)
        }
    }
}

fn make(args: &NewArgs) -> Result<(), CliError> {
    let new = NewToken {
        role: args.role,
        organisation: args.organisation.clone(),
        class: args.class.clone(),
        datasets: (!args.dataset.is_empty()).then(|| args.dataset.iter().cloned().collect()),
        days: args.days,
    };
    let made = args.connection.client()?.post("/v1/tokens", &new)?.value()?;
    let id = text(&made, "id");
    writeln!(
        std::io::stderr(),
        "{id}, {} of {}, until {}; shown once:",
        args.role.as_str(),
        args.organisation,
        day(&made)
    )?;
    Ok(writeln!(std::io::stdout(), "{}", text(&made, "token"))?)
}

fn list(args: &ListArgs) -> Result<(), CliError> {
    let tokens: Vec<Value> = args.connection.client()?.read("/v1/tokens")?.json()?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:<36}  {:<9}  {:<24}  {:<14}  {:<10}  state", "id", "role", "organisation", "class", "expires")?;
    for token in tokens {
        let state = if token.get("revoked").and_then(Value::as_bool) == Some(true) { "revoked" } else { "valid" };
        let field = |key| text(&token, key);
        let (id, role, organisation) = (field("id"), field("role"), field("organisation"));
        let (class, expires) = (field("class"), day(&token));
        writeln!(out, "{id:<36}  {role:<9}  {organisation:<24}  {class:<14}  {expires:<10}  {state}")?;
    }
    Ok(())
}

fn text(document: &Value, key: &str) -> String {
    document.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The day a token expires.
fn day(token: &Value) -> String {
    text(token, "expires").chars().take(10).collect()
}

fn role(text: &str) -> Result<Role, String> {
    let known = Role::ALL.into_iter().find(|role| role.as_str() == text);
    known.ok_or_else(|| "a role is submitter, analyst, auditor or operator".to_owned())
}
