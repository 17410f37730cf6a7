//! A small policy for the tests of the door, which stands behind this stage.

use super::codelist::CodeList;
use super::model::{
    Budget, CellRules, Checked, Column, EditionRule, Frequency, IdForm, Kind, Per, PeriodPattern, Policy, ReleaseRule,
    Text, Unit,
};
use crate::budget::{Accounting, Nanos};
use crate::identity::{AccountId, DatasetId, Digest, Organisation};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Policy {
    /// A small policy over these columns, for tests of the door: annual, ids in `person_id`, periods in `period`,
    /// sent by `ministry`.
    pub(crate) fn for_door_test(columns: Vec<Column>) -> Self {
        let text = Text::from([("en".to_owned(), "test".to_owned())]);
        let date = |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
        Self {
            id: DatasetId::parse("test").unwrap(),
            version: 1,
            title: text.clone(),
            universe: text.clone(),
            source: text,
            controller: String::new(),
            legal_basis: String::new(),
            licence: String::new(),
            contact: String::new(),
            effective: date(2024),
            expires: date(2034),
            retention_days: 730,
            consulted: Vec::new(),
            frequency: Frequency::Annual,
            editions: EditionRule::Closed,
            releases: ReleaseRule { restricted: false, publish_after_days: 0 },
            submitters: BTreeMap::from([(
                Organisation::parse("ministry").unwrap(),
                vec![PeriodPattern("*".to_owned())],
            )]),
            unit: Unit {
                person: "person_id".to_owned(),
                id: IdForm::Raw,
                rows_max: 1,
                period: Some("period".to_owned()),
                periods_max: 1,
            },
            budget: Budget {
                account: AccountId::parse("people").unwrap(),
                accounting: Accounting::Zcdp,
                lifetime: Nanos::ZERO,
                delta: "1e-9".to_owned(),
                delta_value: 1e-9,
                per_release_max: Nanos::ZERO,
                quota_per_organisation: None,
                shares: BTreeMap::new(),
            },
            purposes: BTreeSet::new(),
            deny_classes: BTreeSet::new(),
            columns,
            groupings: Vec::new(),
            cells: CellRules {
                threshold: 10,
                round_to: 1,
                dims_max: 4,
                cells_max: 20_000,
                moe_relative_max: 0.5,
                withhold_unreliable: false,
                complementary: true,
            },
            structural_zeros: Vec::new(),
            known_totals: Vec::new(),
            vulnerable: Vec::new(),
            forbids: Vec::new(),
            requires: Vec::new(),
            programs: Vec::new(),
            sha256: Digest([0; 32]),
            checked: Checked(()),
        }
    }

    /// The same, sent by `ministry` for periods of this pattern only.
    pub(crate) fn sent_for(mut self, pattern: &str) -> Self {
        self.submitters.values_mut().for_each(|allowed| *allowed = vec![PeriodPattern(pattern.to_owned())]);
        self
    }
}

impl Column {
    /// A column for tests of the door.
    pub(crate) fn for_door_test(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            title: Text::new(),
            per: Per::Person,
            concept: None,
            geo_level: None,
            kind,
            of: None,
        }
    }
}

impl CodeList {
    /// A list for tests of the door.
    pub(crate) fn for_door_test(codes: &[&str]) -> Arc<Self> {
        let index = codes.iter().zip(0..).map(|(code, place)| ((*code).to_owned(), place)).collect();
        let codes = codes.iter().map(|id| super::Code { id: (*id).to_owned(), parent: None, names: Text::new() });
        Arc::new(Self { id: "list".to_owned(), codes: codes.collect(), above: Vec::new(), index })
    }
}
