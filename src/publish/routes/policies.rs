//! Policies: proposed by one officer, approved by another.

use super::{Office, Reply, to_its_end};
use crate::identity::Digest;
use crate::ledger::PolicySource;
use crate::office::PolicyRecord;
use crate::policy::CodeLists;
use crate::publish::caller::{At, Caller};
use crate::publish::problem::Problem;
use crate::publish::publishable::reply;
use crate::publish::server::Face;
use crate::publish::strict::{media_type, parse, unsupported, whole};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, get, post, web};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Longest name of a code list.
const LIST_NAME_LONGEST: usize = 64;

/// Proposes a policy: the TOML (code lists known to the server), or JSON with the TOML and code lists.
#[utoipa::path(
    operation_id = "propose_policy",
    tag = "govern",
    security(("token" = ["officer"])),
    request_body(
        description = "A policy file",
        content((String = "application/toml"), (PolicySource = "application/json")),
    ),
    responses((status = 201, description = "Proposed; it waits for approvals", body = PolicyRecord)),
)]
#[post("/v1/policies")]
pub(crate) async fn propose(
    caller: Caller,
    req: HttpRequest,
    payload: web::Payload,
    office: Office,
    face: web::Data<Face>,
) -> Reply {
    let kind = media_type(req.headers());
    let json = match kind.as_deref() {
        Some("application/json") => true,
        Some("application/toml" | "text/plain" | "text/x-toml") => false,
        Some(_) | None => return Err(unsupported("application/toml, or as application/json {\"toml\", \"lists\"}")),
    };
    let bytes = whole(req.headers(), payload.into_inner(), face.settings.policy_bytes_max).await?;
    let mut source = if json { parse::<PolicySource>(&bytes)? } else { plain(bytes)? };
    let missing: BTreeSet<String> =
        referenced(&source.toml).into_iter().filter(|name| !source.lists.0.contains_key(name)).collect();
    source.lists.0.extend(known_lists(face.settings.policies_dir.as_deref(), missing).await?);
    let record = to_its_end(&office, |office| async move { office.propose(&caller.0, source).await }).await?;
    reply(StatusCode::CREATED, &record)
}

fn plain(bytes: Vec<u8>) -> Result<PolicySource, Problem> {
    let toml = String::from_utf8(bytes).map_err(|error| {
        let detail = format!("byte {} is not UTF-8; save the policy file as UTF-8", error.utf8_error().valid_up_to());
        Problem::new(StatusCode::BAD_REQUEST, "body_malformed", detail)
    })?;
    Ok(PolicySource { toml, lists: CodeLists::default() })
}

/// The lists a policy refers to. A file that is no TOML refers to none: the parser will say where it is wrong.
fn referenced(toml: &str) -> BTreeSet<String> {
    let Ok(file) = toml::from_str::<toml::Table>(toml) else { return BTreeSet::new() };
    let columns = file.get("column").and_then(toml::Value::as_array).into_iter().flatten();
    let names = columns.filter_map(|column| column.get("codes").and_then(toml::Value::as_str));
    names.filter(|name| is_list_name(name)).map(str::to_owned).collect()
}

/// Only such a name becomes part of a path.
fn is_list_name(name: &str) -> bool {
    (1..=LIST_NAME_LONGEST).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

async fn known_lists(policies: Option<&Path>, names: BTreeSet<String>) -> Result<Vec<(String, String)>, Problem> {
    let Some(folder) = policies.map(|policies| policies.join("codelists")) else { return Ok(Vec::new()) };
    let read = move || names.into_iter().filter_map(|name| read_list(&folder, name)).collect();
    web::block(read).await.map_err(|error| Problem::fault("lists_unreadable", &error))
}

/// A list that is not there is left out: the policy's parser names it as a finding.
fn read_list(folder: &Path, name: String) -> Option<(String, String)> {
    let path: PathBuf = folder.join(format!("{name}.csv"));
    std::fs::read_to_string(path).ok().map(|text| (name, text))
}

/// Every policy.
#[utoipa::path(
    operation_id = "list_policies",
    tag = "govern",
    security(("token" = ["officer", "auditor"])),
    responses((status = 200, description = "Policies", body = Vec<PolicyRecord>)),
)]
#[get("/v1/policies")]
pub(crate) async fn list(caller: Caller, office: Office) -> Reply {
    reply(StatusCode::OK, office.policies(&caller.0).await?.as_slice())
}

/// Approves exactly these bytes. The proposer cannot.
#[utoipa::path(
    operation_id = "approve_policy",
    tag = "govern",
    security(("token" = ["officer"])),
    params(("sha256" = Digest, Path, description = "The digest of the resolved policy")),
    responses((status = 200, description = "Approved", body = PolicyRecord)),
)]
#[post("/v1/policies/{sha256}/approvals")]
pub(crate) async fn approve(caller: Caller, sha256: At<Digest>, office: Office) -> Reply {
    let record = to_its_end(&office, |office| async move { office.approve(&caller.0, &sha256.0).await }).await?;
    reply(StatusCode::OK, &record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn only_plain_list_names_reach_the_disk() {
        let toml =
            "[[column]]\ncodes = \"CL_SEX\"\n[[column]]\ncodes = \"../../etc/passwd\"\n[[column]]\ncodes = [\"F\"]\n";
        assert_eq!(referenced(toml), BTreeSet::from(["CL_SEX".to_owned()]));
        assert!(referenced("[[column").is_empty());
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("codelists")).unwrap();
        std::fs::write(folder.path().join("codelists/CL_SEX.csv"), "code\nF\n").unwrap();
        let names = BTreeSet::from(["CL_SEX".to_owned(), "CL_AGE".to_owned()]);
        let lists = known_lists(Some(folder.path()), names).await.unwrap();
        assert_eq!(lists, [("CL_SEX".to_owned(), "code\nF\n".to_owned())]);
    }
}
