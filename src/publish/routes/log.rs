//! The public log: checkpoints, tiles (C2SP tlog-tiles), leaves and proofs. For anyone, without a token.

use super::faces::{LogKeyFace, Proof};
use super::{Office, Reply};
use crate::identity::Digest;
use crate::office::OfficeError;
use crate::publish::caller::{Asking, At};
use crate::publish::headers;
use crate::publish::problem::Problem;
use crate::publish::publishable::{Checkpoint, Leaf, Tile, reply};
use actix_web::get;
use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use serde::Deserialize;

/// Longest path of a tile.
const TILE_PATH_LONGEST: usize = 64;

/// What never changes may be kept for a year.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A leaf in a tree.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InclusionQuery {
    index: u64,
    size: u64,
}

/// Two trees.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsistencyQuery {
    from: u64,
    to: u64,
}

/// The newest signed head.
#[utoipa::path(
    operation_id = "read_checkpoint",
    tag = "audit",
    security((), ("token" = [])),
    responses((status = 200, description = "A C2SP signed note", body = String, content_type = "text/plain")),
)]
#[get("/log/checkpoint")]
pub(crate) async fn checkpoint(office: Office) -> Reply {
    reply(StatusCode::OK, &Checkpoint(office.log().checkpoint().await?))
}

/// A tile: `L/N[.p/W]` of hashes, or `entries/N[.p/W]` of leaves.
#[utoipa::path(
    operation_id = "read_tile",
    tag = "audit",
    security((), ("token" = [])),
    params(("path" = String, Path, description = "L/N[.p/W] or entries/N[.p/W]")),
    responses((status = 200, description = "The tile", body = Vec<u8>, content_type = "application/octet-stream")),
)]
#[get("/log/tile/{path:.*}")]
pub(crate) async fn tile(path: At<String>, office: Office) -> Reply {
    if !is_tile_path(&path.0) {
        return Err(OfficeError::Unknown { what: "tile" }.into());
    }
    let tile = office.log().tile(&format!("tile/{}", path.0)).await?;
    let mut response = reply(StatusCode::OK, &Tile(tile.ok_or(OfficeError::Unknown { what: "tile" })?))?;
    headers::set(response.headers_mut(), CACHE_CONTROL, FOR_EVER);
    Ok(response)
}

/// Digits, `x`, `.p` and slashes, or `entries`: nothing that climbs out of anything.
fn is_tile_path(path: &str) -> bool {
    let path = path.strip_prefix("entries/").unwrap_or(path);
    path.len() <= TILE_PATH_LONGEST
        && path.split('/').all(|part| {
            let digits = part.strip_prefix('x').unwrap_or(part);
            let digits = digits.strip_suffix(".p").unwrap_or(digits);
            !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
        })
}

/// A leaf, in its canonical JSON.
#[utoipa::path(
    operation_id = "read_leaf",
    tag = "audit",
    security((), ("token" = [])),
    params(("index" = u64, Path, description = "Place in the log, from 0")),
    responses((status = 200, description = "The leaf", body = Object)),
)]
#[get("/log/entries/{index}")]
pub(crate) async fn entry(index: At<u64>, office: Office) -> Reply {
    let leaf = office.log().leaf(index.0).await?.ok_or(OfficeError::Unknown { what: "leaf" })?;
    let mut response = reply(StatusCode::OK, &Leaf(leaf))?;
    headers::set(response.headers_mut(), CACHE_CONTROL, FOR_EVER);
    Ok(response)
}

/// Proves that a leaf stands in a tree.
#[utoipa::path(
    operation_id = "prove_inclusion",
    tag = "audit",
    security((), ("token" = [])),
    params(
        ("index" = u64, Query, description = "The leaf"),
        ("size" = u64, Query, description = "Leaves of the tree"),
    ),
    responses((status = 200, description = "The proof", body = Proof)),
)]
#[get("/log/proofs/inclusion")]
pub(crate) async fn inclusion(query: Asking<InclusionQuery>, office: Office) -> Reply {
    let InclusionQuery { index, size } = query.0;
    if index >= size {
        return Err(out_of_order("ask with an index below the size"));
    }
    within(&office, size).await?;
    proof("inclusion", index, size, office.log().inclusion(index, size).await?)
}

/// Proves that a tree is the beginning of another.
#[utoipa::path(
    operation_id = "prove_consistency",
    tag = "audit",
    security((), ("token" = [])),
    params(
        ("from" = u64, Query, description = "Leaves of the smaller tree"),
        ("to" = u64, Query, description = "Leaves of the larger tree"),
    ),
    responses((status = 200, description = "The proof", body = Proof)),
)]
#[get("/log/proofs/consistency")]
pub(crate) async fn consistency(query: Asking<ConsistencyQuery>, office: Office) -> Reply {
    let ConsistencyQuery { from, to } = query.0;
    if from == 0 || from > to {
        return Err(out_of_order("ask with a from of at least 1 and at most to"));
    }
    within(&office, to).await?;
    proof("consistency", from, to, office.log().consistency(from, to).await?)
}

/// A proof is about a tree that is there: any other size is refused before anything is computed from it.
async fn within(office: &Office, size: u64) -> Result<(), Problem> {
    let last = office.log().leaf(size.saturating_sub(1)).await?;
    let detail = "the log is not that long yet; /log/checkpoint says how long it is";
    last.map(drop).ok_or_else(|| out_of_order(detail))
}

fn out_of_order(said: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "query_malformed", said)
}

fn proof(kind: &'static str, from: u64, to: u64, hashes: Vec<[u8; 32]>) -> Reply {
    reply(StatusCode::OK, &Proof { kind, from, to, hashes: hashes.into_iter().map(Digest).collect() })
}

/// The key that verifies checkpoints.
#[utoipa::path(
    operation_id = "read_log_key",
    tag = "audit",
    security((), ("token" = [])),
    responses((status = 200, description = "The key", body = LogKeyFace)),
)]
#[get("/log/key")]
pub(crate) async fn key(office: Office) -> Reply {
    reply(StatusCode::OK, &LogKeyFace { vkey: office.log().verifier_key() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tile_paths_hold_nothing_that_climbs() {
        for path in ["0/000", "entries/x001/067", "1/x001/x234/067", "0/000.p/5", "entries/000.p/255"] {
            assert!(is_tile_path(path), "{path}");
        }
        for path in ["", "../x", "0/../1", "0//1", "/etc/passwd", "0/00\0", "entries/", "0/000.p/5.p.p"] {
            assert!(!is_tile_path(path), "{path}");
        }
    }
}
