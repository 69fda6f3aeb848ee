-- Times are microseconds since 1970 in UTC, NULL for none. Keys named pk are inside
-- numbers that no id is made of; the program gives them out from the table counters.
-- Text is ordered by its bytes, as in SQLite, whatever the database's language is.

-- +goose Up
-- An index takes no text beyond some 2,700 bytes, and paths are longer: what must
-- be unique is unique by its hash. The encoding is named, so it is immutable.
-- +goose StatementBegin
CREATE FUNCTION text_key(TEXT) RETURNS BYTEA LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT pg_catalog.sha256(pg_catalog.convert_to($1, 'UTF8')) $$;
-- +goose StatementEnd

CREATE TABLE meta (
    one            BIGINT PRIMARY KEY CHECK (one = 1),
    installation   BYTEA NOT NULL CHECK (length(installation) = 16),
    ring           BYTEA NOT NULL CHECK (length(ring) = 16),
    created_at     BIGINT,
    revision       BIGINT NOT NULL,
    pack_revision  BIGINT NOT NULL,
    field_revision BIGINT NOT NULL
);
COMMENT ON TABLE meta IS 'What the store knows of itself: one row.';

CREATE TABLE counters (
    name TEXT COLLATE "C" PRIMARY KEY,
    last BIGINT NOT NULL
);
COMMENT ON TABLE counters IS 'The last number given out, by name; numbers are never used twice.';

CREATE TABLE secrets (
    name         TEXT COLLATE "C" PRIMARY KEY,
    class        TEXT COLLATE "C" NOT NULL,
    owner        TEXT COLLATE "C" NOT NULL,
    multi_active SMALLINT NOT NULL CHECK (multi_active IN (0, 1)),
    created_at   BIGINT
);
COMMENT ON TABLE secrets IS 'A logical credential, such as billing/db-password.';

CREATE TABLE consumers (
    secret   TEXT COLLATE "C" NOT NULL REFERENCES secrets (name) ON DELETE CASCADE,
    consumer TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (secret, consumer)
);
COMMENT ON TABLE consumers IS 'The services that hold a secret.';

CREATE TABLE versions (
    id             BYTEA PRIMARY KEY CHECK (length(id) = 16),
    secret         TEXT COLLATE "C" NOT NULL REFERENCES secrets (name) ON DELETE CASCADE,
    number         BIGINT NOT NULL CHECK (number > 0),
    state          TEXT COLLATE "C" NOT NULL,
    issued_to      TEXT COLLATE "C" NOT NULL,
    window_ends    BIGINT,
    compromised_at BIGINT,
    created_at     BIGINT,
    activated_at   BIGINT,
    superseded_at  BIGINT,
    retired_at     BIGINT,
    abandoned_at   BIGINT,
    UNIQUE (secret, number)
);
COMMENT ON TABLE versions IS 'One issued value of a secret; its state decides the verdict of every finding of it.';

CREATE TABLE fields (
    id           BYTEA PRIMARY KEY CHECK (length(id) = 16),
    version      BYTEA NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    field        TEXT COLLATE "C" NOT NULL,
    format       BIGINT NOT NULL,
    epoch        BIGINT NOT NULL,
    filter_gen   BIGINT NOT NULL,
    revision     BIGINT NOT NULL,
    strength     TEXT COLLATE "C" NOT NULL,
    unsearchable TEXT COLLATE "C" NOT NULL,
    sealed       BYTEA
);
COMMENT ON TABLE fields IS 'One registered value of a version; what finds it is sealed.';
CREATE INDEX fields_version ON fields (version);

CREATE TABLE acks (
    version  BYTEA NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    consumer TEXT COLLATE "C" NOT NULL,
    at       BIGINT,
    actor    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (version, consumer)
);
COMMENT ON TABLE acks IS 'A consumer''s latest word that it uses a version.';

