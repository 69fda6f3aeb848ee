-- +goose Up
CREATE TABLE decisions (
    id          BIGINT PRIMARY KEY,
    value       BYTEA CHECK (value IS NULL OR length(value) = 16),
    rule        TEXT COLLATE "C" NOT NULL,
    source_glob TEXT COLLATE "C" NOT NULL,
    path_glob   TEXT COLLATE "C" NOT NULL,
    status      TEXT COLLATE "C" NOT NULL,
    until       BIGINT,
    reason      TEXT COLLATE "C" NOT NULL,
    owner       TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT,
    actor       TEXT COLLATE "C" NOT NULL
);
COMMENT ON TABLE decisions IS 'What people said of a value wherever it is, or of what a rule finds at some places.';

CREATE TABLE finding_decisions (
    finding_pk BIGINT NOT NULL REFERENCES findings (pk) ON DELETE CASCADE,
    decision   BIGINT NOT NULL REFERENCES decisions (id) ON DELETE CASCADE,
    PRIMARY KEY (finding_pk, decision)
);
COMMENT ON TABLE finding_decisions IS 'The decisions about a finding''s value or place; whether they hold is computed.';
CREATE INDEX finding_decisions_decision ON finding_decisions (decision);
