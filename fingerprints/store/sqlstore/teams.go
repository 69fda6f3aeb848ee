package sqlstore

import (
	"encoding/hex"
	"slices"
	"strings"
)

// What teams see is said in one place: while a transaction is narrowed, the tables
// below stand for less than they hold in each query that reads. No query can forget
// it. What decides a verdict or a status (versions, fields, homes) is not narrowed:
// it is the same whoever looks. tallies and totals are counted from what is seen.

// seenTable is what a table stands for.
type seenTable struct{ name, where string }

// seenTables are in the order of what they read: each sees those before it narrowed,
// and those after it whole.
func seenTables() []seenTable {
	return []seenTable{
		{"secrets", "owner <> '' AND owner IN ($teams)"},
		{"findings", "owner <> '' AND owner IN ($teams)"},
		{"aliases", "finding_pk IN (SELECT pk FROM findings)"},
		{"tallies", ""},
		{"totals", ""},
		{"sources", "pk IN (SELECT source_pk FROM findings)"},
		{"watches", "source_id IN (SELECT id FROM sources)"},
		{"decisions", "owner IN ($teams) OR id IN (SELECT decision FROM finding_decisions WHERE finding_pk IN (SELECT pk FROM findings))"},
		// A message tells of many findings in one text: all of them have to be theirs.
		{"deliveries", `id IN (SELECT delivery FROM $all_notices WHERE finding_pk IN (SELECT pk FROM findings))
			AND id NOT IN (SELECT delivery FROM $all_notices WHERE delivery IS NOT NULL AND (finding_pk IS NULL OR finding_pk NOT IN (SELECT pk FROM findings)))`},
		{"notices", "finding_pk IN (SELECT pk FROM findings)"},
	}
}

// talliesOfSeen counts the findings that are seen.
const talliesOfSeen = `SELECT value_pk, source_pk, SUM(CASE WHEN presence IN ('gone', 'expired') THEN 0 ELSE 1 END) AS present,
	SUM(CASE WHEN presence IN ('gone', 'expired') THEN 1 ELSE 0 END) AS gone FROM findings GROUP BY value_pk, source_pk`

// totalsOfSeen sums them by sources.
const totalsOfSeen = `SELECT source_pk, SUM(present) AS present, SUM(gone) AS gone FROM tallies GROUP BY source_pk`

// Narrow implements store.Tx.
func (t *tx) Narrow(teams []string) (before []string) {
	before = t.teams
	t.teams, t.seen = slices.Clone(teams), ""
	if len(teams) == 0 {
		return before
	}
	words := t.s.engine.words()
	literals := make([]string, len(teams))
	for i, team := range teams {
		literals[i] = words.text(hex.EncodeToString([]byte(text(team))))
	}
	var parts []string
	for _, s := range seenTables() {
		if counted := map[string]string{"tallies": talliesOfSeen, "totals": totalsOfSeen}[s.name]; counted != "" {
			parts = append(parts, s.name+" AS ("+counted+")")
			continue
		}
		where := strings.NewReplacer("$teams", strings.Join(literals, ", "), "$all_notices", words.table("notices")).Replace(s.where)
		parts = append(parts, s.name+" AS (SELECT * FROM "+words.table(s.name)+" WHERE "+where+")")
	}
	t.seen = "WITH " + strings.Join(parts, ", ")
	return before
}

// narrowed is a query as it is asked while the transaction is narrowed.
func (t *tx) narrowed(query string) string {
	if t.seen == "" {
		return query
	}
	switch begun := strings.TrimSpace(query); {
	case strings.HasPrefix(begun, "SELECT"):
		return t.seen + " " + begun
	case strings.HasPrefix(begun, "WITH "):
		return t.seen + ", " + strings.TrimPrefix(begun, "WITH ")
	}
	return query
}

// whole runs what looks at everything whoever asks, since it tells no rows.
func (t *tx) whole(fn func() error) error {
	seen := t.seen
	t.seen = ""
	defer func() { t.seen = seen }()
	return fn()
}

// ofSeen is a condition that the secret of a column is seen; empty: all are.
func (t *tx) ofSeen(column string) string {
	if t.seen == "" {
		return ""
	}
	return column + " IN (SELECT name FROM secrets)"
}

// whereSeen and andSeen are ofSeen as a whole condition, and behind one.
func (t *tx) whereSeen(column string) string { return before(" WHERE ", t.ofSeen(column)) }

func (t *tx) andSeen(column string) string { return before(" AND ", t.ofSeen(column)) }

func before(word, condition string) string {
	if condition == "" {
		return ""
	}
	return word + condition
}
