-- +goose Up
ALTER TABLE findings ADD COLUMN changed BIGINT NOT NULL DEFAULT 0; -- The number of its latest change; each number is given once.
UPDATE findings SET changed = pk;
INSERT INTO counters (name, last) SELECT 'changes', MAX(pk) FROM findings HAVING MAX(pk) IS NOT NULL;
CREATE INDEX findings_changed ON findings (changed);
CREATE INDEX findings_until ON findings (until) WHERE until IS NOT NULL;
CREATE INDEX versions_window ON versions (window_ends) WHERE window_ends IS NOT NULL;

CREATE TABLE marks ( -- How far somebody got, by name: feeds that are followed, sources that fail.
    name TEXT PRIMARY KEY,
    mark TEXT NOT NULL
);

CREATE TABLE told ( -- What a receiver was last told of a finding, so that it is told once.
    receiver   TEXT NOT NULL,
    finding_pk INTEGER NOT NULL REFERENCES findings (pk) ON DELETE CASCADE,
    word       TEXT NOT NULL,
    grp        TEXT NOT NULL,
    at         BIGINT,
    PRIMARY KEY (receiver, finding_pk)
);
CREATE INDEX told_finding ON told (finding_pk);

CREATE TABLE deliveries ( -- Messages that are sent until they arrive or their time is over; the id is the same each time.
    id          TEXT PRIMARY KEY,
    receiver    TEXT NOT NULL,
    grp         TEXT NOT NULL,
    kind        TEXT NOT NULL,
    summary     TEXT NOT NULL,
    created_at  BIGINT,
    next_at     BIGINT,
    deadline    BIGINT,
    attempts    BIGINT NOT NULL,
    lease_by    TEXT NOT NULL,
    lease_until BIGINT,
    sent_at     BIGINT,
    given_up_at BIGINT,
    problem     TEXT NOT NULL
);
CREATE INDEX deliveries_next ON deliveries (next_at) WHERE sent_at IS NULL AND given_up_at IS NULL;

CREATE TABLE notices ( -- What is to be told to whom: of a finding, or of a source; without a delivery it waits for one.
    pk         INTEGER PRIMARY KEY,
    receiver   TEXT NOT NULL,
    grp        TEXT NOT NULL,
    event      TEXT NOT NULL,
    finding_pk INTEGER REFERENCES findings (pk) ON DELETE CASCADE,
    source     TEXT NOT NULL,
    was        TEXT NOT NULL,
    verdict    TEXT NOT NULL,
    severity   TEXT NOT NULL,
    detail     TEXT NOT NULL,
    at         BIGINT,
    urgent     SMALLINT NOT NULL CHECK (urgent IN (0, 1)),
    delivery   TEXT REFERENCES deliveries (id) ON DELETE CASCADE
);
CREATE INDEX notices_delivery ON notices (delivery);
CREATE INDEX notices_finding ON notices (finding_pk);
CREATE INDEX notices_waiting ON notices (receiver, grp) WHERE delivery IS NULL;
