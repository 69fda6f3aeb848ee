-- +goose Up
CREATE TABLE totals (
    source_pk BIGINT PRIMARY KEY REFERENCES sources (pk) ON DELETE CASCADE,
    present   BIGINT NOT NULL,
    gone      BIGINT NOT NULL -- or expired
);
COMMENT ON TABLE totals IS 'How many findings a source has, the sums of tallies: what lists of sources and counts of everything begin with.';
INSERT INTO totals (source_pk, present, gone) SELECT source_pk, CAST(SUM(present) AS BIGINT), CAST(SUM(gone) AS BIGINT) FROM tallies GROUP BY source_pk;

-- Pages of a rule's findings, and all lists of rules that there are.
CREATE INDEX findings_rules ON findings (rules, id);

-- Counts of an owner's findings are read from the index alone.
DROP INDEX findings_owner;
CREATE INDEX findings_owner ON findings (owner, id) INCLUDE (presence, value_pk) WHERE owner <> '';
