-- +goose Up
-- Who brought a content in, as the commit says, redacted: the name alone, no address.
ALTER TABLE sightings ADD COLUMN author TEXT NOT NULL DEFAULT '';
ALTER TABLE sightings ADD COLUMN commit_id TEXT NOT NULL DEFAULT '';
