-- +goose Up
ALTER TABLE findings ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
UPDATE findings SET changed = pk;
INSERT INTO counters (name, last) SELECT 'changes', MAX(pk) FROM findings HAVING MAX(pk) IS NOT NULL;
CREATE INDEX findings_changed ON findings (changed);
CREATE INDEX findings_until ON findings (until) WHERE until IS NOT NULL;
CREATE INDEX versions_window ON versions (window_ends) WHERE window_ends IS NOT NULL;

CREATE TABLE marks (
    name TEXT COLLATE "C" PRIMARY KEY,
    mark TEXT COLLATE "C" NOT NULL
);
COMMENT ON TABLE marks IS 'How far somebody got, by name: feeds that are followed, sources that fail.';

CREATE TABLE told (
    receiver   TEXT COLLATE "C" NOT NULL,
    finding_pk BIGINT NOT NULL REFERENCES findings (pk) ON DELETE CASCADE,
    word       TEXT COLLATE "C" NOT NULL,
    grp        TEXT COLLATE "C" NOT NULL,
    at         BIGINT,
    PRIMARY KEY (receiver, finding_pk)
);
COMMENT ON TABLE told IS 'What a receiver was last told of a finding, so that it is told once.';
CREATE INDEX told_finding ON told (finding_pk);

CREATE TABLE deliveries (
    id          TEXT COLLATE "C" PRIMARY KEY,
    receiver    TEXT COLLATE "C" NOT NULL,
    grp         TEXT COLLATE "C" NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    summary     TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT,
    next_at     BIGINT,
    deadline    BIGINT,
    attempts    BIGINT NOT NULL,
    lease_by    TEXT COLLATE "C" NOT NULL,
    lease_until BIGINT,
    sent_at     BIGINT,
    given_up_at BIGINT,
    problem     TEXT COLLATE "C" NOT NULL
);
COMMENT ON TABLE deliveries IS 'Messages that are sent until they arrive or their time is over; the id is the same each time.';
CREATE INDEX deliveries_next ON deliveries (next_at) WHERE sent_at IS NULL AND given_up_at IS NULL;

CREATE TABLE notices (
    pk         BIGINT PRIMARY KEY,
    receiver   TEXT COLLATE "C" NOT NULL,
    grp        TEXT COLLATE "C" NOT NULL,
    event      TEXT COLLATE "C" NOT NULL,
    finding_pk BIGINT REFERENCES findings (pk) ON DELETE CASCADE,
    source     TEXT COLLATE "C" NOT NULL,
    was        TEXT COLLATE "C" NOT NULL,
    verdict    TEXT COLLATE "C" NOT NULL,
    severity   TEXT COLLATE "C" NOT NULL,
    detail     TEXT COLLATE "C" NOT NULL,
    at         BIGINT,
    urgent     SMALLINT NOT NULL CHECK (urgent IN (0, 1)),
    delivery   TEXT COLLATE "C" REFERENCES deliveries (id) ON DELETE CASCADE
);
COMMENT ON TABLE notices IS 'What is to be told to whom: of a finding, or of a source; without a delivery it waits for one.';
CREATE INDEX notices_delivery ON notices (delivery);
CREATE INDEX notices_finding ON notices (finding_pk);
CREATE INDEX notices_waiting ON notices (receiver, grp) WHERE delivery IS NULL;
