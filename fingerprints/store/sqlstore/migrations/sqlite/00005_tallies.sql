-- +goose Up
CREATE TABLE tallies ( -- How many findings of a value a source has: what verdicts are counted by.
    value_pk  INTEGER NOT NULL REFERENCES seen_values (pk) ON DELETE CASCADE,
    source_pk INTEGER NOT NULL REFERENCES sources (pk) ON DELETE CASCADE,
    present   BIGINT NOT NULL,
    gone      BIGINT NOT NULL, -- or expired
    PRIMARY KEY (value_pk, source_pk)
) WITHOUT ROWID;
CREATE INDEX tallies_source ON tallies (source_pk);
INSERT INTO tallies (value_pk, source_pk, present, gone) SELECT value_pk, source_pk,
    SUM(CASE WHEN presence IN ('gone', 'expired') THEN 0 ELSE 1 END), SUM(CASE WHEN presence IN ('gone', 'expired') THEN 1 ELSE 0 END)
    FROM findings GROUP BY value_pk, source_pk;

-- The findings of a value or a source, and the scans of a source, are read in order and in pages.
DROP INDEX findings_value;
CREATE INDEX findings_value ON findings (value_pk, id);
DROP INDEX findings_source;
CREATE INDEX findings_source ON findings (source_pk, id);
DROP INDEX scans_source;
CREATE INDEX scans_source ON scans (source_pk, id);

ALTER TABLE homes ADD COLUMN whole SMALLINT NOT NULL DEFAULT 0; -- It covers whole sources.
CREATE TABLE home_sources ( -- The sources in which a home that is whole covers everything.
    home      INTEGER NOT NULL REFERENCES homes (id) ON DELETE CASCADE,
    source_pk INTEGER NOT NULL REFERENCES sources (pk) ON DELETE CASCADE,
    PRIMARY KEY (home, source_pk)
) WITHOUT ROWID;
CREATE INDEX home_sources_source ON home_sources (source_pk);
