//! What an outsider's audit says of files that somebody has changed, kept back or mixed up: a fault, its code and what
//! to do.

use crate::support::TestService;
use crate::withheld::{forged, published, question, service};
use serde_json::{Value, json};
use std::process::Command;

/// Releases of one draw in the order in which they were made, and the one of another draw behind them.
fn releases() -> (TestService, Vec<(String, Vec<u8>)>) {
    let (service, team) = service();
    let mut all = question(&["state", "sex"], &[], "0.5");
    all["margins"] = json!(true);
    let mut men = question(&["state"], &[], "0.05");
    men["where"] = json!({ "sex": ["M"] });
    for asked in [all, men, question(&["sex"], &[], "0.05"), question(&["state", "sex"], &[], "1.5")] {
        service.ask(&team, &asked).expect(201);
    }
    let mut files = published(&service);
    let at = |document: &[u8]| serde_json::from_slice::<Value>(document).unwrap()["log_index"].as_u64().unwrap();
    files.sort_by_key(|(_, document)| at(document));
    (service, files)
}

/// The exit code and everything said.
fn audited(files: &[(String, Vec<u8>)]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, document) in files {
        std::fs::write(folder.path().join(format!("{name}.json")), document).unwrap();
    }
    let done = Command::new(env!("CARGO_BIN_EXE_halflight")).arg("audit").arg(folder.path()).output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    (done.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// With one of the files changed, and its digest made anew.
fn with(files: &[(String, Vec<u8>)], at: usize, change: impl Fn(&mut Value)) -> Vec<(String, Vec<u8>)> {
    let mut files = files.to_vec();
    files[at].1 = forged(&files[at].1, change);
    files
}

fn place(document: &Value, silent: bool) -> usize {
    let cells = document["cells"].as_array().unwrap();
    cells.iter().position(|cell| cell["value"].is_null() == silent).unwrap()
}

fn body(file: &(String, Vec<u8>)) -> Value {
    serde_json::from_slice(&file.1).unwrap()
}

#[test]
fn an_audit_tells_every_tampering_by_a_sentence_that_says_what_to_do() {
    let (_service, files) = releases();
    let (draw, other) = (&files[..3], &files[3]);
    assert!(draw[1..].iter().all(|file| body(file)["answered_from"] == body(&draw[0])["id"]));
    let (code, said) = audited(&files);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("and 2 more of its draw") && said.lines().count() == 2, "{said}");
    let fault = |files: &[(String, Vec<u8>)], sentences: &[&str]| {
        let (code, said) = audited(files);
        assert_eq!(code, 1, "{sentences:?}: {said}");
        assert!(sentences.iter().any(|sentence| said.contains(sentence)), "{sentences:?}: {said}");
    };

    // a withheld figure put back
    let put_back = with(draw, 0, |document| {
        let at = place(document, true);
        let cell = &mut document["cells"][at];
        (cell["value"], cell["low"], cell["high"], cell["status"]) = (json!(7), json!(5), json!(9), json!("A"));
        (cell["estimate"], cell["se"]) = (json!("7.0000"), json!("0.9000"));
        cell.as_object_mut().unwrap().remove("reason");
    });
    fault(&put_back, &["withheld figures follow from published ones", "contradict each other"]);
    // a margin changed by one
    let changed = with(draw, 0, |document| {
        let cells = document["cells"].as_array_mut().unwrap();
        let total = cells.iter_mut().find(|cell| cell["key"]["state"] == "_T" && cell["key"]["sex"] == "_T").unwrap();
        let estimate: f64 = total["estimate"].as_str().unwrap().parse().unwrap();
        total["estimate"] = json!(format!("{:.4}", estimate + 1.0));
    });
    fault(&changed, &["the published figures contradict each other"]);
    // the same without a digest of its own, as by a slip
    let mut slipped = draw.to_vec();
    slipped[0].1 =
        String::from_utf8(draw[0].1.clone()).unwrap().replacen("\"estimate\":\"", "\"estimate\":\"1", 1).into();
    fault(&slipped, &["does not match its sha256; fetch GET /v1/releases/"]);
    // claims
    for (field, claim) in [("width", json!(50.0)), ("withheld", json!(1)), ("notions", json!(["A"]))] {
        let claims = with(&draw[..1], 0, |document| document["certificate"][field] = claim.clone());
        let (code, said) = audited(&claims);
        assert_eq!(code, i32::from(field != "notions"), "{field}: less than is proved is no lie: {said}");
        assert!(code == 0 || said.contains("claims more than its figures prove"), "{field}: {said}");
    }
    let median = with(draw, 1, |document| document["certificate"]["measures"]["median:x"] = json!(["A"]));
    fault(&median, &["claims more than its figures prove"]);
    // one kept back: the one that paid, and one beside which another stands
    fault(&draw[1..], &["give all of them: GET /v1/releases"]);
    let more = with(draw, 2, |document| document["certificate"]["withheld"] = json!(17));
    fault(&more, &["give all of them: GET /v1/releases"]);
    // twice by another name is no fault; two that say they are one are
    let twice = [draw, &[("copy".to_owned(), draw[0].1.clone())]].concat();
    let (code, said) = audited(&twice);
    assert!(code == 0 && said.contains("and 2 more of its draw: 4 of 12 cells withheld"), "{said}");
    let renamed = with(draw, 2, |document| document["notes"] = json!([]));
    fault(&[draw, &[("copy".to_owned(), renamed[2].1.clone())]].concat(), &["two files say that they are rel_"]);
    // of another draw, passed off as one of this
    let passed_off = forged(&other.1, |document| document["answered_from"] = body(&draw[0])["id"].clone());
    fault(
        &[draw, &[("other".to_owned(), passed_off)]].concat(),
        &["contradict each other", "follow from published ones"],
    );
    // keys of cells exchanged, and one that nobody knows
    let exchanged = with(draw, 0, |document| {
        let (one, two) = (document["cells"][0]["key"].clone(), document["cells"][3]["key"].clone());
        (document["cells"][0]["key"], document["cells"][3]["key"]) = (two, one);
    });
    fault(&exchanged, &["contradict each other", "withheld figures follow from published ones"]);
    let unknown = with(draw, 0, |document| document["cells"][0]["key"]["state"] = json!("east"));
    fault(&unknown, &["do not fit each other; fetch GET /v1/releases/"]);
    // and what is no release
    fault(&[("note".to_owned(), b"{}".to_vec())], &["GET /v1/releases/ID.json gives it"]);
}
