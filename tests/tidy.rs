//! The house rules that a machine can check: who may import whom, who may open a `Sensitive`, which file may name a
//! heavy dependency, how long files and lines are, which OpenDP is built.
//!
//! Each rule is a function from a path and a text to complaints; one test holds the tree to it, and snippets in the
//! same test show that it can fail. Comments and test modules are left out where a rule is about what runs.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

#[path = "tidy/tree.rs"]
mod tree;

use std::collections::BTreeSet;
use std::process::Command;
use tree::{all, heads, is_word, paths, root, running, sources};

/// The stages in order: each may name those before it.
const ORDER: [&str; 23] = [
    "clock",
    "fault",
    "underway",
    "sensitive",
    "identity",
    "budget",
    "design",
    "policy",
    "transparency",
    "ledger",
    "submission",
    "vault",
    "tabulate",
    "noise",
    "estimate",
    "suppress",
    "release",
    "office",
    "publish",
    "pages",
    "config",
    "app",
    "cli",
];
/// What faces the network may name these, and nothing that touches data.
const FACES: [&str; 2] = ["publish", "pages"];
const FACES_MAY_NAME: [&str; 9] =
    ["office", "release", "policy", "ledger", "submission", "transparency", "identity", "budget", "clock"];
/// And of the door only the names of its messages.
const FACES_MAY_NAME_OF_SUBMISSION: [&str; 8] =
    ["Format", "OnError", "decoded", "Rejection", "Encoding", "BodyFault", "Finding", "BODY_BYTES_MAX"];
/// Files that may open a `Sensitive`.
const OPENERS: [&str; 3] = ["src/vault/", "src/noise/opendp.rs", "src/tabulate/"];
const WIDTH: usize = 120;
/// A sentence in quotes is not broken.
const WIDTH_QUOTED: usize = 170;
const LONGEST: usize = 400;
/// Of a file's own code, the tests at its end apart. The house's goal is 130.
const MEDIAN: usize = 135;
const TOP_LEVEL: [&str; 19] = [
    "Cargo.toml",
    "Cargo.lock",
    "src",
    "policies",
    "examples",
    "tests",
    "README.md",
    "benches",
    ".ci",
    "CHANGELOG.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "deny.toml",
    "rustfmt.toml",
    "clippy.toml",
    ".gitignore",
    ".gitattributes",
    "rust-toolchain.toml",
    "Dockerfile",
];

/// The stages a file names, by `crate::` or by enough `super::`.
fn stages_named<'a>(path: &str, code: &'a str) -> Vec<&'a str> {
    let depth = path.trim_start_matches("src/").trim_end_matches("/mod.rs").matches('/').count() + 1;
    let upwards = "super::".repeat(depth);
    let below = |prefix: &str| paths(code, prefix).flat_map(|at| heads(&code[at + prefix.len()..])).collect::<Vec<_>>();
    let mut names = below("crate::");
    names.extend(below(&upwards).into_iter().filter(|name| ORDER.contains(name)));
    names
}

// ------------------------------------------------------------------------------------------------------- the rules

fn imports(path: &str, text: &str) -> Vec<String> {
    let stage = path.trim_start_matches("src/").split(['/', '.']).next().unwrap_or_default();
    if ["lib", "main"].contains(&stage) {
        return Vec::new();
    }
    let code = running(path, text);
    let Some(place) = ORDER.iter().position(|s| *s == stage) else {
        return vec![format!("{path}: {stage} has no place")];
    };
    let mut wrong = Vec::new();
    for name in stages_named(path, &code).into_iter().filter(|name| *name != stage) {
        let earlier = ORDER.iter().position(|s| *s == name).is_some_and(|p| p < place);
        if !earlier || (FACES.contains(&stage) && !FACES_MAY_NAME.contains(&name)) {
            wrong.push(format!("{path}: {stage} may not name {name}"));
        }
    }
    if FACES.contains(&stage) {
        let named = paths(&code, "crate::submission::").flat_map(|at| heads(&code[at + "crate::submission::".len()..]));
        wrong.extend(
            named
                .filter(|n| !FACES_MAY_NAME_OF_SUBMISSION.contains(n))
                .map(|n| format!("{path}: may not name submission::{n}")),
        );
    }
    wrong
}

