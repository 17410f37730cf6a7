//! What suppression costs, and whom: for officers, who can ask for a coarser table or change a rule.

use super::{Office, OfficeError, need};
use crate::identity::{Principal, ReleaseId, Role};
use crate::policy::{EditionRef, Policy, Question, readmit};
use crate::release::{Body, Loss, Release};

impl Office {
    /// What each vulnerable group loses in the tables of a release: cells and noisy persons, whether it has fallen
    /// silent, and the coarser table that would show it; how many cells are withheld for the sake of others, and how
    /// few it could be.
    ///
    /// # Errors
    /// `Unknown` for a release that is not there or that this officer may not read.
    pub async fn loss(&self, who: &Principal, id: &ReleaseId) -> Result<Loss, OfficeError> {
        need(who, Role::Officer)?;
        self.release_face(Some(who), id).await?;
        let row = self.ledger.release(id).await?;
        let draw = row.draw;
        let body = Release::from(row).body().map_err(|_| unread("a release does not read"))?;
        let policy = self.policy_of(&body.policy.sha256).await?;
        let editions: Vec<EditionRef> = body.editions.iter().map(|face| face.edition.clone()).collect();
        let form = self.ledger.form(&draw).await?;
        let asked = asked(&policy, &body).ok_or_else(|| unread("a released question does not read"))?;
        let plan = readmit(&policy, editions, &asked, draw, &form)?;
        Ok(self.answering.losses(&plan, body).await?)
    }
}

/// The question of a release. What it was for is nobody's to know, and makes no difference.
fn asked(policy: &Policy, body: &Body) -> Option<Question> {
    let mut question = body.question.clone();
    question.as_object_mut()?.insert("purpose".into(), serde_json::to_value(policy.purposes.first()?).ok()?);
    serde_json::from_value(question).ok()
}

fn unread(cause: &str) -> OfficeError {
    OfficeError::Fault { code: "release_unreadable", cause: cause.to_owned() }
}
