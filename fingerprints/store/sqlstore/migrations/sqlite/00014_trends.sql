-- +goose Up
CREATE TABLE days ( -- How many findings had each verdict on a day, counted from 1970.
    day      BIGINT NOT NULL,
    verdict  TEXT NOT NULL,
    findings BIGINT NOT NULL,
    PRIMARY KEY (day, verdict)
) WITHOUT ROWID;

CREATE TABLE views ( -- Searches that people keep.
    pk         INTEGER PRIMARY KEY,
    owner      TEXT NOT NULL,
    name       TEXT NOT NULL,
    query      TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX views_owner ON views (owner, name);

-- What was cleared lately, and how long it was there.
CREATE INDEX findings_gone ON findings (gone_at, first_seen, value_pk) WHERE gone_at IS NOT NULL;
