-- +goose Up
CREATE INDEX findings_owner ON findings (owner) WHERE owner <> '';
