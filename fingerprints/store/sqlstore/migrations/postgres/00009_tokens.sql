-- +goose Up
CREATE TABLE tokens (
    id         TEXT COLLATE "C" PRIMARY KEY,
    name       TEXT COLLATE "C" NOT NULL,
    hash       BYTEA NOT NULL UNIQUE,
    scopes     TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT,
    used_at    BIGINT,
    revoked_at BIGINT,
    revoked_by TEXT COLLATE "C" NOT NULL
);
COMMENT ON TABLE tokens IS 'What machines and people show to the server: a hash of it, never itself.';
COMMENT ON COLUMN tokens.scopes IS 'Joined by spaces.';
COMMENT ON COLUMN tokens.expires_at IS 'NULL: never.';
CREATE UNIQUE INDEX tokens_name ON tokens (name) WHERE revoked_at IS NULL;