CREATE TABLE homes (
    id          BIGINT PRIMARY KEY,
    secret      TEXT COLLATE "C" NOT NULL REFERENCES secrets (name) ON DELETE CASCADE,
    source_glob TEXT COLLATE "C" NOT NULL,
    path_glob   TEXT COLLATE "C" NOT NULL,
    until       BIGINT,
    reason      TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT,
    actor       TEXT COLLATE "C" NOT NULL
);
COMMENT ON TABLE homes IS 'Where a secret''s active and superseded values may be.';
CREATE INDEX homes_secret ON homes (secret);

CREATE TABLE sources (
    pk        BIGINT PRIMARY KEY,
    id        TEXT COLLATE "C" NOT NULL,
    kind      TEXT COLLATE "C" NOT NULL,
    added_at  BIGINT,
    forgotten SMALLINT NOT NULL CHECK (forgotten IN (0, 1))
);
COMMENT ON TABLE sources IS 'A place that was scanned.';
CREATE UNIQUE INDEX sources_id ON sources (text_key(id));
CREATE INDEX sources_by_id ON sources USING hash (id);

CREATE TABLE seen_values (
    pk    BIGINT PRIMARY KEY,
    value BYTEA UNIQUE CHECK (value IS NULL OR length(value) = 16)
);
COMMENT ON TABLE seen_values IS 'A value that was seen somewhere, by its keyed id; NULL for one too weak to hash.';

CREATE TABLE value_fields (
    value_pk BIGINT NOT NULL REFERENCES seen_values (pk) ON DELETE CASCADE,
    field    BYTEA NOT NULL CHECK (length(field) = 16),
    PRIMARY KEY (value_pk, field)
);
COMMENT ON TABLE value_fields IS 'The registered fields that have a seen value; a field may be known here before its row is.';
CREATE INDEX value_fields_field ON value_fields (field);

CREATE TABLE findings (
    pk         BIGINT PRIMARY KEY,
    id         TEXT COLLATE "C" NOT NULL UNIQUE,
    value_pk   BIGINT NOT NULL REFERENCES seen_values (pk),
    source_pk  BIGINT NOT NULL REFERENCES sources (pk) ON DELETE CASCADE,
    path       TEXT COLLATE "C" NOT NULL,
    path_id    BYTEA NOT NULL CHECK (length(path_id) = 16),
    presence   TEXT COLLATE "C" NOT NULL,
    status     TEXT COLLATE "C" NOT NULL,
    owner      TEXT COLLATE "C" NOT NULL,
    reason     TEXT COLLATE "C" NOT NULL DEFAULT '',
    until      BIGINT,
    due        BIGINT,
    first_seen BIGINT NOT NULL,
    last_seen  BIGINT NOT NULL,
    gone_at    BIGINT,
    rules      TEXT COLLATE "C" NOT NULL -- each followed by a line end, sorted
);
COMMENT ON TABLE findings IS 'One value at one path of one source; the verdict is computed, never stored.';
CREATE INDEX findings_value ON findings (value_pk);
CREATE INDEX findings_source ON findings (source_pk);

CREATE TABLE finding_homes (
    finding_pk BIGINT NOT NULL REFERENCES findings (pk) ON DELETE CASCADE,
    home       BIGINT NOT NULL REFERENCES homes (id) ON DELETE CASCADE,
    PRIMARY KEY (finding_pk, home)
);
COMMENT ON TABLE finding_homes IS 'The allowed homes whose globs match a finding''s place.';
CREATE INDEX finding_homes_home ON finding_homes (home);

CREATE TABLE aliases (
    alias      TEXT COLLATE "C" PRIMARY KEY,
    finding_pk BIGINT NOT NULL REFERENCES findings (pk) ON DELETE CASCADE
);
COMMENT ON TABLE aliases IS 'Ids that findings had before they were merged or moved.';
CREATE INDEX aliases_finding ON aliases (finding_pk);

