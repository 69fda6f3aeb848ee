-- +goose Up
ALTER TABLE sightings ADD COLUMN stream TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE sightings ADD COLUMN at_offset BIGINT;
ALTER TABLE sightings ADD COLUMN run_from BIGINT;
COMMENT ON COLUMN sightings.stream IS 'The stream that it was seen in, within its source; empty: in none.';
COMMENT ON COLUMN sightings.at_offset IS 'Where in the stream; of a run its watermark: everything from run_from to it is counted.';
COMMENT ON COLUMN sightings.run_from IS 'NULL: it is one sighting; else a run of them, which more counts.';
CREATE INDEX sightings_stream ON sightings (finding_pk, stream, at_offset) WHERE stream <> '';

CREATE TABLE positions (
    source_pk BIGINT NOT NULL REFERENCES sources (pk) ON DELETE CASCADE,
    name      TEXT COLLATE "C" NOT NULL,
    position  BYTEA NOT NULL,
    PRIMARY KEY (source_pk, name)
);
COMMENT ON TABLE positions IS 'How far parts of a source were read, by name; opaque to the store.';
