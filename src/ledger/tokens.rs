//! Tokens: shown once, stored as a digest, checked in constant time.

use super::claims::named;
use super::policies::conflict;
use super::store::Ledger;
use super::{LedgerError, NewToken, TokenRow};
use crate::identity::{Class, Digest, Organisation, Principal, Role, TokenId, random_bytes};
use crate::transparency::Leaf;
use chrono::{DateTime, TimeDelta};
use sqlx::Row as _;
use subtle::ConstantTimeEq as _;

const DAYS_MAX: u32 = 366;
const CHECK: usize = 8;

impl Ledger {
    /// Makes a token; its text is returned this once. `by` is `None` at `init` alone.
    ///
    /// # Errors
    /// `Conflict` for an officer's token asked for by anyone.
    pub async fn issue_token(&self, by: Option<&Principal>, new: &NewToken) -> Result<(TokenRow, String), LedgerError> {
        if by.is_some() && new.role == Role::Officer {
            return Err(conflict(
                "officers_by_officers",
                "officers are made by `init` or by two officers, never by an operator",
            ));
        }
        if new.days == 0 || new.days > DAYS_MAX {
            return Err(conflict("token_days", "a token is valid for 1 to 366 days"));
        }
        let secret = hex::encode(random_bytes::<32>());
        let start = format!("hl_{}_{secret}", new.role.as_str());
        let text = format!("{start}{}", check(&start));
        let row = TokenRow {
            id: TokenId::random(),
            role: new.role,
            organisation: new.organisation.clone(),
            class: new.class.clone(),
            datasets: new.datasets.clone(),
            expires: self.now() + TimeDelta::days(i64::from(new.days)),
            revoked: false,
        };
        let datasets = serde_json::to_string(&row.datasets).map_err(|_| LedgerError::Corruption("a token"))?;
        let mut step = self.begin().await?;
        sqlx::query("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, 0)")
            .bind(row.id.as_str())
            .bind(Digest::of(text.as_bytes()).to_string())
            .bind(row.role.as_str())
            .bind(row.organisation.as_str())
            .bind(row.class.as_str())
            .bind(datasets)
            .bind(row.expires.timestamp())
            .execute(step.db())
            .await?;
        step.log(Leaf::TokenIssued { token: row.id.clone(), role: row.role, by: by.map(|by| by.token.clone()) })?;
        step.commit().await?;
        Ok((row, text))
    }

    /// Revokes a token, at once.
    ///
    /// # Errors
    /// `Unknown`.
    pub async fn revoke_token(&self, by: &Principal, id: &TokenId) -> Result<(), LedgerError> {
        let mut step = self.begin().await?;
        let revoked =
            sqlx::query("UPDATE tokens SET revoked = 1 WHERE id = ?").bind(id.as_str()).execute(step.db()).await?;
        if revoked.rows_affected() != 1 {
            return Err(LedgerError::Unknown { what: "token" });
        }
        step.log(Leaf::TokenRevoked { token: id.clone(), by: by.token.clone() })?;
        step.commit().await
    }

    /// Every token.
    ///
    /// # Errors
    /// Faults only.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, LedgerError> {
        let rows = sqlx::query(
            "SELECT id, role, organisation, class, datasets, expires, revoked, hash FROM tokens ORDER BY rowid",
        )
        .fetch_all(&self.0.readers)
        .await?;
        rows.iter().map(token).collect()
    }

    /// The principal of a token text; `None` for anything that is not a valid token now.
    ///
    /// # Errors
    /// Faults only.
    pub async fn authenticate(&self, text: &str) -> Result<Option<Principal>, LedgerError> {
        let Some(split) = text.len().checked_sub(CHECK).filter(|_| text.is_ascii()) else { return Ok(None) };
        let (start, given) = text.split_at(split);
        if !bool::from(check(start).as_bytes().ct_eq(given.as_bytes())) {
            return Ok(None);
        }
        let hash = Digest::of(text.as_bytes()).to_string();
        let row = sqlx::query(
            "SELECT id, role, organisation, class, datasets, expires, revoked, hash FROM tokens WHERE hash = ?",
        )
        .bind(&hash)
        .fetch_optional(&self.0.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let stored: String = row.try_get(7)?;
        let row = token(&row)?;
        let now = self.now();
        if !bool::from(stored.as_bytes().ct_eq(hash.as_bytes())) || row.revoked || row.expires <= now {
            return Ok(None);
        }
        Ok(Some(Principal {
            token: row.id,
            role: row.role,
            organisation: row.organisation,
            class: row.class,
            datasets: row.datasets,
        }))
    }
}

fn check(start: &str) -> String {
    let digest = Digest::of(start.as_bytes()).to_string();
    digest.get(..CHECK).unwrap_or_default().to_owned()
}

fn token(row: &sqlx::sqlite::SqliteRow) -> Result<TokenRow, LedgerError> {
    let role: String = row.try_get(1)?;
    let corrupt = |_| LedgerError::Corruption("a token");
    Ok(TokenRow {
        id: named(TokenId::parse(row.try_get(0)?))?,
        role: Role::ALL.into_iter().find(|r| r.as_str() == role).ok_or(LedgerError::Corruption("a role"))?,
        organisation: named(Organisation::parse(row.try_get(2)?))?,
        class: named(Class::parse(row.try_get(3)?))?,
        datasets: serde_json::from_str(row.try_get(4)?).map_err(corrupt)?,
        expires: DateTime::from_timestamp(row.try_get(5)?, 0).ok_or(LedgerError::Corruption("a time"))?,
        revoked: row.try_get::<i64, _>(6)? != 0,
    })
}
