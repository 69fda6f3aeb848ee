-- Times are microseconds since 1970 in UTC, NULL for none. Keys named pk are inside
-- numbers that no id is made of; the program gives them out from the table counters.
-- migrations/postgres has the same tables and columns, in the same order.

-- +goose Up
CREATE TABLE meta ( -- What the store knows of itself: one row.
    one            INTEGER PRIMARY KEY CHECK (one = 1),
    installation   BLOB NOT NULL CHECK (length(installation) = 16),
    ring           BLOB NOT NULL CHECK (length(ring) = 16),
    created_at     BIGINT,
    revision       BIGINT NOT NULL,
    pack_revision  BIGINT NOT NULL,
    field_revision BIGINT NOT NULL
);

CREATE TABLE counters ( -- The last number given out, by name; numbers are never used twice.
    name TEXT PRIMARY KEY,
    last BIGINT NOT NULL
);

CREATE TABLE secrets ( -- A logical credential, such as billing/db-password.
    name         TEXT PRIMARY KEY,
    class        TEXT NOT NULL,
    owner        TEXT NOT NULL,
    multi_active SMALLINT NOT NULL CHECK (multi_active IN (0, 1)),
    created_at   BIGINT
);

CREATE TABLE consumers ( -- The services that hold a secret.
    secret   TEXT NOT NULL REFERENCES secrets (name) ON DELETE CASCADE,
    consumer TEXT NOT NULL,
    PRIMARY KEY (secret, consumer)
);

CREATE TABLE versions ( -- One issued value of a secret; its state decides the verdict of every finding of it.
    id             BLOB PRIMARY KEY CHECK (length(id) = 16),
    secret         TEXT NOT NULL REFERENCES secrets (name) ON DELETE CASCADE,
    number         BIGINT NOT NULL CHECK (number > 0),
    state          TEXT NOT NULL,
    issued_to      TEXT NOT NULL,
    window_ends    BIGINT,
    compromised_at BIGINT,
    created_at     BIGINT,
    activated_at   BIGINT,
    superseded_at  BIGINT,
    retired_at     BIGINT,
    abandoned_at   BIGINT,
    UNIQUE (secret, number)
);

CREATE TABLE fields ( -- One registered value of a version; what finds it is sealed.
    id           BLOB PRIMARY KEY CHECK (length(id) = 16),
    version      BLOB NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    field        TEXT NOT NULL,
    format       BIGINT NOT NULL,
    epoch        BIGINT NOT NULL,
    filter_gen   BIGINT NOT NULL,
    revision     BIGINT NOT NULL,
    strength     TEXT NOT NULL,
    unsearchable TEXT NOT NULL,
    sealed       BLOB
);
CREATE INDEX fields_version ON fields (version);

CREATE TABLE acks ( -- A consumer's latest word that it uses a version.
    version  BLOB NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    consumer TEXT NOT NULL,
    at       BIGINT,
    actor    TEXT NOT NULL,
    PRIMARY KEY (version, consumer)
);

CREATE TABLE homes ( -- Where a secret's active and superseded values may be.
    id          INTEGER PRIMARY KEY,
    secret      TEXT NOT NULL REFERENCES secrets (name) ON DELETE CASCADE,
    source_glob TEXT NOT NULL,
    path_glob   TEXT NOT NULL,
    until       BIGINT,
    reason      TEXT NOT NULL,
    created_at  BIGINT,
    actor       TEXT NOT NULL
);
CREATE INDEX homes_secret ON homes (secret);

CREATE TABLE sources ( -- A place that was scanned.
    pk        INTEGER PRIMARY KEY,
    id        TEXT NOT NULL UNIQUE,
    kind      TEXT NOT NULL,
    added_at  BIGINT,
    forgotten SMALLINT NOT NULL CHECK (forgotten IN (0, 1))
);

CREATE TABLE seen_values ( -- A value that was seen somewhere, by its keyed id; NULL for one too weak to hash.
    pk    INTEGER PRIMARY KEY,
    value BLOB UNIQUE CHECK (value IS NULL OR length(value) = 16)
);

CREATE TABLE value_fields ( -- The registered fields that have a seen value; a field may be known here before its row is.
    value_pk INTEGER NOT NULL REFERENCES seen_values (pk) ON DELETE CASCADE,
    field    BLOB NOT NULL CHECK (length(field) = 16),
    PRIMARY KEY (value_pk, field)
);
CREATE INDEX value_fields_field ON value_fields (field);

