//! The program as its users start it: exit codes, and the demo from its first line to its last.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::process::{Command, Output};

fn halflight(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_halflight"))
        .args(arguments)
        .env_remove("HALFLIGHT_TOKEN")
        .env_remove("HALFLIGHT_URL")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn usage_is_two_refused_is_one_done_is_zero() {
    let code = |arguments: &[&str]| halflight(arguments).status.code();
    assert_eq!(code(&["--help"]), Some(0));
    assert_eq!(code(&["policy", "check", "policies/residence.toml"]), Some(0));
    assert_eq!(code(&["policy", "check", "no/such/file.toml"]), Some(1));
    assert_eq!(code(&["token", "list", "--url", "http://127.0.0.1:1"]), Some(1));
    assert_eq!(code(&["ask", "--dataset", "Not A Name"]), Some(2));
    assert_eq!(code(&["submit", "table.xlsx", "--dataset", "residence", "--period", "2026"]), Some(2));
    assert_eq!(code(&["serve", "--data", "somewhere"]), Some(2), "no witness");
}

#[test]
fn the_demo_plays_to_its_end() {
    let demo = halflight(&["demo", "--exit", "--rows", "20000"]);
    let (out, err) = (text(&demo.stdout), text(&demo.stderr));
    assert_eq!(demo.status.code(), Some(0), "{out}\n{err}");
    assert!(out.lines().count() <= 150, "{} lines", out.lines().count());
    assert!(!out.contains('\u{1b}'), "colours only on a terminal");
    for act in 1..=6 {
        assert!(out.contains(&format!("\n{act}. ")), "act {act} is missing:\n{out}");
    }
    for moment in [
        "row 1234, column sex: ",
        "refused: cross_forbidden",
        "refused: principal_denied",
        "free, the same bytes",
        "the log holds",
        "do not add up",
        "instead: ",
    ] {
        assert!(out.contains(moment), "{moment} is missing:\n{out}");
    }
    assert!(!out.contains("not-a-code"), "a value of the file is repeated:\n{out}");
}
