//! Datasets and their accounts, as the public sees them; editions and suspension, by officers.

use super::faces::EditionAsked;
use super::{Office, Reply, to_its_end};
use crate::identity::{AccountId, DatasetId};
use crate::office::{BudgetFace, DatasetFace, EditionClosed};
use crate::publish::caller::{At, Caller};
use crate::publish::publishable::{empty, reply};
use crate::publish::strict::Strict;
use actix_web::http::StatusCode;
use actix_web::{get, post};

/// Closes a period: the live submissions become its next edition.
#[utoipa::path(
    operation_id = "close_edition",
    tag = "govern",
    security(("token" = ["officer"])),
    params(("dataset" = DatasetId, Path, description = "The dataset")),
    request_body = EditionAsked,
    responses((status = 201, description = "Closed", body = EditionClosed)),
)]
#[post("/v1/datasets/{dataset}/editions")]
pub(crate) async fn close(
    caller: Caller,
    dataset: At<DatasetId>,
    asked: Strict<EditionAsked>,
    office: Office,
) -> Reply {
    let closed =
        to_its_end(&office, |office| async move { office.close(&caller.0, &dataset.0, &asked.0.period).await }).await?;
    reply(StatusCode::CREATED, &closed)
}

/// Every dataset.
#[utoipa::path(
    operation_id = "list_datasets",
    tag = "read",
    security((), ("token" = [])),
    responses((status = 200, description = "Datasets", body = Vec<DatasetFace>)),
)]
#[get("/v1/datasets")]
pub(crate) async fn list(office: Office) -> Reply {
    reply(StatusCode::OK, office.datasets().await?.as_slice())
}

/// One dataset: columns, codes, rules, editions, budget.
#[utoipa::path(
    operation_id = "read_dataset",
    tag = "read",
    security((), ("token" = [])),
    params(("dataset" = DatasetId, Path, description = "The dataset")),
    responses((status = 200, description = "The dataset", body = DatasetFace)),
)]
#[get("/v1/datasets/{dataset}")]
pub(crate) async fn one(dataset: At<DatasetId>, office: Office) -> Reply {
    reply(StatusCode::OK, &office.dataset(&dataset.0).await?)
}

/// Suspends a dataset at once: no question is answered until a policy is approved again.
#[utoipa::path(
    operation_id = "suspend_dataset",
    tag = "govern",
    security(("token" = ["officer"])),
    params(("dataset" = DatasetId, Path, description = "The dataset")),
    responses((status = 204, description = "Suspended")),
)]
#[post("/v1/datasets/{dataset}/suspension")]
pub(crate) async fn suspend(caller: Caller, dataset: At<DatasetId>, office: Office) -> Reply {
    to_its_end(&office, |office| async move { office.suspend(&caller.0, &dataset.0).await }).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// What is left of an account.
#[utoipa::path(
    operation_id = "read_budget",
    tag = "ask",
    security(("token" = ["submitter", "analyst", "officer", "auditor", "operator"])),
    params(("account" = AccountId, Path, description = "The account")),
    responses((status = 200, description = "The account", body = BudgetFace)),
)]
#[get("/v1/budgets/{account}")]
pub(crate) async fn budget(caller: Caller, account: At<AccountId>, office: Office) -> Reply {
    reply(StatusCode::OK, &office.budget(&caller.0, &account.0).await?)
}
