-- +goose Up
CREATE TABLE totals ( -- How many findings a source has, the sums of tallies: what lists of sources and counts of everything begin with.
    source_pk INTEGER PRIMARY KEY REFERENCES sources (pk) ON DELETE CASCADE,
    present   BIGINT NOT NULL,
    gone      BIGINT NOT NULL -- or expired
);
INSERT INTO totals (source_pk, present, gone) SELECT source_pk, SUM(present), SUM(gone) FROM tallies GROUP BY source_pk;

-- Pages of a rule's findings, and all lists of rules that there are.
CREATE INDEX findings_rules ON findings (rules, id);

-- Counts of an owner's findings are read from the index alone.
DROP INDEX findings_owner;
CREATE INDEX findings_owner ON findings (owner, id, presence, value_pk) WHERE owner <> '';
