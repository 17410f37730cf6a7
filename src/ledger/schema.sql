-- The ledger. Amounts are integers of 10^-9; times are milliseconds since 1970; digests are hexadecimal text.
-- What may never be true is refused here too, by CHECK and UNIQUE, so that a bug above cannot write it (G6).
-- A table whose rows no leaf or signature covers in full has a column `seal`: the digest of the row (seal.rs).

CREATE TABLE IF NOT EXISTS meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    seal TEXT NOT NULL DEFAULT ''
) STRICT;

-- The public log: leaves, the stored hashes of the tree over them, and the one signed head.
CREATE TABLE IF NOT EXISTS leaves (
    idx INTEGER PRIMARY KEY CHECK (idx >= 0),
    body TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS hashes (
    position INTEGER PRIMARY KEY CHECK (position >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TABLE IF NOT EXISTS head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    size INTEGER NOT NULL CHECK (size >= 0),
    root TEXT NOT NULL,
    note TEXT NOT NULL,
    -- What the witness has acknowledged, as of the change before.
    acknowledged INTEGER NOT NULL DEFAULT 0 CHECK (acknowledged >= 0),
    seal TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE IF NOT EXISTS tokens (
    id TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    organisation TEXT NOT NULL,
    class TEXT NOT NULL,
    datasets TEXT,
    expires INTEGER NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0 CHECK (revoked IN (0, 1)),
    log_index INTEGER NOT NULL UNIQUE,
    seal TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE IF NOT EXISTS policies (
    sha256 TEXT PRIMARY KEY,
    dataset TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 0),
    source TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('proposed', 'in_force', 'superseded', 'expired', 'lost')),
    proposer TEXT NOT NULL,
    proposed_at INTEGER NOT NULL,
    account TEXT NOT NULL,
    ids TEXT NOT NULL,
    quota INTEGER CHECK (quota IS NULL OR quota >= 0),
    log_index INTEGER NOT NULL UNIQUE,
    seal TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS policies_in_force ON policies (dataset) WHERE state = 'in_force';
CREATE UNIQUE INDEX IF NOT EXISTS policies_version ON policies (dataset, version) WHERE state <> 'expired';
CREATE TABLE IF NOT EXISTS approvals (
    policy TEXT NOT NULL REFERENCES policies (sha256),
    officer TEXT NOT NULL,
    log_index INTEGER NOT NULL UNIQUE,
    seal TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (policy, officer)
) STRICT;
CREATE TABLE IF NOT EXISTS datasets (
    dataset TEXT PRIMARY KEY,
    suspended INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1)),
    seal TEXT NOT NULL DEFAULT ''
) STRICT;

-- G6, held by the database itself. A share with purpose '' is what no purpose has a share of.
CREATE TABLE IF NOT EXISTS accounts (
    account TEXT PRIMARY KEY,
    accounting TEXT NOT NULL CHECK (accounting IN ('zcdp', 'pure')),
    cap INTEGER NOT NULL,
    held INTEGER NOT NULL DEFAULT 0,
    spent INTEGER NOT NULL DEFAULT 0,
    seal TEXT NOT NULL DEFAULT '',
    CHECK (held >= 0 AND spent >= 0 AND held + spent <= cap)
) STRICT;
-- `restored`: what was spent in a gap of the rows, and may have been spent on this share (or quota); a part of `spent`.
CREATE TABLE IF NOT EXISTS shares (
    account TEXT NOT NULL REFERENCES accounts (account),
    purpose TEXT NOT NULL,
    open INTEGER NOT NULL CHECK (open IN (0, 1)),
    cap INTEGER NOT NULL,
    held INTEGER NOT NULL DEFAULT 0,
    spent INTEGER NOT NULL DEFAULT 0,
    restored INTEGER NOT NULL DEFAULT 0 CHECK (restored >= 0),
    seal TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (account, purpose),
    CHECK (held >= 0 AND spent >= 0 AND held + spent <= cap)
) STRICT;
CREATE TABLE IF NOT EXISTS quotas (
    account TEXT NOT NULL REFERENCES accounts (account),
    organisation TEXT NOT NULL,
    cap INTEGER NOT NULL,
    held INTEGER NOT NULL DEFAULT 0,
    spent INTEGER NOT NULL DEFAULT 0,
    restored INTEGER NOT NULL DEFAULT 0 CHECK (restored >= 0),
    seal TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (account, organisation),
    CHECK (held >= 0 AND spent >= 0 AND held + spent <= cap)
) STRICT;

CREATE TABLE IF NOT EXISTS claims (
    claim TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (account),
    share TEXT NOT NULL,
    organisation TEXT NOT NULL,
    dataset TEXT NOT NULL,
    policy TEXT NOT NULL REFERENCES policies (sha256),
    draw TEXT NOT NULL,
    measurement TEXT NOT NULL,
    editions TEXT NOT NULL,
    cost INTEGER NOT NULL CHECK (cost > 0),
    state TEXT NOT NULL CHECK (state IN ('open', 'settled', 'voided')),
    owner TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    salt TEXT NOT NULL,
    opening TEXT NOT NULL,
    commitment TEXT NOT NULL,
    reserved_at INTEGER NOT NULL,
    log_index INTEGER NOT NULL UNIQUE,
    seal TEXT NOT NULL DEFAULT ''
) STRICT;
-- Two identical questions at once: one draws.
CREATE UNIQUE INDEX IF NOT EXISTS claims_open_draw ON claims (draw) WHERE state = 'open';

CREATE TABLE IF NOT EXISTS draws (
    draw TEXT PRIMARY KEY,
    claim TEXT NOT NULL UNIQUE REFERENCES claims (claim),
    measurement TEXT NOT NULL,
    sealed BLOB NOT NULL,
    seal TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS draws_measurement ON draws (measurement);

CREATE TABLE IF NOT EXISTS releases (
    id TEXT PRIMARY KEY,
    dataset TEXT NOT NULL,
    release TEXT NOT NULL UNIQUE,
    draw TEXT NOT NULL REFERENCES draws (draw),
    body BLOB NOT NULL,
    sha256 TEXT NOT NULL,
    log_index INTEGER NOT NULL UNIQUE,
    released_at INTEGER NOT NULL,
    notice TEXT,
    seal TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS releases_dataset ON releases (dataset, log_index);
-- What is read at every request, so that it is found without passing over the bytes.
CREATE INDEX IF NOT EXISTS releases_face ON releases (id, dataset, sha256, log_index, released_at, notice);
CREATE INDEX IF NOT EXISTS releases_list ON releases (log_index, id, dataset, sha256, released_at, notice);

CREATE TABLE IF NOT EXISTS submissions (
    id TEXT PRIMARY KEY,
    organisation TEXT NOT NULL,
    dataset TEXT NOT NULL,
    period TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('live', 'replaced', 'withdrawn')),
    sequence INTEGER NOT NULL UNIQUE,
    policy TEXT NOT NULL,
    receipt TEXT NOT NULL,
    salt TEXT,
    commitment TEXT NOT NULL,
    files TEXT NOT NULL,
    coding TEXT NOT NULL,
    submitted_at INTEGER NOT NULL,
    log_index INTEGER NOT NULL UNIQUE,
    seal TEXT NOT NULL DEFAULT '',
    CHECK (state <> 'withdrawn' OR salt IS NULL),
    UNIQUE (organisation, dataset, idempotency_key)
) STRICT;
CREATE INDEX IF NOT EXISTS submissions_period ON submissions (dataset, period, sequence);

CREATE TABLE IF NOT EXISTS editions (
    dataset TEXT NOT NULL,
    period TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 1),
    submissions TEXT NOT NULL,
    salt TEXT NOT NULL,
    commitment TEXT NOT NULL,
    files TEXT NOT NULL,
    coding TEXT NOT NULL,
    closed_at INTEGER NOT NULL,
    log_index INTEGER NOT NULL UNIQUE,
    seal TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (dataset, period, number)
) STRICT;
-- Editions that were closed in a gap of the rows: their numbers stay used.
CREATE TABLE IF NOT EXISTS lost_editions (
    dataset TEXT NOT NULL,
    period TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 1),
    seal TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (dataset, period, number)
) STRICT;
