-- +goose Up
ALTER TABLE tokens ADD COLUMN teams TEXT COLLATE "C" NOT NULL DEFAULT '';
COMMENT ON COLUMN tokens.teams IS 'Whose rows it sees alone, each with a line end; empty: all.';

CREATE TABLE people (
    id            TEXT COLLATE "C" PRIMARY KEY,
    name          TEXT COLLATE "C" NOT NULL UNIQUE,
    issuer        TEXT COLLATE "C" NOT NULL,
    subject       TEXT COLLATE "C" NOT NULL,
    display       TEXT COLLATE "C" NOT NULL,
    address       TEXT COLLATE "C" NOT NULL,
    roles         TEXT COLLATE "C" NOT NULL,
    teams         TEXT COLLATE "C" NOT NULL,
    claimed_roles TEXT COLLATE "C" NOT NULL,
    claimed_teams TEXT COLLATE "C" NOT NULL,
    created_at    BIGINT NOT NULL,
    created_by    TEXT COLLATE "C" NOT NULL,
    seen_at       BIGINT,
    disabled_at   BIGINT,
    disabled_by   TEXT COLLATE "C" NOT NULL
);
COMMENT ON TABLE people IS 'Who signs in.';
COMMENT ON COLUMN people.issuer IS 'With subject: who an identity provider says that they are; empty: none does.';
COMMENT ON COLUMN people.roles IS 'Given here, joined by spaces; teams each with a line end.';
COMMENT ON COLUMN people.claimed_roles IS 'As the provider said at the newest sign-in.';
COMMENT ON COLUMN people.disabled_at IS 'NULL: they are not.';
CREATE UNIQUE INDEX people_subject ON people (issuer, subject) WHERE subject <> '';

CREATE TABLE sessions (
    id         TEXT COLLATE "C" PRIMARY KEY,
    hash       BYTEA NOT NULL UNIQUE,
    person     TEXT COLLATE "C" REFERENCES people (id) ON DELETE CASCADE,
    token      TEXT COLLATE "C" REFERENCES tokens (id) ON DELETE CASCADE,
    address    TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL,
    CHECK ((person IS NULL) <> (token IS NULL))
);
COMMENT ON TABLE sessions IS 'Browsers that are signed in: a hash of what they show, never itself.';
CREATE INDEX sessions_person ON sessions (person);
CREATE INDEX sessions_token ON sessions (token);
CREATE INDEX sessions_end ON sessions (ends_at);

CREATE TABLE codes (
    hash    BYTEA PRIMARY KEY,
    purpose TEXT COLLATE "C" NOT NULL,
    person  TEXT COLLATE "C" REFERENCES people (id) ON DELETE CASCADE,
    next    TEXT COLLATE "C" NOT NULL,
    ends_at BIGINT NOT NULL
);
COMMENT ON TABLE codes IS 'What signs in once: a hash of it, never itself.';
COMMENT ON COLUMN codes.person IS 'NULL: nobody yet.';
CREATE INDEX codes_end ON codes (ends_at);
