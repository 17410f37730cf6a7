//! `halflight ask`: a question, its price or its answer.

use super::client::{Client, escape};
use super::connection::Connection;
use super::error::CliError;
use super::style::Style;
use super::table::{self, Page};
use crate::budget::Nanos;
use crate::identity::{DatasetId, Period, Purpose};
use crate::policy::{MeasureAsked, Question, Spend};
use crate::release::Body;
use serde::Deserialize;
use std::io::Write as _;

const EXAMPLES: &str = "\
Examples:
  halflight ask --dataset residence --by adm1,sex --margins --spend moe=25 --quote
  halflight ask --dataset residence --by adm1,sex --margins --spend rho=0.01 --purpose treaty_body
  halflight ask --dataset residence --by adm1,sex --where citizenship=non_citizen --spend rho=0.01
  halflight ask --dataset residence --by sex --measure mean:wait_days --measure share:urban=U --spend rho=0.02
  halflight ask --dataset residence --by adm1 --measure difference:sex=F/sex=M --spend rho=0.01
  halflight ask --dataset residence --by adm1 --measure ratio:share:urban=U:sex=F/sex=M --spend rho=0.01
  halflight ask --dataset residence --period 2025-Q4,2026-Q1 --measure difference:period=2026-Q1/period=2025-Q4 \
    --spend rho=0.01
  halflight ask --dataset health --table service,sex --table adm1 --spend rho=0.005 --format csv

--spend moe=25 asks for a 95 % interval of +-25 persons and finds the price. A quote touches no data and costs nothing.
The same question again costs nothing and gives the same bytes. A comparison marked ~ is within the noise.";

/// Arguments of `ask`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct AskArgs {
    /// The dataset.
    #[arg(long, value_parser = DatasetId::parse)]
    dataset: DatasetId,
    /// One table: the columns it is broken down by.
    #[arg(long, value_name = "A,B", value_delimiter = ',', conflicts_with = "tables")]
    by: Vec<String>,
    /// Several tables, measured together: give it several times.
    #[arg(long = "table", value_name = "A,B")]
    tables: Vec<String>,
    /// Only persons or rows with these codes; may be given several times.
    #[arg(long = "where", value_name = "COLUMN=CODE[,CODE]", value_parser = filter)]
    filter: Vec<(String, Vec<String>)>,
    /// persons, rows, sum:COLUMN, mean:COLUMN, median:COLUMN, quantile:COLUMN:Q, share:COLUMN=CODE+CODE, or two groups
    /// compared: difference:GROUP/GROUP or ratio:GROUP/GROUP, where a GROUP is COLUMN=CODE+CODE, several joined by
    /// commas; of persons, or of ratio:share:COLUMN=CODE:GROUP/GROUP, difference:mean:COLUMN:GROUP/GROUP. May be given
    /// several times.
    #[arg(long, value_name = "MEASURE", default_value = "persons", value_parser = super::measure::parse)]
    measure: Vec<MeasureAsked>,
    /// Closed periods; may be given several times [default: the newest].
    #[arg(long, value_name = "PERIOD", value_delimiter = ',', value_parser = Period::parse)]
    period: Vec<Period>,
    /// What the answer is for [default: the dataset's purpose, where it has only one].
    #[arg(long, value_parser = Purpose::parse)]
    purpose: Option<Purpose>,
    /// All margins too.
    #[arg(long)]
    margins: bool,
    /// rho=AMOUNT, epsilon=AMOUNT or moe=PERSONS.
    #[arg(long, value_name = "SPEND", value_parser = spend)]
    spend: Spend,
    /// Only the price and the error to expect: nothing is spent.
    #[arg(long)]
    quote: bool,
    /// How to print the answer.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// One line a cell.
    Csv,
    /// The bytes as served.
    Json,
}

pub(super) fn run(args: &AskArgs) -> Result<(), CliError> {
    let client = args.connection.client()?;
    let question = question(args, &client)?;
    let mut out = std::io::stdout().lock();
    if args.quote {
        let reply = client.post("/v1/quotes", &question)?;
        return match args.format {
            Format::Json => Ok(out.write_all(&reply.body)?),
            Format::Table | Format::Csv => super::quote::print(&reply.json()?, &mut out),
        };
    }
    let reply = client.post("/v1/releases", &question)?;
    match args.format {
        Format::Json => Ok(out.write_all(&reply.body)?),
        Format::Csv => {
            let body: Body = reply.json()?;
            let csv = client.read(&format!("/v1/releases/{}.csv", escape(body.id.as_str())))?;
            Ok(out.write_all(&csv.body)?)
        }
        Format::Table => {
            let body: Body = reply.json()?;
            let page = Page { style: Style::stdout(), ..Page::default() };
            writeln!(out, "{}{}", table::tables(&body, page), table::notes(&body, page))?;
            Ok(writeln!(out, "{}", price(&body, reply.status))?)
        }
    }
}

