-- +goose Up
-- Counts of an owner's registered findings are read from the index alone, too.
DROP INDEX findings_owner;
CREATE INDEX findings_owner ON findings (owner, id, presence, value_pk, source_pk) WHERE owner <> '';
