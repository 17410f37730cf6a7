//! The story in six acts. Read it from top to bottom: it is what Halflight is for.

use super::cast::Cast;
use super::print::Teller;
use super::registers::{Register, Registers};
use crate::budget::{Accounting, Nanos};
use crate::cli::ask::price;
use crate::cli::client::{Client, Reply};
use crate::cli::error::CliError;
use crate::cli::style::grouped;
use crate::cli::submit::{Sending, send};
use crate::cli::verify;
use crate::identity::Digest;
use crate::release::{Body, Cell, Number, Status};
use serde_json::{Value, json};
use std::path::Path;

/// Plays all acts.
pub(super) fn tell(teller: &Teller, public: &Client, cast: &Cast, registers: &Registers) -> Result<(), CliError> {
    let story = Story { teller, public, cast, registers };
    story.rules()?;
    story.files()?;
    story.residence()?;
    story.health()?;
    story.refusals()?;
    story.proof()
}

/// Cells of each status in the table of examples.
const EACH: usize = 2;

struct Story<'a> {
    teller: &'a Teller,
    public: &'a Client,
    cast: &'a Cast,
    registers: &'a Registers,
}

impl Story<'_> {
    fn rules(&self) -> Result<(), CliError> {
        self.teller.act(1, "Two privacy officers put the rules in force")?;
        let officer = self.public.with_token(&self.cast.officer);
        let second = self.public.with_token(&self.cast.second_officer);
        for (register, first) in [(&self.registers.residence, true), (&self.registers.health, false)] {
            let id = &register.policy.id;
            let record = officer.post("/v1/policies", &register.source)?.value()?;
            let approvals = format!("/v1/policies/{}/approvals", text(&record, "sha256"));
            self.teller.done(&format!("officer 1 proposes policies/{id}.toml"), "waits for approval")?;
            if first {
                self.teller.refused("officer 1 approves the own proposal", officer.order(&approvals))?;
            }
            second.order(&approvals)?;
            self.teller.done("officer 2 approves it", "in force")?;
        }
        Ok(())
    }

    fn files(&self) -> Result<(), CliError> {
        self.teller.act(2, "Two ministries send their registers, and the periods are closed")?;
        let Registers { residence, health, broken_health } = self.registers;
        self.submit("the ministry of the interior", &self.cast.residence_ministry, residence, &residence.file)?;
        let ministry = self.public.with_token(&self.cast.health_ministry);
        let broken = send(&ministry, &sending(health, broken_health));
        self.teller.refused("the ministry of health sends a file with one bad row", broken)?;
        self.submit("mended: the ministry of health", &self.cast.health_ministry, health, &health.file)?;
        let officer = self.public.with_token(&self.cast.officer);
        for register in [residence, health] {
            let path = format!("/v1/datasets/{}/editions", register.policy.id);
            officer.post(&path, &json!({ "period": register.period.as_str() }))?;
            let what = format!("officer 1 closes {} of {}", register.period, register.policy.id);
            self.teller.done(&what, "edition 1, sealed")?;
        }
        self.teller.words(
            "From here on nobody can read a row: files are encrypted, ids were replaced by keys at the door, and there \
             is no address that returns a record.",
        )
    }

    fn submit(&self, who: &str, token: &str, register: &Register, file: &Path) -> Result<(), CliError> {
        let receipt = send(&self.public.with_token(token), &sending(register, file))?;
        let rows = grouped(i64::try_from(receipt.rows_accepted).unwrap_or(i64::MAX));
        self.teller.done(&format!("{who} sends {}", register.policy.id), &format!("{rows} rows accepted"))
    }

    fn residence(&self) -> Result<(), CliError> {
        self.teller.act(3, "A reporting team asks: persons by province and sex")?;
        let asker = self.public.with_token(&self.cast.reporter);
        let question = question(&self.registers.residence, &["adm1", "sex"], true);
        let quote = asker.post("/v1/quotes", &question)?.value()?;
        self.teller.done("a quote first: nothing is spent, no data are touched", &quoted(&quote))?;
        let reply = asker.post("/v1/releases", &question)?;
        let body: Body = reply.json()?;
        self.teller.done("then the question", &paid(&body, &reply))?;
        self.teller.table(&body)?;
        self.teller.words(&reading(&body))?;
        let again = asker.post("/v1/releases", &question)?;
        let same = Digest::of(&again.body) == Digest::of(&reply.body);
        let outcome =
            if same { "free, the same bytes" } else { return wrong("a repeated question changed its bytes") };
        self.teller.done("the same question again", outcome)?;
        self.small(&asker)?;
        let mut narrowed = question.clone();
        let provinces: Vec<&str> = body
            .dimensions
            .first()
            .map(|d| d.codes.iter().take(3).map(|c| c.code.as_str()).collect())
            .unwrap_or_default();
        merge(&mut narrowed, "where", json!({ "adm1": provinces }));
        let cut = asker.post("/v1/releases", &narrowed)?;
        let cut_body: Body = cut.json()?;
        if cut_body.privacy.charged {
            return wrong("a cut of a draw that was paid for was charged again");
        }
        self.teller.done("three provinces only: another cut of the same draw", "free")?;
        self.regions(&asker)?;
        self.budget(&asker, &self.registers.residence)
    }

    /// Groups of codes: sums of what was paid for, each with its own error.
    fn regions(&self, asker: &Client) -> Result<(), CliError> {
        let mut question = question(&self.registers.residence, &["region", "sex"], false);
        merge(&mut question, "spend", json!({ "moe": 50 }));
        let reply = asker.post("/v1/releases", &question)?;
        let body: Body = reply.json()?;
        if body.privacy.charged {
            return wrong("groups of what was paid for were charged again");
        }
        self.teller.done("by region, a grouping of the provinces: sums of the same draw", "free")?;
        self.teller.table(&body)
    }

    /// A table of many small cells: what withheld and unreliable figures look like.
    fn small(&self, asker: &Client) -> Result<(), CliError> {
        let question = question(&self.registers.residence, &["mig_status", "cit_group"], false);
        let reply = asker.post("/v1/releases", &question)?;
        let body: Body = reply.json()?;
        self.teller.done("persons by status and citizenship: small cells", &paid(&body, &reply))?;
        self.teller.table(&few_of_each(&body))?;
        let count = |status: Status| body.cells.iter().filter(|cell| cell.status == status).count();
        self.teller.words(&format!(
            "A few of each kind. Of all {} cells {} are withheld (·), and {} are marked u: unreliable, the interval is wide \
             for the figure.",
            body.cells.len(),
            count(Status::Q),
            count(Status::U),
        ))
    }

    fn budget(&self, asker: &Client, register: &Register) -> Result<(), CliError> {
        let account = &register.policy.budget.account;
        let budget = asker.read(&format!("/v1/budgets/{account}"))?.value()?;
        self.teller.words(&format!(
            "The budget: every new question tells a little about everybody, and that cannot be taken back. So the \
             people of account \"{account}\" have {} to spend in all, for good; {} is spent (epsilon {} at delta {}), \
             {} is left. At nothing left, no new question is answered. What was released stays free.",
            text(&budget, "cap"),
            text(&budget, "spent"),
            text(&budget, "epsilon_spent"),
            text(&budget, "delta"),
            text(&budget, "remaining"),
        ))
    }

    fn health(&self) -> Result<(), CliError> {
        self.teller.act(4, "Health services: one person, several rows")?;
        let asker = self.public.with_token(&self.cast.reporter);
        let reply = asker.post("/v1/releases", &question(&self.registers.health, &["service", "sex"], true))?;
        let body: Body = reply.json()?;
        self.teller.done("persons by service and sex", &paid(&body, &reply))?;
        self.teller.table(&body)?;
        self.teller.words(
            "These cells do not add up to the totals, and should not: one person can use several services, and is \
             counted once in each. The release says so (\"additive\": false).",
        )
    }

    fn refusals(&self) -> Result<(), CliError> {
        self.teller.act(5, "What is not answered, whoever asks")?;
        let asker = self.public.with_token(&self.cast.reporter);
        if let Some(forbid) = self.registers.health.policy.forbids.first() {
            let cross: Vec<&str> = forbid.cross.iter().map(String::as_str).collect();
            let answer = asker.post("/v1/releases", &question(&self.registers.health, &cross, false));
            self.teller.refused(&format!("patients by {}", cross.join(" and ")), answer)?;
        }
        let police = self.public.with_token(&self.cast.enforcement);
        let answer = police.post("/v1/releases", &question(&self.registers.residence, &["sex"], false));
        self.teller.refused("an enforcement body asks anything at all", answer)?;
        self.teller.words("A refusal is decided by the rules alone, before any data are read: it gives nothing away.")
    }

    fn proof(&self) -> Result<(), CliError> {
        self.teller.act(6, "Anyone can check")?;
        let verified = verify::by_url(self.public, None)?;
        self.teller.done("halflight verify --url, without any token", "the log holds")?;
        verified.iter().try_for_each(|line| self.teller.words(&format!("  {line}")))
    }
}

