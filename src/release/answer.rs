//! The page to show a visitor: how a question becomes a figure that anyone may read.
//!
//! admit, reserve, tabulate, perturb, estimate, suppress, draft, settle, release. Each stage takes what the one before
//! gave and can be reached in no other way: a plan only from `admit`, a draw only from a reservation, a release only
//! from what the ledger has committed.

use super::body::{Body, Release};
use super::draft::{self, Draft};
use super::loss::{Loss, losses};
use super::parts::Parts;
use super::standing::{Cut, Shelf, Shelves};
use super::telling::tell;
use super::turns::Turns;
use crate::identity::Principal;
use crate::ledger::{Committed, Drawn, EditionRow, Ledger, LedgerError, ReleaseRow, Reservation};
use crate::noise::{NoisyTables, Perturbed, perturb};
use crate::policy::Plan;
use crate::suppress::WouldReveal;
use crate::tabulate::{ExactTables, Sources, TabulateError, sources, tabulate};
use crate::vault::Vault;
use std::sync::Arc;
use tokio::sync::{Semaphore, SemaphorePermit};

/// What the way from a question to a release needs.
#[derive(Clone)]
pub struct Answering {
    ledger: Ledger,
    vault: Vault,
    limits: Limits,
    turns: Turns,
    shelves: Shelves,
    searches: Arc<Semaphore>,
}

/// How much work may be done for questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Memory that counting for one question may take.
    pub memory_bytes: usize,
    /// Searches for partners at once, in the whole process: the threads that serve need a core too.
    pub searches: usize,
    /// Releases of one draw, past which none is made of it for free: each is judged beside all before it.
    pub answers_per_draw: usize,
    /// Cells of the tables that stand of one draw, past which none is made of it for free. A large release has 20,000.
    pub cells_per_draw: usize,
}

/// Why there is no answer, though the question was admitted.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The ledger says no, or failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// With what stands of the same draw, the answer would give a withheld figure away. Nothing was charged.
    #[error("{WouldReveal}")]
    WouldReveal,
    /// Too much was answered from the same draw already. Nothing was charged.
    #[error(
        "so much was answered from this draw that no more is judged beside it; ask for a draw of your own, at another \
         price, or for a table that stands"
    )]
    Full,
    /// Ours. The code says where; no text of a library that has seen data is kept.
    #[error("the answer failed at {0}")]
    Fault(&'static str),
}

impl Answering {
    /// A way over these stores, within these limits.
    #[must_use]
    pub fn new(ledger: Ledger, vault: Vault, limits: Limits) -> Self {
        let searches = Arc::new(Semaphore::new(limits.searches));
        Self { ledger, vault, limits, turns: Turns::default(), shelves: Shelves::default(), searches }
    }

    /// Answers an admitted plan: from the shelf if it can, with a new draw if it must. The flag says whether the
    /// release was made now.
    ///
    /// Run it in a task of its own: once a claim is reserved it must come to an end, whether or not the asker waits.
    ///
    /// # Errors
    /// A refusal by the ledger leaves nothing behind; a fault after the reservation leaves the claim spent (G7). One
    /// after the noise leaves the draw, too: asked again, it is answered from there for nothing.
    pub async fn answer(&self, plan: &Plan, asker: &Principal) -> Result<(Release, bool), AnswerError> {
        let _turn = self.turns.take(plan.draw).await;
        let shelved = match self.on_the_shelf(plan).await {
            // another process answered from the same draw in between: judged again, beside that answer
            Err(AnswerError::Ledger(LedgerError::InProgress)) => self.on_the_shelf(plan).await?,
            shelved => shelved?,
        };
        if let Some(release) = shelved {
            return Ok(release);
        }
        let editions = self.editions(plan).await?;
        let claim = self.ledger.grant(plan, asker).await?;
        // Files are checked while the claim is forced to disk; no row is read before it is there.
        let sources = sources(plan, &self.vault, &editions);
        let claim = claim.reserve().await?;
        let (claim, exact) = self.tabulate(claim, sources.await).await?;
        let (claim, noisy) = self.perturb(claim, exact).await?;
        let (claim, draft, sealed) = self.draft(plan, claim, noisy).await?;
        Ok((release(self.ledger.settle(claim, sealed, draft).await?), true))
    }

