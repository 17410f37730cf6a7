//! Access tokens: made, revoked, and told apart.
//!
//! A token has one role, and a principal is a token: so no principal is submitter and analyst, nor officer and
//! operator, by construction. The secret is stored as SHA-256 alone. Expiry is judged by the latest time ever seen: a
//! clock that is set back revives nothing. Revocation is a committed row, read at every authentication, so every worker
//! sees it at once.

use super::row::{conflict, count, digest, int, json, name, one, time, to_json, word};
use super::token_text::TokenText;
use super::{Ledger, LedgerError, NewToken, TokenRow};
use crate::fault::Point;
use crate::identity::{DatasetId, Principal, Role, TokenId};
use crate::transparency::Leaf;
use chrono::TimeDelta;
use std::collections::BTreeSet;
use subtle::ConstantTimeEq as _;

/// Longest life of a token.
const DAYS_MAX: u32 = 366;

type Columns = (String, String, String, String, Option<String>, i64, i64, String);

fn token((id, role, organisation, class, datasets, expires, revoked, _): Columns) -> Result<TokenRow, LedgerError> {
    Ok(TokenRow {
        id: name(id)?,
        role: word(role)?,
        organisation: name(organisation)?,
        class: name(class)?,
        datasets: datasets.map(|text| json::<BTreeSet<DatasetId>>(&text)).transpose()?,
        expires: time(expires)?,
        revoked: count(revoked)? != 0,
    })
}

impl Ledger {
    /// Makes a token; returns its row and its text, which is shown once. `by` is absent at `init`, which makes the
    /// first officers; an operator makes every other role, and never an officer.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] for a role that `by` may not make, or a life of no day or over a year.
    pub async fn issue_token(&self, by: Option<&Principal>, new: &NewToken) -> Result<(TokenRow, String), LedgerError> {
        if by.is_some_and(|by| by.role != Role::Operator) {
            return Err(conflict("forbidden_role", "tokens are made by an operator"));
        }
        if by.is_some() && new.role == Role::Officer {
            return Err(conflict(
                "officer_token",
                "an operator makes no officers; they come from init or from two officers",
            ));
        }
        if new.days == 0 || new.days > DAYS_MAX {
            return Err(conflict("token_days", "a token is valid for 1 to 366 days"));
        }
        let text = TokenText::random(new.role);
        let mut writing = self.write().await?;
        let row = TokenRow {
            id: TokenId::random(),
            role: new.role,
            organisation: new.organisation.clone(),
            class: new.class.clone(),
            datasets: new.datasets.clone(),
            expires: time((writing.now() + TimeDelta::days(i64::from(new.days))).timestamp_millis())?,
            revoked: false,
        };
        let leaf = Leaf::TokenIssued { token: row.id.clone(), role: row.role, by: by.map(|by| by.token.clone()) };
        let index = writing.leaf(&leaf).await?;
        sqlx::query(
            "INSERT INTO tokens (id, sha256, role, organisation, class, datasets, expires, log_index)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(row.id.as_str())
        .bind(text.sha256().to_string())
        .bind(row.role.as_str())
        .bind(row.organisation.as_str())
        .bind(row.class.as_str())
        .bind(row.datasets.as_ref().map(to_json).transpose()?)
        .bind(row.expires.timestamp_millis())
        .bind(int(index)?)
        .execute(writing.rows())
        .await?;
        writing.commit(Point::Govern).await?;
        Ok((row, text.into_text()))
    }

    /// Revokes a token, at once and for good.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] if there is none, or it is revoked already.
    pub async fn revoke_token(&self, by: &Principal, id: &TokenId) -> Result<(), LedgerError> {
        let mut writing = self.write().await?;
        let role: Option<String> = sqlx::query_scalar("SELECT role FROM tokens WHERE id = ? AND revoked = 0")
            .bind(id.as_str())
            .fetch_optional(writing.rows())
            .await?;
        let role = word(role.ok_or(LedgerError::Unknown { what: "token in use" })?)?;
        let changed = sqlx::query("UPDATE tokens SET revoked = 1 WHERE id = ? AND revoked = 0")
            .bind(id.as_str())
            .execute(writing.rows())
            .await?;
        one(&changed)?;
        writing.leaf(&Leaf::TokenRevoked { token: id.clone(), role, by: by.token.clone() }).await?;
        writing.commit(Point::Govern).await
    }

    /// Every token, without its secret, in the order they were made.
    ///
    /// # Errors
    /// Faults only.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, LedgerError> {
        let query =
            "SELECT id, role, organisation, class, datasets, expires, revoked, sha256 FROM tokens ORDER BY log_index";
        let rows: Vec<Columns> = sqlx::query_as(query).fetch_all(&mut *self.reading().await?).await?;
        rows.into_iter().map(token).collect()
    }

    /// The principal of a token text; `None` for anything that is not a valid token now.
    ///
    /// # Errors
    /// Faults only: a text that is malformed is not even looked up.
    pub async fn authenticate(&self, text: &str) -> Result<Option<Principal>, LedgerError> {
        let Some(text) = TokenText::parse(text) else { return Ok(None) };
        let sha256 = text.sha256();
        let query =
            "SELECT id, role, organisation, class, datasets, expires, revoked, sha256 FROM tokens WHERE sha256 = ?";
        let found: Option<Columns> =
            sqlx::query_as(query).bind(sha256.to_string()).fetch_optional(&mut *self.reading().await?).await?;
        let Some(found) = found else { return Ok(None) };
        let stored = digest(&found.7)?;
        let row = token(found)?;
        let same = bool::from(stored.0.ct_eq(&sha256.0)) && row.role == text.role();
        if !same || row.revoked {
            return Ok(None);
        }
        if row.expires <= self.store.now() {
            self.remember(row.expires.timestamp_millis()).await?;
            return Ok(None);
        }
        let TokenRow { id, role, organisation, class, datasets, .. } = row;
        Ok(Some(Principal { token: id, role, organisation, class, datasets }))
    }

    /// Makes durable that a time has passed, once: the first refusal of an expired token outlives a restart with the
    /// clock set back.
    async fn remember(&self, passed: i64) -> Result<(), LedgerError> {
        let known: String = super::store::meta(&mut *self.reading().await?, "high_water").await?;
        if known.parse::<i64>().is_ok_and(|known| known >= passed) {
            return Ok(());
        }
        self.write().await?.commit(Point::Govern).await
    }
}
