-- +goose Up
CREATE TABLE lookups (
    actor   TEXT COLLATE "C" NOT NULL,
    day     BIGINT NOT NULL,
    asked   BIGINT NOT NULL CHECK (asked >= 0),
    known   BIGINT NOT NULL CHECK (known >= 0),
    refused BIGINT NOT NULL CHECK (refused >= 0),
    PRIMARY KEY (actor, day)
);
COMMENT ON TABLE lookups IS 'How often an actor asked on a day about values that no edge pack has.';
COMMENT ON COLUMN lookups.day IS 'Its beginning.';
COMMENT ON COLUMN lookups.asked IS 'Look-ups that were answered.';
COMMENT ON COLUMN lookups.known IS 'Values in them that are registered.';
COMMENT ON COLUMN lookups.refused IS 'Look-ups beyond what is allowed in a day.';
CREATE INDEX lookups_day ON lookups (day);
