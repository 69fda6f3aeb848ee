-- +goose Up
CREATE TABLE watches ( -- Places that are scanned again and again, and groups of such places.
    name           TEXT PRIMARY KEY,
    kind           TEXT NOT NULL,
    location       TEXT NOT NULL,
    options        BLOB,
    credential     TEXT NOT NULL, -- a reference, never the credential
    schedule       TEXT NOT NULL,
    parent         TEXT NOT NULL,
    paused         SMALLINT NOT NULL CHECK (paused IN (0, 1)),
    added_at       BIGINT,
    source_id      TEXT NOT NULL,
    next_run       BIGINT,
    wanted_at      BIGINT,
    wanted         TEXT NOT NULL,
    queued_at      BIGINT,
    started_at     BIGINT,
    finished_at    BIGINT,
    outcome        TEXT NOT NULL,
    problem        TEXT NOT NULL,
    failures       BIGINT NOT NULL,
    field_revision BIGINT NOT NULL
);
CREATE INDEX watches_parent ON watches (parent);
CREATE INDEX watches_source ON watches (source_id);
CREATE INDEX watches_next ON watches (next_run);
CREATE INDEX watches_wanted ON watches (wanted_at) WHERE wanted_at IS NOT NULL;
CREATE INDEX watches_revision ON watches (field_revision);

CREATE TABLE workers ( -- Processes that do jobs; one that was not seen for long is dead.
    id         TEXT PRIMARY KEY,
    host       TEXT NOT NULL,
    version    TEXT NOT NULL,
    started_at BIGINT,
    seen_at    BIGINT,
    slots      BIGINT NOT NULL
);
