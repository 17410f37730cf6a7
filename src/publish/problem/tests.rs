//! Every refusal, rejection and fault has its status, and says nothing it should not.

use super::*;
use actix_web::ResponseError as _;
use actix_web::body::MessageBody as _;

/// CONTRACT, section 4: the codes in order of precedence, each with the status it promises.
const PROMISED: [(&str, u16); 21] = [
    ("unauthenticated", 401),
    ("forbidden_role", 403),
    ("dataset_unknown", 404),
    ("principal_denied", 403),
    ("policy_expired", 409),
    ("dataset_suspended", 409),
    ("purpose_denied", 403),
    ("question_malformed", 400),
    ("dimension_unknown", 422),
    ("code_unknown", 422),
    ("cross_forbidden", 422),
    ("geo_too_fine", 422),
    ("too_many_dimensions", 422),
    ("too_many_cells", 422),
    ("too_many_periods", 422),
    ("period_not_closed", 422),
    ("spend_pointless", 422),
    ("spend_over_maximum", 422),
    ("quota_exhausted", 409),
    ("budget_exhausted", 409),
    ("would_reveal_withheld", 422),
];

fn body(problem: &Problem) -> String {
    let bytes = problem.error_response().into_body().try_into_bytes().unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn refusals() -> Vec<Inadmissible> {
    let text = || "x".to_owned();
    let day = chrono::NaiveDate::MIN;
    vec![
        Inadmissible::DatasetUnknown,
        Inadmissible::PrincipalDenied,
        Inadmissible::PolicyExpired { effective: day, expires: day },
        Inadmissible::DatasetSuspended,
        Inadmissible::PurposeDenied { allowed: Vec::new() },
        Inadmissible::QuestionMalformed { advice: text() },
        Inadmissible::DimensionUnknown { name: text(), hint: text() },
        Inadmissible::CodeUnknown { column: text(), code: text(), hint: text() },
        Inadmissible::CrossForbidden { cross: Vec::new(), reason: text() },
        Inadmissible::GeoTooFine { column: text(), geography: text(), level_max: 0 },
        Inadmissible::TooManyDimensions { asked: 1, most: 1 },
        Inadmissible::TooManyCells { most: 1 },
        Inadmissible::TooManyPeriods { asked: 1, most: 1 },
        Inadmissible::PeriodNotClosed { period: crate::identity::Period::parse("2026").unwrap() },
        Inadmissible::SpendPointless { needed: crate::budget::Nanos::ZERO },
        Inadmissible::SpendOverMaximum { most: crate::budget::Nanos::ZERO },
    ]
}

#[test]
fn every_refusal_of_the_contract_has_its_status() {
    let order: Vec<(&str, u16)> = CODES.iter().map(|(code, status, _)| (*code, *status)).take(PROMISED.len()).collect();
    assert_eq!(order, PROMISED, "the documented table keeps the order of precedence");
    let mut promised = PROMISED.iter();
    for reason in refusals() {
        let problem = Problem::from(OfficeError::Refused { reason, alternatives: Vec::new() });
        let answered = (problem.document().code, problem.document().status);
        assert!(promised.any(|promised| *promised == answered), "{answered:?} is not promised, or not in this order");
    }
}

#[test]
fn a_code_stands_in_the_table_once_with_a_real_status() {
    let mut seen = std::collections::BTreeSet::new();
    for (code, status, title) in CODES {
        assert!(seen.insert(code), "{code} twice");
        assert!((400..=599).contains(status) && StatusCode::from_u16(*status).is_ok(), "{code}");
        assert!(!title.is_empty());
    }
}

#[test]
fn the_map_is_total_and_each_error_has_the_promised_status() {
    let io = || std::io::Error::other("MARKER-CAUSE");
    let account = || crate::identity::AccountId::parse("residents").unwrap();
    let cases: Vec<(OfficeError, u16, &str)> = vec![
        (OfficeError::Unauthenticated, 401, "unauthenticated"),
        (OfficeError::ForbiddenRole { needed: "officer" }, 403, "forbidden_role"),
        (
            OfficeError::Refused { reason: Inadmissible::DatasetUnknown, alternatives: Vec::new() },
            404,
            "dataset_unknown",
        ),
        (LedgerError::QuotaExhausted { account: account() }.into(), 409, "quota_exhausted"),
        (
            LedgerError::BudgetExhausted {
                account: account(),
                purpose: crate::identity::Purpose::parse("sdg").unwrap(),
            }
            .into(),
            409,
            "budget_exhausted",
        ),
        (LedgerError::InProgress.into(), 409, "in_progress"),
        (LedgerError::Unknown { what: "release" }.into(), 404, "unknown"),
        (LedgerError::Conflict { code: "version_not_newer", detail: "x".into() }.into(), 409, "version_not_newer"),
        (
            LedgerError::Conflict { code: "idempotency_key_reused", detail: "x".into() }.into(),
            422,
            "idempotency_key_reused",
        ),
        (
            LedgerError::Moved { period: crate::identity::Period::parse("2026").unwrap() }.into(),
            409,
            "submissions_moved",
        ),
        (LedgerError::BehindWitness.into(), 503, "behind_witness"),
        (LedgerError::Fenced.into(), 503, "fenced"),
        (LedgerError::Corruption("MARKER-CAUSE").into(), 503, "ledger_corrupt"),
        (LedgerError::Database(sqlx::Error::Protocol("MARKER-CAUSE".into())).into(), 503, "database"),
        (LedgerError::Witness(io()).into(), 503, "witness"),
        (Rejection::File { code: "header_unknown", detail: "x".into() }.into(), 422, "header_unknown"),
        (Rejection::File { code: "body_too_large", detail: "x".into() }.into(), 413, "body_too_large"),
        (Rejection::Rows { rows_rejected: 1, findings: Vec::new() }.into(), 422, "rows_rejected"),
        (OfficeError::PolicyInvalid(Vec::new()), 422, "policy_invalid"),
        (OfficeError::Unknown { what: "dataset" }, 404, "unknown"),
        (OfficeError::Sealed, 503, "sealed"),
        (OfficeError::Fault { code: "vault", cause: "MARKER-CAUSE".into() }, 500, "vault"),
        (OfficeError::Fault { code: "disk_full", cause: "MARKER-CAUSE".into() }, 507, "disk_full"),
    ];
    for (error, status, code) in cases {
        let problem = Problem::from(error);
        assert_eq!((problem.document().status, problem.document().code), (status, code));
        assert_eq!(problem.error_response().status().as_u16(), status);
        // G14: the cause stays here
        assert!(!body(&problem).contains("MARKER-CAUSE"), "{code}");
        let is_ours = status >= 500 && code != "sealed";
        assert_eq!(problem.document().correlation_id.is_some(), is_ours, "{code}");
    }
}

#[test]
fn a_problem_document_is_one() {
    let finding = RowFinding { row: 12, column: "sex".into(), rule: "code_not_in_list".into() };
    let problem = Problem::from(Rejection::Rows { rows_rejected: 1, findings: vec![finding] });
    let response = problem.error_response();
    assert_eq!(response.headers().get("content-type").unwrap(), "application/problem+json");
    let json: serde_json::Value = serde_json::from_str(&body(&problem)).unwrap();
    assert_eq!(json["type"], "/problems/rows_rejected");
    assert_eq!(json["status"], 422);
    assert_eq!(json["rows_rejected"], 1);
    assert_eq!(json["findings"][0]["rule"], "code_not_in_list");
    assert!(json.get("alternatives").is_none() && json.get("correlation_id").is_none());
}

#[test]
fn a_missing_token_is_told_which_scheme_to_use() {
    let response = Problem::from(OfficeError::Unauthenticated).error_response();
    assert_eq!(response.headers().get("www-authenticate").unwrap(), "Bearer realm=\"halflight\"");
}
