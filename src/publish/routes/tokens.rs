//! Tokens, by operators: made, listed, revoked. Their text leaves once.

use super::faces::TokenIssued;
use super::{Office, Reply, to_its_end};
use crate::identity::TokenId;
use crate::ledger::{NewToken, TokenRow};
use crate::publish::caller::{At, Caller};
use crate::publish::publishable::{empty, reply};
use crate::publish::strict::Strict;
use actix_web::http::StatusCode;
use actix_web::{delete, get, post};

/// Makes a token; its text is shown this once. Officers' tokens are made by officers, not here.
#[utoipa::path(
    operation_id = "issue_token",
    tag = "operate",
    security(("token" = ["operator"])),
    request_body = NewToken,
    responses((status = 201, description = "Made", body = TokenIssued)),
)]
#[post("/v1/tokens")]
pub(crate) async fn issue(caller: Caller, new: Strict<NewToken>, office: Office) -> Reply {
    let (row, token) = to_its_end(&office, |office| async move { office.issue_token(&caller.0, new.0).await }).await?;
    reply(StatusCode::CREATED, &TokenIssued { row, token })
}

/// Every token, without its text.
#[utoipa::path(
    operation_id = "list_tokens",
    tag = "operate",
    security(("token" = ["operator"])),
    responses((status = 200, description = "Tokens", body = Vec<TokenRow>)),
)]
#[get("/v1/tokens")]
pub(crate) async fn list(caller: Caller, office: Office) -> Reply {
    reply(StatusCode::OK, office.tokens(&caller.0).await?.as_slice())
}

/// Revokes a token at once.
#[utoipa::path(
    operation_id = "revoke_token",
    tag = "operate",
    security(("token" = ["operator"])),
    params(("id" = TokenId, Path, description = "The token")),
    responses((status = 204, description = "Revoked")),
)]
#[delete("/v1/tokens/{id}")]
pub(crate) async fn revoke(caller: Caller, id: At<TokenId>, office: Office) -> Reply {
    to_its_end(&office, |office| async move { office.revoke_token(&caller.0, &id.0).await }).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
