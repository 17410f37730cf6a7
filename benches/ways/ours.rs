//! Our side: a whole service in a throw-away folder, with ledger, log and witness.

use crate::register;
use halflight::app;
use halflight::clock::WallClock;
use halflight::config::{Config, Mode};
use halflight::identity::{Class, DatasetId, Organisation, Period, Principal, Role};
use halflight::ledger::{NewToken, PolicySource};
use halflight::office::{Office, SubmissionAsked};
use halflight::policy::{CodeLists, Question};
use halflight::publish::HttpSettings;
use halflight::submission::{Format, OnError};
use serde_json::{Value, json};
use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The period of everything that is measured.
const PERIOD: &str = "2026";

/// A service and the people who use it.
pub struct Ours {
    pub office: Office,
    pub http: HttpSettings,
    officer: Principal,
    ministry: Principal,
    analyst: Principal,
    draws: u32,
}

impl Ours {
    /// Starts a service with both datasets in force.
    pub async fn start(folder: &Path) -> Outcome<Self> {
        let text = format!(
            "data_dir = {:?}\nkeys_dir = {:?}\nwitness = {:?}\nreply_quantum_ms = 0\n[rate_limits]\n\
             per_token_per_minute = 0\nquestions_per_minute = 0\nunauthenticated_per_minute = 0\n",
            folder.join("data"),
            folder.join("keys"),
            folder.join("witness.jsonl"),
        );
        let config = Config::parse(&text, &[], Mode::Service)?;
        let clock = Arc::new(WallClock);
        let issued = app::init(&config, clock.clone()).await?;
        let office = app::open(&config, clock).await?.office;
        let mut officers = Vec::new();
        for (_, token) in issued.iter().filter(|(row, _)| row.role == Role::Officer) {
            officers.push(office.authenticate(token).await?);
        }
        let (_, operator) = issued.iter().find(|(row, _)| row.role == Role::Operator).ok_or("no operator")?;
        let operator = office.authenticate(operator).await?;
        let mut people = Vec::new();
        for (role, organisation, class) in
            [(Role::Submitter, "ministry-interior", "ministry"), (Role::Analyst, "ohchr", "un_reporting")]
        {
            let (organisation, class) = (Organisation::parse(organisation)?, Class::parse(class)?);
            let new = NewToken { role, organisation, class, datasets: None, days: 30 };
            let (_, token) = office.issue_token(&operator, new).await?;
            people.push(office.authenticate(&token).await?);
        }
        for dataset in ["persons", "visits"] {
            let source = PolicySource { toml: register::policy(dataset), lists: CodeLists::default() };
            let proposed = office.propose(&officers[0], source).await?;
            office.approve(&officers[1], &proposed.sha256).await?;
        }
        let (analyst, ministry) = (people.remove(1), people.remove(0));
        Ok(Self { office, http: config.http, officer: officers.remove(2), ministry, analyst, draws: 0 })
    }

    /// Submits a CSV file; gives the rows accepted.
    pub async fn ingest(&self, dataset: &str, csv: &Path) -> Outcome<u64> {
        let asked = SubmissionAsked {
            dataset: DatasetId::parse(dataset)?,
            period: Some(Period::parse(PERIOD)?),
            replaces: None,
            idempotency_key: dataset.into(),
            announced_sha256: None,
            format: Format::Csv,
            on_error: OnError::Refuse,
        };
        let submitted = self.office.submit(&self.ministry, asked, Box::new(File::open(csv)?)).await?;
        Ok(submitted.receipt.rows_accepted)
    }

    /// Closes the period.
    pub async fn close(&self, dataset: &str) -> Outcome<()> {
        self.office.close(&self.officer, &DatasetId::parse(dataset)?, &Period::parse(PERIOD)?).await?;
        Ok(())
    }

    /// Asks for some tables, measured together: each time at a slightly higher price, so that each time noise is drawn
    /// anew. Gives the reply as it is served.
    pub async fn ask(&mut self, dataset: &str, measure: &Value, tables: &[&[&str]]) -> Outcome<Vec<u8>> {
        self.draws += 1;
        let asked = if let [one] = tables { ("by", json!(one)) } else { ("tables", json!(tables)) };
        let question: Question = serde_json::from_value(json!({
            "dataset": dataset, "purpose": "sdg", "measures": [measure], asked.0: asked.1,
            "periods": [PERIOD], "margins": false, "spend": { "rho": format!("0.1{:04}", self.draws) }
        }))?;
        let answer = self.office.ask(&self.analyst, &question).await?;
        if !answer.created {
            return Err("the answer came from the shelf".into());
        }
        Ok(answer.release.document()?)
    }
}
