-- +goose Up
CREATE TABLE requests (
    actor       TEXT COLLATE "C" NOT NULL,
    request_key BYTEA NOT NULL,
    operation   TEXT COLLATE "C" NOT NULL,
    body        BYTEA NOT NULL,
    at          BIGINT NOT NULL,
    answered_at BIGINT,
    status      INT NOT NULL,
    answer      BYTEA,
    subject     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (actor, request_key)
);
COMMENT ON TABLE requests IS 'What was asked for with a key, so that asking again does it once.';
COMMENT ON COLUMN requests.request_key IS 'SHA-256 of the key.';
COMMENT ON COLUMN requests.body IS 'SHA-256 of what was asked for.';
COMMENT ON COLUMN requests.answered_at IS 'NULL: it is under way.';
COMMENT ON COLUMN requests.answer IS 'Without what is shown once.';
CREATE INDEX requests_at ON requests (at);
