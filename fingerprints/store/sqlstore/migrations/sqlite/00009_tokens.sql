-- +goose Up
CREATE TABLE tokens ( -- What machines and people show to the server: a hash of it, never itself.
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    hash       BLOB NOT NULL UNIQUE,
    scopes     TEXT NOT NULL, -- joined by spaces
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at BIGINT, -- NULL: never
    used_at    BIGINT,
    revoked_at BIGINT,
    revoked_by TEXT NOT NULL
);
CREATE UNIQUE INDEX tokens_name ON tokens (name) WHERE revoked_at IS NULL;
