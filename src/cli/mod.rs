//! The command line: arguments become calls.
//!
//! Each command lies in a file of its own and stays thin: client commands speak HTTP through one client, the others
//! call the composition root. Nothing here decides about privacy. Exit codes: 0 done, 1 refused or found wrong, 2
//! usage.

pub mod ask;
mod audit;
mod backup;
pub mod check;
pub mod client;
mod connection;
pub mod demo;
mod edition;
pub mod error;
pub mod generate;
pub mod lists;
mod measure;
mod policy;
mod program;
mod quote;
mod restore;
mod serve;
pub mod style;
pub mod submit;
pub mod table;
mod token;
pub mod verify;

use clap::{Parser, Subcommand};
use error::CliError;
use std::io::Write as _;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  halflight demo                                    the whole story on a throw-away service
  halflight init --data /srv/halflight --keys /srv/keys --witness /mnt/other/witness
  halflight serve --data /srv/halflight --keys /srv/keys --witness /mnt/other/witness
  halflight policy check policies/residence.toml
  halflight ask --dataset residence --by adm1,sex --margins --spend moe=25 --quote

Client commands take --url (or HALFLIGHT_URL) and a token from HALFLIGHT_TOKEN or --token-file.
Exit codes: 0 done, 1 refused or found wrong, 2 usage.";

/// Enough light to see the group, too little to see the face: statistics about migrants under differential privacy.
#[derive(Debug, Parser)]
#[command(name = "halflight", version, propagate_version = true, after_long_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play the whole story on a throw-away service, then keep serving it.
    Demo(demo::DemoArgs),
    /// Serve the HTTP interface.
    Serve(serve::ServeArgs),
    /// Make keys, ledger and log; prints the first tokens, once.
    Init(serve::InitArgs),
    /// Make, list and revoke tokens (operator).
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Close periods (officer).
    #[command(subcommand)]
    Edition(edition::EditionCommand),
    /// Run a policy's programs (officer).
    #[command(subcommand)]
    Program(program::ProgramCommand),
    /// Check, propose, approve and suspend policies.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Send a file of records (submitter).
    Submit(submit::SubmitArgs),
    /// Ask a question, or only its price (analyst).
    Ask(ask::AskArgs),
    /// Verify the whole log, offline or over HTTP.
    Verify(verify::VerifyArgs),
    /// Audit published releases from their files alone.
    Audit(audit::AuditArgs),
    /// Copy a service, while it runs, into a folder; verified after writing.
    Backup(backup::BackupArgs),
    /// Put a backup back, or bring a rolled back database forward to its witness; gives no budget back.
    Restore(restore::RestoreArgs),
    /// Write a labelled synthetic register for a policy.
    Generate(generate_args::GenerateArgs),
}

mod generate_args;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !error.is_silent() {
                let _ = writeln!(std::io::stderr(), "halflight: {error}");
            }
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(cli: Cli) -> Result<(), CliError> {
    match cli.command {
        Command::Demo(args) => demo::run(&args),
        Command::Serve(args) => serve::serve(&args),
        Command::Init(args) => serve::init(&args),
        Command::Token(command) => token::run(&command),
        Command::Edition(command) => edition::run(&command),
        Command::Program(command) => program::run(&command),
        Command::Policy(command) => policy::run(&command),
        Command::Submit(args) => submit::run(&args),
        Command::Ask(args) => ask::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(args) => restore::run(&args),
        Command::Generate(args) => generate_args::run(&args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_examples() {
        fn walk(command: &clap::Command, bare: &mut Vec<String>) {
            if command.get_subcommands().next().is_none() && command.get_after_long_help().is_none() {
                bare.push(command.get_name().to_owned());
            }
            command.get_subcommands().for_each(|c| walk(c, bare));
        }
        let mut bare = Vec::new();
        walk(&Cli::command(), &mut bare);
        assert_eq!(bare, Vec::<String>::new(), "commands without examples");
    }

    #[test]
    fn no_command_takes_a_token_as_an_argument() {
        fn walk(command: &clap::Command) {
            assert!(command.get_arguments().all(|a| a.get_long() != Some("token")), "{}", command.get_name());
            command.get_subcommands().for_each(walk);
        }
        walk(&Cli::command());
    }

    #[test]
    fn a_misspelt_argument_is_a_usage_error() {
        let error = Cli::try_parse_from(["halflight", "ask", "--datset", "x"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