/// What an answer cost, as a sentence.
#[must_use]
pub fn price(body: &Body, status: u16) -> String {
    let amount = match body.privacy.rho {
        Some(rho) => format!("rho {rho} (epsilon {} at delta {})", body.privacy.epsilon, body.privacy.delta),
        None => format!("epsilon {}", body.privacy.epsilon),
    };
    match (status, body.privacy.charged) {
        (201, true) => format!("{}: charged {amount}", body.id),
        (201, false) => format!("{}: free, cut from a draw that was paid for", body.id),
        (_, _) => format!("{}: free, released before: the same bytes", body.id),
    }
}

#[derive(Deserialize)]
struct Face {
    purposes: Vec<Purpose>,
    editions: Vec<crate::policy::EditionRef>,
}

fn question(args: &AskArgs, client: &Client) -> Result<Question, CliError> {
    let columns = |text: &String| text.split(',').map(|c| c.trim().to_owned()).filter(|c| !c.is_empty()).collect();
    let tables: Vec<Vec<String>> = args.tables.iter().map(columns).collect();
    let face: Option<Face> = if args.period.is_empty() || args.purpose.is_none() {
        Some(client.read(&format!("/v1/datasets/{}", escape(args.dataset.as_str())))?.json()?)
    } else {
        None
    };
    let newest = || face.as_ref().and_then(|f| f.editions.iter().map(|e| e.period.clone()).max()).into_iter().collect();
    let periods: Vec<Period> = if args.period.is_empty() { newest() } else { args.period.clone() };
    if periods.is_empty() {
        return Err(CliError::Wrong(format!("no period of {} is closed yet: there is nothing to ask", args.dataset)));
    }
    let purpose = match (&args.purpose, face.as_ref().map(|f| f.purposes.as_slice())) {
        (Some(purpose), _) | (None, Some([purpose])) => purpose.clone(),
        (None, known) => {
            let known: Vec<&str> = known.unwrap_or_default().iter().map(Purpose::as_str).collect();
            return Err(CliError::Usage(format!("say what it is for: --purpose {}", known.join("|"))));
        }
    };
    Ok(Question {
        dataset: args.dataset.clone(),
        purpose,
        measures: args.measure.clone(),
        by: tables.is_empty().then(|| args.by.clone()),
        tables: (!tables.is_empty()).then_some(tables),
        filter: args.filter.iter().cloned().collect(),
        periods,
        margins: args.margins,
        spend: args.spend.clone(),
    })
}

fn filter(text: &str) -> Result<(String, Vec<String>), String> {
    match text.split_once('=') {
        Some((column, codes)) if !column.is_empty() && codes.split(',').all(|code| !code.is_empty()) => {
            Ok((column.to_owned(), codes.split(',').map(str::to_owned).collect()))
        }
        Some(_) | None => Err("write COLUMN=CODE, or COLUMN=CODE,CODE".to_owned()),
    }
}

fn spend(text: &str) -> Result<Spend, String> {
    let amount = |text: &str| {
        Nanos::parse(text).map_err(|error| error.to_string().replace(" in quotes, such as \"0.05\"", ", such as 0.05"))
    };
    match text.split_once('=') {
        Some(("rho", value)) => amount(value).map(Spend::Rho),
        Some(("epsilon", value)) => amount(value).map(Spend::Epsilon),
        Some(("moe", value)) => match value.parse::<f64>() {
            Ok(persons) if persons.is_finite() && persons > 0.0 => Ok(Spend::Moe(persons)),
            Ok(_) | Err(_) => Err("moe is a number of persons above 0, such as moe=25".to_owned()),
        },
        Some(_) | None => Err("write rho=0.01, epsilon=0.5 or moe=25".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_becomes_the_question_that_is_sent() {
        assert_eq!(filter("sex=F,M").unwrap(), ("sex".into(), vec!["F".into(), "M".into()]));
        assert_eq!(spend("rho=0.01").unwrap(), Spend::Rho(Nanos::from_nanos(10_000_000)));
        assert_eq!(spend("moe=25").unwrap(), Spend::Moe(25.0));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_before_anything_is_sent() {
        for text in ["sex", "=F", "sex=", "sex=F,,M"] {
            assert!(filter(text).is_err(), "{text}");
        }
        for text in ["rho", "rho=-1", "rho=1e-3", "moe=0", "moe=NaN", "moe=inf", "sigma=3", ""] {
            assert!(spend(text).is_err(), "{text}");
        }
    }
}
