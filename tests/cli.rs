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

#[test]
fn a_rolled_back_service_says_what_to_do_and_a_backup_comes_forward() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (data, keys, witness, copy) = (path("data"), path("keys"), path("witness"), path("copy"));
    let places = ["--data", &data, "--keys", &keys, "--witness", &witness];
    let run = |command: &str, more: &[&str], code: i32| {
        let done = halflight(&[&[command], &places[..], more].concat());
        let (out, err) = (text(&done.stdout), text(&done.stderr));
        assert_eq!(done.status.code(), Some(code), "{command} {more:?}: {out}\n{err}");
        out + &err
    };
    let verify = |data: &str, code: i32| {
        let done = halflight(&["verify", "--data", data, "--witness", &witness]);
        assert_eq!(done.status.code(), Some(code), "{}{}", text(&done.stdout), text(&done.stderr));
        text(&done.stdout) + &text(&done.stderr)
    };
    run("init", &[], 0);
    assert!(run("backup", &["--to", &copy], 0).contains("backed up and verified: 1 files"));
    assert!(run("backup", &["--to", &copy], 1).contains("not empty"));
    // The log goes on by a leaf: the witness is lost, and a new one begun.
    std::fs::remove_file(&witness).unwrap();
    assert!(run("serve", &["--listen", "127.0.0.1:0"], 1).contains("mount its volume"));
    assert!(run("restore", &["--witness-lost"], 0).contains("begun anew"));
    assert!(verify(&data, 0).contains("a new one begun"));
    // The database of before is put back by hand.
    std::fs::remove_dir_all(&data).unwrap();
    assert!(run("restore", &["--from", &keys], 1).contains("no manifest"));
    std::fs::create_dir(&data).unwrap();
    std::fs::copy(format!("{copy}/ledger.sqlite"), format!("{data}/ledger.sqlite")).unwrap();
    let said = run("serve", &["--listen", "127.0.0.1:0"], 1);
    assert!(said.contains("nothing is served") && said.contains("`halflight restore`"), "{said}");
    assert!(verify(&data, 1).contains("rolled_back"));
    assert!(run("restore", &[], 0).contains("came from the witness"));
    assert!(verify(&data, 0).contains("was put back"));
    assert!(run("restore", &[], 0).contains("nothing had to be restored"));
    // And the backup as a whole, into an empty folder.
    std::fs::remove_dir_all(&data).unwrap();
    let said = run("restore", &["--from", &copy], 0);
    assert!(said.contains("put back and checked: 1 files") && said.contains("came from the witness"), "{said}");
    verify(&data, 0);
    assert!(run("restore", &["--from", &copy], 1).contains("not empty"));
}
