-- The ledger's database. Amounts are integers of 10^-9; every bound is checked here too.
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS leaves (idx INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS tokens (
    id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, role TEXT NOT NULL, organisation TEXT NOT NULL, class TEXT NOT NULL,
    datasets TEXT, expires INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE IF NOT EXISTS policies (
    sha256 TEXT PRIMARY KEY, dataset TEXT NOT NULL, version INTEGER NOT NULL, source TEXT NOT NULL, state TEXT NOT NULL,
    proposer TEXT NOT NULL, proposed_at INTEGER NOT NULL, UNIQUE (dataset, version)) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS one_policy_in_force ON policies (dataset) WHERE state = 'in_force';
CREATE TABLE IF NOT EXISTS approvals (
    sha256 TEXT NOT NULL REFERENCES policies, officer TEXT NOT NULL REFERENCES tokens, PRIMARY KEY (sha256, officer)) STRICT;
CREATE TABLE IF NOT EXISTS suspensions (dataset TEXT PRIMARY KEY, officer TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY, accounting TEXT NOT NULL, cap INTEGER NOT NULL, held INTEGER NOT NULL DEFAULT 0,
    spent INTEGER NOT NULL DEFAULT 0, CHECK (held >= 0 AND spent >= 0 AND held + spent <= cap)) STRICT;
CREATE TABLE IF NOT EXISTS claims (
    id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts, purpose TEXT NOT NULL, organisation TEXT NOT NULL,
    nanos INTEGER NOT NULL CHECK (nanos > 0), draw TEXT NOT NULL, state TEXT NOT NULL, owner TEXT NOT NULL,
    epoch INTEGER NOT NULL, salt TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS one_open_draw ON claims (draw) WHERE state = 'open';
CREATE TABLE IF NOT EXISTS draws (
    digest TEXT PRIMARY KEY, measurement TEXT NOT NULL, nanos INTEGER NOT NULL, claim TEXT NOT NULL REFERENCES claims,
    dataset TEXT NOT NULL, sealed BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS draws_by_measurement ON draws (measurement);
CREATE TABLE IF NOT EXISTS draw_editions (
    draw TEXT NOT NULL, dataset TEXT NOT NULL, period TEXT NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (draw, period)) STRICT;
CREATE TABLE IF NOT EXISTS releases (
    id TEXT PRIMARY KEY, dataset TEXT NOT NULL, digest TEXT NOT NULL UNIQUE, draw TEXT NOT NULL REFERENCES draws,
    body BLOB NOT NULL, sha256 TEXT NOT NULL, log_index INTEGER NOT NULL, released_at INTEGER NOT NULL, notice TEXT) STRICT;
CREATE TABLE IF NOT EXISTS submissions (
    id TEXT PRIMARY KEY, sequence INTEGER NOT NULL UNIQUE, dataset TEXT NOT NULL, period TEXT NOT NULL,
    organisation TEXT NOT NULL, idempotency_key TEXT NOT NULL, receipt TEXT NOT NULL, state TEXT NOT NULL,
    policy TEXT NOT NULL, files TEXT NOT NULL, coding TEXT NOT NULL, submitted_at INTEGER NOT NULL,
    UNIQUE (organisation, dataset, idempotency_key)) STRICT;
CREATE TABLE IF NOT EXISTS editions (
    dataset TEXT NOT NULL, period TEXT NOT NULL, number INTEGER NOT NULL, files TEXT NOT NULL, coding TEXT NOT NULL,
    log_index INTEGER NOT NULL, closed_at INTEGER NOT NULL, PRIMARY KEY (dataset, period, number)) STRICT;
