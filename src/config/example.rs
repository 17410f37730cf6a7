//! The example file: every key, its default, and what it is for. A test reads it back as the defaults.

/// What `Config::example` prints.
pub(super) const EXAMPLE: &str = r#"# Halflight: settings. Those commented out show their default.
# Each may also be given in the environment: HALFLIGHT__LISTEN, HALFLIGHT__RATE_LIMITS__QUESTIONS_PER_MINUTE.

# --- where things are -------------------------------------------------------------------------------------------

# The vault (sealed files) and the database.
data_dir = "data"

# Wrapped keys. Not within data_dir, and not in the same backup: whoever has both can read the records.
# Default: data_dir with "-keys" behind it.
#keys_dir = "data-keys"

# "file" is the only one yet.
#key_provider = "file"

# Remembers the head of the log, so that a database put back from a backup gets no budget back.
# A file on another volume or host. Required outside demo.
witness = "/mnt/other-volume/halflight.witness"

# Policies, with their code lists in codelists/NAME.csv.
#policies_dir = "policies"

# SQLite is the only one yet. Default: ledger.sqlite in data_dir.
#database_url = "sqlite:///var/lib/halflight/ledger.sqlite"

# --- the network ------------------------------------------------------------------------------------------------

# Loopback, with a TLS proxy before it.
#listen = "127.0.0.1:8080"

# Plain HTTP beyond loopback, where the network between proxy and service is yours alone.
#allow_plain_http = false

# Proxies whose X-Forwarded-For is believed; each caller behind them then has a rate of its own.
# With a proxy here, /metrics takes an operator's token also from loopback.
#trusted_proxies = ["127.0.0.1"]

# --- promises ---------------------------------------------------------------------------------------------------

# Officers who must agree to a policy, the proposer among them. At least 2 outside demo.
#approvals = 2

# Answers leave at multiples of this many milliseconds, so that their time tells nothing. 0 turns it off.
#reply_quantum_ms = 250

# Memory for one question, in MiB. Beyond it the question fails; nothing is ever spilled to disk.
#memory_limit_mb = 2048

# "json" or "text", to standard error.
#log_format = "json"

# --- how much ---------------------------------------------------------------------------------------------------

[rate_limits]                       # requests in a minute; 0: without limit
#per_token_per_minute = 600
#questions_per_minute = 120         # questions and quotes of one token
#unauthenticated_per_minute = 300   # of one address, without a valid token

[limits]
#searches = 2                       # for the partners of withheld cells, at once: leave a core to those who serve
#answers_per_draw = 4096            # free answers are judged beside all before them; past it they are refused
#cells_per_draw = 400000
#workers = 2
#connections_per_worker = 2048
#keep_alive_seconds = 30
#request_head_seconds = 10
#shutdown_seconds = 30              # for work in flight at the end
#json_bytes = 262144
#policy_bytes = 8388608
#submission_bytes = 4294967296      # as it travels
#submission_decoded_bytes = 17179869184
#uploads = 64                       # files received at once
#uploads_per_organisation = 16
#stall_seconds = 20                 # longest silence in the middle of a file, or of the taking of a reply
#bytes_per_second = 1024            # least pace of either
"#;
