//! Reading the tree: files, what runs in them, and the paths they name.

use std::path::Path;

/// How a test module begins.
const TESTS: &str = "#[cfg(test)]\nmod ";

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below some folders, as (path from the root, text).
pub(crate) fn sources(folders: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Vec<_> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn all() -> Vec<(String, String)> {
    sources(&["src", "tests", "examples", "benches"])
}

/// Whether a file holds tests alone: by its name, or because its parent says so.
pub(crate) fn is_test_file(path: &str) -> bool {
    let declared = || {
        let (folder, file) = path.rsplit_once('/')?;
        let declaration = format!("#[cfg(test)]\nmod {};", file.strip_suffix(".rs")?);
        let parents = [format!("{folder}/mod.rs"), format!("{folder}.rs"), format!("{folder}/lib.rs")];
        let declares =
            |parent: &String| std::fs::read_to_string(root().join(parent)).is_ok_and(|t| t.contains(&declaration));
        parents.into_iter().find(declares)
    };
    path.ends_with("/tests.rs") || path.contains("/tests/") || declared().is_some()
}

/// What runs: without comments, and without the test module at the end.
pub(crate) fn running(path: &str, text: &str) -> String {
    if is_test_file(path) {
        return String::new();
    }
    let has_body = |at: &usize| text[at + TESTS.len()..].lines().next().is_some_and(|line| line.ends_with('{'));
    let end = text.match_indices(TESTS).map(|(at, _)| at).find(has_body).unwrap_or(text.len());
    let code = &text[..end];
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Positions at which `needle` stands as a path of its own, not as the tail of a longer one.
pub(crate) fn paths<'a>(code: &'a str, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
    let tail = |before: &str| {
        before.ends_with(is_word)
            || before.strip_suffix("::").is_some_and(|path| path.ends_with(|c| is_word(c) || c == '>'))
    };
    code.match_indices(needle).map(|(at, _)| at).filter(move |&at| !tail(&code[..at]))
}

pub(crate) fn word_at(code: &str) -> &str {
    code.split(|c| !is_word(c)).next().unwrap_or_default()
}

/// The names at the top of a `{a, b::{c, d}}` group, or the one name where there is no group.
pub(crate) fn heads(code: &str) -> Vec<&str> {
    let Some(group) = code.strip_prefix('{') else { return vec![word_at(code)] };
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(word_at(group[start..at].trim_start()));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(word_at(group[start..at].trim_start()));
                start = at + 1;
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}
