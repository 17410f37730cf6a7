//! The codes of problems, their statuses and titles: one table, from which the documentation is written too.
//!
//! # Guarantee
//! A code keeps its meaning and its status. 422 stands where a different question would be answered, 403 where no
//! question of this asker would, 409 where the state of a budget, a policy or an earlier request is in the way.

use actix_web::http::StatusCode;

/// A code, its status and its title.
pub type Code = (&'static str, u16, &'static str);

/// Every code of this face, refusals in their order of precedence.
pub const CODES: &[Code] = &[
    ("unauthenticated", 401, "No valid token"),
    ("forbidden_role", 403, "The role may not do this"),
    ("dataset_unknown", 404, "No such dataset"),
    ("principal_denied", 403, "This class of organisation is refused"),
    ("policy_expired", 409, "The policy is not in force"),
    ("dataset_suspended", 409, "The dataset is suspended"),
    ("purpose_denied", 403, "The purpose is not allowed"),
    ("question_malformed", 400, "The question cannot be read"),
    ("dimension_unknown", 422, "No such column"),
    ("code_unknown", 422, "No such code"),
    ("cross_forbidden", 422, "These columns may not stand together"),
    ("geo_too_fine", 422, "The geography is too fine"),
    ("too_many_dimensions", 422, "Too many dimensions"),
    ("too_many_cells", 422, "Too many cells"),
    ("too_many_periods", 422, "Too many periods"),
    ("period_not_closed", 422, "The period has no closed edition"),
    ("spend_pointless", 422, "The spend would buy only noise"),
    ("spend_over_maximum", 422, "The spend is over the policy's maximum"),
    ("quota_exhausted", 409, "The organisation's quota is used"),
    ("budget_exhausted", 409, "The privacy budget is used"),
    ("would_reveal_withheld", 422, "The answer would reveal what is withheld"),
    ("draw_full", 409, "Too much was answered from this draw"),
    ("in_progress", 409, "The same question is being answered"),
    ("submissions_moved", 409, "The submissions changed meanwhile"),
    ("idempotency_key_reused", 422, "The idempotency key was used for another body"),
    ("unknown", 404, "Not there"),
    ("path_unknown", 404, "No such address"),
    ("format_unknown", 404, "No such format"),
    ("not_acceptable", 406, "No format that is accepted"),
    ("method_not_allowed", 405, "The method is not for this address"),
    ("name_malformed", 400, "A name in the address is not one"),
    ("query_malformed", 400, "The query cannot be read"),
    ("header_malformed", 400, "A header is missing or malformed"),
    ("request_malformed", 400, "Not a request of HTTP"),
    ("head_too_slow", 408, "The head of the request came too slowly"),
    ("head_too_large", 431, "The head of the request is too large"),
    ("body_malformed", 400, "The body cannot be read"),
    ("body_broken_off", 400, "The body ended too early"),
    ("body_too_slow", 408, "The body came too slowly"),
    ("body_too_large", 413, "The body is too large"),
    ("address_too_long", 414, "The address is too long"),
    ("media_type_unsupported", 415, "The media type is not supported"),
    ("digest_mismatch", 422, "The body is not what its digest says"),
    ("bad_encoding", 400, "The body does not unpack"),
    ("submitter_not_allowed", 403, "The organisation may not submit here"),
    ("rows_rejected", 422, "Rows break the policy's rules"),
    ("policy_invalid", 422, "The policy file has errors"),
    ("no_rows", 422, "The file has no rows"),
    ("bad_json", 422, "The NDJSON cannot be read"),
    ("header_too_long", 422, "The header is too long"),
    ("duplicate_column", 422, "A column stands there twice"),
    ("missing_column", 422, "A column is missing"),
    ("unknown_column", 422, "A column that the policy does not name"),
    ("period_missing", 422, "The period is missing"),
    ("period_not_allowed", 422, "The period is not the file's to give"),
    ("not_utf8", 422, "The file is not UTF-8"),
    ("empty_file", 422, "The file is empty"),
    ("malformed_csv", 422, "The CSV cannot be read"),
    ("too_many_columns", 422, "Too many columns"),
    ("second_officer_needed", 409, "Another officer is needed"),
    ("not_proposed", 409, "The policy is not waiting for approval"),
    ("version_not_grown", 409, "The version has to grow"),
    ("version_not_newer", 409, "The version has to grow"),
    ("policy_changed", 409, "The policy changed meanwhile"),
    ("account_differs", 409, "The account has another budget"),
    ("account_changed", 409, "The account of a dataset stays"),
    ("accounting_changed", 409, "The accounting of an account stays"),
    ("nothing_to_close", 409, "Nothing was submitted"),
    ("officers_by_officers", 403, "Officers are made by officers"),
    ("token_days", 422, "The days of a token are out of bounds"),
    ("rate_limited", 429, "Too many requests"),
    ("too_many_uploads", 429, "Too many files at once"),
    ("uploads_busy", 503, "Too many files at once"),
    ("sealed", 503, "The service is sealed"),
    ("behind_witness", 503, "The log is behind its witness"),
    ("fenced", 503, "Another start of the service has taken over"),
    ("ledger_corrupt", 503, "The ledger has stopped"),
    ("database", 503, "The database failed"),
    ("witness", 503, "The witness failed"),
    ("disk_full", 507, "No room is left"),
    ("panic", 500, "A fault of ours"),
    ("panicked", 500, "A fault of ours"),
];

fn listed(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|(listed, _, _)| *listed == code)
}

/// The status of a code, or another one for a code that is not listed here.
pub(super) fn status_of_code(code: &str, otherwise: StatusCode) -> StatusCode {
    listed(code).and_then(|(_, status, _)| StatusCode::from_u16(*status).ok()).unwrap_or(otherwise)
}

/// The title of a code; a code that is not listed here is titled by its status.
pub(super) fn title(code: &str, status: StatusCode) -> &'static str {
    listed(code).map_or_else(|| status.canonical_reason().unwrap_or("Problem"), |(_, _, title)| title)
}
