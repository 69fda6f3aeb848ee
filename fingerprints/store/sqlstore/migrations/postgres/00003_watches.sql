-- +goose Up
CREATE TABLE watches (
    name           TEXT COLLATE "C" PRIMARY KEY,
    kind           TEXT COLLATE "C" NOT NULL,
    location       TEXT COLLATE "C" NOT NULL,
    options        BYTEA,
    credential     TEXT COLLATE "C" NOT NULL,
    schedule       TEXT COLLATE "C" NOT NULL,
    parent         TEXT COLLATE "C" NOT NULL,
    paused         SMALLINT NOT NULL CHECK (paused IN (0, 1)),
    added_at       BIGINT,
    source_id      TEXT COLLATE "C" NOT NULL,
    next_run       BIGINT,
    wanted_at      BIGINT,
    wanted         TEXT COLLATE "C" NOT NULL,
    queued_at      BIGINT,
    started_at     BIGINT,
    finished_at    BIGINT,
    outcome        TEXT COLLATE "C" NOT NULL,
    problem        TEXT COLLATE "C" NOT NULL,
    failures       BIGINT NOT NULL,
    field_revision BIGINT NOT NULL
);
COMMENT ON TABLE watches IS 'Places that are scanned again and again, and groups of such places.';
CREATE INDEX watches_parent ON watches (parent);
CREATE INDEX watches_source ON watches (source_id);
CREATE INDEX watches_next ON watches (next_run);
CREATE INDEX watches_wanted ON watches (wanted_at) WHERE wanted_at IS NOT NULL;
CREATE INDEX watches_revision ON watches (field_revision);

CREATE TABLE workers (
    id         TEXT COLLATE "C" PRIMARY KEY,
    host       TEXT COLLATE "C" NOT NULL,
    version    TEXT COLLATE "C" NOT NULL,
    started_at BIGINT,
    seen_at    BIGINT,
    slots      BIGINT NOT NULL
);
COMMENT ON TABLE workers IS 'Processes that do jobs; one that was not seen for long is dead.';