fn sending<'a>(register: &'a Register, file: &'a Path) -> Sending<'a> {
    Sending {
        file,
        dataset: &register.policy.id,
        period: &register.period,
        replaces: None,
        skip_bad_rows: false,
        idempotency_key: None,
    }
}

/// A question for half of what one question may cost.
pub(super) fn question(register: &Register, by: &[&str], margins: bool) -> Value {
    let policy = &register.policy;
    let half = policy.budget.per_release_max.split_evenly(2).first().copied().unwrap_or(Nanos::ZERO);
    let kind = match policy.budget.accounting {
        Accounting::Zcdp => "rho",
        Accounting::Pure => "epsilon",
    };
    let preferred = policy.purposes.iter().find(|purpose| purpose.as_str() == "treaty_body");
    let purpose = preferred.or(policy.purposes.first()).map(ToString::to_string).unwrap_or_default();
    json!({
        "dataset": policy.id, "purpose": purpose, "measures": [{ "kind": "persons" }], "by": by,
        "periods": [register.period.as_str()], "margins": margins, "spend": { kind: half }
    })
}

fn merge(document: &mut Value, key: &str, value: Value) {
    if let Some(object) = document.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

fn quoted(quote: &Value) -> String {
    let moe = quote.pointer("/moe/typical").and_then(Value::as_f64).unwrap_or_default();
    let cost = |kind: &str| Some(format!("{kind} {}", quote.pointer(&format!("/cost/{kind}"))?.as_str()?));
    let cost = cost("rho").or_else(|| cost("epsilon")).unwrap_or_default();
    format!("{cost} would give ±{moe:.0} persons")
}

fn paid(body: &Body, reply: &Reply) -> String {
    price(body, reply.status).split_once(": ").map(|(_, cost)| cost.to_owned()).unwrap_or_default()
}

/// A release with up to [`EACH`] cells of each status, in their order.
fn few_of_each(body: &Body) -> Body {
    let mut few = body.clone();
    let mut kept: Vec<Status> = Vec::new();
    few.cells.retain(|cell| {
        let keep = kept.iter().filter(|status| **status == cell.status).count() < EACH;
        kept.extend(keep.then_some(cell.status));
        keep
    });
    few
}

/// What a figure, its interval and a dot mean, with the first figure of the table as the example.
fn reading(body: &Body) -> String {
    let shown = |cell: &&Cell| cell.value.is_some() && cell.low.is_some() && cell.high.is_some();
    let example = body.cells.iter().find(shown).map(|cell| {
        let whole = |number: &Option<Number>| number.as_ref().and_then(Number::whole);
        let (value, low, high) = (whole(&cell.value)?, whole(&cell.low)?, whole(&cell.high)?);
        Some([grouped(value), grouped(value.saturating_sub(low).max(high.saturating_sub(value)))])
    });
    let [value, half] = example.flatten().unwrap_or_default();
    format!(
        "How to read \"{value} ±{half}\": a little chance was added to the true number on purpose, so that nobody \
         can tell from any table whether one particular person is in it. {value} is the best guess; in 95 of 100 \
         such figures the truth is no further away than the number behind the ±. A \"u\" marks figures too \
         uncertain to lean on. A dot (·) is withheld: with its noise the figure is below the floor of the policy, \
         so that it could point at someone; or it is one from which such a figure could be worked out."
    )
}

fn text(document: &Value, key: &str) -> String {
    match document.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

fn wrong(what: &str) -> Result<(), CliError> {
    Err(CliError::Wrong(what.to_owned()))
}
