-- +goose Up
CREATE TABLE days (
    day      BIGINT NOT NULL,
    verdict  TEXT COLLATE "C" NOT NULL,
    findings BIGINT NOT NULL,
    PRIMARY KEY (day, verdict)
);
COMMENT ON TABLE days IS 'How many findings had each verdict on a day, counted from 1970.';

CREATE TABLE views (
    pk         BIGINT PRIMARY KEY,
    owner      TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    query      TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);
COMMENT ON TABLE views IS 'Searches that people keep.';
CREATE INDEX views_owner ON views (owner, name);

-- What was cleared lately, and how long it was there.
CREATE INDEX findings_gone ON findings (gone_at, first_seen, value_pk) WHERE gone_at IS NOT NULL;
