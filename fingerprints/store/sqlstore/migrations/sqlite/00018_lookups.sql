-- +goose Up
CREATE TABLE lookups ( -- How often an actor asked on a day about values that no edge pack has.
    actor   TEXT NOT NULL,
    day     BIGINT NOT NULL, -- its beginning
    asked   BIGINT NOT NULL CHECK (asked >= 0), -- look-ups that were answered
    known   BIGINT NOT NULL CHECK (known >= 0), -- values in them that are registered
    refused BIGINT NOT NULL CHECK (refused >= 0), -- look-ups beyond what is allowed in a day
    PRIMARY KEY (actor, day)
);
CREATE INDEX lookups_day ON lookups (day);
