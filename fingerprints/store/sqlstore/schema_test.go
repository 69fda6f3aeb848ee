package sqlstore_test

import (
	"database/sql"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints/store/sqlstore"
)

// TestSchemaComments wants a sentence on every table, and every column of text
// that a source or a person may have written in the list for redaction.
func TestSchemaComments(t *testing.T) {
	db := raw(t, filled(t))
	rows, err := db.QueryContext(t.Context(), `SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	comment := regexp.MustCompile(`^CREATE TABLE \w+ \( -- [A-Z][^\n]{10,}\.\n`)
	tables := 0
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		tables++
		if !comment.MatchString(text) {
			t.Errorf("table %s has no comment", name)
		}
	}
	if err := rows.Err(); err != nil || tables < 15 {
		t.Errorf("%d tables, %v", tables, err)
	}
}

// TestProvenanceColumns goes through the columns of text of the tables that
// scans write, and wants each redacted or named here with a reason.
func TestProvenanceColumns(t *testing.T) {
	words := map[string]bool{ // ids, and words from short lists
		"findings.id": true, "findings.presence": true, "findings.status": true, "findings.owner": true, "findings.rules": true,
		"sightings.form": true, "sightings.rule": true, "sightings.presence": true, "sightings.commit_id": true,
		"history.actor": true, "history.what": true, "skips.reason": true,
		"decisions.rule": true, "decisions.status": true, "decisions.owner": true, "decisions.actor": true,
		"notices.receiver": true, "notices.grp": true, "notices.event": true, "notices.source": true, "notices.was": true,
		"views.owner":     true,
		"notices.verdict": true, "notices.severity": true, "notices.delivery": true,
	}
	var missing []string
	known := map[string]bool{}
	for _, c := range sqlstore.Provenances() {
		known[c] = true
	}
	db := raw(t, filled(t))
	for _, table := range []string{"findings", "sightings", "history", "scans", "skips", "decisions", "notices", "views"} {
		for _, column := range textColumns(t, db, table) {
			if c := table + "." + column; !known[c] && !words[c] {
				missing = append(missing, c)
			}
		}
	}
	if d := cmp.Diff([]string(nil), missing); d != "" {
		t.Errorf("columns that nobody redacts:\n%s", d)
	}
}

func textColumns(t *testing.T, db *sql.DB, table string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT name FROM pragma_table_info(?) WHERE type = 'TEXT'`, table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var column string
		if err := rows.Scan(&column); err != nil {
			t.Fatal(err)
		}
		out = append(out, column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