    /// A release that stands already, or another cut of a draw that is paid for.
    async fn on_the_shelf(&self, plan: &Plan) -> Result<Option<(Release, bool)>, AnswerError> {
        if let Some(row) = self.ledger.release_by_digest(&plan.release).await? {
            return Ok(Some((row.into(), false)));
        }
        let Some((draft, seen)) = self.cut(plan).await? else { return Ok(None) };
        Ok(Some((release(self.ledger.shelve(draft, seen).await?), true)))
    }

    /// What would be answered from a draw that is paid for, and how many releases of it stand; none if it was not made.
    async fn cut(&self, plan: &Plan) -> Result<Option<(Draft, usize)>, AnswerError> {
        let Some(sealed) = self.ledger.draw(&plan.draw).await? else { return Ok(None) };
        let noisy = self.unseal(plan, &sealed)?;
        let mut stands = self.shelves.take(&plan.draw);
        let newer = self.ledger.releases_of(&plan.draw, stands.last()).await?;
        let full = stands.is_full(newer.len(), &self.limits);
        let ready = if newer.is_empty() { stands.ready(plan) } else { None };
        if full || ready.is_some() {
            let seen = stands.seen();
            self.shelves.put_back(plan.draw, stands);
            return ready.map_or(Err(AnswerError::Full), |draft| Ok(Some((draft, seen))));
        }
        let search = self.search().await?;
        let (draft, stands, _) = write_down(plan, noisy, stands, newer).await?;
        drop(search);
        let seen = stands.seen();
        self.shelves.put_back(plan.draw, stands);
        Ok(Some((draft?, seen)))
    }

    /// What would come of a plan that is answered from a draw, beside what stands of it. Stores nothing; a verdict is
    /// kept for as long as nothing else is answered from the draw.
    ///
    /// # Errors
    /// Faults only.
    pub async fn can_be_cut(&self, plan: &Plan) -> Result<Cut, AnswerError> {
        let _turn = self.turns.take(plan.draw).await;
        if let Some(row) = self.ledger.release_by_digest(&plan.release).await? {
            let body: Body = serde_json::from_slice(&row.body).map_err(|_| AnswerError::Fault("shelf"))?;
            let tells = body.cells.iter().any(|cell| cell.estimate.is_some());
            return Ok(if tells { Cut::Tells } else { Cut::Silent });
        }
        let last = self.ledger.last_release_of(&plan.draw).await?;
        if let Some(judged) = self.shelves.judged(&plan.draw, last, &plan.release) {
            return Ok(judged);
        }
        let judged = match self.cut(plan).await {
            Ok(None) => return Ok(Cut::Tells),
            Ok(Some((draft, _))) => {
                let judged = if draft.tells() { Cut::Tells } else { Cut::Silent };
                self.shelves.keep(plan, draft);
                judged
            }
            Err(AnswerError::WouldReveal) => Cut::Reveals,
            Err(AnswerError::Full) => Cut::Full,
            Err(error) => return Err(error),
        };
        self.shelves.judge(&plan.draw, plan.release, judged);
        Ok(judged)
    }

