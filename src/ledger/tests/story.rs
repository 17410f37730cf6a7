//! A ledger in which everything has happened that can, a restore among it; and everything it answers, as one text.

use super::*;
use crate::ledger::seal::Seals;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

/// A ledger, stopped, and what was made in it.
pub(super) struct Story {
    pub(super) desk: Desk,
    pub(super) tokens: Vec<String>,
}

impl Story {
    pub(super) async fn told() -> Self {
        let mut desk = Desk::new().await;
        let shares = [
            ("[budget.shares]\n", "[budget.shares]\nsdg = \"0.2\"\n"),
            ("per_release_max = \"0.5\"", "per_release_max = \"0.5\"\nquota_per_organisation = \"0.6\""),
        ];
        desk.enact(&visits(&[])).await;
        let (ministry, analyst) = (principal(Role::Submitter, "ministry"), principal(Role::Analyst, "ohchr"));
        let operator = desk.ledger.issue_token(None, &new_token(Role::Operator, 30)).await.unwrap();
        let by = Principal { token: operator.0.id.clone(), ..principal(Role::Operator, "operations") };
        let narrow = NewToken { datasets: Some([dataset()].into()), ..new_token(Role::Analyst, 30) };
        let narrow = desk.ledger.issue_token(Some(&by), &narrow).await.unwrap();
        let revoked = desk.ledger.issue_token(Some(&by), &new_token(Role::Auditor, 30)).await.unwrap();
        desk.ledger.revoke_token(&by, &revoked.0.id).await.unwrap();
        let first = desk.submit(&ministry, "a", "2026", None).await;
        desk.submit(&ministry, "b", "2026", Some(first)).await;
        let withdrawn = desk.submit(&ministry, "c", "2025", None).await;
        desk.ledger.withdraw_submission(&ministry, &dataset(), &withdrawn).await.unwrap();
        desk.close("2026").await.unwrap();
        let policy = desk.enact(&visits(&[&[("version = 1", "version = 2")][..], &shares[..]].concat())).await;
        desk.release(&policy, "0.1", 1).await;
        let free = plan(&policy, "0.1", 1);
        desk.ledger.shelve(draft(&free, 1), 1).await.unwrap();
        let claim = desk.ledger.reserve(&plan(&policy, "0.1", 2), &analyst).await.unwrap();
        desk.ledger.void(claim).await.unwrap();
        let (proposal, source) = parse(&visits(&[("version = 1", "version = 3")]));
        desk.ledger.propose_policy(&desk.officers[2], &proposal, &source).await.unwrap();
        desk.copy("before").await;
        // The gap: an edition and a charge are lost; the release before carries a notice.
        desk.submit(&ministry, "d", "2026", None).await;
        desk.close("2026").await.unwrap();
        desk.charge(&policy, "0.05", 3, &analyst).await.unwrap();
        desk.put_back("before").await;
        desk.brought_forward().await;
        desk.submit(&ministry, "d", "2026", None).await;
        desk.close("2026").await.unwrap();
        desk.release(&policy, "0.1", 4).await;
        desk.enact(&visits(&[("id = \"visits\"", "id = \"other\""), ("\"visitors\"", "\"others\"")])).await;
        desk.ledger.suspend(&desk.officers[0], &DatasetId::parse("other").unwrap()).await.unwrap();
        desk.ledger.close().await;
        desk.verify().await;
        Self { desk, tokens: vec![operator.1, narrow.1, revoked.1] }
    }

    /// The database and its witness, copied into another folder.
    pub(super) fn copy_to(&self, folder: &Path) {
        for name in ["ledger.sqlite", "witness", "key"] {
            std::fs::copy(self.desk.folder.path().join(name), folder.join(name)).unwrap();
        }
    }

    /// Opens a copy as a service does, and reads everything there is to read.
    pub(super) async fn answers(&self, folder: &Path) -> Result<String, LedgerError> {
        let key = LogKey::load(&folder.join("key")).map_err(|_| LedgerError::Corruption("the key"))?;
        let settings = LedgerSettings {
            key,
            database: folder.join("ledger.sqlite"),
            witness: Some(folder.join("witness")),
            ..settings(self.desk.folder.path(), &self.desk.clock, 2)
        };
        let ledger = Ledger::open(settings).await?;
        let read = self.read(&ledger).await;
        ledger.close().await;
        read
    }

    async fn read(&self, ledger: &Ledger) -> Result<String, LedgerError> {
        ledger.ready().await?;
        let mut said = vec![ledger.checkpoint().await?, format!("{:?}", ledger.release_faces(None).await?)];
        for face in ledger.release_faces(None).await? {
            said.push(format!("{face:?} {:?}", ledger.release(&face.id).await?));
        }
        for name in ["visitors", "others"] {
            said.push(format!("{:?}", ledger.balance(&AccountId::parse(name).unwrap()).await?));
        }
        for name in ["visits", "other"] {
            let dataset = DatasetId::parse(name).unwrap();
            let standing = ledger.standing(&dataset).await?;
            said.push(format!("{} {:?}", standing.suspended, ledger.digest_in_force(&dataset).await?));
            for edition in standing.editions {
                said.push(format!("{:?}", ledger.edition(&dataset, &edition).await?));
            }
            said.push(format!("{:?}", ledger.policy_in_force(&dataset).await?));
            let ministry = Organisation::parse("ministry").unwrap();
            said.push(format!("{:?}", ledger.submissions(&ministry, &dataset).await?));
            for period in ["2025", "2026"] {
                said.push(format!("{:?}", ledger.live_submissions(&dataset, &Period::parse(period).unwrap()).await?));
            }
        }
        said.push(format!("{:?} {:?}", ledger.policies().await?, ledger.tokens().await?));
        for text in &self.tokens {
            said.push(format!("{:?}", ledger.authenticate(text).await?));
        }
        for number in 0..5 {
            let draw = Digest::of(format!("draw {number}").as_bytes());
            said.push(format!("{:?}", ledger.draw(&draw).await?));
        }
        said.push(format!("{:?}", ledger.files().await?));
        let mut index = 0;
        while let Some(leaf) = ledger.leaf(index).await? {
            said.push(leaf);
            index += 1;
        }
        said.push(format!("{:?}", ledger.consistency(3, index).await?));
        said.push(format!("{:?}", ledger.inclusion(index / 2, index).await?));
        said.push(format!("{:?}", ledger.tile(&format!("tile/0/000.p/{index}")).await?));
        Ok(said.join("\n"))
    }
}

/// A connection that cares for no constraint; with `sealing` it notes what it changes, to seal it.
pub(super) async fn editor(database: &Path, sealing: Option<&crate::ledger::seal::Noted>) -> sqlx::SqliteConnection {
    let mut rows = SqliteConnectOptions::new().filename(database).foreign_keys(false).connect().await.unwrap();
    sqlx::raw_sql("PRAGMA ignore_check_constraints = 1").execute(&mut rows).await.unwrap();
    if let Some(noted) = sealing {
        noted.listen(&mut rows).await.unwrap();
    }
    rows
}

/// Seals what an editor changed.
pub(super) async fn seal_anew(rows: &mut sqlx::SqliteConnection, noted: &crate::ledger::seal::Noted) {
    Seals::of_schema().await.unwrap().write(rows, noted).await.unwrap();
}
