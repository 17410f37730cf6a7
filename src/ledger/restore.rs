//! A database that is behind its witness is brought forward to exactly the witnessed head, and serves again.
//!
//! # Guarantees
//! G12: the witnessed leaves are appended as they stand, and must give the witnessed root: the log never forks. G6, G7:
//! no budget comes back: every charge of the gap counts as spent, open ones too, and what nobody knows any more whose
//! it was counts against every share and quota of its account. What began in the gap is gone but for its leaves, and
//! nothing of it may be used; a `restored` leaf says so. One transaction: all of it, or nothing.

use super::row::conflict;
use super::writing::Writing;
use super::{Ledger, LedgerError, LedgerSettings, Restored, restore_accounts, restore_rows};
use crate::budget::Nanos;
use crate::fault::Point;
use crate::identity::{AccountId, ClaimId};
use crate::transparency::{ClaimState, Head, Leaf, Replay, Report, Tree, Witness, WitnessReader};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, ErrorKind};
use std::path::Path;

/// What a witness tells that a database does not know.
struct Witnessed {
    replay: Replay,
    missing: Vec<String>,
}

impl Ledger {
    /// Brings a database forward to its witness. `None` if it is not behind: nothing was changed then.
    ///
    /// A crash in the middle leaves the database as it was; run it again.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] without a witness, or with one of another log or of another way this log took;
    /// [`LedgerError::Witness`] if the witness is missing, was changed, or lacks lines.
    pub async fn restore(settings: LedgerSettings) -> Result<Option<Restored>, LedgerError> {
        let Some(path) = settings.witness.clone() else {
            return Err(conflict("witness_missing", "nothing says what was spent since; give the witness"));
        };
        if !path.exists() {
            return Err(LedgerError::Witness(Error::new(ErrorKind::NotFound, "the file is missing; mount its volume")));
        }
        let vkey = settings.key.verifier_key().to_owned();
        let ledger = Self::assemble(settings).await?;
        let mut writing = ledger.begin().await?;
        writing.refuse_cut().await?;
        let (Some(witnessed), before) = (writing.witnessed(), writing.head()) else {
            return Err(conflict("witness_empty", "the witness is empty: nothing says what was spent since"));
        };
        if witnessed.size <= before.size {
            drop(writing);
            // Held against the witness as any change is: a database that took another way is refused.
            return ledger.promised().await.map(|_| None);
        }
        let read = tokio::task::spawn_blocking(move || read(&path, &vkey, before));
        let read = read.await.map_err(|error| LedgerError::Witness(Error::other(error)))?;
        let Witnessed { mut replay, missing } = read?;
        for leaf in &missing {
            writing.leaf_text(leaf).await?;
        }
        if writing.head() != witnessed {
            return Err(LedgerError::Corruption("the witnessed leaves do not give the witnessed root"));
        }
        say(&mut writing, &mut replay, Leaf::Restored { size: before.size, sha256: witnessed.root }).await?;
        for leaf in open_claims(&replay) {
            say(&mut writing, &mut replay, leaf).await?;
        }
        let unknown = restore_accounts::bring_forward(writing.rows(), &replay).await?;
        let restored = restore_rows::bring_forward(&mut writing, &replay, before.size..witnessed.size, unknown).await?;
        writing.commit(Point::Recover).await?;
        Ok(Some(restored))
    }

    /// Begins a new witness where the old one is lost for good. The log says so: from before this leaf nothing but the
    /// database and whoever kept a checkpoint of the log knows what was spent.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] if there is a witness: move what is left of it away first.
    pub async fn begin_witness(settings: LedgerSettings) -> Result<u64, LedgerError> {
        let Some(path) = settings.witness.clone().filter(|path| !path.exists()) else {
            return Err(conflict("witness_there", "there is a witness file; move what is left of it away first"));
        };
        let vkey = settings.key.verifier_key().to_owned();
        let ledger = Self::assemble(LedgerSettings { witness: None, ..settings }).await?;
        let witness = Witness::open(&path, &vkey, true).map_err(LedgerError::Witness)?;
        ledger.store.tip.lock().await.witness = Some(witness);
        let mut writing = ledger.begin().await?;
        let Head { size, root } = writing.head();
        writing.leaf(&Leaf::Restored { size, sha256: root }).await?;
        sqlx::query("UPDATE head SET acknowledged = 0").execute(writing.rows()).await?;
        writing.commit(Point::Recover).await?;
        Ok(size)
    }
}

/// Reads the whole witness: the replay of its leaves, and those that a log with this head lacks.
fn read(path: &Path, vkey: &str, before: Head) -> Result<Witnessed, LedgerError> {
    let mut reader = WitnessReader::open(path, vkey).map_err(LedgerError::Witness)?;
    let (mut tree, mut replay, mut missing) = (Tree::default(), Replay::default(), Vec::new());
    while let Some(line) = reader.next_line().map_err(LedgerError::Witness)? {
        for text in line.leaves {
            let index = tree.size();
            if index == before.size && tree.root() != before.root {
                return Err(conflict(
                    "witness_forked",
                    "the witness tells of another way than this database took; put back a database of this log",
                ));
            }
            let leaf = Leaf::parse(&text).ok_or(LedgerError::Corruption("a witnessed leaf is malformed"))?;
            replay.apply(index, leaf, &mut Report::default());
            tree.push(text.as_bytes());
            if index >= before.size {
                missing.push(text);
            }
        }
    }
    Ok(Witnessed { replay, missing })
}

/// Appends a leaf, and takes it to heart.
async fn say(writing: &mut Writing, replay: &mut Replay, leaf: Leaf) -> Result<(), LedgerError> {
    let index = writing.leaf(&leaf).await?;
    replay.apply(index, leaf, &mut Report::default());
    Ok(())
}

/// The end of every claim that the log leaves open: spent, for nobody knows what was drawn on it.
fn open_claims(replay: &Replay) -> Vec<Leaf> {
    let open = replay.claims.iter().filter(|(_, claim)| claim.state == ClaimState::Open);
    let settled = open.map(|(id, claim)| Leaf::ChargeSettled {
        account: claim.account.clone(),
        claim: id.clone(),
        nanos: claim.cost.as_nanos(),
        commitment: claim.commitment,
    });
    settled.collect()
}

/// What each account has spent on claims of which no row is left: their share and organisation are not known.
pub(super) fn unknown_charges(replay: &Replay, known: &BTreeSet<ClaimId>) -> BTreeMap<AccountId, Nanos> {
    let mut unknown: BTreeMap<AccountId, Nanos> = BTreeMap::new();
    for (id, claim) in &replay.claims {
        if claim.state == ClaimState::Settled && !known.contains(id) {
            let sum = unknown.entry(claim.account.clone()).or_insert(Nanos::ZERO);
            *sum = sum.checked_add(claim.cost).unwrap_or(Nanos::MAX);
        }
    }
    unknown
}