    /// Waits until a search may run: the ones before it hold no thread that serves.
    pub(crate) async fn search(&self) -> Result<SemaphorePermit<'_>, AnswerError> {
        self.searches.acquire().await.map_err(|_| AnswerError::Fault("suppress"))
    }

    /// What suppression costs in the tables of a release that stands, by a plan laid over its draw. Off the threads
    /// that serve: the bound on the partners can take a while.
    ///
    /// # Errors
    /// A fault if the plan is not that of the release.
    pub async fn losses(&self, plan: &Plan, body: Body) -> Result<Loss, AnswerError> {
        let sealed = self.ledger.draw(&plan.draw).await?.ok_or(AnswerError::Fault("shelf"))?;
        let noisy = self.unseal(plan, &sealed)?;
        let mut before = self.ledger.releases_of(&plan.draw, None).await?;
        before.truncate(before.iter().position(|row| row.id == body.id).ok_or(AnswerError::Fault("shelf"))?);
        let (plan, _search) = (plan.clone(), self.search().await?);
        let lost = tokio::task::spawn_blocking(move || {
            let (parts, mut stood) = (Parts::new(&plan, &noisy), Shelf::default());
            stood.read(&plan, &parts, &before)?;
            losses(&plan, &parts, &body, stood.linked())
        });
        lost.await.map_err(|_| AnswerError::Fault("suppress"))?
    }

    async fn editions(&self, plan: &Plan) -> Result<Vec<EditionRow>, LedgerError> {
        let mut editions = Vec::with_capacity(plan.editions.len());
        for edition in &plan.editions {
            editions.push(self.ledger.edition(&plan.dataset, edition).await?);
        }
        Ok(editions)
    }

    /// Exact tables for a claim. What fails before a row is read gives the claim back; what fails after it is spent,
    /// since the failure itself may have depended on the rows.
    async fn tabulate(
        &self,
        claim: Reservation,
        sources: Result<Sources, TabulateError>,
    ) -> Result<(Reservation, ExactTables), AnswerError> {
        let counted = match sources {
            Ok(sources) => tabulate(sources, self.limits.memory_bytes).await,
            Err(error) => Err(error),
        };
        match counted {
            Ok(exact) => Ok((claim, exact)),
            Err(error) if error.before_reading() => {
                self.ledger.void(claim).await?;
                Err(AnswerError::Fault(error.code()))
            }
            Err(error) => {
                self.ledger.forfeit(claim.draw()).await?;
                Err(AnswerError::Fault(error.code()))
            }
        }
    }

    async fn perturb(&self, claim: Reservation, exact: ExactTables) -> Result<(Drawn, NoisyTables), AnswerError> {
        let drawn = tokio::task::spawn_blocking(move || perturb(claim, &exact))
            .await
            .map_err(|_| AnswerError::Fault("noise"))?;
        match drawn {
            Perturbed::Drawn(claim, Ok(tables)) => Ok((claim, tables)),
            Perturbed::Drawn(claim, Err(error)) => {
                self.ledger.forfeit(claim).await?;
                Err(AnswerError::Fault(error.code()))
            }
            Perturbed::Undrawn(claim, error) => {
                self.ledger.void(claim).await?;
                Err(AnswerError::Fault(error.code()))
            }
        }
    }

    /// Estimates, suppresses and writes down. The claim is spent whatever happens here, so what was drawn is kept.
    async fn draft(
        &self,
        plan: &Plan,
        claim: Drawn,
        noisy: NoisyTables,
    ) -> Result<(Drawn, Draft, Vec<u8>), AnswerError> {
        let sealed = match self.seal(plan, &noisy) {
            Ok(sealed) => sealed,
            Err(error) => {
                self.ledger.forfeit(claim).await?;
                return Err(error);
            }
        };
        let written = match self.search().await {
            Ok(_search) => write_down(plan, noisy, Shelf::default(), Vec::new()).await,
            Err(error) => Err(error),
        };
        match written.and_then(|(draft, ..)| draft) {
            Ok(draft) => Ok((claim, draft, sealed)),
            Err(error) => {
                self.ledger.keep(claim, &sealed).await?;
                Err(error)
            }
        }
    }

    fn seal(&self, plan: &Plan, noisy: &NoisyTables) -> Result<Vec<u8>, AnswerError> {
        let bytes = serde_json::to_vec(noisy).map_err(|_| AnswerError::Fault("shelf"))?;
        self.vault.seal(&shelf_name(plan), &bytes).map_err(|_| AnswerError::Fault("shelf"))
    }

    fn unseal(&self, plan: &Plan, sealed: &[u8]) -> Result<NoisyTables, AnswerError> {
        let bytes = self.vault.unseal(&shelf_name(plan), sealed).map_err(|_| AnswerError::Fault("shelf"))?;
        serde_json::from_slice(&bytes).map_err(|_| AnswerError::Fault("shelf"))
    }
}

/// The name under which a draw is sealed: bound to it, so that two draws on the shelf cannot be exchanged.
fn shelf_name(plan: &Plan) -> String {
    format!("draw {}", plan.draw)
}