fn openers(path: &str, text: &str) -> Vec<String> {
    let allowed = path == "src/sensitive.rs" || OPENERS.iter().any(|opener| path.starts_with(opener));
    let opens = running(path, text).contains(".expose(");
    if opens && !allowed { vec![format!("{path}: may not open a Sensitive")] } else { Vec::new() }
}

fn homes(path: &str, text: &str) -> Vec<String> {
    let code = running(path, text);
    let clocks = ["Utc::now", "SystemTime::now", "Local::now"];
    // beside `mod opendp;` the bare name is the module
    let library = if code.contains("mod opendp;") { "::opendp::" } else { "opendp::" };
    let heavy =
        [(library, "src/noise/opendp.rs"), ("datafusion::", "src/tabulate/engine.rs"), ("sqlx::", "src/ledger/")];
    let named = heavy.into_iter().filter(|(name, _)| paths(&code, name).next().is_some());
    let read = clocks.into_iter().filter(|name| code.contains(name)).map(|name| (name, "src/clock.rs"));
    named
        .chain(read)
        .filter(|(_, home)| !path.starts_with(home))
        .map(|(name, home)| format!("{path}: {name} stands only in {home}"))
        .collect()
}

fn shape(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if !text.starts_with("//! ") {
        wrong.push(format!("{path}: opens without //!"));
    }
    if text.lines().count() > LONGEST {
        wrong.push(format!("{path}: longer than {LONGEST} lines"));
    }
    for (number, line) in text.lines().enumerate() {
        let width = if line.contains('"') { WIDTH_QUOTED } else { WIDTH };
        if line.chars().count() > width && !line.contains("://") {
            wrong.push(format!("{path}:{}: longer than {width} characters", number + 1));
        }
    }
    wrong
}

fn leftovers(path: &str, text: &str) -> Vec<String> {
    let banned = [
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("#[al", "low("),
        concat!("#![al", "low("),
    ];
    let found = |(number, line): (usize, &str)| {
        let name = banned.into_iter().find(|b| line.contains(b))?;
        Some(format!("{path}:{}: {name} (use expect with a reason, or finish it)", number + 1))
    };
    text.lines().enumerate().filter_map(found).collect()
}

fn exact_ledger(path: &str, text: &str) -> Vec<String> {
    let code = running(path, text);
    let float = |needle: &str| {
        code.match_indices(needle)
            .any(|(at, _)| !code[..at].ends_with(is_word) && !code[at + needle.len()..].starts_with(is_word))
    };
    let found = path.starts_with("src/ledger/") && (float("f32") || float("f64"));
    if found { vec![format!("{path}: a float in the ledger")] } else { Vec::new() }
}

fn opendp(manifest: &str, lock: &str) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().unwrap();
    let lock: toml::Table = lock.parse().unwrap();
    let entry = &manifest["dependencies"]["opendp"];
    let features: BTreeSet<&str> =
        entry["features"].as_array().into_iter().flatten().filter_map(toml::Value::as_str).collect();
    let mut wrong = Vec::new();
    if entry["version"].as_str() != Some("=0.16.0") || entry["default-features"].as_bool() != Some(false) {
        wrong.push("opendp is =0.16.0 without default features".to_owned());
    }
    if features != BTreeSet::from(["contrib", "use-openssl"]) {
        wrong.push(format!("opendp is built with contrib and use-openssl alone, not {features:?}"));
    }
    let packages = lock["package"].as_array().unwrap();
    let named = |name: &str| packages.iter().filter(move |p| p["name"].as_str() == Some(name)).collect::<Vec<_>>();
    if named("opendp").iter().map(|p| p["version"].as_str()).collect::<Vec<_>>() != [Some("0.16.0")] {
        wrong.push("Cargo.lock holds another opendp".to_owned());
    }
    for banned in ["rsa", "serde_yaml", "serde_yml", "actix-governor", "openssl-sys-stub"] {
        if !named(banned).is_empty() {
            wrong.push(format!("Cargo.lock holds {banned}"));
        }
    }
    wrong
}

