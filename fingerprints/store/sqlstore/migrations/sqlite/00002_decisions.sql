-- +goose Up
CREATE TABLE decisions ( -- What people said of a value wherever it is, or of what a rule finds at some places.
    id          INTEGER PRIMARY KEY,
    value       BLOB CHECK (value IS NULL OR length(value) = 16),
    rule        TEXT NOT NULL,
    source_glob TEXT NOT NULL,
    path_glob   TEXT NOT NULL,
    status      TEXT NOT NULL,
    until       BIGINT,
    reason      TEXT NOT NULL,
    owner       TEXT NOT NULL,
    created_at  BIGINT,
    actor       TEXT NOT NULL
);

CREATE TABLE finding_decisions ( -- The decisions about a finding's value or place; whether they hold is computed.
    finding_pk INTEGER NOT NULL REFERENCES findings (pk) ON DELETE CASCADE,
    decision   INTEGER NOT NULL REFERENCES decisions (id) ON DELETE CASCADE,
    PRIMARY KEY (finding_pk, decision)
);
CREATE INDEX finding_decisions_decision ON finding_decisions (decision);