/// What is told of every cell the plan shows: least squares, the floor, its partners, on noisy figures alone. Hands
/// what stands and the noisy figures back. Off the threads that serve: the search for partners can take a while.
async fn write_down(
    plan: &Plan,
    noisy: NoisyTables,
    mut stands: Shelf,
    newer: Vec<ReleaseRow>,
) -> Result<(Result<Draft, AnswerError>, Shelf, NoisyTables), AnswerError> {
    let plan = plan.clone();
    let written = tokio::task::spawn_blocking(move || {
        let parts = Parts::new(&plan, &noisy);
        stands.read(&plan, &parts, &newer)?;
        let draft = std::thread::scope(|scope| {
            let epsilon = scope.spawn(|| draft::epsilon(&plan));
            let telling = tell(&plan, &parts, stands.linked())?;
            let epsilon = epsilon.join().map_err(|_| AnswerError::Fault("draft"))?;
            Draft::new(&plan, telling, epsilon, stands.first()).map_err(|_| AnswerError::Fault("draft"))
        });
        Ok((draft, stands, noisy))
    });
    written.await.map_err(|_| AnswerError::Fault("suppress"))?
}

fn release(committed: Committed<Draft>) -> Release {
    Release::from(committed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Accounting, Nanos};
    use crate::ledger::Settle as _;
    use crate::noise::NoisyTable;
    use crate::policy::{Dimension, EditionRef, Level, Measured, PERIOD, Policy, Shown};

    fn dimension(name: &str, codes: &[&str]) -> Dimension {
        let level = |code: &&str| Level {
            code: (*code).to_owned(),
            names: std::collections::BTreeMap::new(),
            members: vec![(*code).to_owned()],
        };
        Dimension {
            name: name.to_owned(),
            column: name.to_owned(),
            title: std::collections::BTreeMap::new(),
            concept: None,
            per_row: false,
            levels: codes.iter().map(level).collect(),
            finer: None,
        }
    }

    /// A plan over two periods that measures and shows one table; the floor is 10.
    async fn shown(dimensions: Vec<Dimension>, values: &[i64]) -> Vec<Option<i64>> {
        let edition = |period| EditionRef { period: crate::identity::Period::parse(period).unwrap(), number: 1 };
        let dims: Vec<usize> = (0..dimensions.len()).collect();
        let measured = Measured {
            quantity: crate::policy::Quantity::Persons,
            dims: dims.clone(),
            units: Nanos::from_nanos(1),
            l1: 2,
            l2_squared: 4,
            distinct: false,
        };
        let editions = vec![edition("2025"), edition("2026")];
        let mut plan = Plan::for_vault_test(&Policy::for_vault_test(1), editions, dimensions, vec![measured]);
        plan.shown = vec![Shown { dims: dims.clone() }];
        let tables = vec![NoisyTable { dims, values: values.to_vec(), variance: 1.0 }];
        let noisy = NoisyTables { accounting: Accounting::Zcdp, tables };
        let written = write_down(&plan, noisy, Shelf::default(), Vec::new()).await.unwrap().0.unwrap().entry().body;
        let sorted = serde_json::to_vec(&serde_json::from_slice::<serde_json::Value>(&written).unwrap()).unwrap();
        assert!(written == sorted, "the canonical form: keys in order");
        let body: Body = serde_json::from_slice(&written).unwrap();
        body.cells.iter().map(|cell| cell.value.as_ref().and_then(crate::release::Number::whole)).collect()
    }

    // R2 of the rules for small cells: a person in both periods counts twice, and must not lift a cell over the floor
    // alone.
    #[tokio::test]
    async fn the_floor_on_persons_holds_where_periods_are_pooled() {
        assert_eq!(shown(vec![dimension("sex", &["F", "M"])], &[19, 20]).await, [None, Some(20)]);
        let by_period = vec![dimension(PERIOD, &["2025", "2026"]), dimension("sex", &["F", "M"])];
        assert_eq!(shown(by_period, &[9, 10, 19, 20]).await, [None, Some(10), Some(19), Some(20)]);
    }
}