fn resolved_features(tree: &str) -> Vec<String> {
    let features: BTreeSet<&str> = tree.trim().split(',').collect();
    let mut wrong = Vec::new();
    if !features.contains("use-openssl") {
        wrong.push("opendp is built without OpenSSL's randomness".to_owned());
    }
    for weak in ["honest-but-curious", "idealized-numerics", "untrusted", "floating-point"] {
        if features.contains(weak) {
            wrong.push(format!("opendp is built with {weak}"));
        }
    }
    wrong
}

// ---------------------------------------------------------------------------------------------- the tree obeys them

type Rule = fn(&str, &str) -> Vec<String>;

#[track_caller]
fn holds(rule: Rule, files: &[(String, String)]) {
    assert!(files.len() > 3, "the tree was not found");
    let wrong: Vec<String> = files.iter().flat_map(|(path, text)| rule(path, text)).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn imports_point_one_way() {
    holds(imports, &sources(&["src"]));
    assert_eq!(imports("src/budget.rs", "use crate::ledger::Ledger;"), ["src/budget.rs: budget may not name ledger"]);
    assert_eq!(imports("src/policy/mod.rs", "use crate::{budget::{A, B}, vault, identity};").len(), 1);
    assert_eq!(imports("src/policy/admit.rs", "fn f() { super::super::vault::open(); }").len(), 1);
    assert_eq!(imports("src/policy/mod.rs", "use super::vault::open;").len(), 1);
    assert_eq!(imports("src/secret/mod.rs", "").len(), 1, "a stage without a place");
    assert!(imports("src/policy/mod.rs", "/// [`crate::vault`]\nuse crate::budget::Nanos;").is_empty());
    let after_a_test_file = "#[cfg(test)]\nmod accuracy;\nuse crate::vault::open;\n";
    assert_eq!(imports("src/policy/mod.rs", after_a_test_file).len(), 1, "only a module's body is left out");
    assert!(imports("src/policy/mod.rs", "#[cfg(test)]\nmod tests {\n    use crate::vault::open;\n}\n").is_empty());
}

#[test]
fn what_faces_the_network_names_nothing_that_touches_data() {
    for bad in ["vault::Vault", "tabulate::x", "noise::x", "estimate::x", "sensitive::Sensitive", "suppress::x"] {
        assert_eq!(imports("src/publish/mod.rs", &format!("use crate::{bad};")).len(), 1, "{bad}");
        assert_eq!(imports("src/pages/mod.rs", &format!("fn f() {{ crate::{bad}(); }}")).len(), 1, "{bad}");
    }
    assert_eq!(imports("src/publish/mod.rs", "use crate::submission::{Format, Rows};").len(), 1);
    assert!(imports("src/publish/mod.rs", "use crate::{office::Office, submission::Format};").is_empty());
}

#[test]
fn only_listed_files_open_a_sensitive() {
    // G1
    holds(openers, &sources(&["src"]));
    assert_eq!(openers("src/release/answer.rs", "let x = exact.expose();").len(), 1);
    assert!(openers("src/vault/seal.rs", "let x = exact.expose();").is_empty());
}

#[test]
fn heavy_dependencies_and_the_wall_clock_have_one_home() {
    holds(homes, &sources(&["src"]));
    assert_eq!(homes("src/noise/mod.rs", "use opendp::core::Measurement;").len(), 1);
    assert_eq!(homes("src/vault/mod.rs", "use datafusion::prelude::*;").len(), 1);
    assert_eq!(homes("src/office/mod.rs", "sqlx::query(\"\");").len(), 1);
    assert_eq!(homes("src/noise/mod.rs", "fn f() { ::opendp::core::f() }").len(), 1);
    assert_eq!(homes("src/cli/mod.rs", "let now = chrono::Utc::now();").len(), 1);
    assert!(homes("src/noise/mod.rs", "use self::opendp::draw;").is_empty());
    assert!(homes("src/noise/mod.rs", "mod opendp;\nuse opendp::draw;").is_empty());
    assert_eq!(homes("src/noise/mod.rs", "mod opendp;\nuse ::opendp::core;").len(), 1);
    assert!(homes("src/noise/mod.rs", "mod opendp;\nuse opendp::draw;").is_empty());
    assert_eq!(homes("src/noise/mod.rs", "mod opendp;\nuse ::opendp::core;").len(), 1);
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    holds(shape, &all());
    assert_eq!(shape("src/x.rs", "use std::fmt;").len(), 1);
    assert_eq!(shape("src/x.rs", &format!("//! x\n{}", "a".repeat(WIDTH + 1))).len(), 1);
    assert_eq!(shape("src/x.rs", &format!("//! x\n{}", "\n".repeat(LONGEST))).len(), 1);
    let own = |text: &str| text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().lines().count();
    let of_tests = |path: &str| path.contains("/tests") || path.contains("test_") || path.contains("_test");
    let files = sources(&["src"]);
    let mut lengths: Vec<usize> = files.iter().filter(|(path, _)| !of_tests(path)).map(|(_, text)| own(text)).collect();
    lengths.sort_unstable();
    assert!(lengths[lengths.len() / 2] <= MEDIAN, "the median file has {} lines", lengths[lengths.len() / 2]);
}

#[test]
fn nothing_is_left_for_later_and_no_lint_is_switched_off() {
    let files: Vec<_> = all().into_iter().filter(|(path, _)| path != "tests/tidy.rs").collect();
    holds(leftovers, &files);
    for bad in [concat!("to", "do!()"), concat!("// TO", "DO later"), concat!("#[al", "low(dead_code)]")] {
        assert_eq!(leftovers("src/x.rs", bad).len(), 1, "{bad}");
    }
}

#[test]
fn the_ledger_counts_in_integers() {
    // G6
    holds(exact_ledger, &sources(&["src"]));
    assert_eq!(exact_ledger("src/ledger/x.rs", "let x = y as f64;").len(), 1);
    assert_eq!(exact_ledger("src/ledger/x.rs", "fn f(x: f32) {}").len(), 1);
    assert!(exact_ledger("src/ledger/x.rs", "// f64\nlet af64x = 1;").is_empty());
}

#[test]
fn opendp_is_the_one_that_was_reviewed() {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).unwrap();
    let (manifest, lock) = (read("Cargo.toml"), read("Cargo.lock"));
    assert_eq!(opendp(&manifest, &lock), Vec::<String>::new());
    assert_eq!(opendp(&manifest.replace("\"use-openssl\"", "\"untrusted\""), &lock).len(), 1);
    assert_eq!(opendp(&manifest.replace("=0.16.0", "0.16"), &lock).len(), 1);
    assert_eq!(opendp(&manifest, &lock.replace("name = \"opendp\"", "name = \"opendq\"")).len(), 1);
    assert_eq!(opendp(&manifest, &lock.replace("name = \"sha2\"", "name = \"rsa\"")).len(), 1);
}

