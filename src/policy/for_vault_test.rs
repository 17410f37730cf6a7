//! A small policy and its plans, for the tests of the stages behind this one.

use super::codelist::{Code, CodeList};
use super::model::{
    Budget, CellRules, Checked, Column, EditionRule, Frequency, IdForm, Kind, Measure, Per, PeriodPattern, Policy,
    ReleaseRule, Text, Unit,
};
use super::plan::{Admitted, Dimension, EditionRef, Measured, Plan, Rules};
use crate::budget::{Accounting, Nanos};
use crate::identity::{AccountId, DatasetId, Digest, Organisation, Purpose};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl CodeList {
    /// A list of codes without names.
    pub(crate) fn for_vault_test(id: &str, codes: &[&str]) -> Arc<Self> {
        let index = codes.iter().zip(0..).map(|(code, place)| ((*code).to_owned(), place)).collect();
        let codes = codes.iter().map(|code| Code { id: (*code).to_owned(), parent: None, names: Text::new() });
        Arc::new(Self { id: id.to_owned(), codes: codes.collect(), above: Vec::new(), index })
    }
}

impl Column {
    /// A dimension of codes without names.
    pub(crate) fn for_vault_test(name: &str, per: Per, codes: &[&str]) -> Self {
        let kind = Kind::Dimension { codes: CodeList::for_vault_test(name, codes), bands: None };
        Self { name: name.to_owned(), title: Text::new(), per, concept: None, geo_level: None, kind, of: None }
    }
}

impl Policy {
    /// Persons by sex and region, their visits by service, what a visit cost.
    pub(crate) fn for_vault_test(rows_max: u32) -> Self {
        let organisation = Organisation::parse("ministry").unwrap();
        let cost = Measure { scale: 0, unit: "USD".into(), min: 0, max: 20_000, missing_allowed: true, bins: vec![] };
        let kind = Kind::Measure(cost);
        Self {
            id: DatasetId::parse("visits").unwrap(),
            version: 1,
            title: Text::new(),
            universe: Text::new(),
            source: Text::new(),
            controller: String::new(),
            legal_basis: String::new(),
            licence: String::new(),
            contact: String::new(),
            effective: NaiveDate::MIN,
            expires: NaiveDate::MAX,
            retention_days: 730,
            consulted: Vec::new(),
            frequency: Frequency::Irregular,
            editions: EditionRule::Closed,
            releases: ReleaseRule { restricted: false, publish_after_days: 0 },
            submitters: BTreeMap::from([(organisation, vec![PeriodPattern("*".into())])]),
            unit: Unit { person: "person_id".into(), id: IdForm::Raw, rows_max, period: None, periods_max: 4 },
            budget: Budget {
                account: AccountId::parse("visitors").unwrap(),
                accounting: Accounting::Zcdp,
                lifetime: Nanos::ZERO,
                delta: "1e-9".into(),
                delta_value: 1e-9,
                per_release_max: Nanos::ZERO,
                quota_per_organisation: None,
                shares: BTreeMap::new(),
            },
            purposes: BTreeSet::new(),
            deny_classes: BTreeSet::new(),
            columns: vec![
                Column::for_vault_test("sex", Per::Person, &["F", "M", "_U"]),
                Column::for_vault_test("region", Per::Person, &["NORTH", "EAST", "SOUTH", "WEST"]),
                Column::for_vault_test("service", Per::Row, &["health", "school", "shelter"]),
                Column { kind, ..Column::for_vault_test("cost", Per::Row, &[]) },
            ],
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
}

impl Plan {
    /// A plan that measures exactly this.
    pub(crate) fn for_vault_test(
        policy: &Policy,
        editions: Vec<EditionRef>,
        dimensions: Vec<Dimension>,
        measured: Vec<Measured>,
    ) -> Self {
        Self {
            dataset: policy.id.clone(),
            title: Text::new(),
            policy: policy.sha256,
            policy_version: policy.version,
            account: policy.budget.account.clone(),
            accounting: policy.budget.accounting,
            purpose: Purpose::parse("sdg").unwrap(),
            editions,
            dimensions,
            additive: measured.iter().all(|table| !table.distinct),
            measured,
            figures: vec![super::Figure::Persons],
            cost: Nanos::ZERO,
            shown: Vec::new(),
            cuts: Vec::new(),
            rules: Rules {
                threshold: 10,
                round_to: 1,
                moe_relative_max: 0.5,
                withhold_unreliable: false,
                complementary: true,
            },
            delta: "1e-9".into(),
            structural_zeros: Vec::new(),
            known_totals: Vec::new(),
            vulnerable: Vec::new(),
            ruled: Vec::new(),
            draw: Digest([0; 32]),
            release: Digest([0; 32]),
            measurement: Digest([0; 32]),
            asked: 0,
            question: serde_json::Value::Null,
            admitted: Admitted(()),
        }
    }
}
