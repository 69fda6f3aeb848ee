-- +goose Up
ALTER TABLE tokens ADD COLUMN teams TEXT NOT NULL DEFAULT ''; -- whose rows it sees alone, each with a line end; empty: all

CREATE TABLE people ( -- Who signs in.
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    issuer        TEXT NOT NULL, -- with subject: who an identity provider says that they are; empty: none does
    subject       TEXT NOT NULL,
    display       TEXT NOT NULL,
    address       TEXT NOT NULL,
    roles         TEXT NOT NULL, -- given here, joined by spaces
    teams         TEXT NOT NULL, -- given here, each with a line end
    claimed_roles TEXT NOT NULL, -- as the provider said at the newest sign-in
    claimed_teams TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    created_by    TEXT NOT NULL,
    seen_at       BIGINT, -- NULL: never
    disabled_at   BIGINT, -- NULL: they are not
    disabled_by   TEXT NOT NULL
);
CREATE UNIQUE INDEX people_subject ON people (issuer, subject) WHERE subject <> '';

CREATE TABLE sessions ( -- Browsers that are signed in: a hash of what they show, never itself.
    id         TEXT PRIMARY KEY,
    hash       BLOB NOT NULL UNIQUE,
    person     TEXT REFERENCES people (id) ON DELETE CASCADE,
    token      TEXT REFERENCES tokens (id) ON DELETE CASCADE,
    address    TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL,
    CHECK ((person IS NULL) <> (token IS NULL))
);
CREATE INDEX sessions_person ON sessions (person);
CREATE INDEX sessions_token ON sessions (token);
CREATE INDEX sessions_end ON sessions (ends_at);

CREATE TABLE codes ( -- What signs in once: a hash of it, never itself.
    hash    BLOB PRIMARY KEY,
    purpose TEXT NOT NULL,
    person  TEXT REFERENCES people (id) ON DELETE CASCADE, -- NULL: nobody yet
    next    TEXT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX codes_end ON codes (ends_at);
