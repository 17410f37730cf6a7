//! The model held against the service.

use super::run::Run;
use super::service::{CUTS, PERSONS, PRICES, account, dataset, period, question};
use crate::identity::SubmissionId;
use crate::ledger::{EditionRow, FileEntry, verify_database};
use crate::policy::EditionRef;
use crate::release::{Number, Release};
use arrow::array::AsArray as _;
use arrow::datatypes::UInt8Type;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

impl Run {
    /// Everything that must be true after a step.
    pub(super) async fn check(&mut self) {
        let config = self.service.config();
        let report = verify_database(&config.database(), config.witness()).await.unwrap();
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
        self.budget().await;
        self.submissions_and_files().await;
        self.releases().await;
    }

    /// Never less spent than was paid for; more only by what failed.
    async fn budget(&mut self) {
        let balance = self.service.office.ledger.balance(&account()).await.unwrap();
        let used = balance.held.as_nanos() + balance.spent.as_nanos();
        let (least, most) = self.model.used;
        assert!((least..=most).contains(&used), "{used} used, not between {least} and {most}");
        // What is used is never given back.
        self.model.used = (used, used);
    }

    async fn submissions_and_files(&self) {
        let office = &self.service.office;
        let live = office.ledger.live_submissions(&dataset(), &period()).await.unwrap();
        let ids: BTreeSet<&SubmissionId> = live.iter().map(|row| &row.receipt.submission).collect();
        assert_eq!(ids, self.model.live.values().collect(), "the live submissions");
        let mut named: Vec<FileEntry> = live.into_iter().flat_map(|row| row.files).collect();
        for number in 1..=self.model.editions.len() {
            named.extend(self.edition(number).await.files);
        }
        office.vault.verify(&named).unwrap();
        let named: BTreeSet<String> = named.into_iter().map(|file| file.id.as_str().to_owned()).collect();
        // What could not be erased is known to be there, and goes later.
        if !office.vault.untidy() {
            for folder in [office.vault.files(), &self.service.path().join("keys/files")] {
                assert_eq!(names(folder), named, "{}", folder.display());
            }
        }
    }

    async fn edition(&self, number: usize) -> EditionRow {
        let edition = EditionRef { period: period(), number: u32::try_from(number).unwrap() };
        self.service.office.ledger.edition(&dataset(), &edition).await.unwrap()
    }

    /// Every release that was seen, byte for byte, and none that was not; the last answer again, for nothing.
    async fn releases(&self) {
        let (office, people) = (&self.service.office, &self.service.people);
        let faces = office.ledger.release_faces(None).await.unwrap();
        let ids: BTreeSet<_> = faces.iter().map(|face| &face.id).collect();
        assert_eq!(ids, self.model.seen.keys().collect(), "the releases");
        for (id, seen) in &self.model.seen {
            let release = Release::from(office.ledger.release(id).await.unwrap());
            let told = |bytes: &[u8]| {
                let mut told: serde_json::Value = serde_json::from_slice(bytes).unwrap();
                told.as_object_mut().unwrap().remove("notice");
                told.to_string()
            };
            assert_eq!(told(&release.document().unwrap()), told(seen), "a release is never another");
        }
        let newest = (self.model.version, self.model.editions.len());
        let last = self.model.answers.iter().rev().find(|(key, _)| (key.0, key.1) == newest && !self.model.suspended);
        if let Some(((.., price, cut), id)) = last {
            let rho = PRICES.iter().find(|(_, nanos)| nanos == price).unwrap().0;
            let again = office.ask(&people.analysts[1], &question(rho, CUTS[*cut], true)).await.unwrap();
            assert!(!again.created && again.release.id() == id, "the same question is free");
        }
    }

    /// The rows of the newest edition, counted: each live file once, and nothing else.
    pub(super) async fn count_newest(&self) {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for file in self.edition(self.model.editions.len()).await.files {
            for batch in self.service.office.vault.look(&file, &["c0"]).unwrap() {
                for code in batch.unwrap().expose().column(0).as_primitive::<UInt8Type>().values() {
                    *counts.entry(usize::from(*code)).or_default() += 1;
                }
            }
        }
        let expected = self.model.live.keys().map(|cell| (*cell, PERSONS)).collect();
        assert_eq!(counts, expected, "each live file once");
    }

    /// A release tells about a whole file of each cell that counts, and nothing of the others.
    pub(super) fn holds(&self, cut: usize, release: &Release) {
        let half = i64::try_from(PERSONS / 2).unwrap();
        let cells = release.body().unwrap().cells;
        for (cell, counts) in self.model.expected(cut) {
            let told = cells.iter().find(|told| told.key["cell"] == format!("C{cell}")).unwrap();
            let told = told.value.as_ref().and_then(Number::whole);
            let right =
                if counts { told.is_some_and(|value| (half..3 * half).contains(&value)) } else { told.is_none() };
            assert!(right, "cell {cell}: {told:?}, counts: {counts}");
        }
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