#[test]
fn opendp_is_resolved_without_weak_features() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "-p", "opendp", "--depth", "0", "-e", "normal", "-f", "{f}"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    assert_eq!(resolved_features(&String::from_utf8(tree.stdout).unwrap()), Vec::<String>::new());
    assert_eq!(resolved_features("contrib,use-openssl,honest-but-curious").len(), 1);
    assert_eq!(resolved_features("contrib").len(), 1);
}

#[test]
fn the_top_level_is_a_short_list() {
    let listed = Command::new("git").args(["ls-files"]).current_dir(root()).output();
    let listed = listed.map(|out| String::from_utf8_lossy(&out.stdout).into_owned()).unwrap_or_default();
    let strange = |listed: &str| -> BTreeSet<String> {
        let top = listed.lines().filter_map(|path| path.split('/').next());
        top.filter(|name| !TOP_LEVEL.contains(name)).map(str::to_owned).collect()
    };
    assert_eq!(strange(&listed), BTreeSet::new());
    assert_eq!(strange("src/lib.rs\nnotes.md\nutils/x.rs").len(), 2);
}

#[test]
fn the_readme_can_be_read_in_one_sitting() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.lines().count() <= 250, "{} lines", readme.lines().count());
    for promised in ["cargo run --release -- demo", "cargo test"] {
        assert!(readme.contains(promised), "{promised}");
    }
}