CREATE TABLE findings ( -- One value at one path of one source; the verdict is computed, never stored.
    pk         INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    value_pk   INTEGER NOT NULL REFERENCES seen_values (pk),
    source_pk  INTEGER NOT NULL REFERENCES sources (pk) ON DELETE CASCADE,
    path       TEXT NOT NULL,
    path_id    BLOB NOT NULL CHECK (length(path_id) = 16),
    presence   TEXT NOT NULL,
    status     TEXT NOT NULL,
    owner      TEXT NOT NULL,
    reason     TEXT NOT NULL DEFAULT '',
    until      BIGINT,
    due        BIGINT,
    first_seen BIGINT NOT NULL,
    last_seen  BIGINT NOT NULL,
    gone_at    BIGINT,
    rules      TEXT NOT NULL -- each followed by a line end, sorted
);
CREATE INDEX findings_value ON findings (value_pk);
CREATE INDEX findings_source ON findings (source_pk);

CREATE TABLE finding_homes ( -- The allowed homes whose globs match a finding's place.
    finding_pk INTEGER NOT NULL REFERENCES findings (pk) ON DELETE CASCADE,
    home       INTEGER NOT NULL REFERENCES homes (id) ON DELETE CASCADE,
    PRIMARY KEY (finding_pk, home)
);
CREATE INDEX finding_homes_home ON finding_homes (home);

CREATE TABLE aliases ( -- Ids that findings had before they were merged or moved.
    alias      TEXT PRIMARY KEY,
    finding_pk INTEGER NOT NULL REFERENCES findings (pk) ON DELETE CASCADE
);
CREATE INDEX aliases_finding ON aliases (finding_pk);

CREATE TABLE sightings ( -- A finding and a locator; more counts what was not listed one by one.
    pk         INTEGER PRIMARY KEY,
    finding_pk INTEGER NOT NULL REFERENCES findings (pk) ON DELETE CASCADE,
    locator    TEXT NOT NULL,
    span_start BIGINT NOT NULL,
    span_end   BIGINT NOT NULL,
    line       BIGINT NOT NULL,
    col        BIGINT NOT NULL,
    end_line   BIGINT NOT NULL,
    end_col    BIGINT NOT NULL,
    form       TEXT NOT NULL,
    rule       TEXT NOT NULL,
    field      BLOB,
    inside     SMALLINT NOT NULL CHECK (inside IN (0, 1)),
    presence   TEXT NOT NULL,
    context    TEXT NOT NULL,
    url        TEXT NOT NULL,
    content_at BIGINT,
    first_seen BIGINT NOT NULL,
    last_seen  BIGINT NOT NULL,
    extent     TEXT NOT NULL,
    more       BIGINT NOT NULL,
    UNIQUE (finding_pk, locator, span_start, span_end)
);

CREATE TABLE history ( -- What happened to a finding after it was first seen.
    pk         INTEGER PRIMARY KEY,
    finding_pk INTEGER NOT NULL REFERENCES findings (pk) ON DELETE CASCADE,
    at         BIGINT,
    actor      TEXT NOT NULL,
    what       TEXT NOT NULL,
    detail     TEXT NOT NULL
);
CREATE INDEX history_finding ON history (finding_pk);

CREATE TABLE scans ( -- One run over a source, with what it covered.
    id             INTEGER PRIMARY KEY,
    source_pk      INTEGER NOT NULL REFERENCES sources (pk) ON DELETE CASCADE,
    extent         TEXT NOT NULL,
    started_at     BIGINT,
    finished_at    BIGINT,
    complete       SMALLINT NOT NULL CHECK (complete IN (0, 1)),
    field_revision BIGINT NOT NULL,
    pack_revision  BIGINT NOT NULL,
    generic        SMALLINT NOT NULL CHECK (generic IN (0, 1)),
    through        TEXT NOT NULL,
    resume_at      BLOB,
    items          BIGINT NOT NULL,
    bytes          BIGINT NOT NULL,
    skips          BIGINT NOT NULL
);
CREATE INDEX scans_source ON scans (source_pk);

CREATE TABLE skips ( -- Something that a scan did not read, and why.
    pk      INTEGER PRIMARY KEY,
    scan    INTEGER NOT NULL REFERENCES scans (id) ON DELETE CASCADE,
    path    TEXT NOT NULL,
    locator TEXT NOT NULL,
    reason  TEXT NOT NULL,
    detail  TEXT NOT NULL,
    size    BIGINT NOT NULL,
    UNIQUE (scan, path, locator, reason)
);

CREATE TABLE audit ( -- The audit chain, append-only; at is text because the MAC covers every nanosecond.
    sequence BIGINT PRIMARY KEY CHECK (sequence > 0),
    at       TEXT NOT NULL,
    actor    TEXT NOT NULL,
    content  BLOB NOT NULL,
    mac      BLOB NOT NULL
);

CREATE TABLE checkpoints ( -- Signed heads of the audit chain.
    sequence BIGINT PRIMARY KEY,
    signed   BLOB NOT NULL
);
