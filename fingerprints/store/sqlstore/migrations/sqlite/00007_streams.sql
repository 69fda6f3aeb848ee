-- +goose Up
ALTER TABLE sightings ADD COLUMN stream TEXT NOT NULL DEFAULT ''; -- The stream that it was seen in, within its source; empty: in none.
ALTER TABLE sightings ADD COLUMN at_offset BIGINT; -- Where in the stream; of a run its watermark: everything from run_from to it is counted.
ALTER TABLE sightings ADD COLUMN run_from BIGINT; -- NULL: it is one sighting; else a run of them, which more counts.
CREATE INDEX sightings_stream ON sightings (finding_pk, stream, at_offset) WHERE stream <> '';

CREATE TABLE positions ( -- How far parts of a source were read, by name; opaque to the store.
    source_pk INTEGER NOT NULL REFERENCES sources (pk) ON DELETE CASCADE,
    name      TEXT NOT NULL,
    position  BLOB NOT NULL,
    PRIMARY KEY (source_pk, name)
);
