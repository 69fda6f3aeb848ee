-- +goose Up
CREATE TABLE requests ( -- What was asked for with a key, so that asking again does it once.
    actor       TEXT NOT NULL,
    request_key BLOB NOT NULL, -- SHA-256 of the key
    operation   TEXT NOT NULL,
    body        BLOB NOT NULL, -- SHA-256 of what was asked for
    at          BIGINT NOT NULL,
    answered_at BIGINT, -- NULL: it is under way
    status      INT NOT NULL,
    answer      BLOB, -- without what is shown once
    subject     TEXT NOT NULL,
    PRIMARY KEY (actor, request_key)
);
CREATE INDEX requests_at ON requests (at);
