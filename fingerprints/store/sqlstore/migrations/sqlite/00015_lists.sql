-- +goose Up
-- Pages of findings in the order of ids: of a presence, of an owner, and of those of
-- which something was decided.
CREATE INDEX findings_presence ON findings (presence, id);
DROP INDEX findings_owner;
CREATE INDEX findings_owner ON findings (owner, id) WHERE owner <> '';
CREATE INDEX findings_decided ON findings (id) WHERE status <> 'open';
