//! Settings are read or refused, with the place and without the value.

use super::*;

const WITNESS: &str = "witness = \"/mnt/other/witness\"\n";

fn variable(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn refusal(text: &str) -> String {
    Config::parse(text, &[], Mode::Service).expect_err(text).to_string()
}

#[test]
fn an_unknown_key_is_refused_with_line_and_column() {
    let text = format!("{WITNESS}\n  aprovals = 3\n");
    let error = Config::parse(&text, &[], Mode::Service).unwrap_err();
    let ConfigError::Malformed { line, column, said } = &error else { panic!("{error:?}") };
    assert_eq!((*line, *column), (3, 3));
    assert!(said.starts_with("unknown key `aprovals`; expected one of `data_dir`"), "{said}");
    assert!(refusal("[rate_limits]\nper_token = 3\n").starts_with("line 2, column 1: unknown key `per_token`"));
    assert!(refusal("data_dir = \n").starts_with("line 1, column "));
}

#[test]
fn no_message_repeats_a_value() {
    for text in [
        "approvals = \"MARKER\"",
        "listen = \"MARKER\"",
        "database_url = \"postgres://u:MARKER@h/d\"",
        "key_provider = \"MARKER\"",
        "log_format = \"MARKER\"\nwitness = \"/w\"",
        "witness = \"https://MARKER\"",
    ] {
        assert!(!refusal(text).contains("MARKER"), "{}", refusal(text));
    }
    let error = Config::parse("", &[variable("HALFLIGHT__APPROVALS", "MARKER")], Mode::Service).unwrap_err();
    assert!(!error.to_string().contains("MARKER"), "{error}");
}

#[test]
fn what_would_weaken_a_promise_is_refused_outside_demo() {
    for (text, start) in [
        (String::new(), "witness: required"),
        (format!("{WITNESS}approvals = 1"), "approvals: at least 2"),
        ("witness = \"data/witness\"".to_owned(), "witness: lies within data_dir"),
        (format!("{WITNESS}keys_dir = \"data/keys\""), "keys_dir: lies within data_dir"),
        (format!("{WITNESS}listen = \"0.0.0.0:80\""), "listen: plain HTTP is for loopback"),
        (format!("{WITNESS}tls = {{ cert = \"x\" }}"), "tls: not supported yet; put a TLS proxy"),
        (format!("{WITNESS}database_url = \"postgres://h/d\""), "database_url: PostgreSQL is not supported yet"),
        (format!("{WITNESS}database_url = \"sqlite::memory:\""), "database_url: write sqlite:///"),
        (format!("{WITNESS}key_provider = \"kms\""), "key_provider: only \"file\""),
        (format!("{WITNESS}[limits]\nworkers = 0"), "limits: zero"),
    ] {
        assert!(refusal(&text).starts_with(start), "{text}: {}", refusal(&text));
    }
    let demo = Config::parse("approvals = 1", &[], Mode::Demo).unwrap();
    assert_eq!((demo.approvals, demo.witness), (1, None));
    let open = format!("{WITNESS}listen = \"0.0.0.0:80\"\nallow_plain_http = true");
    assert!(Config::parse(&open, &[], Mode::Service).is_ok());
}

#[test]
fn the_environment_comes_after_the_file_and_is_as_strict() {
    let text = format!("{WITNESS}approvals = 2\n[rate_limits]\nquestions_per_minute = 5\n");
    let set = [
        variable("HALFLIGHT__APPROVALS", "3"),
        variable("HALFLIGHT__DATA_DIR", "2026"),
        variable("HALFLIGHT__LISTEN", "127.0.0.1:9"),
        variable("HALFLIGHT__RATE_LIMITS__QUESTIONS_PER_MINUTE", "7"),
        variable("HALFLIGHT__TRUSTED_PROXIES", "[\"10.0.0.1\"]"),
        variable("HALFLIGHT_TOKEN", "not a setting"),
    ];
    let config = Config::parse(&text, &set, Mode::Service).unwrap();
    assert_eq!(config.approvals, 3);
    assert_eq!(config.data_dir, PathBuf::from("2026"));
    assert_eq!(config.keys_dir, PathBuf::from("2026-keys"));
    assert_eq!(config.listen.port(), 9);
    assert_eq!(config.http.rate_limits.questions_per_minute, 7);
    assert_eq!(config.http.trusted_proxies.len(), 1);
    for (name, value) in [
        ("HALFLIGHT__APROVALS", "3"),
        ("HALFLIGHT__APPROVALS", "two"),
        ("HALFLIGHT__", "3"),
        ("HALFLIGHT__APPROVALS__X", "3"),
        ("HALFLIGHT__RATE_LIMITS", "3"),
    ] {
        let error = Config::parse(&text, &[variable(name, value)], Mode::Service).unwrap_err();
        assert_eq!(error.code(), "config_environment", "{name}");
    }
}

#[test]
fn the_example_is_the_defaults_and_shows_every_key() {
    let example = Config::example();
    let config = Config::parse(&example, &[], Mode::Service).unwrap();
    let defaults = Config::parse("witness = \"/mnt/other-volume/halflight.witness\"", &[], Mode::Service).unwrap();
    assert_eq!(config, defaults);
    // with every key written out it says the same, but for the three that have no default
    let all: String = example
        .lines()
        .map(|line| line.strip_prefix('#').filter(|l| l.starts_with(|c: char| c.is_ascii_lowercase())).unwrap_or(line))
        .fold(String::new(), |all, line| all + line + "\n");
    let written = Config::parse(&all, &[], Mode::Service).unwrap();
    assert_eq!(written.http.rate_limits, defaults.http.rate_limits);
    assert_eq!(written.keys_dir, defaults.keys_dir);
    let same = HttpSettings { trusted_proxies: Vec::new(), policies_dir: None, ..written.http };
    assert_eq!(same, defaults.http);
    let message = refusal("nonsense = 1");
    let shown: toml::Table = toml::from_str(&all).unwrap();
    for key in message.split('`').skip(3).step_by(2).filter(|key| *key != "tls") {
        assert!(shown.contains_key(key), "the example does not show {key}");
    }
}

#[test]
fn secrets_are_not_printed() {
    let config =
        Config::parse(&format!("{WITNESS}database_url = \"sqlite:///MARKER-path/db\""), &[], Mode::Service).unwrap();
    assert_eq!(config.database, PathBuf::from("/MARKER-path/db"));
    assert!(format!("{config:?}").contains("database_url: Some((secret))"));
}