CREATE TABLE sightings (
    pk         BIGINT PRIMARY KEY,
    finding_pk BIGINT NOT NULL REFERENCES findings (pk) ON DELETE CASCADE,
    locator    TEXT COLLATE "C" NOT NULL,
    span_start BIGINT NOT NULL,
    span_end   BIGINT NOT NULL,
    line       BIGINT NOT NULL,
    col        BIGINT NOT NULL,
    end_line   BIGINT NOT NULL,
    end_col    BIGINT NOT NULL,
    form       TEXT COLLATE "C" NOT NULL,
    rule       TEXT COLLATE "C" NOT NULL,
    field      BYTEA,
    inside     SMALLINT NOT NULL CHECK (inside IN (0, 1)),
    presence   TEXT COLLATE "C" NOT NULL,
    context    TEXT COLLATE "C" NOT NULL,
    url        TEXT COLLATE "C" NOT NULL,
    content_at BIGINT,
    first_seen BIGINT NOT NULL,
    last_seen  BIGINT NOT NULL,
    extent     TEXT COLLATE "C" NOT NULL,
    more       BIGINT NOT NULL
);
COMMENT ON TABLE sightings IS 'A finding and a locator; more counts what was not listed one by one.';
CREATE UNIQUE INDEX sightings_place ON sightings (finding_pk, text_key(locator), span_start, span_end);

CREATE TABLE history (
    pk         BIGINT PRIMARY KEY,
    finding_pk BIGINT NOT NULL REFERENCES findings (pk) ON DELETE CASCADE,
    at         BIGINT,
    actor      TEXT COLLATE "C" NOT NULL,
    what       TEXT COLLATE "C" NOT NULL,
    detail     TEXT COLLATE "C" NOT NULL
);
COMMENT ON TABLE history IS 'What happened to a finding after it was first seen.';
CREATE INDEX history_finding ON history (finding_pk);

CREATE TABLE scans (
    id             BIGINT PRIMARY KEY,
    source_pk      BIGINT NOT NULL REFERENCES sources (pk) ON DELETE CASCADE,
    extent         TEXT COLLATE "C" NOT NULL,
    started_at     BIGINT,
    finished_at    BIGINT,
    complete       SMALLINT NOT NULL CHECK (complete IN (0, 1)),
    field_revision BIGINT NOT NULL,
    pack_revision  BIGINT NOT NULL,
    generic        SMALLINT NOT NULL CHECK (generic IN (0, 1)),
    through        TEXT COLLATE "C" NOT NULL,
    resume_at      BYTEA,
    items          BIGINT NOT NULL,
    bytes          BIGINT NOT NULL,
    skips          BIGINT NOT NULL
);
COMMENT ON TABLE scans IS 'One run over a source, with what it covered.';
CREATE INDEX scans_source ON scans (source_pk);

CREATE TABLE skips (
    pk      BIGINT PRIMARY KEY,
    scan    BIGINT NOT NULL REFERENCES scans (id) ON DELETE CASCADE,
    path    TEXT COLLATE "C" NOT NULL,
    locator TEXT COLLATE "C" NOT NULL,
    reason  TEXT COLLATE "C" NOT NULL,
    detail  TEXT COLLATE "C" NOT NULL,
    size    BIGINT NOT NULL
);
COMMENT ON TABLE skips IS 'Something that a scan did not read, and why.';
CREATE UNIQUE INDEX skips_place ON skips (scan, text_key(path), text_key(locator), reason);

CREATE TABLE audit (
    sequence BIGINT PRIMARY KEY CHECK (sequence > 0),
    at       TEXT COLLATE "C" NOT NULL,
    actor    TEXT COLLATE "C" NOT NULL,
    content  BYTEA NOT NULL,
    mac      BYTEA NOT NULL
);
COMMENT ON TABLE audit IS 'The audit chain, append-only; at is text because the MAC covers every nanosecond.';

CREATE TABLE checkpoints (
    sequence BIGINT PRIMARY KEY,
    signed   BYTEA NOT NULL
);
COMMENT ON TABLE checkpoints IS 'Signed heads of the audit chain.';
